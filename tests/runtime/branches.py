"""A branch environment beside a lake, for tests of the run time."""

from __future__ import annotations

import uuid
from dataclasses import replace

from dapflow.branch import BranchNames, branch_slug
from dapflow.manifest import Manifest
from dapflow.platform import Platform, describe_branch, hosting
from dapflow.runtime.aws import Clients
from dapflow.runtime.publish import Publisher
from tests.runtime.lake import Lake


class Branch:
    """A branch environment beside the lake's, which holds what the files say."""

    def __init__(self, lake: Lake, clients: Clients) -> None:
        self.lake, self.clients = lake, clients

    def publisher(self, manifest: Manifest) -> Publisher:
        """A publisher of the branch's project, whose environment is made if it is not there."""
        platform = self.platform(manifest)
        self.lake.provide_branch(platform)
        return Publisher(self.clients, manifest, replace(platform.environment, retention_seconds=0))

    def platform(self, manifest: Manifest) -> Platform:
        """What the branch's environment consists of."""
        host = hosting(self.lake.platform, self.lake.environment).environment
        return describe_branch(manifest, BranchNames.of(branch_slug("fix/large")), host)

    def rows(self, publisher: Publisher, dataset: str) -> list[tuple[str | None, ...]]:
        """What the current view shows, without the generation columns and in order."""
        target = publisher.target(dataset)
        query = f'SELECT * FROM "{target.place.current}"'
        rows = target.athena.rows(target.athena.run(query, target.place.database, uuid.uuid4().hex).id)
        return sorted(tuple(list(row.values())[:-4]) for row in rows)
