"""Where code beside ``transforms/`` speaks of a dataset: what it says, nobody but its author can change."""

from __future__ import annotations

import re
from pathlib import Path

from dapflow.renaming.new_names import NewNames

_FOLDER = "dags"


def mentions(root: Path, names: NewNames) -> list[str]:
    """Where hand-written DAGs have the id of the dataset, or a table of it with its database: ``file:line``."""
    written = [names.old_id, *(f"{names.node.database}.{table}" for table in names.tables)]
    pattern = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, written))})(?![\w.])")
    return [
        f"{file.relative_to(root).as_posix()}:{number}"
        for file in sorted((root / _FOLDER).rglob("*.py"))
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
