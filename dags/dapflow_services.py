"""One Airflow DAG for each service of the manifest. (Airflow skips files that do not name it.)"""

from pathlib import Path

from dapflow.runtime.dag_factory import build_dags

globals().update(build_dags(Path(__file__).parent))
