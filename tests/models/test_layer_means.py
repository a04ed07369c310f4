"""The means of all layers from one pass: those of encoders that end at each layer."""

import numpy as np
import pytest
import torch
from tests import helpers

from xstilts.formats.heads import masked_mean
from xstilts.models import checkpoint
from xstilts.models.execution import Execution, hidden_states, tensors
from xstilts.models.layer_means import LayerMeans
from xstilts.running.errors import UserError
from xstilts.toy import backbones

MASK = np.arange(9) < np.array([[9], [4], [6]])


def batch(encoder):
    ids = np.random.default_rng(0).integers(4, encoder.config.vocab_size, MASK.shape)
    return {"ids": np.where(MASK, ids, encoder.config.pad_token_id or 0), "mask": MASK}


def run(encoder, arrays, head=masked_mean):
    arrays = tensors(arrays, "cpu")
    with torch.inference_mode():
        return head(hidden_states(encoder, arrays), arrays["mask"])


# One that normalises after each layer, three before (a norm ends the model), one of them a decoder.
@pytest.mark.parametrize("kind", ["xlm-roberta", "xlm-roberta-xl", "mt5", "qwen3"])
def test_a_layer_is_what_an_encoder_that_ends_there_returns(tmp_path, kind):
    backbones.write(kind, tmp_path)
    encoder = checkpoint.load_encoder(tmp_path)
    head, arrays = LayerMeans(encoder), batch(encoder)
    found = run(encoder, arrays, head)
    assert head.layers == (0, 1, 2) and found.shape[:2] == (3, 3)
    for layer in (1, 2):
        alone = run(checkpoint.load_encoder(tmp_path, layers=layer).eval(), arrays)
        assert torch.allclose(found[:, layer], alone, atol=1e-6)
    with torch.inference_mode():
        ids, mask = torch.from_numpy(arrays["ids"]), torch.from_numpy(MASK)
        states = encoder(input_ids=ids, attention_mask=mask.long(), output_hidden_states=True)
        first = states.hidden_states[0]
        first = first if kind == "xlm-roberta" else head._after[0](first)
        assert torch.allclose(found[:, 0], masked_mean(first, mask), atol=1e-6)


def test_packed_sequences_have_the_same_means_and_so_has_a_batch_without_padding():
    encoder = helpers.make_encoder().eval()
    head, arrays = LayerMeans(encoder, [1, 2]), batch(encoder)
    padded = run(encoder, arrays, head)
    alone = run(encoder, {"ids": arrays["ids"][1:2, :4], "mask": None}, head)
    assert torch.allclose(alone, padded[1:2], atol=1e-5)
    packed = Execution.prepare(encoder).arrange(arrays)
    assert torch.allclose(run(encoder, packed, head), padded, atol=1e-5)


def test_layers_that_are_not_there_or_not_told_apart_are_one_line():
    with pytest.raises(UserError, match="layer 3 is not there: the model has 2"):
        LayerMeans(helpers.make_encoder(), [1, 3])
    with pytest.raises(UserError, match="albert: its 2 layers are 1 modules"):
        LayerMeans(helpers.make_encoder("albert"))
