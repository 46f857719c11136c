"""docs/deploy.md shows the templates as they are. To draw its picture anew: ``python -m tests.stacks.test_docs``."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest

from stacks.picture import picture
from tests.stacks.templates import ROOT, synthesized

DEPLOY = ROOT / "docs" / "deploy.md"
_PICTURE = re.compile(r"(<!-- picture: [^\n]*-->\n)(.*?)(<!-- end of picture -->)", re.DOTALL)


def drawn(folder: Path) -> str:
    """The guide with the picture of the example's ``prod``."""
    synthesized(folder, checks=False, environment="prod")
    chart = f"\n```mermaid\n{picture(folder)}```\n\n"
    return _PICTURE.sub(lambda match: match[1] + chart + match[3], DEPLOY.read_text())


@pytest.mark.slow
def test_the_picture_is_drawn_from_the_templates(tmp_path: Path) -> None:
    assert DEPLOY.read_text() == drawn(tmp_path)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        DEPLOY.write_text(drawn(Path(folder)))
