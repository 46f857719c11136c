"""What the server is asked, and who answers."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from dapflow.editor.completion import completions
from dapflow.editor.definitions import definition_at, references_at
from dapflow.editor.fixes import fixes_at
from dapflow.editor.hover import hover_at
from dapflow.editor.renaming import renamable_at, renamed_spans
from dapflow.editor.server import EditorServer, OpenDocument
from dapflow.editor.signatures import signatures_at
from dapflow.errors import DapflowError
from dapflow.sql import SqlText
from dapflow.style.formatted import formatted

_WATCHED = ("**/*.sql", "**/*.yml", "**/pyproject.toml")


def editor_server() -> EditorServer:
    """A server that answers everything it says that it does."""
    server = EditorServer()
    _documents(server)
    _questions(server)
    _changes(server)
    return server


def _documents(server: EditorServer) -> None:
    @server.feature(types.INITIALIZED)
    async def initialized(_: types.InitializedParams) -> None:
        for folder in server.workspace.folders.values():
            server.begin(folder.uri)
        server.begin(server.workspace.root_uri)
        server.read_soon()
        files = server.client_capabilities.workspace and server.client_capabilities.workspace.did_change_watched_files
        if files and files.dynamic_registration:
            watchers = [types.FileSystemWatcher(pattern) for pattern in _WATCHED]
            options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
            watching = types.Registration("files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            await server.client_register_capability_async(types.RegistrationParams([watching]))

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(parameters: types.DidOpenTextDocumentParams) -> None:
        document = parameters.text_document
        server.note(document.uri, OpenDocument(document.text.removeprefix("\ufeff"), document.version))
        server.look_soon(document.uri)
        server.read_soon(paused=server.snapshot is not None)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(parameters: types.DidChangeTextDocumentParams) -> None:
        document = parameters.text_document
        # The whole text is sent: the server asked for that, since lines are counted in more ways than one.
        text = parameters.content_changes[-1].text if parameters.content_changes else ""
        server.note(document.uri, OpenDocument(text.removeprefix("\ufeff"), document.version))
        server.look_soon(document.uri)
        server.read_soon(paused=True)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(parameters: types.DidCloseTextDocumentParams) -> None:
        server.note(parameters.text_document.uri, None)
        server.read_soon()

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(_: types.DidSaveTextDocumentParams) -> None:
        server.read_soon()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def files_changed(_: types.DidChangeWatchedFilesParams) -> None:
        server.read_soon()


def _questions(server: EditorServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=["."]))
    def completion(asked: types.CompletionParams) -> list[types.CompletionItem] | None:
        return server.answer(
            asked.text_document.uri,
            asked.position,
            lambda snapshot, file, text, offset: completions(snapshot, file, text.text, offset),
        )

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(asked: types.HoverParams) -> types.Hover | None:
        positions = server.positions(asked.text_document.uri)
        said = server.answer(
            asked.text_document.uri,
            asked.position,
            lambda snapshot, file, text, offset: hover_at(snapshot, file, text.text, offset),
        )
        if said is None:
            return None
        text = types.MarkupContent(types.MarkupKind.Markdown, said.markdown)
        return types.Hover(text, positions.range(*said.span))

    @server.feature(types.TEXT_DOCUMENT_SIGNATURE_HELP, types.SignatureHelpOptions(["(", ","]))
    def signature_help(asked: types.SignatureHelpParams) -> types.SignatureHelp | None:
        return server.answer(
            asked.text_document.uri, asked.position, lambda snapshot, file, text, at: signatures_at(text.text, at)
        )

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(asked: types.DefinitionParams) -> types.Location | None:
        place = server.answer(
            asked.text_document.uri,
            asked.position,
            lambda snapshot, file, text, offset: definition_at(snapshot, file, text.text, offset),
        )
        return server.location(place) if place is not None else None

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(asked: types.ReferenceParams) -> list[types.Location] | None:
        places = server.answer(
            asked.text_document.uri,
            asked.position,
            lambda snapshot, file, text, offset: references_at(snapshot, file, text.text, offset),
        )
        return [server.location(place) for place in places or ()]


def _changes(server: EditorServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare_rename(asked: types.PrepareRenameParams) -> types.Range | None:
        positions = server.positions(asked.text_document.uri)
        span = server.answer(
            asked.text_document.uri, asked.position, lambda snapshot, file, text, at: renamable_at(text.text, at)
        )
        return positions.range(*span) if span is not None else None

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def rename(asked: types.RenameParams) -> types.WorkspaceEdit | None:
        uri = asked.text_document.uri
        positions = server.positions(uri)
        try:
            changes = server.answer(
                uri,
                asked.position,
                lambda snapshot, file, text, at: renamed_spans(snapshot, file, text.text, at, asked.new_name),
            )
        except DapflowError as error:
            raise JsonRpcException(error.message, types.LSPErrorCodes.RequestFailed) from None
        edits = [types.TextEdit(positions.range(*span), written) for span, written in changes or ()]
        return types.WorkspaceEdit({uri: edits})

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatting(asked: types.DocumentFormattingParams) -> list[types.TextEdit]:
        uri = asked.text_document.uri
        positions = server.positions(uri)
        try:
            styled = formatted(SqlText(positions.text, server.file(uri)))
        except DapflowError as error:
            server.window_show_message(
                types.ShowMessageParams(types.MessageType.Warning, str(error).partition("\n")[0])
            )
            return []
        return [types.TextEdit(positions.whole(), styled)] if styled != positions.text else []

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    )
    def code_action(asked: types.CodeActionParams) -> Sequence[types.CodeAction]:
        uri = asked.text_document.uri
        findings = server.findings_of(uri)
        shown = server.diagnostics(uri, findings) if findings else []
        return fixes_at(findings, shown, uri, server.positions(uri), asked.range)
