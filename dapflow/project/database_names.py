"""``databases`` of a service.yml: one name for a zone, or one for each environment."""

from __future__ import annotations

from yaml import MappingNode, Node

from dapflow.project.marked_yaml import Entry, YamlFile
from dapflow.project.names import database_name_problem, environment_name_problem, suggestion


def read_database_names(yaml: YamlFile, entry: Entry, zone: str) -> tuple[str, dict[str, str]] | None:
    """The name by which the manifest knows a zone's database, and its names by environment, where they differ.

    Where each environment has a name of its own, the first one stands for the database everywhere else.
    """
    if not isinstance(entry.value, MappingNode):
        name = yaml.string(entry.value, f"databases.{zone}")
        return (name, {}) if name is not None and check_database(yaml, name, entry.value) else None
    names: dict[str, str] = {}
    for environment, one in yaml.entries(entry.value, f"databases.{zone}").items():
        problem = environment_name_problem(environment)
        if problem:
            hint = f"databases.{zone} is one name, or a name for each environment: {{prod: …, staging: …}}"
            yaml.error("bad-name", f"{environment!r} cannot be an environment: {problem}", one.key, hint)
        name = yaml.string(one.value, f"databases.{zone}.{environment}")
        if name is not None and check_database(yaml, name, one.value):
            names[environment] = name
    return (next(iter(names.values())), names) if names else None


def check_database(yaml: YamlFile, name: str, node: Node) -> bool:
    """Whether a Glue database can have this name; a mistake is noted otherwise."""
    problem = database_name_problem(name)
    if problem:
        near = suggestion(name)
        yaml.error(
            "bad-name", f"{name!r} cannot be a Glue database: {problem}", node, f"for example {near}" if near else None
        )
    return not problem
