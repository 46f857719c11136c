"""What a branch has built, compared product by product with the same generation of its base."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from dapflow.differences.comparison import VersionComparison
from dapflow.differences.difference import Difference
from dapflow.differences.versions import PublishedVersions
from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.publications.inputs_of_today import is_of_todays_inputs
from dapflow.publications.published import Publications
from dapflow.runtime.generation import Generation
from dapflow.runtime.price import scan_usd

State = Literal["differs", "same", "new", "not built", "failed"]


@dataclass(frozen=True)
class BranchProduct:
    """A product that a branch builds, before it is compared.

    Attributes:
        dataset: its id.
        generation: the one to compare; None where the branch has not built it.
        outdated: whether its text, or what it reads, is another now than when it was built.
        bytes_scanned: what Athena read to build it.
        bytes_before: what it read to build the same generation in the base; None where the base has it not.
        limits: of which part of its inputs it was built; empty where of all.
        comparison: None where it is not built, where the base has nothing of it, and where there is a ``failure``.
    """

    dataset: str
    generation: Generation | None = None
    outdated: bool = False
    bytes_scanned: int = 0
    bytes_before: int | None = None
    limits: tuple[str, ...] = ()
    comparison: VersionComparison | None = None
    failure: DapflowError | None = None

    @property
    def usd(self) -> float:
        """The list price of the query that built it, in dollars."""
        return scan_usd(self.bytes_scanned) if self.generation else 0.0

    def compared(self, rows: int) -> ComparedProduct:
        """Compare it, with at most so many rows of each kind; what goes wrong is noted, so that others go on."""
        if self.comparison is None:
            state: State = "failed" if self.failure else "new" if self.generation else "not built"
            return ComparedProduct(self, state)
        try:
            difference = self.comparison.difference(rows)
        except DapflowError as error:
            return ComparedProduct(self, "failed", failure=error)
        return ComparedProduct(self, "same" if difference.same else "differs", difference)


@dataclass(frozen=True)
class ComparedProduct:
    """What came of it. ``difference`` is there where it was compared, ``failure`` where that could not be done."""

    product: BranchProduct
    state: State
    difference: Difference | None = None
    failure: DapflowError | None = None

    @property
    def error(self) -> DapflowError | None:
        """Why it was not compared, though both have it."""
        return self.failure or self.product.failure

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        product = self.product
        return {
            "dataset": product.dataset,
            "generation": str(product.generation) if product.generation else None,
            "state": self.state,
            "outdated": product.outdated,
            "limits": list(product.limits),
            "build": _cost(product.bytes_scanned, product.usd),
            "build_before": None if (before := product.bytes_before) is None else _cost(before, scan_usd(before)),
            "difference": self.difference.as_dict() if self.difference else None,
            "error": self.error.as_dict() if self.error else None,
        }


@dataclass(frozen=True)
class BranchDifference:
    """What differs between a branch and its base, and what it took to build and to compare it.

    ``builder`` is who builds what is missing, for people; ``behind`` says in lines where what was brought up of the
    branch is not what there is by now.
    """

    branch: str
    base: str
    products: tuple[ComparedProduct, ...]
    builder: str
    behind: tuple[str, ...] = ()

    @property
    def differences(self) -> list[Difference]:
        """Of what was compared, the same too."""
        return [product.difference for product in self.products if product.difference is not None]

    @property
    def build(self) -> tuple[int, float]:
        """How many bytes the queries read that built what there is, and their list price in dollars."""
        products = [compared.product for compared in self.products]
        return sum(product.bytes_scanned for product in products), sum(product.usd for product in products)

    @property
    def build_before(self) -> tuple[int, float]:
        """The same of the queries that built the same generations of them in the base."""
        before = (compared.product.bytes_before for compared in self.products)
        # Of what the base has not, no query has read anything; one that reads nothing costs something all the same.
        sizes = [size for size in before if size is not None]
        return sum(sizes), sum(map(scan_usd, sizes))

    @property
    def comparing(self) -> tuple[int, float]:
        """The same of the queries that compared it."""
        return sum(made.bytes_scanned for made in self.differences), sum(made.usd for made in self.differences)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        build, before, comparing = (_cost(size, usd) for size, usd in (self.build, self.build_before, self.comparing))
        return {
            "branch": self.branch,
            "base": self.base,
            "behind": list(self.behind),
            "products": [product.as_dict() for product in self.products],
            "build": build,
            "build_before": before,
            "comparing": comparing,
        }


def _cost(size: int, usd: float) -> dict[str, Any]:
    return {"bytes_scanned": size, "usd": round(usd, 6)}


@dataclass(frozen=True)
class BranchProducts:
    """The products that a branch builds, in publishing order.

    Attributes:
        branch, base: what is published in either; of each the project that it runs.
        title: the branch's name, for people.
        made_key: the columns that tell a product's rows apart because of how its text is made.
    """

    branch: Publications
    base: Publications
    title: str
    made_key: Callable[[Dataset], tuple[str, ...]]

    def look(self, day: Generation | None) -> Iterator[BranchProduct]:
        """Look at each of a generation, by default of the newest that both have.

        What may not be looked at, as the products of a service that is not the caller's, is noted to be so.
        """
        for dataset in self.branch.own:
            try:
                yield self._product(dataset, day)
            except DapflowError as error:
                if error.code != "aws":
                    raise
                yield BranchProduct(dataset.id, failure=error)

    def _product(self, dataset: Dataset, day: Generation | None) -> BranchProduct:
        built = self.branch.of(dataset.id)
        in_base = self.base.of(dataset.id) if dataset.id in self.base.manifest.datasets else {}
        day = day or max(built.keys() & in_base.keys(), default=None) or max(built, default=None)
        if day is None or day not in built:
            return BranchProduct(dataset.id)
        outdated = self._is_outdated(dataset, day, built[day].sql_sha)
        before = in_base[day].bytes_scanned if day in in_base else None
        product = BranchProduct(dataset.id, day, outdated, built[day].bytes_scanned, before, built[day].limits)
        if not in_base:
            return product
        try:
            return replace(product, comparison=self._comparison(dataset, day))
        except DapflowError as error:
            return replace(product, failure=error)

    def _comparison(self, dataset: Dataset, day: Generation) -> VersionComparison:
        asked, published = (
            PublishedVersions(
                publications.clients, publications.manifest.dataset(dataset.id), publications.environment, title, hint
            )
            for publications, title, hint in (
                (self.branch, self.title, "dapflow branch run builds it"),
                (self.base, self.base.environment.name, f"dapflow run {dataset.id} -g {day} publishes it"),
            )
        )
        return VersionComparison(asked, asked.version(day), published.version(day), (), self.made_key(dataset))

    def _is_outdated(self, dataset: Dataset, day: Generation, sha: str) -> bool:
        transform, publication = dataset.transform, self.branch.publication(dataset.id, day)
        if transform is None or publication is None:
            return False
        manifest = self.branch.manifest
        return sha != transform.sha or not is_of_todays_inputs(self.branch, manifest, dataset, transform, publication)
