"""Data catalogs, databases and tables as Athena's own operations show them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from dapflow.athena.api.protocol import ApiError, given, invalid_request, page
from dapflow.athena.engine.errors import QueryFailed
from dapflow.servers.patience import PatternError, matching

if TYPE_CHECKING:
    from dapflow.athena.api.api_context import ApiContext, Operation

_KIND = "data_catalog"
GLUE = "AwsDataCatalog"


def _metadata(message: str) -> ApiError:
    return ApiError("MetadataException", message)


def _not_there() -> ApiError:
    """A database or table that Glue does not have. PyAthena and other clients look for the error code in the text."""
    return _metadata(
        "Entity Not Found (Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException; "
        f"Request ID: {uuid.uuid4()}; Proxy: null)"
    )


def _catalog(service: ApiContext, name: str) -> dict[str, Any]:
    if name.lower() == GLUE.lower():
        return {"Name": GLUE, "Description": "AWS Glue Data Catalog", "Type": "GLUE", "Parameters": {}}
    catalog = service.engine.state.get(_KIND, name)
    if catalog is None:
        raise invalid_request(f"DataCatalog {name} was not found")
    return catalog


def _need_glue(service: ApiContext, name: str) -> None:
    if _catalog(service, name)["Type"] != "GLUE":
        raise _metadata(f"The data catalog {name} cannot be reached: only the Glue catalog is served")


def create_data_catalog(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """CreateDataCatalog: kept, though only Glue's is served."""
    name = request["Name"]
    if name.lower() == GLUE.lower() or service.engine.state.get(_KIND, name) is not None:
        raise invalid_request(f"DataCatalog {name} has already been created")
    kept = given(request, "Name", "Type", "Description", "Parameters")
    service.engine.state.put(_KIND, name, kept)
    return {"DataCatalog": kept}


def get_data_catalog(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """GetDataCatalog."""
    return {"DataCatalog": _catalog(service, request["Name"])}


def list_data_catalogs(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """ListDataCatalogs."""
    catalogs = [{"CatalogName": GLUE, "Type": "GLUE"}] + [
        {"CatalogName": item["Name"], "Type": item["Type"]} for item in service.engine.state.documents(_KIND)
    ]
    shown, token = page(catalogs, request.get("NextToken"), request.get("MaxResults", 50))
    return {"DataCatalogsSummary": shown, **({"NextToken": token} if token else {})}


def update_data_catalog(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """UpdateDataCatalog."""
    catalog = service.engine.state.get(_KIND, request["Name"])
    if catalog is None:
        raise invalid_request(f"DataCatalog {request['Name']} was not found")
    changes = given(request, "Type", "Description", "Parameters")
    service.engine.state.put(_KIND, request["Name"], {**catalog, **changes})
    return {}


def delete_data_catalog(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """DeleteDataCatalog."""
    catalog = service.engine.state.get(_KIND, request["Name"])
    if catalog is None:
        raise invalid_request(f"DataCatalog {request['Name']} was not found")
    service.engine.state.remove(_KIND, request["Name"])
    return {"DataCatalog": catalog}


def _database(database: dict[str, Any]) -> dict[str, Any]:
    shown = {"Name": database["Name"], "Parameters": database.get("Parameters") or {}}
    if database.get("Description"):
        shown["Description"] = database["Description"]
    return shown


def get_database(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """GetDatabase."""
    _need_glue(service, request["CatalogName"])
    database = _asked(lambda: service.engine.metastore.database(request["DatabaseName"].lower()))
    if database is None:
        raise _not_there()
    return {"Database": _database(database)}


def list_databases(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """ListDatabases."""
    _need_glue(service, request["CatalogName"])
    databases = [_database(item) for item in _asked(service.engine.metastore.databases)]
    shown, token = page(databases, request.get("NextToken"), request.get("MaxResults", 50))
    return {"DatabaseList": shown, **({"NextToken": token} if token else {})}


def _columns(columns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "Name": column["Name"],
            "Type": column.get("Type") or "string",
            **({"Comment": column["Comment"]} if column.get("Comment") else {}),
        }
        for column in columns
    ]


def _table(table: dict[str, Any]) -> dict[str, Any]:
    storage = table.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    parameters = {
        **(table.get("Parameters") or {}),
        **{f"serde.param.{key}": value for key, value in (serde.get("Parameters") or {}).items()},
    }
    for key, value in (
        ("inputformat", storage.get("InputFormat")),
        ("outputformat", storage.get("OutputFormat")),
        ("location", storage.get("Location")),
        ("serde.serialization.lib", serde.get("SerializationLibrary")),
    ):
        if value:
            parameters[key] = value
    shown = {
        "Name": table["Name"],
        "TableType": table.get("TableType") or "EXTERNAL_TABLE",
        "Columns": _columns(storage.get("Columns", [])),
        "PartitionKeys": _columns(table.get("PartitionKeys") or []),
        "Parameters": parameters,
    }
    for key, name in (("CreateTime", "CreateTime"), ("LastAccessTime", "LastAccessTime")):
        if table.get(key) is not None:
            shown[name] = table[key].timestamp()
    return shown


def get_table_metadata(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """GetTableMetadata."""
    _need_glue(service, request["CatalogName"])
    database, name = request["DatabaseName"].lower(), request["TableName"].lower()
    table = _asked(lambda: service.engine.metastore.table(database, name))
    if table is None:
        raise _not_there()
    return {"TableMetadata": _table(table)}


def list_table_metadata(service: ApiContext, request: dict[str, Any]) -> dict[str, Any]:
    """ListTableMetadata. ``Expression`` is a regular expression."""
    _need_glue(service, request["CatalogName"])
    database = request["DatabaseName"].lower()
    if _asked(lambda: service.engine.metastore.database(database)) is None:
        raise _not_there()
    expression = request.get("Expression")
    tables = _asked(lambda: service.engine.metastore.tables(database))
    names = [item["Name"] for item in tables]
    try:
        wanted = matching(expression.replace("*", ".*"), names) if expression else set(names)
    except PatternError:
        raise invalid_request(f"Expression is not a regular expression: {expression}") from None
    except TimeoutError:
        raise invalid_request(f"Expression takes too long to match: {expression}") from None
    described = [_table(item) for item in tables if item["Name"] in wanted]
    shown, token = page(described, request.get("NextToken"), request.get("MaxResults", 50))
    return {"TableMetadataList": shown, **({"NextToken": token} if token else {})}


def _asked(call: Any) -> Any:
    try:
        return call()
    except QueryFailed as error:
        raise _metadata(str(error)) from error


OPERATIONS: dict[str, Operation] = {
    "CreateDataCatalog": create_data_catalog,
    "GetDataCatalog": get_data_catalog,
    "ListDataCatalogs": list_data_catalogs,
    "UpdateDataCatalog": update_data_catalog,
    "DeleteDataCatalog": delete_data_catalog,
    "GetDatabase": get_database,
    "ListDatabases": list_databases,
    "GetTableMetadata": get_table_metadata,
    "ListTableMetadata": list_table_metadata,
}
