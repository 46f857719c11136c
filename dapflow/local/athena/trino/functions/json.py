"""JSON."""

import json as standard


def canonical(text: str) -> str:
    """The canonical text of a JSON value; ValueError if it is none."""
    return standard.dumps(standard.loads(text), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
