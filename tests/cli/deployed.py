"""A project that is deployed to an account which the embedded AWS and Athena stand for, and its MWAA."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from dapflow.environment import Environment
from dapflow.local.cloudformation.deployed_names import deployed_environment
from dapflow.manifest import Manifest
from dapflow.platform import Platform, describe
from dapflow.project import compile_project
from dapflow.runtime.aws import Clients
from dapflow.runtime.generation import Generation
from dapflow.runtime.publish import Publisher
from tests.backfill.mwaa_double import MwaaDouble
from tests.local.projects import SERVICE, TRANSFORM, LocalProject
from tests.runtime.lake import ACCOUNT, REGION

ROOT = Path(__file__).parents[2]
PREFIX = "prod__"
REPAIRS, COSTS = "housing.raw.repairs", "housing.refined.repair_costs"
NIGHTS = {"2024-06-04": "1,10.5,true\n", "2024-06-05": "1,10.5,true\n2,5,false\n3,,false\n"}


@dataclass
class Deployed:
    """The environment ``prod`` of a project, and its Airflow, which works as soon as a run is asked for."""

    project: LocalProject
    clients: Clients
    manifest: Manifest
    environment: Environment
    airflow: MwaaDouble

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command, on the environment."""
        return self.project.run(*arguments, "--environment", "prod", check=check)

    def document(self, *arguments: str, check: bool = True) -> Any:
        """What it prints as JSON."""
        return json.loads(self.run(*arguments, "--json", check=check).stdout)

    def land(self, night: str, lines: str, header: str = "id,cost,done") -> None:
        """Put the landing file of a night."""
        bucket, _, _ = self.environment.zones["landing"].removeprefix("s3://").partition("/")
        body = f"{header}\n{lines}".encode()
        self.clients.s3.put_object(Bucket=bucket, Key=f"housing/repairs/{night}/repairs.csv", Body=body)

    def publish(self, dataset_id: str, night: str) -> None:
        """What a task of its Airflow does each night."""
        publisher = Publisher(self.clients, self.manifest, self.environment, by="airflow", commit="0123abc")
        publisher.publish(dataset_id, Generation.parse(night))

    def write(self, name: str, text: str) -> None:
        """Change a file of the project, commit and deploy it."""
        self.project.write(name, text)
        commit(self.project.root)
        self.manifest = self.airflow.manifest = compile_project(self.project.root)


@contextmanager
def deployed(root: Path, clients: Clients, endpoints: dict[str, str]) -> Iterator[Deployed]:
    """A project with two nights, of which the products are made."""
    project = LocalProject(root)
    project.write("transforms/housing/service.yml", SERVICE)
    project.write("transforms/housing/refined/repair_costs.sql", TRANSFORM)
    settings = json.loads((ROOT / "cdk.json").read_text())
    prod = settings["context"]["environments"]["prod"] | {"account": ACCOUNT, "database_prefix": PREFIX}
    settings["context"] |= {"environment": "prod", "environments": {"prod": prod}}
    project.write("cdk.json", json.dumps(settings))
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    commit(root)
    manifest = compile_project(root)
    environment = deployed_environment(root, manifest, "prod")
    create(describe(manifest, name="prod", account=ACCOUNT, region=REGION, database_prefix=PREFIX), clients)
    airflow = MwaaDouble(clients, manifest, environment)
    with mwaa(airflow) as proxy:
        # boto3 puts `env.` before MWAA's host, so that its name has to be one that a proxy is asked for.
        project.environment = {
            **endpoints,
            "AWS_ENDPOINT_URL_MWAA": "http://mwaa.example",
            "HTTP_PROXY": proxy,
            "NO_PROXY": "127.0.0.1",
        }
        made = Deployed(project, clients, manifest, environment, airflow)
        for night, lines in NIGHTS.items():
            made.land(night, lines)
            made.publish(REPAIRS, night)
            made.publish(COSTS, night)
        yield made


def commit(root: Path) -> None:
    """Commit all of a project."""
    author = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
    for words in (["add", "--all"], [*author, "commit", "--quiet", "--message", "change"]):
        subprocess.run(["git", *words], cwd=root, check=True)


def create(platform: Platform, clients: Clients) -> None:
    """Create what a deployment would."""
    for bucket in platform.buckets:
        clients.s3.create_bucket(Bucket=bucket.name, CreateBucketConfiguration={"LocationConstraint": REGION})
    for database in platform.databases:
        clients.glue.create_database(DatabaseInput={"Name": database.name})
    for group in platform.workgroups:
        output: Any = {"ResultConfiguration": {"OutputLocation": group.output_location}}
        clients.athena.create_work_group(Name=group.name, Configuration=output)


@contextmanager
def mwaa(airflow: MwaaDouble) -> Iterator[str]:
    """MWAA's endpoint before an Airflow, as a proxy for HTTP: where it listens."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = urlsplit(self.path).path.removeprefix("/restapi/")
            assert urlsplit(self.path).hostname == "env.mwaa.example"
            status, headers = 200, {}
            try:
                answer = airflow.invoke_rest_api(Name=name, **asked)
            except ClientError as error:
                said: Any = error.response
                status, headers = 400, {"x-amzn-errortype": said["Error"]["Code"]}
                answer = {key: said[key] for key in ("RestApiStatusCode", "RestApiResponse") if key in said}
            airflow.work()
            body = json.dumps(answer).encode()
            self.send_response(status)
            for header, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
