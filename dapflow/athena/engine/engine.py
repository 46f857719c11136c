"""The engine: everything that statements need, and the threads that run them."""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields
from typing import Any

from dapflow.athena.catalog.metastore import Metastore
from dapflow.athena.engine.context import Context
from dapflow.athena.engine.errors import AthenaError, Cancelled, QueryFailed
from dapflow.athena.engine.execution import CANCELLED, FAILED, SUCCEEDED, Execution, Figures
from dapflow.athena.engine.faults import disk_fault
from dapflow.athena.engine.results import Results, StatementOutcome
from dapflow.athena.engine.session import Session
from dapflow.athena.engine.statements import AnyStatement, run_statement
from dapflow.athena.formats.scan import Scanner
from dapflow.athena.server_settings import AthenaSettings
from dapflow.athena.storage.aws_clients import connect
from dapflow.athena.storage.cache import FileCache, MemoryCache
from dapflow.athena.storage.directory import lock_directory, make_directory
from dapflow.athena.storage.object_store import ObjectStore
from dapflow.athena.storage.server_state import ServerState
from dapflow.trino.duckdb import ColumnMetadata, QueryError

_log = logging.getLogger(__name__)
_RECENT = 10_000
_TOKEN_LOCKS = 64
# Local copies of results: files of large ones, small ones in memory.
_RESULTS_BYTES = 2 << 30
_SMALL_BYTES = 64 << 20
STOPPED_BY_END = "The server stopped while the query was running"


class Engine:
    """One running Athena without its API."""

    def __init__(self, settings: AthenaSettings) -> None:
        self.settings = settings
        self._temporary = settings.state is None
        self.directory = make_directory(settings.state)
        self._lock_file = lock_directory(self.directory)
        aws = connect(settings.aws_endpoint, settings.region, connections=settings.workers * 2 + 16)
        self.state = ServerState(self.directory)
        self.metastore = Metastore(aws.glue)
        self.glue = aws.glue
        self.store = ObjectStore(aws.s3, FileCache(self.directory / "objects", settings.cache_bytes), aws.transport)
        large = FileCache(self.directory / "results", _RESULTS_BYTES)
        self.results = Results(self.store, large, MemoryCache(_SMALL_BYTES))
        self.session = Session(self.directory, settings.memory_bytes)
        self.context = Context(
            self.metastore, self.store, self.results, Scanner(self.metastore, self.store), self.state
        )
        self._lock = threading.Lock()
        # A lock for every token would never be given back; two that share one of these only wait for each other.
        self._token_locks = [threading.Lock() for _ in range(_TOKEN_LOCKS)]
        self._active: dict[str, Execution] = {}
        self._recent: OrderedDict[str, Execution] = OrderedDict()
        self._pool = ThreadPoolExecutor(settings.workers, thread_name_prefix="query")
        self._fail_interrupted()

    def close(self) -> None:
        """Stop what runs and leave nothing behind but the state directory, if there is one."""
        with self._lock:
            active = list(self._active.values())
        for execution in active:
            execution.stop(STOPPED_BY_END)
        self._pool.shutdown(wait=True)
        self.store.close()
        self.session.close()
        self.state.close()
        if self._temporary:
            shutil.rmtree(self.directory, ignore_errors=True)
        self._lock_file.close()

    def _fail_interrupted(self) -> None:
        """Executions that a killed server left unfinished fail clearly."""
        for body in self.state.unfinished():
            execution = restore(body)
            failure = QueryFailed("GENERIC_INTERNAL_ERROR", "The server was stopped while the query was running")
            execution.end(FAILED, str(failure), AthenaError(1, 233, True, str(failure)))
            self._keep(execution)

    def submit(self, execution: Execution, statement: AnyStatement, text: str) -> None:
        """Queue an execution of ``statement``, read from ``text``."""
        self._keep(execution)
        with self._lock:
            self._active[execution.id] = execution
        self._pool.submit(self._run, execution, statement, text)

    def execution(self, identity: str) -> Execution | None:
        """An execution of any age, or None."""
        with self._lock:
            execution = self._active.get(identity) or self._recent.get(identity)
        if execution is None:
            body = self.state.execution(identity)
            execution = restore(body) if body else None
        return execution

    def running(self, identity: str) -> Execution | None:
        """An execution that has not ended, or None."""
        with self._lock:
            return self._active.get(identity)

    @contextlib.contextmanager
    def one_by_token(self, token: str) -> Iterator[Execution | None]:
        """The execution that a client started with the token, or None; while this is entered, nobody else starts it."""
        with self._token_locks[hash(token) % len(self._token_locks)]:
            identity = self.state.execution_by_token(token)
            yield None if identity is None else self.execution(identity)

    def _keep(self, execution: Execution) -> None:
        self.state.put_execution(
            execution.id, execution.workgroup, execution.submitted, execution.state, execution.token, dump(execution)
        )

    def _run(self, execution: Execution, statement: AnyStatement, text: str) -> None:
        state, reason, error = SUCCEEDED, None, None
        try:
            execution.begin()
            with self.session.work(execution, text) as work:
                with execution.timed("engine"):
                    outcome = run_statement(self.context, work, statement)
                execution.check()
                self._publish(execution, outcome)
        except Cancelled as stopped:
            state, reason = CANCELLED, str(stopped) or None
        except QueryError as failure:
            as_failed = QueryFailed(failure.error_name, str(failure).partition(": ")[2])
            state, reason, error = FAILED, str(as_failed), as_failed.athena_error()
        except QueryFailed as failure:
            state, reason, error = FAILED, str(failure), failure.athena_error()
        except Exception as fault:  # noqa: BLE001
            # The last resort: the user gets a failed query with a reason, the log gets the traceback.
            _log.exception("query %s failed inside the server", execution.id)
            broken = disk_fault(fault) or QueryFailed(
                "GENERIC_INTERNAL_ERROR", "The query failed inside the server; its log has the details"
            )
            state, reason, error = FAILED, str(broken), broken.athena_error()
        if state != SUCCEEDED:
            self._abandon(execution)
        self._end(execution, state, reason, error)

    def _abandon(self, execution: Execution) -> None:
        try:
            self.results.abandon(execution)
        except QueryFailed as failure:
            _log.warning("query %s left its .metadata behind: %s", execution.id, failure)

    def _publish(self, execution: Execution, outcome: StatementOutcome) -> None:
        with execution.timed("publishing"):
            self.results.publish(execution, outcome)
        execution.result_kind = outcome.kind
        execution.result_columns = [(column.name, column.type) for column in outcome.columns]
        execution.update_count = outcome.update_count

    def _end(self, execution: Execution, state: str, reason: str | None, error: AthenaError | None) -> None:
        # What the state file says must be there before a client can see that the execution has ended.
        execution.prepare_end(reason, error)
        with contextlib.suppress(Exception):
            body = dump(execution) | {"state": state}
            self.state.put_execution(
                execution.id, execution.workgroup, execution.submitted, state, execution.token, body
            )
        execution.end(state, reason, error)
        with self._lock:
            self._active.pop(execution.id, None)
            self._recent[execution.id] = execution
            while len(self._recent) > _RECENT:
                self._recent.popitem(last=False)


def dump(execution: Execution) -> dict[str, Any]:
    """An execution as JSON."""
    body = {item.name: getattr(execution, item.name) for item in fields(execution)}
    error = execution.error
    return body | {"figures": vars(execution.figures), "error": None if error is None else asdict(error)}


def restore(body: dict[str, Any]) -> Execution:
    """An execution from JSON."""
    error = body.pop("error")
    figures = Figures(**body.pop("figures"))
    parameters, arguments = tuple(body.pop("parameters")), tuple(body.pop("arguments", ()))
    columns = [(name, kind) for name, kind in body.pop("result_columns")]
    execution = Execution(
        **body,
        parameters=parameters,
        arguments=arguments,
        figures=figures,
        error=AthenaError(**error) if error else None,
        result_columns=columns,
    )
    if execution.is_terminal:
        execution.finished.set()
    return execution


def result_columns(execution: Execution) -> list[ColumnMetadata]:
    """The columns of an execution's result."""
    return [ColumnMetadata(name, kind) for name, kind in execution.result_columns]
