"""The keys of service.yml, products and tests: pages are current, and editors are told what the reader takes."""

from __future__ import annotations

import fnmatch
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from dapflow.errors import DapflowError
from dapflow.project.check_terms import CheckTerms, ProductCheckTerms
from dapflow.project.marked_yaml import YamlFile
from dapflow.project.product_terms import ProductTerms
from dapflow.project.schema import KnownKey, Section, TextValue
from dapflow.project.section_reader import read_file
from dapflow.project.service_terms import ExternalTerms, ServiceTerms, SourceTerms
from dapflow.project.sql_test_terms import SqlTestFileTerms
from tests.docs import key_reference
from tests.docs.json_schema import json_schema, plain
from tests.docs.markdown import ROOT

VALIDATORS: dict[type[Section], Draft7Validator] = {
    section: Draft7Validator(json_schema(section)) for section in (ServiceTerms, ProductTerms, SqlTestFileTerms)
}
SERVICE, PRODUCT, TESTS = VALIDATORS.values()
# The section of the whole file, by the one that stands in it.
FILES: dict[type[Section], type[Section]] = {
    ProductTerms: ProductTerms,
    ProductCheckTerms: ProductTerms,
    SqlTestFileTerms: SqlTestFileTerms,
}
PROJECTS = ROOT / "tests" / "fixtures" / "projects"
FIXTURES = [
    pytest.param(file, id=file.relative_to(PROJECTS).as_posix())
    for file in sorted(PROJECTS.glob("*/transforms/**/*.yml"))
    if "not_utf8" not in file.parts
]
# Files with mistakes that are beyond a schema, which looks at the form of one value.
BEYOND = {
    "duplicate_keys/transforms/air/service.yml": "plain values have each key once",
    "wrong_values/transforms/b/service.yml": "a day that does not come, and a limit that is too low",
}


def read(text: str, section: type[Section]) -> list[DapflowError]:
    yaml = YamlFile(text, "x.yml")
    read_file(yaml, section, "x.yml")
    return yaml.errors


def refusals(validator: Draft7Validator, text: str) -> list[str]:
    return [error.message for error in validator.iter_errors(plain(text))]


@pytest.mark.parametrize("file", key_reference.files(), ids=lambda file: file.name)
def test_what_is_made_of_the_keys_is_current(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == key_reference.files()[file], (
        "python -m tests.docs.key_reference writes it"
    )


def described() -> list[Any]:
    return [
        pytest.param(section, above, path.split("."), known, id=f"{section.__name__}-{path}")
        for section, above in (
            (ServiceTerms, []),
            (SourceTerms, ["sources", "a"]),
            (ExternalTerms, ["external", "raw", "a"]),
            (ProductTerms, []),
            (CheckTerms, ["sources", "a", "checks", "a"]),
            (ProductCheckTerms, ["checks", "a"]),
            (SqlTestFileTerms, []),
        )
        for path, known in key_reference.keys(section)
    ]


@pytest.mark.parametrize(("section", "above", "path", "known"), described())
def test_the_example_of_each_key_is_taken(
    section: type[Section], above: list[str], path: list[str], known: KnownKey
) -> None:
    *around, key = [*above, *(part.strip("<>") for part in path)]
    lines = [f"{' ' * depth}{part}:" for depth, part in enumerate(around)]
    lines.append(f"{' ' * len(around)}{key}: {known.key.example}")
    file = FILES.get(section, ServiceTerms)
    # What the mapping needs besides.
    if around[-2:] == ["columns", "column"] and file is ServiceTerms and key != "type":
        lines.append(f"{' ' * len(around)}type: string")
    if "relationships" in around and key != "to":
        lines.append(f"{' ' * len(around)}to: a")
    text = "\n".join(lines)
    assert read(text, file) == []
    assert refusals(VALIDATORS[file], text) == []


@pytest.mark.parametrize(
    "section", [ServiceTerms, SourceTerms, ExternalTerms, ProductTerms, ProductCheckTerms, SqlTestFileTerms]
)
def test_the_meaning_of_a_key_names_the_words_that_it_takes(section: type[Section]) -> None:
    for _, known in key_reference.keys(section):
        if isinstance(known.kind, TextValue) and known.kind.form is not None:
            assert all(f"`{option}`" in known.key.meaning for option in known.kind.form.options)


@pytest.mark.parametrize("file", FIXTURES)
def test_the_schema_takes_what_the_reader_takes_and_refuses_the_rest(file: Path) -> None:
    is_service = file.name == "service.yml"
    text = file.read_text(encoding="utf-8")
    errors = read(text, ServiceTerms if is_service else ProductTerms)
    refused = refusals(SERVICE if is_service else PRODUCT, text)
    # Where the text is not YAML, there are no values to refuse.
    has_mistake = any(error.code != "yaml-syntax" for error in errors)
    assert bool(refused) == (has_mistake and file.relative_to(PROJECTS).as_posix() not in BEYOND)


def file_of(validator: Draft7Validator) -> type[Section]:
    """Of which file a validator is."""
    return next(section for section, own in VALIDATORS.items() if own is validator)


@pytest.mark.parametrize(
    ("validator", "text"),
    [
        (SERVICE, "titel: Air"),
        (SERVICE, "retries: three"),
        (SERVICE, "retries: -1"),
        (SERVICE, "schedule: 5 * *"),
        (SERVICE, "naming: lates"),
        (SERVICE, "limits: {bytes_scanned_per_query: 5 XB}"),
        (SERVICE, "databases: {raw: Air Raw}"),
        (SERVICE, "databases: {raw: {pre-prod: a}}"),
        (SERVICE, "databases: {landing: a}"),
        (SERVICE, "reads: [weather]"),
        (SERVICE, "grants: {weather: [rw]}"),
        (SERVICE, "reviewers: [somebody]"),
        (SERVICE, "generation_columns: {prefix: Import}"),
        (SERVICE, "sources: {Flights: }"),
        (SERVICE, "sources: {flights: {format: xml}}"),
        (SERVICE, "sources: {flights: {delimiter: '::'}}"),
        (SERVICE, "sources: {flights: {columns: {Year: integer}}}"),
        (SERVICE, "sources: {flights: {columns: {year: }}}"),
        (SERVICE, "sources: {flights: {columns: {year: {type: }}}}"),
        (SERVICE, "sources: {flights: {columns: {year: {description: no type}}}}"),
        (SERVICE, "sources: {flights: {allow_empty: yes}}"),
        (SERVICE, "external: {raw: {meters: {generations: perhaps}}}"),
        (SERVICE, "external: {raw: {meters: {current: Meters}}}"),
        (PRODUCT, "descripton: x"),
        (PRODUCT, "tags: costs"),
        (PRODUCT, "inputs: {wards: {on_missing: newest}}"),
        (PRODUCT, "allow_empty: yes"),
        (PRODUCT, "current: Costs"),
        (PRODUCT, "checks: {a: {not_nul: b}}"),
        (PRODUCT, "checks: {a: {severity: warning}}"),
        (PRODUCT, "checks: {a: {sql: checks/a.sql}}"),
        (PRODUCT, "checks: {a: {row_count: {min: -1}}}"),
        (PRODUCT, "checks: {a: {accepted_values: {b: [true]}}}"),
        (PRODUCT, "checks: {a: {relationships: {b: {field: c}}}}"),
        (SERVICE, "sources: {flights: {checks: {a: {freshness: {b: 3}}}}}"),
        (SERVICE, "sources: {flights: {columns: {a: {type: string, personal: yes}}}}"),
        (TESTS, "test: {}"),
        (TESTS, "tests: {a: {given: {wards: {row: []}}}}"),
        (TESTS, "tests: {a: {given: {wards: wards}}}"),
        (TESTS, "tests: {a: {given: {wards: [1]}}}"),
        (TESTS, "tests: {a: {expect: {ordered: yes}}}"),
        (TESTS, "tests: {a: {generation: 31 December}}"),
        (TESTS, "tests: {a: {now: noon}}"),
        (TESTS, "tests: {a: {error: division by zero}}"),
    ],
)
def test_both_refuse(validator: Draft7Validator, text: str) -> None:
    assert read(text, file_of(validator))
    assert refusals(validator, text)


@pytest.mark.parametrize(
    ("validator", "text"),
    [
        (SERVICE, ""),
        (SERVICE, "{title: , sources: {flights: , planes: {}}, limits: , reads: }"),
        (SERVICE, "limits: {bytes_scanned_per_query: 20000000}"),
        (SERVICE, "schedule: '@daily'"),
        (SERVICE, "sources: {flights: {null: ['', 'NULL'], columns: }}"),
        (SERVICE, "external: {raw: {meters: {generations: false}}}"),
        (PRODUCT, "{inputs: {wards: }, columns: {a: }}"),
        (PRODUCT, "columns: {a: {description: x, personal: true}, b: {personal: false}}"),
        (PRODUCT, "checks: {a: {not_null: b, unique: [b, c], range: {b: {min: -1.5, max: 2013-12-31}}, where: b > 1}}"),
        (PRODUCT, "checks: {a: {accepted_values: {b: [1, 1.5, x, ]}, relationships: {b: c, d: {to: e}}}}"),
        (PRODUCT, "checks: {a: {range: {b: {min: , max: 1}}}}"),
        (TESTS, "{transform: , tests: {a: {generation: 20131231, now: '2013-12-31T06:00:00Z', expect: []}}}"),
        (
            TESTS,
            "tests: {a: {given: {b: [{c: 1, d: , e: [1, x], f: {g: true}}], h: i/j.csv}, expect: {tolerance: 1e-3}}}",
        ),
    ],
)
def test_both_take(validator: Draft7Validator, text: str) -> None:
    assert read(text, file_of(validator)) == []
    assert refusals(validator, text) == []


def test_editors_are_told_which_files_have_which_keys() -> None:
    told = json.loads((ROOT / ".vscode" / "settings.json").read_text(encoding="utf-8"))["yaml.schemas"]
    for file in (ROOT / "transforms").rglob("*.yml"):
        name = file.relative_to(ROOT).as_posix()
        [schema] = [schema for schema, globs in told.items() if any(fnmatch.fnmatch(name, glob) for glob in globs)]
        validator = Draft7Validator(json.loads((ROOT / schema).read_text(encoding="utf-8")))
        assert refusals(validator, file.read_text(encoding="utf-8")) == []
