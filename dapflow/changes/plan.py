"""What of a project is built in a branch: what the branch changes, and what that reaches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dapflow.changes.contents import ProjectContents
from dapflow.changes.decisions import Decision, Effect, Reason
from dapflow.lineage import ProductLineage
from dapflow.manifest import Dataset, Manifest
from dapflow.review.glue_columns import glue_columns
from dapflow.review.project_lineage import DatasetPart, ProjectLineage
from dapflow.runtime.column_changes import ColumnChange, changes


@dataclass(frozen=True)
class BranchPlan:
    """A decision for each product of the branch, in publishing order.

    ``removed`` are ids of products that the base has and the branch has not; ``raw_changed`` of raw tables that the
    branch describes otherwise, which are read as the base loads them. ``base`` is the sha of the base's project.
    """

    decisions: tuple[Decision, ...]
    removed: tuple[str, ...]
    raw_changed: tuple[str, ...]
    base: str

    @property
    def built(self) -> tuple[Decision, ...]:
        """What is built in the branch."""
        return tuple(decision for decision in self.decisions if decision.built)

    @property
    def deferred(self) -> tuple[Decision, ...]:
        """What is read from the base."""
        return tuple(decision for decision in self.decisions if not decision.built)

    def applied(self, manifest: Manifest) -> Manifest:
        """The branch's project, with what is not built left to the base."""
        deferred = frozenset(decision.dataset for decision in self.deferred)
        return replace(manifest, deferred=deferred, base=self.base)

    def as_dict(self, base: str) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them; ``base`` names what the branch was compared with."""
        return {
            "base": base,
            "built": len(self.built),
            "deferred": len(self.deferred),
            "products": [decision.as_dict() for decision in self.decisions],
            "removed": list(self.removed),
            "raw_changed": list(self.raw_changed),
        }


def plan_branch(base: Manifest, branch: Manifest, known: Mapping[str, ProductLineage] | None = None) -> BranchPlan:
    """Compare a branch's project with its base's. ``known`` is lineage of before, which is good as far as it goes."""
    return _BranchPlanner(base, branch, known or {}).plan()


def described_otherwise(base: Manifest, branch: Manifest) -> Iterator[str]:
    """Ids of the raw tables that a branch describes otherwise than its base, which alone loads them."""
    for dataset in branch.datasets.values():
        before = base.datasets.get(dataset.id)
        if before is None or dataset.transform is not None or before.transform is not None:
            continue
        if _loaded(dataset) != _loaded(before):
            yield dataset.id


class _BranchPlanner:
    def __init__(self, base: Manifest, branch: Manifest, known: Mapping[str, ProductLineage]) -> None:
        self.base, self.branch = base, branch
        self.raw_changed = tuple(described_otherwise(base, branch))
        project, project_of_base = ProjectLineage(branch), ProjectLineage(base)
        self.lineage = project.lineages(branch.datasets.values(), known)
        # Most texts are in both, and what is known of them holds for both.
        self.lineage_of_base = project_of_base.lineages(base.datasets.values(), self.lineage)
        products = [dataset for dataset in branch.datasets.values() if dataset.transform is not None]
        self.removed = tuple(
            name
            for name, dataset in base.datasets.items()
            if dataset.transform is not None
            and (name not in branch.datasets or branch.datasets[name].transform is None)
        )
        # What something else makes by now under the name of a product is another thing to those that read it.
        made_otherwise = branch.datasets.keys() & {*self.removed}
        self.touched = {dataset.id for dataset in products if self._is_touched(dataset)} | made_otherwise
        looked_at = self._downstream()
        self.contents = ProjectContents(project, looked_at)
        self.contents_of_base = ProjectContents(project_of_base, looked_at & base.datasets.keys())
        self.looked_at = looked_at
        self.products = products

    def plan(self) -> BranchPlan:
        """The decisions."""
        decisions, raw_changed = tuple(map(self._decision, self.products)), self.raw_changed
        return BranchPlan(decisions, self.removed, raw_changed, self.base.sha)

    # ------------------------------------------------------------------------------------ what may be changed
    def _is_touched(self, dataset: Dataset) -> bool:
        """Whether the product itself, or a table that its text reads, may be another one."""
        before = self.base.datasets.get(dataset.id)
        now, then = self.lineage.get(dataset.id), self.lineage_of_base.get(dataset.id)
        if before is None or before.transform is None or self._terms(dataset) or _checks(dataset) != _checks(before):
            return True
        same = now.key == then.key if now and then else now is then and before.transform.sql == _sql(dataset)
        return not same

    def _downstream(self) -> set[str]:
        """What is touched, and all that is made of it."""
        reached = set(self.touched)
        for dataset in self.branch.datasets.values():
            if dataset.transform is not None and not reached.isdisjoint(dataset.depends_on):
                reached.add(dataset.id)
        return reached

    def _terms(self, dataset: Dataset) -> tuple[str, ...]:
        """What the ``.yml`` of a product, or its service's, says otherwise, as far as it concerns the data."""
        before = self.base.datasets[dataset.id]
        now, then = dataset.transform, before.transform
        assert now is not None  # noqa: S101 - of a product
        assert then is not None  # noqa: S101 - the caller looked
        services = self.branch.services[dataset.service], self.base.services[dataset.service]
        said = [
            {
                "names": (version.database, version.history, version.current),
                "generation_columns": version.generation,
                "inputs": text.slower_inputs,
                "allow_empty": text.allow_empty,
                "input_age_days": service.input_age_days,
            }
            for version, text, service in zip((dataset, before), (now, then), services, strict=True)
        ]
        return tuple(name for name in said[0] if said[0][name] != said[1][name])

    # ------------------------------------------------------------------------------------ what is
    def _decision(self, dataset: Dataset) -> Decision:
        transform = dataset.transform
        assert transform is not None  # noqa: S101 - of a product
        decision = Decision(dataset.id, transform.file, built=False, reason="unchanged")
        if changes := list(self._changes(dataset)):
            (reason, about), *also = changes
            return self._built(replace(decision, reason=reason, about=about, also=tuple(also)), dataset)
        if dataset.id not in self.looked_at:
            return decision
        if _sql(self.base.datasets[dataset.id]) != transform.sql:
            return replace(decision, reason="same meaning")
        reached = not self.looked_at.isdisjoint({*dataset.depends_on} - {dataset.id})
        return replace(decision, reason="not read") if reached else decision

    def _changes(self, dataset: Dataset) -> Iterator[tuple[Reason, tuple[str, ...]]]:
        """Why a product is built, and what is changed: what reaches furthest, then what else its own files change."""
        before = self.base.datasets.get(dataset.id)
        if before is None or before.transform is None:
            yield "new", ()
            return
        if dataset.id not in self.looked_at:
            return
        own, terms = self._own(dataset), self._terms(dataset)
        checks = _checks(dataset) != _checks(before)
        if own:
            yield "text", own
        if terms:
            yield "terms", terms
        if not own and not terms and (inputs := self._inputs(dataset)):
            yield "input", inputs
        elif not own and not terms and not checks and (against := self._checked_against(dataset)):
            yield "checked against", against
        if checks:
            yield "checks", ()

    def _checked_against(self, dataset: Dataset) -> tuple[str, ...]:
        """What the checks of a product read that holds something else, so that they may come out otherwise."""
        read = {
            name
            for check in dataset.checks
            if check.kind != "freshness"
            for name in (*(reference.dataset for reference in check.references), check.dataset)
            if name is not None and name != dataset.id
        }
        return tuple(sorted(name for name in read if self._differs(DatasetPart(name, "*"))))

    def _own(self, dataset: Dataset) -> tuple[str, ...]:
        """What the text of a product makes of its inputs that the text of before did not; ``*`` for its rows."""
        before = self.base.datasets[dataset.id]
        if _sql(dataset) == _sql(before) and dataset.depends_on == before.depends_on:
            return ()
        now = self.contents.derivations.get(dataset.id)
        then = self.contents_of_base.derivations.get(dataset.id)
        if now is None or then is None:
            # Not all of it could be checked: what its text says is all there is to go by.
            known = [made.get(dataset.id) for made in (self.lineage, self.lineage_of_base)]
            meanings = {lineage.meaning if lineage else None for lineage in known}
            return () if len(meanings) == 1 and None not in meanings else ("*",)
        if now.rows.digest != then.rows.digest:
            return ("*",)
        names = dict.fromkeys([*now.columns, *then.columns])
        if other := [name for name in names if _digest(now.columns, name) != _digest(then.columns, name)]:
            return tuple(other)
        return () if [*now.columns] == [*then.columns] else ("the order of its columns",)

    def _inputs(self, dataset: Dataset) -> tuple[str, ...]:
        """The parts that a product reads and that hold something else than in the base."""
        now, then = self.contents.of(dataset.id), self.contents_of_base.of(dataset.id)
        if now == then and [*now.columns] == [*then.columns]:
            return ()
        inputs: set[DatasetPart] = set()
        for contents in (self.contents, self.contents_of_base):
            derived = contents.derivations.get(dataset.id)
            if derived is None:
                inputs |= {DatasetPart(name, "*") for name in dataset.depends_on}
            else:
                inputs |= {part for made in (derived.rows, *derived.columns.values()) for part in made.inputs}
        changed = sorted(
            (part.dataset, part.column or "") for part in inputs if part.dataset != dataset.id and self._differs(part)
        )
        if changed:
            return tuple(f"rows of {name}" if part in ("", "*") else f"{name}.{part}" for name, part in changed)
        # The types that a raw table is said to have are no part of it: what is made of its columns is of other types.
        described = tuple(f"{name}, described otherwise" for name in self.raw_changed if name in dataset.depends_on)
        return described or ("columns in another order",)

    def _differs(self, part: DatasetPart) -> bool:
        return self.contents.part(part) != self.contents_of_base.part(part)

    # ------------------------------------------------------------------------------------ what it does to others
    def _built(self, decision: Decision, dataset: Dataset) -> Decision:
        changed, reordered = self._columns(dataset)
        effect: Effect = "values"
        if reordered or any(change.breaking for change in changed):
            effect = "breaking"
        elif changed:
            effect = "additive"
        lacks = tuple(
            name
            for name in dataset.depends_on
            if self.branch.datasets[name].transform is None and name not in self.base.datasets
        )
        return replace(decision, built=True, effect=effect, changes=changed, lacks=lacks)

    def _columns(self, dataset: Dataset) -> tuple[tuple[ColumnChange, ...], bool]:
        """What is changed of a product's columns, and whether those that are left are in another order."""
        now, then = (glue_columns(made.get(dataset.id)) for made in (self.lineage, self.lineage_of_base))
        if now is None or then is None:
            return (), False
        names = [column.name for column in now]
        left = [column.name for column in then if column.name in names]
        return tuple(changes(then, now)), left != names[: len(left)]


def _loaded(dataset: Dataset) -> tuple[object, ...]:
    """What decides how a raw table is loaded; what its columns are said to mean does not."""
    source, columns = dataset.source, dataset.columns
    of_files = source.columns if source is not None else None
    return (
        source and replace(source, columns=of_files and tuple(replace(column, comment=None) for column in of_files)),
        columns and tuple(replace(column, comment=None) for column in columns),
        dataset.generation,
        _checks(dataset),
    )


def _checks(dataset: Dataset) -> list[object]:
    return [replace(check, file="", line=None, column=None) for check in dataset.checks]


def _sql(dataset: Dataset) -> str:
    return dataset.transform.sql if dataset.transform is not None else ""


def _digest(columns: Mapping[str, object], name: str) -> object:
    return getattr(columns.get(name), "digest", None)
