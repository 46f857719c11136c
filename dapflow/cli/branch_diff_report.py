"""What a branch has changed in data, for people: one table of all products, then each that differs."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator

from dapflow.cli import diff_report
from dapflow.cli.markdown import escaped, table
from dapflow.cli.result_table import Heading, about_usd, print_rows, size_text
from dapflow.differences.branch import BranchDifference, ComparedProduct, State

_STATES: dict[State, str] = {
    "differs": "differs",
    "same": "the same",
    "new": "new",
    "not built": "not built yet",
    "failed": "not compared",
}
# Behind the number of products that it is said of: of one, and of several.
_COUNTED: dict[State, tuple[str, str]] = {
    "differs": ("differs", "differ"),
    "same": ("is the same", "are the same"),
    "new": ("is new", "are new"),
    "not built": ("is not built yet", "are not built yet"),
    "failed": ("was not compared", "were not compared"),
}


def print_text(compared: BranchDifference) -> None:
    """Print the table and what differs on standard output."""
    print(_title(compared))
    if compared.products:
        print_rows(_headings(compared), _rows(compared))
    for line in _notes(compared):
        print(line)
    for product in compared.products:
        if product.difference is not None and not product.difference.same:
            print()
            diff_report.print_text(product.difference)


def markdown_lines(compared: BranchDifference) -> Iterator[str]:
    """The same as lines of Markdown. What differs in a product is folded away below its name."""
    yield f"### {escaped(_title(compared))}"
    if compared.products:
        yield from ("", *table(_headings(compared), list(_rows(compared))))
    for line in _notes(compared):
        yield from ("", escaped(line))
    yield from ("", escaped(read_by(compared)))
    for product in compared.products:
        if product.difference is not None and not product.difference.same:
            yield from ("", f"<details><summary>{html.escape(product.product.dataset)}</summary>", "")
            yield from diff_report.markdown_lines(product.difference)
            yield from ("", "</details>")


def read_by(compared: BranchDifference) -> str:
    """What building has read, and cost, here and in the base, and comparing."""
    (built, build_usd), (before, before_usd) = compared.build, compared.build_before
    read, usd = compared.comparing
    return (
        f"building read {size_text(built)}, {about_usd(build_usd)} on AWS; "
        f"in {compared.base} it read {size_text(before)}, {about_usd(before_usd)}; "
        f"comparing read {size_text(read)}, {about_usd(usd)}"
    )


def _title(compared: BranchDifference) -> str:
    return f"{compared.branch}, compared with {compared.base}"


def _headings(compared: BranchDifference) -> list[Heading]:
    words = [Heading("product", whole=True), Heading("generation", whole=True), Heading("data", whole=True)]
    counted = (f"rows in {compared.base}", "here", "only here", "gone", "changed", "other columns")
    read = (f"read to build in {compared.base}", "here")
    return [*words, *(Heading(name, number=True) for name in (*counted, *read))]


def _rows(compared: BranchDifference) -> Iterator[list[str]]:
    for product in compared.products:
        looked_at = product.product
        before = "" if looked_at.bytes_before is None else size_text(looked_at.bytes_before)
        read = size_text(looked_at.bytes_scanned) if looked_at.generation else ""
        marks = [mark for mark, is_so in (("outdated", looked_at.outdated), ("limited", looked_at.limits)) if is_so]
        state = _STATES[product.state] + (f" ({', '.join(marks)})" if marks else "")
        yield [looked_at.dataset, str(looked_at.generation or ""), state, *_counts(product), before, read]


def _counts(product: ComparedProduct) -> list[str]:
    difference = product.difference
    if difference is None:
        return [""] * 6
    changed = "" if difference.changed is None else f"{difference.changed:,}"
    counts = (difference.rows_there, difference.rows_here, difference.only_here, difference.only_there)
    return [*(f"{count:,}" for count in counts), changed, f"{len(difference.changes):,}"]


def _notes(compared: BranchDifference) -> Iterator[str]:
    """What has to be said beside the table."""
    yield from (f"{line[0].upper()}{line[1:]}." for line in compared.behind)
    builder = compared.builder
    sentence = f"{builder[0].upper()}{builder[1:]}" if builder.startswith("the ") else builder
    for product in compared.products:
        if product.error is not None:
            hint = f"; {product.error.hint}" if product.error.hint else ""
            yield f"{product.product.dataset}: {product.error.message} [{product.error.code}]{hint}."
    if any(product.product.outdated for product in compared.products):
        yield f"Outdated is what was built of another text or other inputs than now: {builder} builds it again."
    if limited := [product.product for product in compared.products if product.product.limits]:
        limits = ", ".join(sorted({limit for product in limited for limit in product.limits}))
        yield (
            f"Limited is what was built of a part of its inputs ({limits}): the rest of its rows counts as gone. "
            f"{sentence} without --since and --sample builds it whole."
        )
    if missing := [product.product.dataset for product in compared.products if product.state == "not built"]:
        yield f"Not built yet: {', '.join(missing)}. {sentence} builds what is missing."
    counted = Counter(product.state for product in compared.products)
    if not counted:
        yield f"{compared.branch} changes no product."
        return
    total = counted.total()
    said = [(counted[state], _COUNTED[state][counted[state] > 1]) for state in _STATES if counted[state]]
    products = f"{total} product{'' if total == 1 else 's'}"
    if len(said) == 1:
        yield f"{products} {said[0][1]}."
    else:
        yield f"{products}: {', '.join(f'{count} {words}' for count, words in said)}."
