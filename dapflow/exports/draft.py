"""What the drafts of sources of all formats have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dapflow.errors import DapflowError
from dapflow.exports.local_files import FILES, path_of
from dapflow.exports.type_candidates import NULL_TEXTS, ColumnTypes
from dapflow.manifest import LandingSource
from dapflow.runtime.formats.parquet_footers import differences
from dapflow.runtime.landing.landing_text import text_of
from dapflow.runtime.objects import Object


def unlike(
    first: Object, item: Object, before: Mapping[str, str], now: Mapping[str, str], line: int | None = None
) -> DapflowError:
    """The error for files of one table whose columns, by name with their types, are not the same."""
    words = differences(before, now)
    if not words:
        return DapflowError(
            "landing-header",
            f"the columns come in another order than in {path_of(first)}, which belongs to the same table: "
            f"{', '.join(now)} in place of {', '.join(before)}",
            file=item.uri,
            line=line,
            hint="a table's files have one order of columns: export it again, or rename the file, if it is of another",
        )
    return DapflowError(
        "landing-header",
        f"the columns are others than in {path_of(first)}, which belongs to the same table: {words}",
        file=item.uri,
        line=line,
        hint="rename the file, if it is of another table; if a column was added on a later day, draft the service from "
        "the files before it and land them, then add the column to service.yml and land the others",
    )


def typed(source: LandingSource, types: list[ColumnTypes], item: Object) -> LandingSource:
    """With the columns, and the texts that stand for NULL."""
    if not any(column.values for column in types):
        raise no_rows(item)
    # People are called NULL, too: where it stands among numbers or dates it is none of these.
    nulls = [
        text
        for text in NULL_TEXTS
        if any(text in column.null_texts and (text == "\\N" or column.common_type) for column in types)
    ]
    # An empty field is NULL where numbers or dates have one; in text it may be meant.
    if (nulls or not source.nulls) and any(column.empty and column.common_type for column in types):
        nulls.append("")
    return replace(source, null=tuple(nulls), columns=tuple(column.column() for column in types))


def no_rows(item: Object) -> DapflowError:
    """The error for a table without rows."""
    return DapflowError(
        "landing-no-rows", "the file has no rows, so nobody can tell its types", file=item.uri, hint="export some rows"
    )


def encoding_of(items: Sequence[Object], written: str) -> str:
    """The one encoding of all files of a format; `detect` where they have several."""
    texts = [text_of(FILES, item, LandingSource(written, None, encoding="detect")) for item in items]
    encodings = {_plain(text.encoding) for text in texts}
    return encodings.pop() if len(encodings) == 1 else "detect"


def _plain(encoding: str) -> str:
    return re.sub("^utf-8-sig$", "utf-8", encoding)
