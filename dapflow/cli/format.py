"""``dapflow format``."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.failure import print_findings
from dapflow.cli.project_option import ProjectOption, project_root

if TYPE_CHECKING:
    from dapflow.style.sql_files import StyledFile


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("format")(format_files)


def format_files(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE|FOLDER]...",
            help="Files, and folders with all .sql below; - reads a text and prints it. Default: all of transforms/.",
            show_default=False,
        ),
    ] = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; end with status 1 if a file would.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Change nothing; print what would change.")] = False,
    project: ProjectOption = None,
) -> None:
    """Lay out .sql files in one house style.

    Spaces, ends of lines and capitals change, and nothing else: the text before and after is read by Athena's grammar,
    and a file that would mean something else, or would lose a comment, is named and stays as it is. So does a file
    with a mistake of syntax. Ends with status 1 when there is one.

    Example: dapflow format --check
    """
    from dapflow.style.sql_files import sql_files, styled_files, styled_text  # noqa: PLC0415 (brings PyYAML)

    if paths == [Path("-")]:
        sys.stdout.buffer.write(styled_text(sys.stdin.buffer.read(), "<stdin>"))
        return
    files = styled_files(sql_files(paths or [_relative(project_root(project) / "transforms")]))
    changed = [file for file in files if file.changes]
    refused = [file.refusal for file in files if file.refusal is not None]
    if diff:
        sys.stdout.writelines(line for file in changed for line in _difference(file))
    elif check:
        sys.stderr.writelines(f"{file.path} is not in the house style\n" for file in changed)
    else:
        for file in changed:
            file.write()
    print_findings(refused)
    if not diff:
        print(_outcome(len(files), len(changed), len(refused), check=check))
    if refused or (check and changed):
        raise typer.Exit(1)


def _relative(path: Path) -> Path:
    """A path as people name it from where they are."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _difference(file: StyledFile) -> list[str]:
    before, after = (text.splitlines(keepends=True) for text in (file.before, file.after or ""))
    lines = difflib.unified_diff(before, after, f"{file.path}", f"{file.path} in the house style")
    return [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]


def _outcome(files: int, changed: int, refused: int, *, check: bool) -> str:
    verb = "to format" if check else "formatted"
    parts = [f"{changed} {verb}", f"{files - changed - refused} in the house style"]
    return f"{', '.join(parts)}{f', {refused} refused' if refused else ''}."
