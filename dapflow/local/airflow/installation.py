"""Airflow on this machine: the release that MWAA runs, set up to be quick and to be heard by this machine only."""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path

from dapflow.local.airflow.rest_api import AirflowApi
from dapflow.local.aws_session import platform_environment
from dapflow.local.processes.ports import Ports
from dapflow.local.processes.started import Component
from dapflow.servers import HOST
from dapflow.servers.state import State, damaged, read_json, write_json

NAME = "airflow"
# Who signs in, with the password of ``password``.
USER = "admin"
# The processes that the component consists of, by the names of their log files.
PARTS = ("airflow-api-server", "airflow-dag-processor", "airflow-scheduler")


def airflow_url(ports: Ports) -> str:
    """Where the UI and the REST API are."""
    return f"http://{HOST}:{ports.airflow}"


def airflow_api(state: State, ports: Ports) -> AirflowApi:
    """The REST API, for this project's own commands."""
    return AirflowApi(airflow_url(ports), USER, password(state))


def password(state: State) -> str:
    """What ``USER`` signs in with; made once. Raises DapflowError ``state-damaged``."""
    file = _passwords_file(state)
    known = read_json(file)
    if not known:
        known = {USER: secrets.token_urlsafe(18)}
        write_json(file, known)
    if not isinstance(known.get(USER), str):
        raise damaged(file)
    return str(known[USER])


def _passwords_file(state: State) -> Path:
    return state.airflow / "passwords.json"


def children_file(state: State) -> Path:
    """Where the component notes the process ids of its parts."""
    return state.runs / "airflow-parts.json"


def component(state: State, ports: Ports) -> Component:
    """The parent of Airflow's processes."""
    state.airflow.mkdir(parents=True, exist_ok=True)
    password(state)
    state.runs.mkdir(parents=True, exist_ok=True)
    file = Path(__file__).with_name("forked_processes.py")
    arguments = (
        *("-P", str(file)),
        *("--port", str(ports.airflow)),
        *("--home", str(state.airflow)),
        *("--logs", str(state.logs)),
        *("--record", str(children_file(state))),
    )
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHONPATH"))}
    return Component(NAME, arguments, {**platform_environment(state, ports, own), **_settings(state, ports)})


def _settings(state: State, ports: Ports) -> dict[str, str]:
    """Airflow's settings as environment variables, which win over any airflow.cfg."""
    dags = state.bundle / "dags"
    url = airflow_url(ports)
    keys = _keys(state)
    bundle = {
        "name": "dapflow",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(dags), "refresh_interval": 5},
    }
    sections: dict[str, dict[str, object]] = {
        "core": {
            "dags_folder": dags,
            "load_examples": False,
            "executor": "LocalExecutor",
            # A task mostly waits for Athena, which is on this machine too.
            "parallelism": max(4, 2 * (os.cpu_count() or 1)),
            "execution_api_server_url": f"{url}/execution/",
            "simple_auth_manager_all_admins": False,
            "simple_auth_manager_users": f"{USER}:admin",
            "simple_auth_manager_passwords_file": _passwords_file(state),
            "min_serialized_dag_update_interval": 0,
            "fernet_key": keys["fernet"],
            # Looking the machine's name up in DNS takes seconds where there is none.
            "hostname_callable": "socket.gethostname",
        },
        # Airflow's processes write in turn; on a busy machine a turn takes longer than SQLite's five seconds.
        "database": {"sql_alchemy_conn": f"sqlite:///{state.airflow / 'airflow.db'}?timeout=60"},
        "api": {"host": HOST, "port": ports.airflow, "base_url": url, "secret_key": keys["api"], "workers": 1},
        "api_auth": {"jwt_secret": keys["jwt"]},
        "dag_processor": {
            "dag_bundle_config_list": json.dumps([bundle]),
            "refresh_interval": 5,
            "bundle_refresh_check_interval": 1,
            "parsing_processes": 1,
            "stale_dag_threshold": 5,
        },
        "scheduler": {
            "scheduler_idle_sleep_time": 0.5,
            "parsing_cleanup_interval": 10,
            "task_instance_heartbeat_timeout": 60,
            # What a platform that was stopped at once left running: Airflow would look for it after five minutes.
            "orphaned_tasks_check_interval": 15,
        },
        # A supervisor that misses the end of its task looks again after this time.
        "workers": {"min_heartbeat_interval": 1, "execution_api_timeout": 30},
        "logging": {"colored_console_log": False},
        "usage_data_collection": {"enabled": False},
    }
    settings = {
        f"AIRFLOW__{section.upper()}__{name.upper()}": str(value)
        for section, values in sections.items()
        for name, value in values.items()
    }
    return {
        **settings,
        "AIRFLOW_HOME": str(state.airflow),
        # The bundle's own dapflow, not the installed one: what is tried here is what is deployed.
        "PYTHONPATH": str(dags),
    }


def _keys(state: State) -> dict[str, str]:
    """Keys of this platform's own, made once."""
    file = state.airflow / "keys.json"
    known = read_json(file)
    if known:
        if not known.keys() >= {"fernet", "jwt", "api"}:
            raise damaged(file)
        return {name: str(key) for name, key in known.items()}
    keys = {
        "fernet": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "jwt": secrets.token_urlsafe(64),
        "api": secrets.token_urlsafe(32),
    }
    write_json(file, keys)
    return keys
