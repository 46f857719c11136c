"""Projects written for a test."""

from __future__ import annotations

from pathlib import Path

from dapflow.errors import DapflowErrors
from dapflow.manifest import Manifest, Transform
from dapflow.project import compile_project

SERVICE = """\
sources:
  flights:
    columns: {year: integer, carrier: string}
  airlines:
    columns: {carrier: string, name: string}
  airports:
"""


def write_project(root: Path, files: dict[str, str | bytes]) -> Path:
    """Write files below ``transforms/``; ``air/service.yml`` has three sources unless it is given."""
    for name, content in {"air/service.yml": SERVICE, **files}.items():
        path = root / "transforms" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def compile_files(root: Path, files: dict[str, str | bytes]) -> Manifest:
    """The manifest of a project of these files."""
    return compile_project(write_project(root, files))


def transform_of(root: Path, sql: str | bytes, **files: str | bytes) -> Transform:
    """How one transform of service ``air`` compiles."""
    transform = compile_files(root, {"air/refined/x.sql": sql, **files}).datasets["air.refined.x"].transform
    assert transform is not None
    return transform


def codes_of(root: Path, files: dict[str, str | bytes]) -> list[str]:
    """The codes of the mistakes in a project of these files."""
    try:
        compile_files(root, files)
    except DapflowErrors as errors:
        return [error.code for error in errors.errors]
    return []
