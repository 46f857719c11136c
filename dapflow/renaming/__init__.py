"""Another name for a dataset: in every file that names it, whole or not at all."""

from dapflow.renaming.new_names import NewNames
from dapflow.renaming.plan import plan_rename
from dapflow.renaming.writing import RenamePlan, write_rename

__all__ = ["NewNames", "RenamePlan", "plan_rename", "write_rename"]
