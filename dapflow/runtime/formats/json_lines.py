"""JSON lines as a landing format: one object a line, which Athena reads converted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dapflow.manifest import LandingSource
from dapflow.runtime.formats import json_objects
from dapflow.runtime.formats.landing_format import LandingFormat, Row
from dapflow.runtime.landing.file_mistakes import FileMistakes
from dapflow.runtime.landing.inspection import Inspection
from dapflow.runtime.landing.landed import Landed, text_columns
from dapflow.runtime.landing.landing_table import converted_storage
from dapflow.runtime.landing.landing_text import LandingText


class JsonLines(LandingFormat):
    """Files of one JSON object a line; their keys are the columns."""

    def inspect(self, inspection: Inspection) -> Landed:
        """Every file is converted: a value must come out as it is written."""
        keys = json_objects.Keys()
        texts = inspection.texts()
        rows = inspection.convert(texts, lambda text: _checked_rows(inspection, text, keys))
        inspection.check_doubled(texts, rows)
        # Of a table whose types were found, a key that no object has is a column that is gone.
        declared = inspection.source.columns is not None
        known = [name for name in inspection.known_names if declared or name in keys.names or not keys.names]
        names = list(dict.fromkeys([*known, *keys.names]))
        storage = converted_storage(names, inspection.converted)
        return Landed(tuple(inspection.files), text_columns(names), rows, storage, converted=inspection.converted)

    def rows(self, texts: Iterable[LandingText], source: LandingSource) -> Iterator[tuple[int, Row]]:
        """The objects of all files; a key has one spelling in all of them."""
        keys = json_objects.Keys()
        for text in texts:
            yield from json_objects.records(text, keys)


def _checked_rows(inspection: Inspection, text: LandingText, keys: json_objects.Keys) -> Iterator[Row]:
    nulls = inspection.source.nulls
    mistakes = FileMistakes(text.item, inspection.nested(inspection.known_names), nulls, inner_nulls=nulls)
    seen = len(keys.names)
    for line, values in json_objects.records(text, keys):
        if len(keys.names) > seen:
            inspection.check_reserved(text.item, keys.names[seen:], line)
            seen = len(keys.names)
        mistakes.fit(line, values)
        yield values
    # Objects leave keys out that have no value.
    inspection.check_names(text.item, keys.names, exact=False)
    mistakes.report()
