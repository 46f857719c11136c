"""Write docs/reference/rules/ from the rules themselves: ``python -m tests.docs.rule_pages``."""

from __future__ import annotations

from pathlib import Path

from dapflow.rules import GROUPS, PRODUCT, Files, Rule, files_of
from tests.docs.markdown import ROOT

FOLDER = ROOT / "docs" / "reference" / "rules"
_HEAD = """# Rules

Generated from the rules by `python -m tests.docs.rule_pages`; a test fails when it is not current.

What `dapflow check` finds and `dapflow query` says of its statement: each with a number, a name, the line with a caret,
and what to do. An **error** is what cannot be published: Athena refuses it, or the platform does.
A **warning** is of what Athena takes; `dapflow check --strict` ends with status 1 for those too.

`dapflow check --fix` mends what there is no doubt about: characters that only look like others, backquotes, names with
hyphens, functions and types that Athena has by another name. Every other byte stays.
`dapflow check --json`, `--sarif` and `--github` are for machines: editors, code scanning, annotations of pull requests.

A warning that is meant is silenced in the text, by the rule's number or name and a reason:

```sql
SELECT
    id,
    hours / 8 AS whole_days -- dapflow: ignore DAP203 begun days do not count
FROM repairs
```

A comment is about its own line; alone in its line, about the next; before everything else, about the whole file. An
error cannot be silenced.
"""
_TOO_LONG = 2_000


def files() -> dict[Path, str]:
    """All pages, with what they should hold."""
    pages = {FOLDER / "README.md": _HEAD + "".join(_table(name, rules) for name, rules in GROUPS.items())}
    return pages | {FOLDER / f"{rule.id}.md": _page(rule) for rules in GROUPS.values() for rule in rules}


def _table(name: str, rules: tuple[Rule, ...]) -> str:
    rows = [f"| [{rule.id}]({rule.id}.md) | `{rule.code}` | {rule.severity} | {rule.meaning} |" for rule in rules]
    return "\n".join(["", f"## {name}", "", "| rule | name | | meaning |", "| --- | --- | --- | --- |", *rows, ""])


def _page(rule: Rule) -> str:
    meaning = rule.meaning[0].upper() + rule.meaning[1:]
    text = f"# {rule.id} {rule.code}\n\n{meaning}. It is {'an error' if rule.severity == 'error' else 'a warning'}.\n"
    text += f"\n{rule.advice}\n"
    for title, example in (("Wrong", rule.wrong), ("Right", rule.right)):
        if example:
            text += f"\n## {title}\n{_shown(files_of(example))}"
    return text


def _shown(example: Files) -> str:
    return "".join(_file(name, text) for name, text in example.items() if text is not None)


def _file(name: str, text: str) -> str:
    kind = {"sql": "sql", "yml": "yaml", "toml": "toml"}.get(name.rpartition(".")[2], "text")
    heading = "" if name == PRODUCT else f"\n`{name}`:\n"
    shown = text if len(text) <= _TOO_LONG else f"{text[:60]}…"
    return f"{heading}\n```{kind}\n{shown.encode(errors='replace').decode().rstrip()}\n```\n"


def write() -> None:
    """Write the pages, and take those away that are of no rule."""
    pages = files()
    FOLDER.mkdir(exist_ok=True)
    for file in FOLDER.iterdir():
        if file not in pages:
            file.unlink()
    for file, text in pages.items():
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
