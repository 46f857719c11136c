"""Who runs a command, for the records of what they do."""

from __future__ import annotations

import getpass
import os


def person() -> str:
    """The name under which somebody is logged in; their number where they have no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())
