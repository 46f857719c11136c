"""Airflow keeps its configuration where AIRFLOW_HOME says when it is first imported: not in the user's home."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))
