"""Hive's side of Athena: statements that define things, with backticks and rules of their own."""
