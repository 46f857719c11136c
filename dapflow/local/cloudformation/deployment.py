"""Bring the resources of stacks to what they are to be, and remove stacks: what CloudFormation does.

A resource that leaves its stack is removed; a stack that is not asked for stays as it is. What is made is noted before
it is made, so that nothing is forgotten when a command is killed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from dapflow.errors import DapflowError
from dapflow.local.cloudformation.resource_kind import ResourceKind
from dapflow.local.cloudformation.resource_kinds import KINDS, LEFT_OUT
from dapflow.local.cloudformation.template import Resource
from dapflow.servers.state import damaged, read_json, write_json

Noted = dict[str, Any]


def deploy(record_file: Path, services: Collection[str], wanted: Iterable[Resource]) -> None:
    """Make, change and remove the resources of these AWS services in the stacks of those that are wanted.

    Raises DapflowError ``database-renamed``, and then nothing is changed.
    """
    everything = list(wanted)
    _refuse_unknown(everything)
    kinds = {type_: make() for type_, make in KINDS.items() if make.service in services}
    existing = {type_: kind.existing() for type_, kind in kinds.items()}
    record = _read(record_file)
    after = {resource.id: resource for resource in everything if resource.type in kinds}
    stacks = {resource.stack for resource in everything}
    before = {id_: last for id_, last in record.items() if _stack(id_) in stacks and last["type"] in kinds}
    for id_ in after.keys() & before.keys():
        last, new = before[id_], after[id_]
        if last["name"] != new.name and last["name"] in existing[new.type] and not last["outlives"]:
            kinds[new.type].check_rename(last["name"], new.name)
    renamed = {id_ for id_ in after.keys() & before.keys() if before[id_]["name"] != after[id_].name}
    # What has another name is another thing: until it is gone, the old one is noted beside the new one.
    old = {f"{id_}/{before[id_]['name']}": before[id_] for id_ in renamed}
    intended = {id_: {**_noted(after[id_]), "made": False} for id_ in {*renamed, *(after.keys() - before.keys())}}
    if intended:
        record |= {**old, **intended}
        _write(record_file, record)
    for type_, kind in kinds.items():
        for id_, resource in after.items():
            if resource.type == type_:
                _bring(kind, resource, before.get(id_), existing[type_])
                record[id_] = _noted(resource)
    names = {(resource.type, resource.name) for resource in after.values()}
    for type_, kind in reversed(kinds.items()):
        for id_, last in {**before, **old}.items():
            if last["type"] == type_ and id_ not in after:
                if (type_, last["name"]) not in names:
                    _remove(kind, last, existing[type_])
                del record[id_]
    _write(record_file, record)


def destroy(record_file: Path, services: Collection[str] | None = None) -> None:
    """Remove all resources that are noted, or those of these AWS services alone.

    Where one cannot be removed, those after it stay, and stay noted.
    """
    record = _read(record_file)
    for type_, make in reversed(KINDS.items()):
        gone = [id_ for id_, last in record.items() if last["type"] == type_]
        if not gone or (services is not None and make.service not in services):
            continue
        kind = make()
        existing = kind.existing()
        for id_ in gone:
            _remove(kind, record[id_], existing)
            del record[id_]
        _write(record_file, record)


def require_free(record_file: Path, wanted: Iterable[Resource]) -> None:
    """Raise DapflowError ``name-clash`` for what is there under a wanted name and is not noted."""
    record = _read(record_file)
    new = [resource for resource in wanted if resource.type in KINDS and resource.id not in record]
    for type_ in {resource.type for resource in new}:
        existing = KINDS[type_]().existing()
        for resource in new:
            if resource.type == type_ and resource.name in existing:
                raise DapflowError(
                    "name-clash",
                    f"{resource.stack} needs the name {resource.name}, and another {type_} has it",
                    hint="it was made by hand, or by another stack: remove it, or name the branch differently",
                )


def _bring(kind: ResourceKind, wanted: Resource, last: Noted | None, existing: Collection[str]) -> None:
    kind.check(wanted)
    if wanted.name not in existing:
        kind.create(wanted.name, wanted.properties)
    elif last != _noted(wanted):
        kind.update(wanted.name, wanted.properties)


def _remove(kind: ResourceKind, last: Noted, existing: Collection[str]) -> None:
    if not last["outlives"] and (last["name"] in existing or not kind.listed):
        kind.delete(last["name"], last["properties"])


def _noted(resource: Resource) -> Noted:
    return {key: value for key, value in vars(resource).items() if key != "id"}


def _refuse_unknown(wanted: Iterable[Resource]) -> None:
    for resource in wanted:
        if resource.type not in {*KINDS, *LEFT_OUT}:
            raise DapflowError("template", f"{resource.id}: {resource.type} is unknown to the embedded platform")


def _stack(id_: str) -> str:
    return id_.partition("/")[0]


def _read(record_file: Path) -> dict[str, Noted]:
    record: dict[str, Any] = read_json(record_file)
    if not all(isinstance(noted, dict) for noted in record.values()):
        raise damaged(record_file)
    return record


def _write(record_file: Path, record: dict[str, Noted]) -> None:
    write_json(record_file, record)
