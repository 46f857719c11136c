"""An editor: the client of pygls, with the server as a process of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from tests.docs.markdown import ROOT

#: Longer than anything takes; a server that does not answer fails the test.
PATIENCE = 60


class Editor:
    """An editor with a project open; what it asks comes back when the server has answered."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.loop = asyncio.new_event_loop()
        self.client = LanguageClient("an editor", "1")
        self.shown: dict[str, types.PublishDiagnosticsParams] = {}
        self.messages: list[str] = []
        self.versions: dict[str, int] = {}
        self.texts: dict[str, str] = {}
        self._news = asyncio.Event()

        self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda said: self._show(said))  # noqa: PLW0108 - it gets attributes, which a method takes none of
        self.client.feature(types.WINDOW_SHOW_MESSAGE)(lambda said: self.messages.append(said.message))

    def _show(self, said: types.PublishDiagnosticsParams) -> None:
        self.shown[said.uri] = said
        self._news.set()

    def start(self) -> None:
        """Start the server, and open the project."""

        async def start() -> None:
            await self.client.start_io(sys.executable, "-m", "dapflow", "lsp", cwd=str(ROOT))
            folder = types.WorkspaceFolder(self.root.as_uri(), "project")
            parameters = types.InitializeParams(types.ClientCapabilities(), workspace_folders=[folder])
            await self.client.initialize_async(parameters)
            self.client.initialized(types.InitializedParams())

        self._run(start())

    def stop(self) -> int | None:
        """Close the editor; how the server ended."""

        async def stop() -> int | None:
            await self.client.shutdown_async(None)
            self.client.exit(None)
            await self.client.stop()  # type: ignore[no-untyped-call]
            return self.client._server.returncode if self.client._server is not None else None

        code: int | None = self._run(stop())
        self.loop.close()
        return code

    def uri(self, name: str) -> str:
        """The document of a file below transforms/."""
        return (self.root / "transforms" / name).as_uri()

    def open(self, name: str, text: str) -> list[types.Diagnostic]:
        """Show a file with a text; the diagnostics of just this text."""
        uri = self.uri(name)
        if uri in self.versions:
            return self.type(name, text)
        self.versions[uri], self.texts[uri] = 1, text
        item = types.TextDocumentItem(uri, types.LanguageKind.Sql, 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return self._found(uri)

    def type(self, name: str, text: str) -> list[types.Diagnostic]:
        """Make an open document hold another text; the diagnostics of it."""
        uri = self.uri(name)
        self.change(name, text)
        return self._found(uri)

    def change(self, name: str, text: str) -> None:
        """Make an open document hold another text, and wait for nothing."""
        uri = self.uri(name)
        self.versions[uri] += 1
        self.texts[uri] = text
        identifier = types.VersionedTextDocumentIdentifier(self.versions[uri], uri)
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [whole]))

    def close(self, name: str) -> None:
        """Close a document without saving it."""
        uri = self.uri(name)
        del self.versions[uri], self.texts[uri]
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))

    def _found(self, uri: str) -> list[types.Diagnostic]:
        self.wait(lambda: uri in self.shown and self.shown[uri].version == self.versions[uri])
        return list(self.shown[uri].diagnostics)

    def garble(self) -> None:
        """Send what is no message."""
        assert self.client._server is not None
        assert self.client._server.stdin is not None
        self.client._server.stdin.write(b"nothing\r\n\r\nContent-Length: 5\r\n\r\n{{{{{")

    def wait(self, until: Callable[[], bool]) -> None:
        """Wait until the server has said something."""

        async def news() -> None:
            while not until():
                self._news.clear()
                await self._news.wait()

        self._run(news())

    def ask(self, question: str, kind: Any, name: str, place: tuple[int, int], **more: Any) -> Any:
        """Ask about a place of a document: a line and a column from 0."""
        document = types.TextDocumentIdentifier(self.uri(name))
        parameters = kind(text_document=document, position=types.Position(*place), **more)
        return self._run(getattr(self.client, f"{question}_async")(parameters))

    def request(self, question: str, parameters: Any) -> Any:
        """Ask anything."""
        return self._run(getattr(self.client, f"{question}_async")(parameters))

    def _run(self, work: Any) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(work, PATIENCE))
