"""Pictures of events, and what is said and asked of them.

A picture is 32 x 32: four quarters with the agent, the verb, the patient in a frame of its colour,
and the place. Each is a glyph that follows from the hash of its concept: it means nothing by its
looks, as a word does, so what it stands for has to be learned. Over all of it lies noise. All that
a caption says is in the picture, and every question of it is answered by the picture alone.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from random import Random

import numpy as np

from xstilts.toy import lexicon, world
from xstilts.toy.forms import Clause, Thing
from xstilts.toy.grammar import Grammar
from xstilts.toy.languages import grammar

SIZE = 32  # pixels of a side
GLYPH, HALF = 12, 6  # pixels of a glyph's side; its right half mirrors the left
PLACES = {"agent": (2, 2), "verb": (18, 2), "patient": (2, 18), "place": (18, 18)}  # left, top
FRAME = 2  # pixels of the frame around the patient, in its colour
GREY = (205, 205, 205)  # of glyphs
COLOURS = {
    "red": (220, 40, 40), "blue": (60, 90, 235), "green": (40, 170, 70),
    "yellow": (235, 215, 50), "black": (15, 15, 15), "brown": (150, 95, 40),
}  # fmt: skip
BACKGROUND, NOISE = (90, 130), 12  # darkest and lightest grey; how far a pixel is off at most
ASKED = ("agent", "patient", "place")


def scene(rng: Random) -> Clause:
    """An event that can be drawn: somebody does something to one thing of a colour, somewhere."""
    event = world.event(rng, place=1.0, negation=0.0)
    colour = rng.choice(sorted(COLOURS))
    patient = Thing(event.patient.noun, colour) if event.patient else None
    return Clause(event.agent, event.verb, patient, place=event.place)


def scenes(rng: Random) -> Iterator[Clause]:
    """Different scenes without end."""
    seen: set[Clause] = set()
    while True:
        clause = scene(rng)
        if world.fits(clause) and _has_colour(clause) and clause not in seen:
            seen.add(clause)
            yield clause


def _has_colour(clause: Clause) -> bool:
    """Whether what is done is done to a thing: people have no colour."""
    if clause.patient is None:
        return False
    concept = lexicon.concepts()[clause.patient.noun]
    return concept.kind != "name" and concept.group != "person"


def captions(clause: Clause) -> tuple[str, str]:
    """The two captions of a scene in English: all of it, and all but the place."""
    told = (clause, Clause(clause.agent, clause.verb, clause.patient))
    first, second = (grammar("en").sentence(form).text for form in told)
    return first, second


def question(clause: Clause, rng: Random) -> Clause:
    """One of the questions that a scene answers: who, what or where."""
    asked = [form for form in world.questions(clause) if form.ask in ASKED]
    return rng.choice(asked)


def answer(clause: Clause) -> str:
    """The answer to a question, an English word, as VQA and GQA have it in every language."""
    assert clause.patient
    nouns = {"agent": clause.agent.noun, "patient": clause.patient.noun, "place": clause.place}
    return " ".join(token.text for token in grammar("en").word(nouns[clause.ask]))


def asked(clause: Clause, language: Grammar) -> str:
    """A question in a language."""
    return language.sentence(clause).text


@cache
def glyph(concept: str) -> np.ndarray:
    """The glyph of a concept, by its hash: where it is drawn, [GLYPH, GLYPH] of bool."""
    digest = np.frombuffer(hashlib.sha256(concept.encode()).digest(), np.uint8)
    half: np.ndarray = np.unpackbits(digest)[: GLYPH * HALF].reshape(GLYPH, HALF).astype(bool)
    return np.hstack([half, half[:, ::-1]])


def picture(clause: Clause, rng: Random) -> bytes:
    """A scene as a PNG of `SIZE` x `SIZE` pixels in RGB."""
    from PIL import Image

    assert clause.patient
    pixels: np.ndarray = np.full((SIZE, SIZE, 3), rng.randint(*BACKGROUND), np.int16)
    concepts = {
        "agent": clause.agent.noun,
        "verb": clause.verb,
        "patient": clause.patient.noun,
        "place": clause.place,
    }
    left, top = (at - FRAME for at in PLACES["patient"])
    frame = pixels[top : top + GLYPH + 2 * FRAME, left : left + GLYPH + 2 * FRAME]
    inside, frame[:] = frame[FRAME:-FRAME, FRAME:-FRAME].copy(), COLOURS[clause.patient.adjective]
    frame[FRAME:-FRAME, FRAME:-FRAME] = inside
    for part, (left, top) in PLACES.items():
        pixels[top : top + GLYPH, left : left + GLYPH][glyph(concepts[part])] = GREY
    noise = np.frombuffer(rng.randbytes(pixels.size), np.uint8).reshape(pixels.shape)
    noisy = pixels + noise % (2 * NOISE + 1) - NOISE
    file = BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, "PNG", compress_level=1)
    return file.getvalue()
