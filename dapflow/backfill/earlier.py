"""What backfills have published before, so that a second call goes on where the first one ended.

All backfills are one run by name, of which each try at a generation is an attempt. So a try takes up the query of one
that was killed, and two at once share theirs; and what Airflow built for one is known to the next.
"""

from __future__ import annotations

from itertools import count, takewhile

from dapflow.manifest import Dataset, Manifest
from dapflow.publications.inputs_of_today import is_of_todays_inputs
from dapflow.publications.published import Publications
from dapflow.runtime.aws import aws_errors
from dapflow.runtime.dataset_location import DatasetLocation, run_of
from dapflow.runtime.declared import terms_sha256
from dapflow.runtime.generation import Generation
from dapflow.runtime.limit import WHOLE, InputLimit
from dapflow.runtime.objects import list_objects
from dapflow.runtime.order import BACKFILL
from dapflow.runtime.record import RunRecord
from dapflow.runtime.records import attempt_name, read_record, record_uris, records_prefix


class EarlierBackfills:
    """What is on record of backfills, as one look at each dataset found it.

    ``limit`` is of those whose results will do; by another one, a generation has not been published yet.
    """

    def __init__(self, publications: Publications, limit: InputLimit = WHOLE) -> None:
        self.publications = publications
        self.limit = limit
        self._uris: dict[str, dict[str, str]] = {}

    def attempts(self, dataset: Dataset, generation: Generation) -> list[str]:
        """Where the attempts of backfills at a generation are recorded, the last one last."""
        known = self._recorded(dataset)
        names = (attempt_name(dataset.id, generation, BACKFILL, attempt) for attempt in count(1))
        return [known[name] for name in takewhile(known.__contains__, names)]

    def published(self, manifest: Manifest, dataset_id: str, generation: Generation) -> bool:
        """Whether what is read of a generation was published by a backfill, by today's text and from today's inputs.

        One that broke off behind the switch may have left the current view as it was, and does not count.
        """
        dataset = manifest.dataset(dataset_id)
        attempts = self.attempts(dataset, generation)
        publication = self.publications.publication(dataset.id, generation) if attempts else None
        if publication is None:
            return False
        with aws_errors():
            for uri in reversed(attempts):
                record = read_record(self.publications.clients_of(dataset.id).s3, uri)
                if record.run_id == run_of(publication.location):
                    if record.outcome != "published":
                        return False
                    if dataset.transform is None:
                        same = record.terms_sha256 in ("", terms_sha256(dataset))
                        return same and self._is_of_these_files(dataset, generation, record)
                    same = record.sql_sha256.startswith(dataset.transform.sha)
                    return same and is_of_todays_inputs(
                        self.publications, manifest, dataset, dataset.transform, publication, self.limit
                    )
        return False

    def _is_of_these_files(self, dataset: Dataset, generation: Generation, record: RunRecord) -> bool:
        """Whether the landing files are older than the load. Where they are gone, there is nothing to load."""
        place = DatasetLocation.of(dataset, self.publications.environment)
        files = list_objects(self.publications.clients_of(dataset.id).s3, place.landed(generation))
        return all(file.modified < record.start for file in files)

    def _recorded(self, dataset: Dataset) -> dict[str, str]:
        """Where records are kept, by the end of their names."""
        if dataset.id not in self._uris:
            prefix = records_prefix(self.publications.environment, dataset.zone, dataset.service)
            with aws_errors():
                uris = record_uris(self.publications.clients_of(dataset.id).s3, prefix, dataset.name)
            self._uris[dataset.id] = {uri.rpartition("/")[2].partition("-")[2]: uri for uri in reversed(uris)}
        return self._uris[dataset.id]
