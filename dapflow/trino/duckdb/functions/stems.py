"""Stems of words, by the algorithms of Snowball, as in Trino."""

from __future__ import annotations

from functools import lru_cache

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import lowering, udf

_LANGUAGES = {
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "hy": "armenian",
    "ir": "irish",
    "it": "italian",
    "lt": "lithuanian",
    "nl": "dutch_porter",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}

lowering("word_stem(varchar(x))", "py_word_stem($1, 'en')")
lowering("word_stem(varchar(x), varchar(2))", "py_word_stem($1, $2)")


@udf("py_word_stem", ["VARCHAR", "VARCHAR"], "VARCHAR")
def word_stem(word: str, language: str) -> str:
    """The stem of a word of a language."""
    if language not in _LANGUAGES:
        raise Failure(f"INVALID_FUNCTION_ARGUMENT: Unknown stemmer language: {language}")
    return _stem(word, _LANGUAGES[language])


@lru_cache(maxsize=1 << 16)
def _stem(word: str, algorithm: str) -> str:
    import snowballstemmer  # noqa: PLC0415 - twenty languages, which few queries need

    # A stemmer keeps the word that it works on, so each word has one of its own: queries run side by side.
    return str(snowballstemmer.stemmer(algorithm).stemWord(word))
