"""``dapflow --help``: one screen of 24 lines, in named groups; what is used every day says what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer._click import Context, HelpFormatter

EVERY_DAY = ("new", "check", "test", "format", "preview", "run", "query", "ls", "deps", "show", "why")
OTHERS = {
    "data": (
        "land", "history", "runs", "check-results", "cost", "diff", "columns", "backfill", "rollback", "withdraw",
        "reset", "accept-schema",
    ),
    "project": ("rename", "remove", "branch", "ship", "compile", "lsp", "codeowners"),
    "platform": ("doctor", "local", "demo", "athena"),
}  # fmt: skip


class GroupedHelp(TyperGroup):
    """The whole command line; each of its commands stands in one group above."""

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the groups; the options of the whole command line are --help alone, of which its own text tells."""
        width = formatter.width - 6 - max(map(len, EVERY_DAY))
        with formatter.section("Every day"):
            formatter.write_dl([(name, self.commands[name].get_short_help_str(width)) for name in EVERY_DAY])
        with formatter.section("More"):
            formatter.write_dl([(group, ", ".join(names)) for group, names in OTHERS.items()])
