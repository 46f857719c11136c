"""What a statement's target names, in the session's catalog and database."""

from __future__ import annotations

from dapflow.athena.catalog.session_catalog import CATALOG_NAMES
from dapflow.athena.engine.errors import QueryFailed


def target_of(parts: tuple[str, ...], database: str | None) -> tuple[str, str]:
    """Database and table that ``parts`` (``[[catalog.]database.]table``) names."""
    if len(parts) > 3:
        raise QueryFailed("SYNTAX_ERROR", f"Too many dots in table name: {'.'.join(parts)}")
    if len(parts) == 3 and parts[0].lower() not in CATALOG_NAMES:
        raise QueryFailed("CATALOG_NOT_FOUND", f"Catalog '{parts[0]}' not found")
    schema = parts[-2] if len(parts) > 1 else database
    if not schema:
        raise QueryFailed("MISSING_SCHEMA_NAME", "line 1:1: Schema must be specified when session schema is not set")
    return schema.lower(), parts[-1].lower()
