"""What the resources of one type must answer: which are there, and how one is made, changed and removed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import boto3

from dapflow.errors import DapflowError
from dapflow.local.cloudformation.template import Resource

Properties = dict[str, Any]


class ResourceKind(ABC):
    """The resources of one type, of an AWS ``service``. ``takes`` and ``leaves`` name all properties they may have.

    ``listed`` says whether AWS can list them: of others ``existing`` knows none.
    """

    service: str
    listed = True
    takes: frozenset[str]
    leaves: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._client: Any = boto3.client(self.service)  # type: ignore[call-overload]

    def check(self, resource: Resource) -> None:
        """Raise DapflowError ``template`` for a property that is not known here."""
        unknown = resource.properties.keys() - self.takes - self.leaves
        if unknown:
            names = ", ".join(sorted(unknown))
            raise DapflowError("template", f"{resource.id}: {names} of {resource.type} is unknown to the platform")

    @abstractmethod
    def existing(self) -> set[str]:
        """The names of all that are there."""

    @abstractmethod
    def create(self, name: str, properties: Properties) -> None:
        """Make one that is not there."""

    @abstractmethod
    def update(self, name: str, properties: Properties) -> None:
        """Make one that is there what the properties say."""

    @abstractmethod
    def delete(self, name: str, properties: Properties) -> None:
        """Remove one; ``properties`` are its last."""

    def check_rename(self, name: str, new: str) -> None:  # noqa: B027 (most hold nothing that would go with the name)
        """Raise DapflowError ``database-renamed`` where one cannot get another name without a loss."""
