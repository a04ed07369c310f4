"""A tiny mirror: data sets and models of a few rows and weights, in the hub's own shape."""

import json
from pathlib import Path
from typing import Any

import datasets
from datasets import ClassLabel, Features, List, Value

UPOS = ["ADJ", "NOUN", "PUNCT", "VERB"]
NLI = ["entailment", "neutral", "contradiction"]


def write_dataset(root: Path, name: str, configs: dict[str, dict[str, Any]]) -> Path:
    """Write {config: {split: (rows, features)}} as <root>/datasets/<name>: parquet and a README."""
    folder = root / "datasets" / name
    lines = ["---", "configs:"]
    for config, splits in configs.items():
        lines += [f"- config_name: {config}", "  data_files:"]
        for split, (rows, features) in splits.items():
            path = f"{config}/{split}-00000-of-00001.parquet"
            (folder / config).mkdir(parents=True, exist_ok=True)
            datasets.Dataset.from_list(rows, features=Features(features)).to_parquet(folder / path)
            lines += [f"  - split: {split}", f"    path: {path}"]
    (folder / "README.md").write_text("\n".join([*lines, "---", f"# {name}", ""]))
    return folder


def write_datasets(root: Path) -> None:
    """google/xtreme (two configs), acme/nli (two languages), acme/script (a script alone)."""
    datasets.disable_progress_bars()
    tagged = {"tokens": List(Value("string")), "pos_tags": List(ClassLabel(names=UPOS))}
    sentences = [
        {"tokens": ["Hunde", "bellen", "."], "pos_tags": [1, 3, 2]},
        {"tokens": ["Alte", "Katzen", "schlafen", "."], "pos_tags": [0, 1, 3, 2]},
    ]
    pairs = {c: Value("string") for c in ("source_sentence", "target_sentence")}
    parallel = [
        {"source_sentence": "Hallo!\n", "target_sentence": "Hello!\n"},
        {"source_sentence": "Danke.\n", "target_sentence": "Thanks.\n"},
    ]
    write_dataset(
        root,
        "google/xtreme",
        {
            "udpos.German": {"test": (sentences, tagged)},
            "tatoeba.deu": {"validation": (parallel, pairs)},
        },
    )
    write_dataset(root, "acme/nli", {lang: {"validation": nli(3)} for lang in ("de", "en")})
    (root / "datasets/acme/script").mkdir(parents=True)
    (root / "datasets/acme/script/script.py").write_text("raise SystemExit('never run')\n")


def nli(size: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows and features of an XNLI-like split; the last row has no label."""
    labels = [i % 3 for i in range(size - 1)] + [-1]
    rows = [
        {"premise": f"p {i}", "hypothesis": f"h {i}", "label": label}
        for i, label in enumerate(labels)
    ]
    text = Value("string")
    return rows, {"premise": text, "hypothesis": text, "label": ClassLabel(names=NLI)}


def write_model(root: Path, name: str, layers: int = 2) -> Path:
    """Write a random XLM-R of a few thousand weights, and its tokenizer, as a model folder."""
    import tokenizers
    import torch
    import transformers

    folder = root / "models" / name
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz", "<mask>"]
    scores = [(piece, -float(i)) for i, piece in enumerate(pieces)]
    backend = tokenizers.Tokenizer(tokenizers.models.Unigram(scores, unk_id=3))
    backend.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    backend.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    config = transformers.XLMRobertaConfig(
        vocab_size=len(pieces),
        hidden_size=16,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=34,
    )
    torch.manual_seed(0)
    model = transformers.XLMRobertaModel(config).to(torch.float16)  # with a pooler
    model.save_pretrained(folder)
    backend.save(str(folder / "tokenizer.json"))
    special = {"bos": "<s>", "eos": "</s>", "cls": "<s>", "sep": "</s>", "mask": "<mask>"}
    about = {f"{k}_token": v for k, v in {**special, "pad": "<pad>", "unk": "<unk>"}.items()}
    about["tokenizer_class"] = "XLMRobertaTokenizerFast"
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
    return folder
