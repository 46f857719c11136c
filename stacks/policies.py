"""IAM policy documents as plain data, so that they can be read, compared and evaluated without AWS.

No document here names an action by a pattern. Where a resource is a pattern, it is a prefix that ends in ``/`` or a
Glue table of a database that the service owns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stacks.access import BASE, BASE_RESULTS, Access, Area, ReadableDatabase

# Why a statement of a runner role or an analyst's policy names its resources by a pattern, by its Sid.
PATTERNS = {
    "DecryptByAlias": "Keys by the alias of the environment whose data a branch reads, or of the host of branches that "
    "are taken over from; through S3 only.",
    "Editor": "The query editor lists workgroups and catalogs before one is chosen; AWS takes no resource for a list.",
    "GrantedCatalog": "Every table of one Glue database, which another service's owner granted as a whole.",
    "OwnCatalog": "Every table of the service's own Glue databases: tables come and go with its products.",
    "Queries": "The workgroups that one service has on branches, by the service's name at their end.",
    "Read": "Every object below prefixes that end in /, the service's own, on branches too, or granted ones.",
    "ReadCatalog": "Every table of the service's own Glue databases, or of databases granted as a whole.",
    "Secrets": "Every secret below the service's own prefix.",
    "Write": "Every object below the service's own prefixes, which end in /.",
}

Statement = dict[str, Any]
Document = dict[str, Any]

_GLUE_READ = [
    "glue:GetDatabase",
    "glue:GetDatabases",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:GetTable",
    "glue:GetTables",
    "glue:BatchGetPartition",
]
_GLUE_WRITE = [
    # Of many partitions at once, as Athena and Glue's clients ask: the same rights as for one.
    "glue:BatchCreatePartition",
    "glue:BatchDeletePartition",
    "glue:BatchUpdatePartition",
    "glue:CreatePartition",
    "glue:CreateTable",
    "glue:DeletePartition",
    "glue:DeleteTable",
    "glue:UpdatePartition",
    "glue:UpdateTable",
]
_ATHENA_RUN = [
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:GetQueryResultsStream",
    "athena:GetWorkGroup",
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
]
_ATHENA_WORKBENCH = [
    "athena:BatchGetQueryExecution",
    "athena:CreateNamedQuery",
    "athena:CreatePreparedStatement",
    "athena:DeleteNamedQuery",
    "athena:DeletePreparedStatement",
    "athena:GetNamedQuery",
    "athena:GetPreparedStatement",
    "athena:GetQueryRuntimeStatistics",
    "athena:ListNamedQueries",
    "athena:ListPreparedStatements",
    "athena:ListQueryExecutions",
    "athena:UpdateNamedQuery",
    "athena:UpdatePreparedStatement",
]
_OBJECT_WRITE = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:ListMultipartUploadParts", "s3:PutObject"]


def document(*statements: Statement) -> Document:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(sid: str, actions: Iterable[str], resources: Iterable[Any], condition: Any = None) -> Statement:
    """A statement that allows."""
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    if condition:
        statement["Condition"] = condition
    return statement


def assumable_by(role_arn: Any, *, tags: Iterable[str] = ()) -> Document:
    """A trust policy: this one role, and nobody else; with ``tags``, only for a session that carries these."""
    statement: Statement = {"Sid": "OnlyThisRole", "Effect": "Allow", "Principal": {"AWS": role_arn}}
    if not tags:
        return document({**statement, "Action": "sts:AssumeRole"})
    needed = {f"aws:RequestTag/{tag}": "?*" for tag in tags}
    # STS asks for both actions where a session is tagged:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
    return document({**statement, "Action": ["sts:AssumeRole", "sts:TagSession"], "Condition": {"StringLike": needed}})


def assumable_by_service(service: str, condition: Any = None) -> Document:
    """A trust policy: an AWS service."""
    statement: Statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return document(statement)


def runner(access: Access, keys: Mapping[str, Any]) -> Document:
    """What a service's queries and publications need, and no more. ``keys`` are key ARNs by zone and ``platform``."""
    written = (*access.writes, *access.offers, access.results)
    areas = (*access.areas, *access.offers, *access.takes)
    return document(
        allow("Queries", _ATHENA_RUN, [_workgroup(access)]),
        *_glue("Own", [*_GLUE_READ, *_GLUE_WRITE], access, access.owns),
        *_glue("Granted", _GLUE_READ, access, access.may_read),
        _default_database(access),
        *_objects(areas, written),
        *_branches_listed(access),
        *_keys(access, keys, areas, written),
        allow("Secrets", ["secretsmanager:GetSecretValue"], [_secrets(access)]),
        allow(
            "SecretsKey",
            ["kms:Decrypt"],
            [keys["platform"]],
            {
                "StringEquals": {"kms:ViaService": f"secretsmanager.{access.region}.amazonaws.com"},
                "StringLike": {"kms:EncryptionContext:SecretARN": _secrets(access)},
            },
        ),
        *_alerts(access, keys),
    )


def analyst(access: Access, keys: Mapping[str, Any], airflow: str | None) -> Document:
    """What the people of a service need: read what is theirs and granted, write results, look at Airflow."""
    statements = [
        allow("Queries", [*_ATHENA_RUN, *_ATHENA_WORKBENCH], [_workgroup(access)]),
        # The query editor lists these before a workgroup is chosen; they name things and show no data.
        allow("Editor", ["athena:ListDataCatalogs", "athena:ListWorkGroups"], ["*"]),
        allow(
            "EditorCatalog",
            [
                "athena:GetDataCatalog",
                "athena:GetDatabase",
                "athena:GetTableMetadata",
                "athena:ListDatabases",
                "athena:ListTableMetadata",
            ],
            [f"arn:aws:athena:{access.region}:{access.account}:datacatalog/AwsDataCatalog"],
        ),
        *_glue("Read", _GLUE_READ, access, (*access.owns, *access.may_read)),
        _default_database(access),
        *_objects(access.areas, (access.results,)),
        *_keys(access, keys, access.areas, (access.results,)),
    ]
    if airflow is not None:
        statements.append(
            allow(
                "Airflow",
                ["airflow:CreateWebLoginToken"],
                [f"arn:aws:airflow:{access.region}:{access.account}:role/{airflow}/Viewer"],
            )
        )
    return document(*statements)


def _alerts(access: Access, keys: Mapping[str, Any]) -> list[Statement]:
    """To tell a service's people, through a topic that is encrypted with the platform's key.

    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#sns-what-permissions-for-sse
    """
    if not access.alerts:
        return []
    through = {
        "kms:ViaService": f"sns.{access.region}.amazonaws.com",
        "kms:EncryptionContext:aws:sns:topicArn": access.alerts,
    }
    return [
        allow("Alerts", ["sns:Publish"], [access.alerts]),
        allow("AlertsKey", ["kms:Decrypt", "kms:GenerateDataKey"], [keys["platform"]], {"StringEquals": through}),
    ]


def _workgroup(access: Access) -> str:
    return f"arn:aws:athena:{access.region}:{access.account}:workgroup/{access.workgroup}"


def _secrets(access: Access) -> str:
    return f"arn:aws:secretsmanager:{access.region}:{access.account}:secret:{access.secrets}*"


def _glue(sid: str, actions: list[str], access: Access, catalogs: Iterable[ReadableDatabase]) -> list[Statement]:
    stem = f"arn:aws:glue:{access.region}:{access.account}"
    resources = [
        arn
        for catalog in catalogs
        for arn in (
            f"{stem}:database/{catalog.database}",
            *(f"{stem}:table/{catalog.database}/{table}" for table in catalog.tables or ("*",)),
        )
    ]
    # Glue asks for every ARN from the catalog down to the table, so the catalog alone gives nothing.
    return [allow(f"{sid}Catalog", actions, [f"{stem}:catalog", *resources])] if resources else []


def _default_database(access: Access) -> Statement:
    # Athena looks at the database `default` before any DDL statement, whatever database the statement names.
    stem = f"arn:aws:glue:{access.region}:{access.account}"
    return allow("AthenaDefault", ["glue:GetDatabase"], [f"{stem}:catalog", f"{stem}:database/default"])


def _objects(areas: tuple[Area, ...], written: tuple[Area, ...]) -> list[Statement]:
    buckets: dict[str, list[str]] = {}
    for area in areas:
        buckets.setdefault(area.bucket, []).append(area.prefix)
    lists = [
        # s3:prefix must be below one of the prefixes: a list of `air` must not show `air_traffic/`.
        allow(
            f"List{number}",
            ["s3:ListBucket"],
            [f"arn:aws:s3:::{bucket}"],
            {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in dict.fromkeys(prefixes)]}},
        )
        for number, (bucket, prefixes) in enumerate(buckets.items())
    ]
    return [
        allow("Locate", ["s3:GetBucketLocation"], [f"arn:aws:s3:::{bucket}" for bucket in buckets]),
        *lists,
        allow("Read", ["s3:GetObject"], [_objects_of(area) for area in areas]),
        allow("Write", _OBJECT_WRITE, [_objects_of(area) for area in written]),
    ]


def _branches_listed(access: Access) -> list[Statement]:
    """The slugs of branches, and nothing below them: a list of the whole bucket shows what lies at its top alone."""
    buckets = dict.fromkeys(f"arn:aws:s3:::{area.bucket}" for area in access.takes)
    top = {"StringEquals": {"s3:prefix": "", "s3:delimiter": "/"}}
    return [allow("ListBranches", ["s3:ListBucket"], buckets, top)] if buckets else []


def _objects_of(area: Area) -> str:
    return f"arn:aws:s3:::{area.bucket}/{area.prefix}*"


def _keys(
    access: Access, keys: Mapping[str, Any], areas: tuple[Area, ...], written: tuple[Area, ...]
) -> list[Statement]:
    """Keys are used through S3 only, and only for the buckets of the areas.

    Athena encrypts all that a query writes, the target of an UNLOAD too, with the key of the workgroup's results.
    Hence the results' key beside each zone's own, and for a branch the one of its base's results too.
    """

    def via_s3(areas: Iterable[Area]) -> Any:
        arns = dict.fromkeys(f"arn:aws:s3:::{area.bucket}" for area in areas)
        return {
            "StringEquals": {"kms:ViaService": f"s3.{access.region}.amazonaws.com"},
            # The bucket where a bucket key is used, as ours do; the object where it is not, as in an adopted bucket.
            "StringLike": {
                "kms:EncryptionContext:aws:s3:arn": [resource for arn in arns for resource in (arn, f"{arn}/*")]
            },
        }

    def of(areas: Iterable[Area]) -> list[Any]:
        zones = dict.fromkeys([*(area.zone for area in areas), "athena-results"])
        # What a branch reads, the base's own queries have written.
        results = [BASE_RESULTS] if any(zone.startswith(BASE) for zone in zones) else []
        return list(dict.fromkeys(keys[zone] for zone in (*zones, *results)))

    # The key of another environment, which may not be there yet, is known by its alias. A condition can name it:
    # https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-resource-aliases
    aliases = [key for key in of(areas) if str(key).startswith("alias/")]
    by_alias = {**via_s3(areas), "ForAnyValue:StringEquals": {"kms:ResourceAliases": aliases}}
    any_key = f"arn:aws:kms:{access.region}:{access.account}:key/*"
    return [
        allow("Decrypt", ["kms:Decrypt"], [key for key in of(areas) if key not in aliases], via_s3(areas)),
        *([allow("DecryptByAlias", ["kms:Decrypt"], [any_key], by_alias)] if aliases else []),
        allow("Encrypt", ["kms:GenerateDataKey"], of(written), via_s3(written)),
    ]
