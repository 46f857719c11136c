"""Write what is made of the keys of service.yml, products and tests: ``python -m tests.docs.key_reference``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from dapflow.project.check_terms import CheckTerms, ProductCheckTerms
from dapflow.project.product_terms import ProductTerms
from dapflow.project.schema import Key, Kind, KnownKey, ListOf, MappingOf, OneOf, Section, SectionOf, keys_of
from dapflow.project.service_terms import ExternalTerms, ServiceTerms, SourceTerms
from dapflow.project.sql_test_terms import SqlTestFileTerms
from tests.docs.json_schema import json_schema
from tests.docs.markdown import ROOT

_REFERENCE = ROOT / "docs" / "reference"
PRODUCTS = _REFERENCE / "products.md"
CHECKS = _REFERENCE / "checks.md"
TESTS = _REFERENCE / "tests.md"
SERVICE_HEAD = """# service.yml

Generated from the keys that the program reads, by `python -m tests.docs.key_reference`; a test fails when it is not
current.

What may stand in `transforms/<service>/service.yml`. No key is needed, but for the type of a column; the file may be
empty. `dapflow check` refuses any other key, at its line and column. The files of the example:
[air_traffic](../../transforms/air_traffic/service.yml), [weather](../../transforms/weather/service.yml).

## In an editor

VS Code with the extension [YAML](https://marketplace.visualstudio.com/items?itemName=redhat.vscode-yaml) completes
keys, shows their meaning and underlines most mistakes as you type, in `service.yml` and in the `.yml` of products. Open
the folder of the repository: its `.vscode/settings.json` names the files for that,
[service.json](schemas/service.json), [product.json](schemas/product.json) and [tests.json](schemas/tests.json), and
nothing is fetched from elsewhere.
They are JSON Schema; another editor that runs yaml-language-server takes the same `yaml.schemas`. What needs more than
a look at one value, such as a time zone or a table of another service, `dapflow check` finds.

Write the key `null` in quotes, `"null": '\\N'`: in YAML the bare word is no text. `dapflow` takes both, the extension
looks at no file in which it stands bare.
"""
_TABLES: dict[type[Section], str] = {
    ServiceTerms: "## The keys\n",
    SourceTerms: """## `sources.<table>`

The raw tables that the service ingests. What their files may look like, and what stops a load, is under
[landing files](landing-files.md).
""",
    ExternalTerms: """## `external.<zone>.<table>`

Tables that [something else makes](../guides/read-tables-that-something-else-makes.md).
""",
}
# What has a page of its own.
_CHECKS = (CheckTerms, ProductCheckTerms)
_START, _END = "<!-- by python -m tests.docs.key_reference -->\n", "<!-- to here -->\n"


def files() -> dict[Path, str]:
    """All files that are made of the keys, with what they should hold."""
    return {
        _REFERENCE / "service-yml.md": SERVICE_HEAD + "".join(f"\n{head}\n{table(of)}" for of, head in _TABLES.items()),
        CHECKS: _replaced(CHECKS.read_text(encoding="utf-8"), table(ProductCheckTerms)),
        PRODUCTS: _replaced(PRODUCTS.read_text(encoding="utf-8"), table(ProductTerms)),
        TESTS: _replaced(TESTS.read_text(encoding="utf-8"), table(SqlTestFileTerms)),
        _REFERENCE / "schemas" / "service.json": _json(ServiceTerms),
        _REFERENCE / "schemas" / "product.json": _json(ProductTerms),
        _REFERENCE / "schemas" / "tests.json": _json(SqlTestFileTerms),
    }


def _replaced(page: str, made: str) -> str:
    before, rest = page.split(_START)
    return f"{before}{_START}{made}{_END}{rest.split(_END)[1]}"


def _json(section: type[Section]) -> str:
    return json.dumps(json_schema(section), indent=2, ensure_ascii=False) + "\n"


def table(section: type[Section]) -> str:
    """The keys of a mapping, and of the mappings in it that have no table of their own."""
    rows = [
        f"| `{path}` | {_meaning(known.key)} | {_default(known)} | `{known.key.example}` |"
        for path, known in keys(section)
    ]
    return "\n".join(["| key | meaning | without it | example |", "| --- | --- | --- | --- |", *rows]) + "\n"


def keys(section: type[Section], path: str = "") -> Iterator[tuple[str, KnownKey]]:
    """The keys of a mapping by path: ``columns.<column>.type``."""
    for name, known in keys_of(section).items():
        yield f"{path}{name}", known
        below = f"{path}{name}.{known.key.of}." if known.key.of else f"{path}{name}."
        for inner in _sections(known.kind):
            if inner not in _TABLES and inner not in _CHECKS:
                yield from keys(inner, below)


def _sections(kind: Kind) -> Iterator[type[Section]]:
    match kind:
        case SectionOf():
            yield kind.section
        case ListOf():
            yield from _sections(kind.item)
        case MappingOf():
            yield from _sections(kind.value)
        case OneOf():
            yield from (section for arm in (kind.mapping, kind.sequence) if arm for section in _sections(arm))


def _meaning(key: Key) -> str:
    return key.meaning + (f"; for {' and '.join(key.formats)}" if key.formats else "")


def _default(known: KnownKey) -> str:
    if known.key.otherwise is not None:
        return known.key.otherwise
    if known.default in (None, ()):
        return "none"
    bare = isinstance(known.default, str) and re.fullmatch(r"[\w-]+", known.default)
    return f"`{known.default if bare else json.dumps(known.default)}`"


if __name__ == "__main__":
    for file, text in files().items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
