"""``Custom::DapflowBranch``: what a branch brings to its host, which is data, and what it gets there.

Its template was written by whoever pushed the branch, and so were the properties and the files. Nothing of them is
believed: which branch it is follows from the name of the stack, which CloudFormation sends; the files are a manifest
and the names of the environment, as JSON, and Airflow loads the entry that the host wrote. Whether the names are the
branch's own is checked by the host's run time. Nor need a template let its resource be deleted (``DeletionPolicy``), so
every hour what no stack stands for any more is removed.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import re
import time
import zipfile
from typing import Any

import boto3

# In Lambda the modules lie side by side, in no package.
resources = importlib.import_module(f"{__package__}.resources" if __package__ else "resources")

Event = dict[str, Any]

_FILES = re.compile(r"manifest\.json|environment\.json|manifests/[0-9a-f]{16}\.json")
_LARGEST = 50_000_000
_SERVICE = re.compile(r"[a-z0-9_]{1,32}")
# Seconds; a minute together.
_PAUSES = (1, 2, 4, 8, 16, 32)
# Beside the bundle: the services whose connections were made.
_CONNECTIONS = "connections.json"


def branch(event: Event) -> str:
    """Put the bundle of a branch below its host's, and make its connections; or remove all that is the branch's."""
    slug = slug_of(event["StackId"])
    prefix = f"{os.environ['BUNDLES']}{slug}/"
    s3 = boto3.client("s3")
    if event["RequestType"] == "Delete":
        _remove(s3, slug)
        return prefix
    key = str(event["ResourceProperties"]["AssetKey"])
    if not key.startswith(os.environ["ASSETS"]):
        raise ValueError(f"{key} is no asset of a branch")
    files = data_of(s3.get_object(Bucket=os.environ["DATA_BUCKET"], Key=key)["Body"].read())
    # Without an entry Airflow has no part in it: `dapflow branch run` builds the branch.
    services = services_of(files) if os.environ["ENTRY"] else []
    before = _connected(s3, prefix)
    # Noted before it is made, so that nothing is left of a deployment that breaks off.
    files[_CONNECTIONS] = json.dumps(sorted({*before, *services})).encode()
    s3.put_object(Bucket=os.environ["AIRFLOW_BUCKET"], Key=prefix + _CONNECTIONS, Body=files[_CONNECTIONS])
    _connect(slug, services)
    if os.environ["ENTRY"]:
        entry = s3.get_object(Bucket=os.environ["AIRFLOW_BUCKET"], Key=os.environ["ENTRY"])["Body"].read()
        files[os.environ["ENTRY"].rsplit("/", 1)[1]] = entry
    resources.put_files(s3, os.environ["AIRFLOW_BUCKET"], prefix, files)
    return prefix


def sweep() -> None:
    """Remove what belongs to branches whose bundle has no stack any more."""
    # Bundles first: one that comes in between has its stack already when stacks are listed.
    s3, prefix = boto3.client("s3"), os.environ["BUNDLES"]
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=os.environ["AIRFLOW_BUCKET"], Prefix=prefix, Delimiter="/"
    )
    present = [
        folder["Prefix"].removeprefix(prefix)[:-1] for page in pages for folder in page.get("CommonPrefixes", [])
    ]
    stacks = boto3.client("cloudformation").get_paginator("describe_stacks").paginate()
    standing = {stack["StackName"] for page in stacks for stack in page["Stacks"]}
    for slug in present:
        if f"{os.environ['STACKS']}-{slug}-bundle" not in standing:
            print(json.dumps({"removed": slug}))
            _remove(s3, slug)


def _remove(s3: Any, slug: str) -> None:
    """All that is a branch's: its bundle, connections and data."""
    prefix = f"{os.environ['BUNDLES']}{slug}/"
    made = _connected(s3, prefix)
    # The DAGs first: what Airflow no longer runs writes no more data.
    resources.delete_everything(s3, os.environ["AIRFLOW_BUCKET"], prefix)
    _disconnect(slug, made)
    resources.delete_everything(s3, os.environ["DATA_BUCKET"], f"{slug}/")


def slug_of(stack: str) -> str:
    """The branch that a stack belongs to, by the ARN of the stack: ``…:stack/dapflow-branch-<slug>-bundle/…``."""
    pattern = rf"arn:[^/]+:stack/{re.escape(os.environ['STACKS'])}-([a-z][a-z0-9-]*-[0-9a-f]{{6}})-bundle/[^/]+"
    match = re.fullmatch(pattern, stack)
    if match is None:
        raise ValueError(f"{stack} is not the stack of a branch's bundle")
    return match[1]


def data_of(archive: bytes) -> dict[str, bytes]:
    """The files of a branch's bundle, by name. Raises ValueError for any file that could be more than data.

    JSON as it is specified holds no control characters, so none of these files is a zip archive at the same time:
    Airflow loads DAGs from archives, whatever they are called.
    """
    files = {}
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for item in opened.infolist():
            if item.is_dir():
                continue
            if not _FILES.fullmatch(item.filename):
                raise ValueError(f"{item.filename}: a branch brings a manifest and environment.json, and no other file")
            if item.file_size > _LARGEST:
                raise ValueError(f"{item.filename} has {item.file_size} bytes; {_LARGEST} are the most")
            text = opened.read(item).decode("utf-8")
            json.loads(text, strict=True)
            files[item.filename] = text.encode()
    if resources.POINTER not in files:
        raise ValueError(f"the bundle has no {resources.POINTER}")
    return files


def services_of(files: dict[str, bytes]) -> list[str]:
    """The services of the manifest in force."""
    manifest = json.loads(files[str(json.loads(files[resources.POINTER])["manifest"])])
    services = sorted(manifest["services"])
    if wrong := [name for name in services if not _SERVICE.fullmatch(name)]:
        raise ValueError(f"{wrong[0]!r} is no name of a service")
    return services


def _connected(s3: Any, prefix: str) -> list[str]:
    try:
        answer = s3.get_object(Bucket=os.environ["AIRFLOW_BUCKET"], Key=prefix + _CONNECTIONS)
    except s3.exceptions.NoSuchKey:
        return []
    services: list[str] = json.loads(answer["Body"].read())
    return services


def _name(slug: str, service: str) -> str:
    return f"{os.environ['CONNECTIONS']}{slug.replace('-', '_')}_{service}"


def _connect(slug: str, services: list[str]) -> None:
    """Airflow's connection of each service: the host's role for it, in a session that is tagged with the branch."""
    secrets = boto3.client("secretsmanager")
    values = dict(zip(json.loads(os.environ["TAGS"]), (slug, slug.replace("-", "_")), strict=True))
    for service in services:
        extra = {
            "role_arn": f"{os.environ['ROLES']}-{service}-runner",
            "region_name": os.environ["AWS_REGION"],
            "assume_role_kwargs": {"Tags": [{"Key": key, "Value": value} for key, value in values.items()]},
        }
        _put(secrets, _name(slug, service), json.dumps({"conn_type": "aws", "extra": extra}, sort_keys=True))


def _put(secrets: Any, name: str, text: str) -> None:
    """Make a secret, or change it; where the one before is still being deleted, when it is gone.

    A branch that is closed and opened again asks for that: secrets are deleted some time after Secrets Manager said so.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
    """
    for pause in (*_PAUSES, None):
        try:
            try:
                secrets.create_secret(Name=name, SecretString=text, KmsKeyId=os.environ["KEY"])
            except secrets.exceptions.ResourceExistsException:
                secrets.put_secret_value(SecretId=name, SecretString=text)
        except secrets.exceptions.InvalidRequestException:
            if pause is None:
                raise
            time.sleep(pause)
        else:
            return


def _disconnect(slug: str, services: list[str]) -> None:
    secrets = boto3.client("secretsmanager")
    for service in services:
        try:
            secrets.delete_secret(SecretId=_name(slug, service), ForceDeleteWithoutRecovery=True)
        except secrets.exceptions.ResourceNotFoundException:
            continue


_answered = resources.answered(branch)


def handler(event: Event, context: Any) -> None:
    """CloudFormation's requests, which say what they ask for, and the hourly event, which says nothing."""
    if "RequestType" in event:
        _answered(event, context)
    else:
        sweep()
