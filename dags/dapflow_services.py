"""One DAG per service, built from the manifest that lies beside this file."""

from pathlib import Path

from dapflow.runtime.dag_factory import build_dags

globals().update(build_dags(Path(__file__).parent))
