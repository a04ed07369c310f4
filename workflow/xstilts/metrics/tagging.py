"""Tags of words: accuracy, and seqeval's F1 over chunks."""

from collections.abc import Sequence

from xstilts.metrics import counts


def chunk_f1(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> dict[str, float]:
    """Accuracy over words, and seqeval's micro F1 over chunks, which is XTREME's official figure.

    On bare part-of-speech tags a run of equal tags is one chunk, so that F1 is below accuracy.
    """
    counts.check(gold, predicted)
    words: list[bool] = []
    correct = in_gold = in_predicted = 0
    for i, (gs, ps) in enumerate(zip(gold, predicted, strict=True)):
        if len(gs) != len(ps):
            raise ValueError(f"sentence {i} has {len(gs)} gold tags but {len(ps)} predicted ones")
        words += [g == p for g, p in zip(gs, ps, strict=True)]
        g, p = set(chunks(gs)), set(chunks(ps))
        correct += len(g & p)
        in_gold += len(g)
        in_predicted += len(p)
    return {"accuracy": counts.mean(words), "f1": counts.f1(correct, in_predicted, in_gold)}


def chunks(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return (kind, start, end) of each chunk, as conlleval and seqeval read IOB and IOBES tags.

    The first letter says where in a chunk a word stands, whatever the tag set: `SCONJ` and `SYM`
    read as single words (S), `INTJ` as inside (I). The kind of a tag without a prefix is the whole
    tag, as in seqeval 0.0.12, which jiant pins. Later versions cut its first letter off, so that
    CCONJ for SCONJ counts as correct, and lose an X beside the end of a sentence.
    """
    found: list[tuple[str, int, int]] = []
    start: int | None = None
    letter_before = kind_before = "O"
    for i, tag in enumerate([*tags, "O"]):
        letter, kind = tag[:1], tag[2:] if tag[1:2] == "-" else tag
        outside = letter in "O."
        begins = not outside and (letter in "BS" or letter_before in "ESO" or kind != kind_before)
        if start is not None and (outside or begins):
            found.append((kind_before, start, i))
            start = None
        if begins:
            start = i
        letter_before, kind_before = letter, kind
    return found
