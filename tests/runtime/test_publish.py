"""What a user relies on when a generation is published."""

from __future__ import annotations

from tests.runtime.lake import DAY, Lake

PLANES = "tailnum,seats\nN1,100\nN2,200\n"


def test_raw_table_becomes_a_product(lake: Lake) -> None:
    planes = lake.raw("planes")
    lake.land(planes, planes_csv=PLANES)
    done = lake.publish(planes)
    assert (done.rows, done.generation, done.current, done.replaced) == (2, DAY, DAY, None)
    assert lake.rows(planes) == [("N1", "100"), ("N2", "200")]

    large = lake.product(
        "large", "SELECT tailnum, seats FROM planes WHERE seats > 150 -- big ones", [("planes", planes.id)]
    )
    done = lake.publish(large)
    assert done.rows == 1
    assert lake.query("SELECT * FROM air_traffic_refined_zone.large") == [
        {
            "tailnum": "N2",
            "seats": "200",
            "import_year": "2013",
            "import_month": "12",
            "import_day": "31",
            "import_date": "20131231",
        }
    ]
    assert lake.tables("raw") == {"planes", "planes_history"}
    assert lake.tables("refined") == {"large", "large_history"}
