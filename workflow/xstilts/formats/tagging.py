"""Tagging: every word of a sentence gets a tag, read off its first real piece.

The first *real* piece is the first that covers a character of the word: where a script is written
without spaces, a word's first piece is often the lone U+2581 that stands for the space before it,
the same for every such word.

Arrays: `row` int64 [examples], which row a window belongs to; `at` int64 [words], the piece in its
sequence that a word is read from; `tags` int64 [words], `UNKNOWN` where the head
has no such tag; `spans` int64 [examples + 1], where each
example's words begin in those; `scored` bool [words], whether this window speaks for the word.
Too long: nothing is cut. A sentence past the limit becomes overlapping windows of whole words, and
each word is scored in the window where it has most context; only a single word longer than a whole
window loses pieces, past the first.
"""

from itertools import pairwise

import numpy as np

from xstilts import metrics
from xstilts.encoding import encoded
from xstilts.experiment.recipe import stride

UNKNOWN = -100  # a tag of an open set that no training row has: without loss, and always wrong
SPACE = "\u2581"  # sentencepiece's mark for a space


def encode(rows, pieces, labels, max_length):
    """Rows `tokens[], tags[]` -> an example a window."""
    vocabulary = pieces.words([token for row in rows for token in row["tokens"]])
    before, after = pieces.frame
    room = max_length - len(before) - len(after)
    words = {w: _word(found, room, pieces) for w, found in vocabulary.items()}
    index = {label: i for i, label in enumerate(labels)}
    sequences, at, tags, scored, spans, owner, cut = [], [], [], [], [0], [], 0
    for number, row in enumerate(rows):
        found = [words[token] for token in row["tokens"]]
        cut += any(len(vocabulary[token]) > room for token in row["tokens"])
        sizes = [len(ids) for ids, _ in found]
        for first, last, speaks in windows(sizes, room, stride(max_length)):
            ids = list(before)
            for word in range(first, last):
                at.append(len(ids) + found[word][1])
                ids += found[word][0]
            sequences.append(ids + after)
            tags += [index.get(tag, UNKNOWN) for tag in row["tags"][first:last]]
            scored += [word in speaks for word in range(first, last)]
            spans.append(len(at))
            owner.append(number)
    arrays = encoded.pack(sequences) | {
        "row": np.array(owner, dtype=np.int64),
        "at": np.array(at, dtype=np.int64),
        "tags": np.array(tags, dtype=np.int64),
        "spans": np.array(spans, dtype=np.int64),
        "scored": np.array(scored, dtype=bool),
    }
    return arrays, cut


def _word(found: list[tuple[int, str]], room: int, pieces) -> tuple[list[int], int]:
    """Return a word's ids, at most `room`, and which of them is its first real piece."""
    if not found:  # a word of characters that the tokenizer drops still gets a place, and a tag
        found = [(pieces.unknown, "")]
    real = next((i for i, (_, piece) in enumerate(found) if piece != SPACE), 0)
    return [i for i, _ in found[:room]], min(real, room - 1)


def windows(sizes: list[int], room: int, overlap: int) -> list[tuple[int, int, range]]:
    """Cut a sentence into windows of whole words.

    Args:
        sizes: pieces of each word, none above `room`.
        room: pieces that fit into a window.
        overlap: pieces that neighbouring windows share, at most.

    Returns:
        (first word, end word, words that this window is scored for) of each window; each word is
        scored in exactly one: of two that hold it, the one in which it is farther from the cut.
    """
    bounds, first = [], 0
    while first < len(sizes):
        last, used = first, 0
        while last < len(sizes) and used + sizes[last] <= room:
            used += sizes[last]
            last += 1
        bounds.append((first, last))
        if last == len(sizes):
            break
        shared, back = 0, last
        while back - 1 > first and shared + sizes[back - 1] <= overlap:
            back -= 1
            shared += sizes[back]
        first = back
    middles = [(n[0] + p[1] + 1) // 2 for p, n in pairwise(bounds)]
    edges = [0, *middles, len(sizes)]
    return [
        (first, last, range(a, b))
        for (first, last), a, b in zip(bounds, edges, edges[1:], strict=False)
    ]


def collate(data, examples, seed=()):
    """Some windows as a batch; `at` and `tags` int64 [sequences, most words], -100 past a window's.

    The weight is the number of words, as in a mean over tokens.
    """
    batch = encoded.pad(data, examples)
    spans = data.arrays["spans"]
    counts = spans[examples + 1] - spans[examples]
    at = np.zeros((len(examples), counts.max()), dtype=np.int64)
    tags = np.full(at.shape, -100, dtype=np.int64)
    for row, example in enumerate(examples):
        words = slice(spans[example], spans[example + 1])
        at[row, : counts[row]] = data.arrays["at"][words]
        tags[row, : counts[row]] = data.arrays["tags"][words]
    return batch | {"at": at, "tags": tags, "counts": counts, "weight": int(counts.sum())}


def head(encoder, labels):
    """Scores of the tags for every piece."""
    from xstilts.formats.heads import EachPiece

    return EachPiece(encoder.config, len(labels))


def _words(outputs, batch):
    """Scores [sequences, most words, tags] at the pieces that words are read from."""
    index = batch["at"].unsqueeze(-1).expand(-1, -1, outputs.shape[-1])
    return outputs.float().gather(1, index)


def loss(outputs, batch):
    """Summed cross entropy over words."""
    from torch.nn.functional import cross_entropy

    return cross_entropy(_words(outputs, batch).transpose(1, 2), batch["tags"], reduction="sum")


def reduce(outputs, batch):
    """The index of the best tag of each word of each window, int64 [words]."""
    best = _words(outputs, batch).argmax(-1).cpu().numpy()
    return [row[:n] for row, n in zip(best, batch["counts"].tolist(), strict=True)]


def decode(reduced, data, rows):
    """The tags of each row, separated by spaces, one a word."""
    labels, spans = data.labels, data.arrays["spans"]
    found: list[list[str]] = [[] for _ in rows]
    for window, best in enumerate(reduced):
        speaks = data.arrays["scored"][spans[window] : spans[window + 1]]
        found[data.arrays["row"][window]] += [labels[i] for i in best[speaks]]
    return [" ".join(tags) for tags in found]


def score(rows, predictions, metric, lang):
    """The tagging metrics; a row's value is the share of its words with the right tag."""
    gold = [row["tags"] for row in rows]
    predicted = [text.split(" ") if text else [] for text in predictions]
    values = [
        sum(g == p for g, p in zip(row, found, strict=True)) / max(1, len(row))
        for row, found in zip(gold, predicted, strict=True)
    ]
    return metrics.score(metric, gold, predicted, lang), values
