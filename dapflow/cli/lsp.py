"""``dapflow lsp``."""

from __future__ import annotations

import os
import sys

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("lsp")(lsp)


def lsp() -> None:
    """Serve an editor: mistakes as you type, completion, types, definitions, renaming, formatting.

    Editors start it, and speak the Language Server Protocol by its standard input and output. It serves the project
    around the folder or file that is opened. docs/guides/work-in-your-editor.md has the settings of editors.

    Example: dapflow lsp
    """
    from dapflow.editor.features import editor_server  # noqa: PLC0415 (brings pygls)

    # The editor gets what the server says to it, and nothing that anything else may print.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        editor_server().start_io(sys.stdin.buffer, answers)
