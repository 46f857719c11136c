"""See tests_common."""
