"""One Airflow DAG for each service of the manifest, and one that starts what was left waiting.

(Airflow skips files that do not name it.)
"""

from pathlib import Path

from dapflow.runtime.dag_factory import build_dags, build_starts

globals().update(build_dags(Path(__file__).parent) | build_starts(Path(__file__).parent))
