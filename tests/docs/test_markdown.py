"""Quick checks of the documentation: command lines parse, links resolve, references are complete and current."""

import ast
import functools
import re
from pathlib import Path

import pytest
import typer.main

# typer brings a click of its own.
from typer._click.core import Command
from typer._click.exceptions import MissingParameter, UsageError
from typer.core import TyperGroup

from dapflow.cli import command_line
from dapflow.review.transforms import review
from dapflow.rules import RULES
from dapflow.sql.refusals import CODES, NOT_SUPPORTED_HERE, REFUSED, WRONG_ARGUMENTS
from tests.docs import athena_language, cli_reference, key_reference, rule_pages
from tests.docs.markdown import ROOT, anchors, blocks, dapflow_commands, documents, links, prose, steps
from tests.project.writing import compile_files

PAGES = [pytest.param(file, id=str(file.relative_to(ROOT))) for file in documents()]
GUIDES = [
    "before-you-begin.md",
    "my-current-service-data.md",
    "my-data-history.md",
    "query-my-data.md",
    "prototype-a-table-join.md",
    "prototype-a-legacy-query.md",
    "commit-a-transform.md",
    "try-a-change.md",
    "what-a-branch-costs.md",
    "check-your-data.md",
    "test-your-sql.md",
    "change-or-remove-a-product.md",
    "undo-a-publication.md",
    "why-is-my-product-old.md",
    "run-a-past-day-again.md",
    "read-a-diff.md",
    "add-a-table-to-the-raw-zone.md",
    "a-column-changed.md",
    "read-tables-that-something-else-makes.md",
    "begin-a-service.md",
    "work-in-your-editor.md",
]


@pytest.mark.parametrize("file", PAGES)
def test_every_dapflow_command_line_is_one_that_the_program_takes(file: Path) -> None:
    for words in dapflow_commands(file):
        parse(program(), "dapflow", words)


@functools.cache
def program() -> Command:
    """The whole command line; it takes a tenth of a second to make."""
    return typer.main.get_command(command_line())


def parse(command: Command, name: str, words: list[str]) -> None:
    """Parse as the program does, down to the last command, without running anything."""
    if isinstance(command, TyperGroup):
        if not words:
            return
        inner = command.commands.get(words[0])
        assert inner is not None or words[0].startswith("-"), f"there is no command {name} {words[0]}"
        if inner is not None:
            parse(inner, f"{name} {words[0]}", words[1:])
    elif not {"--help", "-h"} & set(words):
        try:
            command.make_context(name, list(words))
        except UsageError as error:
            # An inline mention may leave the argument out; nothing else may be wrong with it.
            assert not words and isinstance(error, MissingParameter), f"{name} {words}: {error.format_message()}"


@pytest.mark.parametrize("file", PAGES)
def test_the_shell_leaves_the_sql_of_a_command_line_as_it_is(file: Path) -> None:
    for block in blocks(file):
        for step in steps(block) if block.language == "console" else []:
            if "dapflow query" in step.command:
                quoted = re.findall(r'"[^"]*"', re.sub(r"'[^']*'", "", step.command.partition("dapflow query")[2]))
                assert not any("$" in text or "`" in text for text in quoted), f"{block.place}: {step.command}"


@pytest.mark.parametrize("file", PAGES)
def test_every_link_resolves(file: Path) -> None:
    for target in links(file):
        path, _, fragment = target.partition("#")
        if re.match(r"[a-z]+:", path):
            assert path.startswith("https://"), target
            continue
        linked = (file.parent / path).resolve() if path else file
        assert linked.exists(), f"{file}: {target} is not there"
        if fragment:
            assert fragment in anchors(linked), f"{file}: {target}: {linked} has no such heading"


# The path of a file or, with its last stroke, of a folder of the repository, in backticks.
OUR_PATH = re.compile(r"`((?:dapflow|stacks|tests|docs)/[\w./-]+(?:\.py|\.md|\.json|/))`")


@pytest.mark.parametrize("file", [page for page in PAGES if page.id != "CHANGELOG.md"])
def test_every_file_of_ours_that_a_page_names_is_there(file: Path) -> None:
    assert not [path for path in OUR_PATH.findall(prose(file)) if not (ROOT / path).exists()]


@pytest.mark.parametrize("file", PAGES)
def test_blocks_that_are_run_hold_something_to_run(file: Path) -> None:
    for block in blocks(file):
        assert block.language, f"{block.place}: say what the block holds: console, sql, text, …"
        if block.language == "console":
            assert steps(block), f"{block.place}: no line begins with '$ '"


def test_every_page_can_be_reached_from_the_index() -> None:
    indexes = ROOT / "docs" / "README.md", rule_pages.FOLDER / "README.md"
    linked = {(file.parent / target.partition("#")[0]).resolve() for file in indexes for target in links(file)}
    # docs/readme.md does not list itself
    missing = [file for file in documents() if file.is_relative_to(ROOT / "docs") and file not in {*linked, indexes[0]}]
    assert not missing


def test_the_guides_are_there_in_the_order_in_which_they_are_read() -> None:
    index = ROOT / "docs" / "README.md"
    listed = [target.removeprefix("guides/") for target in links(index) if target.startswith("guides/")]
    assert listed == GUIDES
    assert sorted(file.name for file in (ROOT / "docs" / "guides").iterdir()) == sorted(GUIDES)


def test_the_command_reference_is_current() -> None:
    assert cli_reference.FILE.read_text(encoding="utf-8") == cli_reference.reference(), (
        "run python -m tests.docs.cli_reference"
    )


def test_what_the_embedded_athena_refuses_is_told_as_the_code_has_it() -> None:
    assert athena_language.section() in athena_language.FILE.read_text(encoding="utf-8"), (
        "run python -m tests.docs.athena_language"
    )


def test_every_command_is_shown_in_a_guide_or_the_readme() -> None:
    """A command that no text uses is a command that nobody finds."""
    pages = [file for file in documents() if file != cli_reference.FILE]
    shown = {" ".join(words) for file in pages for words in dapflow_commands(file)}
    for words in cli_reference.commands():
        assert any(line == words or line.startswith(f"{words} ") for line in shown), f"dapflow {words} is shown nowhere"


def error_codes() -> dict[str, str]:
    """Every code of a DapflowError in the source, and where it is raised."""
    bases: list[tuple[str, set[str]]] = []
    raised: list[tuple[str, str, str]] = []
    for file in (ROOT / "dapflow").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases.append((node.name, {ast.unparse(base) for base in node.bases}))
            elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                code = str(node.args[0].value)
                if re.fullmatch(r"[a-z]+(-[a-z]+)*", code):
                    called = ast.unparse(node.func).rpartition(".")[2]
                    raised.append((called, code, f"{file.relative_to(ROOT)}:{node.lineno}"))
    classes = {"DapflowError", "Trap"}
    for _ in range(3):  # as deep as anyone subclasses
        classes |= {name for name, above in bases if classes & above}
    codes = dict.fromkeys([*CODES.values(), REFUSED, WRONG_ARGUMENTS, NOT_SUPPORTED_HERE], "dapflow/sql/refusals.py")
    codes |= {code: place for called, code, place in raised if called in {*classes, "Mistake", "error", "_add", "kind"}}
    return codes


def test_the_example_of_a_product_is_one_that_is_taken(tmp_path: Path) -> None:
    [example] = [block.text for block in blocks(key_reference.PRODUCTS) if block.language == "yaml"]
    files: dict[str, str | bytes] = {
        "housing/service.yml": "sources: {repairs: {columns: {cost: double}}, wards: {columns: {ward: string}}}",
        "housing/refined/repair_costs.sql": "SELECT r.cost FROM repairs r, wards w",
        "housing/refined/repair_costs.yml": example,
    }
    made = compile_files(tmp_path, files).datasets["housing.refined.repair_costs"]
    assert (made.description, made.columns) == ("What repairs cost, by ward.", None)
    assert made.transform is not None
    assert made.transform.comments == {"cost": "Pounds, without VAT."}
    assert made.transform.tags == ("repairs", "costs")
    assert made.transform.slower_inputs == ("housing.raw.wards",)
    assert made.transform.allow_empty


def test_the_example_of_checks_is_one_that_is_taken(tmp_path: Path) -> None:
    [example] = [block.text for block in blocks(key_reference.CHECKS) if block.language == "yaml"]
    files: dict[str, str | bytes] = {
        "housing/service.yml": "sources: {repairs: {columns: {ward: string, day: date, cost: double, status: string}}, "
        "wards: {columns: {code: string}}}",
        "housing/refined/repair_costs.sql": "SELECT ward, day, cost, status FROM repairs",
        "housing/refined/repair_costs.yml": example,
        "housing/checks/no_repair_twice.sql": "SELECT day FROM housing_refined_zone.repair_costs GROUP BY day",
    }
    manifest = compile_files(tmp_path, files)
    made = manifest.datasets["housing.refined.repair_costs"]
    kinds = ["unique", "not_null", "not_null", "range", "relationships", "row_count", "sql"]
    assert sorted(check.kind for check in made.checks) == sorted(kinds)
    assert [finding for finding in review(manifest) if finding.severity == "error"] == []


def test_every_error_code_is_explained() -> None:
    text = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE))
    codes = error_codes()
    assert len(codes) > 20, "the codes are still found"
    assert not explained & RULES.keys(), "a rule has a page of its own"
    explained |= RULES.keys()
    assert not {code: place for code, place in codes.items() if code not in explained}
    assert not explained - codes.keys(), "explained, but raised nowhere"


@pytest.mark.parametrize("file", rule_pages.files(), ids=lambda file: file.name)
def test_the_page_of_a_rule_is_current(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == rule_pages.files()[file], "python -m tests.docs.rule_pages writes it"


def test_no_page_is_of_a_rule_that_is_gone() -> None:
    assert set(rule_pages.FOLDER.iterdir()) == rule_pages.files().keys()
