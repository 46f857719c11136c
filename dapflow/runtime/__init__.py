"""What runs in production: generations, ingest, publishing, current views, and the DAGs.

It imports the standard library, boto3 and Airflow, nothing else: what MWAA's stock image has.
"""
