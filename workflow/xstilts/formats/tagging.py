"""Tagging: every word of a sentence gets a tag, read off its first real token (a decoder's last).

A *real* token covers a character of the word: where a script is written without spaces, a word's
first token is often the lone U+2581 that stands for the space before it, the same for every such
word. A decoder has seen all of a word at its last token only, so that one is read there.

Arrays: `row` int64 [examples], which row a window belongs to; `at` int64 [words], the token in its
sequence that a word is read from; `tags` int64 [words], `IGNORE_INDEX` where the head has no such
tag; `spans` int64 [examples + 1], where each example's words begin in those; `scored` bool [words],
whether the word is scored in this window.
Too long: nothing is cut. A sentence past the limit becomes overlapping windows of whole words, and
each word is scored in the window where it has most context; only a single word longer than a whole
window loses tokens, past the first.
"""

from itertools import pairwise

import numpy as np

from xstilts import metrics
from xstilts.encoding import encoded
from xstilts.experiment.recipe import stride

# As in PyTorch. Also a tag of an open set that no training row has: without loss, always wrong.
IGNORE_INDEX = -100


def encode(rows, tokenizer, labels, max_length):
    """Rows `tokens[], tags[]` -> an example a window."""
    sentences = [tokenizer.in_sentence(row["tokens"]) for row in rows]
    tokens_of = tokenizer.encode_words([word for sentence in sentences for word in sentence])
    before, after = tokenizer.template
    window_size = max_length - len(before) - len(after)
    encoded_words = {w: _encode_word(t, window_size, tokenizer) for w, t in tokens_of.items()}
    index = {label: i for i, label in enumerate(labels)}
    sequences, at, tags, scored, spans, row_numbers, cut = [], [], [], [], [0], [], 0
    for number, (row, sentence) in enumerate(zip(rows, sentences, strict=True)):
        words = [encoded_words[word] for word in sentence]
        cut += any(len(tokens_of[word]) > window_size for word in sentence)
        sizes = [len(ids) for ids, _ in words]
        for first, last, scored_words in windows(sizes, window_size, stride(max_length)):
            ids = list(before)
            for word in range(first, last):
                at.append(len(ids) + words[word][1])
                ids += words[word][0]
            sequences.append(ids + after)
            tags += [index.get(tag, IGNORE_INDEX) for tag in row["tags"][first:last]]
            scored += [word in scored_words for word in range(first, last)]
            spans.append(len(at))
            row_numbers.append(number)
    arrays = encoded.pack(sequences) | {
        "row": np.array(row_numbers, dtype=np.int64),
        "at": np.array(at, dtype=np.int64),
        "tags": np.array(tags, dtype=np.int64),
        "spans": np.array(spans, dtype=np.int64),
        "scored": np.array(scored, dtype=bool),
    }
    return arrays, cut


def _encode_word(tokens: list[tuple[int, str]], limit: int, tokenizer) -> tuple[list[int], int]:
    """Return a word's ids, at most `limit`, and which of them stands for it."""
    if not tokens:  # a word of characters that the tokenizer drops still gets a place, and a tag
        tokens = [(tokenizer.unk_token_id, "")]
    at = tokenizer.place([token for _, token in tokens])
    return [i for i, _ in tokens[:limit]], min(at, limit - 1)


def windows(sizes: list[int], window_size: int, overlap: int) -> list[tuple[int, int, range]]:
    """Cut a sentence into windows of whole words.

    Args:
        sizes: tokens of each word, none above `window_size`.
        window_size: tokens that fit into a window.
        overlap: tokens that neighbouring windows share, at most.

    Returns:
        (first word, end word, words that this window is scored for) of each window; each word is
        scored in exactly one: of two that hold it, the one in which it is farther from the cut.
    """
    bounds, first = [], 0
    while first < len(sizes):
        last, used = first, 0
        while last < len(sizes) and used + sizes[last] <= window_size:
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
    """Some windows as a batch; `at` and `tags` are int64 [sequences, most words].

    Past the words of a window they are 0 and `IGNORE_INDEX`. The weight is the number of words, as
    in a mean over words.
    """
    batch = encoded.pad(data, examples)
    spans = data.arrays["spans"]
    counts = spans[examples + 1] - spans[examples]
    at = np.zeros((len(examples), counts.max()), dtype=np.int64)
    tags = np.full(at.shape, IGNORE_INDEX, dtype=np.int64)
    for row, example in enumerate(examples):
        words = slice(spans[example], spans[example + 1])
        at[row, : counts[row]] = data.arrays["at"][words]
        tags[row, : counts[row]] = data.arrays["tags"][words]
    return batch | {"at": at, "tags": tags, "weight": int(counts.sum())}


def head(encoder, labels, train=()):
    """Scores of the tags for every token."""
    from xstilts.formats.heads import TokenHead

    return TokenHead(encoder.config, len(labels))


def _word_scores(outputs, batch):
    """Scores [sequences, most words, tags] at the tokens that words are read from."""
    index = batch["at"].unsqueeze(-1).expand(-1, -1, outputs.shape[-1])
    return outputs.float().gather(1, index)


def loss(outputs, batch):
    """Summed cross entropy over words."""
    from torch.nn.functional import cross_entropy

    return cross_entropy(
        _word_scores(outputs, batch).transpose(1, 2), batch["tags"], reduction="sum"
    )


def reduce(outputs, batch):
    """The index of the best tag of each word, int64 [windows, most words]."""
    return _word_scores(outputs, batch).argmax(-1)


def gold(outputs, batch):
    """What is recorded of the tag of each word, float32 [windows, most words, 4]; see `gold.py`."""
    from xstilts.formats.gold import among

    return among(_word_scores(outputs, batch), batch["tags"].clamp(min=0))


def by_row(recorded, data):
    """The same of each row, float32 [rows, 4]: the mean over its words, of `rank` the last.

    Words without a tag of the head's are left out; of a row without any other, nothing is wrong.
    """
    spans, tags, scored = (data.arrays[name] for name in ("spans", "tags", "scored"))
    counted = scored & (tags != IGNORE_INDEX)
    sizes = np.diff(spans)
    words = np.concatenate([w[:size] for w, size in zip(recorded, sizes, strict=True)])[counted]
    row = np.repeat(data.arrays["row"], sizes)[counted]
    found = np.tile(np.float32([1, 1, 0, 1]), (data.meta["rows"], 1))
    counts = np.bincount(row, minlength=len(found))
    there = counts > 0
    for column in (0, 2, 3):
        sums = np.bincount(row, words[:, column], len(found))
        found[there, column] = sums[there] / counts[there]
    np.maximum.at(found[:, 1], row, words[:, 1])
    return found


def decode(reduced, data, rows):
    """The tags of each row, separated by spaces, one a word."""
    labels, spans = data.labels, data.arrays["spans"]
    tags: list[list[str]] = [[] for _ in rows]
    for window, best in enumerate(reduced):
        scored = data.arrays["scored"][spans[window] : spans[window + 1]]
        tags[data.arrays["row"][window]] += [labels[i] for i in best[: len(scored)][scored]]
    return [" ".join(row_tags) for row_tags in tags]


def score(rows, predictions, metric, lang):
    """The tagging metrics; a row's value is the share of its words with the right tag."""
    gold = [row["tags"] for row in rows]
    predicted = [text.split(" ") if text else [] for text in predictions]
    values = [
        sum(g == p for g, p in zip(gs, ps, strict=True)) / max(1, len(gs))
        for gs, ps in zip(gold, predicted, strict=True)
    ]
    return metrics.score(metric, gold, predicted, lang), values
