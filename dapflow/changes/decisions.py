"""What becomes of a product in a branch, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from dapflow.runtime.column_changes import ColumnChange

Reason = Literal["new", "text", "terms", "checks", "checked against", "input", "same meaning", "not read", "unchanged"]
Effect = Literal["breaking", "additive", "values"]


@dataclass(frozen=True)
class Decision:
    """What becomes of a product in a branch: it is built there, or the base's is read.

    Attributes:
        reason: why. ``text``, ``terms``, ``checks``: what the branch changes of the product itself. ``input``: it is
            made of what is changed. ``same meaning``: its text is another, and means the same. ``not read``: nothing
            that is changed reaches it, though it reads something that is.
        also: what else the branch changes of the product itself, that would be a reason alone.
        about: the columns of its own that are others (``*`` for its rows), or, of ``input`` and ``checked against``,
            what it reads, or its checks read, that is.
        effect: on those who read it. ``breaking``: columns are gone, in another order, or of a type that does not hold
            all that they held; ``additive``: there are more columns, or wider ones; ``values``: the columns are the
            same. None where it is not built.
        changes: of its columns.
        lacks: ids of raw tables that it reads and the base does not have: nothing loads them in a branch.
    """

    dataset: str
    file: str
    built: bool
    reason: Reason
    about: tuple[str, ...] = ()
    effect: Effect | None = None
    changes: tuple[ColumnChange, ...] = ()
    lacks: tuple[str, ...] = ()
    also: tuple[tuple[Reason, tuple[str, ...]], ...] = ()

    @property
    def touched(self) -> bool:
        """Whether the branch changes its text, or something that it reads."""
        return self.reason != "unchanged"

    def why(self) -> str:
        """The reasons in words."""
        return "; ".join(_words(reason, about) for reason, about in ((self.reason, self.about), *self.also))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        return {
            "dataset": self.dataset,
            "file": self.file,
            "built": self.built,
            "reason": self.reason,
            "about": list(self.about),
            "also": [reason for reason, _ in self.also],
            "why": self.why(),
            "effect": self.effect,
            "columns": [{"name": c.name, "was": c.was, "now": c.now} for c in self.changes],
            "lacks": list(self.lacks),
        }


def _listed(names: tuple[str, ...], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _words(reason: Reason, about: tuple[str, ...]) -> str:
    listed = _listed(about)
    return {
        "new": "it is new",
        "text": "its text is changed: other rows" if "*" in about else f"its text is changed: {listed}",
        "terms": f"its .yml is changed: {listed}",
        "checks": "its checks are changed",
        "checked against": f"its checks read {listed}",
        "input": f"it reads {listed}",
        "same meaning": "its text is another, and means the same",
        "not read": "it reads nothing of what is changed",
        "unchanged": "it is as it was",
    }[reason]
