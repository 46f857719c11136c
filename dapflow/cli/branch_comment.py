"""The comment on a pull request: what a branch builds and breaks, what is wrong with it, what its tests say,
what it does to the data, and what it costs.

One page, which is posted once and then replaced. Its first line is hidden, and says which of the comments it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from dapflow.cli import branch_diff_report, branch_plan
from dapflow.cli.check import checked, outcome
from dapflow.cli.failure import each_error
from dapflow.cli.markdown import escaped
from dapflow.cli.test import run_tests
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from pathlib import Path

    from dapflow.differences.branch import BranchDifference

MARKER = "<!-- dapflow branch -->"
# GitHub takes 65,536 characters. As bytes they are at least as many, and Linux hands no program a variable of twice
# that: https://man7.org/linux/man-pages/man2/execve.2.html
MOST_BYTES = 65_536
_CUT = (
    "\n*The rest is left out: a comment holds no more. `dapflow branch plan` and `dapflow branch diff` say all of it.*"
)


def comment(root: Path, branch: str, against: str | None, compare: Callable[[], BranchDifference]) -> str:
    """The page. What of it cannot be made says why, so that no comment of before is left to stand for it."""
    lines = [MARKER, f"## {escaped(branch)}", "", *_plan(root, against), "", *_check(root), "", *_tests(root)]
    return shortened([*lines, "", *_difference(compare)])


def shortened(lines: Sequence[str]) -> str:
    """Lines as one text, of which as many are left out at the end as are too many for a comment."""
    text = "\n".join(lines) + "\n"
    if len(text.encode()) <= MOST_BYTES:
        return text
    # What is folded away has to be closed, or the last sentence would be folded away too.
    closed = "\n</details>\n"
    room, kept = MOST_BYTES - len((closed + _CUT).encode()) - 1, list[str]()
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
    opened = sum(line.startswith("<details>") - (line == "</details>") for line in kept)
    return "\n".join(kept) + (closed if opened else "\n") + _CUT + "\n"


def _plan(root: Path, against: str | None) -> Iterator[str]:
    try:
        base, planned = branch_plan.planned_in(root, against)
    except DapflowError as error:
        # Mistakes of the project are told below.
        said = error.message if error.code == "no-base" else "nothing is planned before the mistakes below are mended"
        yield from ("### What the branch builds", "", f"Not known: {escaped(said)}.")
        return
    yield from branch_plan.markdown_lines(planned, base)
    if breaking := list(branch_plan.breaking_lines(planned, base.manifest)):
        yield from ("", "### What breaks those who read it", "", *(f"- {escaped(line)}" for line in breaking))


def _check(root: Path) -> Iterator[str]:
    """What ``dapflow check`` finds; the mistakes first."""
    manifest, findings, changed = checked(root)
    failures = [finding for finding in findings if finding.severity == "error"]
    warnings = [finding for finding in findings if finding.severity == "warning"]
    yield from ("### What `dapflow check` finds", "")
    for finding in [*failures, *warnings]:
        yield f"- {_said(finding)}"
    for column in changed:
        yield f"- {escaped(str(column))}"
    if not failures:
        yield from (("", escaped(outcome(manifest, len(warnings)))) if findings or changed else (outcome(manifest, 0),))


def _tests(root: Path) -> Iterator[str]:
    """What came of the tests of SQL, and how much of the project they reach."""
    from dapflow.sql_tests.coverage import reached_parts, tested_transforms  # noqa: PLC0415 (these bring DuckDB)
    from dapflow.sql_tests.report import difference_lines, passed_tests  # noqa: PLC0415

    yield from ("### What `dapflow test` says", "")
    try:
        run = run_tests(root, None, coverage=True)
    except DapflowError:
        yield "Nothing is tested before the mistakes above are mended."
        return
    yield from (f"- {_said(error)}" for error in run.errors)
    for failed in (tested for tested in run.outcomes if not tested.passed):
        yield f"- **{escaped(f'{failed.file}:{failed.line}')}** {escaped(failed.name)} failed"
        lines = [failed.failure] if failed.failure is not None else []
        lines += difference_lines(failed.difference) if failed.difference is not None else []
        yield from (f"  - {escaped(line.strip())}" for line in lines)
        if failed.mistake is not None:
            yield f"  - {_said(failed.mistake)}"
    covered = run.coverage or ()
    said = (passed_tests(run.outcomes), tested_transforms(covered), reached_parts(covered))
    yield from (*([""] if not run.passed else ()), escaped(" ".join(map(branch_plan.sentence, said))))


def _difference(compare: Callable[[], BranchDifference]) -> Iterator[str]:
    try:
        yield from branch_diff_report.markdown_lines(compare())
    except DapflowError as error:
        yield from ("### What differs in data", "", "Nothing was compared.", "")
        yield from (f"- {_said(single)}" for single in each_error(error))


def _said(finding: DapflowError) -> str:
    """One mistake, on one line."""
    place = f"**{escaped(finding.place)}** " if finding.place else ""
    hint = f". {escaped(finding.hint)}" if finding.hint else ""
    warning = "warning: " if finding.severity == "warning" else ""
    return f"{place}{warning}{escaped(finding.message)} {escaped(f'[{finding.code}]')}{hint}"
