"""What the embedded Athena keeps and reads: AWS through its public API, objects on disk, its own state."""
