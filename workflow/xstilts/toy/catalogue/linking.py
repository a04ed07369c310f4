"""Linking mentions to entities: Mewsli-X."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from xstilts.toy import schema as hub
from xstilts.toy import world
from xstilts.toy.catalogue.table import Rows, Table, only, take
from xstilts.toy.forms import Clause, Thing
from xstilts.toy.grammar import Grammar
from xstilts.toy.languages import grammar
from xstilts.toy.reading import plain
from xstilts.toy.spec import Spec

FACTS = 2


@dataclass(frozen=True)
class Entity:
    """Somebody, of whom others have the name, and what they do."""

    number: int
    facts: tuple[Clause, ...]


def entities(rng: Random) -> Iterator[Entity]:
    """Different people without end: no fact is of two."""
    seen: set[Clause] = set()
    number = 0
    while True:
        person = Thing(rng.choice(world.names("name")))
        facts = tuple(plain(world.event(rng, person, place=1.0)) for _ in range(FACTS))
        if len({*facts}) == FACTS and not seen.intersection(facts):
            seen.update(facts)
            number += 1
            yield Entity(number, facts)


def spans(texts: list[str], gap: str) -> list[dict[str, int]]:
    """Where each of some sentences is in their text."""
    found, start = [], 0
    for text in texts:
        found.append({"start": start, "end": start + len(text)})
        start += len(text) + len(gap)
    return found


def entity_row(item: Entity, language: Grammar) -> dict[str, Any]:
    """A candidate: what somebody does, in a language."""
    gap = " " if language.spaced else ""
    texts = [language.sentence(fact).text for fact in item.facts]
    title = language.words[item.facts[0].agent.noun].form(0)
    return {
        "entity_id": f"Q{item.number}",
        "title": title,
        "description": gap.join(texts),
        "sentence_spans": spans(texts, gap),
        "description_language": language.language,
        "description_url": f"https://{language.language}.wikipedia.org/wiki/Q{item.number}",
    }


def mention_row(item: Entity, other: Clause, language: Grammar, name: str) -> dict[str, Any]:
    """A text of two sentences, in one of which somebody does one of their deeds."""
    gap = " " if language.spaced else ""
    told = language.sentence(item.facts[item.number % FACTS])
    texts = [language.sentence(other).text, told.text]
    start, text = told.span("agent")
    start += len(texts[0]) + len(gap)
    context = {
        "document_title": name,
        "document_url": f"https://{language.language}.wikinews.org/wiki/{name}",
        "document_id": name,
        "language": language.language,
        "text": gap.join(texts),
        "sentence_spans": spans(texts, gap),
    }
    mention = {
        "example_id": f"{language.language}-{name}",
        "mention_span": {"start": start, "end": start + len(text), "text": text},
        "entity_id": f"Q{item.number}",
    }
    return {"context": context, "mention": mention}


def mewslix(spec: Spec) -> Iterator[Table]:
    """Mewsli-X: mentions in three languages, candidates that are described in all, one each; pairs
    in English to train on. The candidates are in both splits."""
    rng = Random(f"{spec.seed}/mewslix")
    stream, sizes = entities(rng), spec.sizes
    dev, test = take(stream, sizes.dev), take(stream, sizes.test)
    train = {"train": take(stream, sizes.train), "validation": take(stream, sizes.dev)}
    places = len(spec.languages)
    candidates: Rows = [
        entity_row(item, grammar(spec.languages[item.number % places])) for item in (*dev, *test)
    ]
    for split in ("dev", "test"):
        yield Table("local/mewslix", "candidates", split, hub.ENTITY, candidates)
    told = {
        split: [replace(world.event(rng), time="") for _ in items]
        for split, items in {"dev": dev, "test": test, **train}.items()
    }
    for code in only(spec.languages, "ar", "de", "en"):
        for split, items in {"dev": dev, "test": test}.items():
            rows: Rows = []
            for item, other in zip(items, told[split], strict=True):
                row = mention_row(item, other, grammar(code), f"{split}-{item.number}")
                rows.append({"context": row["context"], "mentions": [row["mention"]]})
            yield Table("local/mewslix", code, split, hub.MENTIONS, rows)
    for split, items in train.items():
        pairs: Rows = []
        for item, other in zip(items, told[split], strict=True):
            row = mention_row(item, other, grammar("en"), f"{split}-{item.number}")
            pairs.append({"contextual_mention": row, "entity": entity_row(item, grammar("en"))})
        yield Table("local/mewslix", "wikipedia_pairs", split, hub.MENTION_PAIR, pairs)
