"""What was found of one thing that dapflow needs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Diagnosis:
    """How one thing is: ``ok``, ``look`` for what hinders some of the work, ``mend`` for what hinders most of it.

    ``hint`` is what to do where it is not ``ok``.
    """

    subject: str
    state: Literal["ok", "look", "mend"]
    said: str
    hint: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        return asdict(self)
