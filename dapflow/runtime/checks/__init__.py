"""What must hold of a generation before it is published: asked of what was staged, in as few queries as it takes."""
