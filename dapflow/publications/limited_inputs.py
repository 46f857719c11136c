"""What a limit leaves of the inputs of some products, said before they are built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, Manifest
from dapflow.publications.published import Publications
from dapflow.runtime.aws import aws_errors
from dapflow.runtime.dataset_location import DatasetLocation
from dapflow.runtime.input_look import seen_columns
from dapflow.runtime.limit import InputLimit

# Of a dataset the columns with Glue's types; None where they are not known.
ColumnsOf = Callable[[Dataset], Mapping[str, str] | None]


@dataclass(frozen=True)
class LimitedInputs:
    """What a limit leaves of the inputs of some products.

    Attributes:
        histories: ids of what is read by its history.
        sampled: of what has the column of the sample; whole: of what has not; unknown: of what is not known to have it.
    """

    limit: InputLimit
    histories: tuple[str, ...]
    sampled: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, limit: InputLimit, products: Iterable[Dataset], manifest: Manifest, columns: ColumnsOf
    ) -> LimitedInputs:
        """Those of these products. Raises DapflowError ``option`` where no input has the sample's column."""
        texts = (product.transform for product in products)
        references = [read for text in texts if text is not None for read in text.references]
        histories = {read.dataset for read in references if read.kind == "history"}
        dated = (name for name in sorted(histories) if manifest.dataset(name).has_generations)
        if limit.percent is None:
            return cls(limit, tuple(dated))
        there: dict[str, list[str]] = {"sampled": [], "whole": [], "unknown": []}
        for name in sorted({read.dataset for read in references}):
            dataset = manifest.dataset(name)
            known = columns(dataset) if dataset.has_generations else {}
            kind = "unknown" if known is None else "sampled" if limit.rows(known, name) else "whole"
            there[kind].append(name)
        if references and not there["sampled"] and not there["unknown"]:
            raise DapflowError(
                "option",
                f"--by {limit.by}: no input of what is built has such a column",
                hint=f"it reads {', '.join(there['whole'])}",
            )
        return cls(limit, tuple(dated), *(tuple(there[kind]) for kind in ("sampled", "whole", "unknown")))

    def lines(self) -> Iterator[str]:
        """For people; nothing where there is no limit."""
        if self.limit.since:
            reads = f"the histories of {', '.join(self.histories)}" if self.histories else "no history is read"
            yield f"limited, {self.limit.since_said}: {reads}"
        if self.limit.percent:
            said = [
                f"{before}{', '.join(names)}{after}"
                for before, names, after in (
                    ("", self.sampled, ""),
                    ("", self.unknown, ", should there be such a column"),
                    ("read whole: ", self.whole, ""),
                )
                if names
            ]
            yield f"limited, {self.limit.sample_said}: {'; '.join(said)}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        return {
            "since": str(self.limit.since) if self.limit.since else None,
            "percent": float(self.limit.percent) if self.limit.percent else None,
            "by": self.limit.by or None,
            "histories": list(self.histories),
            "sampled": list(self.sampled),
            "whole": list(self.whole),
            "unknown": list(self.unknown),
        }


def columns_published(publications: Publications) -> ColumnsOf:
    """The columns that datasets have in an environment; not known of what nobody has published there."""

    def columns(dataset: Dataset) -> Mapping[str, str] | None:
        place = DatasetLocation.of(dataset, publications.environment)
        with aws_errors():
            table = publications.catalog_of(dataset.id).table(place.database, place.history)
        return dict(seen_columns(table)) if table else None

    return columns
