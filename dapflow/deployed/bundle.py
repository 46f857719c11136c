"""The project that is deployed in an environment or a branch, out of the bucket where its bundle lies."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dapflow.branch import FOLDER
from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import POINTER, Manifest
from dapflow.runtime.aws import aws_errors, error_code
from dapflow.runtime.bundled_project import BundledProject, read_pointer
from dapflow.runtime.objects import split_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_NAMES = "environment.json"
_MISSING = frozenset({"404", "NoSuchBucket", "NoSuchKey"})


@dataclass(frozen=True)
class DeployedProject:
    """A project as it is deployed. ``commit`` is that of its transforms, empty where the bundle says none."""

    manifest: Manifest
    environment: Environment
    commit: str


def deployed_project(s3: S3Client, bundle: str, *, deploy: str) -> DeployedProject | None:
    """What a bundle holds; None where there is none. ``bundle`` is a URI that ends in ``/``.

    ``deploy`` says how it is deployed again. Raises DapflowError ``manifest`` or ``environment`` for what this release
    does not read, ``aws`` where the bundle may not be read.
    """
    with tempfile.TemporaryDirectory(prefix="dapflow-deployed-") as folder:
        return _read(s3, bundle, Path(folder), bundle, deploy)


def deployed_branch(s3: S3Client, host: str, slug: str, *, deploy: str) -> DeployedProject | None:
    """The same of a branch, by the bundle of its host. Raises DapflowError ``branch-refused`` too."""
    with tempfile.TemporaryDirectory(prefix="dapflow-deployed-") as folder:
        names = content(s3, f"{host}{_NAMES}")
        if names is None:
            return None
        # What a branch may say of its names follows from those of its host, which lie where its own run time has them.
        (Path(folder) / _NAMES).write_bytes(names)
        return _read(s3, f"{host}{FOLDER}/{slug}/", Path(folder) / FOLDER / slug, host, deploy)


def _read(s3: S3Client, bundle: str, folder: Path, shown: str, deploy: str) -> DeployedProject | None:
    pointer = content(s3, f"{bundle}{POINTER}")
    if pointer is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    (folder / POINTER).write_bytes(pointer)
    try:
        name = read_pointer(folder / POINTER).manifest
        for file in (name, _NAMES):
            # What is missing is told when it is read.
            if (held := content(s3, f"{bundle}{file}")) is not None:
                (folder / file).parent.mkdir(exist_ok=True)
                (folder / file).write_bytes(held)
        project = BundledProject(folder)
        return DeployedProject(project.manifest, project.environment, project.commit)
    except DapflowError as error:
        if error.code not in ("manifest", "environment"):
            raise
        raise DapflowError(
            error.code, f"what is deployed cannot be read by this release: {error.message}", file=shown, hint=deploy
        ) from error


def content(s3: S3Client, uri: str) -> bytes | None:
    """What an object holds; None where there is none. Raises DapflowError ``aws``."""
    bucket, key = split_uri(uri)
    with aws_errors():
        try:
            return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            if error_code(error) == "AccessDenied":
                raise DapflowError(
                    "aws",
                    f"{uri} may not be read, or is not there",
                    hint="it takes s3:GetObject on it and kms:Decrypt with the platform's key; with s3:ListBucket on "
                    "the bucket too, S3 says whether it is there",
                ) from error
            raise
