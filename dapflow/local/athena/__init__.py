"""The embedded Athena."""
