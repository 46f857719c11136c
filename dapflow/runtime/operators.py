"""The Airflow operators that publish a generation, on top of the stock AthenaOperator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.links.athena import AthenaQueryResultsLink
from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.providers.amazon.aws.triggers.athena import AthenaTrigger
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from botocore.config import Config

from dapflow.errors import DapflowError
from dapflow.runtime.aws import Clients, PassingError
from dapflow.runtime.bundled_project import BundledProject
from dapflow.runtime.generation import Generation
from dapflow.runtime.links import FileLink, ProductLink
from dapflow.runtime.order import Order, order_of
from dapflow.runtime.publication import Staged
from dapflow.runtime.publish import Publisher
from dapflow.runtime.record import AIRFLOW
from dapflow.runtime.schedule import generation_of_run

# XCom in which a deferred task finds what it had staged.
STAGED = "staged"


class PublishOperator(AthenaOperator):
    """Publishes the run's generation of one dataset.

    The stock operator brings the hook, the connection, the link to the query and the trigger. What it may not do is to
    render the SQL: its text goes to Athena as the analyst wrote it, braces and all.
    """

    template_fields: Sequence[str] = ()
    template_ext: Sequence[str] = ()
    operator_extra_links = (AthenaQueryResultsLink(), ProductLink(), FileLink())

    # Set by the DAG factory; class attributes spare a thousand constructors.
    project: BundledProject
    dataset_id: str
    staged: Staged | None = None
    order: Order = Order("")

    def execute(self, context: Any) -> dict[str, Any]:
        """Stage the generation, wait here or in the triggerer, publish it."""
        self._take_order(context)
        return self._publish(context)

    def _publish(self, context: Any, lost: Staged | None = None) -> dict[str, Any]:
        dag_run, instance = context["dag_run"], context["ti"]
        with self._failing(context):
            generation = generation_of_run(dag_run)
            self.staged = self.publisher.stage(
                self.dataset_id,
                generation,
                self.order.run,
                self.order.asked.attempts + instance.try_number,
                lost=lost,
                sql_sha=self.order.asked.sql_sha,
            )
        self.query_execution_id = self.staged.query_id
        if self.query_execution_id:
            self.log.info("Query execution id: %s", self.query_execution_id)
            self._link(context, self.query_execution_id)
        if self.deferrable and self.query_execution_id:
            instance.xcom_push(STAGED, self.staged.as_dict())
            self.defer(
                trigger=AthenaTrigger(
                    query_execution_id=self.query_execution_id,
                    waiter_delay=self.sleep_time,
                    waiter_max_attempts=self.max_polling_attempts,
                    aws_conn_id=self.aws_conn_id,
                    region_name=self.region_name,
                    verify=self.verify,
                    botocore_config=self.botocore_config,
                ),
                method_name="execute_complete",
                timeout=self.execution_timeout,
            )
        with self._failing(context):
            self.publisher.wait(self.staged)
            return self._finish(context, self.staged)

    def execute_complete(self, context: Any, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Publish when the triggerer has seen the query end. How it ended, Athena is asked again."""
        self.log.info("Query ended: %s", event)
        self._take_order(context)
        with self._failing(context):
            self.staged = Staged.of_dict(context["ti"].xcom_pull(task_ids=self.task_id, key=STAGED))
            self.query_execution_id = self.staged.query_id
            return self._finish(context, self.staged)

    def on_kill(self) -> None:
        """Stop what runs on Athena. What was staged may be another attempt's too, and is left to the sweep."""
        self.publisher.stop()
        if self.staged is not None:
            self.publisher.abandon(self.staged)

    @cached_property
    def publisher(self) -> Publisher:
        """The publisher, with clients of the service's connection."""
        clients = Clients(athena=self.hook.get_conn(), glue=self.client("glue"), s3=self.client("s3"))
        return Publisher(
            clients,
            self.project.manifest.reading_older(self.dataset_id, self.order.asked.older),
            self.project.environment,
            self.log.info,
            by=AIRFLOW,
            commit=self.project.commit,
        )

    def client(self, service: str, config: Config | None = None) -> Any:
        """boto3's client of an AWS service, by the connection of the task's own service."""
        return AwsBaseHook(
            aws_conn_id=self.aws_conn_id,
            client_type=service,
            region_name=self.region_name,
            verify=self.verify,
            config=config or self.hook.config,
        ).get_conn()

    @contextmanager
    def _failing(self, context: Any) -> Iterator[None]:
        """Where the task fails, let its link lead to the query that was asked last: the failed one, or a check's."""
        try:
            with airflow_errors():
                yield
        except AirflowException:
            asked = vars(self).get("publisher")
            if asked is not None and (query := asked.target(self.dataset_id).athena.last):
                self._link(context, query)
            raise

    def _link(self, context: Any, query: str) -> None:
        """Lead from the task to a query, its product and its file. At once, for a killed task says nothing more."""
        instance = context["ti"]
        try:
            if not self.project.environment.embedded:
                AthenaQueryResultsLink.persist(
                    context=context,
                    operator=self,
                    region_name=self.hook.conn_region_name,
                    aws_partition=self.hook.conn_partition,
                    query_execution_id=query,
                )
            for link in self.operator_extra_links:
                instance.xcom_push(link.xcom_key, link.get_link(self, ti_key=instance))
        except Exception:
            # What is published or failed stays so, whether or not a page can lead to it.
            self.log.exception("The links of this task could not be written")

    def _finish(self, context: Any, staged: Staged) -> dict[str, Any]:
        if self.publisher.lost(staged):
            self.log.info("Query %s of an earlier attempt came to nothing: beginning anew", staged.query_id)
            return self._publish(context, staged)
        publication = self.publisher.finish(staged)
        noted = publication.summary()
        self._announce(context, publication.generation, noted)
        return noted

    def _take_order(self, context: Any) -> None:
        """Take what the run asks of this task; where that is nothing, the task is skipped."""
        with airflow_errors():
            order = order_of(context["dag_run"], self.dataset_id)
        if order is None:
            raise AirflowSkipException(f"the backfill does not ask for {self.dataset_id}")
        self.order = order

    def _announce(self, context: Any, generation: Generation, noted: dict[str, Any]) -> None:
        """Let the services start that wait for the generation."""
        if not self.order.starts_others:
            # Airflow makes an event of each outlet of a task that succeeds.
            self.outlets: list[Any] = []
        for asset in self.outlets:
            context["outlet_events"][asset].extra = noted
            # A run may have its generation from its configuration; who waits for the dataset waits for a key.
            context["outlet_events"][asset].add_partitions(generation.key)


class TransformOperator(PublishOperator):
    """Runs a transform: UNLOADs the ``.sql`` file's SELECT and publishes the result."""


class IngestOperator(PublishOperator):
    """Ingests a raw table: Athena reads the landing files, checks and types them, and the result is published."""

    ui_color = "#8fd694"


class ShowOperator(PublishOperator):
    """Waits, by its retries, for a generation that something else makes, and lets the current view show it."""

    ui_color = "#c9b6e4"

    def execute(self, context: Any) -> dict[str, Any]:
        """Look whether the history has the run's generation; refresh the current view. Nothing is queried."""
        self._take_order(context)
        with airflow_errors():
            generation = generation_of_run(context["dag_run"])
            shown = self.publisher.show(self.dataset_id, generation)
        noted = {"dataset": self.dataset_id, "generation": str(generation), "shown": str(shown) if shown else None}
        self._announce(context, generation, noted)
        return noted


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Let Airflow retry what another attempt may mend, and nothing else. No traceback for a user's mistake."""
    try:
        yield
    except PassingError as error:
        raise AirflowException(str(error)) from None
    except DapflowError as error:
        raise AirflowFailException(str(error)) from None
