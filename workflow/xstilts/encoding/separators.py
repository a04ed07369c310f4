"""Special tokens around texts, and a pad token, for tokenizers whose own file has too few.

Decoders put nothing after a text (Qwen3, BLOOM nothing at all), and not all have a pad token. Here

- a text of a decoder ends with its end token: the one place that has seen all of the text, and the
  same for every text, which `last` pools and where `no answer` is read;
- between the texts of a pair there is a special token. Where the file has none, it is the end token
  too, which the model was trained to read between two documents; without one "ab" + "c" and
  "a" + "bc" could be the same ids;
- a first token is there where the file puts one, and nowhere else;
- padding is not the end token where there is another, since transformers' classifiers of decoders
  look for the last token that is no padding.

The ids are of tokens that the model has; no embedding is added. A file that has all this is left
as it is, byte for byte.
"""

import json
from collections.abc import Mapping
from typing import Any

from xstilts.running.errors import UserError

ROLES = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")
Json = dict[str, Any]


def fit(tokenizer: Any, config: Any, name: str) -> Any:
    """Return the transformers tokenizer of a model with what it lacks, itself if that is nothing.

    `config.pad_token_id` is set where there is none, and to the pad token of whatever is no encoder
    (`kind` in its object `xstilts`).

    Args:
        tokenizer: a fast one.
        config: of the base model.
        name: of the model, for the error message.

    Raises:
        UserError: no token fits.
    """
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    roles = {role: getattr(tokenizer, f"{role}_token", None) for role in ROLES}
    names = {i: token for token, i in ids_of(content).items()}
    for role in ("eos", "pad"):
        told: Any = getattr(config, f"{role}_token_id", None)  # several in some models
        roles[role] = roles[role] or names.get(told[0] if isinstance(told, list) else told)
    kind = (getattr(config, "xstilts", None) or {}).get("kind", "encoder")
    try:
        new, pad = separated(content, roles, config.vocab_size, kind == "decoder")
    except UserError as error:
        raise UserError(f"model {name}: {error}") from None
    ids, padded = ids_of(new), kind == "encoder" and config.pad_token_id is not None
    if not padded:
        config.pad_token_id = ids[pad]
    if new == content and (padded or pad == tokenizer.pad_token):
        return tokenizer
    import tokenizers
    import transformers

    known = {f"{role}_token": token for role, token in roles.items() if token in ids}
    whole = new | {"padding": None, "truncation": None}
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer.from_str(json.dumps(whole, ensure_ascii=False)),
        model_max_length=tokenizer.model_max_length,
        padding_side="right",
        model_input_names=["input_ids", "attention_mask"],
        **(known | {"pad_token": pad}),
    )


def separated(
    content: Json, roles: Mapping[str, str | None], size: int, decoder: bool
) -> tuple[Json, str]:
    """Return a `tokenizer.json` with the special tokens that are needed, and the pad token.

    Special tokens past the embeddings are left out: no text makes them (Gemma 3's of an image).

    Args:
        content: of the file.
        roles: `eos`, `sep`, `pad` and so on -> token.
        size: embeddings that the model has.
        decoder: whether each token sees those before it alone.

    Raises:
        UserError: no token fits.
    """
    added = [t for t in content["added_tokens"] if not t["special"] or t["id"] < size]
    content = content if added == content["added_tokens"] else content | {"added_tokens": added}
    ids = {token: i for token, i in ids_of(content).items() if i < size}
    single, pair = _templates(content["post_processor"])
    end = _end(roles, ids, decoder)
    ends = [_without_end(template, decoder) for template in (single, pair)]
    a, b = (_place(pair, text) for text in "AB")
    between = any("SpecialToken" in item for item in pair[a:b])
    if any(ends) or not between:
        if end is None:
            raise UserError(
                "its tokenizer has no token to put after a text and between two: no eos_token or"
                f" sep_token in tokenizer_config.json that is one of its {size} embeddings"
            )
        if not between:
            pair = [*pair[: a + 1], _special(end, pair[a]), *pair[a + 1 :]]
        single, pair = (
            [*template, *(_special(end, item) for item in last)]
            for template, last in zip((single, pair), ends, strict=True)
        )
        processor = _with_templates(content["post_processor"], single, pair, {end: ids[end]})
        content = content | {"post_processor": processor}
    return content, _pad(roles, ids, added, single)


def _without_end(template: list[Json], decoder: bool) -> list[Json]:
    """Return the last item of a template if a special token has to come after it, else nothing.

    It has to in a decoder; elsewhere, where there is none at all, so that no text is empty.
    """
    bare = not any("SpecialToken" in item for item in template)
    return template[-1:] if "SpecialToken" not in template[-1] and (decoder or bare) else []


def ids_of(content: Json) -> dict[str, int]:
    """Return token -> id of a `tokenizer.json`."""
    vocabulary = content["model"]["vocab"]
    if isinstance(vocabulary, list):
        vocabulary = {token: i for i, (token, _) in enumerate(vocabulary)}
    return {**vocabulary, **{t["content"]: t["id"] for t in content["added_tokens"]}}


def _end(roles: Mapping[str, str | None], ids: Mapping[str, int], decoder: bool) -> str | None:
    order = ("eos", "sep") if decoder else ("sep", "eos")
    return next((token for role in order if (token := roles.get(role)) in ids), None)


def _pad(
    roles: Mapping[str, str | None],
    ids: Mapping[str, int],
    added: list[Json],
    single: list[Json],
) -> str:
    """Return the pad token: the model's own, one named so, one that stands nowhere else, the end.

    The end token is the last choice even where it is the model's own pad token.
    """
    used = [item["SpecialToken"]["id"] for item in reversed(single) if "SpecialToken" in item]
    special = [t["content"] for t in sorted(added, key=lambda t: t["id"]) if t["special"]]
    named = [token for token in special if "pad" in token.lower()]
    free = [token for token in special if token not in used and token != roles.get("mask")]
    wanted = [t for t in (roles.get("pad"), *named, *free) if t in ids and t != used[0]]
    return str([*wanted, used[0]][0])


def _templates(processor: Json | None) -> tuple[list[Json], list[Json]]:
    """Return what a post-processor makes of a single text and of a pair, as template items."""
    single, pair = [_text("A", 0)], [_text("A", 0), _text("B", 1)]
    for step in _steps(processor):
        if step["type"] == "TemplateProcessing":
            return step["single"], step["pair"]
        if step["type"] in ("BertProcessing", "RobertaProcessing"):
            first, last = (_special(step[key][0], single[0]) for key in ("cls", "sep"))
            return [first, *single, last], [first, pair[0], last, pair[1], last]
    return single, pair


def _steps(processor: Json | None) -> list[Json]:
    if processor is None:
        return []
    return processor["processors"] if processor["type"] == "Sequence" else [processor]


def _with_templates(
    processor: Json | None, single: list[Json], pair: list[Json], tokens: Mapping[str, int]
) -> Json:
    """Return a post-processor with other templates, in the place of its own if it has some."""
    steps = _steps(processor)
    templates = [step for step in steps if step["type"] == "TemplateProcessing"]
    own: Json = {"type": "TemplateProcessing", "special_tokens": {}}
    if templates:
        own = templates[0]
    special = {t: {"id": t, "ids": [i], "tokens": [t]} for t, i in tokens.items()}
    special = {**own["special_tokens"], **special}
    new = own | {"single": single, "pair": pair, "special_tokens": special}
    steps = [new if s is own else s for s in steps] if templates else [*steps, new]
    return new if len(steps) == 1 else {"type": "Sequence", "processors": steps}


def _place(template: list[Json], text: str) -> int:
    return next(i for i, t in enumerate(template) if t.get("Sequence", {}).get("id") == text)


def _text(name: str, type_id: int) -> Json:
    return {"Sequence": {"id": name, "type_id": type_id}}


def _special(token: str, beside: Json) -> Json:
    """Return the item of a special token, of the type of the one that it stands beside."""
    (inner,) = beside.values()
    return {"SpecialToken": {"id": token, "type_id": inner["type_id"]}}
