"""Tags of words, in the translation of their sentence. Pure."""

from collections.abc import Collection, Sequence

from xstilts.translation.links import Alignment

OUTSIDE = "O"
WIDER, MORE = 2, 2  # a name has at most so many times as many words, and so many more


def is_bio(tags: Collection[str]) -> bool:
    """Return whether tags mark stretches of words: `B-PER`, `I-PER`, `O`, and no other."""
    kinds = {tag for tag in tags if tag != OUTSIDE}
    return bool(kinds) and all(tag[:2] in ("B-", "I-") and tag[2:] for tag in kinds)


def repaired(tags: Sequence[str]) -> list[str]:
    """Return BIO tags in which every stretch begins with `B-`: an `I-` after another kind, or
    after no name, does not continue one."""
    out: list[str] = []
    for tag in tags:
        before = out[-1] if out else OUTSIDE
        if tag.startswith("I-") and before[2:] != tag[2:]:
            tag = f"B-{tag[2:]}"
        out.append(tag)
    return out


def stretches(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return (kind, first word, end) of the names that BIO tags mark."""
    found: list[tuple[str, int, int]] = []
    for at, tag in enumerate(repaired(tags)):
        if tag.startswith("B-"):
            found.append((tag[2:], at, at + 1))
        elif tag.startswith("I-"):
            kind, first, _ = found[-1]
            found[-1] = (kind, first, at + 1)
    return found


def projected(
    tokens: Sequence[str],
    tags: Sequence[str],
    target_tokens: Sequence[str],
    alignment: Alignment,
    bio: bool | None = None,
) -> list[str] | None:
    """Return a tag a word of a translation; None if there is a name or a word of which none is
    known.

    A name is the stretch from the first to the last word that belongs to its words, what lies
    between included. It is not known where no word belongs to it, where it would have more than
    `WIDER` times its words and `MORE`, or where it would overlap another. Tags that mark no
    stretches go to the words that belong to theirs; a word that belongs to none has the tag of the
    word that is most like it, a sign that of a sign.

    Args:
        tokens: of the sentence.
        tags: of them.
        target_tokens: of its translation.
        alignment: of both.
        bio: whether the tags of the task mark stretches, which a row without a name does not tell;
            None: as these are.
    """
    if bio is None:
        bio = is_bio(tags)
    if not bio:
        return _each(tokens, tags, target_tokens, alignment)
    out = [OUTSIDE] * len(target_tokens)
    for kind, first, end in stretches(tags):
        places = sorted({j for i, j in alignment.links if first <= i < end})
        places = [j for j in places if _is_word(target_tokens[j])] or places
        if not places or places[-1] - places[0] + 1 > WIDER * (end - first) + MORE:
            return None
        for j in range(places[0], places[-1] + 1):
            if out[j] != OUTSIDE:
                return None
            out[j] = f"{'B' if j == places[0] else 'I'}-{kind}"
    return out


def _each(
    tokens: Sequence[str], tags: Sequence[str], target_tokens: Sequence[str], alignment: Alignment
) -> list[str] | None:
    by_word: dict[int, int] = {}
    for i, j in alignment.links:
        if _is_word(tokens[i]) == _is_word(target_tokens[j]):
            by_word.setdefault(j, i)
    signs = {tokens[i]: i for i in range(len(tokens)) if not _is_word(tokens[i])}
    out: list[str] = []
    for j, word in enumerate(target_tokens):
        at = by_word.get(j)
        if at is None and not _is_word(word) and signs:
            at = signs.get(word, next(iter(signs.values())))
        if at is None:
            at = alignment.nearest[j]
        if at < 0:
            return None
        out.append(tags[at])
    return out


def _is_word(token: str) -> bool:
    return any(c.isalnum() for c in token)
