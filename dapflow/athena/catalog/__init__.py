"""What the Glue catalog says of tables, views and partitions, in Trino's terms."""
