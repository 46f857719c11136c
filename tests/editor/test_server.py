"""The language server, as an editor speaks with it: over the protocol, by the client of pygls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from dapflow.rules import RULES
from tests.cli.in_process import dapflow
from tests.editor.editors import Editor
from tests.project.writing import SERVICE, write_project

FILES: dict[str, str | bytes] = {
    "air/refined/delays.sql": "SELECT year, carrier FROM flights\n",
    "air/refined/late.sql": "SELECT d.year, d.carrier FROM air_refined_zone.delays d\n",
    "air/refined/work.sql": "SELECT 1 AS one\n",
    "water/service.yml": "title: Water\nreads: [air.refined]\n",
    "water/refined/rain.sql": "SELECT year FROM air_refined_zone.delays\n",
}
WORK = "air/refined/work.sql"


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    service = SERVICE + "owner: air@example.org\ngrants: {water: [refined]}\n"
    root = write_project(tmp_path_factory.mktemp("a project"), {**FILES, "air/service.yml": service})
    editor = Editor(root.resolve())
    editor.start()
    yield editor
    assert editor.stop() == 0


def names(shown: Sequence[types.Diagnostic]) -> list[str]:
    """The rules of diagnostics, by their numbers."""
    by_number = {rule.id: rule.code for rule in RULES.values()}
    return [by_number[str(diagnostic.code)] for diagnostic in shown]


def at(text: str, mark: str) -> tuple[int, int]:
    """The place of the first character of a mark."""
    before = text[: text.index(mark)]
    return before.count("\n"), len(before) - before.rfind("\n") - 1


def labels(editor: Editor, text: str) -> list[str]:
    """What completes a text at the `|` in it."""
    before = text[: text.index("|")]
    editor.open(WORK, text.replace("|", ""))
    place = before.count("\n"), len(before) - before.rfind("\n") - 1
    items = editor.ask("text_document_completion", types.CompletionParams, WORK, place)
    return [item.label for item in sorted(items, key=lambda item: item.sort_text)]


def test_what_is_typed_is_found_as_check_finds_it(editor: Editor) -> None:
    wrong = "-- 🚲\nSELECT /* 🚲 */ yeer, year / 2 AS half FROM flights WHERE carrier = NULL\n"
    shown = editor.open(WORK, wrong)
    file = editor.root / "transforms" / WORK
    before = file.read_bytes()
    file.write_text(wrong, encoding="utf-8")
    checked = dapflow("check", cwd=editor.root).stderr
    file.write_bytes(before)
    assert names(shown) == ["unknown-column", "integer-division", "null-comparison"]
    assert all(
        f"[{diagnostic.code} " in checked and diagnostic.message.partition("\n")[0] in checked for diagnostic in shown
    )
    assert [diagnostic.code_description for diagnostic in shown] == [None] * 3
    # A place counts in units of UTF-16, of which the wheel takes two.
    assert (shown[0].range.start, shown[0].range.end) == (types.Position(1, 16), types.Position(1, 20))
    assert editor.type(WORK, wrong.replace("yeer", "year").replace("year / 2", "2").replace("= NULL", "IS NULL")) == []


def test_a_mistake_in_yaml_is_shown_where_it_is_typed(editor: Editor) -> None:
    name = "water/service.yml"
    uri = editor.uri(name)
    editor.client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "yaml", 1, "title: Water\nreeds: [air.refined]\n"))
    )
    editor.wait(lambda: uri in editor.shown and bool(editor.shown[uri].diagnostics))
    [diagnostic] = [each for each in editor.shown[uri].diagnostics if each.range.start.line == 1]
    assert names([diagnostic]) == ["unknown-key"]
    rain = editor.uri("water/refined/rain.sql")
    editor.wait(lambda: rain in editor.shown and bool(editor.shown[rain].diagnostics))
    assert names(editor.shown[rain].diagnostics) == ["not-granted"]
    editor.client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))
    editor.wait(lambda: not editor.shown[uri].diagnostics and not editor.shown[rain].diagnostics)


def test_a_saved_file_changes_what_its_readers_are_told(editor: Editor) -> None:
    late = editor.uri("air/refined/late.sql")
    file = editor.root / "transforms/air/refined/delays.sql"
    changed = types.DidChangeWatchedFilesParams([types.FileEvent(file.as_uri(), types.FileChangeType.Changed)])
    before = file.read_text()
    file.write_text("SELECT year FROM flights\n")
    editor.client.workspace_did_change_watched_files(changed)
    editor.wait(lambda: late in editor.shown and bool(editor.shown[late].diagnostics))
    assert names(editor.shown[late].diagnostics) == ["unknown-column"]
    file.unlink()
    editor.client.workspace_did_change_watched_files(changed)
    editor.wait(lambda: names(editor.shown[late].diagnostics) == ["unknown-table"])
    file.write_text(before)
    editor.client.workspace_did_change_watched_files(changed)
    editor.wait(lambda: not editor.shown[late].diagnostics)


def test_what_is_typed_in_one_file_shows_in_another_one_unsaved(editor: Editor) -> None:
    delays, late = "air/refined/delays.sql", "air/refined/late.sql"
    before = str(FILES[delays])
    editor.open(delays, before)
    assert editor.open(late, "SELECT d.year, d.tail FROM air_refined_zone.delays d\n")
    assert editor.type(delays, before.replace("carrier", "carrier AS tail")) == []
    editor.wait(lambda: not editor.shown[editor.uri(late)].diagnostics)
    # Half a word is no mistake of those who read the file.
    assert names(editor.type(delays, "SELEC")) == ["sql-syntax"]
    editor.change(late, str(FILES[late]))
    editor.wait(lambda: not editor.shown[editor.uri(late)].diagnostics)
    editor.type(delays, before.replace(", carrier", ""))
    editor.wait(lambda: names(editor.shown[editor.uri(late)].diagnostics) == ["unknown-column"])
    for name in (delays, late):
        editor.close(name)
    editor.wait(lambda: not editor.shown[editor.uri(late)].diagnostics)


def test_a_rule_leads_to_its_page_where_the_repository_has_it(editor: Editor) -> None:
    page = editor.root / "docs" / "reference" / "rules" / "DAP011.md"
    page.parent.mkdir(parents=True)
    page.write_text("# DAP011\n")
    [shown] = editor.open(WORK, "SELECT yeer FROM flights\n")
    assert shown.code_description == types.CodeDescription(page.as_uri())
    page.unlink()


def test_signatures_are_those_of_the_function_around_the_place(editor: Editor) -> None:
    def shown(text: str) -> tuple[str, str] | None:
        before = text[: text.index("|")]
        editor.open(WORK, text.replace("|", ""))
        said = editor.ask("text_document_signature_help", types.SignatureHelpParams, WORK, (0, len(before)))
        if said is None:
            return None
        signature = said.signatures[said.active_signature]
        start, end = signature.parameters[said.active_parameter].label
        return signature.label, signature.label[start:end]

    assert shown("SELECT date_diff('day', |) FROM flights") == ("date_diff(varchar(u), date, date) -> bigint", "date")
    assert shown("SELECT lag(year, 1, (2 + |") == ("lag(T, bigint, T) -> T", "T")
    assert shown("SELECT concat(lower(carrier), 'a(', ',', |)") == (
        "concat(varchar, varchar...) -> varchar",
        "varchar...",
    )
    assert shown("SELECT (year, | FROM flights") is shown("SELECT year IN (|") is shown("SELECT nothing(|") is None


def test_completion_knows_tables_columns_and_functions(editor: Editor) -> None:
    assert labels(editor, "SELECT year FROM fl|")[:4] == [
        "airlines",
        "airlines_history",
        "airports",
        "airports_history",
    ]
    assert "air_refined_zone" in labels(editor, "SELECT a FROM |")
    assert labels(editor, "SELECT a FROM air_refined_zone.|")[:2] == ["delays", "delays_history"]
    assert labels(editor, "SELECT f.| FROM flights f")[:2] == ["year", "carrier"]
    assert labels(editor, "SELECT f.year, FROM flights f, airlines a WHERE a.|")[:2] == ["carrier", "name"]
    assert labels(editor, "SELECT | FROM flights AS f JOIN airlines")[:2] == ["year", "carrier"]
    columns = labels(editor, "WITH w AS (SELECT year + 1 AS next FROM flights), v AS (SELECT ) SELECT x.| FROM w x")
    assert columns == ["next"]
    assert labels(editor, "WITH w AS (SELECT 1 AS a) SELECT a FROM |")[0] == "w"
    assert labels(editor, "SELECT a FROM (SELECT year AS y FROM flights) s WHERE s.|") == ["y"]
    functions = labels(editor, "SELECT date_| FROM flights")
    assert {"date_diff", "SELECT", "coalesce"} <= set(functions)
    assert (
        labels(editor, "SELECT 'a|' FROM flights") == labels(editor, "SELECT 1 -- a|") == labels(editor, "/* |") == []
    )


def test_hover_says_what_stands_there(editor: Editor) -> None:
    text = (
        "WITH w AS (SELECT year + 1 AS next FROM flights)\nSELECT x.next * 2 AS twice, date_trunc('year', now()) AS t\n"
        "FROM w x\nJOIN air_refined_zone.delays d ON d.year = x.next\n"
    )
    editor.open(WORK, text)

    def hover(mark: str) -> str:
        said: Any = editor.ask("text_document_hover", types.HoverParams, WORK, at(text, mark))
        return str(said.contents.value)

    assert "`integer`" in hover("next *")
    assert "date_trunc(" in hover("date_trunc")
    table = hover("delays")
    assert "**air.refined.delays** the newest generation" in table
    assert "Owner: Air, air@example.org" in table
    assert "| `carrier` | `varchar` |" in table
    assert "| `import_date` | `varchar` |" in table
    assert "| `next` | `integer` |" in hover("x.next")


def test_definitions_and_references_lead_through_the_project(editor: Editor) -> None:
    text = (
        "WITH w AS (SELECT year FROM flights)\nSELECT w.year FROM w JOIN air_refined_zone.delays d ON d.year = w.year\n"
    )
    editor.open(WORK, text)

    def definition(mark: str) -> types.Location:
        found: types.Location = editor.ask("text_document_definition", types.DefinitionParams, WORK, at(text, mark))
        return found

    assert definition("flights").uri == editor.uri("air/service.yml")
    assert definition("flights").range.start.line == 1
    assert definition("delays d").uri == editor.uri("air/refined/delays.sql")
    assert definition("w.year F").range.start == types.Position(0, 5)
    assert definition("d.year").range.start == types.Position(*at(text, "d ON"))
    context = types.ReferenceContext(include_declaration=True)
    found = editor.ask("text_document_references", types.ReferenceParams, WORK, at(text, "delays d"), context=context)
    readers = {"air/refined/late.sql", "water/refined/rain.sql"}
    assert readers <= {name for name in FILES for place in found if place.uri == editor.uri(name)}


def test_a_name_is_given_another_one_where_that_is_safe(editor: Editor) -> None:
    text = (
        "WITH w AS (SELECT f.year FROM flights f), v AS (SELECT f.name FROM airlines f)\r\n"
        "SELECT w.year, v.name FROM w CROSS JOIN v\r\n"
    )
    editor.open(WORK, text)

    def renamed(mark: str, name: str) -> str:
        change = editor.ask("text_document_rename", types.RenameParams, WORK, at(text, mark), new_name=name)
        lines = text.split("\r\n")
        for edit in reversed(change.changes[editor.uri(WORK)]):
            line = lines[edit.range.start.line]
            lines[edit.range.start.line] = (
                line[: edit.range.start.character] + edit.new_text + line[edit.range.end.character :]
            )
        return "\r\n".join(lines)

    assert renamed("w.year", "flown") == (
        text.replace("WITH w", "WITH flown").replace("w.year", "flown.year").replace("FROM w ", "FROM flown ")
    )
    assert renamed("f)", "x") == text.replace("f.year FROM flights f", "x.year FROM flights x")
    assert renamed("w.year", "order").startswith('WITH "order" AS')
    for name, why in [("v", "has the name 'v' already"), ("flights", "has the name"), ("", "at least one character")]:
        with pytest.raises(JsonRpcException, match=why):
            renamed("w.year", name)


def test_formatting_is_that_of_the_command(editor: Editor) -> None:
    editor.open(WORK, "select a,b\r\nfrom t")
    document = types.TextDocumentIdentifier(editor.uri(WORK))
    options = types.FormattingOptions(tab_size=2, insert_spaces=True)
    [edit] = editor.request("text_document_formatting", types.DocumentFormattingParams(document, options))
    assert (edit.new_text, edit.range.end) == ("SELECT a, b\r\nFROM t\r\n", types.Position(1, 6))
    editor.type(WORK, "select {{ a }}")
    assert not editor.request("text_document_formatting", types.DocumentFormattingParams(document, options))
    assert editor.messages[-1].startswith("transforms/air/refined/work.sql:1:8: ")


def test_what_can_be_mended_is_mended_by_a_quick_fix(editor: Editor) -> None:
    text = "-- 🚲\nSELECT\u00a0year FROM flights\n"
    [shown] = editor.open(WORK, text)
    document = types.TextDocumentIdentifier(editor.uri(WORK))
    context = types.CodeActionContext([shown])
    [action] = editor.request("text_document_code_action", types.CodeActionParams(document, shown.range, context))
    [edit] = action.edit.changes[editor.uri(WORK)]
    line = text.split("\n")[1]
    mended = line[: edit.range.start.character] + edit.new_text + line[edit.range.end.character :]
    assert (edit.range.start.line, mended) == (1, "SELECT year FROM flights")


def test_nothing_that_is_typed_ends_the_server(editor: Editor) -> None:
    texts = [
        "",
        "\0\ufeff\ud7ff",
        "select",
        "SELECT 'a",
        'SELECT "',
        "WITH a AS (",
        "SELECT a FROM (((",
        "`" * 50,
        "{{ ref('x') }}",
        "SELECT " + "(" * 3_000,
        "SELECT " + "a," * 10_000,
        "x" * 2_000_000,
        "/*",
        "SELECT 1; DROP TABLE t",
        "FROM , JOIN . ON",
        "SELECT f. FROM flights f WHERE f.",
        "\u2028\x0b\r\r\n\n🚲",
        "SELECT * FROM flights_history f, f",
    ]
    for text in texts:
        editor.garble()
        editor.open(WORK, text)
        place = (0, min(len(text), 8))
        for question, kind in (
            ("text_document_completion", types.CompletionParams),
            ("text_document_hover", types.HoverParams),
            ("text_document_definition", types.DefinitionParams),
            ("text_document_prepare_rename", types.PrepareRenameParams),
        ):
            editor.ask(question, kind, WORK, place)
            editor.ask(question, kind, "air/refined/nothing.sql", (5, 5))
    assert editor.type(WORK, "SELECT year FROM flights\n") == []


def test_only_the_last_text_counts_when_keys_come_fast(editor: Editor) -> None:
    editor.open(WORK, "SELECT 1 AS a")
    for end in range(1, 30):
        editor.change(WORK, "SELECT year FROM flights"[:end])
    assert names(editor.type(WORK, "SELECT yeer FROM flights")) == ["unknown-column"]
    assert editor.type(WORK, "SELECT year FROM flights") == []
