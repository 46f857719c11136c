"""Tests of what a branch changes."""
