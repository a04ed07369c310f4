"""The grammars, by language code. A new language is a module here and a column in `lexicon.tsv`."""

from functools import cache

from xstilts.toy.grammar import Grammar
from xstilts.toy.languages.ar import Arabic
from xstilts.toy.languages.de import German
from xstilts.toy.languages.en import English
from xstilts.toy.languages.hi import Hindi
from xstilts.toy.languages.ru import Russian
from xstilts.toy.languages.zh import Chinese

GRAMMARS: dict[str, type[Grammar]] = {
    g.language: g for g in (English, German, Russian, Arabic, Hindi, Chinese)
}


@cache
def grammar(language: str) -> Grammar:
    """The grammar of a language."""
    return GRAMMARS[language]()
