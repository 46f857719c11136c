"""The embedded Airflow: set up, its processes, its DAG files, its DAG runs."""
