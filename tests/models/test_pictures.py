"""Pictures before a text: with the pictures masked out, nothing of the text is another."""

import numpy as np
import pytest
from tests import helpers
from tests.encoding.test_packing import padded

from xstilts.models import attention, checkpoint
from xstilts.models.before import behind, positions_given
from xstilts.models.execution import Execution, hidden_states, tensors
from xstilts.running.errors import UserError

REAL = "../shared/data/models/local/me5-small-xlmr-32k-6l"
POSITIONS = 4


def cpu():
    import torch

    torch.set_num_threads(1)
    return torch.device("cpu")


def batch_of(lengths, vocabulary, positions=POSITIONS, width=6, pad=1):
    """A padded batch with random features before its sequences."""
    batch, draw = padded(lengths, pad), np.random.default_rng(0)
    real = batch["ids"] != pad
    batch["ids"][real] = 5 + batch["ids"][real] % (vocabulary - 6)
    shape = (len(lengths), positions, width)
    return batch | {"visual": draw.normal(size=shape).astype(np.float16), "pad": pad}


def projected(encoder, batch):
    import torch

    from xstilts.formats.pictures import Projector

    torch.manual_seed(1)
    _, positions, width = batch["visual"].shape
    projector = Projector(width, positions, encoder.get_input_embeddings())
    with torch.no_grad():
        return projector(torch.from_numpy(batch["visual"]))


def states_of(encoder, lengths, vocabulary, **more):
    """The states of the text: alone, behind pictures that it sees, behind some that it does not."""
    import torch

    batch = batch_of(lengths, vocabulary, **more)
    pictures, on_cpu = projected(encoder, batch), tensors(batch, cpu())
    with torch.no_grad():
        alone = hidden_states(encoder, on_cpu)
        seen = hidden_states(encoder, on_cpu, pictures)
        unseen = behind(encoder, on_cpu, pictures, seen=False)
    mask = torch.ones(alone.shape[:2]).bool() if batch["mask"] is None else on_cpu["mask"]
    return [states[mask] for states in (alone, seen, unseen)]


@pytest.mark.parametrize("kind", [*attention.AFTER_PADDING, "deberta-v2", "mpnet", "modernbert"])
@pytest.mark.parametrize("lengths", [[9, 5, 1, 12], [7, 7]], ids=["padded", "full"])
def test_a_text_behind_pictures_that_it_does_not_see_is_the_text_alone(kind, lengths):
    more = {
        "relative_attention": True,
        "position_biased_input": False,
        "max_relative_positions": 32,
    }
    encoder = helpers.make_encoder(kind, **(more if kind == "deberta-v2" else {})).eval()
    alone, seen, unseen = states_of(encoder, lengths, len(helpers.VOCABULARY))
    assert (unseen - alone).abs().max() < 1e-5
    assert (seen - alone).abs().max() > 1e-2, "and those that it sees make a difference"


@pytest.mark.parametrize("kind", attention.AFTER_PADDING)
def test_pictures_take_none_of_the_positions_of_the_longest_text(kind):
    encoder = helpers.make_encoder(kind).eval()
    room = 70 - attention.first_position(encoder.config)
    alone, _, unseen = states_of(encoder, [room, 3], len(helpers.VOCABULARY), positions=16)
    assert (unseen - alone).abs().max() < 1e-5


OTHERS = {  # that count positions from the first place, which few say by their config
    "distilbert": {}, "rembert": {}, "deberta": {}, "deberta-v2": {}, "xlm": {"n_langs": 1},
    "gpt2": {},
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("lengths", [[9, 5, 1, 12], [70, 3]], ids=["padded", "full"])
def test_positions_are_given_to_encoders_that_count_the_places(kind, lengths):
    encoder = helpers.make_encoder(kind, **OTHERS[kind]).train()
    assert positions_given(encoder, cpu(), 1) and encoder.training
    alone, seen, unseen = states_of(encoder.eval(), lengths, len(helpers.VOCABULARY))
    assert (unseen - alone).abs().max() < 1e-4 < 1e-2 < (seen - alone).abs().max()


def test_an_encoder_whose_text_would_be_moved_is_refused_in_a_line(monkeypatch):
    encoder = helpers.make_encoder("bert")
    forward = encoder.forward

    def without_positions(input_ids=None, attention_mask=None):
        return forward(input_ids=input_ids, attention_mask=attention_mask)

    monkeypatch.setattr(encoder, "forward", without_positions)
    with pytest.raises(UserError, match=r"^an encoder of the architecture `bert` has no way to"):
        states_of(encoder.eval(), [9, 5], len(helpers.VOCABULARY))


@pytest.mark.parametrize("kind", attention.AFTER_PADDING)
@pytest.mark.parametrize("lengths", [[9, 5, 1, 12], [8, 8]], ids=["padded", "full"])
def test_packed_batches_come_to_the_same(kind, lengths):
    import torch

    encoder = helpers.make_encoder(kind).eval()
    execution = Execution.prepare(encoder)
    batch = batch_of(lengths, len(helpers.VOCABULARY))
    pictures = projected(encoder, batch)
    packed = execution.arrange(batch)
    assert packed["ids"].shape[1] >= sum(lengths) + POSITIONS * len(lengths)
    with torch.no_grad():
        theirs = hidden_states(encoder, tensors(batch, cpu()), pictures)
        ours = hidden_states(encoder, tensors(packed, cpu()), pictures)
    mask = slice(None) if batch["mask"] is None else torch.from_numpy(batch["mask"])
    assert (ours - theirs)[mask].abs().max() < 1e-5


def test_nothing_of_it_stays_on_the_encoder():
    encoder = helpers.make_encoder().eval()
    before, _, _ = states_of(encoder, [5, 3], len(helpers.VOCABULARY))
    after, _, _ = states_of(encoder, [5, 3], len(helpers.VOCABULARY))
    assert not encoder.get_input_embeddings()._forward_hooks and (after == before).all()


def test_gradients_reach_the_features_projector_through_checkpointed_layers():
    import torch

    from xstilts.formats.pictures import Projector

    found = []
    for checkpointed in (False, True):
        encoder = helpers.make_encoder().train()
        if checkpointed:
            encoder.gradient_checkpointing_enable({"use_reentrant": False})
        batch = tensors(batch_of([6, 4], len(helpers.VOCABULARY)), cpu())
        torch.manual_seed(1)
        projector = Projector(6, POSITIONS, encoder.get_input_embeddings())
        hidden_states(encoder, batch, projector(batch["visual"])).square().sum().backward()
        found.append([p.grad.clone() for p in projector.parameters()])
    assert all(grad.abs().sum() > 0 for grad in found[0])
    assert all(torch.allclose(a, b, rtol=1e-4, atol=1e-6) for a, b in zip(*found, strict=True))


def test_what_is_projected_is_as_large_as_word_embeddings_are():
    encoder = helpers.make_encoder()
    size = encoder.get_input_embeddings().weight.std()
    made = projected(encoder, batch_of([3] * 50, len(helpers.VOCABULARY), width=64))
    assert 0.8 * size < made.std() < 1.25 * size


def test_on_a_real_encoder():
    from pathlib import Path

    if not Path(REAL).exists():
        pytest.skip(f"{REAL} is not there")
    encoder = checkpoint.load_encoder(REAL)
    cpu()
    lengths = [40, 17, 3, 25]
    alone, seen, unseen = states_of(encoder, lengths, encoder.config.vocab_size, positions=16)
    assert (unseen - alone).abs().max() < 1e-5 and (seen - alone).abs().max() > 1e-2
