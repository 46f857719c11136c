"""Names that Glue, S3 and Airflow all take."""

from __future__ import annotations

import re

from dapflow.trino.syntax.reserved_words import RESERVED

# Glue takes 255 characters. Beside a dataset `x` stand `x_history`, `x_latest` and short-lived tables of a run.
MAX_DATASET = 200
MAX_DATABASE = 255
MAX_TABLE = 255
MAX_ENVIRONMENT = 12
# The service's name is part of IAM role names (64 characters) and of Athena workgroup names.
MAX_SERVICE = 32
MAX_COLUMN = 255
# The letters of names, for editors too.
DATASET = "[a-z0-9_]+"
DATABASE = TABLE = "[a-z0-9_-]+"
ENVIRONMENT = "[a-z][a-z0-9]*"
COLUMN = "[a-z0-9]([a-z0-9_]*[a-z0-9])?"
REVIEWER = r"@[A-Za-z0-9-]+(/[A-Za-z0-9._-]+)?|[^@\s#]+@[^@\s#]+"
REVIEWER_FORMS = '"@somebody", "@organisation/team", "somebody@example.org"'


def dataset_name_problem(name: str) -> str | None:
    """Why a dataset cannot have this name, or None."""
    return _problem(name, MAX_DATASET, DATASET, "lower-case letters, digits and _")


def new_dataset_problem(name: str) -> str | None:
    """Why nobody should give a dataset this name, or None. Words of SQL are taken by Glue alone."""
    if name.upper() in RESERVED:
        return "it is a word of SQL, which everyone who reads the table would have to put in quotes"
    return dataset_name_problem(name)


def service_name_problem(name: str) -> str | None:
    """Why a service cannot have this name, or None."""
    return _problem(name, MAX_SERVICE, DATASET, "lower-case letters, digits and _")


def database_name_problem(name: str) -> str | None:
    """Why a database cannot have this name, or None. Hyphens are allowed; SQL must then quote the name."""
    return _problem(name, MAX_DATABASE, DATABASE, "lower-case letters, digits, _ and -")


def environment_name_problem(name: str) -> str | None:
    """Why an environment cannot have this name, or None. A hyphen would make `prod-eu` look like a part of `prod`."""
    if name == "branch":
        return "a git branch's environment has the databases' names behind a prefix of its own"
    return _problem(name, MAX_ENVIRONMENT, ENVIRONMENT, "lower-case letters and digits, a letter first,")


def table_name_problem(name: str) -> str | None:
    """Why a table that something else makes cannot have this name, or None. Hyphens are allowed, as in a database."""
    return _problem(name, MAX_TABLE, TABLE, "lower-case letters, digits, _ and -")


def column_name_problem(name: str) -> str | None:
    """Why a column of a landing file cannot have this name, or None."""
    return _problem(name, MAX_COLUMN, COLUMN, "lower-case letters, digits and _ between them")


def is_reviewer(name: str) -> bool:
    """Whether .github/CODEOWNERS takes this for people: ``@user``, ``@organisation/team``, or an address."""
    return re.fullmatch(REVIEWER, name) is not None


def suggestion(name: str) -> str | None:
    """A name in the allowed letters that resembles this one."""
    near = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")
    return near if near and near != name else None


def _problem(name: str, longest: int, pattern: str, letters: str) -> str | None:
    if len(name) > longest:
        return f"{len(name)} characters are too long; at most {longest}"
    if not re.fullmatch(pattern, name):
        return f"only {letters} are allowed"
    return None
