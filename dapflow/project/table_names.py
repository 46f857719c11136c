"""``current`` and ``history``: what one dataset's tables are called, where the service's naming does not fit it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dapflow.project.marked_yaml import Entry, YamlFile
from dapflow.project.model import TableNames
from dapflow.project.names import dataset_name_problem, suggestion

TABLE_NAME_KEYS = ("current", "history")


def read_table_names(
    yaml: YamlFile, entries: Mapping[str, Entry], problem_of: Callable[[str], str | None] = dataset_name_problem
) -> TableNames:
    """The names that stand in a dataset's entries. ``problem_of`` says why a table cannot have a name."""
    found: dict[str, str] = {}
    for key in TABLE_NAME_KEYS:
        name = yaml.string(entries[key].value, key) if key in entries else None
        if name is None:
            continue
        problem = problem_of(name)
        if problem:
            near = suggestion(name)
            hint = f"for example {near}" if near else None
            yaml.error("bad-name", f"{key} {name!r}: {problem}", entries[key].value, hint)
        else:
            found[key] = name
    return TableNames(**found)
