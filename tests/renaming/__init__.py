"""Tests of another name for a dataset."""
