"""Cases of functions: `functions/<topic>.txt` holds some for each function of a topic of the table.

A heading `# name`, then what stands after SELECT and in the line below what comes of it: `= type: value` as Athena
prints it (NULL for none, ` | ` between rows), or `! ERROR: message`; an error without a message stands for any message.
The values are those of Trino's documentation and rules, not what came out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "functions"


@dataclass(frozen=True)
class Case:
    """One case: what stands after SELECT, and the line of what comes of it."""

    name: str
    text: str
    expected: str


def cases_of(topic: str) -> list[Case]:
    """The cases of a topic, in the order of its file."""
    name = ""
    lines = iter((FOLDER / f"{topic}.txt").read_text(encoding="utf-8").split("\n"))
    cases = []
    for line in lines:
        if line.startswith("# "):
            name = line[2:]
        elif line:
            cases.append(Case(name, line, next(lines)))
    return cases


TOPICS = sorted(file.stem for file in FOLDER.glob("*.txt"))
#: The cases of every topic.
CASES = {topic: cases_of(topic) for topic in TOPICS}
