"""What differs between two versions of a dataset, in data: asked of Athena, which alone reads the rows."""
