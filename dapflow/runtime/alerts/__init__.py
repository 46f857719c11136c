"""Who is told that a dataset failed, and that it is well again."""
