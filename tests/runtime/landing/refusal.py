"""How a load that must be refused ends."""

from __future__ import annotations

import pytest

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.runtime.generation import Generation
from tests.runtime.lake import DAY, Lake


def refused(lake: Lake, dataset: Dataset, generation: Generation = DAY) -> DapflowError:
    """The error that the ingest ends with; nothing else is left of it."""
    before, tables = lake.objects("raw"), lake.tables()
    with pytest.raises(DapflowError) as caught:
        lake.publish(dataset, generation)
    assert lake.objects("raw") == before
    assert lake.tables() == tables
    return caught.value
