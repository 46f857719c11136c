// Reads a JSON list of texts, and writes for each whether Trino's grammar takes it as a query. Argument: dt-sql-parser.
import { readFileSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import { join } from "node:path";

// The package is written for bundlers, which add the ends of files' names.
registerHooks({
  resolve: (name, context, next) =>
    next(name.startsWith(".") && !name.endsWith(".js") && context.parentURL?.includes("dt-sql-parser") ? name + ".js" : name, context),
});
const require = createRequire(join(process.argv[2], "package.json"));
const antlr = require("antlr4ng");
const { TrinoSqlLexer } = await import(join(process.argv[2], "dist/lib/trino/TrinoSqlLexer.js"));
const { TrinoSqlParser } = await import(join(process.argv[2], "dist/lib/trino/TrinoSqlParser.js"));

// Tokens that the grammar takes so that Trino can name the mistake.
const refused = ["BACKQUOTED_IDENTIFIER", "DIGIT_IDENTIFIER", "UNRECOGNIZED"].map((name) => TrinoSqlLexer[name]);

function takes(text) {
  const lexer = new TrinoSqlLexer(antlr.CharStreams.fromString(text));
  const tokens = new antlr.CommonTokenStream(lexer);
  lexer.removeErrorListeners();
  tokens.fill();
  if (tokens.getTokens().some((token) => refused.includes(token.type))) return false;
  const parser = new TrinoSqlParser(tokens);
  parser.removeErrorListeners();
  parser.buildParseTrees = false;
  parser.errorHandler = new antlr.BailErrorStrategy();
  for (const mode of [antlr.PredictionMode.SLL, antlr.PredictionMode.LL]) {
    parser.interpreter.predictionMode = mode;
    tokens.seek(0);
    parser.reset();
    try {
      parser.query();
      if (tokens.LA(1) === antlr.Token.EOF) return true;
    } catch (error) {
      if (!(error instanceof antlr.ParseCancellationException)) throw error;
    }
  }
  return false;
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(takes)));
