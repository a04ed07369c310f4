"""Every data set of the toy mirror: one function each, listed in `CATALOGUE`.

A function draws its semantic items from one random stream, the evaluation sets first, and realises
them in the languages it has. The stream never repeats an item, so training and evaluation items
differ; an item of a parallel set has the same row number in every language.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any

from xstilts.toy import nli, reading, stories, world
from xstilts.toy import schema as hub
from xstilts.toy.forms import Form
from xstilts.toy.grammar import Grammar
from xstilts.toy.inference import LABELS
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
ISO3 = {"en": "eng", "de": "deu", "ru": "rus", "ar": "ara", "hi": "hin", "zh": "cmn"}

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Table:
    """One split of one configuration of a hub data set."""

    repository: str
    config: str
    split: str
    features: dict[str, hub.Feature]
    rows: Rows


def take(stream: Iterator, count: int) -> list:
    """The next `count` items of a stream."""
    return list(islice(stream, count))


def nli_rows(items: list[nli.Inference], language: Grammar, numbered: bool = False) -> Rows:
    """Rows of MNLI (numbered) or XNLI."""
    rows: Rows = []
    for number, item in enumerate(items):
        row: dict[str, Any] = {
            "premise": language.sentence(item.premise).text,
            "hypothesis": language.sentence(item.hypothesis).text,
            "label": LABELS.index(item.label),
        }
        rows.append({**row, "idx": number} if numbered else row)
    return rows


def mnli_and_xnli(spec: Spec) -> Iterator[Table]:
    """MNLI in English, XNLI in every language."""
    stream, sizes = nli.inferences(Random(f"{spec.seed}/nli")), spec.sizes
    mnli = {
        "validation_matched": take(stream, sizes.dev),
        "validation_mismatched": take(stream, sizes.dev),
    }
    xnli = {"validation": take(stream, sizes.dev), "test": take(stream, sizes.test)}
    mnli = {"train": take(stream, sizes.train), **mnli}
    for split, items in mnli.items():
        rows = nli_rows(items, grammar("en"), numbered=True)
        yield Table("nyu-mll/glue", "mnli", split, hub.GLUE_PAIR, rows)
    for language in spec.languages:
        for split, items in xnli.items():
            rows = nli_rows(items, grammar(language))
            yield Table("facebook/xnli", language, split, hub.XNLI, rows)


def squad_rows(items: list[reading.Passage], language: Grammar, name: str, title: str = "") -> Rows:
    """Rows of SQuAD (with a title) or XQuAD."""
    rows: Rows = []
    for number, item in enumerate(items):
        read = reading.read(item, language)
        row: dict[str, Any] = {"id": f"{name}-{number:06}"}
        if title:
            row["title"] = title
        answers = {"text": [read["answer"]], "answer_start": [read["start"]]}
        rows.append(
            {**row, "context": read["context"], "question": read["question"], "answers": answers}
        )
    return rows


def squad_and_xquad(spec: Spec) -> Iterator[Table]:
    """SQuAD in English, XQuAD in every language."""
    stream = reading.passages(Random(f"{spec.seed}/reading"))
    dev, test = take(stream, spec.sizes.dev), take(stream, spec.sizes.test)
    for split, items in {"train": take(stream, spec.sizes.train), "validation": dev}.items():
        rows = squad_rows(items, grammar("en"), split, title="Toy_world")
        yield Table("rajpurkar/squad", "plain_text", split, hub.SQUAD, rows)
    for language in spec.languages:
        rows = squad_rows(test, grammar(language), "xquad")
        yield Table("google/xquad", f"xquad.{language}", "validation", hub.SPAN, rows)


def hellaswag(spec: Spec) -> Iterator[Table]:
    """HellaSwag in English."""
    stream = stories.stories(Random(f"{spec.seed}/stories"))
    dev = take(stream, spec.sizes.dev)
    for split, items in {"train": take(stream, spec.sizes.train), "validation": dev}.items():
        rows: Rows = []
        for number, item in enumerate(items):
            told = stories.tell(item, grammar("en"))
            row: dict[str, Any] = {
                "ind": number,
                "activity_label": item.events[0].verb.capitalize(),
                "ctx_a": told["context"],
                "ctx_b": told["begin"],
                "ctx": f"{told['context']} {told['begin']}",
                "endings": told["endings"],
                "source_id": f"toy~{split}-{number}",
                "split": {"train": "train", "validation": "val"}[split],
                "split_type": "indomain",
                "label": str(told["right"]),
            }
            rows.append(row)
        yield Table("Rowan/hellaswag", "default", split, hub.HELLASWAG, rows)


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


def tatoeba(spec: Spec) -> Iterator[Table]:
    """Tatoeba: a pool of sentences with their English translations."""
    pool = take(sentences(Random(f"{spec.seed}/tatoeba")), spec.sizes.test)
    for language in spec.languages:
        if language == "en":
            continue
        code = ISO3[language]
        rows = [
            {
                "source_sentence": grammar(language).sentence(item).text + "\n",
                "target_sentence": grammar("en").sentence(item).text + "\n",
                "source_lang": code,
                "target_lang": "eng",
            }
            for item in pool
        ]
        yield Table("google/xtreme", f"tatoeba.{code}", "validation", hub.TATOEBA, rows)


CATALOGUE: dict[str, Callable[[Spec], Iterator[Table]]] = {
    "nli": mnli_and_xnli,
    "reading": squad_and_xquad,
    "stories": hellaswag,
    "udpos": udpos,
    "tatoeba": tatoeba,
}


def tables(spec: Spec) -> Iterator[Table]:
    """Every table of the mirror."""
    for data_set in CATALOGUE.values():
        yield from data_set(spec)
