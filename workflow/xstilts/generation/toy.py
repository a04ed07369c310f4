"""In the toy world the grammar answers in place of a decoder, with mistakes.

The rows are fresh draws of the world that the toy data sets are drawn from. A mistake is one that a
decoder makes: an answer that is no JSON (`unparsed`), a row of another label under the one that was
asked for (`label`), one that is in English (`english`), a copy of what was shown (`copy`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from random import Random
from typing import Any

from xstilts.generation.rounds import Request
from xstilts.generation.shapes import Shape
from xstilts.toy import nli, paraphrase, reading, stories, world
from xstilts.toy.grammar import Grammar
from xstilts.toy.inference import LABELS
from xstilts.toy.languages import grammar

MISTAKES = {"unparsed": 0.05, "label": 0.05, "english": 0.05, "copy": 0.02}
_Draws = Iterator[tuple[Any, dict[str, Any]]]  # a label, and fields as a language has them


def answers(
    requests: Sequence[Request],
    shown: Sequence[Sequence[Mapping[str, Any]]],
    shape: Shape,
    lang: str,
    seed: str,
    mistakes: Mapping[str, float] = MISTAKES,
) -> list[str]:
    """Return an answer to each request, the same for the same arguments.

    Args:
        requests: of one block.
        shown: the examples of each, as its prompt shows them.
        shape: of what is asked for.
        lang: of the answers.
        seed: of the draws.
        mistakes: kind -> how often it is made.
    """
    rng = Random(f"{seed}/mistakes")
    draws = _Pool(shape, lang, seed)
    english = _Pool(shape, "en", f"{seed}/en")
    found = []
    for request, examples in zip(requests, shown, strict=True):
        draw, kind = rng.random(), ""
        for name in MISTAKES:
            if draw < (rate := mistakes.get(name, 0.0)):
                kind = name
                break
            draw -= rate
        if kind == "copy" and examples:
            found.append(json.dumps(examples[0], ensure_ascii=False))
            continue
        label = request.label
        if kind == "label" and len(shape.labels) > 1:
            label = rng.choice([other for other in shape.labels if other != label])
        values = (english if kind == "english" else draws).take(label)
        if kind == "label" and not draws.by_label:
            values = _wrong(values)
        if "label" in shape.names:
            values = {"label": request.label, **values}
        told = {called: values[field] for field, called in shape.names.items()}
        text = json.dumps(told, ensure_ascii=False)
        if kind == "unparsed":
            text = f"Here is one: {text}" if rng.random() < 0.5 else text[: len(text) // 2]
        found.append(text)
    return found


def _wrong(values: dict[str, Any]) -> dict[str, Any]:
    """Return a choice or span whose right answer is another one."""
    if "wrong" in values:
        first, *rest = values["wrong"]
        return values | {"right": first, "wrong": [values["right"], *rest]}
    right = values["answer"]
    words = [word for word in values["context"].split() if word not in right and right not in word]
    return values | {"answer": words[0] if words else values["context"]}


class _Pool:
    """Draws of the world, kept by label until one is asked for."""

    def __init__(self, shape: Shape, lang: str, seed: str) -> None:
        self.draws = _draws(shape, grammar(lang), Random(seed))
        self.by_label = shape.format == "classification"
        self.waiting: dict[Any, list[dict[str, Any]]] = {}

    def take(self, label: Any) -> dict[str, Any]:
        label = label if self.by_label else None
        while not self.waiting.get(label):
            drawn, values = next(self.draws)
            self.waiting.setdefault(drawn, []).append(values)
        return self.waiting[label].pop(0)


def _draws(shape: Shape, language: Grammar, rng: Random) -> _Draws:
    if shape.format == "choice":
        return _choices(language, rng, shape.choices)
    if shape.format == "span":
        return _spans(language, rng)
    if set(shape.labels) == set(LABELS):
        return _inferences(language, rng)
    if len(shape.labels) == 2 and "text_pair" in shape.names:
        return _twins(language, rng, shape.labels)
    return _sentences(language, rng, shape.labels)


def _inferences(language: Grammar, rng: Random) -> _Draws:
    for item in nli.inferences(rng):
        texts = (language.sentence(form).text for form in (item.premise, item.hypothesis))
        yield item.label, dict(zip(("text", "text_pair"), texts, strict=True))


def _twins(language: Grammar, rng: Random, labels: Sequence[Any]) -> _Draws:
    """Twins, of which the second label is that they mean the same."""
    for item in paraphrase.twins(rng, paraphrase.statements):
        texts = (language.sentence(form).text for form in (item.first, item.second))
        yield labels[item.same], dict(zip(("text", "text_pair"), texts, strict=True))


def _sentences(language: Grammar, rng: Random, labels: Sequence[Any]) -> _Draws:
    """Any sentences, for labels that mean nothing in the toy world."""
    while True:
        texts = [language.sentence(world.sentence(rng)).text for _ in range(2)]
        yield rng.choice(labels), dict(zip(("text", "text_pair"), texts, strict=True))


def _spans(language: Grammar, rng: Random) -> _Draws:
    for item in reading.passages(rng):
        told = reading.render(item, language)
        yield None, {field: told[field] for field in ("context", "question", "answer")}


def _choices(language: Grammar, rng: Random, count: int) -> _Draws:
    """Stories with their endings, and of the next story where there are to be more."""
    gap, endless = " " if language.spaced else "", stories.stories(rng)
    for item in endless:
        endings = [language.sentence(clause).text for clause in item.endings]
        wrong = [text for at, text in enumerate(endings) if at != item.right]
        if count - 1 > len(wrong):
            more = chain.from_iterable(
                story.endings for story in (next(endless) for _ in range(count))
            )
            others = dict.fromkeys(language.sentence(clause).text for clause in more)
            wrong += [text for text in others if text not in endings]
        yield (
            None,
            {
                "context": gap.join(language.sentence(clause).text for clause in item.events),
                "right": endings[item.right],
                "wrong": wrong[: count - 1],
            },
        )
