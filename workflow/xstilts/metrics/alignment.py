"""Measures of alignment: how well the embeddings of sentences and of their translations agree.

Each is of parallel sentences at one layer: `x` [n, H] in a language, `y` [n, H] in the pivot
(English), row i of one being the translation of row i of the other. Pure, in torch, on the device
of the vectors, which are float32; at most 2,000 sentences are meant, whose n x n products take 16
MB each.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

HIGHER, LOWER = "higher", "lower"
# The measures, and which values of each are those of better aligned embeddings.
BETTER = {
    "retrieval_to": HIGHER,
    "retrieval_from": HIGHER,
    "margin": HIGHER,
    "cosine_gap": HIGHER,
    "cka": HIGHER,
    "spectral": LOWER,
    "isotropy": HIGHER,  # of the language's embeddings alone: how evenly they use the space
    "mexa": HIGHER,
}
NEIGHBOURS = 4  # of the margin, as Artetxe and Schwenk have them
SHARE = 0.9  # of the sum of eigenvalues, as Søgaard et al. have it
# The fewest sentences of which each can be computed: a non-pair; neighbours that are not all; the
# denominator n (n - 3) of the debiased HSIC; a graph that is not always the same; a variance.
FEWEST = {
    "retrieval_to": 2,
    "retrieval_from": 2,
    "margin": NEIGHBOURS + 1,
    "cosine_gap": 2,
    "cka": 4,
    "spectral": 4,
    "isotropy": 2,
    "mexa": 2,
}
Tensor = Any


class Known(NamedTuple):
    """What takes a product of matrices and is of one side alone, so of a pivot once for all
    languages; None if no measure needs it.

    `spectrum`: of its graph, float64 [n]; `norm`: of its `Kernel`.
    """

    spectrum: np.ndarray | None
    norm: float | None


def known(y: Tensor, names: Iterable[str] = tuple(BETTER)) -> Known:
    """Return what measures of these names need of the pivot alone."""
    return Known(
        spectrum(nearest(unit(y))) if "spectral" in names else None,
        kernel(y).norm if "cka" in names else None,
    )


def measured(
    x: Tensor, y: Tensor, names: Iterable[str] = tuple(BETTER), pivot: Known | None = None
) -> dict[str, float]:
    """Return the measures of these names (`BETTER`), in their order.

    Embeddings of one value in all sentences are aligned in none of them: every measure is finite.

    Args:
        pivot: `known` of y, for the same names.
    """
    names = set(names)
    pivot = pivot or known(y, names)
    unit_x, unit_y = unit(x), unit(y)
    found: dict[str, float] = {}
    if names & {"retrieval_to", "retrieval_from", "margin", "mexa"}:
        cosines = unit_x @ unit_y.T
        right_to, right_from = nearest_is_pair(cosines), nearest_is_pair(cosines.T)
        found["retrieval_to"] = float(right_to.double().mean())
        found["retrieval_from"] = float(right_from.double().mean())
        found["mexa"] = float((right_to & right_from).double().mean())
        if "margin" in names:
            found["margin"] = margin(cosines)
    if "cosine_gap" in names:
        found["cosine_gap"] = cosine_gap(unit_x, unit_y)
    if names & {"cka", "isotropy"}:
        of_x = kernel(x)
        found["isotropy"] = isotropy(of_x)
        if "cka" in names:
            found["cka"] = cka(of_x, kernel(y, pivot.norm))
    if pivot.spectrum is not None:
        found["spectral"] = spectral(spectrum(nearest(unit_x)), pivot.spectrum)
    return {name: found[name] for name in BETTER if name in names}


def unit(vectors: Tensor) -> Tensor:
    """Return vectors [n, H] at length 1; those of length 0 stay."""
    import torch

    return torch.nn.functional.normalize(vectors, dim=1, eps=torch.finfo(vectors.dtype).tiny)


def nearest_is_pair(cosines: Tensor) -> Tensor:
    """Return whether each row's own column is its nearest, bool [n], of cosines [n, n]; a tie is a
    miss, so that embeddings that are all the same find nothing.

    The mean is the accuracy of Tatoeba (Artetxe and Schwenk 2019, arXiv 1812.10464, section 4.3)
    but for ties: `retrieval_to` of rows in the language and columns in the pivot, `retrieval_from`
    the other way. Where both are right is MEXA's score, the share of pairs whose cosine is above
    all others of its row and its column (Kargaran et al. 2024, arXiv 2410.05873, equation 1).
    """
    others = cosines.clone()
    others.fill_diagonal_(-float("inf"))
    return cosines.diagonal() > others.amax(1)


def margin(cosines: Tensor) -> float:
    """Return the mean ratio margin of the pairs, of cosines [n, n].

    That of a pair is its cosine over the mean of two means: of the `NEIGHBOURS` largest cosines of
    its row, and of its column (Artetxe and Schwenk 2019, arXiv 1811.01136, equation 2 and margin
    "ratio"). 1 says that a pair is no nearer than its neighbours.
    """
    import torch

    rows, columns = (
        each.topk(NEIGHBOURS, dim=1).values.double().mean(1) for each in (cosines, cosines.T)
    )
    ratios = cosines.diagonal().double() / ((rows + columns) / 2)
    return float(torch.nan_to_num(ratios, 0.0, 0.0, 0.0).mean())


def cosine_gap(unit_x: Tensor, unit_y: Tensor) -> float:
    """Return the mean cosine of the pairs minus that of the n (n - 1) non-pairs, of unit vectors.

    The cosines of all are the product of the sums, so no n x n matrix is needed.
    """
    n = len(unit_x)
    pairs = float((unit_x.double() * unit_y.double()).sum())
    every = float(unit_x.double().sum(0) @ unit_y.double().sum(0))
    return pairs / n - (every - pairs) / (n * (n - 1))


class Kernel(NamedTuple):
    """Embeddings less their mean, and of their Gram matrix K, which is not made, what is needed.

    `vectors`: float32 [n, H]; `diagonal` of K, float64 [n]; `rows`: K1 without the diagonal,
    float64 [n]; `norm`: the sum of the squares of K.
    """

    vectors: Tensor
    diagonal: Tensor
    rows: Tensor
    norm: float


def kernel(x: Tensor, norm: float | None = None) -> Kernel:
    """Return the kernel of embeddings; `norm` where it is known.

    The mean is taken away since one that is large would take the digits of the rest.
    """
    wide = x.double()
    x = (wide - wide.mean(0)).to(x.dtype)
    wide = x.double()
    diagonal = wide.square().sum(1)
    rows = wide @ wide.sum(0) - diagonal
    return Kernel(x, diagonal, rows, _shared(x, x) if norm is None else norm)


def _shared(x: Tensor, y: Tensor) -> float:
    """Return the sum of all K_ij L_ij of the Gram matrices: the squared norm of x'y, which has H
    and not n rows and columns."""
    return float((x.T @ y).double().square().sum())


def cka(x: Kernel, y: Kernel) -> float:
    """Return the linear CKA with the unbiased estimator of HSIC, at most 1; about 0 for independent
    embeddings, where the biased one grows with H / n.

    CKA: Kornblith et al. 2019, arXiv 1905.00414, section 3. Unbiased HSIC: Song et al. 2012, JMLR
    13:1393, equation 5; so used in Nguyen et al. 2021, arXiv 2010.15327, on all sentences at once
    here. It is the same for rotated and for scaled embeddings, and 0 where a side has no variance.
    """
    both = _hsic(x, x, x.norm) * _hsic(y, y, y.norm)
    return _hsic(x, y, _shared(x.vectors, y.vectors)) / both**0.5 if both > 0 else 0.0


def _hsic(x: Kernel, y: Kernel, shared: float) -> float:
    """Return the unbiased HSIC of linear kernels, times n (n - 3).

    Of Gram matrices K, L with 0 on their diagonals: tr(K L) + 1'K1 1'L1 / ((n - 1) (n - 2)) - 2
    1'KL1 / (n - 2). `shared` is tr(K L) with the diagonals.
    """
    n = len(x.rows)
    trace = shared - x.diagonal @ y.diagonal
    sums = x.rows.sum() * y.rows.sum() / ((n - 1) * (n - 2))
    return float(trace + sums - 2 / (n - 2) * (x.rows @ y.rows))


def isotropy(x: Kernel) -> float:
    """Return IsoScore, from 0 (one dimension alone varies) to 1 (all do, alike and uncorrelated).

    Rudman et al. 2022, arXiv 2108.07344, section 4. Its steps come to (r - 1) / (H - 1), where r is
    the participation ratio of the covariance's eigenvalues, (sum l)^2 / sum l^2, and the sums are
    its trace and its squared norm, so no eigenvalue is needed. Of n sentences r is below n.
    """
    trace = float(x.diagonal.sum())
    ratio = trace**2 / x.norm if x.norm > 0 else 1.0
    return (ratio - 1) / (x.vectors.shape[1] - 1)


def spectral(of_x: np.ndarray, of_y: np.ndarray) -> float:
    """Return the distance of the spectra of two nearest-neighbour graphs, 0 for the same graph.

    Søgaard et al. 2018, arXiv 1805.03620, section 3: in each language the sentences are linked to
    their nearest by cosine; k is the smaller of the numbers of largest eigenvalues of the graphs'
    Laplacians that make up `SHARE` of their sum; the distance is the sum of the squared differences
    of the k largest. It is of the two shapes alone, whichever sentence is where, and grows with n.
    """
    least = SHARE - 1e-9  # sums are whole numbers but for rounding
    k = min(int((np.cumsum(of) < least * of.sum()).sum()) + 1 for of in (of_x, of_y))
    return float(np.square(of_x[:k] - of_y[:k]).sum())


def nearest(unit_x: Tensor) -> np.ndarray:
    """Return the nearest other vector of each by cosine, int64 [n], of unit vectors; of equals the
    first."""
    cosines = unit_x @ unit_x.T
    cosines.fill_diagonal_(-float("inf"))
    return cosines.argmax(1).cpu().numpy()


def spectrum(neighbour: np.ndarray) -> np.ndarray:
    """Return the eigenvalues of the Laplacian of a graph, the largest first, float64 [n].

    They are those of its components, which are small where each vertex brings one edge: all of a
    size are solved together.

    Args:
        neighbour: a vertex that each vertex is linked to, int64 [n].
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(neighbour)
    linked: np.ndarray = np.zeros((n, n), dtype=bool)
    linked[np.arange(n), neighbour] = linked[neighbour, np.arange(n)] = True
    edges = coo_array((np.ones(n), (np.arange(n), neighbour)), shape=(n, n))
    component = connected_components(edges, directed=False)[1]
    size, degree = np.bincount(component)[component], linked.sum(1)
    found = []
    for m in np.unique(size):
        at = np.flatnonzero(size == m)
        members = at[np.argsort(component[at], kind="stable")].reshape(-1, m)
        laplacians = -linked[members[:, :, None], members[:, None, :]].astype(float)
        laplacians[:, np.arange(m), np.arange(m)] += degree[members]
        found.append(np.linalg.eigvalsh(laplacians).ravel())
    return np.sort(np.concatenate(found))[::-1]
