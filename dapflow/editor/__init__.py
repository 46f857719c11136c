"""The language server: what editors ask of a project while it is written. A file for each thing that is asked."""
