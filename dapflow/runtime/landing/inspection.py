"""One look at all landing files of a generation: columns, rows, mistakes, and what Athena shall read for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Column, Source, SourceColumn
from dapflow.runtime.formats import csv_records, json_objects, plain_csv
from dapflow.runtime.formats.parquet_footers import read_footers
from dapflow.runtime.formats.parquet_moments import check_moments
from dapflow.runtime.generation import Generation
from dapflow.runtime.history import parquet_storage
from dapflow.runtime.landing.converted import ConvertedFile, number_of
from dapflow.runtime.landing.files import check_doubled
from dapflow.runtime.landing.headings import check_names, check_reserved, columns_of, renamed
from dapflow.runtime.landing.nested import NESTED, MisfitError, fitted
from dapflow.runtime.landing.stream import Content
from dapflow.runtime.landing.table import csv_storage, json_storage
from dapflow.runtime.landing.text import Text, text_of
from dapflow.runtime.objects import Object
from dapflow.runtime.parquet_footer import FINE, NULLS, Moments
from dapflow.runtime.target import Target
from dapflow.runtime.types import UnsupportedTypeError, hive_type

Progress = Callable[[str], None]
_MOST_ERRORS = 10


@dataclass(frozen=True)
class Landed:
    """The landing files of a generation, and the table through which Athena reads them.

    Attributes:
        columns: name and Glue's type, as the table has them.
        read_as: the name of a column in the table where it is another one.
        moments: the leaves of Parquet files with timestamps that may be finer than milliseconds, by URI.
        rows: by the URI of the file.
        storage: the table's storage.
        header_lines: lines that Athena leaves out at the start of each file.
        converted: the prefix that Athena reads instead of the landing files; None where it reads these themselves.
    """

    files: tuple[Object, ...]
    columns: tuple[tuple[str, str], ...]
    rows: dict[str, int]
    storage: dict[str, Any]
    header_lines: int = 0
    converted: str | None = None
    read_as: dict[str, str] = field(default_factory=dict)
    moments: dict[str, tuple[Moments, ...]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many rows there are."""
        return sum(self.rows.values())

    def origin(self, uri: str) -> Object | None:
        """The landing file that Athena's ``$path`` stands for."""
        if self.converted is not None and uri.startswith(self.converted):
            return self.files[number_of(uri)]
        return next((each for each in self.files if each.uri == uri), None)


@dataclass(frozen=True)
class Look:
    """Looks at the landing files of one generation.

    Args:
        known: the columns that are known before; None at the first load of a source without columns.
        converted: the prefix below which files may be written in the form that Athena reads.
    """

    target: Target
    source: Source
    generation: Generation
    files: Sequence[Object]
    known: Sequence[SourceColumn] | None
    converted: str
    progress: Progress

    def landed(self) -> Landed:
        """Read all files once, some twice. Raises DapflowError for what is wrong with them."""
        if self.source.format == "parquet":
            return self._parquet()
        return self._csv() if self.source.format == "csv" else self._json()

    @property
    def _location(self) -> str:
        return self.target.place.landed(self.generation)

    def _check(self, item: Object, names: Sequence[str], *, line: int | None = None, note: str = "") -> None:
        check_reserved(self.target.dataset, item, names, line)
        if self.known is not None and names:
            wanted = [column.name for column in self.known]
            declared = self.source.columns is not None
            exact = self.source.format != "json"
            check_names(item, names, wanted if declared else [*wanted, *names], exact=exact, line=line, note=note)

    def _parquet(self) -> Landed:
        found = read_footers(self.target.s3, self.files)
        self._check(self.files[0], [name for name, _, _ in found.columns])
        sizes = [each.size for each in self.files]
        check_doubled(
            self.files,
            found.rows,
            lambda item: self._digest(item) if sizes.count(item.size) > 1 else item.uri.encode(),
        )
        if any(not each.plain for moments in found.moments.values() for each in moments):
            self.progress(f"{self.target.dataset.id}: looking for timestamps of more than milliseconds")
        for item in self.files:
            check_moments(self.target.s3, item, found.moments[item.uri])
        # A column of nothing but NULL is not read: its physical type says nothing. Timestamps that are finer than
        # Athena's are read as the numbers that they are (https://github.com/trinodb/trino/pull/9330).
        stored = [
            Column(inner, "bigint" if kind in FINE else kind) for _, inner, kind in found.columns if kind != NULLS
        ]
        return Landed(
            tuple(self.files),
            tuple((name, kind) for name, _, kind in found.columns),
            found.rows,
            parquet_storage(stored, self._location),
            read_as={name: inner for name, inner, _ in found.columns},
            moments=found.moments,
        )

    def _digest(self, item: Object) -> bytes:
        content = Content(self.target.s3, item)
        for _ in content:
            pass
        return content.digest

    def _csv(self) -> Landed:
        dialect = csv_records.Dialect.of(self.source)
        texts = [text_of(self.target.s3, item, self.source) for item in self.files]
        names: list[str] = []
        for text in filter(_has_bytes, texts):
            found = self._header(text, dialect)
            if names and found != names:
                order = "come in another order than" if sorted(found) == sorted(names) else "are others than"
                raise DapflowError(
                    "landing-header",
                    f"the columns {order} in {self.files[0].name}",
                    file=text.item.uri,
                    line=1 + dialect.skip,
                    hint="land all files of a generation with the same header",
                )
            names = found
        names = names or [column.name for column in self.known or ()]
        rows = None if self._nested(names) else self._plain_rows(texts, dialect, len(names))
        converted = rows is None
        if rows is None:
            self.progress(f"{self.target.dataset.id}: converting the landing files to a form that Athena reads")
            rows = {text.item.uri: self._convert_csv(number, text, dialect, names) for number, text in enumerate(texts)}
        self._check_doubled(texts, rows)
        if converted:
            storage = json_storage(names, self.converted)
            return Landed(tuple(self.files), _text(names), rows, storage, converted=self.converted)
        storage = csv_storage(self.source, names, self._location)
        return Landed(tuple(self.files), _text(names), rows, storage, header_lines=1 + dialect.skip)

    def _header(self, text: Text, dialect: csv_records.Dialect) -> list[str]:
        header = next(csv_records.records(text, dialect), None)
        if header is None or header.line != dialect.skip + 1:
            raise DapflowError(
                "landing-header",
                "the first line is blank" if header else "the file has no header",
                file=text.item.uri,
                line=dialect.skip + 1,
                hint="the first line must name the columns; `skip` in service.yml leaves out title lines before it",
            )
        if self.known is None and (other := csv_records.other_delimiter(header, dialect)):
            raise DapflowError(
                "landing-header",
                f"the header has one field, and {other!r} in it",
                file=text.item.uri,
                line=header.line,
                source=header.text.rstrip("\r\n"),
                hint=f"name the delimiter in service.yml, delimiter: {json.dumps(other)}, or the one column",
            )
        names = columns_of(header.fields)
        self._check(text.item, names, line=header.line, note=renamed(header.fields))
        return names

    def _plain_rows(self, texts: Sequence[Text], dialect: csv_records.Dialect, width: int) -> dict[str, int] | None:
        rows = {}
        for text in texts:
            found = plain_csv.plain_rows(text, dialect, width) if _has_bytes(text) else 0
            if found is None:
                return None
            rows[text.item.uri] = found
        return rows

    def _convert_csv(self, number: int, text: Text, dialect: csv_records.Dialect, names: list[str]) -> int:
        file = ConvertedFile(self.target.s3, self.converted, number)
        mistakes = _Mistakes(text.item, self._nested(names), self.source)
        records = csv_records.records(text, dialect) if _has_bytes(text) else iter(())
        next(records, None)
        for record in records:
            if len(record.fields) != len(names):
                mistakes.ragged(record.line, len(record.fields), len(names))
                continue
            values: dict[str, str | None] = dict(zip(names, record.fields, strict=True))
            mistakes.fit(record.line, values)
            file.write(values)
        mistakes.report()
        file.close()
        return file.rows

    def _json(self) -> Landed:
        keys = json_objects.Keys()
        texts = [text_of(self.target.s3, item, self.source) for item in self.files]
        rows = {text.item.uri: self._convert_json(number, text, keys) for number, text in enumerate(texts)}
        self._check_doubled(texts, rows)
        names = list(dict.fromkeys([*(column.name for column in self.known or ()), *keys.names]))
        storage = json_storage(names, self.converted)
        return Landed(tuple(self.files), _text(names), rows, storage, converted=self.converted)

    def _convert_json(self, number: int, text: Text, keys: json_objects.Keys) -> int:
        file = ConvertedFile(self.target.s3, self.converted, number)
        mistakes = _Mistakes(text.item, self._nested([column.name for column in self.known or ()]), self.source)
        before = len(keys.names)
        for line, values in json_objects.records(text, keys):
            if len(keys.names) > before:
                check_reserved(self.target.dataset, text.item, keys.names[before:], line)
                before = len(keys.names)
            mistakes.fit(line, values)
            file.write(values)
        self._check(text.item, keys.names)
        mistakes.report()
        file.close()
        return file.rows

    def _check_doubled(self, texts: Sequence[Text], rows: dict[str, int]) -> None:
        digests = {text.item.uri: text.content.digest for text in texts}
        check_doubled(self.files, rows, lambda item: digests[item.uri])

    def _nested(self, names: Sequence[str]) -> dict[str, str]:
        """The columns that hold nested values, with their types."""
        kinds = {column.name: _kind(column) for column in self.known or () if column.name in names}
        return {name: kind for name, kind in kinds.items() if kind.startswith(NESTED)}


class _Mistakes:
    """What is wrong in one file: each kind once, with its first place and how often it occurs."""

    def __init__(self, item: Object, nested: dict[str, str], source: Source) -> None:
        self.item = item
        self.nested = nested
        self.nulls = source.nulls
        # A field of CSV is a text as a whole; JSON in it is another format, which has a NULL of its own.
        self.inner_nulls = source.nulls if source.format == "json" else ()
        self._found: dict[str, tuple[int, str, int]] = {}

    def ragged(self, line: int, found: int, wanted: int) -> None:
        """Note a row with more or fewer fields than there are columns."""
        self._note("more" if found > wanted else "fewer", line, str(wanted))

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
        errors = [self._error(name, *found) for name, found in self._found.items()]
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


def _has_bytes(text: Text) -> bool:
    return not text.empty


def _text(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, "string") for name in names)


def _kind(column: SourceColumn) -> str:
    try:
        return hive_type(column.type)
    except UnsupportedTypeError:
        return column.type
