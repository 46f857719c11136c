"""The keys of ``service.yml``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, get_args

from dapflow.landing_formats import DEFAULT_FORMAT, LANDING_FORMATS, either, formats_with
from dapflow.manifest import DAILY, GenerationColumns, LandingSource, Service, Zone
from dapflow.project.check_terms import CHECKS_OF_A_COLUMN, CHECKS_OF_A_TABLE, COLUMN_CHECK, CheckTerms
from dapflow.project.file_position import PlacedText
from dapflow.project.schema import Needed, Section, key
from dapflow.project.text_forms import (
    COLUMN_NAME,
    DATABASE_NAME,
    DELIMITER,
    ENCODING,
    ENVIRONMENT_NAME,
    ESCAPE,
    EXTERNAL_NAME,
    GLUE_COLUMN,
    GRANT,
    OTHER_TABLE,
    OWN_TABLE,
    PARTITION,
    PREFIX,
    READ,
    REVIEWER_NAME,
    SCHEDULE,
    SIZE,
    SOURCE_NAME,
    TIMEZONE,
    choice,
)

Naming = Literal["history", "latest"]
NAMING = choice(
    get_args(Naming),
    "'history' or 'latest'",
    "history: flights_history and flights; latest: flights and flights_latest",
)
FORMAT = choice(
    tuple(LANDING_FORMATS),
    either(LANDING_FORMATS),
    "; ".join(f"{name} means {traits.note}" for name, traits in LANDING_FORMATS.items() if traits.note),
)
# What a column must have.
TYPE = Needed("type", "bad-column-type", "string")
Database = Annotated[PlacedText, DATABASE_NAME]


@dataclass(frozen=True)
class GenerationTerms(Section):
    """How generation columns are called."""

    prefix: Annotated[str, PREFIX] | None = key(
        "what the names of the four generation columns begin with: `import_year` … `import_date`",
        "transform",
        otherwise=f"`{GenerationColumns.prefix}`",
    )
    extra: tuple[Annotated[PlacedText, PARTITION], ...] = key(
        "further partition columns behind the four; only tables under `external` may have them",
        "[region]",
        default=(),
    )


@dataclass(frozen=True)
class Limits(Section):
    """What a run of the service may cost and read."""

    bytes_scanned_per_query: Annotated[int, SIZE] | None = key(
        "how much one query may read before Athena stops it: bytes, or `KB`, `MB`, `GB`, `TB` of them; "
        "at least 10 MB, which is the least that Athena takes",
        "10 GB",
        otherwise=f"`{Service.bytes_scanned_cutoff // 1024**3} GB`",
    )
    input_age_days: int = key(
        "how many days before the run's an input's generation may be, where the product's `.yml` takes an older one; "
        "beyond that it is published with a warning, unless a `freshness` check says more",
        "7",
        default=Service.input_age_days,
    )


@dataclass(frozen=True)
class SourceColumnTerms(Section):
    """A column of landing files."""

    needed: ClassVar = TYPE
    elsewhere: ClassVar = {**CHECKS_OF_A_COLUMN, "data_type": "write type"}
    listed: ClassVar = COLUMN_CHECK

    type: PlacedText | None = key(
        "of Athena, such as `string`, `bigint`, `decimal(10,2)`, `date`, `timestamp`, `array<string>`; "
        "a type alone may stand in place of the mapping",
        "decimal(10,2)",
        otherwise="needed",
    )
    format: PlacedText | None = key(
        "how dates and timestamps are written: a pattern of Athena's `date_parse`",
        '"%d/%m/%Y %H:%i"',
        otherwise="`2024-06-05`, `2024-06-05 23:59:00`",
    )
    description: str | None = key("what the column holds; its comment in the catalog", "Pounds, without VAT.")
    personal: bool = key(
        "`true` where the values are personal data: no sample of failing rows shows them", "true", default=False
    )


@dataclass(frozen=True)
class SourceTerms(Section):
    """A table that the service ingests, and how its landing files are written."""

    elsewhere: ClassVar = CHECKS_OF_A_TABLE

    description: str | None = key("what the table holds; shown in the catalog", "Every loan of every branch.")
    format: Annotated[str, FORMAT] = key(
        "what the files are: "
        + either(
            f"`{name}`" + (f" ({traits.note})" if traits.note else "") for name, traits in LANDING_FORMATS.items()
        ),
        "json",
        default=DEFAULT_FORMAT,
    )
    encoding: Annotated[str, ENCODING] = key(
        "`windows-1252`, `utf-16`, or any other that Python knows; `detect` finds it in each file",
        "windows-1252",
        default=LandingSource.encoding,
        formats=formats_with("encoding"),
    )
    delimiter: Annotated[str, DELIMITER] = key(
        'the one character between fields; a tab is `"\\t"`',
        '";"',
        default=LandingSource.delimiter,
        formats=formats_with("delimiter"),
    )
    escape: Annotated[PlacedText, ESCAPE] | None = key(
        "the character before a quote that belongs to a field; `'\"'` says that quotes are doubled",
        "'\\'",
        otherwise="quotes are doubled",
        formats=formats_with("escape"),
    )
    skip: int = key(
        "how many title lines stand before the header", "2", default=LandingSource.skip, formats=formats_with("skip")
    )
    null: tuple[str, ...] | str = key(
        "the text, or a list of texts, that stands for NULL",
        "'\\N'",
        default=(),
        otherwise="in CSV an empty field",
        formats=formats_with("null"),
    )
    allow_empty: bool = key(
        "`true` where a generation may have no rows; a CSV or JSON file may then be without a byte",
        "true",
        default=LandingSource.allow_empty,
    )
    columns: dict[Annotated[PlacedText, COLUMN_NAME], SourceColumnTerms] | None = key(
        "the columns with their types, by name",
        "{loan_id: bigint, fee: {type: double, description: In pounds.}}",
        otherwise="found at the first load, and kept",
        of="<column>",
        called="columns of {section}",
        entry_called="column {name!r}",
    )
    checks: dict[PlacedText, CheckTerms] | None = key(
        "what must hold before a generation is published, under names of your own; see [checks](checks.md)",
        "{every loan is there once: {unique: loan_id}}",
        of="<check>",
        entry_called="check {name!r}",
    )
    current: Annotated[str, OWN_TABLE] | None = key(
        "the name of the current view, where `naming` does not fit", "loans_now", otherwise="as `naming` says"
    )
    history: Annotated[str, OWN_TABLE] | None = key(
        "the name of the history table, where `naming` does not fit", "loans_all", otherwise="as `naming` says"
    )


@dataclass(frozen=True)
class ExternalColumnTerms(Section):
    """A column of a table that something else makes."""

    needed: ClassVar = TYPE

    type: PlacedText | None = key(
        "as that of a source's column; a type alone may stand in place of the mapping", "string", otherwise="needed"
    )
    description: str | None = key("what the column holds", "Serial number of the meter.")


@dataclass(frozen=True)
class ExternalTerms(Section):
    """A table that something else makes."""

    description: str | None = key("what the table holds", "Readings of the meters, by a Glue job.")
    generations: bool | GenerationTerms = key(
        "`true` where the table is partitioned by the generation columns of the service; a mapping where by others",
        "{prefix: import, extra: [region]}",
        default=False,
    )
    current: Annotated[str, OTHER_TABLE] | None = key(
        "the name in Glue of the table, or of the one that shows the newest generation",
        "meters-now",
        otherwise="as `naming` says; without generations the key of the table",
    )
    history: Annotated[str, OTHER_TABLE] | None = key(
        "the name in Glue of the table with all generations, where there are `generations`",
        "meters",
        otherwise="as `naming` says",
    )
    columns: dict[Annotated[PlacedText, GLUE_COLUMN], ExternalColumnTerms] | None = key(
        "the columns with their types, by name, so that `dapflow check` knows them",
        "{meter: string, read_at: timestamp}",
        otherwise="Glue alone knows them",
        of="<column>",
        called="columns of {section}",
        entry_called="column {name!r}",
    )


@dataclass(frozen=True)
class ServiceTerms(Section):
    """What a department or team says of itself and of its data."""

    title: str | None = key("what people call the service", "Air traffic", otherwise="made of the folder's name")
    description: str | None = key("what its data are about", "Loans of the public libraries.")
    owner: PlacedText | None = key(
        "who answers for it; where it is an e-mail address, AWS's alerts of the service go there",
        "libraries@example.org",
    )
    reviewers: tuple[Annotated[str, REVIEWER_NAME], ...] = key(
        "its people as GitHub names them: `@user`, `@organisation/team` or an e-mail address; "
        "`dapflow codeowners` writes them to .github/CODEOWNERS",
        '["@example/libraries"]',
        default=(),
        otherwise="the `owner`, where GitHub takes it; else those of the platform",
    )
    schedule: Annotated[str, SCHEDULE] | None = key(
        "when it runs: a cron line, in `timezone`",
        '"30 6 * * *"',
        otherwise=f"when what it reads of others has the generation; `{DAILY}` where it reads nothing of others",
    )
    timezone: Annotated[str, TIMEZONE] = key(
        "of the schedule, and of the day that it means", "Europe/London", default=Service.timezone
    )
    retries: int = key("how often Airflow tries a task again that failed", "3", default=Service.retries)
    database: Database | None = key(
        "where its SQL finds tables that are named without a database",
        "libraries_raw_zone",
        otherwise="the one of its raw zone",
    )
    databases: dict[Zone, Database | dict[Annotated[PlacedText, ENVIRONMENT_NAME], Database]] | None = key(
        "the Glue database of a zone: one name, or one for each environment of cdk.json; the first of them stands for "
        "the database where no environment is meant",
        "{trusted: libraries, raw: {prod: libraries-prod-raw, staging: libraries-stg-raw}}",
        otherwise="made by `[tool.dapflow] database` in pyproject.toml",
        of="<zone>",
    )
    naming: Annotated[Naming, NAMING] = key(
        "how the two tables of a dataset are called; `history`: `flights_history` and the current view `flights`; "
        "`latest`: `flights` and the current view `flights_latest`",
        "latest",
        default="history",
    )
    generation_columns: GenerationTerms | None = key(
        "how the generation columns of its tables are called",
        "{prefix: transform}",
        otherwise="`import_year` and so on",
    )
    reads: tuple[Annotated[PlacedText, READ], ...] = key(
        "what it asks to read of other services: `<service>.<zone>` or `<service>.<zone>.<dataset>`; "
        "the owner must grant it",
        "[weather.trusted]",
        default=(),
    )
    grants: dict[PlacedText, tuple[Annotated[PlacedText, GRANT], ...]] | None = key(
        "what of its own data other services may read, by their names: `<zone>` or `<zone>.<dataset>`",
        "{air_traffic: [trusted, refined.delays]}",
        of="<service>",
    )
    limits: Limits | None = key(
        "what its runs may cost and read", "{bytes_scanned_per_query: 10 GB}", otherwise="as below"
    )
    sources: dict[Annotated[PlacedText, SOURCE_NAME], SourceTerms] | None = key(
        "the tables that it ingests, by name; the name alone is enough",
        '{loans: {delimiter: ";"}, branches: {}}',
        of="<table>",
        entry_called="source {name!r}",
    )
    external: dict[Zone, dict[Annotated[PlacedText, EXTERNAL_NAME], ExternalTerms]] | None = key(
        "tables in its databases that something else makes, by zone and name, so that SQL can read them",
        "{raw: {meters: {generations: true, history: meters-all}}}",
        of="<zone>.<table>",
        entry_called="external table {name!r}",
    )
