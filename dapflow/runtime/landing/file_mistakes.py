"""What is wrong with the rows of a landing file, gathered so that one error tells of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.runtime.landing.nested import MisfitError, fitted
from dapflow.runtime.objects import Object

_MOST_ERRORS = 10


class FileMistakes:
    """What is wrong in one file: each kind once, with its first place and how often it occurs.

    Args:
        nested: the columns of nested values, with their types.
        nulls: texts that stand for NULL in place of a value.
        inner_nulls: texts that do so within a nested value.
    """

    def __init__(
        self, item: Object, nested: Mapping[str, str], nulls: Sequence[str], inner_nulls: Sequence[str] = ()
    ) -> None:
        self.item = item
        self.nested = nested
        self.nulls = nulls
        self.inner_nulls = inner_nulls
        self._found: dict[str, tuple[int, str, int]] = {}

    def ragged(self, line: int, fields: int, wanted: int) -> None:
        """Note a row with more or fewer fields than there are columns."""
        self._note("more" if fields > wanted else "fewer", line, str(wanted))

    def fit(self, line: int, values: dict[str, str | None]) -> None:
        """Give nested values the form that Athena casts to their type; note those that do not fit."""
        for name, kind in self.nested.items():
            text = values.get(name)
            if text is not None and text not in self.nulls:
                try:
                    values[name] = fitted(text, kind, self.inner_nulls)
                except MisfitError as error:
                    self._note(name, line, str(error))

    def report(self) -> None:
        """Raise DapflowError for what was noted."""
        errors = [self._error(name, *mistake) for name, mistake in self._found.items()]
        if errors:
            raise errors[0] if len(errors) == 1 else DapflowErrors(errors[:_MOST_ERRORS])

    def _note(self, name: str, line: int, words: str) -> None:
        first, shown, count = self._found.get(name, (line, words, 0))
        self._found[name] = first, shown, count + 1

    def _error(self, name: str, line: int, words: str, count: int) -> DapflowError:
        if name in ("more", "fewer") and name not in self.nested:
            rows = "row has" if count == 1 else "rows have"
            return DapflowError(
                "landing-ragged",
                f"{count} {rows} {name} fields than the header names ({words})",
                file=self.item.uri,
                line=line,
                hint="each row must have one field per column; a field with a delimiter or a line break needs quotes",
            )
        others = f", nor do {count - 1} other values fit" if count > 1 else ""
        return DapflowError(
            "landing-value",
            f"column {name}: {words}{others}",
            file=self.item.uri,
            line=line,
            hint=f"mend the export, or give {name} another type in service.yml",
        )
