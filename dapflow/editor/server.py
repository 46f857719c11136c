"""The server: it keeps the project, looks at what is typed, and outlives whatever it is given.

One thread reads the project, when a file was saved; another one looks at the text that is being typed, over the project
as it was read last. What is asked in between is answered at once, over the same.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

from dapflow.editor.definitions import PlaceInFile
from dapflow.editor.diagnostics import diagnostics
from dapflow.editor.edited_project import MOST_CHARACTERS, EditedProject, ProjectSnapshot
from dapflow.editor.positions import Positions
from dapflow.errors import DapflowError
from dapflow.root import find_project

#: Seconds between the last key and the look at a text; and between the last change of a file and the project's reading.
_TYPED, _SAVED = 0.02, 0.2
#: Seconds between the last key and a look at the files that read what was typed.
_PAUSED = 0.5

Answer = TypeVar("Answer")


class OpenDocument(NamedTuple):
    """A document as it stands in the editor."""

    text: str
    version: int | None


_log = logging.getLogger(__name__)


class EditorServer(LanguageServer):
    """One editor's server, for one project."""

    def __init__(self) -> None:
        super().__init__("dapflow", version("dapflow"), text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.project: EditedProject | None = None
        self.snapshot: ProjectSnapshot | None = None
        self._reading = ThreadPoolExecutor(1, "reading")
        self._looking = ThreadPoolExecutor(1, "looking")
        self._opened: dict[str, OpenDocument] = {}
        self._waiting: dict[str, asyncio.Task[None]] = {}
        #: What is shown of each file, and of which version of its document it was found.
        self._shown: dict[str, tuple[list[DapflowError], int | None]] = {}

    # ----------------------------------------------------------------------------------- documents
    def positions(self, uri: str) -> Positions:
        """The places of a document, as it stands in the editor or else on disk; of no text where there is none."""
        text = ""
        if uri in self._opened:
            text = self._opened[uri].text
        else:
            try:
                text = Path(to_fs_path(uri) or "").read_bytes().decode("utf-8-sig")
            except (OSError, ValueError):
                _log.debug("%s cannot be read", uri)
        encoding = self.workspace.position_encoding or types.PositionEncodingKind.Utf16
        return Positions(text if len(text) <= MOST_CHARACTERS else "", encoding)

    def file(self, uri: str) -> str:
        """How the project names the file of a document."""
        path = to_fs_path(uri)
        if path is None or self.project is None:
            return uri
        return self.project.name(Path(path).resolve())

    def uri(self, file: str) -> str:
        """The document of a file, by the name under which the editor has it open."""
        assert self.project is not None  # noqa: S101 - only its files have names
        path = self.project.root / file
        opened = (uri for uri in self._opened if Path(to_fs_path(uri) or "").resolve() == path)
        return next(opened, None) or from_fs_path(str(path)) or file

    # ------------------------------------------------------------------------------------- finding
    def begin(self, uri: str | None) -> None:
        """Take the project around a folder or file, if there is none yet."""
        path = to_fs_path(uri) if uri else None
        if self.project is None and path is not None:
            try:
                self.project = EditedProject(find_project(Path(path).resolve()).resolve())
            except DapflowError:
                _log.debug("there is no project around %s", path)

    def note(self, uri: str, document: OpenDocument | None) -> None:
        """Keep the text of a document in place of its file, while it is open."""
        self.begin(uri)
        path = Path(to_fs_path(uri) or "").resolve()
        if document is None:
            self._opened.pop(uri, None)
        else:
            self._opened[uri] = document
        if self.project is not None and document is not None:
            self.project.unsaved[path] = document.text
        elif self.project is not None:
            self.project.unsaved.pop(path, None)

    def look_soon(self, uri: str) -> None:
        """Look at a document when its author stops typing for a moment."""
        self._later(uri, _TYPED, functools.partial(self._look, uri))

    def read_soon(self, *, paused: bool = False) -> None:
        """Read the project again, and look at all of it; where somebody types, once that has ``paused``."""
        self._later("", _PAUSED if paused else _SAVED, self._read)

    def _later(self, name: str, seconds: float, work: Callable[[], Any]) -> None:
        async def later() -> None:
            await asyncio.sleep(seconds)
            try:
                await work()
            except asyncio.CancelledError:
                raise
            except Exception:  # noqa: BLE001 - a fault is said in the log, and the editor goes on
                _log.exception("nothing could be found")

        if name in self._waiting:
            self._waiting[name].cancel()
        self._waiting[name] = asyncio.get_running_loop().create_task(later())

    async def _look(self, uri: str) -> None:
        project, snapshot, file = self.project, self.snapshot, self.file(uri)
        document = self._opened.get(uri)
        if project is None or snapshot is None or document is None:
            return
        if not file.endswith(".sql"):
            self.read_soon()
            return
        text = document.text[: MOST_CHARACTERS + 1]
        findings = await asyncio.get_running_loop().run_in_executor(
            self._looking, project.findings, snapshot, file, text
        )
        if self._opened.get(uri) == document:
            self._show(file, findings, document.version)

    async def _read(self) -> None:
        if self.project is None:
            return
        self.snapshot = await asyncio.get_running_loop().run_in_executor(self._reading, self.project.read)
        # The project stays: looking for garbage in it would keep somebody who types waiting.
        gc.freeze()
        for file in {*self.snapshot.findings, *self._shown} - {""}:
            self._show(file, self.snapshot.findings.get(file, []))
        # What was typed while the project was read is newer than what was read.
        for uri in self._opened:
            if self.file(uri).endswith(".sql"):
                self.look_soon(uri)

    def _show(self, file: str, findings: list[DapflowError], number: int | None = None) -> None:
        uri = self.uri(file)
        shown = self.diagnostics(uri, findings)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, shown, number))
        self._shown[file] = findings, number

    def diagnostics(self, uri: str, findings: list[DapflowError]) -> list[types.Diagnostic]:
        """Findings of a document as they are shown."""
        assert self.project is not None  # noqa: S101 - they were found in it
        return diagnostics(findings, self.positions(uri), self.project.root)

    def findings_of(self, uri: str) -> list[DapflowError]:
        """What is shown of a document, if it was found of its text as it is now."""
        findings, number = self._shown.get(self.file(uri), ([], None))
        opened = self._opened.get(uri)
        return findings if opened is not None and opened.version == number else []

    # ----------------------------------------------------------------------------------- answering
    def answer(
        self,
        uri: str,
        position: types.Position,
        find: Callable[[ProjectSnapshot, str, Positions, int], Answer],
    ) -> Answer | None:
        """What is found at a place of a document; None where nothing is known, or something went wrong."""
        if self.snapshot is None:
            return None
        positions = self.positions(uri)
        try:
            return find(self.snapshot, self.file(uri), positions, positions.offset(position))
        except DapflowError:
            raise
        except Exception:  # noqa: BLE001 - a fault is said in the log, and the editor goes on
            _log.exception("a question could not be answered")
            return None

    def location(self, place: PlaceInFile) -> types.Location:
        """A place in a file as editors name it."""
        uri = self.uri(place.file)
        positions = self.positions(uri)
        if place.span is not None:
            return types.Location(uri, positions.range(*place.span))
        start = types.Position(place.line - 1, place.column - 1)
        return types.Location(uri, types.Range(start, start))
