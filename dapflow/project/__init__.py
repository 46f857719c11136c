"""What people write under ``transforms/``: loading it, checking it, compiling it to the manifest."""

from dapflow.project.compile import check_project, compile_project, read_as_far_as_possible, write_manifest
from dapflow.project.load import load_project
from dapflow.project.model import Project
from dapflow.project.needed import check_needed
from dapflow.project.select import find_dataset, find_transform

__all__ = [
    "Project",
    "check_needed",
    "check_project",
    "compile_project",
    "find_dataset",
    "find_transform",
    "load_project",
    "read_as_far_as_possible",
    "write_manifest",
]
