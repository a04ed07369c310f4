"""Prediction: every example once, in its order, whatever the batches."""

import numpy as np
import pytest
from tests import helpers

from xstilts import formats
from xstilts.models import checkpoint
from xstilts.scoring import predict

ROWS = [
    {"id": str(i), "text": " ".join(["the"] * n), "text_pair": None, "label": "a"}
    for i, n in enumerate([3, 30, 1, 7, 7, 20])
]


@pytest.mark.parametrize("max_tokens", [1, 64, 10**6])
def test_results_come_in_the_order_of_the_rows_and_do_not_depend_on_padding(tmp_path, max_tokens):
    import torch

    model = helpers.write_model(tmp_path / "m")
    data = helpers.encode(helpers.make_tokenizer(tmp_path / "t"), "retrieval", ROWS)
    encoder = checkpoint.load_encoder(model)
    page = formats.page("retrieval")
    head, cpu = page.head(None, []), torch.device("cpu")
    vectors = predict.reduced(page, encoder, head, data, cpu, max_tokens)
    assert not encoder.training
    for i, vector in enumerate(vectors):
        ids = torch.from_numpy(data.sequence(i).astype(np.int64))[None]
        with torch.no_grad():
            alone = encoder(ids).last_hidden_state[0].mean(0).numpy()
        assert np.abs(vector - alone).max() < 1e-5


@pytest.mark.parametrize("dropout", [(0.5, 0.0), (0.0, 0.5)], ids=["encoder", "head"])
def test_nothing_is_dropped_out_after_training(tmp_path, dropout):
    import torch

    of_encoder, of_head = dropout
    model = helpers.write_model(tmp_path / "m")
    rows = [{"id": "q", "question": "who", "context": "the cat sat", "answers": NONE}]
    data = helpers.encode(helpers.make_tokenizer(tmp_path / "t"), "span", rows)
    encoder, page = checkpoint.load_encoder(model, dropout=of_encoder), formats.page("span")
    head = page.head(checkpoint.load_encoder(model, dropout=of_head), [])
    found = []
    for _ in range(2):
        encoder.train()
        head.train()
        ((none, best, _, _),) = predict.reduced(page, encoder, head, data, torch.device("cpu"), 64)
        found.append((none, best))
    assert found[0] == found[1]


NONE = {"text": [], "start": []}
