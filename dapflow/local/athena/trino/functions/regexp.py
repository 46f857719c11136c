"""regexp."""
