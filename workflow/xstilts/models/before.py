"""Pictures before texts in an encoder: in place of word embeddings, taking none of its positions.

Which encoder counts its positions how is not known by name but tried, once each: behind pictures
that nothing attends to, a text must have the states that it has alone.
"""

import contextlib
import inspect
import weakref
from typing import Any

from xstilts.models import attention
from xstilts.running.errors import UserError

# A hidden state of one sequence, computed in two ways that must come to the same: the most that the
# norm of the difference may be of its own. In bf16 and TF32 rounding makes a hundredth in 24
# layers; a sequence that sees its neighbours, or wrong positions, make a tenth and more.
TOLERANCE = {"cpu": 1e-4, "cuda": 0.05}
LENGTHS, PICTURES = (7, 2, 5), 3  # of the texts that it is tried on, positions before them

_given: weakref.WeakKeyDictionary[Any, bool] = weakref.WeakKeyDictionary()


def mask_for(encoder, mask):
    """Return a mask of padding as an encoder takes it."""
    # DeBERTa-v2's convolution subtracts it from 1.
    by_number = mask is not None and getattr(encoder.config, "conv_kernel_size", None)
    return mask.long() if by_number else mask


def behind(encoder, batch: dict[str, Any], pictures, seen: bool = True):
    """Return the last hidden states of a padded batch of texts with pictures before them.

    The pictures are at ids of padding, which an encoder that counts its positions from the ids
    (XLM-R) does not count; to one that counts absolute positions otherwise they are given, so that
    those of the text are what they are without pictures. Relative ones are anyway.

    Args:
        pictures: see `execution.hidden_states`.
        seen: whether anything attends to them; if not, the states are those of the text alone.

    Raises:
        UserError: see `positions_given`.
    """
    given = positions_given(encoder, batch["ids"].device, batch["pad"])
    return _states(encoder, batch, pictures, seen, given)


def positions_given(encoder, device, pad: int) -> bool:
    """Return whether an encoder has to be given the positions of texts behind pictures.

    Tried once for each encoder, which is afterwards what it was.

    Args:
        pad: id of padding.

    Raises:
        UserError: neither way has a text the states that it has without pictures.
    """
    if encoder not in _given:
        import torch

        takes = "position_ids" in inspect.signature(encoder.forward).parameters
        first = takes and attention.first_position(encoder.config) == 0
        training = encoder.training
        encoder.eval()
        try:
            with torch.no_grad(), torch.autocast(device.type, enabled=False):
                ways = dict.fromkeys([first, not first] if takes else [False])
                fits = (way for way in ways if _same(encoder, device, pad, way))
                found = next(fits, None)
        finally:
            encoder.train(training)
        if found is None:
            raise UserError(
                f"an encoder of the architecture `{encoder.config.model_type}` has no way to read"
                " pictures before a text: they would take the text's own positions; train it on"
                " text alone, or take another model"
            )
        _given[encoder] = found
    return _given[encoder]


def _same(encoder, device, pad: int, given: bool) -> bool:
    """Whether texts behind pictures that are not seen come to the texts alone."""
    import torch

    lengths = torch.tensor(LENGTHS, device=device)
    mask = torch.arange(max(LENGTHS), device=device) < lengths[:, None]
    words = torch.arange(mask.numel(), device=device).view(mask.shape) % encoder.config.vocab_size
    words[words == pad] = (pad + 1) % encoder.config.vocab_size
    batch = {"ids": torch.where(mask, words, pad), "mask": mask, "pad": pad}
    embeddings = encoder.get_input_embeddings().weight
    pictures = embeddings[:PICTURES].expand(len(LENGTHS), -1, -1)
    alone = encoder(input_ids=batch["ids"], attention_mask=mask_for(encoder, mask))
    behind = _states(encoder, batch, pictures, False, given).float()
    alone = alone.last_hidden_state.float()
    return all(
        bool((ours[:n] - theirs[:n]).norm() <= TOLERANCE[device.type] * theirs[:n].norm())
        for ours, theirs, n in zip(behind, alone, LENGTHS, strict=True)
    )


def _states(encoder, batch: dict[str, Any], pictures, seen: bool, given: bool):
    import torch

    count = pictures.shape[1]
    ids, mask = batch["ids"], batch["mask"]
    front = ids.new_full((len(ids), count), batch["pad"])
    if mask is None and not seen:
        mask = torch.ones_like(ids, dtype=torch.bool)
    if mask is not None:
        mask = torch.cat([mask.new_full(front.shape, seen), mask], 1)
    options = {}
    if given:
        at = torch.arange(-count, ids.shape[1], device=ids.device).clamp(min=0)
        options["position_ids"] = at[None].expand(len(ids), -1)
    with in_place(encoder, pictures):
        states = encoder(
            input_ids=torch.cat([front, ids], 1), attention_mask=mask_for(encoder, mask), **options
        ).last_hidden_state
    return states[:, count:]


@contextlib.contextmanager
def in_place(encoder, pictures, places=None):
    """Put pictures in place of the first word embeddings of each sequence; nothing for None.

    By a hook on the module of the word embeddings, which every encoder has.

    Args:
        pictures: [sequences, positions, H].
        places: int64 [sequences * positions], where these are in a packed batch.
    """
    if pictures is None:
        yield
        return
    import torch

    def replaced(module, given, embedded):
        own = pictures.to(embedded.dtype)
        if places is None:
            return torch.cat([own, embedded[:, own.shape[1] :]], 1)
        return embedded.index_copy(1, places, own.flatten(0, 1)[None])

    hook = encoder.get_input_embeddings().register_forward_hook(replaced)
    try:
        yield
    finally:
        hook.remove()
