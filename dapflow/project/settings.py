"""``[tool.dapflow]`` of the repository's pyproject.toml."""

from __future__ import annotations

import string
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dapflow.errors import DapflowError
from dapflow.project.names import database_name_problem


@dataclass(frozen=True)
class Settings:
    """``database`` names the database of a service's zone; ``{service}`` and ``{zone}`` are replaced."""

    database: str = "{service}_{zone}_zone"


def read_settings(root: Path) -> Settings:
    """The settings of a repository; the defaults where it has none. Raises DapflowError."""
    try:
        data = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DapflowError("bad-settings", f"this is not TOML: {error}", file="pyproject.toml") from error
    table: Any = data
    for depth, name in enumerate(("tool", "dapflow")):
        table = table.get(name, {})
        if not isinstance(table, dict):
            where = ("[tool]", "[tool.dapflow]")[depth]
            raise DapflowError("bad-settings", f"{where} must be a table", file="pyproject.toml")
    pattern = table.get("database", Settings.database)
    problem = _pattern_problem(pattern)
    unknown = sorted(set(table) - {"database"})
    if unknown:
        raise DapflowError(
            "bad-settings",
            f"unknown key {unknown[0]!r} in [tool.dapflow]",
            file="pyproject.toml",
            hint="known: database",
        )
    if problem:
        raise DapflowError(
            "bad-settings",
            f"[tool.dapflow] database = {pattern!r}: {problem}",
            file="pyproject.toml",
            hint='for example database = "{service}_{zone}_zone"',
        )
    return Settings(pattern)


def _pattern_problem(pattern: object) -> str | None:
    if not isinstance(pattern, str):
        return "it must be text"
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(pattern) if field is not None}
        name = pattern.format(service="s", zone="z")
    except (ValueError, KeyError, IndexError, AttributeError):
        return "only {service} and {zone} may stand in braces"
    if fields != {"service", "zone"}:
        return "both {service} and {zone} must be in it, so that every zone has a database of its own"
    return database_name_problem(name)
