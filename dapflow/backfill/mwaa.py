"""Airflow's REST API on MWAA, through AWS's ``InvokeRestApi``.

It takes paths of at most 64 characters (https://docs.aws.amazon.com/mwaa/latest/API/API_InvokeRestApi.html), so that a
run or a task cannot be named in one: they are looked for by lists over all DAGs. A call ends after ten seconds, and an
answer has at most 6 MB (https://docs.aws.amazon.com/mwaa/latest/userguide/access-mwaa-apache-airflow-rest-api.html);
Airflow gives at most 100 rows a page, whatever is asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from dapflow.errors import DapflowError
from dapflow.runtime.aws import PassingError, aws_errors, error_code, error_message

_PAGE = 100
# Seconds between tries where Airflow itself is too busy, as on the smallest class while it parses DAGs.
_PAUSES = (1, 2, 4, 8, 16, 30)
_FORBIDDEN, _NOT_FOUND, _CONFLICT, _TOO_MANY, _SERVER = 403, 404, 409, 429, 500


class AirflowRefusal(DapflowError):
    """Airflow's own answer that it does not do what was asked. ``status`` is that of HTTP."""

    def __init__(self, status: int, message: str, hint: str | None = None) -> None:
        super().__init__("airflow", message, hint=hint)
        self.status = status


class MwaaAirflow:
    """The Airflow of an MWAA environment.

    All calls raise DapflowError ``airflow`` where Airflow refuses (AirflowRefusal), ``airflow-access`` and
    ``no-airflow`` where AWS does, and PassingError where neither answers.

    Args:
        client: boto3's client ``mwaa``.
        name: of the MWAA environment.
        pause: waits so many seconds.
    """

    def __init__(self, client: Any, name: str, pause: Callable[[float], None] = time.sleep) -> None:
        self.name = name
        self._client = client
        self._pause = pause

    def dag(self, dag_id: str) -> dict[str, Any] | None:
        """A DAG; None where there is none of this name."""
        try:
            return self._call("GET", f"/dags/{dag_id}")
        except AirflowRefusal as refusal:
            if refusal.status == _NOT_FOUND:
                return None
            raise

    def start(self, dag_id: str, run_id: str, partition_key: str, conf: Mapping[str, Any]) -> bool:
        """Start a run of a DAG; False where one of this name is there already, also where an answer was lost."""
        body = {"dag_run_id": run_id, "logical_date": None, "partition_key": partition_key, "conf": dict(conf)}
        try:
            self._call("POST", f"/dags/{dag_id}/dagRuns", body)
        except AirflowRefusal as refusal:
            if refusal.status == _CONFLICT:
                return False
            raise
        return True

    def run_state(self, dag_id: str, run_id: str) -> str | None:
        """The state of a run; None where there is no such run."""
        query = {"run_id_prefix_pattern": run_id, "dag_id_prefix_pattern": dag_id, "limit": _PAGE}
        runs = self._pages("dag_runs", lambda offset: self._call("GET", "/dags/~/dagRuns", query | {"offset": offset}))
        return next((str(run["state"]) for run in runs if (run["dag_id"], run["dag_run_id"]) == (dag_id, run_id)), None)

    def task_states(self, run_ids: set[str], task_ids: set[str]) -> dict[tuple[str, str], str]:
        """The states of tasks by run and task; empty text for one that nobody has scheduled yet."""
        asked = {"dag_run_ids": sorted(run_ids), "task_ids": sorted(task_ids), "page_limit": _PAGE, "order_by": "id"}
        path = "/dags/~/dagRuns/~/taskInstances/list"
        tasks = self._pages("task_instances", lambda offset: self._call("POST", path, asked | {"page_offset": offset}))
        return {(task["dag_run_id"], task["task_id"]): task["state"] or "" for task in tasks}

    def _pages(self, key: str, page: Callable[[int], dict[str, Any]]) -> Iterator[dict[str, Any]]:
        offset, total = 0, 1
        while offset < total:
            answer = page(offset)
            yield from answer[key]
            # An empty page ends it too, whatever the total says.
            offset, total = offset + len(answer[key]), answer["total_entries"] if answer[key] else 0

    def _call(self, method: str, path: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One call, again where it may have been the moment: each call here may be made twice."""
        pauses = iter(_PAUSES)
        while True:
            try:
                return self._once(method, path, given)
            except PassingError:
                if (seconds := next(pauses, None)) is None:
                    raise
                self._pause(seconds)

    def _once(self, method: str, path: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
        named = {} if given is None else {"QueryParameters" if method == "GET" else "Body": dict(given)}
        with aws_errors():
            try:
                answer = self._client.invoke_rest_api(Name=self.name, Path=path, Method=method, **named)
            except ClientError as error:
                raise self._refusal(error, f"{method} {path}") from error
        return dict(answer["RestApiResponse"])

    def _refusal(self, error: ClientError, asked: str) -> Exception:
        """What an error means; the error itself where it is one of AWS like any other."""
        code, said = error_code(error), error.response
        if code in ("RestApiClientException", "RestApiServerException"):
            status = int(said.get("RestApiStatusCode") or 0)  # type: ignore[call-overload]
            message = f"Airflow answered {status} to {asked}: {_detail(said.get('RestApiResponse'))}"
            if code == "RestApiServerException" or status == _TOO_MANY or status >= _SERVER:
                return PassingError("airflow", message)
            hint = _ROLE_HINT if status == _FORBIDDEN else None
            return AirflowRefusal(status, message, hint)
        if code == "AccessDeniedException":
            return DapflowError(
                "airflow-access",
                f"your AWS credentials may not ask the Airflow of {self.name}: {error_message(error)}",
                hint=f"{_ROLE_HINT}; docs/deploy.md has the policy",
            )
        if code == "ResourceNotFoundException":
            return DapflowError(
                "no-airflow", f"there is no MWAA environment {self.name}", hint="is the environment deployed?"
            )
        return error


_ROLE_HINT = "it takes airflow:InvokeRestApi on the role User of the environment"


def _detail(answer: Any) -> str:
    """What Airflow says: a text, or of a body that it does not take a list."""
    detail = answer.get("detail", answer) if isinstance(answer, dict) else answer
    return str(detail)[:1000]
