"""The model card: what a model is, how it is used, its scores, what it was made from."""

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from xstilts.analysis import numbers
from xstilts.export.trained import Trained

PIPELINE_TAGS = {
    "classification": "text-classification",
    "regression": "text-classification",
    "tagging": "token-classification",
    "span": "question-answering",
    "choice": "multiple-choice",
    **dict.fromkeys(("retrieval", "dual"), "sentence-similarity"),
}
HUB_ID = re.compile(
    r"[A-Za-z0-9][\w.-]*/[\w.-]+"
)  # what other names a pin may have is no one's link


def text(trained: Trained, model_class: str | None, code: str) -> str:
    """Return the `README.md` of an exported model.

    Args:
        trained: the model.
        model_class: of transformers, that loads it; None where there is none.
        code: that loads and uses it.
    """
    parts = [
        f"---\n{yaml.safe_dump(front_matter(trained), sort_keys=False, allow_unicode=True)}---",
        f"# {trained.name}",
        about(trained, model_class),
        f"## Use\n\n```python\n{code.strip()}\n```",
        f"## Scores\n\n{scores(trained)}",
        f"## Data and pins\n\n{pins(all_pins(trained))}",
        f"## Specs\n\nWhat it was made by, beside the pins.\n\n{specs(trained.specs)}",
        "## Licence\n\nNone is set here: it is yours to choose, within what the licences of the"
        " base model and of the data allow. On the hub it is the key `license` above.",
    ]
    return "\n\n".join(parts) + "\n"


def front_matter(trained: Trained) -> dict[str, Any]:
    """Return the metadata that the hub reads; without `license`, which is the user's."""
    languages = sorted({score["language"] for score in trained.scores})
    names = {kind: _hub_ids(trained, kind) for kind in ("models", "datasets")}
    entries = {
        "library_name": "transformers",
        "pipeline_tag": PIPELINE_TAGS[trained.task.format],
        "base_model": names["models"],
        "language": languages,
        "datasets": names["datasets"],
        "metrics": sorted({score["metric"] for score in trained.scores}),
        "tags": ["xstilts"],
        "model-index": _index(trained),
    }
    return {key: value for key, value in entries.items() if value}


def _hub_ids(trained: Trained, kind: str) -> list[str]:
    if trained.base is None:  # the toy world's
        return []
    names = [name.partition("/")[2] for name in all_pins(trained) if name.startswith(kind)]
    return [name for name in names if HUB_ID.fullmatch(name)]


def _index(trained: Trained) -> list[dict[str, Any]]:
    """Return the scores in the form of Papers with Code, as the hub has them."""
    results = [
        {
            "task": {"type": PIPELINE_TAGS[trained.task.format]},
            "dataset": {
                "type": score["target"],
                "name": f"{score['target']} ({score['language']})",
                "config": score["language"],
                "split": score["split"],
            },
            "metrics": [{"type": name, "value": value} for name, value in score["metrics"].items()],
        }
        for score in trained.scores
    ]
    return [{"name": trained.name, "results": results}] if results else []


def about(trained: Trained, model_class: str | None) -> str:
    """Say in a few sentences what the model is."""
    start = f"`{trained.base}`" if trained.base else "The encoder of xstilts' toy world"
    model, intermediate, seed = trained.name.split("/")[:3]
    lines = [
        f"{start}, as `{model}` of an experiment of xstilts: intermediate task `{intermediate}`,"
        f" {seed}, for the task `{trained.task.name}` ({trained.task.format})."
    ]
    if model_class:
        lines.append(
            f"`{model_class}` of transformers. It takes at most {trained.max_length} tokens, as in"
            " its training; its scores are those of the evaluation, in fp32."
        )
    elif trained.head is None:
        lines.append(
            f"The encoder alone: for this task nothing is tuned, and layer {trained.layer} is"
            " pooled."
        )
    else:
        lines.append(
            "transformers has no class for this head, so the encoder is in `model.safetensors`, and"
            " the head in `head.safetensors`."
        )
    if trained.labels:
        lines.append(f"Labels, in the order of the scores: {', '.join(trained.labels)}.")
    return " ".join(lines)


def scores(trained: Trained) -> str:
    """Return the scores as Markdown: those by language, else that on the dev rows of training."""
    if not trained.scores:
        best = trained.node.get("best")
        if not best:
            return "None."
        rows = [[name, _points(value)] for name, value in best["dev"].items()]
        return "On the dev rows, by which the checkpoint was chosen:\n\n" + _table(
            ["metric", "score"], rows
        )
    metrics = list(dict.fromkeys(name for score in trained.scores for name in score["metrics"]))
    rows = [
        [
            score["target"],
            score["language"],
            score["split"],
            *(_points(score["metrics"].get(name)) for name in metrics),
            str(score["n"]),
        ]
        for score in trained.scores
    ]
    table = _table(["task", "language", "split", *metrics, "examples"], rows)
    precisions = sorted({score["precision"] for score in trained.scores})
    return f"Times 100, computed in {' and '.join(precisions)}.\n\n{table}"


def all_pins(trained: Trained) -> dict[str, str]:
    """Return the pins of the model, and of the data that it was scored on."""
    return {
        name: pin
        for record in (trained.node, *trained.scores)
        for name, pin in record["pins"].items()
    }


def specs(named: Mapping[str, Mapping[str, Any]]) -> str:
    """Return specs as Markdown."""
    blocks = (
        f"Of {name}:\n\n```json\n{json.dumps(spec, indent=1, ensure_ascii=False)}\n```"
        for name, spec in named.items()
    )
    return "\n\n".join(blocks)


def pins(revisions: Mapping[str, str]) -> str:
    """Return the pinned revision of every model and data set as Markdown."""
    kinds = {"models": "model", "datasets": "data set", "chosen": "chosen on dev"}
    rows = []
    for name, revision in revisions.items():
        kind, _, of = name.partition("/")
        rows.append([kinds[kind], of, f"`{revision}`"])
    return _table(["", "name", "revision"], rows)


def _points(value: float | None) -> str:
    return numbers.points(None if value is None else 100 * value)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
