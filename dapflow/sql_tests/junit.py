"""The outcomes of tests as JUnit XML, which CI systems read.

The form is that of https://github.com/testmoapp/junitxml: suites by file, cases by transform and name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

from dapflow.errors import DapflowError
from dapflow.files import write_whole
from dapflow.sql_tests.outcome import SqlTestOutcome
from dapflow.sql_tests.report import difference_lines

#: What XML 1.0 takes no way of writing.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(file: Path, outcomes: Sequence[SqlTestOutcome]) -> None:
    """Write the file, whole or not at all. Raises DapflowError ``unwritable-file``."""
    root = Element("testsuites", _figures(outcomes))
    for name, own in groupby(outcomes, key=lambda outcome: outcome.file):
        of_file = list(own)
        suite = SubElement(root, "testsuite", {"name": name, **_figures(of_file)})
        for outcome in of_file:
            _add(suite, outcome)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, tostring(root, encoding="utf-8", xml_declaration=True))
    except OSError as error:
        raise DapflowError("unwritable-file", f"cannot be written: {error.strerror}", file=file) from error


def _add(suite: Element, outcome: SqlTestOutcome) -> None:
    place = {"file": outcome.file, "line": str(outcome.line)}
    case = SubElement(
        suite,
        "testcase",
        {"classname": outcome.dataset, "name": _text(outcome.name), "time": f"{outcome.seconds:.3f}", **place},
    )
    if outcome.mistake is not None:
        said = {"type": outcome.mistake.code, "message": _text(outcome.mistake.message)}
        SubElement(case, "error", said).text = _text(str(outcome.mistake))
    elif outcome.failure is not None:
        SubElement(case, "failure", {"type": "failure", "message": _text(outcome.failure)})
    elif outcome.difference is not None:
        first, *rest = difference_lines(outcome.difference)
        SubElement(case, "failure", {"type": "rows", "message": _text(first)}).text = _text("\n".join(rest))


def _figures(outcomes: Sequence[SqlTestOutcome]) -> dict[str, str]:
    errors = sum(outcome.mistake is not None for outcome in outcomes)
    failures = sum(not outcome.passed for outcome in outcomes) - errors
    seconds = sum(outcome.seconds for outcome in outcomes)
    figures = {"tests": len(outcomes), "failures": failures, "errors": errors}
    return {**{name: str(figure) for name, figure in figures.items()}, "time": f"{seconds:.3f}"}


def _text(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
