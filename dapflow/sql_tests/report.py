"""What came of tests, in words: at most 80 characters a line, however long the values are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dapflow.sql_tests.outcome import RowDifference, RowPair, SqlTestOutcome

_WIDTH = 80
#: So many rows of a kind are shown.
_MOST_ROWS = 10
_ELLIPSIS = "…"


def difference_lines(difference: RowDifference) -> list[str]:
    """How rows differ, line by line."""
    came = difference.expected - len(difference.missing) - len(difference.pairs)
    lines = [f"{_rows(difference.expected)} expected, {difference.came} came, {came} of them as expected"]
    for pair in difference.pairs[:_MOST_ROWS]:
        lines += _pair(pair)
    lines += _more(len(difference.pairs), "differ")
    for number, row in difference.missing[:_MOST_ROWS]:
        lines.append(_cut(f"row {number} did not come: {_row(row)}", _WIDTH - 2))
    lines += _more(len(difference.missing), "did not come")
    for row in difference.unexpected[:_MOST_ROWS]:
        lines.append(_cut(f"not expected: {_row(row)}", _WIDTH - 2))
    lines += _more(len(difference.unexpected), "were not expected")
    return lines


def summary(outcomes: Sequence[SqlTestOutcome], seconds: float) -> str:
    """A line on all tests."""
    return f"{passed_tests(outcomes)} in {seconds:.1f} s"


def passed_tests(outcomes: Sequence[SqlTestOutcome]) -> str:
    """How many tests passed or failed, in words."""
    failed = sum(not outcome.passed for outcome in outcomes)
    of = f"of {_counted(len({outcome.dataset for outcome in outcomes}), 'transform')}"
    tests = _counted(len(outcomes), "test")
    return f"{failed} of {tests} failed, {of}" if failed else f"{tests} passed, {of}"


def _pair(pair: RowPair) -> Iterator[str]:
    same = {name: text for name, text in pair.expected.items() if name not in pair.differing}
    where = f", {_row(same)}" if same else ""
    yield _cut(f"row {pair.number}{where}", _WIDTH - 2)
    for name in pair.differing:
        expected, came = _beside(pair.expected[name], pair.came[name], _WIDTH - 15)
        short = f"  {name}: expected {expected}, came {came}"
        if len(short) <= _WIDTH - 2:
            yield short
            continue
        yield _cut(f"  {name}", _WIDTH - 2)
        yield f"    expected {expected}"
        yield f"    came     {came}"


def _beside(first: str, second: str, width: int) -> tuple[str, str]:
    """Two texts that differ, each shortened so that the place where they do can be seen."""
    if max(len(first), len(second)) <= width:
        return _line(first), _line(second)
    common = next(
        (i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )
    start = max(0, common - width // 3)
    before = _ELLIPSIS if start else ""
    return _cut(before + _line(first[start:]), width), _cut(before + _line(second[start:]), width)


def _row(row: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {text}" for name, text in row.items())


def _cut(text: str, width: int) -> str:
    line = _line(text)
    return line if len(line) <= width else f"{line[: width - 1]}{_ELLIPSIS}"


def _line(text: str) -> str:
    """A text in one line: what cannot be seen is written as Python does."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def _more(rows: int, what: str) -> list[str]:
    more = rows - _MOST_ROWS
    return [f"{_ELLIPSIS} and {more} more rows {what}"] if more > 0 else []


def _rows(number: int) -> str:
    return "one row" if number == 1 else f"{number or 'no'} rows"


def _counted(number: int, noun: str) -> str:
    return f"one {noun}" if number == 1 else f"{number or 'no'} {noun}s"
