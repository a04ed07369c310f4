"""Mining of translations in two pools of sentences by their embeddings, as in BUCC 2018.

As XTREME's `third_party/utils_retrieve.py` and jiant's `bucc2018.py` do it (mine_bitext with mode
mine, retrieval max, margin ratio; bucc_optimize; bucc_extract): neighbours by cosine in both
directions, scored by the ratio margin of Artetxe and Schwenk (2019, arXiv 1811.01136), paired off
greedily without using a sentence twice; a threshold that is tuned on dev then decides which pairs
are kept.
"""

import contextlib
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np

NEIGHBOURS = 4  # of the same scripts
# Vectors of either pool that are compared at a time: products of 16 MiB, which stay in the cache of
# a CPU, and of 256 MiB, which keep a GPU busy.
BLOCK = {"cpu": (2048, 2048), "cuda": (4096, 16384)}
GROUP = 32  # products of which the largest is looked at first


class Mined(NamedTuple):
    """Pairs by falling score: positions in the pools, int64 [pairs]; margin, float64 [pairs]."""

    source: np.ndarray
    target: np.ndarray
    score: np.ndarray


def distinct(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the position of each different text, int64 [n], and whether it is repeated, bool [n].

    A repeated text must be mined once, or its copies are each other's neighbours. As nobody can say
    which copy a translation belongs to, XTREME then drops the pairs that it is in.
    """
    _, first, copies = np.unique(
        np.array(texts, dtype=object), return_index=True, return_counts=True
    )
    order = np.argsort(first)
    return first[order], copies[order] > 1


class Nearest(NamedTuple):
    """The nearest of another pool, nearest first: similarities float [n, k], positions int64."""

    similarity: np.ndarray
    position: np.ndarray


def neighbours(
    x: np.ndarray,
    y: np.ndarray,
    k: int = NEIGHBOURS,
    device="cpu",
    block: tuple[int, int] | None = None,
) -> tuple[Nearest, Nearest]:
    """Return the `k` nearest of `y` for each of `x`, and of `x` for each of `y`, by inner product.

    Both are read off the same products (2 n m H FLOP), which are in the precision of the vectors:
    TF32, of three digits, is off meanwhile. Of equals the first in its pool is the nearer one.

    The device holds all vectors, 12 bytes for each neighbour, and the products of a block (from
    1,024 each way on, at most as much again for what is looked for in them): on a GPU 2.8 GB for
    400k and 150k vectors of 1,024.

    Args:
        x, y: float [n, H] and [m, H], of any length but 0; unit vectors for cosines.
        k: how many, at most `GROUP`; all of a pool that has fewer.
        device: a torch device, which computes; where its memory is too small, the CPU does.
        block: see `BLOCK`; by the device if not given.
    """
    import torch

    try:
        return _neighbours(x, y, k, torch.device(device), block)
    except torch.OutOfMemoryError as error:
        line = str(error).splitlines()[0]
        print(f"the search does not fit the GPU's memory, so it is on the CPU: {line}", flush=True)
    torch.cuda.empty_cache()
    return _neighbours(x, y, k, torch.device("cpu"))


def _neighbours(
    x: np.ndarray, y: np.ndarray, k: int, device, block: tuple[int, int] | None = None
) -> tuple[Nearest, Nearest]:
    import torch

    xs, ys = (torch.from_numpy(np.ascontiguousarray(pool)).to(device) for pool in (x, y))
    height, width = block or BLOCK[xs.device.type]
    similarities = (pool.new_full((len(pool), k), -torch.inf) for pool in (xs, ys))
    of_x, of_y = ((each, torch.zeros_like(each, dtype=torch.int64)) for each in similarities)
    buffer = xs.new_empty(_filled(min(height, len(xs))), _filled(min(width, len(ys))))
    with full_precision():
        for top in range(0, len(xs), height):
            rows = xs[top : top + height]
            for left in range(0, len(ys), width):
                columns = ys[left : left + width]
                products = buffer[: _filled(len(rows)), : _filled(len(columns))]
                torch.mm(rows, columns.T, out=products[: len(rows), : len(columns)])
                products[len(rows) :] = products[:, len(columns) :] = -torch.inf
                _keep_nearest(of_x, top, len(rows), products, 1, left)
                _keep_nearest(of_y, left, len(columns), products, 0, top)
    found = ((of_x, min(k, len(ys))), (of_y, min(k, len(xs))))
    x_found, y_found = (
        Nearest(*(part[:, :count].cpu().numpy() for part in best)) for best, count in found
    )
    return x_found, y_found


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """Multiply in the precision of the factors meanwhile, without TF32."""
    import torch

    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(precision)


def _filled(count: int) -> int:
    return -(-count // GROUP) * GROUP


def _keep_nearest(best, start: int, count: int, products, dim: int, first: int) -> None:
    """Take what is nearer in new products into `best`: similarities and positions [n, k], of which
    `count` from `start` on are compared, with others from position `first` on, along `dim`."""
    import torch

    similarity, position = (part[start : start + count] for part in best)
    k = similarity.shape[1]
    # The k largest are in the k groups of the largest maxima; of equals the first are there too.
    groups = products.unflatten(dim, (-1, GROUP))
    maxima = groups.amax(dim + 1)
    if dim == 0:
        maxima, groups = maxima.T.contiguous(), groups.permute(2, 0, 1)
    maxima, groups = maxima[:count], groups[:count]
    chosen = _largest(maxima, min(k, maxima.shape[1]))[1].sort(1).values
    candidates = torch.take_along_dim(groups, chosen.unsqueeze(2), 1).flatten(1)
    values, at = _largest(candidates, k)
    places = first + chosen.gather(1, at // GROUP) * GROUP + at % GROUP
    values, at = _largest(torch.cat([similarity, values], 1), k)
    similarity.copy_(values)
    position.copy_(torch.cat([position, places], 1).gather(1, at))


def _largest(values, k: int):
    """Return the `k` largest of each row and their columns, [n, k]; of equals the first is first.

    (`torch.topk` gives equals in any order, and a stable sort takes ten times as long.)
    """
    import torch

    rest, found = values.clone(), []
    for _ in range(k):
        largest, at = rest.max(1, keepdim=True)
        found.append((largest, at))
        rest.scatter_(1, at, -torch.inf)
    return tuple(torch.cat(part, 1) for part in zip(*found, strict=True))


def mine(
    source: np.ndarray,
    target: np.ndarray,
    k: int = NEIGHBOURS,
    device="cpu",
    block: tuple[int, int] | None = None,
) -> Mined:
    """Return the pairs of two pools, no sentence in two of them, by falling margin above 0.

    The margin of a pair is its cosine over the mean of the mean cosine of the source to its `k`
    neighbours and that of the target to its own. Each sentence proposes the neighbour of the best
    margin; proposals are taken from the best down, if neither sentence is taken yet.

    Args:
        source: embeddings, float [n, H], of any length but 0.
        target: embeddings, float [m, H].
        k: neighbours in each direction.
        device, block: see `neighbours`.
    """
    x, y = unit(source), unit(target)
    (forward, to_target), (backward, to_source) = neighbours(x, y, k, device, block)
    of_source, of_target = forward.mean(1, dtype=float), backward.mean(1, dtype=float)
    margins = forward / ((of_source[:, None] + of_target[to_target]) / 2)
    margins_back = backward / ((of_target[:, None] + of_source[to_source]) / 2)
    best, best_back = margins.argmax(1), margins_back.argmax(1)
    n, m = np.arange(len(x)), np.arange(len(y))
    sources = np.concatenate([n, to_source[m, best_back]])
    targets = np.concatenate([to_target[n, best], m])
    scores = np.concatenate([margins[n, best], margins_back[m, best_back]])
    return _greedy(sources, targets, scores)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors [n, H] at length 1."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _greedy(sources: np.ndarray, targets: np.ndarray, scores: np.ndarray) -> Mined:
    seen_sources, seen_targets, kept = set(), set(), []
    for i in np.argsort(-scores, kind="stable"):
        s, t = int(sources[i]), int(targets[i])
        if s in seen_sources or t in seen_targets:
            continue
        seen_sources.add(s)
        seen_targets.add(t)
        if scores[i] > 0:
            kept.append(i)
    return Mined(sources[kept], targets[kept], scores[kept])


def threshold(
    pairs: Sequence[tuple[str, str]],
    scores: Sequence[float],
    gold: Collection[tuple[str, str]],
) -> float:
    """Return the score that the pairs to keep must at least have for the highest F1 against `gold`.

    It lies halfway between the last pair kept and the first left out; at the last score if all are
    kept (where XTREME's script stops with an error), and at 0, so that all are kept, if no pair is
    right. Pairs of one score are kept or left out together.
    """
    order = sorted(range(len(pairs)), key=lambda i: -scores[i])
    gold_pairs, best_f1, best, correct = set(gold), 0.0, 0.0, 0
    for kept, i in enumerate(order, start=1):
        correct += pairs[i] in gold_pairs
        following = scores[order[kept]] if kept < len(order) else scores[i]
        if kept < len(order) and following == scores[i]:
            continue
        f1 = 2 * correct / (kept + len(gold_pairs))  # P = correct / kept, R = correct / gold
        if f1 > best_f1:
            best_f1, best = f1, (scores[i] + following) / 2
    return float(best)
