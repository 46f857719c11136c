"""Cases of Trino's own tests: no part of the repository. What needs them is left out where they are not at hand."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

from tests.docs.markdown import ROOT

#: Names the folder of the corpus, with its `cases.jsonl` and its `run.py`; else it is looked for beside the repository.
VARIABLE = "DAPFLOW_CONFORMANCE"


def folder() -> Path | None:
    """The corpus's folder, or None where there is none."""
    place = Path(os.environ.get(VARIABLE) or ROOT.parent / "shared" / "conformance")
    return place if (place / "cases.jsonl").is_file() else None


def runner(corpus: Path) -> Any:
    """The corpus's own program, as a module: it compares what comes with what Trino gives."""
    spec = importlib.util.spec_from_file_location("conformance_runner", corpus / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _read(corpus: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (corpus / "cases.jsonl").read_text(encoding="utf-8").split("\n") if line]


def texts(corpus: Path) -> list[str]:
    """The queries of every case, each once."""
    return list(
        dict.fromkeys(case[name] for case in _read(corpus) for name in ("sql", "expected_sql") if case.get(name))
    )


def cases(corpus: Path, program: Any) -> list[dict[str, Any]]:
    """Every case. Trino's tests read 1.2 as a decimal, Athena as a double: the tests' meaning is written out."""
    listed = _read(corpus)
    for case in listed:
        for name in case.keys() & {"sql", "expected_sql"}:
            case[name] = program.explicit_decimals(case[name])
    return listed
