"""``[tool.dapflow]`` of the repository's pyproject.toml."""

from __future__ import annotations

import string
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dapflow.errors import DapflowError
from dapflow.project.name_rules import (
    REVIEWER_FORMS,
    database_name_problem,
    environment_name_problem,
    is_reviewer,
)


@dataclass(frozen=True)
class ProjectSettings:
    """``database`` names the database of a service's zone; ``{service}`` and ``{zone}`` are replaced.

    ``environments`` are such names by environment, where they differ; ``database`` is then the first of them.
    ``reviewers`` are the people of the platform, as .github/CODEOWNERS names them.
    """

    database: str = "{service}_{zone}_zone"
    environments: dict[str, str] = field(default_factory=dict)
    reviewers: tuple[str, ...] = ()


def read_settings(root: Path) -> ProjectSettings:
    """The settings of a repository; the defaults where it has none. Raises DapflowError."""
    try:
        data = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ProjectSettings()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DapflowError("bad-settings", f"this is not TOML: {error}", file="pyproject.toml") from error
    table: Any = data
    for depth, name in enumerate(("tool", "dapflow")):
        table = table.get(name, {})
        if not isinstance(table, dict):
            where = ("[tool]", "[tool.dapflow]")[depth]
            raise DapflowError("bad-settings", f"{where} must be a table", file="pyproject.toml")
    unknown = sorted(set(table) - {"database", "reviewers"})
    if unknown:
        raise DapflowError(
            "bad-settings",
            f"unknown key {unknown[0]!r} in [tool.dapflow]",
            file="pyproject.toml",
            hint="known: database, reviewers",
        )
    reviewers = _reviewers(table.get("reviewers", []))
    written = table.get("database", ProjectSettings.database)
    if not isinstance(written, dict):
        return ProjectSettings(_pattern("database", written), reviewers=reviewers)
    patterns = {name: _pattern(f"database.{name}", pattern) for name, pattern in written.items()}
    problems = [(name, problem) for name in patterns if (problem := environment_name_problem(name))]
    if problems or not patterns:
        name, problem = problems[0] if problems else ("", "no environment is named")
        raise DapflowError("bad-settings", f"[tool.dapflow.database] {name}: {problem}", file="pyproject.toml")
    return ProjectSettings(next(iter(patterns.values())), patterns, reviewers)


def _reviewers(written: object) -> tuple[str, ...]:
    if isinstance(written, list) and all(isinstance(reviewer, str) and is_reviewer(reviewer) for reviewer in written):
        return tuple(written)
    raise DapflowError(
        "bad-settings",
        f"[tool.dapflow] reviewers = {written!r}: it must be a list of names as GitHub takes them",
        file="pyproject.toml",
        hint=f"for example reviewers = [{REVIEWER_FORMS}]",
    )


def _pattern(key: str, pattern: object) -> str:
    problem = _pattern_problem(pattern)
    if problem is None:
        return str(pattern)
    raise DapflowError(
        "bad-settings",
        f"[tool.dapflow] {key} = {pattern!r}: {problem}",
        file="pyproject.toml",
        hint='for example database = "{service}_{zone}_zone"',
    )


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
