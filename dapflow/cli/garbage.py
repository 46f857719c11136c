"""No search for garbage in a command that needs nearly all that it makes to its end."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def garbage_kept() -> Iterator[None]:
    """Let Python search for no garbage meanwhile, nor for what was made meanwhile when it ends.

    Of a project nearly everything is needed to the end, and no analysis leaves garbage that refers to itself: to search
    for some takes a sixth of the time, and finds none.
    """
    gc.disable()
    try:
        yield
    finally:
        # DuckDB takes what is never searched for leaks, and says so.
        if "duckdb" not in sys.modules:
            gc.freeze()
        gc.enable()
