"""Masked language modelling: what is hidden, that nothing special is, and the tied head."""

import numpy as np
import pytest
from tests import helpers

from xstilts.formats import mlm
from xstilts.models import checkpoint
from xstilts.running.errors import UserError

ROWS = [{"id": "a", "text": "the cat sat on the mat"}, {"id": "b", "text": "猫 <mask> €"}]
MASK, SPECIAL = helpers.VOCABULARY.index("<mask>"), {0, 1, 2, 3, len(helpers.VOCABULARY) - 1}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return helpers.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def test_text_becomes_sequences_and_the_rest_of_a_long_text_another_one(tokenizer):
    data = helpers.encode(tokenizer, "mlm", ROWS, length=6)
    assert helpers.shown(data) == [
        "<s> ▁the ▁cat ▁sat ▁on </s>",
        "<s> ▁the ▁mat </s>",
        "<s> ▁ 猫 ▁ < </s>",
        "<s> m a s k </s>",
        "<s> > ▁ <unk> </s>",
    ]
    assert (len(data), data.meta["cut"]) == (5, 0)
    assert data.arrays.keys() == {"tokens", "starts", "groups", "row", "ordinary", "hidden"}
    assert data.arrays["hidden"].tolist() == [MASK]
    assert data.arrays["row"].tolist() == [0, 0, 1, 1, 1]
    ordinary = np.flatnonzero(data.arrays["ordinary"]).tolist()
    assert ordinary == [i for i in range(len(helpers.VOCABULARY)) if i not in SPECIAL]


def test_a_tokenizer_without_a_mask_is_named(tokenizer):
    import dataclasses

    none = dataclasses.replace(tokenizer, special_tokens={"</s>": 2})
    with pytest.raises(UserError, match="tokenizer has no <mask> token, which mlm needs"):
        helpers.encode(none, "mlm", ROWS)


@pytest.fixture(scope="module")
def long(tokenizer):
    """Some 20,000 tokens, in sequences of many lengths."""
    draw = np.random.default_rng(0)
    rows = [
        {"id": str(i), "text": " ".join(draw.choice(helpers.WORDS, draw.integers(1, 60)))}
        for i in range(700)
    ]
    return helpers.encode(tokenizer, "mlm", rows)


def test_fifteen_percent_are_chosen_of_which_eighty_are_hidden_and_ten_replaced(long):
    everything = np.arange(len(long))
    plain, batch = mlm.encoded.pad(long, everything)["ids"], mlm.collate(long, everything, (1, 2))
    ids, targets = batch["ids"], batch["targets"]
    chosen = targets != -100
    assert batch["weight"] == chosen.sum()
    assert (batch["chosen"] == np.flatnonzero(chosen)).all()
    assert (ids[~chosen] == plain[~chosen]).all() and (targets[chosen] == plain[chosen]).all()
    inside = ~np.isin(plain, list(SPECIAL))
    assert not chosen[~inside].any(), "no special token, no padding"
    assert abs(chosen.sum() / inside.sum() - 0.15) < 0.01
    hidden, same = ids[chosen] == MASK, ids[chosen] == plain[chosen]
    assert abs(hidden.mean() - 0.8) < 0.03 and abs((~hidden & ~same).mean() - 0.1) < 0.02
    replaced = ids[chosen][~hidden & ~same]
    assert not np.isin(replaced, list(SPECIAL)).any() and len(set(replaced)) > 20


def test_the_masks_of_an_example_follow_from_the_seed_and_not_from_its_company(long):
    both = mlm.collate(long, np.array([5, 9]), (1, 7))
    for row, example in enumerate((5, 9)):
        alone = mlm.collate(long, np.array([example]), (1, 7))
        width = alone["ids"].shape[1]
        assert (both["ids"][row, :width] == alone["ids"][0]).all()
        assert (both["targets"][row, :width] == alone["targets"][0]).all()
    other = mlm.collate(long, np.array([5, 9]), (1, 8))
    assert (other["targets"] != both["targets"]).any()


def test_the_head_scores_with_the_encoders_embeddings_as_transformers_does(tokenizer, tmp_path):
    import torch
    from transformers import XLMRobertaForMaskedLM

    encoder = checkpoint.load_encoder(helpers.write_model(tmp_path), dropout=0.0)
    head = mlm.head(encoder, [])
    with torch.no_grad():
        head.bias.normal_()
    model = XLMRobertaForMaskedLM(encoder.config)
    model.roberta.load_state_dict(encoder.state_dict())
    theirs = model.lm_head
    theirs.dense.load_state_dict(head.dense.state_dict())
    theirs.layer_norm.load_state_dict(head.norm.state_dict())
    theirs.bias.data = theirs.decoder.bias.data = head.bias.data.clone()
    ids = torch.tensor([[0, 5, 7, MASK, 2], [0, MASK, 8, 2, 1]])
    mask = ids != 1
    targets = torch.tensor([[-100, -100, 7, 9, -100], [-100, 6, -100, -100, -100]])
    outputs = head(encoder(ids, attention_mask=mask).last_hidden_state, mask)
    chosen = torch.tensor([2, 3, 6])
    loss = mlm.loss(outputs, {"targets": targets, "chosen": chosen})
    expected = model.eval()(ids, attention_mask=mask, labels=targets).loss * 3
    assert abs((loss - expected).item()) < 1e-4
    loss.backward()
    assert encoder.get_input_embeddings().weight.grad[20].abs().max() > 0, "tied: every token"
    assert head.state_dict().keys() == {
        "dense.weight",
        "dense.bias",
        "norm.weight",
        "norm.bias",
        "bias",
    }
