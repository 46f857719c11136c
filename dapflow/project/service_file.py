"""``service.yml``: the service terms, its sources and limits."""

from __future__ import annotations

from dapflow.manifest import Service
from dapflow.project.external_table import read_external
from dapflow.project.file_position import FilePosition, PlacedText
from dapflow.project.generation_columns import read_published_generation
from dapflow.project.marked_yaml import YamlFile
from dapflow.project.model import ZONES, ServiceFolder
from dapflow.project.project_settings import ProjectSettings
from dapflow.project.section_reader import read_file
from dapflow.project.service_terms import Limits, ServiceTerms
from dapflow.project.source_table import read_source


def read_service(yaml: YamlFile, name: str, settings: ProjectSettings) -> ServiceFolder:
    """The service that a service.yml describes, without its products. Mistakes are noted in ``yaml``.

    ``settings`` name the databases of the project.
    """
    terms = read_file(yaml, ServiceTerms, "service.yml")
    generation = read_published_generation(terms.generation_columns, yaml.errors)
    databases, by_environment, places = _databases(terms, name, settings)
    limits = terms.limits or Limits()
    return ServiceFolder(
        name=name,
        place=FilePosition(yaml.file, 1, 1),
        title=terms.title or name.replace("_", " ").strip().capitalize() or name,
        description=terms.description,
        owner=terms.owner,
        reviewers=terms.reviewers,
        schedule=terms.schedule,
        timezone=terms.timezone,
        retries=terms.retries,
        naming=terms.naming,
        generation=generation,
        reads=terms.reads,
        grants=terms.grants or {},
        bytes_scanned_cutoff=limits.bytes_scanned_per_query or Service.bytes_scanned_cutoff,
        input_age_days=limits.input_age_days,
        databases=databases,
        database=terms.database.text if terms.database else databases["raw"],
        database_places=places,
        environment_databases=by_environment,
        sources=tuple(
            read_source(source, table_terms, generation, yaml.errors)
            for source, table_terms in (terms.sources or {}).items()
        ),
        external=tuple(
            read_external(zone, table, table_terms, generation, yaml.errors)
            for zone in ZONES
            for table, table_terms in (terms.external or {}).get(zone, {}).items()
        ),
    )


def _databases(
    terms: ServiceTerms, service: str, settings: ProjectSettings
) -> tuple[dict[str, str], dict[str, dict[str, str]], dict[str, FilePosition]]:
    """The names by zone, those by zone and environment, and where they are written.

    Where each environment has a name of its own, the first one stands for the database everywhere else.
    """
    databases: dict[str, str] = {}
    by_environment: dict[str, dict[str, str]] = {}
    places: dict[str, FilePosition] = {} if terms.database is None else {"database": terms.database.place}
    for zone in ZONES:
        named = (terms.databases or {}).get(zone)
        if isinstance(named, PlacedText):
            databases[zone], places[zone] = named.text, named.place
        elif named:
            by_environment[zone] = {environment.text: database.text for environment, database in named.items()}
            databases[zone], places[zone] = next((database.text, key.place) for key, database in named.items())
        else:
            databases[zone] = settings.database.format(service=service, zone=zone)
            if settings.environments:
                by_environment[zone] = {
                    environment: pattern.format(service=service, zone=zone)
                    for environment, pattern in settings.environments.items()
                }
    return databases, by_environment, places
