"""How alike rows and their sources are to a tiny encoder, against states text by text."""

import numpy as np
import pytest
from tests import helpers

from xstilts.running.record import read_node
from xstilts.scoring import alignment
from xstilts.scoring.alignment import Aligner
from xstilts.translation.similarity import Similarity

ENGLISH = [("the cat sat", "a dog"), ("the big red dog", ""), ("who is", "not a mat"), ("", "")]
GERMAN = [("der hund", "katze sieht"), ("der", ""), ("hund der katze", "sieht"), ("x", "")]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return helpers.write_model(tmp_path_factory.mktemp("m"), layers=2)


def rows(texts):
    return [{"id": str(i), "text": a, "text_pair": b} for i, (a, b) in enumerate(texts)]


def states(aligner, texts):
    return np.stack([aligner.means([text], 512).layer(0, np.array([0]))[0] for text in texts])


def cosine(x, y):
    return x @ y / np.linalg.norm(x) / np.linalg.norm(y)


def test_a_row_has_the_least_cosine_of_its_texts_without_the_mean(model, tmp_path, monkeypatch):
    monkeypatch.setattr(alignment, "precision", lambda where: "fp32")
    aligner = Aligner(str(model), read_node(model), [1], 64, str(tmp_path))
    measure = Similarity(aligner, "classification")
    [(ids, found)] = list(measure.measured([(rows(ENGLISH), rows(GERMAN))]))
    pairs = [("the cat sat", "der hund"), ("a dog", "katze sieht"), ("the big red dog", "der")]
    pairs += [("who is", "hund der katze"), ("not a mat", "sieht")]
    x, y = (states(aligner, [pair[side] for pair in pairs]) for side in (0, 1))
    each = [cosine(a, b) for a, b in zip(x - x.mean(0), y - y.mean(0), strict=True)]
    expected = [min(each[0], each[1]), each[2], min(each[3], each[4]), np.nan]
    assert ids == ["0", "1", "2", "3"]
    np.testing.assert_allclose(found, expected, atol=1e-5)
