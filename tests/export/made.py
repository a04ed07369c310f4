"""Results of one tiny experiment with a model of each format, trained by nobody."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import yaml
from tests import helpers

from xstilts import formats
from xstilts.experiment import cells as grid_cells
from xstilts.experiment import config, graph, grid
from xstilts.models import checkpoint
from xstilts.monitoring import claims
from xstilts.running.files import digest, read_json, sha256, write_json
from xstilts.scoring import evaluate, predict
from xstilts.scoring.scorer import Scorer

CONFIG: dict[str, Any] = {
    "source": "hub",
    "models": {"m": {"from": "o/tiny", "retrieval_layer": 1}},
    "intermediates": {
        "mnli": {"tasks": ["mnli"]},
        "hellaswag": {"tasks": ["hellaswag"]},
        "multi": {"tasks": ["mnli", "squad"]},
    },
    "targets": ["xnli", "udpos", "xquad", "tatoeba", "sts"],
    "languages": ["de"],
    "seeds": [1],
    "recipes": {"all": {"max_length": 32}},
    "tasks": {
        "sts": {
            "format": "regression",
            "hub": "o/sts",
            "config": "{lang}",
            "languages": ["de", "en"],
            "splits": {"train": "train", "dev": "validation"},
        }
    },
}
LENGTH = 32
WORDS = [*helpers.WORDS, *helpers.UNSPACED]


def sentence(seed: int, words: int) -> str:
    return " ".join(np.random.default_rng(seed).choice(WORDS, words))


ROWS = {
    "classification": [
        {"id": str(i), "text": sentence(i, 4 + 5 * i), "text_pair": sentence(50 + i, 9 - i),
         "label": "neutral"}
        for i in range(8)
    ],
    "regression": [
        {"id": str(i), "text": sentence(i, 4 + i), "text_pair": sentence(50 + i, 9 - i),
         "label": float(i)}
        for i in range(8)
    ],
    "tagging": [
        {"id": str(i), "tokens": (words := sentence(i, 3 + i).split()), "tags": ["X"] * len(words)}
        for i in range(8)
    ],
    "span": [
        {"id": str(i), "question": sentence(i, 4), "context": sentence(60 + i, 16),
         "answers": {"text": [], "start": []}}
        for i in range(8)
    ],
    "choice": [
        {"id": str(i), "context": sentence(i, 3 + 4 * i),
         "choices": [sentence(70 + 4 * i + j, 2 + j) for j in range(2 + i % 3)], "label": 0}
        for i in range(8)
    ],
    "retrieval": [
        {"id": f"{i}.{side}", "side": side, "text": sentence(80 + 2 * i + (side == "target"), 4),
         "gold": f"{i}.target" if side == "source" else None}
        for i in range(4)
        for side in ("source", "target")
    ],
}  # fmt: skip


class Made:
    """A folder with results, and its grid."""

    def __init__(self, root: Path, **changes: Any) -> None:
        self.root, self.settings = root, CONFIG | changes
        self.grid = grid.Grid(config.load(self.settings))
        home = root / claims.EXPERIMENTS / "e"
        home.mkdir(parents=True)
        resolved = dict(self.grid.experiment.settings)
        (home / "config.yaml").write_text(yaml.safe_dump(resolved, sort_keys=False))
        (root / "my.yaml").write_text(yaml.safe_dump(self.settings, sort_keys=False))
        nodes = graph.build(self.grid)
        write_json(home / claims.NODES, claims.content("e", "", nodes, [str(root / "my.yaml")]))

    def model(
        self, folder: str, spec: Any, heads: dict[str, tuple[str, Any]], **about: Any
    ) -> Path:
        """Write a checkpoint with a random head a task: name -> format and labels."""
        import torch
        from safetensors.torch import save_file

        path = helpers.write_model(
            self.root / folder, layers=2, seed=len(folder), initializer_range=0.3, **about
        )
        (path / "tokenizer_config.json").write_text(
            '{"pad_token": "<pad>", "mask_token": "<mask>", "eos_token": "</s>",'
            ' "bos_token": "<s>", "unk_token": "<unk>", "padding_side": "right",'
            ' "tokenizer_class": "XLMRobertaTokenizer", "model_max_length": 512}'
        )
        node = {**read_json(path / "node.json"), "spec": spec, "heads": {t: t for t in heads}}
        write_json(path / "node.json", node)
        encoder, weights = checkpoint.load_encoder(path), {}
        torch.manual_seed(len(heads))
        for task, (format, labels) in heads.items():
            state = formats.page(format).head(encoder, list(labels)).state_dict()
            prefix = f"{task}." if len(heads) > 1 else ""
            # Biases are zero at first, and would not be missed.
            weights |= {prefix + k: v + 0.1 * torch.randn(v.shape) for k, v in state.items()}
            if format == "regression":
                weights |= {"mean": torch.tensor(50.0), "sd": torch.tensor(20.0)}
        if heads:
            save_file(weights, path / "head.safetensors")
        return path

    def tuned(self, intermediate: str, task: str, labels: Any = (), **about: Any) -> Path:
        """Write the checkpoint of a target's training; `labels` are those that the task lacks."""
        entry = self.grid.tasks[task]
        folder = f"results/tuned/m/{intermediate}/seed1/{task}"
        spec = self.grid.tuned_spec("m", intermediate, "seed1", task)
        return self.model(folder, spec, {task: (entry.format, entry.labels or labels)}, **about)

    def encoder(self, intermediate: str) -> Path:
        """Write the checkpoint of an intermediate; `none` for the public one."""
        tasks = [self.grid.tasks[name] for name in self.grid.experiment.intermediates[intermediate]]
        heads = {task.name: (task.format, task.labels) for task in tasks}
        folder = self.grid.encoder("m", intermediate, "seed1")
        return self.model(folder, self.grid.encoder_spec("m", intermediate, "seed1"), heads)

    def score(self, cell: str, lang: str = "de") -> list[str]:
        """Evaluate a cell as the step does; return the predictions of its file."""
        parts = dict(zip(grid_cells.CELL, cell.split("/"), strict=True))
        of = grid_cells.Cell(**parts)
        target = self.grid.tasks[of.target]
        folder = self.root / self.grid.checkpoint(of)
        rows, out = ROWS[target.format], self.root / "results/scores" / cell
        tokenizer = helpers.load_tokenizer(folder / "tokenizer.json")
        data = helpers.encode(
            tokenizer, target.format, rows, target.labels, LENGTH, no_answer=target.no_answer
        )
        out.mkdir(parents=True, exist_ok=True)
        paths = {"out": out, "rows": self.root / "rows.parquet", "encoded": self.root / "encoded"}
        helpers.write_rows(paths["rows"], target.format, rows)
        helpers.write_encoded(paths["encoded"], data)
        spec = {
            "kind": "score", "metric": target.metric, "encoded": digest(data.meta["spec"]),
            "retrieval_layer": 1, "target": target.name,
        }  # fmt: skip
        scorer = Scorer(str(folder), read_json(folder / "node.json"), spec, 1000)
        evaluate.languages(scorer, {lang: spec}, dataclasses.asdict(of), {lang: paths})
        return pq.read_table(out / f"{lang}.parquet")["prediction"].to_pylist()


def scores(folder: Path, format: str, rows, labels, name: str = "") -> list[np.ndarray]:
    """The head's outputs for each sequence of rows, by our own path, in its order."""
    import torch

    tokenizer = helpers.load_tokenizer(folder / "tokenizer.json")
    data = helpers.encode(tokenizer, format, rows, labels, LENGTH)
    encoder = checkpoint.load_encoder(folder).eval()
    page = formats.page(format)
    head = page.head(encoder, list(labels)).eval()
    checkpoint.load_head(head, folder, name)
    found = []
    for i in range(len(data)):
        batch = predict.tensors(page.collate(data, np.array([i])), torch.device("cpu"))
        found.append(predict.outputs(encoder, head, batch).detach().numpy())
    return found


def weights(folder: Path) -> str:
    return sha256(folder / "model.safetensors")
