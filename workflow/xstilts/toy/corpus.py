"""The pre-training text of the toy encoder: drawn anew for every batch, never stored.

All batches are pairs of text, as in fine-tuning: translations of a sentence (or of a passage and
its question), premises with hypotheses, contexts with questions, stories with endings. No label and
no answer is in them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from xstilts.toy import nli, reading, stories, world
from xstilts.toy.grammar import Grammar, Sentence
from xstilts.toy.languages import grammar
from xstilts.toy.reading import plain

TextPair = tuple[str, str]
PARTS = ("agent", "verb", "patient", "place")


@dataclass(frozen=True)
class Aligned:
    """Two texts (or pairs of texts) of one meaning, and the span that has it: (start, end).

    With `first_token` the first token of the input has it.
    """

    texts: tuple[tuple[str, ...], tuple[str, ...]]
    spans: tuple[tuple[int, int], tuple[int, int]]
    meaning: tuple
    first_token: bool = False


def aligned_sentence(rng: Random, languages: tuple[str, ...]) -> Aligned:
    """A sentence in two languages."""
    form = world.sentence(rng)
    one, other = (language.sentence(form).text for language in two_languages(rng, languages))
    return Aligned(((one,), (other,)), ((0, len(one)), (0, len(other))), (form,))


def aligned_part(rng: Random, languages: tuple[str, ...]) -> Aligned:
    """The words for one part of a sentence, in two languages."""
    form = plain(world.event(rng))
    name = rng.choice([p for p in PARTS if p != "place" or form.place])
    one, other = (language.sentence(form) for language in two_languages(rng, languages))
    spans = []
    for sentence in (one, other):
        start, text = sentence.span(name)
        spans.append((start, start + len(text)))
    return Aligned(((one.text,), (other.text,)), (spans[0], spans[1]), (name, getattr(form, name)))


def aligned_inference(rng: Random, languages: tuple[str, ...]) -> Aligned:
    """A premise with a hypothesis in one language, and both in another."""
    while not (item := nli.candidate(rng, nli.premise(rng))):
        pass
    one, other = (
        (language.sentence(item.premise).text, language.sentence(item.hypothesis).text)
        for language in two_languages(rng, languages)
    )
    meaning = (item.premise, item.hypothesis)
    return Aligned((one, other), ((0, 0), (0, 0)), meaning, first_token=True)


def sentences(rng: Random, languages: tuple[str, ...], count: int) -> Iterator[Sentence]:
    """Sentences in random languages."""
    for _ in range(count):
        yield grammar(rng.choice(languages)).sentence(world.sentence(rng))


def texts(seed: int, languages: Iterable[str], count: int = 2000) -> list[str]:
    """What the tokenizer of a tiny checkpoint is trained on."""
    drawn = sentences(Random(f"{seed}/backbones"), tuple(languages), count)
    return [sentence.text for sentence in drawn]


def two_languages(rng: Random, languages: tuple[str, ...]) -> tuple[Grammar, Grammar]:
    """Two languages, English among them half of the time."""
    first, second = (rng.choice(languages) for _ in range(2))
    if "en" in languages and rng.random() < 0.5:
        first = "en"
    if first == second:
        second = rng.choice([code for code in languages if code != first] or [first])
    both = [grammar(first), grammar(second)]
    rng.shuffle(both)
    return both[0], both[1]


def translations(rng: Random, languages: tuple[str, ...]) -> TextPair:
    """A sentence in two languages."""
    form = world.sentence(rng)
    one, other = two_languages(rng, languages)
    return one.sentence(form).text, other.sentence(form).text


def inference(rng: Random, languages: tuple[str, ...]) -> TextPair:
    """A premise and a hypothesis, of any label, in one language or two."""
    while not (item := nli.candidate(rng, nli.premise(rng))):
        pass
    one, other = two_languages(rng, languages)
    if rng.random() < 0.5:
        other = one
    return one.sentence(item.premise).text, other.sentence(item.hypothesis).text


def question(rng: Random, languages: tuple[str, ...]) -> TextPair:
    """A question and its context, in one language or two."""
    while not (item := reading.passage(rng)):
        pass
    one, other = two_languages(rng, languages)
    if rng.random() < 0.5:
        other = one
    return str(reading.render(item, one)["question"]), str(reading.render(item, other)["context"])


def ending(rng: Random, languages: tuple[str, ...]) -> TextPair:
    """A story and its right ending, as whole sentences."""
    while not (item := stories.story(rng)):
        pass
    language = grammar(rng.choice(languages))
    events = [language.sentence(c).text for c in item.events]
    return " ".join(events), language.sentence(item.endings[item.right]).text


def clauses(rng: Random, languages: tuple[str, ...]) -> TextPair:
    """A short sentence in two languages."""
    form = world.clause(rng)
    one, other = two_languages(rng, languages)
    return one.sentence(form).text, other.sentence(form).text


KINDS = {translations: 12, inference: 3, question: 3, ending: 2}


def batch(rng: Random, languages: tuple[str, ...], size: int, early: bool) -> list[TextPair]:
    """A batch of pairs of one kind, so that lengths are alike; fewer of the long kind.

    Early in training only short translations.
    """
    (kind,) = [clauses] if early else rng.choices(list(KINDS), list(KINDS.values()))
    return [kind(rng, languages) for _ in range(size // 2 if kind is question else size)]
