"""What a git branch changes of a project, and what of it has to be built to see the change."""

from dapflow.changes.base import Base, base_deployed, base_in_git, left_at, running_in
from dapflow.changes.beyond_bundle import beyond_bundle
from dapflow.changes.decisions import Decision
from dapflow.changes.plan import BranchPlan, described_otherwise, plan_branch

__all__ = [
    "Base",
    "BranchPlan",
    "Decision",
    "base_deployed",
    "base_in_git",
    "beyond_bundle",
    "described_otherwise",
    "left_at",
    "plan_branch",
    "running_in",
]
