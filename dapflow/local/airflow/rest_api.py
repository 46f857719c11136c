"""The parts of Airflow's REST API that the embedded platform and the demo use."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from dapflow.errors import DapflowError

_PAGE = 100


@dataclass
class AirflowApi:
    """Airflow at ``url``, for a user who signs in with a password at the first request."""

    url: str
    user: str
    password: str = field(repr=False)
    _token: str | None = field(default=None, repr=False)

    def get(self, path: str, **parameters: object) -> Any:
        """Read something."""
        query = f"?{urlencode(parameters, doseq=True)}" if parameters else ""
        return self._call("GET", f"/api/v2{path}{query}")

    def get_all(self, path: str, key: str, **parameters: object) -> Iterator[dict[str, Any]]:
        """All items of a list, page by page."""
        offset = 0
        while True:
            page = self.get(path, limit=_PAGE, offset=offset, **parameters)
            yield from page[key]
            offset += _PAGE
            if offset >= page["total_entries"]:
                return

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Make something."""
        return self._call("POST", f"/api/v2{path}", body)

    def put_pool(self, name: str, slots: int, description: str) -> None:
        """Make a pool, or leave it alone: people may have changed its slots in the UI."""
        if self._missing(f"/pools/{quote(name, safe='')}"):
            self.post("/pools", {"name": name, "slots": slots, "description": description, "include_deferred": True})

    def put_connection(self, connection_id: str, extra: dict[str, Any], description: str) -> None:
        """Make an AWS connection, or bring it up to date."""
        body = {
            "connection_id": connection_id,
            "conn_type": "aws",
            "description": description,
            "extra": json.dumps(extra),
        }
        path = f"/connections/{quote(connection_id, safe='')}"
        if self._missing(path):
            self.post("/connections", body)
        elif self.get(path).get("extra") != body["extra"]:
            self._call("PATCH", f"/api/v2{path}", body)

    def delete_connection(self, connection_id: str) -> None:
        """Remove a connection, which may be gone already."""
        self._delete(f"/connections/{quote(connection_id, safe='')}")

    def delete_pool(self, name: str) -> None:
        """Remove a pool, which may be gone already."""
        self._delete(f"/pools/{quote(name, safe='')}")

    def delete_dag(self, dag_id: str) -> None:
        """Forget a DAG and its runs. It comes back when Airflow reads its file again."""
        self._delete(f"/dags/{quote(dag_id, safe='')}")

    def fail_runs(self, dag_id: str) -> int:
        """End the runs of a DAG that are under way, and their tasks with them; how many there were."""
        path = f"/dags/{quote(dag_id, safe='')}/dagRuns"
        active = list(self.get_all(path, "dag_runs", state=["queued", "running"]))
        for run in active:
            self._call("PATCH", f"/api/v2{path}/{quote(run['dag_run_id'], safe='')}", {"state": "failed"})
        return len(active)

    def trigger(self, dag_id: str, partition_key: str) -> str:
        """Start a run of a DAG for one generation; returns the run's id."""
        body = {"logical_date": None, "partition_key": partition_key}
        return str(self.post(f"/dags/{quote(dag_id)}/dagRuns", body)["dag_run_id"])

    def dag_runs(self, since: datetime) -> list[dict[str, Any]]:
        """The runs of all DAGs from a moment on."""
        return list(self.get_all("/dags/~/dagRuns", "dag_runs", run_after_gte=since.isoformat()))

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The tasks of a run."""
        path = f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}/taskInstances"
        return list(self.get_all(path, "task_instances"))

    def task_log(self, dag_id: str, run_id: str, task_id: str, attempt: int) -> list[str]:
        """What a task wrote, line by line; of an exception what it says."""
        path = f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}/taskInstances/{quote(task_id)}/logs/{attempt}"
        content = self.get(path)["content"]
        return [text for entry in content for text in _log_lines(entry)]

    def import_errors(self) -> list[dict[str, Any]]:
        """What Airflow could not import."""
        return list(self.get_all("/importErrors", "import_errors"))

    def healthy(self, path: str) -> bool:
        """Whether a path that is open to all answers."""
        try:
            self._send("GET", path)
        except DapflowError:
            return False
        return True

    def admits(self) -> bool:
        """Whether it is the Airflow that knows this password."""
        try:
            self._sign_in()
        except DapflowError:
            return False
        return True

    def _delete(self, path: str) -> None:
        with suppress(NotFoundError):
            self._call("DELETE", f"/api/v2{path}")

    def _missing(self, path: str) -> bool:
        try:
            self.get(path)
        except NotFoundError:
            return True
        return False

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            return self._send(method, path, body, self._token or self._sign_in())
        except UnauthorizedError:
            # A token lasts for a day.
            return self._send(method, path, body, self._sign_in())

    def _sign_in(self) -> str:
        """A token, as Airflow's simple auth manager gives it for a password."""
        body = {"username": self.user, "password": self.password}
        self._token = str(self._send("POST", "/auth/token", body)["access_token"])
        return self._token

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None, token: str | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 (our own URL)
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Content-Type": "application/json",
                "Accept": "application/json",
                **({"Authorization": f"Bearer {token}"} if token else {}),
            },
        )
        # No proxy of the user's environment stands between this machine and itself.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as response:
                content = response.read()
                return json.loads(content) if content else None
        except urllib.error.HTTPError as error:
            text = error.read().decode("utf-8", "replace")
            kind = _KINDS.get(error.code, DapflowError)
            raise kind("airflow", f"Airflow answered {error.code} to {method} {path}: {_detail(text)}") from None
        except (OSError, ValueError) as error:
            raise DapflowError(
                "airflow",
                f"Airflow does not answer at {self.url}: {error}",
                hint="see what it says with dapflow local logs, and start it again with dapflow local up",
            ) from None


class NotFoundError(DapflowError):
    """Airflow does not know what was asked for."""


class UnauthorizedError(DapflowError):
    """Airflow does not know who asks."""


_KINDS: dict[int, type[DapflowError]] = {401: UnauthorizedError, 404: NotFoundError}


def _log_lines(entry: str | dict[str, Any]) -> list[str]:
    """The texts of an entry of a task's log, which is structured where Airflow can have it so."""
    if isinstance(entry, str):
        return [entry]
    return [str(entry.get("event", "")), *(str(detail["exc_value"]) for detail in entry.get("error_detail") or ())]


def _detail(text: str) -> str:
    try:
        return str(json.loads(text)["detail"])
    except (ValueError, KeyError, TypeError):
        return text[:300]
