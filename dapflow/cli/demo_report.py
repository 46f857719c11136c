"""What the demo shows at its end."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from rich.markup import escape

from dapflow.cli.result_table import Heading, console, print_rows, size_text
from dapflow.query import ask
from dapflow.runtime.dataset_location import DatasetLocation, quoted

if TYPE_CHECKING:
    from dapflow.local.airflow.dag_runs import RunState
    from dapflow.local.demo import DemoOutcome
    from dapflow.manifest import Dataset, Manifest

_PREVIEW_ROWS = 6


def print_report(outcome: DemoOutcome, manifest: Manifest) -> None:
    """Datasets, DAG runs, a product, and what to try next; or what failed."""
    out = console()
    if not outcome.changed:
        out.print(
            "\n[bold green]Nothing to do:[/] every dataset has these generations, made by today's SQL from the files "
            "that landed. Nothing was changed."
        )
    published = [dataset for dataset in manifest.datasets.values() if outcome.published[dataset.id]]
    if published:
        _print_datasets(outcome, published)
    if outcome.runs:
        _print_runs(outcome.runs, outcome.changed)
    for failure in outcome.failures:
        out.print(f"\n[bold red]{failure.run}: {failure.task_id} failed[/]")
        for line in failure.log:
            out.print(f"  {escape(line)}")
    for run in outcome.left_out:
        out.print(f"left out: {run} (its files have not landed; the example does not bring them)")
    products = [dataset for dataset in published if dataset.transform is not None]
    if products:
        product = next((product for product in reversed(products) if product.zone == "trusted"), products[-1])
        _print_preview(outcome, product)
        if outcome.succeeded:
            _print_next(product)
    sys.stdout.flush()


def _print_datasets(outcome: DemoOutcome, datasets: list[Dataset]) -> None:
    shown = outcome.generations
    headings = [Heading("dataset", whole=True), *(Heading(str(day), "rows", number=True) for day in shown)]
    for name, note in (("generations", "all"), ("size", "all"), ("current view", "rows"), ("history table", "rows")):
        headings.append(Heading(name, note, number=True))
    counts = _counts(outcome, datasets)
    rows = []
    for dataset in datasets:
        generations = outcome.published[dataset.id]
        rows.append(
            (
                dataset.id,
                *(f"{generations[day].rows:,}" if day in generations else "-" for day in shown),
                str(len(generations)),
                size_text(sum(generation.bytes for generation in generations.values())),
                *(f"{count:,}" for count in counts[dataset.id]),
            )
        )
    console().print("\n[bold]Datasets[/]")
    print_rows(headings, rows)


def _counts(outcome: DemoOutcome, datasets: list[Dataset]) -> dict[str, tuple[int, int]]:
    """Rows of current view and history table, as Athena counts them: one statement for all."""
    parts = []
    for dataset in datasets:
        place = DatasetLocation.of(dataset, outcome.environment)
        tables = [quoted(place.database, name) for name in (place.current, place.history)]
        counted = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)  # noqa: S608 (names of the manifest)
        parts.append(f"SELECT '{dataset.id}' AS dataset, {counted}")
    answer = ask(outcome.clients, "\nUNION ALL ".join(parts))
    return {str(name): (int(current or 0), int(history or 0)) for name, current, history in answer.rows()}


def _print_runs(runs: tuple[RunState, ...], changed: bool) -> None:
    console().print(f"\n[bold]DAG runs{'' if changed else ' of the demo that published them'}[/]")
    headings = [Heading(name, whole=True) for name in ("DAG", "generation", "state")]
    headings += [Heading("seconds", number=True), Heading("tasks")]
    rows = []
    for run in runs:
        tasks = Counter(task.state or "not started" for task in run.tasks)
        described = ", ".join(f"{count} {name}" for name, count in sorted(tasks.items()))
        seconds = f"{run.seconds:.1f}" if run.seconds is not None else ""
        rows.append((run.service, run.generation, run.state or "not started", seconds, described))
    print_rows(headings, rows)


def _print_preview(outcome: DemoOutcome, product: Dataset) -> None:
    place = DatasetLocation.of(product, outcome.environment)
    sql = f"SELECT * FROM {quoted(place.database, place.current)} LIMIT {_PREVIEW_ROWS}"  # noqa: S608
    answer = ask(outcome.clients, sql)
    console().print(f"\n[bold]{product.id}[/], its current view:")
    print_rows([Heading.of_type(column.name, column.type) for column in answer.columns], answer.rows())


def _print_next(product: Dataset) -> None:
    out = console()
    table = f"{product.database}.{product.current}"
    out.print("\n[bold]Try next:[/]")
    out.print("  dapflow local up")
    out.print(f'  dapflow query "SELECT * FROM {table} LIMIT 10"', soft_wrap=True)  # noqa: S608 (shown, not run)
    out.print(f"  dapflow run {product.id}")
