"""What Athena refuses, in its own words, as a finding: with a code, its place and what to write instead.

The words are those of the analyser or of Athena's answer: ``check`` and ``query`` say the same of the same text.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from dapflow.errors import DapflowError, Severity
from dapflow.sql.fixes import renamed_function
from dapflow.sql.remedies import remedy
from dapflow.sql.sql_text import SqlText
from dapflow.trino.errors import Limit, QueryError

CODES = {
    "SYNTAX_ERROR": "sql-syntax",
    "COLUMN_NOT_FOUND": "unknown-column",
    "AMBIGUOUS_NAME": "ambiguous-column",
    "TABLE_NOT_FOUND": "unknown-table",
    "SCHEMA_NOT_FOUND": "unknown-database",
    "CATALOG_NOT_FOUND": "unknown-database",
    "FUNCTION_NOT_FOUND": "unknown-function",
    "TYPE_MISMATCH": "type-mismatch",
    "EXPRESSION_NOT_AGGREGATE": "not-grouped",
    "INVALID_LITERAL": "bad-literal",
    "INVALID_CAST_ARGUMENT": "bad-literal",
    "DIVISION_BY_ZERO": "division-by-zero",
}
# What Athena refuses by none of these names; a function that is given what it does not take; and what Athena may take.
REFUSED = "athena-refuses"
WRONG_ARGUMENTS = "wrong-arguments"
NOT_SUPPORTED_HERE = "not-supported-here"
_ANSWER = re.compile(r"(?:([A-Z][A-Z0-9_]+): )?(?:line (\d+):(\d+): )?(.*)", re.DOTALL)


def refusal(
    text: SqlText, error: QueryError, functions: Collection[str] = (), otherwise: str = REFUSED
) -> DapflowError:
    """The finding for what Athena, or the analyser in its words, says of a text.

    ``functions`` are those that exist; ``otherwise`` is the code of what has none of its own.

    What only the embedded Athena refuses is a warning: Athena on AWS may run it.
    """
    here = isinstance(error, Limit)
    code = NOT_SUPPORTED_HERE if here else CODES.get(error.error_name, otherwise)
    if error.error_name == "FUNCTION_NOT_FOUND" and error.message.startswith("Unexpected parameters"):
        code = WRONG_ARGUMENTS
    message = f"{error.error_name}: {error.message}" if error.error_name else error.message
    hint = remedy(text, error, functions)
    severity: Severity = "warning" if here else "error"
    if error.line is None:
        return DapflowError(code, message, file=text.file, hint=hint, severity=severity)
    known = error.line <= text.lines
    fix = renamed_function(text.text, text.offset(error.line, error.column or 1)) if known else ()
    return DapflowError(
        code,
        message,
        file=text.file,
        line=error.line,
        column=error.column,
        hint=hint,
        source=text.line(error.line) if known else None,
        severity=severity,
        fix=fix if code == "unknown-function" else (),
    )


def answered(reason: str) -> QueryError:
    """Athena's answer, such as ``TYPE_MISMATCH: line 1:8: Cannot apply …``, in its parts."""
    match = _ANSWER.fullmatch(reason)
    assert match is not None  # noqa: S101 - every text has this form
    place = (int(match[2]), int(match[3])) if match[2] else (None, None)
    return QueryError(match[1] or ("SYNTAX_ERROR" if match[2] else ""), match[4], *place)


def spoken(error: QueryError) -> str:
    """What Athena answers: a syntax error has no name, and everything else has one."""
    if error.error_name != "SYNTAX_ERROR":
        return str(error)
    return str(error).removeprefix("SYNTAX_ERROR: ")
