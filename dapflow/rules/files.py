"""Files and folders of ``transforms/``: names, places, encodings."""

from __future__ import annotations

from dapflow.rules.rule import PRODUCT, SERVICE, Rule

_SELECT = "SELECT id FROM repairs"

FILES = (
    Rule(
        301,
        "no-service-file",
        "a folder under `transforms/` has no `service.yml`",
        "A service's folder begins with it: title, owner, schedule, sources.",
        {"transforms/parks/refined/benches.sql": "SELECT 1 AS id"},
        {"transforms/parks/refined/benches.sql": "SELECT 1 AS id", "transforms/parks/service.yml": "title: Parks\n"},
    ),
    Rule(
        302,
        "misplaced-file",
        "a file lies where nothing reads it",
        "Products are `transforms/<service>/refined/<name>.sql` and `…/trusted/<name>.sql`, with a `.yml` of the "
        "same name "
        "beside them; checks in SQL are in `transforms/<service>/checks/`.",
        {"transforms/housing/example.sql": _SELECT},
        {PRODUCT: _SELECT},
    ),
    Rule(
        303,
        "duplicate-dataset",
        "two files make the same product, or two datasets need the same table",
        "Names that differ by their case only are one table to Glue, and `x_history` is the history of `x`.",
        {"transforms/housing/refined/a.sql": _SELECT, "transforms/housing/refined/a_history.sql": _SELECT},
        {"transforms/housing/refined/a.sql": _SELECT, "transforms/housing/refined/b.sql": _SELECT},
    ),
    Rule(
        304,
        "database-claimed-twice",
        "two services have the same database",
        "What a service may write is granted by database.",
        {"transforms/roads/service.yml": "title: Roads\ndatabases: {refined: housing_refined_zone}\n"},
        {"transforms/roads/service.yml": "title: Roads\n"},
    ),
    Rule(
        305,
        "bad-name",
        "Glue does not take the name",
        "Names of services, products, tables and columns are lower-case letters, digits and `_`.",
        {"transforms/housing/refined/open-repairs.sql": _SELECT},
        {"transforms/housing/refined/open_repairs.sql": _SELECT},
    ),
    Rule(
        306,
        "bad-settings",
        "`[tool.dapflow]` in pyproject.toml is wrong",
        "The keys that there are stand in [settings](../settings.md).",
        {"pyproject.toml": '[tool.dapflow]\nreviewers = "nobody"\n'},
        {"pyproject.toml": '[tool.dapflow]\nreviewers = ["@council/platform"]\n'},
    ),
    Rule(
        307,
        "stale-codeowners",
        "`.github/CODEOWNERS` is not what `dapflow codeowners` would write now",
        "Run `dapflow codeowners`. A change of a service is reviewed by its owner, and what crosses services by the "
        "platform's people.",
        {
            "pyproject.toml": '[tool.dapflow]\nreviewers = ["@council/platform"]\n',
            ".github/CODEOWNERS": "# Written by dapflow codeowners.\n",
        },
        {},
    ),
    Rule(
        308,
        "encoding",
        "the file is not UTF-8",
        "Save it as UTF-8; editors call it that.",
        {PRODUCT: "SELECT 'caf\udce9' AS place"},
        {PRODUCT: "SELECT 'café' AS place"},
    ),
    Rule(309, "unreadable-file", "the file cannot be read", "Its owner, its rights or the disk forbid it.", None, None),
    Rule(
        310,
        "reserved-column",
        "a source has a column with the name of a generation column",
        "The four generation columns are dapflow's. `rename` in `service.yml` gives the file's column another name.",
        {SERVICE: "title: Housing\nsources:\n  repairs: {columns: {id: integer, import_date: string}}\n"},
        {SERVICE: "title: Housing\nsources:\n  repairs: {columns: {id: integer, imported_on: string}}\n"},
    ),
)
