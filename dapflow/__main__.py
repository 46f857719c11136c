"""``python -m dapflow``: the command line."""

from dapflow.cli import main

main()
