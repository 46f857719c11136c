"""The keys of ``<product>.yml``, beside the SQL of a data product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, get_args

from dapflow.project.check_terms import CHECKS_OF_A_COLUMN, CHECKS_OF_A_TABLE, COLUMN_CHECK, ProductCheckTerms
from dapflow.project.file_position import PlacedText
from dapflow.project.schema import Section, key
from dapflow.project.text_forms import OWN_TABLE, choice

TYPES_OF_THE_SQL = "delete it: a column has the type that the SQL gives it"
OnMissing = Literal["fail", "previous"]
ON_MISSING = choice(
    get_args(OnMissing),
    "'fail' or 'previous'",
    "previous: read the newest generation before the run's; fail, the default: wait for the run's",
)


@dataclass(frozen=True)
class InputTerms(Section):
    """What is said of a table that a product reads."""

    on_missing: Annotated[OnMissing, ON_MISSING] = key(
        "`fail` or `previous`: what a run does where the table has no generation of the run's; see below",
        "previous",
        default="fail",
    )


@dataclass(frozen=True)
class ColumnTerms(Section):
    """What is said of a column of a product."""

    elsewhere: ClassVar = {**CHECKS_OF_A_COLUMN, "data_type": TYPES_OF_THE_SQL, "type": TYPES_OF_THE_SQL}
    listed: ClassVar = COLUMN_CHECK

    description: str | None = key(
        "what the column holds; alone it may stand in place of the mapping", "Pounds, without VAT."
    )
    personal: bool | None = key(
        "`true` where the values are personal data: no sample of failing rows shows them",
        "true",
        otherwise="as in the tables that the SQL reads, for a column of the same name there",
    )


@dataclass(frozen=True)
class ProductTerms(Section):
    """What may be said of a data product beside its SQL."""

    elsewhere: ClassVar = {
        **CHECKS_OF_A_TABLE,
        "models": "this file is of one product, that of the .sql beside it: its keys stand at the top, without models",
        "version": "delete it",
        "name": "delete it: a product is called as its .sql file",
    }

    description: str | None = key(
        "what the product says; the description of its history table and its current view in the catalog",
        "What repairs cost, by ward.",
    )
    columns: dict[PlacedText, str | ColumnTerms] | None = key(
        "what a column holds, by its name; its comment in the catalog",
        '{cost: "Pounds, without VAT.", tenant: {personal: true}}',
        of="<column>",
        entry_called="the description of column {name!r}",
    )
    tags: tuple[str, ...] = key(
        "words to find the product by; in the catalog they are the parameter `dapflow.tags` of its tables",
        "[repairs, costs]",
        default=(),
    )
    inputs: dict[PlacedText, InputTerms] | None = key(
        "what is said of a table that the SQL reads, by the table's name: `wards`, or `housing_raw_zone.wards`",
        "{wards: {on_missing: previous}}",
        of="<table>",
    )
    allow_empty: bool = key("`true` where a generation may have no rows; see below", "true", default=False)
    checks: dict[PlacedText, ProductCheckTerms] | None = key(
        "what must hold before a generation is published, under names of your own; see [checks](checks.md)",
        "{costs are known: {not_null: cost}}",
        of="<check>",
        entry_called="check {name!r}",
    )
    current: Annotated[str, OWN_TABLE] | None = key(
        "the name of the current view, where the service's naming does not fit",
        "repair_costs_now",
        otherwise="as `naming` of the service says",
    )
    history: Annotated[str, OWN_TABLE] | None = key(
        "the name of the history table, where the service's naming does not fit",
        "repair_costs_all",
        otherwise="as `naming` of the service says",
    )
