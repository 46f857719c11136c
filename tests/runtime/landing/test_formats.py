"""Every format that service.yml takes is one that the run time reads."""

from __future__ import annotations

import pytest

from dapflow.landing_formats import LANDING_FORMATS
from dapflow.manifest import LandingSource
from dapflow.runtime.formats.landing_format import LandingFormat
from dapflow.runtime.formats.registry import format_of


@pytest.mark.parametrize("name", LANDING_FORMATS)
def test_the_run_time_reads_what_service_yml_takes(name: str) -> None:
    landing_format = format_of(LandingSource(name, None))
    assert isinstance(landing_format, LandingFormat)
    # What is typed is no text: the two tell of the same thing, one before and one after a file is opened.
    assert landing_format.is_typed is not LANDING_FORMATS[name].is_text


@pytest.mark.parametrize("name", LANDING_FORMATS)
def test_no_ending_says_two_formats(name: str) -> None:
    others = {ending for other, traits in LANDING_FORMATS.items() if other != name for ending in traits.endings}
    assert not others & set(LANDING_FORMATS[name].endings)
