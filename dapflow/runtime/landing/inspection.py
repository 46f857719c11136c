"""The landing files of a generation while they are looked at: what is known of them, and what all formats check."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dapflow.manifest import LandingSource, SourceColumn
from dapflow.runtime.column_types import UnsupportedTypeError, hive_type
from dapflow.runtime.generation import Generation
from dapflow.runtime.landing.converted import ConvertedFile
from dapflow.runtime.landing.headings import check_names, check_reserved
from dapflow.runtime.landing.landing_files import check_doubled
from dapflow.runtime.landing.landing_text import LandingText, text_of
from dapflow.runtime.landing.nested import NESTED
from dapflow.runtime.objects import Object
from dapflow.runtime.target import Target


@dataclass(frozen=True)
class Inspection:
    """The look at the landing files of one generation, before Athena reads them.

    Args:
        known: the columns that are known before; None at the first load of a source without columns.
        converted: the prefix below which files may be written in the form that Athena reads.
        progress: told in one line what is being done.
    """

    target: Target
    source: LandingSource
    generation: Generation
    files: Sequence[Object]
    known: Sequence[SourceColumn] | None
    converted: str
    progress: Callable[[str], None]

    @property
    def location(self) -> str:
        """The prefix of the landing files."""
        return self.target.place.landed(self.generation)

    @property
    def known_names(self) -> list[str]:
        """The columns that are known before; none where there are none."""
        return [column.name for column in self.known or ()]

    def texts(self) -> list[LandingText]:
        """The files as text. Raises what ``text_of`` raises."""
        return [text_of(self.target.s3, item, self.source) for item in self.files]

    def say(self, doing: str) -> None:
        """Tell what is being done."""
        self.progress(f"{self.target.dataset.id}: {doing}")

    def check_reserved(self, item: Object, names: Sequence[str], line: int | None = None) -> None:
        """Raise DapflowError ``reserved-column`` for a name of a generation column."""
        check_reserved(self.target.dataset, item, names, line)

    def check_names(
        self, item: Object, names: Sequence[str], *, exact: bool = True, line: int | None = None, note: str = ""
    ) -> None:
        """Compare the columns of a file with those that are known. ``exact``: none may be missing.

        Raises DapflowError ``reserved-column`` or ``landing-header``, with the ``note`` beside it.
        """
        self.check_reserved(item, names, line)
        if self.known is None or not names:
            return
        if self.source.columns is not None:
            check_names(item, names, self.known_names, exact=exact, line=line, note=note)
        elif not set(names) & set(self.known_names):
            # A file of which nothing is known is another one. Else the columns are compared with the table's, by name.
            check_names(item, names, [*self.known_names, *names], exact=True, line=line, note=note)

    def check_doubled(self, texts: Sequence[LandingText], rows: Mapping[str, int]) -> None:
        """Raise DapflowError ``landing-duplicate`` where two files, read to their ends, hold the same."""
        digests = {text.item.uri: text.content.digest for text in texts}
        check_doubled(self.files, rows, lambda item: digests[item.uri])

    def nested(self, names: Sequence[str]) -> dict[str, str]:
        """The columns among these that hold nested values, with their types."""
        kinds = {column.name: _kind(column) for column in self.known or () if column.name in names}
        return {name: kind for name, kind in kinds.items() if kind.startswith(NESTED)}

    def convert(
        self, texts: Sequence[LandingText], rows_of: Callable[[LandingText], Iterator[Mapping[str, str | None]]]
    ) -> dict[str, int]:
        """Write the rows of all files in the form that Athena reads exactly; how many each has."""
        rows = {}
        for number, text in enumerate(texts):
            file = ConvertedFile(self.target.s3, self.converted, number)
            for values in rows_of(text):
                file.write(values)
            file.close()
            rows[text.item.uri] = file.rows
        return rows


def _kind(column: SourceColumn) -> str:
    try:
        return hive_type(column.type)
    except UnsupportedTypeError:
        return column.type
