"""Rows of retrieval: questions and the sentences that answer them, mentions and their entities.

As XTREME-R's code has them (`utils_lareqa.py`, `processors/lareqa.py`, `utils_mewslix.py`): an
answer is its sentence with the paragraph behind it; a mention is its sentence, the mention in
braces, with the mention alone before it; an entity is its description.
"""

import re
from typing import Any

Row = dict[str, Any]
_END = re.compile(r"(?<=[.!?])\s+")


def lareqa_en(row: Row) -> Row | None:
    """SQuAD: a question, and the sentence in which its first answer begins. Questions on one
    paragraph are of a group, since its sentences are in each other's passages."""
    context, answers = row["context"], row["answers"]
    breaks = row.get("sentence_breaks") or sentences(context)
    number = answer_sentence(breaks, answers["answer_start"][0]) if answers["text"] else None
    if number is None:
        return None
    return {
        "id": row["id"],
        "text": row["question"],
        "text_pair": passage(context, breaks[number]),
        "group": context,
    }


def lareqa(row: Row) -> list[Row] | None:
    """LAReQA, a question of XQuAD-R with the `sentence_breaks` of its paragraph: the question, and
    every sentence as a candidate, by paragraph and number, so that a paragraph's questions have the
    same ones."""
    context, breaks = row["context"], row["sentence_breaks"]
    number = answer_sentence(breaks, row["answers"]["answer_start"][0])
    if number is None:
        return None
    ids = [f"{row['paragraph']}.{n}" for n in range(len(breaks))]
    question = {"side": "source", "id": row["id"], "text": row["question"], "golds": [ids[number]]}
    return [
        question,
        *(
            {"side": "target", "id": of, "text": passage(context, span)}
            for of, span in zip(ids, breaks, strict=True)
        ),
    ]


def mewslix_en(row: Row) -> Row | None:
    """Mewsli-X, a pair of Wikipedia: a mention, and the description of its entity."""
    pair, entity = row["contextual_mention"], row["entity"]
    text = mention(pair["context"], pair["mention"]["mention_span"])
    if text is None:
        return None
    return {
        "id": pair["mention"]["example_id"],
        "text": text,
        "text_pair": description(entity),
        "group": entity["entity_id"],
    }


def mewslix(row: Row) -> list[Row]:
    """Mewsli-X: the mentions of a text, or a candidate."""
    if "entity_id" in row:
        return [{"side": "target", "id": row["entity_id"], "text": description(row)}]
    texts = ((one, mention(row["context"], one["mention_span"])) for one in row["mentions"])
    return [
        {"side": "source", "id": one["example_id"], "text": text, "golds": [one["entity_id"]]}
        for one, text in texts
        if text
    ]


def mention(context: Row, span: Row) -> str | None:
    """Return a mention in its sentence; None if it is in none.

    Braces that are there already are brackets then, as in `preprocess_mention`.
    """
    text, start, end = context["text"], span["start"], span["end"]
    inside = (s for s in context["sentence_spans"] if s["start"] <= start and end <= s["end"])
    sentence = next(inside, None)
    if sentence is None:
        return None
    left, right = (
        re.sub(r"\{(.*?)\}", r"(\1)", part)
        for part in (text[sentence["start"] : start], text[end : sentence["end"]])
    )
    return _one_line(f"{text[start:end]}: {left} {{ {text[start:end]} }} {right}")


def description(entity: Row) -> str:
    """Return the sentences of an entity's description, as `preprocess_entity_description`."""
    text = entity["description"]
    return _one_line(" ".join(text[s["start"] : s["end"]] for s in entity["sentence_spans"]))


def _one_line(text: str) -> str:
    return " ".join(text.splitlines()).replace("  ", " ").strip()


def answer_sentence(breaks: list[list[int]], start: int) -> int | None:
    """Return the number of the sentence in which an answer begins; None if it is in none."""
    return next((n for n, (a, b) in enumerate(breaks) if a <= start < b), None)


def passage(context: str, span: list[int]) -> str:
    """Return a sentence of a paragraph, with the paragraph."""
    return f"{context[slice(*span)]} {context}".replace("\n", " ")


def sentences(context: str) -> list[list[int]]:
    """Return [start, end) of the sentences of a paragraph that comes without them."""
    starts = [0, *(match.end() for match in _END.finditer(context))]
    ends = [*(match.start() for match in _END.finditer(context)), len(context)]
    return [[a, b] for a, b in zip(starts, ends, strict=True) if a < b]
