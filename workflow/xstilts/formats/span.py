"""Span: the answer to a question is a stretch of its context, or (`no_answer`) there is none.

Arrays: `row` int64 [examples], which row a window belongs to; `offsets` int32 [tokens, 2], where a
token begins and ends in the context, (-1, -1) outside it; `answer` int64 [examples, 2], the first
and last token of the answer, twice the place of no answer where the window does not hold it whole.
That place is the first token of a window; where a token has seen those before it alone
(`Tokenizer.word`), it is the last, and `nothing` int64 [examples] says where that is.
Too long: the question is cut on the right at `MAX_QUESTION` tokens; the context is cut into windows
that overlap by a third of the length limit, so nothing of it is lost. Predictions are stretches of
the original context.
"""

import numpy as np

from xstilts import metrics
from xstilts.encoding import encoded
from xstilts.experiment.recipe import stride
from xstilts.metrics import counts

MAX_QUESTION = 64  # tokens of a question (max_query_length of the SQuAD and XTREME scripts)
MAX_ANSWER = 30  # tokens of an answer (max_answer_length of the same scripts)
N_BEST = 20  # starts and ends tried in each window (n_best_size of the same scripts)


def encode(rows, tokenizer, labels, max_length):
    """Rows `question, context, answers{text[], start[]}` -> an example a window."""
    max_question, overlap = limits(max_length)
    encodings = tokenizer.encode([row["question"] for row in rows], max_question)
    questions = [
        _cut(row["question"], e, tokenizer) if e.overflowing else row["question"]
        for row, e in zip(rows, encodings, strict=True)
    ]
    questions_cut = sum(bool(e.overflowing) for e in encodings)
    pairs = list(zip(questions, (row["context"] for row in rows), strict=True))
    encodings = tokenizer.encode(pairs, max_length, strategy="only_second", stride=overlap)
    windows = [(i, w) for i, e in enumerate(encodings) for w in (e, *e.overflowing)]
    arrays = encoded.pack([w.ids for _, w in windows])
    offsets = [_offsets(w) for _, w in windows]
    arrays["offsets"] = np.concatenate(offsets)
    arrays["row"] = np.array([i for i, _ in windows], dtype=np.int64)
    nothing: np.ndarray = np.zeros(len(windows), dtype=np.int64)
    if tokenizer.word == "last":
        arrays["nothing"] = nothing = np.diff(arrays["starts"]) - 1
    arrays["answer"] = np.array(
        [
            _answer(rows[i], o, tokenizer.words_have_spaces) or (place, place)
            for (i, _), o, place in zip(windows, offsets, nothing, strict=True)
        ],
        dtype=np.int64,
    )
    return arrays, questions_cut


def _cut(question: str, encoding, tokenizer) -> str:
    """Return what the tokens of a question that was cut cover; of a character that is several
    tokens nothing where one of them is missing, since it would be all of them again."""
    before, after = tokenizer.template
    end = encoding.offsets[-1 - len(after)][1]
    if tokenizer.has_bytes:
        end = min(end, encoding.overflowing[0].offsets[len(before)][0])
    return question[:end]


def limits(max_length: int) -> tuple[int, int]:
    """Return the tokens that a question has at most, its special tokens included, and those that
    two windows share. 4 is the special tokens of a pair in XLM-R; no model has more."""
    max_question = min(MAX_QUESTION, max_length // 2)
    return max_question, min(stride(max_length), max_length - max_question - 4 - 1)


def _offsets(window) -> np.ndarray:
    offsets = np.array(window.offsets, dtype=np.int32)
    inside = np.array([sequence == 1 for sequence in window.sequence_ids])
    return np.where(inside[:, None], offsets, np.int32(-1))


def _answer(row, offsets, strip: bool) -> tuple[int, int] | None:
    """Return the first and last token that hold the first gold answer, None if it is not here.

    `strip`: spaces around an answer are left out, which the tokens of neighbouring words may hold.
    """
    answers = row["answers"]
    if not answers["text"]:
        return None
    text, start = answers["text"][0], answers["start"][0]
    if strip:
        start += len(text) - len(text.lstrip())
        text = text.strip()
    end = start + len(text)
    inside = offsets[:, 1] > offsets[:, 0]
    first = np.flatnonzero(inside & (offsets[:, 0] <= start) & (start < offsets[:, 1]))
    last = np.flatnonzero(inside & (offsets[:, 0] < end) & (end <= offsets[:, 1]))
    return (int(first[0]), int(last[-1])) if len(first) and len(last) else None


def collate(data, examples, seed=()):
    """Some windows as a batch; `inside` bool [sequences, width] marks the tokens of the context,
    `nothing` int64 [sequences] the place of no answer."""
    batch = encoded.pad(data, examples)
    inside = np.zeros(batch["ids"].shape, dtype=bool)
    starts, offsets = data.arrays["starts"], data.arrays["offsets"]
    for row, s in enumerate(batch["sequences"]):
        inside[row, : starts[s + 1] - starts[s]] = offsets[starts[s] : starts[s + 1], 0] >= 0
    answer = data.arrays["answer"][examples]
    nothing = data.arrays.get("nothing", np.zeros(len(data), dtype=np.int64))[examples]
    shown = {"inside": inside, "answer": answer, "nothing": nothing}
    return batch | shown | {"weight": len(examples)}


def head(encoder, labels, train=()):
    """A start score and an end score a token."""
    from xstilts.formats.heads import TokenHead

    return TokenHead(encoder.config, 2)


def _logits(outputs, batch):
    """Start and end scores [sequences, width], -inf outside the context and the place of no
    answer."""
    allowed = batch["inside"].scatter(1, batch["nothing"][:, None], True)
    return (outputs[..., i].float().masked_fill(~allowed, -float("inf")) for i in range(2))


def loss(outputs, batch):
    """Summed mean of the cross entropies of start and end, no answer among them."""
    from torch.nn.functional import cross_entropy

    start, end = _logits(outputs, batch)
    return 0.5 * (
        cross_entropy(start, batch["answer"][:, 0], reduction="sum")
        + cross_entropy(end, batch["answer"][:, 1], reduction="sum")
    )


def reduce(outputs, batch):
    """Score of no answer, and the best span's score, first and last token, float32 [windows, 4]."""
    import torch

    start, end = _logits(outputs, batch)
    nothing = batch["nothing"][:, None]
    null = (start.gather(1, nothing) + end.gather(1, nothing)).squeeze(1)
    start, end = (scores.scatter(1, nothing, -torch.inf) for scores in (start, end))
    k = min(N_BEST, start.shape[1])
    (s, i), (e, j) = start.topk(k), end.topk(k)
    length = j[:, None, :] - i[:, :, None] + 1  # [windows, starts, ends]
    total = s[:, :, None] + e[:, None, :]
    total = total.masked_fill((length < 1) | (length > MAX_ANSWER), -torch.inf).flatten(1)
    best, at = total.max(1)
    first = i.gather(1, (at // k)[:, None]).squeeze(1)
    last = j.gather(1, (at % k)[:, None]).squeeze(1)
    return torch.stack([null, best, first.float(), last.float()], 1)


def gold(outputs, batch):
    """What is recorded of each window's answer, float32 [windows, 4]; see `gold.py`.

    Its probability is that of its start times that of its end; its rank is among the spans that
    `reduce` compares and no answer (of equal scores the gold one is first).
    """
    import torch

    from xstilts.formats.gold import values

    start, end = _logits(outputs, batch)
    first, last = batch["answer"][:, :1], batch["answer"][:, 1:]
    own = start.gather(1, first) + end.gather(1, last)
    loss = start.logsumexp(1) + end.logsumexp(1) - own.squeeze(1)
    nothing = batch["nothing"][:, None]
    above = (start.gather(1, nothing) + end.gather(1, nothing) > own).squeeze(1).long()
    start, end = (scores.scatter(1, nothing, -torch.inf) for scores in (start, end))
    width = start.shape[1]
    for more in range(min(MAX_ANSWER, width)):
        above += (start[:, : width - more] + end[:, more:] > own).sum(1)
    return values(loss, 1 + above)


def by_row(recorded, data):
    """The same of each row, float32 [rows, 4]: of the window that holds the answer (of several, the
    one in which it is most probable), since it has to be found in one; of a row without answer the
    one in which that is least probable, since that has to hold in all."""
    values = np.stack(recorded)
    row, answer, loss = data.arrays["row"], data.arrays["answer"], values[:, 2]
    holds = answer[:, 0] != data.arrays.get("nothing", 0)
    answered = np.zeros(data.meta["rows"], dtype=bool)
    answered[row[holds]] = True
    order = np.lexsort((np.where(answered[row], np.where(holds, loss, np.inf), -loss), row))
    return values[order[np.unique(row[order], return_index=True)[1]]]


def decode(reduced, data, rows):
    """The best span over the windows of each row, as text of its context; "" for no answer.

    A task with `no_answer` answers "" where the score of no answer, the
    lowest over the windows, is above that of the best span (SQuAD v2's rule at threshold 0).
    """
    best = [(-np.inf, "")] * len(rows)
    null = [np.inf] * len(rows)
    starts, offsets = data.arrays["starts"], data.arrays["offsets"]
    for window, (null_score, score, first, last) in enumerate(np.array(reduced).tolist()):
        row = data.arrays["row"][window]
        null[row] = min(null[row], null_score)
        if score > best[row][0]:
            begin = offsets[starts[window] + int(first), 0]
            stop = offsets[starts[window] + int(last), 1]
            best[row] = (score, rows[row]["context"][begin:stop].strip())
    allowed = data.meta["spec"]["no_answer"]
    return ["" if allowed and null[i] > score else text for i, (score, text) in enumerate(best)]


def score(rows, predictions, metric, lang):
    """F1 and exact match; a row's value is the mean of its two."""
    gold = [row["answers"]["text"] for row in rows]
    each = [
        metrics.score(metric, [g], [p], lang) for g, p in zip(gold, predictions, strict=True)
    ]  # of which the metrics of a file are the means
    values = {key: counts.mean([one[key] for one in each]) for key in metrics.METRICS[metric].keys}
    return values, [metrics.METRICS[metric].task_score(one) for one in each]
