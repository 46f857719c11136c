"""Landing files: which there are, what stands in them, and the form in which Athena reads them."""
