#!/bin/sh
# Runs on every Airflow component before it starts. Athena, Glue and S3 throttle; boto3 then waits and tries again.
export AWS_RETRY_MODE=adaptive
export AWS_MAX_ATTEMPTS=10
