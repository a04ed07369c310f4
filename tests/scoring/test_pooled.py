"""Retrieval from a pool of candidates in several languages, by a tuned dual encoder."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests import helpers
from tests.scoring.target import Target, made

from xstilts import formats
from xstilts.data import prepare
from xstilts.metrics import ranking
from xstilts.models import checkpoint
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json
from xstilts.scoring import pooled
from xstilts.scoring.scorer import Scorer

QUERIES = {
    "de": [("q0", "der hund", ["c0", "c1"]), ("q1", "katze sieht", ["gone"]), ("q2", "der", [])],
    "en": [("q0", "the dog", ["c0", "c1"])],
}
CANDIDATES = [
    ("c0", "en", "the dog sees"), ("c1", "de", "der hund sieht"), ("c2", "zh", "猫 看见 狗"),
    ("c3", "en", "a cat"), ("c4", "de", "der hund sieht"),
]  # fmt: skip


def rows(lang):
    if lang == "pool":
        return [
            {"id": i, "side": "target", "text": text, "lang": of, "gold": None, "golds": None}
            for i, of, text in CANDIDATES
        ]
    return [
        {"id": i, "side": "source", "text": text, "lang": lang, "gold": None, "golds": golds}
        for i, text, golds in QUERIES[lang]
    ]


class Pooled(Target):
    """A tuned dual encoder, and a target with a pool."""

    def __init__(self, root):
        super().__init__(root, "retrieval", rows)

    def save_head(self, seed):
        self.format = "dual"
        super().save_head(seed)
        self.format = "retrieval"

    def add(self, *languages):
        super().add(*languages)
        for lang in languages:
            about = {"spec": {"hub": "o/data", "pool": {"pool": "all"}}}
            prepare.write(self.root / f"{lang}.parquet", rows(lang), "retrieval", about)
        return self

    def specs(self):
        of_pool = {
            "metric": "map20",
            "pool": digest(self.data["pool"].meta["spec"]),
            "head": "dual",
        }
        return {lang: spec | of_pool for lang, spec in super().specs().items()}


@pytest.fixture
def target(tmp_path):
    return Pooled(tmp_path).add("de", "en", "pool")


def embedded(target, texts):
    """Unit vectors of texts, one by one, by the head's own definition."""
    import torch

    encoder = checkpoint.load_encoder(target.model).eval()
    head = formats.page("dual").head(encoder, [])
    checkpoint.load_head(head, target.model)
    found = []
    for text in texts:
        ids = torch.tensor([target.pieces.encode([text], 64)[0].ids])
        first = encoder(input_ids=ids).last_hidden_state[0, 0]
        vector = torch.tanh(head.dense(first)).detach().numpy()
        found.append(vector / np.linalg.norm(vector))
    return np.stack(found)


@pytest.mark.parametrize("part", [2, 100])
def test_queries_of_each_language_find_candidates_of_all(target, monkeypatch, part):
    monkeypatch.setattr(pooled, "PART", part)
    target.run()
    assert target.made() == ["cell.json", *made("de", "en")]
    candidates = embedded(target, [text for _, _, text in CANDIDATES])
    for lang, queries in QUERIES.items():
        table = pq.read_table(target.root / f"out/{lang}.parquet").to_pydict()
        lists = [json.loads(prediction) for prediction in table["prediction"]]
        vectors = embedded(target, [text for _, text, _ in queries])
        at = np.array([[int(name[1:]) for name in one] for one in lists])
        assert (np.sort(at, axis=1) == np.arange(len(CANDIDATES))).all()
        cosines = np.take_along_axis(vectors @ candidates.T, at, axis=1)
        assert (np.diff(cosines, axis=1) < 1e-6).all(), "the nearest first"
        golds = [golds for *_, golds in queries]
        values = [ranking.average_precision(g, p) for g, p in zip(golds, lists, strict=True)]
        assert table["value"] == values
        score = read_json(target.root / f"out/{lang}.json")
        assert score["metrics"] == {"map20": pytest.approx(np.mean(values))}
        assert score["n"] == len(queries)
    assert values[0] > 0.0


def test_the_pool_is_read_for_what_has_no_score_alone(target, monkeypatch, capsys):
    target.run()
    passes = []
    real = Scorer.__call__
    monkeypatch.setattr(
        Scorer,
        "__call__",
        lambda s, found: passes.append([f.name for f in found]) or real(s, found),
    )
    monkeypatch.setattr(pooled, "load", lambda *_: pytest.fail("the pool is read"))
    target.run()
    assert passes == []
    monkeypatch.undo()
    capsys.readouterr()
    (target.root / "out/de.json").unlink()
    target.run()
    assert "en: already computed" in capsys.readouterr().out
    assert target.made() == ["cell.json", *made("de", "en")]
    # Other candidates are other scores.
    before = read_json(target.root / "out/en.json")["fingerprint"]
    prepare.write(
        target.root / "pool.parquet", rows("pool"), "retrieval",
        {"spec": {"hub": "o/data", "pool": {"pool": "all"}}, "pin": {"revision": "r3"}},
    )  # fmt: skip
    target.run()
    assert read_json(target.root / "out/en.json")["fingerprint"] != before


def test_a_pool_that_is_not_what_was_encoded_is_refused(target):
    rest = rows("pool")[1:]
    helpers.write_rows(target.root / "pool.parquet", "retrieval", rest)
    with pytest.raises(UserError, match=r"pool\.parquet: has 4 rows, and 5 were encoded"):
        target.run()
