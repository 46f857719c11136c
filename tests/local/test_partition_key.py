"""Keys that the DAGs understand."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dapflow.local.partition_key import partition_key
from dapflow.local.state import State
from tests.local.test_published import MANIFEST, NEW

REPOSITORY = Path(__file__).parents[2]


def test_the_key_is_the_generation(tmp_path: Path) -> None:
    assert partition_key(State.of(tmp_path), MANIFEST, "weather", NEW) == "20240605"


def test_a_service_that_waits_for_others_has_no_ticks_of_its_own(tmp_path: Path) -> None:
    services = {**MANIFEST.services, "traffic": replace(MANIFEST.services["traffic"], timezone="Asia/Tokyo")}
    assert partition_key(State.of(tmp_path), replace(MANIFEST, services=services), "traffic", NEW) == "20240605"


@pytest.mark.slow
def test_where_a_tick_may_be_another_day_in_utc_the_key_is_noon_there(tmp_path: Path) -> None:
    # In a process of its own: it imports Airflow, which leaves its marks.
    code = f"""
from dataclasses import replace
from pathlib import Path
from dapflow.local.partition_key import partition_key
from dapflow.local.state import State
from tests.local.test_published import MANIFEST, NEW
tokyo = replace(MANIFEST.services["weather"], timezone="Asia/Tokyo")
manifest = replace(MANIFEST, services={{"weather": tokyo}})
print(partition_key(State.of(Path({str(tmp_path)!r})), manifest, "weather", NEW))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout.splitlines()[-1] == "20240605T0300+0000"
