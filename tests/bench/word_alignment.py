"""Which method and which layer align words best, on the toy world, where the truth is known.

    PYTHONPATH=workflow:. python tests/bench/word_alignment.py --model FOLDER [--rows 200]

`--model` is a checkpoint of an encoder that knows the toy world, as `python -m
xstilts.steps.toy_model --spec '{"seed": 1}' --out FOLDER` makes one in minutes. English items are
projected onto their true translations, and what comes out is compared with the labels that the
grammar of the language gives. In percent, means over ar, de, hi, ru and zh:

    links     of the links of a word of an agent, verb, patient, place or quality, those that lead
              into the same part of the translation
    parts     of these parts, those whose words are found, no more and no fewer
    answers   of the questions, those with the right answer (by alignment alone, without marks)
    names     of the sentences with names, those whose names are all right (WikiAnn's tags)
    words     of the words, those with the right part of speech

The two numbers in brackets: answers and sentences that are found at all; the others would be
dropped.

    ... --model /work/shared/data/models/local/me5-small-xlmr-32k-6l --xquad /work/shared/data \
        --layers 2 3 4 5 6

does the same with real text: the answers of XQuAD, whose contexts people have translated with the
answers marked, from English into each language that `datasets/google/xquad` has. `exact`: those
with the same characters; `overlap`: F1 over the characters of both stretches.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import pyarrow.parquet as pq

from xstilts.toy import entities, reading, world
from xstilts.toy.grammar import Sentence
from xstilts.toy.languages import grammar
from xstilts.translation import spans, tags
from xstilts.translation.aligner import States, WordAligner, aligned
from xstilts.translation.links import METHODS
from xstilts.translation.words import Word, join, within, words

LANGUAGES = ("ar", "de", "hi", "ru", "zh")
PARTS = ("agent", "verb", "patient", "place", "quality")
Table = dict[str, float]


@dataclass
class Pairs:
    """Texts in English and in a language, and the states of their words."""

    items: list
    english: list[list[str]]
    other: list[list[str]]
    states: list[tuple[States, States]]


def pairs(items: Sequence, english: list[list[str]], other: list[list[str]], aligner) -> Pairs:
    """Return the same with the states of an encoder."""
    of = aligner.states([tuple(one) for one in (*english, *other)])
    states = [*zip(of[: len(english)], of[len(english) :], strict=True)]
    return Pairs(list(items), english, other, states)


def texts(found: Sequence[Word]) -> list[str]:
    """Return words as text alone."""
    return [word.text for word in found]


def part(sentence: Sentence, name: str) -> tuple[int, int] | None:
    """Return the characters of a part of a sentence; None if it has none or it is torn."""
    try:
        start, text = sentence.span(name)
    except ValueError:
        return None
    return start, start + len(text)


def sentences(lang: str, rows: int, aligner) -> Pairs:
    """Sentences of which the parts are known in both languages."""
    rng = Random(f"words/{lang}")
    forms = [reading.plain(world.clause(rng)) for _ in range(rows)]
    both = [(grammar("en").sentence(form), grammar(lang).sentence(form)) for form in forms]
    one, two = ([texts(words(pair[side].text)) for pair in both] for side in (0, 1))
    return pairs(both, one, two, aligner)


def of_links(found: Pairs, method: str) -> Iterator[tuple[str, float]]:
    """Yield what `links` and `parts` are the means of."""
    for (english, other), states in zip(found.items, found.states, strict=True):
        linked = aligned(*states, method).links
        before, after = words(english.text), words(other.text)
        for name in PARTS:
            here, there = part(english, name), part(other, name)
            if not here or not there:
                continue
            own, wanted = set(within(before, *here)), within(after, *there)
            led = {j for i, j in linked if i in own}
            yield from (("links", j in wanted) for j in led)
            articles = {i for i in own if before[i].text.lower() in ("the", "a", "an", "in")}
            led = {j for i, j in linked if i in own - articles}
            stretch = [*range(min(led), max(led) + 1)] if led else []
            yield "parts", stretch == wanted


def passages(lang: str, rows: int, aligner) -> Pairs:
    """Questions with contexts, whose answers are known in both languages."""
    items = [*islice(reading.passages(Random(f"passages/{lang}")), rows)]
    both = [(reading.render(i, grammar("en")), reading.render(i, grammar(lang))) for i in items]
    one, two = ([texts(words(pair[side]["context"])) for pair in both] for side in (0, 1))
    return pairs(both, one, two, aligner)


def of_answers(found: Pairs, method: str) -> Iterator[tuple[str, float]]:
    """Yield what `answers` is the mean of."""
    for (english, other), states in zip(found.items, found.states, strict=True):
        before, after = words(english["context"]), words(other["context"])
        start, end = english["start"], english["start"] + len(english["answer"])
        got = spans.aligned(
            before, start, end, other["context"], after, aligned(*states, method).links
        )
        yield "answers found", got is not None
        if got:
            right = (got.start, got.answer) == (other["start"], other["answer"])
            yield "answers", right


def scenes(lang: str, rows: int, aligner) -> Pairs:
    """Sentences with names."""
    items = [*islice(entities.scenes(Random(f"scenes/{lang}")), rows)]
    both = [(entities.tagged(i, grammar("en")), entities.tagged(i, grammar(lang))) for i in items]
    spaced = grammar(lang).spaced
    other = [texts(words(_text([w for w, _ in two], spaced))) for _, two in both]
    return pairs(both, [[w for w, _ in one] for one, _ in both], other, aligner)


def tagged(lang: str, rows: int, aligner) -> Pairs:
    """Sentences with parts of speech."""
    rng = Random(f"upos/{lang}")
    forms = [world.sentence(rng) for _ in range(rows)]
    both = [
        tuple([(t.text, t.upos) for t in grammar(of).sentence(form).tokens] for of in ("en", lang))
        for form in forms
    ]
    spaced = grammar(lang).spaced
    other = [texts(words(_text([w for w, _ in two], spaced))) for _, two in both]
    return pairs(both, [[w for w, _ in one] for one, _ in both], other, aligner)


def of_tags(found: Pairs, method: str, whole: bool) -> Iterator[tuple[str, float]]:
    """Yield what `names` is the mean of (whole sentences), or `words`."""
    for (english, other), own, states in zip(found.items, found.other, found.states, strict=True):
        before, tags_before = zip(*english, strict=True)
        how = aligned(*states, method)
        got = tags.projected(before, tags_before, own, how)
        if whole and not any(tag != "O" for tag in tags_before):
            continue
        name = "names" if whole else "words"
        yield f"{name} found", got is not None
        if got:
            gold = _characters([w for w, _ in other], [t for _, t in other], whole)
            ours = _characters(own, got, whole)
            if whole:
                yield name, gold == ours
            else:
                yield from ((name, one == two) for one, two in zip(gold, ours, strict=True))


def _characters(tokens: Sequence[str], given: Sequence[str], bio: bool) -> list[str]:
    """Return the tag of each character; in a name only its first character begins it."""
    out: list[str] = []
    for token, tag in zip(tokens, given, strict=True):
        inside = tag.replace("B-", "I-") if bio else tag
        out += [tag, *[inside] * (len(token) - 1)]
    return out


def _text(tokens: Sequence[str], spaced: bool) -> str:
    return join(tokens) if spaced else "".join(tokens)


def measured(model: str, layer: int, rows: int, languages: Sequence[str]) -> dict[str, Table]:
    """Return method -> what it is right in, in percent, of a layer."""
    aligner = WordAligner(model, layer)
    values: dict[str, dict[str, list[list[float]]]] = {}
    for lang in languages:
        sets = [kind(lang, rows, aligner) for kind in (sentences, passages, scenes, tagged)]
        for name in METHODS:
            own: dict[str, list[float]] = {}
            for key, value in (
                *of_links(sets[0], name),
                *of_answers(sets[1], name),
                *of_tags(sets[2], name, whole=True),
                *of_tags(sets[3], name, whole=False),
            ):
                own.setdefault(key, []).append(float(value))
            for key, one in own.items():
                values.setdefault(name, {}).setdefault(key, []).append(one)
    return {
        name: {
            key: 100 * float(np.mean([np.mean(one) for one in each])) for key, each in of.items()
        }
        for name, of in values.items()
    }


def xquad(data: Path, lang: str) -> list[dict]:
    """Return the rows of XQuAD in a language: context, answer and where it starts."""
    folder = data / "datasets/google/xquad" / f"xquad.{lang}"
    rows = [
        row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]
    return [
        {
            "id": row["id"],
            "context": row["context"],
            "answer": row["answers"]["text"][0],
            "start": row["answers"]["answer_start"][0],
        }
        for row in rows
    ]


def real(data: Path, lang: str, rows: int, aligner: WordAligner) -> Pairs:
    """Questions of XQuAD, the same in both languages."""
    english = {row["id"]: row for row in xquad(data, "en")}
    both = [(english[row["id"]], row) for row in xquad(data, lang) if row["id"] in english]
    both = both[:: max(1, len(both) // rows)][:rows]
    one, two = ([texts(words(pair[side]["context"])) for pair in both] for side in (0, 1))
    return pairs(both, one, two, aligner)


def of_real(found: Pairs, method: str) -> Iterator[tuple[str, float]]:
    """Yield what `exact` and `overlap` are the means of."""
    for (english, other), states in zip(found.items, found.states, strict=True):
        before, after = words(english["context"]), words(other["context"])
        start, end = english["start"], english["start"] + len(english["answer"])
        links = aligned(*states, method).links
        got = spans.aligned(before, start, end, other["context"], after, links)
        yield "found", got is not None
        if got:
            first, last = got.start, got.start + len(got.answer)
            wanted = other["start"], other["start"] + len(other["answer"])
            common = max(0, min(last, wanted[1]) - max(first, wanted[0]))
            yield "exact", (first, last) == wanted
            yield "overlap", 2 * common / (last - first + wanted[1] - wanted[0])


def on_xquad(args: argparse.Namespace) -> None:
    """Print what alignment finds of the answers of XQuAD."""
    known = sorted(
        path.name.removeprefix("xquad.")
        for path in (args.xquad / "datasets/google/xquad").glob("xquad.*")
    )
    known.remove("en")
    print(f"{args.rows} questions in each of {', '.join(known)}")
    print("layer  method    exact  overlap  found   exact by language")
    for layer in args.layers:
        aligner, each = WordAligner(args.model, layer), dict[str, dict[str, dict[str, float]]]()
        for lang in known:
            found = real(args.xquad, lang, args.rows, aligner)
            for method in METHODS:
                own: dict[str, list[float]] = {}
                for key, value in of_real(found, method):
                    own.setdefault(key, []).append(float(value))
                each.setdefault(method, {})[lang] = {k: 100 * np.mean(v) for k, v in own.items()}
        for method, of in each.items():
            mean = {
                k: np.mean([one[k] for one in of.values()]) for k in ("exact", "overlap", "found")
            }
            by = "  ".join(f"{lang} {one['exact']:.0f}" for lang, one in of.items())
            print(
                f"{layer:5}  {method:8}  {mean['exact']:5.1f}  {mean['overlap']:7.1f}"
                f"  {mean['found']:5.1f}   {by}",
                flush=True,
            )


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--layers", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--languages", nargs="*", default=LANGUAGES)
    parser.add_argument("--xquad", type=Path, help="a folder with datasets/google/xquad")
    args = parser.parse_args()
    if args.xquad:
        on_xquad(args)
        return
    print("layer  method    links  parts  answers (found)  names (found)  words (found)")
    for layer in args.layers:
        for name, of in measured(args.model, layer, args.rows, args.languages).items():
            answers, names, own = (
                f"{of[key]:5.1f} ({of[f'{key} found']:5.1f})"
                for key in ("answers", "names", "words")
            )
            print(
                f"{layer:5}  {name:8}  {of['links']:5.1f}  {of['parts']:5.1f}"
                f"  {answers:15}  {names:13}  {own}",
                flush=True,
            )


if __name__ == "__main__":
    main()
