"""Parquet files: columns and rows, as their footers have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dapflow.errors import DapflowError
from dapflow.runtime.landing.headings import columns_of
from dapflow.runtime.objects import Object
from dapflow.runtime.parquet_footer import Footer, Moments
from dapflow.runtime.staged_files import footer_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Glue and Hive keep lists of columns as text, in which these part the names.
_NOT_IN_NAMES = frozenset(",:;")


@dataclass(frozen=True)
class ParquetFiles:
    """The Parquet files of a generation.

    Attributes:
        columns: name in the table, name in the files, Glue's type; NULLS where the files have nothing but NULL.
        rows: by URI.
        moments: the leaves with timestamps that may be finer than milliseconds, by URI.
    """

    columns: tuple[tuple[str, str, str], ...]
    rows: dict[str, int]
    moments: dict[str, tuple[Moments, ...]]


def read_footers(s3: S3Client, files: Sequence[Object]) -> ParquetFiles:
    """Read all footers. Raises DapflowError ``parquet`` or ``landing-header``."""
    first: Footer | None = None
    rows: dict[str, int] = {}
    moments: dict[str, tuple[Moments, ...]] = {}
    for item in files:
        footer = footer_of(s3, item)
        rows[item.uri] = footer.rows
        moments[item.uri] = footer.moments
        if first is None:
            first = footer
        elif dict(footer.columns) != dict(first.columns):
            words = differences(dict(first.columns), dict(footer.columns))
            raise DapflowError(
                "landing-header",
                f"the columns differ from those of {files[0].name}: {words}",
                file=item.uri,
                hint="write all files of a generation with the same columns and types",
            )
        _check_names(item, footer)
    columns = first.columns if first else ()
    names = columns_of([name for name, _ in columns])
    named = tuple((name, heading, kind) for name, (heading, kind) in zip(names, columns, strict=True))
    return ParquetFiles(named, rows, moments)


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """In words, how the columns of a file, by name with their types, differ from those of another before it."""
    lacks = [f"it lacks {name}" for name in before if name not in now]
    more = [f"it has {name}" for name in now if name not in before]
    return ", ".join(
        [
            *lacks,
            *more,
            *(
                f"{name} is {now[name]}, not {kind}"
                for name, kind in before.items()
                if name in now and now[name] != kind
            ),
        ]
    )


def _check_names(item: Object, footer: Footer) -> None:
    names = [name for name, _ in footer.columns]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise DapflowError(
            "landing-header",
            f"columns differ in the case of their letters only, or not at all: {', '.join(doubled)}",
            file=item.uri,
            hint="Athena does not tell them apart; rename one of them in the export",
        )
    odd = [name for name in names if _NOT_IN_NAMES & set(name)]
    if odd:
        raise DapflowError(
            "landing-header",
            f"the name of column {odd[0]!r} has a comma, a colon or a semicolon, which no table of Glue takes",
            file=item.uri,
            hint="rename it in the export",
        )
