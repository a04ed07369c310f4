"""Questions about a context: SQuAD 1.1 and 2.0, XQuAD and LAReQA, MLQA, TyDiQA."""

from collections.abc import Iterator
from random import Random
from typing import Any

from xstilts.toy import reading, strata
from xstilts.toy import schema as hub
from xstilts.toy.catalogue.table import Rows, Table, only, take, with_column
from xstilts.toy.grammar import Grammar
from xstilts.toy.languages import grammar
from xstilts.toy.spec import Spec

TITLE = "Toy_world"
TYDI_NAMES = {"en": "english", "ar": "arabic", "ru": "russian"}


def squad_rows(
    items: list[reading.Passage], language: Grammar, name: str, title: str | None = None
) -> Rows:
    """Rows of SQuAD (with a title) or XQuAD; a question that nothing answers has empty lists."""
    rows: Rows = []
    for number, item in enumerate(items):
        passage = reading.render(item, language)
        row: dict[str, Any] = {"id": f"{name}-{number:06}"}
        if title is not None:
            row["title"] = title
        values = ([passage["answer"]], [passage["start"]]) if item.answerable else ([], [])
        answers = dict(zip(("text", "answer_start"), values, strict=True))
        rows.append(
            {
                **row,
                "context": passage["context"],
                "question": passage["question"],
                "answers": answers,
            }
        )
    return rows


def _squad_and_xquad(spec: Spec) -> tuple[dict[str, list[reading.Passage]], list[reading.Passage]]:
    """The passages of SQuAD by split, and those of XQuAD."""
    stream = reading.passages(Random(f"{spec.seed}/reading"))
    dev, test = take(stream, spec.sizes.dev), take(stream, spec.sizes.test)
    return {"train": take(stream, spec.sizes.train), "validation": dev}, test


def squad_and_xquad(spec: Spec) -> Iterator[Table]:
    """SQuAD in English, XQuAD in every language."""
    squad, test = _squad_and_xquad(spec)
    for split, items in squad.items():
        rows = squad_rows(items, grammar("en"), split, TITLE)
        yield Table("rajpurkar/squad", "plain_text", split, hub.SQUAD, rows)
    for language in spec.languages:
        rows = squad_rows(test, grammar(language), "xquad")
        table = Table("google/xquad", f"xquad.{language}", "validation", hub.SPAN, rows)
        yield with_column(table, "asks", map(strata.asks, test))


def lareqa(spec: Spec) -> Iterator[Table]:
    """LAReQA: XQuAD with the boundaries of its sentences."""
    _, test = _squad_and_xquad(spec)
    for language in spec.languages:
        rows = [
            row | {"sentence_breaks": reading.sentence_breaks(item, grammar(language))}
            for row, item in zip(
                squad_rows(test, grammar(language), "xquad", TITLE), test, strict=True
            )
        ]
        yield Table("local/lareqa", language, "validation", hub.LAREQA, rows)


def squad_translated(spec: Spec) -> Iterator[Table]:
    """SQuAD, under the ids of the English questions, in every language."""
    squad, _ = _squad_and_xquad(spec)
    for language in spec.languages:
        for split, items in squad.items():
            rows = squad_rows(items, grammar(language), split, TITLE)
            yield Table("local/squad-translated", language, split, hub.SQUAD, rows)


def squad2(spec: Spec) -> Iterator[Table]:
    """SQuAD 2.0 in English."""
    stream = reading.with_unanswerable(Random(f"{spec.seed}/squad2"))
    dev = take(stream, spec.sizes.dev)
    for split, items in {"train": take(stream, spec.sizes.train), "validation": dev}.items():
        rows = squad_rows(items, grammar("en"), split, TITLE)
        table = Table("rajpurkar/squad_v2", "squad_v2", split, hub.SQUAD, rows)
        yield with_column(table, "asks", map(strata.asks, items))


def mlqa(spec: Spec) -> Iterator[Table]:
    """MLQA, context and question in the same language."""
    stream = reading.passages(Random(f"{spec.seed}/mlqa"))
    splits = {"validation": take(stream, spec.sizes.dev), "test": take(stream, spec.sizes.test)}
    for code in only(spec.languages, "ar", "de", "en", "hi", "zh"):
        for split, items in splits.items():
            rows = squad_rows(items, grammar(code), f"mlqa-{split}", TITLE)
            table = Table("google/xtreme", f"MLQA.{code}.{code}", split, hub.MLQA, rows)
            yield with_column(table, "asks", map(strata.asks, items))


def tydiqa(spec: Spec) -> Iterator[Table]:
    """TyDiQA-GoldP: every language in one configuration, told apart by the ids, with questions of
    its own; also the training data has them all, the most in English."""
    splits: dict[str, Rows] = {"train": [], "validation": []}
    asks: dict[str, list[str]] = {split: [] for split in splits}
    for code in only(spec.languages, *TYDI_NAMES):
        stream = reading.passages(Random(f"{spec.seed}/tydiqa/{code}"))
        count = spec.sizes.train if code == "en" else max(1, spec.sizes.train // 4)
        for split, rows in splits.items():
            items = take(stream, count if split == "train" else spec.sizes.dev)
            rows += squad_rows(items, grammar(code), f"{TYDI_NAMES[code]}-{split}", title="")
            asks[split] += map(strata.asks, items)
    for split, rows in splits.items():
        repository = "google-research-datasets/tydiqa"
        table = Table(repository, "secondary_task", split, hub.SQUAD, rows)
        yield with_column(table, "asks", asks[split])
