"""What the documentation says is true: its commands run, its links resolve, its lists are complete."""
