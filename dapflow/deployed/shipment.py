"""A bundle that is put into the place of the deployed one, where nothing but its manifest is another.

What a deployment does as well, putting files that are not named by their content and removing others, takes nobody's
consent here: where such a file differs, nothing is shipped. So there are two calls, of which the second one switches.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dapflow.branch import FOLDER
from dapflow.bundle import ENTRY, KEPT_MANIFESTS
from dapflow.deployed.bundle import DeployedProject, content, deployed_project
from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import POINTER
from dapflow.runtime.aws import aws_errors, error_code
from dapflow.runtime.bundled_project import read_pointer
from dapflow.runtime.objects import list_objects, split_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MANIFESTS = "manifests/"
_NAMES = "environment.json"
#: Of the run time; named together, because they differ together.
_RUN_TIME = ("dapflow/", ENTRY, ".airflowignore")
_AT_ONCE = 8
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
_OVERTAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409", "404"})


@dataclass(frozen=True)
class StandingBundle:
    """What is deployed of an environment, and as which version of its pointer it was found."""

    uri: str
    etag: str
    project: DeployedProject


def standing_bundle(s3: S3Client, uri: str, *, deploy: str) -> StandingBundle:
    """The bundle below ``uri``, which ends in ``/``. ``deploy`` says how it is deployed.

    Raises DapflowError ``not-deployed``, or what reading the deployed project does.
    """
    bucket, key = split_uri(uri)
    # Before all that is read: whatever is put meanwhile is another version of the pointer.
    etag = _etag(s3, bucket, f"{key}{POINTER}")
    project = deployed_project(s3, uri, deploy=deploy) if etag else None
    if project is None:
        raise DapflowError("not-deployed", f"nothing is deployed below {uri}", hint=deploy)
    return StandingBundle(uri, etag, project)


def _etag(s3: S3Client, bucket: str, key: str) -> str:
    """The version of an object; empty where there is none."""
    with aws_errors():
        try:
            return s3.head_object(Bucket=bucket, Key=key)["ETag"]
        except ClientError as error:
            if error_code(error) in ("404", "NoSuchBucket", "NoSuchKey"):
                return ""
            raise


def other_files(s3: S3Client, standing: StandingBundle, folder: Path, names: Environment) -> list[str]:
    """What a bundle in a folder has otherwise than the one that stands, beside manifest and pointer, in words."""
    own = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    own = {name: file for name, file in own.items() if _is_code(name)}
    with aws_errors():
        listed = {object_.uri.removeprefix(standing.uri): object_ for object_ in list_objects(s3, standing.uri)}
    there = {name: object_ for name, object_ in listed.items() if _is_code(name)}

    def differs(name: str) -> bool:
        if name not in own or name not in there or own[name].stat().st_size != there[name].size:
            return True
        return content(s3, there[name].uri) != own[name].read_bytes()

    every = sorted({*own, *there})
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        differing = [name for name, other in zip(every, pool.map(differs, every), strict=True) if other]
    return _in_words(differing, standing.project.environment, names)


def _is_code(name: str) -> bool:
    return name != POINTER and not name.startswith((_MANIFESTS, f"{FOLDER}/"))


def _in_words(differing: list[str], deployed: Environment, names: Environment) -> list[str]:
    run_time = [name for name in differing if name.startswith(_RUN_TIME)]
    words = [f"dapflow's run time ({len(run_time)} of its files)"] if run_time else []
    if _NAMES in differing:
        settings = (setting.name for setting in fields(names))
        other = [setting for setting in settings if getattr(deployed, setting) != getattr(names, setting)]
        words.append(f"{_NAMES} ({', '.join(other)})" if other else _NAMES)
    # All else is bundled as it stands there.
    return words + [f"dags/{name}" for name in differing if name not in (*run_time, _NAMES)]


def ship(s3: S3Client, standing: StandingBundle, folder: Path) -> None:
    """Put the manifest of a bundle in a folder beside those that stand, and then let the pointer name it.

    Only where the pointer is the one that was found. Killed between any two calls it leaves the old project in force
    or the new one, and can be repeated. Raises DapflowError ``overtaken`` where something else was deployed meanwhile.
    """
    bucket, key = split_uri(standing.uri)
    pointer, manifest = (folder / POINTER).read_bytes(), read_pointer(folder / POINTER).manifest
    with aws_errors():
        s3.put_object(Bucket=bucket, Key=f"{key}{manifest}", Body=(folder / manifest).read_bytes())
        try:
            s3.put_object(Bucket=bucket, Key=f"{key}{POINTER}", Body=pointer, IfMatch=standing.etag)
        except ClientError as error:
            if error_code(error) not in _OVERTAKEN:
                raise
            # An attempt that S3 has answered too late is repeated, and then finds what it has put itself.
            if content(s3, f"{standing.uri}{POINTER}") != pointer:
                raise DapflowError(
                    "overtaken",
                    f"something else was deployed below {standing.uri} meanwhile, and stays in force",
                    hint="ship again: it is compared with what runs then",
                ) from error
        _sweep(s3, standing.uri, bucket, manifest)


def _sweep(s3: S3Client, uri: str, bucket: str, shipped: str) -> None:
    """Delete the oldest manifests; as many stay as after a deployment, for the DAG runs that are under way."""
    # S3 tells times by the second.
    manifests = sorted(
        list_objects(s3, f"{uri}{_MANIFESTS}"),
        key=lambda object_: (object_.uri == f"{uri}{shipped}", object_.modified),
    )
    for object_ in manifests[:-KEPT_MANIFESTS]:
        s3.delete_object(Bucket=bucket, Key=split_uri(object_.uri)[1])
