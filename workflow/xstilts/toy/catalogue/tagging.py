"""A tag for every word: UD-POS, WikiAnn, CCG supertags."""

from collections.abc import Iterator
from random import Random

from xstilts.toy import entities, supertags, world
from xstilts.toy import schema as hub
from xstilts.toy.catalogue.table import Rows, Table, take
from xstilts.toy.forms import Form
from xstilts.toy.grammar import Grammar
from xstilts.toy.languages import grammar
from xstilts.toy.lexicon import LANGUAGES
from xstilts.toy.spec import Spec

UD_NAMES = {
    "en": "English",
    "de": "German",
    "ru": "Russian",
    "ar": "Arabic",
    "hi": "Hindi",
    "zh": "Chinese",
}


def sentences(rng: Random) -> Iterator[Form]:
    """Sentences without end that differ from each other in every language."""
    seen: set[str] = set()
    while True:
        form = world.sentence(rng)
        texts = {f"{code} {grammar(code).sentence(form).text}" for code in LANGUAGES}
        if not texts & seen:
            seen |= texts
            yield form


def udpos_rows(items: list[Form], language: Grammar) -> Rows:
    """Rows of UD-POS."""
    tagged = [language.sentence(item).tokens for item in items]
    return [
        {"tokens": [t.text for t in tokens], "pos_tags": [hub.UPOS.index(t.upos) for t in tokens]}
        for tokens in tagged
    ]


def udpos(spec: Spec) -> Iterator[Table]:
    """UD-POS: training data in English only."""
    stream = sentences(Random(f"{spec.seed}/udpos"))
    splits = {"validation": take(stream, spec.sizes.dev), "test": take(stream, spec.sizes.test)}
    train = {"train": take(stream, spec.sizes.train)}
    for language in spec.languages:
        for split, items in {**(train if language == "en" else {}), **splits}.items():
            rows = udpos_rows(items, grammar(language))
            yield Table("google/xtreme", f"udpos.{UD_NAMES[language]}", split, hub.UDPOS, rows)


def wikiann_rows(items: list[entities.Scene], language: Grammar) -> Rows:
    """Rows of WikiAnn; `spans` spell the entities out."""
    rows: Rows = []
    for item in items:
        tokens, tags = zip(*entities.tagged(item, language), strict=True)
        spans: list[str] = []
        for token, tag in zip(tokens, tags, strict=True):
            if tag.startswith("B-"):
                spans.append(f"{tag[2:]}: {token}")
            elif tag.startswith("I-"):
                spans[-1] += f" {token}"
        rows.append(
            {
                "tokens": list(tokens),
                "ner_tags": [hub.NER.index(tag) for tag in tags],
                "langs": [language.language] * len(tokens),
                "spans": spans,
            }
        )
    return rows


def wikiann(spec: Spec) -> Iterator[Table]:
    """WikiAnn: other sentences in every language."""
    for language in spec.languages:
        stream = entities.scenes(Random(f"{spec.seed}/wikiann/{language}"))
        dev, test = take(stream, spec.sizes.dev), take(stream, spec.sizes.test)
        train = take(stream, spec.sizes.train)
        for split, items in {"train": train, "validation": dev, "test": test}.items():
            rows = wikiann_rows(items, grammar(language))
            yield Table("unimelb-nlp/wikiann", language, split, hub.WIKIANN, rows)


def ccg_rows(items: list[Form]) -> Rows:
    """Rows of supertags."""
    tagged = [supertags.tagged(item) for item in items]
    return [{"tokens": [w for w, _ in row], "tags": [tag for _, tag in row]} for row in tagged]


def ccg(spec: Spec) -> Iterator[Table]:
    """Supertags in English, in the places of the open and of the licensed data."""
    stream = sentences(Random(f"{spec.seed}/ccg"))
    dev, test = take(stream, spec.sizes.dev), take(stream, spec.sizes.test)
    splits = {"train": take(stream, spec.sizes.train), "validation": dev, "test": test}
    for split, items in splits.items():
        for repository, config in (("local/ccg-pmb", "en"), ("local/ccgbank", "default")):
            yield Table(repository, config, split, hub.CCG, ccg_rows(items))
