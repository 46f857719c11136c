"""The part of Airflow's own test tools, which are not released, that its system tests of Athena import."""
