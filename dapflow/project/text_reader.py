"""Reading the text of one file, whatever stands in others."""

from __future__ import annotations

from dapflow.errors import DapflowError
from dapflow.project.model import ServiceFolder
from dapflow.project.product_terms import ProductTerms
from dapflow.project.project_settings import ProjectSettings
from dapflow.sql import FileStatement, SqlText, read_statement


class TextReader:
    """Reads texts, each by itself."""

    def statement(self, text: SqlText) -> FileStatement:
        """The statement of a text of SQL. Raises DapflowError ``sql-…``."""
        return read_statement(text)

    def service(
        self, text: str, file: str, name: str, settings: ProjectSettings
    ) -> tuple[ServiceFolder, list[DapflowError]]:
        """The service of this name, without its products, as its service.yml describes it, and the mistakes in that."""
        from dapflow.project.marked_yaml import YamlFile  # noqa: PLC0415 (brings PyYAML)
        from dapflow.project.service_file import read_service  # noqa: PLC0415

        yaml = YamlFile(text, file)
        return read_service(yaml, name, settings), yaml.errors

    def product(self, text: str, file: str) -> tuple[ProductTerms, list[DapflowError]]:
        """What the ``.yml`` beside a product's SQL says, and the mistakes in it."""
        from dapflow.project.marked_yaml import YamlFile  # noqa: PLC0415 (brings PyYAML)
        from dapflow.project.section_reader import read_file  # noqa: PLC0415

        yaml = YamlFile(text, file)
        return read_file(yaml, ProductTerms, file.rpartition("/")[2]), yaml.errors
