"""Regular expressions that a user wrote: each is matched for a bounded time, while everything else goes on.

``re`` holds the interpreter for as long as a match takes, which can be for ever; not even SIGTERM is heard meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

#: A pattern may try more ways than there is time for.
PATIENCE_SECONDS = 2.0
# What each further text adds, a hundred times what a harmless pattern needs.
_TEXT_SECONDS = 0.001


class PatternError(ValueError):
    """A text that is no regular expression."""


@lru_cache(maxsize=1024)
def compiled(pattern: str, *, ignore_case: bool = False) -> Any:
    """A pattern of the library ``regex``, by the rules of ``re``. Raises PatternError."""
    import regex  # noqa: PLC0415 - only for those who write patterns

    try:
        return regex.compile(pattern, regex.V0 | regex.DOTALL | (regex.IGNORECASE if ignore_case else 0))
    except regex.error as error:
        raise PatternError(str(error)) from None


def full_matches(pattern: Any, texts: Iterable[str]) -> list[Any]:
    """The match of each text as a whole, or None. Raises TimeoutError."""
    texts = list(texts)
    deadline = time.monotonic() + PATIENCE_SECONDS + len(texts) * _TEXT_SECONDS
    return [pattern.fullmatch(text, concurrent=True, timeout=max(0.0, deadline - time.monotonic())) for text in texts]


def matching(pattern: str, names: Iterable[str]) -> set[str]:
    """Those of the names that a pattern matches as a whole, in any case. Raises PatternError, TimeoutError."""
    names = list(names)
    matches = full_matches(compiled(pattern, ignore_case=True), names)
    return {name for name, match in zip(names, matches, strict=True) if match}


class PatientRe:
    """``re`` for a module that is not ours and matches users' patterns: the two functions by which it does."""

    def match(self, pattern: str, text: str) -> Any:
        """``re.match``. Raises TimeoutError."""
        return compiled(pattern).match(text, concurrent=True, timeout=PATIENCE_SECONDS)

    def search(self, pattern: str, text: str) -> Any:
        """``re.search``. Raises TimeoutError."""
        return compiled(pattern).search(text, concurrent=True, timeout=PATIENCE_SECONDS)
