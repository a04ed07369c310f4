"""Questions of several hops: HotpotQA and a translation of its dev set, MuSiQue, TAPE's MultiQ."""

from collections.abc import Iterator
from random import Random
from typing import Any

from xstilts.toy import hops
from xstilts.toy import schema as hub
from xstilts.toy.catalogue.table import Rows, Table, only, take
from xstilts.toy.grammar import Grammar
from xstilts.toy.languages import grammar
from xstilts.toy.spec import Spec

COMPARISONS = 0.2  # of HotpotQA's questions, on the hub too
SHAPES = {2: "2hop", 3: "3hop1", 4: "4hop1"}


def hotpot_rows(items: list[hops.Puzzle], language: Grammar, name: str) -> Rows:
    """Rows of HotpotQA's distractor setting."""
    rows: Rows = []
    for number, item in enumerate(items):
        paragraphs = hops.paragraphs(item, language)
        support = [
            (paragraph.title, paragraph.clauses.index(clause))
            for _, clause in item.steps
            for paragraph in paragraphs
            if clause in paragraph.clauses
        ]
        rows.append(
            {
                "id": f"{name}-{number:06}",
                "question": language.sentence(item.question).text,
                "answer": hops.answer(item, language),
                "type": "bridge" if item.answer is None else "comparison",
                "level": "easy",
                "supporting_facts": {
                    "title": [title for title, _ in support],
                    "sent_id": [place for _, place in support],
                },
                "context": {
                    "title": [p.title for p in paragraphs],
                    "sentences": [_joined(p.sentences, language) for p in paragraphs],
                },
            }
        )
    return rows


def _joined(sentences: tuple[str, ...], language: Grammar) -> list[str]:
    """The sentences of a paragraph, all but the first with the gap before them, as HotpotQA's."""
    gap = " " if language.spaced else ""
    return [sentence if not i else gap + sentence for i, sentence in enumerate(sentences)]


def hotpot(spec: Spec) -> Iterator[Table]:
    """HotpotQA in English, its dev set once more in every language."""
    stream = hops.puzzles(Random(f"{spec.seed}/hotpot"), (2,), COMPARISONS)
    dev = take(stream, spec.sizes.test)
    for split, items in {"train": take(stream, spec.sizes.train), "validation": dev}.items():
        rows = hotpot_rows(items, grammar("en"), split)
        yield Table("hotpotqa/hotpot_qa", "distractor", split, hub.HOTPOT, rows)
    for language in spec.languages:
        rows = hotpot_rows(dev, grammar(language), "validation")
        yield Table("local/hotpotqa-x", language, "validation", hub.HOTPOT, rows)


def musique_rows(items: list[hops.Puzzle], split: str) -> Rows:
    """Rows of MuSiQue-Ans."""
    english, rows = grammar("en"), []
    for number, item in enumerate(items):
        paragraphs = hops.paragraphs(item, english)
        steps = hops.decomposition(item, english)
        support = [
            next(i for i, paragraph in enumerate(paragraphs) if clause in paragraph.clauses)
            for _, clause in item.steps
        ]
        row: dict[str, Any] = {
            "id": f"{SHAPES[item.hops]}__{split}_{number:06}",
            "paragraphs": [
                {
                    "idx": i,
                    "title": paragraph.title,
                    "paragraph_text": " ".join(paragraph.sentences),
                    "is_supporting": i in support,
                }
                for i, paragraph in enumerate(paragraphs)
            ],
            "question": english.sentence(item.question).text,
            "question_decomposition": [
                {
                    "id": i,
                    "question": question,
                    "answer": answer,
                    "paragraph_support_idx": place,
                }
                for i, ((question, answer), place) in enumerate(zip(steps, support, strict=True))
            ],
            "answer": hops.answer(item, english),
            "answer_aliases": [],
            "answerable": True,
        }
        rows.append(row)
    return rows


def musique(spec: Spec) -> Iterator[Table]:
    """MuSiQue in English: two, three and four hops."""
    stream = hops.puzzles(Random(f"{spec.seed}/musique"), tuple(SHAPES))
    dev = take(stream, spec.sizes.test)
    for split, items in {"train": take(stream, spec.sizes.train), "validation": dev}.items():
        yield Table("dgslibisey/MuSiQue", "default", split, hub.MUSIQUE, musique_rows(items, split))


def multiq(spec: Spec) -> Iterator[Table]:
    """TAPE's MultiQ in Russian: what people do in the first text, where they are in the second."""
    for code in only(spec.languages, "ru"):
        language = grammar(code)
        stream = hops.puzzles(Random(f"{spec.seed}/multiq"), (2,))
        dev = take(stream, spec.sizes.test)
        items = {"train": take(stream, spec.sizes.dev), "test": dev}
        for split, drawn in items.items():
            rows = [multiq_row(item, language) for item in drawn]
            yield Table("RussianNLP/tape", "multiq.raw", split, hub.MULTIQ, rows)


def multiq_row(item: hops.Puzzle, language: Grammar) -> dict[str, Any]:
    """A row of MultiQ."""
    texts = [
        " ".join(language.sentence(c).text for c in item.clauses if (c.verb == "be") == located)
        for located in (False, True)
    ]
    (bridge_question, bridge), _ = item.steps
    found = language.sentence(item.clauses[bridge]).span(bridge_question.ask)[1]
    return {
        "support_text": texts[0],
        "main_text": texts[1],
        "question": language.sentence(item.question).text,
        "bridge_answers": [_segment(texts[0], found)],
        "main_answers": [_segment(texts[1], hops.answer(item, language))],
    }


def _segment(text: str, part: str) -> dict[str, Any]:
    return {
        "label": "passage", "offset": text.index(part), "length": len(part), "segment": part,
    }  # fmt: skip
