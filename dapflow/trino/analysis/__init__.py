"""Trino's SQL with names and types: from a text to a typed tree, and what there is to say of the text.

Nothing here stops at the first mistake: it is noted, and what depends on it is of a type that fits everything. So is
what depends on a table that the catalogue does not know. Trino's words and places are kept.
"""

from dapflow.trino.analysis.analysis import Analysed, analyse, analyse_constant
from dapflow.trino.analysis.derivations import Derivation, Derivations, TablePart, derivations
from dapflow.trino.analysis.findings import Finding, Place
from dapflow.trino.analysis.keys import UniqueColumns
from dapflow.trino.analysis.lineage import Lineage, Origin, lineage
from dapflow.trino.analysis.meaning import meaning
from dapflow.trino.analysis.usage import TableUse, usage

__all__ = [
    "Analysed",
    "Derivation",
    "Derivations",
    "Finding",
    "Lineage",
    "Origin",
    "Place",
    "TablePart",
    "TableUse",
    "UniqueColumns",
    "analyse",
    "analyse_constant",
    "derivations",
    "lineage",
    "meaning",
    "usage",
]
