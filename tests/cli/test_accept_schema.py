"""``dapflow accept-schema`` on the embedded platform."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.local.projects import LocalProject

BAYS = "garages.raw.bays"


@pytest.mark.slow
def test_a_load_that_stops_is_accepted_and_goes_on(platform: LocalProject) -> None:
    platform.write("transforms/garages/service.yml", "title: Garages\nsources: {bays: {}}\n")
    platform.write("transforms/garages/refined/free_bays.sql", "SELECT id, free FROM bays\n")
    for day, text in (("2024-06-05", "id,free\n1,2\n"), ("2024-06-06", "id,free\n1,none\n")):
        platform.write("bays.csv", text)
        platform.run("land", str(platform.root / "bays.csv"), "--to", "garages.bays", "--date", day)
    platform.run("run", "garages", "-g", "2024-06-05")
    stopped = platform.run("run", BAYS, "-g", "2024-06-06", check=False)
    assert "another type" in stopped.stderr
    assert "free is read by garages.refined.free_bays (transforms/garages/refined/free_bays.sql:1:12)" in stopped.stderr
    errors = json.loads(platform.run("run", BAYS, "-g", "2024-06-06", "--json", check=False).stdout)["errors"]
    assert errors[-1]["readers"][0]["breaks"] is True

    asked = platform.run("accept-schema", BAYS, check=False, stdin=subprocess.DEVNULL)
    assert (asked.returncode, "say --yes" in asked.stderr) == (1, True)
    told = json.loads(platform.run("accept-schema", BAYS, "--yes", "--json").stdout)
    assert [change["successor"] for change in told["accepted"]] == ["free_string"]
    assert "Nothing is to be accepted" in platform.run("accept-schema", BAYS, "--yes").stdout
    platform.run("run", "garages", "-g", "2024-06-06")

    platform.write("transforms/garages/refined/free_bays.sql", "SELECT id FROM bays\n")
    assert "column free is gone" in platform.run("run", "free_bays", check=False).stderr
    assert "free may be missing" in platform.run("accept-schema", "free_bays", "--yes").stdout
    platform.run("run", "free_bays")
    platform.write("transforms/garages/refined/free_bays.sql", "SELECT CAST(id AS varchar) AS id FROM bays\n")
    refused = platform.run("accept-schema", "free_bays", "--yes", check=False)
    assert "give the column another name" in refused.stderr
