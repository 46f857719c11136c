"""The suites, and what is known of each."""

from __future__ import annotations

from typing import Final

from tests.athena.suites.suite import Suite
from tests.aws_servers import REGION

_DBT = {
    "S3_STAGING_DIR": "s3://lake/results/",
    "S3_TMP_TABLE_DIR": "s3://lake/tmp/",
    "REGION_NAME": REGION,
    "DATABASE": "awsdatacatalog",
    "SCHEMA": "db",
    "WORK_GROUP": "primary",
    "POLL_INTERVAL": "0.05",
    "NUM_RETRIES": "0",
}
_SQLALCHEMY_SETTINGS = """\
[sqla_testing]
requirement_cls = sqlalchemy_requirements:Requirements
profile_file = profiles.txt
"""
_ATHENA_URL = (
    f"awsathena+rest://:@athena.{REGION}.amazonaws.com:443/db"
    "?s3_staging_dir=s3%3A%2F%2Flake%2Fresults%2F&location=s3%3A%2F%2Flake%2Ftables%2F&poll_interval=0.02"
)
# They make an index before each test, or read keys: Athena has neither.
_NOT_ATHENAS = "not ComponentReflectionTest_ and not HasIndexTest and not QuotedNameArgumentTest"

SUITES: Final = {
    suite.name: suite
    for suite in (
        Suite(
            name="dbt-athena",
            # dbt-core 1.11 and later fetch a binary from elsewhere when they are installed.
            packages=("dbt-athena==1.11.1", "dbt-core>=1.10,<1.11", "dbt-tests-adapter==1.20.0", "pytest>=7,<8"),
            source="dbt-athena==1.11.1",
            arguments=("tests/functional",),
            files={},
            variables={
                **{f"DBT_TEST_ATHENA_{name}": value for name, value in _DBT.items()},
                "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            },
        ),
        Suite(
            name="SQLAlchemy, by PyAthena",
            packages=("PyAthena[SQLAlchemy]==3.31.0", "SQLAlchemy==2.1.9", "pytest>=8,<9"),
            source=None,
            arguments=(
                *("--pyargs", "sqlalchemy.testing.suite", "-p", "sqlalchemy.testing.plugin.pytestplugin"),
                *("-p", "sqlalchemy_requirements", "-c", "setup.cfg", "--rootdir", ".", "--dburi", _ATHENA_URL),
                *("-k", _NOT_ATHENAS),
            ),
            files={"setup.cfg": _SQLALCHEMY_SETTINGS},
            variables={},
        ),
        Suite(
            name="Airflow's system test",
            packages=("apache-airflow==3.3.1", "apache-airflow-providers-amazon==9.34.0", "pytest>=8,<9"),
            source="apache-airflow-providers-amazon==9.34.0",
            arguments=("tests/system/amazon/aws/example_athena.py", "-o", "python_files=example_*.py"),
            files={},
            variables={"AIRFLOW__CORE__LOAD_EXAMPLES": "false", "AIRFLOW__CORE__UNIT_TEST_MODE": "false"},
        ),
    )
}
