"""Custom resources: the bundle that Airflow loads, prefixes that are emptied at the end, and Airflow's pools."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import boto3
from botocore.exceptions import ClientError

# As in dapflow, of which nothing is here; a test compares them.
POINTER = "manifest.json"
KEPT_MANIFESTS = 20
# Of the reason in an answer, whose ids may take half of the room; six bytes a letter at most. The log has all of it.
_MOST_LETTERS = 300

Event = dict[str, Any]


def answered(handle: Callable[[Event], str]) -> Callable[[Event, Any], None]:
    """Wrap ``handle(event) -> physical id`` into a Lambda handler that always answers.

    A custom resource that does not answer keeps CloudFormation waiting for an hour. An answer has 4,096 bytes at most,
    and all of one resource have one id.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
    """

    def handler(event: Event, context: Any) -> None:
        physical_id = str(event.get("PhysicalResourceId", event["LogicalResourceId"]))
        try:
            made, status, reason = str(handle(event)), "SUCCESS", ""
            if event["RequestType"] != "Delete":
                physical_id = made
        except Exception as error:  # noqa: BLE001 - whatever it is, CloudFormation must hear of it
            status, reason = "FAILED", f"{type(error).__name__}: {error}"
        print(json.dumps({"request": event["RequestType"], "id": physical_id, "status": status, "reason": reason}))
        answer = {
            "Status": status,
            "Reason": f"{reason[:_MOST_LETTERS]} (see {context.log_stream_name})".strip(),
            "PhysicalResourceId": physical_id,
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
        }
        request = urllib.request.Request(  # noqa: S310 - the address is CloudFormation's
            event["ResponseURL"],
            data=json.dumps(answer, ensure_ascii=False).encode(),
            method="PUT",
            headers={"Content-Type": ""},
        )
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310

    return handler


def bundle(event: Event) -> str:
    """Custom::DapflowBundle: a bundle below a prefix of the Airflow bucket."""
    properties = event["ResourceProperties"]
    s3 = boto3.client("s3")
    bucket, prefix = properties["Bucket"], properties["Prefix"]
    if event["RequestType"] == "Delete":
        if properties["Remove"] == "true":
            delete_everything(s3, bucket, prefix)
    else:
        archive = s3.get_object(Bucket=properties["AssetBucket"], Key=properties["AssetKey"])["Body"].read()
        publish(s3, bucket, prefix, archive)
    return f"{bucket}/{prefix}"


def publish(s3: Any, bucket: str, prefix: str, archive: bytes) -> None:
    """Upload a packed bundle; see ``put_files``."""
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        put_files(s3, bucket, prefix, {name: files.read(name) for name in files.namelist() if not name.endswith("/")})


def put_files(s3: Any, bucket: str, prefix: str, files: dict[str, bytes]) -> None:
    """Upload a bundle's files so that no reader ever sees half of it.

    Manifests are named by their content and come first, the pointer to the one in force comes last, and only then is
    removed what the bundle no longer has. Earlier manifests stay for the DAG runs that are under way.
    """
    # False sorts before True.
    for name in sorted(files, key=lambda name: (name == POINTER, not name.startswith("manifests/"), name)):
        s3.put_object(Bucket=bucket, Key=prefix + name, Body=files[name])
    wanted = {prefix + name for name in files}
    present = list(_keys(s3, bucket, prefix))
    manifests = sorted((changed, key) for key, changed in present if key.startswith(f"{prefix}manifests/"))
    wanted.update(key for _, key in manifests[-KEPT_MANIFESTS:])
    # Branch environments have bundles of their own below the main one.
    gone = [key for key, _ in present if key not in wanted and not key.startswith(f"{prefix}branches/")]
    _delete(s3, bucket, ({"Key": key} for key in gone))


def emptied(event: Event) -> str:
    """Custom::DapflowEmptied: when it is deleted, so is everything below a prefix of a bucket."""
    properties = event["ResourceProperties"]
    if event["RequestType"] == "Delete":
        delete_everything(boto3.client("s3"), properties["Bucket"], properties["Prefix"])
    return f"{properties['Bucket']}/{properties['Prefix']}"


def pools(event: Event) -> str:
    """Custom::DapflowPools: the Airflow pools that bound each service's concurrent queries.

    Airflow never starts a task whose pool does not exist, and CloudFormation knows no pools. A pool stays when its
    service goes: a run that is under way may hold a slot of it.
    """
    properties = event["ResourceProperties"]
    name = properties["Environment"]
    if event["RequestType"] != "Delete":
        airflow = boto3.client("mwaa")
        present = set(_pools(airflow, name))
        for pool in properties["Pools"]:
            if pool not in present:
                _make_pool(airflow, name, {"name": pool, "slots": int(properties["Slots"]), "include_deferred": True})
    return f"{name}/pools"


def _pools(airflow: Any, name: str) -> Iterator[str]:
    """The pools there are. Airflow gives at most 100 a page, whatever limit is asked for."""
    offset, total = 0, 1
    while offset < total:
        query = {"limit": 100, "offset": offset, "order_by": "id"}
        answer = airflow.invoke_rest_api(Name=name, Path="/pools", Method="GET", QueryParameters=query)
        page = answer["RestApiResponse"]
        yield from (pool["name"] for pool in page["pools"])
        # An empty page ends it too, whatever the total says.
        offset, total = offset + len(page["pools"]), page["total_entries"] if page["pools"] else 0


def _make_pool(airflow: Any, name: str, pool: dict[str, Any]) -> None:
    """Make a pool; one that somebody made in the meantime is as good."""
    try:
        airflow.invoke_rest_api(Name=name, Path="/pools", Method="POST", Body=pool)
    except ClientError as error:
        if error.response.get("RestApiStatusCode") != 409:
            raise


def delete_everything(s3: Any, bucket: str, prefix: str) -> None:
    """Delete all below the prefix: objects, their old versions, and the markers of deleted ones."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        _delete(s3, bucket, ({"Key": item["Key"], "VersionId": item["VersionId"]} for item in versions))


def _keys(s3: Any, bucket: str, prefix: str) -> Iterator[tuple[str, Any]]:
    """Every key below the prefix, with the time of its last change."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            yield item["Key"], item["LastModified"]


def _delete(s3: Any, bucket: str, objects: Iterable[dict[str, str]]) -> None:
    """Delete objects, a thousand a call, and fail when one stays."""
    waiting = list(objects)
    for start in range(0, len(waiting), 1000):
        batch = waiting[start : start + 1000]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
        if answer.get("Errors"):
            first = answer["Errors"][0]
            raise RuntimeError(f"{len(answer['Errors'])} objects stay, the first: {first['Key']}: {first['Message']}")


bundle_handler = answered(bundle)
emptied_handler = answered(emptied)
pools_handler = answered(pools)
