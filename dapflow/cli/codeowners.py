"""``dapflow codeowners``."""

from __future__ import annotations

import typer

from dapflow.cli.project_option import ProjectOption, project_root


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("codeowners")(codeowners)


def codeowners(project: ProjectOption = None) -> None:
    """Write .github/CODEOWNERS: a change of a service asks for its people, everything else for those of the platform.

    They are the `reviewers` in each service.yml (or its `owner`), and in [tool.dapflow] of pyproject.toml.
    `dapflow check` says when the file is not current.

    Example: dapflow codeowners
    """
    from dapflow.project.codeowners import write_codeowners  # noqa: PLC0415

    print(f"wrote {write_codeowners(project_root(project))}")
