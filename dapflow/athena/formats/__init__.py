"""How files in S3 become DuckDB relations: Parquet as it is, the other formats through a cached Parquet form."""
