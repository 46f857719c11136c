"""``service.yml``: the service terms, its sources and limits."""

from __future__ import annotations

import difflib
import re
from dataclasses import replace
from typing import Any, Literal, cast

from yaml import Node, ScalarNode

from dapflow.manifest import GenerationColumns
from dapflow.project.database_names import check_database, read_database_names
from dapflow.project.external_table import read_external
from dapflow.project.marked_yaml import Entry, YamlFile
from dapflow.project.model import ZONES, Grant, Named, Place, ServiceFolder
from dapflow.project.names import REVIEWER_FORMS, is_reviewer
from dapflow.project.schedule import cron_problem, is_timezone
from dapflow.project.settings import Settings
from dapflow.project.source_table import read_sources

KEYS = (
    "title", "description", "owner", "reviewers", "schedule", "timezone", "retries", "database", "databases", "naming",
    "generation_columns", "reads", "grants", "limits", "sources", "external",
)  # fmt: skip
_UNITS = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
# The least that an Athena workgroup takes.
_LEAST_CUTOFF = 10_000_000
_COLUMN_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def read_service(yaml: YamlFile, name: str, settings: Settings) -> ServiceFolder:
    """The service that a service.yml describes, without its products. Mistakes are noted in ``yaml``.

    ``settings`` name the databases of the project.
    """
    entries = yaml.entries(yaml.root, "service.yml", KEYS) if yaml.root is not None else {}
    databases: dict[str, str] = {zone: settings.database.format(service=name, zone=zone) for zone in ZONES}
    by_environment: dict[str, dict[str, str]] = {
        zone: {key: pattern.format(service=name, zone=zone) for key, pattern in settings.environments.items()}
        for zone in ZONES
    }
    places = {}
    for zone, entry in (
        yaml.entries(entries["databases"].value, "databases", ZONES).items() if "databases" in entries else ()
    ):
        if named := read_database_names(yaml, entry, zone):
            databases[zone], by_environment[zone] = named
            places[zone] = Place.of(yaml, entry.value)
    if "database" in entries:
        places["database"] = Place.of(yaml, entries["database"].value)
    service = ServiceFolder(
        name=name,
        place=Place(yaml.file, 1, 1),
        title=name.replace("_", " ").strip().capitalize() or name,
        databases=databases,
        database=databases["raw"],
        database_places=places,
        environment_databases={zone: names for zone, names in by_environment.items() if names},
    )
    fields: dict[str, Any] = {
        key: yaml.string(entries[key].value, key) for key in ("title", "description", "owner") if key in entries
    }
    fields |= {
        "owner_place": Place.of(yaml, entries["owner"].value) if "owner" in entries else None,
        "reviewers": _reviewers(yaml, entries.get("reviewers")),
        "schedule": _schedule(yaml, entries.get("schedule")),
        "timezone": _timezone(yaml, entries.get("timezone")),
        "retries": yaml.integer(entries["retries"].value, "retries") if "retries" in entries else None,
        "database": _database(yaml, entries.get("database")),
        "naming": _naming(yaml, entries.get("naming")),
        "generation": _published_generation(yaml, entries.get("generation_columns")),
        "reads": _reads(yaml, entries.get("reads")),
        "grants": _grants(yaml, entries.get("grants")),
        "bytes_scanned_cutoff": _cutoff(yaml, entries.get("limits")),
    }
    service = replace(service, **{key: value for key, value in fields.items() if value is not None})
    if "sources" in entries:
        service = replace(service, sources=read_sources(yaml, entries["sources"].value, service.generation))
    if "external" in entries:
        external = read_external(yaml, entries["external"].value, service.generation, _generation)
        service = replace(service, external=external)
    return service


def _reviewers(yaml: YamlFile, entry: Entry | None) -> tuple[str, ...]:
    reviewers = []
    for text, node in yaml.strings(entry.value, "reviewers") if entry else []:
        if is_reviewer(text):
            reviewers.append(text)
        else:
            yaml.error("bad-value", f"{text!r} is nobody that GitHub could ask", node, f"for example {REVIEWER_FORMS}")
    return tuple(reviewers)


def _schedule(yaml: YamlFile, entry: Entry | None) -> str | None:
    line = yaml.string(entry.value, "schedule") if entry else None
    if entry is None or line is None:
        return None
    problem = cron_problem(line)
    if problem:
        yaml.error(
            "bad-schedule", f"schedule {line!r}: {problem}", entry.value, 'for example "0 5 * * *": daily at 05:00'
        )
        return None
    return line


def _timezone(yaml: YamlFile, entry: Entry | None) -> str | None:
    name = yaml.string(entry.value, "timezone") if entry else None
    if entry is None or name is None or is_timezone(name):
        return name
    from zoneinfo import available_timezones  # noqa: PLC0415 - read from disk, and needed for the hint alone

    near = difflib.get_close_matches(name, sorted(available_timezones()), n=1)
    hint = f"did you mean {near[0]!r}?" if near else "a name like Europe/London"
    yaml.error("bad-timezone", f"there is no time zone {name!r}", entry.value, hint)
    return None


def _database(yaml: YamlFile, entry: Entry | None) -> str | None:
    name = yaml.string(entry.value, "database") if entry else None
    return name if entry and name is not None and check_database(yaml, name, entry.value) else None


def _naming(yaml: YamlFile, entry: Entry | None) -> Literal["history", "latest"] | None:
    name = yaml.string(entry.value, "naming") if entry else None
    if entry is None or name is None or name in {"history", "latest"}:
        return cast(Literal["history", "latest"] | None, name)
    yaml.error(
        "bad-value",
        f"naming is 'history' or 'latest', not {name!r}",
        entry.value,
        "history: flights_history and flights; latest: flights and flights_latest",
    )
    return None


def _published_generation(yaml: YamlFile, entry: Entry | None) -> GenerationColumns | None:
    """The generation columns of what the service publishes; see docs/decisions/one-moment.md for what they lack."""
    columns = _generation(yaml, entry)
    if entry is None or columns is None or not columns.extra:
        return columns
    names = ", ".join(columns.extra)
    yaml.error(
        "extra-columns",
        f"generation_columns.extra names {names}: a dataset that dapflow publishes has no further partition columns, "
        "because several partitions do not change in one moment",
        next(key for key, _ in entry.value.value if key.value == "extra"),
        f"leave extra out, so that {names} stays ordinary data; only tables under `external` may have it, in "
        "their `generations`",
    )
    return replace(columns, extra=())


def _generation(yaml: YamlFile, entry: Entry | None) -> GenerationColumns | None:
    if entry is None:
        return None
    inner = yaml.entries(entry.value, "generation_columns", ("prefix", "extra"))
    prefix = yaml.string(inner["prefix"].value, "generation_columns.prefix") if "prefix" in inner else None
    if prefix is not None and not _COLUMN_NAME.fullmatch(prefix):
        yaml.error(
            "bad-name",
            f"{prefix!r} cannot begin a column name: lower-case letters, digits and _ are allowed",
            inner["prefix"].value,
            "for example import, transform or generation",
        )
        prefix = None
    columns = GenerationColumns(prefix) if prefix else GenerationColumns()
    extra: list[str] = []
    for name, node in yaml.strings(inner["extra"].value, "generation_columns.extra") if "extra" in inner else []:
        if not _COLUMN_NAME.fullmatch(name):
            yaml.error("bad-name", f"{name!r} cannot be a partition column: use lower-case letters, digits and _", node)
        elif name in columns.names or name in extra:
            yaml.error("bad-value", f"partition column {name!r} is there twice", node)
        else:
            extra.append(name)
    return replace(columns, extra=tuple(extra))


def _reads(yaml: YamlFile, entry: Entry | None) -> tuple[Named, ...]:
    """What the service asks to read of others."""
    if entry is None:
        return ()
    form = "write <service>.<zone> or <service>.<zone>.<dataset>"
    return _data(yaml, entry.value, "reads", r"[^.\s]+\.(raw|refined|trusted)(\.[^.\s]+)?", form)


def _grants(yaml: YamlFile, entry: Entry | None) -> tuple[Grant, ...]:
    """What others may read of the service, by their names."""
    form = "write <zone> or <zone>.<dataset>"
    return tuple(
        Grant(
            Named(reader, Place.of(yaml, one.key)),
            _data(yaml, one.value, f"grants.{reader}", r"(raw|refined|trusted)(\.[^.\s]+)?", form),
        )
        for reader, one in (yaml.entries(entry.value, "grants") if entry else {}).items()
    )


def _data(yaml: YamlFile, node: Node, name: str, pattern: str, form: str) -> tuple[Named, ...]:
    """A list of zones and datasets."""
    named = []
    for text, item in yaml.strings(node, name):
        if re.fullmatch(pattern, text):
            named.append(Named(text, Place.of(yaml, item)))
        else:
            yaml.error("bad-value", f"{text!r} names no zone or dataset", item, form)
    return tuple(named)


def _cutoff(yaml: YamlFile, entry: Entry | None) -> int | None:
    inner = yaml.entries(entry.value, "limits", ("bytes_scanned_per_query",)) if entry else {}
    if "bytes_scanned_per_query" not in inner:
        return None
    node = inner["bytes_scanned_per_query"].value
    text = node.value if isinstance(node, ScalarNode) else ""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?b)?", str(text).strip(), re.IGNORECASE)
    size = int(float(match[1]) * _UNITS[(match[2] or "B").upper()]) if match else 0
    if match and size >= _LEAST_CUTOFF:
        return size
    problem = f"{text!r} is less than Athena's least limit of 10 MB" if match else f"{text!r} is not a size"
    yaml.error("bad-value", f"limits.bytes_scanned_per_query: {problem}", node, 'for example "10 GB"')
    return None
