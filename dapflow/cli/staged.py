"""``dapflow check --staged``, and the hook by which git runs it before a commit."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import typer

from dapflow.cli.failure import print_findings
from dapflow.errors import DapflowError
from dapflow.files import write_whole
from dapflow.git import extract_staged, git, hooks_folder, staged
from dapflow.style.sql_files import styled_files

#: What a check reads of a project.
_READ = ("transforms", "cdk.json", "pyproject.toml", ".github/CODEOWNERS")
_OURS = "# Written by `dapflow check --install-hook`."
# Git runs it at the top of the working tree that is committed, of which a repository may have several.
_HOOK = """\
#!/bin/sh
{ours}
python={own}
[ -x "$python" ] || python={python}
[ -x "$python" ] || {{ echo "dapflow is set up no more: make setup, or delete $0" >&2; exit 1; }}
exec "$python" -P -m dapflow check --staged --project {project}
"""


def check_staged(root: Path, check: Callable[[Path], list[DapflowError]]) -> None:
    """Check the project as the next commit would hold it, and the layout of what that changes.

    Mistakes anywhere, and files that are not in the house style, end it with status 1. Of warnings, those in what is
    staged are told. ``check`` finds what is wrong with a project.
    """
    _keep_place()
    changed = staged(root)
    if not changed:
        return
    with tempfile.TemporaryDirectory(prefix="dapflow-staged-") as folder:
        # It may be in part what stands in the working tree.
        next_commit = extract_staged(root, _READ, Path(folder).resolve())
        findings = check(next_commit)
        mistakes = [finding for finding in findings if finding.severity == "error"]
        told = [finding for finding in findings if finding in mistakes or finding.file in changed]
        texts = [next_commit / name for name in changed if name.endswith(".sql")]
        files = styled_files([file for file in texts if file.is_file()])
        print_findings(told)
        other = [file.path.relative_to(next_commit).as_posix() for file in files if file.changes]
    sys.stderr.writelines(f"{name} is not in the house style\n" for name in other)
    if mistakes or other:
        _tell(other)
        raise typer.Exit(1)


def _keep_place() -> None:
    """Let git, asked elsewhere, answer for the commit that runs this as a hook.

    At the top of the working tree, it says by a way from there which index a commit of some files is made of, and in a
    second working tree which repository, which makes every folder the top: https://git-scm.com/docs/githooks
    """
    for name in ("GIT_INDEX_FILE", "GIT_DIR"):
        if value := os.environ.get(name):
            os.environ[name] = str(Path(value).absolute())
    if "GIT_DIR" in os.environ:
        os.environ.setdefault("GIT_WORK_TREE", str(Path.cwd()))


def _tell(other: list[str]) -> None:
    """What to do."""
    names = " ".join(map(shlex.quote, other))
    lines = [f"dapflow format {names}" if other else "mend it", "git add it, and commit again"]
    sys.stderr.write(f"\nNothing is committed: {', '.join(lines)}. (git commit --no-verify commits it as it is.)\n")


def install(root: Path) -> None:
    """Have git check what is staged before each commit. Raises DapflowError ``hook``."""
    hooks, line = hooks_folder(root), f"{shlex.quote(sys.executable)} -P -m dapflow check --staged"
    if hooks is None:
        raise DapflowError(
            "hook",
            f"{root} is in no repository of git, or core.hooksPath is set",
            hint=f"let your own hook run: {line}",
        )
    file = hooks / "pre-commit"
    if file.exists() and _OURS not in file.read_text(encoding="utf-8", errors="replace"):
        raise DapflowError("hook", "there is a hook already", file=file, hint=f"add a line to it: {line}")
    below = git(root, "rev-parse", "--show-prefix")
    own, project = f"./{below}.venv/bin/python", f"./{below}"
    words = {"own": own, "python": sys.executable, "project": project}
    text = _HOOK.format(ours=_OURS, **{name: shlex.quote(word) for name, word in words.items()})
    write_whole(file, text.encode(), mode=0o777)
    print(f"{file}: git checks transforms/ before each commit")
