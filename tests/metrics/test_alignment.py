"""Measures of alignment: on vectors whose values follow by hand, and against other ways to them."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group

from xstilts.metrics import alignment
from xstilts.metrics.alignment import BETTER, FEWEST, measured


def tensor(rows):
    return torch.tensor(np.asarray(rows), dtype=torch.float32)


def drawn(n, width, seed=0):
    return np.random.default_rng(seed).standard_normal((n, width))


def test_identical_orthogonal_sentences_by_hand():
    # Cosines are the identity: four neighbours have the mean cosine 1/4. Each is linked to the
    # first of five that are equally far: a star of six, the same in both languages. The covariance
    # of six unit vectors has rank 5 and equal eigenvalues.
    found = measured(torch.eye(6), torch.eye(6))
    assert found == pytest.approx(
        {
            "retrieval_to": 1.0,
            "retrieval_from": 1.0,
            "margin": 4.0,
            "cosine_gap": 1.0,
            "cka": 1.0,
            "spectral": 0.0,
            "isotropy": (5 - 1) / (6 - 1),
            "mexa": 1.0,
        },
        abs=1e-6,
    )


def test_shuffled_sentences_by_hand():
    # Each is its right neighbour's translation: no pair is found, and 6 of 30 non-pairs have a 1.
    found = measured(torch.eye(6), torch.eye(6).roll(1, 0))
    assert found["retrieval_to"] == found["retrieval_from"] == found["mexa"] == 0.0
    assert found["margin"] == 0.0
    assert found["cosine_gap"] == pytest.approx(-6 / 30)
    assert found["spectral"] == pytest.approx(0.0, abs=1e-6)  # the graphs' shapes are the same


def test_mexa_wants_both_directions_of_a_pair():
    # Cosines 0.6, 0 and 0.8, 0.6: the first pair is right to the pivot, the second from it.
    x, y = tensor([[1, 0, 0], [0, 1, 0]]), tensor([[0.6, 0.8, 0], [0, 0.6, 0.8]])
    found = measured(x, y, ["retrieval_to", "retrieval_from", "mexa"])
    assert found == {"retrieval_to": 0.5, "retrieval_from": 0.5, "mexa": 0.0}


def test_the_directions_are_told_apart():
    # Both sentences of the language are nearest to the first of the pivot.
    x, y = tensor([[1, 0], [1, 1]]), tensor([[4, 1], [-1, 1]])
    found = measured(x, y, ["retrieval_to", "retrieval_from", "mexa"])
    assert found == {"retrieval_to": 0.5, "retrieval_from": 1.0, "mexa": 0.5}


def test_a_margin_by_hand():
    # Five sentences on a line of angles; the pair of the first is at 60 degrees.
    x = torch.eye(5)
    y = torch.eye(5)
    y[0, :2] = torch.tensor([0.5, math.sqrt(0.75)])
    # Row 0: 0.5 and zeros, mean 1/8; column 0: 0.5, 0.866, mean 0.3415; row 1 has 0.866 and 1.
    first = 0.5 / ((0.125 + (0.5 + math.sqrt(0.75)) / 4) / 2)
    second = 1 / ((0.25 + (1 + math.sqrt(0.75)) / 4) / 2)
    assert measured(x, y)["margin"] == pytest.approx((first + second + 3 * 4) / 5, rel=1e-6)


def test_a_rotation_changes_what_compares_vectors_and_not_what_compares_shapes():
    x = drawn(50, 8)
    turned = x @ ortho_group.rvs(8, random_state=1) * 3 + 2
    same, other = measured(tensor(x), tensor(x)), measured(tensor(turned), tensor(x))
    assert other["cka"] == pytest.approx(1.0, abs=1e-5)
    assert other["isotropy"] == pytest.approx(same["isotropy"], abs=1e-5)
    assert same["retrieval_to"] == 1.0 and other["retrieval_to"] < 0.3
    turned -= 2  # so that cosines among them are what they were
    assert measured(tensor(turned), tensor(x))["spectral"] == pytest.approx(0.0, abs=1e-6)


def test_independent_embeddings_are_not_aligned():
    x, y = drawn(400, 300, 1), drawn(400, 300, 2)
    found = measured(tensor(x), tensor(y))
    assert abs(found["cka"]) < 0.02 and abs(found["cosine_gap"]) < 0.01
    assert found["retrieval_to"] < 0.02 and found["mexa"] < 0.02
    of_x, of_y = (z - z.mean(0) for z in (x, y))
    biased = np.square(of_x.T @ of_y).sum()
    biased /= np.linalg.norm(of_x.T @ of_x) * np.linalg.norm(of_y.T @ of_y)
    assert biased > 0.3  # what debiasing is for


def test_one_dimension_that_dominates():
    # It makes every cosine one of 1 or -1, and all variance but little is its own.
    x, y = drawn(200, 10, 1), drawn(200, 10, 2)
    even = measured(tensor(x), tensor(x))
    x[:, 0], y[:, 0] = 1000 * x[:, 0], 1000 * x[:, 0]
    found = measured(tensor(x), tensor(y))
    assert even["isotropy"] > 0.9 and found["isotropy"] < 1e-4
    assert found["cka"] > 0.999  # one shared dimension is enough
    assert found["retrieval_to"] < 0.5  # but does not tell sentences apart


def isotropy(rows):
    return alignment.isotropy(alignment.kernel(tensor(rows)))


def test_isotropy_by_hand():
    # Variances 1 and 3 (uncorrelated): (4**2 / 10 - 1) / (2 - 1).
    x = tensor([[1, 0], [-1, 0], [0, 3**0.5], [0, -(3**0.5)]])
    assert isotropy(x) == pytest.approx(0.6)
    assert isotropy([[1, 0], [-1, 0], [0, 1], [0, -1]]) == pytest.approx(1.0)
    assert isotropy([[1, 0], [2, 0], [5, 0]]) == pytest.approx(0.0, abs=1e-6)


def test_spectra_by_hand():
    # A path of three has 3, 1, 0; two separate edges 2, 2, 0, 0; a star of four 4, 1, 1, 0.
    spectrum = alignment.spectrum
    assert spectrum(np.array([1, 0, 1])) == pytest.approx([3, 1, 0], abs=1e-9)
    assert spectrum(np.array([1, 0, 3, 2])) == pytest.approx([2, 2, 0, 0], abs=1e-9)
    assert spectrum(np.array([1, 0, 0, 0])) == pytest.approx([4, 1, 1, 0], abs=1e-9)
    # Edges need 2 of their eigenvalues for 0.9 of 4, the star 3 for 0.9 of 6: (2-4)**2 + (2-1)**2.
    edges = tensor([[1, 0, 0], [1, 0.1, 0], [0, 0, 1], [0, 0.1, 1]])
    star = tensor([[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    assert measured(edges, star, ["spectral"])["spectral"] == pytest.approx(5.0)


def test_embeddings_that_are_all_the_same_are_aligned_in_nothing():
    for x in (torch.ones(6, 3), torch.zeros(6, 3)):
        found = measured(x, x)
        assert found["retrieval_to"] == found["mexa"] == found["cka"] == found["isotropy"] == 0.0
        assert all(map(math.isfinite, found.values())), found


def test_the_fewest_sentences_are_enough_and_one_less_is_not():
    assert FEWEST.keys() == BETTER.keys()
    for name, n in FEWEST.items():
        x, y = drawn(n, 3, 1), drawn(n, 3, 2)
        assert math.isfinite(measured(tensor(x), tensor(y), [name])[name])
    for name in ("margin", "cka"):
        x = tensor(drawn(FEWEST[name] - 2, 3))
        with pytest.raises((RuntimeError, ZeroDivisionError)):
            measured(x, x, [name])


def test_only_what_is_asked_for_in_its_order():
    x = tensor(drawn(9, 4))
    assert list(measured(x, x, ["mexa", "cka"])) == ["cka", "mexa"]
    assert list(measured(x, x)) == list(BETTER)


@pytest.mark.parametrize("names", [list(BETTER), ["cka"], ["spectral"], ["isotropy"]])
def test_what_is_known_of_a_pivot_changes_nothing(names):
    x, y = (tensor(drawn(30, 5, seed)) for seed in (1, 2))
    assert measured(x, y, names, alignment.known(y, names)) == measured(x, y, names)


# ---- against other ways to the same


def unbiased_hsic(k, m):
    """The U-statistic of order 4 that Song et al. have in equation 4, by all tuples."""
    n = len(k)
    pairs, triples, fours = (list(itertools.permutations(range(n), r)) for r in (2, 3, 4))
    return (
        np.mean([k[i, j] * m[i, j] for i, j in pairs])
        + np.mean([k[i, j] * m[q, r] for i, j, q, r in fours])
        - 2 * np.mean([k[i, j] * m[i, q] for i, j, q in triples])
    )


@settings(max_examples=15, deadline=None)
@given(st.integers(4, 7), st.integers(2, 9), st.integers(0, 10**6))
def test_cka_is_that_of_all_tuples_of_sentences(n, width, seed):
    x, y = drawn(n, width, seed), drawn(n, width, seed + 1) + 0.5 * drawn(n, width, seed)
    k, m = x @ x.T, y @ y.T
    wanted = unbiased_hsic(k, m) / math.sqrt(unbiased_hsic(k, k) * unbiased_hsic(m, m))
    found = alignment.cka(*(alignment.kernel(tensor(z)) for z in (x, y)))
    assert found == pytest.approx(wanted, abs=1e-4)


@settings(max_examples=15, deadline=None)
@given(st.integers(5, 60), st.integers(2, 12), st.integers(0, 10**6))
def test_neighbours_cosines_and_graphs_are_those_of_other_libraries(n, width, seed):
    import networkx
    from sklearn.metrics.pairwise import cosine_similarity
    from sklearn.neighbors import NearestNeighbors

    x = drawn(n, width, seed)
    y = x + drawn(n, width, seed + 1)
    found, cosines = measured(tensor(x), tensor(y)), cosine_similarity(x, y)
    pairs, off = cosines.diagonal(), ~np.eye(n, dtype=bool)
    assert found["cosine_gap"] == pytest.approx(pairs.mean() - cosines[off].mean(), abs=1e-5)
    to = NearestNeighbors(n_neighbors=4, metric="cosine").fit(y).kneighbors(x)
    back = NearestNeighbors(n_neighbors=4, metric="cosine").fit(x).kneighbors(y)
    assert found["retrieval_to"] == pytest.approx((to[1][:, 0] == np.arange(n)).mean())
    assert found["retrieval_from"] == pytest.approx((back[1][:, 0] == np.arange(n)).mean())
    means = ((1 - to[0]).mean(1) + (1 - back[0]).mean(1)) / 2
    assert found["margin"] == pytest.approx((pairs / means).mean(), rel=1e-3, abs=1e-3)
    spectra = []
    for z in (x, y):
        near = NearestNeighbors(n_neighbors=2, metric="cosine").fit(z).kneighbors(z)[1][:, 1]
        graph = networkx.Graph(list(enumerate(near)))
        spectra.append(np.sort(networkx.laplacian_spectrum(graph))[::-1])
    ks = [np.searchsorted(np.cumsum(s) / s.sum(), 0.9 - 1e-9) + 1 for s in spectra]
    wanted = np.square(spectra[0][: min(ks)] - spectra[1][: min(ks)]).sum()
    assert found["spectral"] == pytest.approx(wanted, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.integers(3, 40), st.integers(2, 9), st.integers(0, 10**6))
def test_isotropy_is_iso_score_step_by_step(n, width, seed):
    """As section 4 of its paper has it, by eigenvalues."""
    x = drawn(n, width, seed) * np.arange(1, width + 1)
    values = np.linalg.eigvalsh(np.cov(x.T))
    normed = math.sqrt(width) * values / np.linalg.norm(values)
    defect = np.linalg.norm(normed - 1) / math.sqrt(2 * (width - math.sqrt(width)))
    dimensions = (width - defect**2 * (width - math.sqrt(width))) ** 2 / width
    wanted = (dimensions - 1) / (width - 1)
    assert isotropy(x) == pytest.approx(wanted, abs=1e-5)
