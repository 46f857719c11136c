"""What there is to say of SQL before it runs: what Athena refuses, and what is a trap."""
