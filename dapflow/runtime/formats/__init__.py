"""Each format of landing files: how it is read, checked, and shown to Athena."""
