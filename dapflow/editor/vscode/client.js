"use strict";
// Starts `dapflow lsp` for the folder that is open, and lets it speak with the editor.
const fs = require("node:fs");
const path = require("node:path");
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

/** The command that is set, that of the folder's own environment, or the one of the PATH. */
function command(folder) {
  const named = vscode.workspace.getConfiguration("dapflow").get("command");
  if (named) return named;
  const windows = process.platform === "win32";
  const own = path.join(folder, ".venv", windows ? "Scripts" : "bin", windows ? "dapflow.exe" : "dapflow");
  return fs.existsSync(own) ? own : "dapflow";
}

exports.activate = async () => {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  if (!folder) return;
  const server = { command: command(folder), args: ["lsp"], options: { cwd: folder } };
  client = new LanguageClient("dapflow", "dapflow", server, {
    documentSelector: [
      { scheme: "file", pattern: "**/*.sql" },
      { scheme: "file", pattern: "**/transforms/**/*.yml" },
    ],
  });
  await client.start();
};

exports.deactivate = () => client?.stop();
