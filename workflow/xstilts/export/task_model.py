"""An encoder and its head as the task model that transformers has for them."""

import copy
from collections.abc import Sequence
from typing import Any

from xstilts.scoring import predict

AUTO_CLASSES = {
    "classification": "AutoModelForSequenceClassification",
    "regression": "AutoModelForSequenceClassification",
    "tagging": "AutoModelForTokenClassification",
    "span": "AutoModelForQuestionAnswering",
    "choice": "AutoModelForMultipleChoice",
}  # by format
TOLERANCE = 1e-5  # between the scores of both, relative where they are above 1


def build(encoder, head, format: str, labels: Sequence[str]):
    """Return the model of an encoder and its head; None where transformers has no such class.

    The class is the one of the encoder's architecture; it fits if its own linear layers are those
    of the head, in their order, and if both then give the same scores of the same ids.
    """
    import torch
    import transformers
    from torch import nn

    if format not in AUTO_CLASSES:  # embeddings
        return None
    config = _config(encoder.config, format, labels)
    auto = getattr(transformers, AUTO_CLASSES[format])
    if type(config) not in auto._model_mapping:
        return None
    model = auto._model_mapping[type(config)](config).float().eval()
    found = model.base_model.load_state_dict(encoder.state_dict(), strict=False)
    if found.unexpected_keys or any("pooler" not in key for key in found.missing_keys):
        return None
    known = {f"{model.base_model_prefix}.{key}" for key in encoder.state_dict()}
    new = [(name, m) for name, m in model.named_modules() if _has_own(m, name, known)]
    # Some classes name the last layer before the one that comes first.
    theirs = [m for name, m in sorted(new, key=lambda item: not item[0].endswith("dense"))]
    ours = [m for m in head.modules() if isinstance(m, nn.Linear)]
    if [str(m) for m in theirs] != [str(m) for m in ours]:
        return None
    for target, source in zip(theirs, ours, strict=True):
        target.load_state_dict(source.state_dict())
    if format == "regression":  # its numbers are the last layer's, scaled
        theirs[-1].weight.data *= head.sd
        theirs[-1].bias.data = theirs[-1].bias.data * head.sd + head.mean
    with torch.inference_mode():
        same = torch.allclose(*_both(encoder, head, model, format), TOLERANCE, TOLERANCE)
    return model if same else None


def _has_own(module: Any, name: str, known: set[str]) -> bool:
    """Whether a module has weights itself, not in its parts, that the encoder has not."""
    return any(f"{name}.{key}" not in known for key, _ in module.named_parameters(recurse=False))


def _config(config: Any, format: str, labels: Sequence[str]) -> Any:
    config = copy.deepcopy(config)
    if format == "regression":
        config.num_labels, config.problem_type = 1, "regression"
    elif labels:
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: i for i, label in enumerate(labels)}
        if format == "classification":
            config.problem_type = "single_label_classification"
    if hasattr(config, "pooler_hidden_act"):  # DeBERTa's pooler is ours but for its activation
        config.pooler_hidden_act = "tanh"
    return config


def _both(encoder, head, model, format: str) -> tuple[Any, Any]:
    """Return the scores of four sequences, two of them padded, by ours and by theirs."""
    import torch

    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, encoder.config.vocab_size, (4, 12), generator=generator)
    mask = torch.ones_like(ids, dtype=torch.bool)
    mask[:2, 9:] = False
    pad = encoder.config.pad_token_id
    ids = torch.where(mask, torch.where(ids == pad, 0 if pad else 1, ids), pad)
    ours = predict.outputs(encoder, head, {"ids": ids, "mask": mask})
    if format == "choice":
        outputs = model(input_ids=ids[None], attention_mask=mask[None].long())
        return ours.squeeze(-1), outputs.logits[0]
    outputs = model(input_ids=ids, attention_mask=mask.long())
    if format == "span":
        ours = torch.where(mask[..., None], ours, 0)
        theirs = torch.stack([outputs.start_logits, outputs.end_logits], dim=-1)
        return ours, torch.where(mask[..., None], theirs, 0)
    if format == "tagging":
        keep = mask[..., None]
        return torch.where(keep, ours, 0), torch.where(keep, outputs.logits, 0)
    if format == "regression":
        return ours[0][:, None], outputs.logits
    return ours, outputs.logits
