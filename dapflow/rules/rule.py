"""What a rule of ``dapflow check`` is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dapflow.errors import Severity

#: Where an example that is given as SQL alone stands, and one that is a ``service.yml`` alone.
PRODUCT = "transforms/housing/refined/example.sql"
SERVICE = "transforms/housing/service.yml"

#: Files of a project, by their names in it; None for one that is not there.
Files = Mapping[str, str | None]


@dataclass(frozen=True)
class Rule:
    """A kind of mistake that ``dapflow check`` finds.

    Attributes:
        number: what its id ends with. It never changes, and that of a rule that is gone is given to no other.
        code: its name, which findings of it have.
        meaning: what is wrong, in one sentence.
        advice: why that is so, and what to do, in Markdown.
        wrong: an example of it: the SQL of a product, or files of a project; None where no files alone make it.
        right: the same as it should be.
        severity: how a finding is called; some rules find mistakes that are sure to fail, and others that may.
    """

    number: int
    code: str
    meaning: str
    advice: str
    wrong: str | Files | None
    right: str | Files | None
    severity: Severity = "error"

    @property
    def id(self) -> str:
        """Its number as people write it: ``DAP012``."""
        return f"DAP{self.number:03}"


def files_of(example: str | Files) -> Files:
    """The files that an example consists of."""
    return {PRODUCT: example} if isinstance(example, str) else example
