"""What each format of landing files gives: its columns and rows, how Athena reads them, and where a value stands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from dapflow.manifest import LandingSource
from dapflow.runtime.landing.inspection import Inspection
from dapflow.runtime.landing.landed import Landed
from dapflow.runtime.landing.landing_text import LandingText
from dapflow.runtime.objects import Object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Column names to text as it stands in the file; None for NULL.
Row = Mapping[str, str | None]


class LandingFormat(ABC):
    """One format of landing files. What compiling must know of it is in ``dapflow.landing_formats``."""

    # Whether the files say the types of their columns. Where they do not, types are declared or inferred.
    is_typed: ClassVar[bool] = False
    # Whether the first line of a file names the columns.
    has_header: ClassVar[bool] = False

    @abstractmethod
    def inspect(self, inspection: Inspection) -> Landed:
        """Read all files once, some twice. Raises DapflowError for what is wrong with them."""

    def rows(self, texts: Iterable[LandingText], source: LandingSource) -> Iterator[tuple[int, Row]]:
        """The rows of text files, each with the line in which it begins."""
        raise NotImplementedError

    def declared(self, s3: S3Client, item: Object) -> tuple[dict[str, str], int]:
        """The columns of a typed file with the types that a table gives them, and its rows."""
        raise NotImplementedError

    def misfit(self, s3: S3Client, landed: Landed, item: Object, column: str, wanted: str) -> str | None:
        """The first value of a column that is none of the type ``wanted``, and where, if no line says it."""
        return None
