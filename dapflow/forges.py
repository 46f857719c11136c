"""Where a file of a commit is shown on the web, by the address that git has of the repository.

Known are GitHub, GitLab, Bitbucket Cloud, Gitea and Forgejo, Azure DevOps and AWS CodeCommit; of the first two and of
Gitea also servers of one's own, where a part of the host's name says which it is: ``gitlab.example.org``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote

# What stands for the file's path in an address.
PATH = "{path}"

_URL = re.compile(r"(?:https?|ssh|git)://(?:[^@/]*@)?([^/:]+)(?::\d+)?/(.+)", re.IGNORECASE)
_SCP = re.compile(r"(?:[^@/:]+@)?([^/:]+):(?!/)(.+)")
_CODECOMMIT = re.compile(r"codecommit(?:::([a-z0-9-]+))?://(?:[^@/]+@)?([\w.-]+)")
_CODECOMMIT_HOST = re.compile(r"git-codecommit\.([a-z0-9-]+)\.amazonaws\.com")


@dataclass(frozen=True)
class _Remote:
    """A repository: its host, the names in its path, and a commit of it."""

    host: str
    names: tuple[str, ...]
    commit: str

    @property
    def web(self) -> str:
        return f"https://{self.host}/{'/'.join(quote(name) for name in self.names)}"


def file_address(remote: str, commit: str, folder: str = "") -> str:
    """The address of a file of a commit, with ``{path}`` in the place of its path below ``folder``; empty for others.

    ``remote`` is what git calls a URL, also ``git@host:owner/name.git``. What it holds of a password is left out.
    """
    repository = _parsed(remote.strip(), commit)
    shown = _shown_by(repository) if repository and commit else None
    if repository is None or shown is None:
        return ""
    below = quote(folder.strip("/"))
    return shown(repository).replace(PATH, f"{below}/{PATH}" if below else PATH)


def _parsed(remote: str, commit: str) -> _Remote | None:
    if match := _CODECOMMIT.fullmatch(remote):
        region, name = match.groups()
        return _Remote(f"git-codecommit.{region}.amazonaws.com", ("v1", "repos", name), commit) if region else None
    match = _URL.fullmatch(remote) or _SCP.fullmatch(remote)
    if match is None:
        return None
    path = match[2].strip("/").removesuffix(".git")
    names = tuple(unquote(name) for name in path.split("/"))
    return _Remote(match[1].lower(), names, commit) if "." in match[1] and all(names) else None


def _shown_by(remote: _Remote) -> Callable[[_Remote], str] | None:
    """What makes the addresses of a host."""
    if _CODECOMMIT_HOST.fullmatch(remote.host):
        return _codecommit
    if remote.host in ("dev.azure.com", "ssh.dev.azure.com"):
        return _azure if len(remote.names) == 4 else None
    labels = remote.host.split(".")
    if len(remote.names) < 2:
        return None
    for label, address in _BY_LABEL.items():
        if label in labels:
            return address
    return None


def _github(remote: _Remote) -> str:
    return f"{remote.web}/blob/{remote.commit}/{PATH}"


def _gitlab(remote: _Remote) -> str:
    return f"{remote.web}/-/blob/{remote.commit}/{PATH}"


def _bitbucket(remote: _Remote) -> str:
    return f"{remote.web}/src/{remote.commit}/{PATH}"


def _gitea(remote: _Remote) -> str:
    return f"{remote.web}/src/commit/{remote.commit}/{PATH}"


def _azure(remote: _Remote) -> str:
    names = [quote(name) for name in remote.names]
    # Over HTTPS organisation/project/_git/repository, over SSH v3/organisation/project/repository.
    organisation, project, repository = names[1:] if names[0] == "v3" else (names[0], names[1], names[3])
    return f"https://dev.azure.com/{organisation}/{project}/_git/{repository}?path=/{PATH}&version=GC{remote.commit}&_a=contents"


def _codecommit(remote: _Remote) -> str:
    match = _CODECOMMIT_HOST.fullmatch(remote.host)
    region = match[1] if match else ""
    return (
        f"https://{region}.console.aws.amazon.com/codesuite/codecommit/repositories/{quote(remote.names[-1])}"
        f"/browse/{remote.commit}/--/{PATH}?region={region}"
    )


_BY_LABEL: dict[str, Callable[[_Remote], str]] = {
    "github": _github,
    "gitlab": _gitlab,
    "bitbucket": _bitbucket,
    "gitea": _gitea,
    "forgejo": _gitea,
    "codeberg": _gitea,
}
