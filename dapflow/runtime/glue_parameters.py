"""What dapflow notes in the parameters of tables and partitions in Glue, by name."""

# Of a history table and a current view.
DATASET = "dapflow.dataset"
TAGS = "dapflow.tags"
# Of a history table: the changes of columns that somebody accepted, and the runs whose generations were withdrawn.
ACCEPTED = "dapflow.accepted"
WITHDRAWN = "dapflow.withdrawn"
# Of a current view: the generation that it shows.
GENERATION = "dapflow.generation"

# Of a partition: the publication that it points at, and all runs that have published its generation.
RUN_ID = "dapflow.run_id"
# The run whose query made the rows: another one where they were copied.
ORIGIN = "dapflow.origin"
# Of which part of its inputs the rows were made (``dapflow.runtime.limit``).
LIMITS = "dapflow.limits"
# What the rows follow from (``dapflow.runtime.equality``).
PROOF = "dapflow.proof"
QUERY_ID = "dapflow.query_id"
ROWS = "dapflow.rows"
BYTES = "dapflow.bytes"
BYTES_SCANNED = "dapflow.bytes_scanned"
SECONDS = "dapflow.seconds"
PUBLISHED_AT = "dapflow.published_at"
SQL_SHA = "dapflow.sql_sha"
REPLACES = "dapflow.replaces"
INPUTS = "dapflow.inputs"
CHECKS = "dapflow.checks"
RUNS = "dapflow.runs"
