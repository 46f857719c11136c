// Activates the packed extension where no VS Code is: all of its API that is not said here is there, and does nothing.
const Module = require("node:module");
const fs = require("node:fs");
const [bundle, folder, command, written] = process.argv.slice(2);

const anything = () => {
  const proxy = new Proxy(class {}, {
    get: (target, name) => {
      if (name === "prototype" || name in target) return target[name];
      return name === "then" || typeof name === "symbol" ? undefined : (target[name] = anything());
    },
    apply: () => anything(),
    construct: (target, given, made) => (made === proxy ? anything() : Reflect.construct(target, given, made)),
  });
  return proxy;
};

const vscode = anything();
vscode.workspace.workspaceFolders = [{ uri: { fsPath: folder, toString: () => `file://${folder}` }, name: "project" }];
vscode.workspace.getConfiguration = () => ({ get: () => command });
vscode.version = "1.91.0";

const load = Module._load;
Module._load = (name, ...more) => (name === "vscode" ? vscode : load(name, ...more));
process.on("unhandledRejection", () => {});
// What is not there ends the start of the client, after that of the server.
require(bundle).activate().catch(() => {});
setInterval(() => fs.existsSync(written) && process.exit(0), 50);
