"""Training: equal gradients, the schedule, the best checkpoint, seeds; each format learns."""

import argparse
import dataclasses
import json
import random
import shutil

import numpy as np
import pytest
from tests import helpers

from xstilts import formats
from xstilts.experiment.recipe import Recipe
from xstilts.models import checkpoint
from xstilts.running.errors import UserError
from xstilts.running.files import digest, read_json, write_json
from xstilts.scoring import predict
from xstilts.steps import train as train_step
from xstilts.training import grad_cache, loop
from xstilts.training.optimizer import lr_factor, make_optimizer
from xstilts.training.tasks import TrainingTask, with_heads

NLI = ("entailment", "neutral", "contradiction")
TAGS = ("DET", "NOUN", "VERB")
FAST = {"learning_rate": 5e-3, "batch_size": 16, "epochs": 10, "dropout": 0.0, "eval_every": 1000}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return helpers.write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return helpers.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


# --- Toy data: what is right follows from one word ------------------------------------------------

FILLERS = ["the", "a", "on", "is", "not", "sat", "sees", "猫", "mat"]


def classification_rows(size, seed, labels=("cat", "dog", "big")):
    """The label is the word that is in the text."""
    draw = random.Random(seed)
    rows = []
    for i in range(size):
        words = draw.choices(FILLERS, k=draw.randint(2, 9))
        label = draw.choice(labels)
        words[draw.randrange(len(words))] = label
        rows.append({"id": str(i), "text": " ".join(words), "text_pair": "yes", "label": label})
    return rows


def regression_rows(size, seed):
    """The number belongs to the word: 50, 60 ... 100."""
    words = helpers.WORDS[15:21]
    rows = classification_rows(size, seed, words)
    return [row | {"label": 50.0 + 10 * words.index(row["label"])} for row in rows]


def choice_rows(size, seed):
    """The right choice is the one with `yes` in it."""
    draw = random.Random(seed)
    rows = []
    for i in range(size):
        choices = [" ".join(draw.choices(FILLERS, k=3)) for _ in range(draw.randint(2, 4))]
        label = draw.randrange(len(choices))
        choices[label] += " yes"
        rows.append({"id": str(i), "context": "who", "choices": choices, "label": label})
    return rows


def span_rows(size, seed):
    """The answer is `big dog` wherever it stands, often in a later window."""
    draw = random.Random(seed)
    rows = []
    for i in range(size):
        words = draw.choices(FILLERS, k=draw.randint(4, 24))
        words[draw.randrange(len(words))] = "big dog"
        context = " ".join(words)
        answers = {"text": ["big dog"], "start": [context.index("big dog")]}
        rows.append({"id": str(i), "question": "what", "context": context, "answers": answers})
    return rows


def tagging_rows(size, seed):
    """The tag belongs to the word."""
    draw = random.Random(seed)
    tags = dict(zip([*FILLERS, "หมา"], [*TAGS, *TAGS, *TAGS, "VERB"], strict=True))
    rows = []
    for i in range(size):
        words = draw.choices(list(tags), k=draw.randint(1, 20))
        rows.append({"id": str(i), "tokens": words, "tags": [tags[w] for w in words]})
    return rows


def dual_rows(size, seed):
    """The passage says the word that is in the query."""
    draw = random.Random(seed)
    rows = []
    for i in range(size):
        words = draw.choices(FILLERS, k=draw.randint(2, 9))
        key = draw.choice([word for word in helpers.WORDS if word not in FILLERS])
        words[draw.randrange(len(words))] = key
        passage = f"{key} yes {key} yes {key}"
        rows.append({"id": str(i), "text": " ".join(words), "text_pair": passage, "group": None})
    return rows


def text_rows(size, seed):
    """A text says one word over and over."""
    draw = random.Random(seed)
    words = [draw.choice(helpers.WORDS[:6]) for _ in range(size)]
    return [{"id": str(i), "text": f"{w} " * draw.randint(4, 12)} for i, w in enumerate(words)]


TOYS = {
    "classification": (classification_rows, ("cat", "dog", "big"), "accuracy"),
    "regression": (regression_rows, (), "pearson"),
    "choice": (choice_rows, (), "accuracy"),
    "span": (span_rows, (), "squad"),
    "tagging": (tagging_rows, TAGS, "tagging"),
    "dual": (dual_rows, (), "map20"),
}


TEXT = {"mlm": (text_rows, (), "")}  # not scored


def spec(format, seed=1, **recipe):
    """A train spec as far as `fit` reads it."""
    chosen = dataclasses.asdict(Recipe(**{**FAST, **recipe}))
    _, labels, metric = TOYS[format]
    return {
        "task": f"toy {format}",
        "format": format,
        "labels": list(labels),
        "metric": metric,
        "recipe": chosen,
        "seed": seed,
    }


def start(folder, format, seed=0, train=()):
    """An encoder without dropout and a head, as the step makes them."""
    import torch

    torch.manual_seed(seed)
    encoder = checkpoint.load_encoder(folder, dropout=0.0)
    return encoder, formats.page(format).head(encoder, (TOYS | TEXT)[format][1], train)


def make_task(format, head, data, dev=None, dev_rows=(), batch_size=16):
    """One task of a training."""
    _, labels, metric = (TOYS | TEXT)[format]
    return TrainingTask(
        name=f"toy {format}", format=format, batch_size=batch_size, labels=labels,
        train={"en": data}, head=head, dev=dev, dev_rows=dev_rows, metric=metric,
    )  # fmt: skip


def cpu():
    import torch

    torch.set_num_threads(1)
    return torch.device("cpu")


# --- The loop -------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", TOYS | TEXT)
def test_gradients_do_not_depend_on_the_micro_batches(folder, tokenizer, format, monkeypatch):
    make, labels, _ = (TOYS | TEXT)[format]
    data = helpers.encode(tokenizer, format, make(12, 1), labels, length=24)
    page, examples = formats.page(format), np.arange(len(data))
    encoder, head = start(folder, format)
    task = make_task(format, head, data)
    gradients, cuts = {}, {}
    collate = page.collate
    for max_tokens in (1, 150, 10**6):
        calls = []
        monkeypatch.setattr(
            page, "collate", lambda d, e, s, c=calls: c.append(len(e)) or collate(d, e, s)
        )
        encoder.zero_grad()
        head.zero_grad()
        loss, tokens = loop.accumulate_gradients(
            encoder, task, data, examples, (1, 0), cpu(), max_tokens
        )
        assert tokens == len(data.arrays["tokens"])
        parameters = [*encoder.named_parameters(), *head.named_parameters()]
        gradients[max_tokens] = {"loss": loss, **{n: p.grad.clone() for n, p in parameters}}
        cuts[max_tokens] = calls
    sides = 2 if format == "dual" else 1  # each cut by itself
    assert cuts[1] == [1] * len(data) * sides
    assert sides < len(cuts[150]) < len(data) * sides
    assert cuts[10**6] == [len(data)] * sides
    assert any(value.abs().max() > 1e-3 for value in gradients[1].values())
    for max_tokens in (150, 10**6):
        for name, value in gradients[max_tokens].items():
            most = 1e-5 if format == "dual" else 1e-6  # whose cosines are times 100
            assert (value - gradients[1][name]).abs().max() < most * max(1, value.abs().max()), name


@pytest.mark.parametrize("format", TOYS)
def test_each_format_learns_a_toy_task(folder, tokenizer, format):
    make, labels, metric = TOYS[format]
    rows = make(60, 2)
    data, dev = (
        helpers.encode(tokenizer, format, r, labels, length=24) for r in (make(240, 1), rows)
    )
    page = formats.page(format)
    encoder, head = start(folder, format, train=[data])
    before = page.decode(predict.reduced(page, encoder, head, dev, cpu(), 2000), dev, rows)
    task = make_task(format, head, data, dev, rows)
    _, record = loop.fit(encoder, [task], spec(format), cpu(), 2000)
    after = page.decode(predict.reduced(page, encoder, head, dev, cpu(), 2000), dev, rows)
    (was, _), (values, each) = (page.score(rows, p, metric, "en") for p in (before, after))
    assert min(values.values()) > 0.95 > 0.8 > max(was.values())
    assert len(after) == len(each) == len(rows)
    assert record["history"][-1]["dev"] == values


def test_a_dual_encoder_is_trained_the_same_whatever_fits_at_once(folder, tokenizer, monkeypatch):
    """All of a batch, or some pairs at a time, embedded twice; the weights after some steps."""
    twice, losses, weights = [], {}, {}
    real = grad_cache._drawing
    monkeypatch.setattr(grad_cache, "_drawing", lambda *of: twice.append(1) or real(*of))
    data = helpers.encode(tokenizer, "dual", rows := dual_rows(64, 1), length=24)
    for budget in (10**6, 60):
        encoder, head = start(folder, "dual")
        task = make_task("dual", head, data, data, rows)
        asked = spec("dual", max_steps=4, eval_every=1, learning_rate=1e-4)
        _, record = loop.fit(encoder, [task], asked, cpu(), budget)
        losses[budget] = [line["loss"] for line in record["history"]]
        weights[budget] = {**encoder.state_dict(), **head.state_dict()}
        assert bool(twice) is (budget == 60)
    assert losses[60] == pytest.approx(losses[10**6], rel=1e-3) and losses[60][0] != losses[60][-1]
    for name, value in weights[60].items():
        moved = float((value - weights[10**6][name]).float().abs().max())
        assert moved < 1e-4, f"{name}: of 4 steps, each of which moves a weight by 1e-4 at most"


def test_the_rate_rises_and_falls_in_straight_lines():
    rates = [lr_factor(step, 10, 0.2) for step in range(11)]
    assert rates == [0.5, 1.0, *[n / 8 for n in (8, 7, 6, 5, 4, 3, 2, 1)], 0.0]
    assert [lr_factor(step, 2, 0.0) for step in range(2)] == [1.0, 1.0]
    assert lr_factor(0, 1, 1.0) == 1.0


def test_biases_and_layer_norms_do_not_decay(folder):
    encoder, head = start(folder, "classification")
    optimizer = make_optimizer([encoder, head], Recipe(weight_decay=0.3, learning_rate=2e-5))
    named = [*encoder.named_parameters(), *head.named_parameters()]
    name_of = {id(p): name for name, p in named}
    decay = {name_of[id(p)]: g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}
    assert decay.keys() == set(name_of.values()), "every parameter is trained"
    for name, value in decay.items():
        assert value == (0.0 if name.endswith("bias") or "LayerNorm" in name else 0.3), name
    assert {g["lr"] for g in optimizer.param_groups} == {2e-5}


def fit(folder, tokenizer, monkeypatch=None, scores=None, seed=1, size=64, **recipe):
    """Fit the toy classification; with `scores`, those instead of the dev scores."""
    data = helpers.encode(
        tokenizer, "classification", classification_rows(size, 1), TOYS["classification"][1]
    )
    rows = classification_rows(8, 2)
    dev = helpers.encode(tokenizer, "classification", rows, TOYS["classification"][1])
    encoder, head = start(folder, "classification")
    seen = []
    if scores is not None:
        left = iter(scores)

        def fake(encoder, *rest):
            seen.append({k: v.clone() for k, v in encoder.state_dict().items()})
            return {"accuracy": next(left)}

        monkeypatch.setattr(loop, "evaluate_task", fake)
    wanted = spec("classification", seed, **recipe)
    batch_size = wanted["recipe"]["batch_size"]
    task = make_task("classification", head, data, dev, rows, batch_size)
    weights, record = loop.fit(encoder, [task], wanted, cpu(), 2000)
    return weights, record, seen


def test_the_best_checkpoint_is_kept_not_the_last(folder, tokenizer, monkeypatch):
    import torch

    weights, record, seen = fit(
        folder, tokenizer, monkeypatch, [0.1, 0.7, 0.7, 0.3], max_steps=8, eval_every=2
    )
    assert [h["score"] for h in record["history"]] == [0.1, 0.7, 0.7, 0.3]
    assert [h["step"] for h in record["history"]] == [2, 4, 6, 8]
    assert (record["best"]["step"], record["best"]["score"], record["steps"]) == (4, 0.7, 8)
    assert all(torch.equal(v, seen[1][k]) for k, v in weights["encoder"].items())
    assert not all(torch.equal(v, seen[3][k]) for k, v in weights["encoder"].items())


def test_training_stops_when_patience_is_over(folder, tokenizer, monkeypatch):
    _, record, _ = fit(
        folder, tokenizer, monkeypatch, [0.5, 0.4, 0.5, 0.4], epochs=9, eval_every=2, patience=2
    )
    assert (record["steps"], record["best"]["step"]) == (6, 2)


def test_the_recipe_decides_the_number_of_steps_and_the_last_one_is_evaluated(folder, tokenizer):
    for recipe, steps in [
        ({"epochs": 1}, 4),
        ({"epochs": 0.5}, 2),
        ({"epochs": 9, "max_steps": 3}, 3),
    ]:
        _, record, _ = fit(folder, tokenizer, **recipe)
        assert record["steps"] == steps
        assert [h["step"] for h in record["history"]] == [steps]
        assert record["tokens"] > 0 and record["tokens_per_second"] > 0


def test_gradients_are_clipped_by_the_recipe(folder, tokenizer):
    import torch

    (small, *_), (large, *_), (larger, *_) = (
        fit(folder, tokenizer, max_steps=2, clip=clip) for clip in (1e-9, 1e6, 1e9)
    )
    for part in ("encoder", "head"):
        assert all(torch.equal(v, larger[part][k]) for k, v in large[part].items())
        assert any(not torch.equal(v, small[part][k]) for k, v in large[part].items())


def test_an_infinite_loss_stops_training_and_says_where(folder, tokenizer, monkeypatch):
    real, steps = loop.accumulate_gradients, []

    def spoiled(*arguments):
        loss, tokens = real(*arguments)
        steps.append(tokens)
        return (loss * float("nan") if len(steps) == 3 else loss), tokens

    monkeypatch.setattr(loop, "accumulate_gradients", spoiled)
    line = r"the loss of `toy classification` is nan at step 4 of 8, .* below 0\.005 or"
    with pytest.raises(UserError, match=line):
        fit(folder, tokenizer, max_steps=8, eval_every=4)
    assert len(steps) == 4


# --- Several tasks --------------------------------------------------------------------------------


def mixture(folder, tokenizer, *formats):
    """An encoder and a task of each format, with dev rows where it is scored."""
    encoder, tasks = start(folder, formats[0])[0], []
    for format in formats:
        make, labels, _ = (TOYS | TEXT)[format]
        data, rows = helpers.encode(tokenizer, format, make(240, 1), labels, length=24), make(40, 2)
        dev = helpers.encode(tokenizer, format, rows, labels, length=24)
        head = start(folder, format)[1]
        tasks.append(make_task(format, head, data, *((dev, rows) if format in TOYS else ())))
    return encoder, with_heads(tasks, encoder)


def test_several_tasks_are_learnt_together(folder, tokenizer):
    encoder, tasks = mixture(folder, tokenizer, "classification", "tagging", "mlm")
    wanted = spec("tagging", max_steps=420, eval_every=140)
    _, record = loop.fit(encoder, tasks, wanted, cpu(), 2000)
    best = record["best"]
    names = {"toy classification accuracy", "toy tagging accuracy", "toy tagging f1"}
    assert best["dev"].keys() == names
    assert min(best["dev"].values()) > 0.9
    scores = best["dev"]["toy classification accuracy"], best["dev"]["toy tagging f1"]
    assert best["score"] == sum(scores) / 2, "mlm has no say"
    drawn = {task: by["en"] for task, by in record["drawn"].items()}
    assert drawn.keys() == {"toy classification", "toy tagging", "toy mlm"}
    assert sum(of["batches"] for of in drawn.values()) == record["steps"] == 420
    assert sum(of["tokens"] for of in drawn.values()) == record["tokens"]
    assert all(110 < of["batches"] < 170 for of in drawn.values())
    text = tasks[2]
    batch = predict.tensors(text.page.collate(text.train["en"], np.arange(160), (9,)), cpu())
    encoder.eval()
    loss = text.page.loss(predict.outputs(encoder, text.head, batch), batch) / batch["weight"]
    assert loss.item() < 0.5 * np.log(6), "better than the frequencies of the six words"


def test_an_infinite_loss_names_the_task_that_it_began_with(folder, tokenizer, monkeypatch):
    real = loop.accumulate_gradients

    def spoiled(encoder, task, *arguments):
        loss, tokens = real(encoder, task, *arguments)
        return loss * float("inf" if task.name == "toy mlm" else 1), tokens

    monkeypatch.setattr(loop, "accumulate_gradients", spoiled)
    encoder, tasks = mixture(folder, tokenizer, "classification", "mlm")
    with pytest.raises(UserError, match="the loss of `toy mlm` is inf at step 20 of 20"):
        loop.fit(encoder, tasks, spec("classification", max_steps=20), cpu(), 2000)


def test_the_score_of_a_mixture_is_the_mean_over_its_tasks(folder, tokenizer, monkeypatch):
    encoder, tasks = mixture(folder, tokenizer, "classification", "span", "mlm")
    figures = {
        "toy classification": {"accuracy": 0.25},
        "toy span": {"f1": 1.0, "exact_match": 0.5},
    }
    monkeypatch.setattr(loop, "evaluate_task", lambda encoder, task, *rest: figures[task.name])
    values, score = loop.evaluate(encoder, tasks, cpu(), 2000)
    assert values == {
        "toy classification accuracy": 0.25, "toy span f1": 1.0, "toy span exact_match": 0.5,
    }  # fmt: skip
    assert score == (0.25 + 0.75) / 2


# --- The step -------------------------------------------------------------------------------------


class Node:
    """The inputs of one training, as files."""

    def __init__(
        self,
        root,
        tokenizer,
        labels=("cat", "dog", "big"),
        seed=1,
        format="classification",
        **recipe,
    ):
        self.root, self.labels, self.tokenizer = root, labels, tokenizer
        rows = {
            split: classification_rows(size, at, labels) if labels else TOYS[format][0](size, at)
            for split, size, at in (("train", 48, 1), ("dev", 8, 2))
        }
        self.data = {s: helpers.encode(tokenizer, format, own, labels) for s, own in rows.items()}
        for split, data in self.data.items():
            data.meta["spec"]["split"] = split
            helpers.write_encoded(root / f"{split}.safetensors", data)
            helpers.write_rows(root / f"{split}.parquet", format, rows[split])
        self.spec = {
            **spec(format, seed, epochs=1, **recipe),
            "kind": "train",
            "labels": list(labels),
            **{split: digest(data.meta["spec"]) for split, data in self.data.items()},
        }

    def run(
        self,
        init,
        out,
        state=None,
        save_every=600,
        chosen="",
        trial="no",
        beside="",
        budget=2000,
        **changes,
    ):
        """Run the step; `beside`: what a recorded training has written, for PVI."""
        parent = read_json(init / "node.json")["spec"] if (init / "node.json").exists() else {}
        wanted = {**self.spec, "parent": digest(parent), **changes}
        train_step.main(
            argparse.Namespace(
                spec=json.dumps(wanted),
                init=str(init),
                train=[str(self.root / "train.safetensors")],
                dev=[str(self.root / "dev.safetensors")],
                dev_rows=[str(self.root / "dev.parquet")],
                train_rows=[str(self.root / "train.parquet")] if "recorded" in wanted else [],
                recorded=str(beside),
                budget=budget,
                state=str(state or f"{out}.state"),
                save_every=save_every,
                chosen=str(chosen),
                trial=trial,
                subset="",
                leaks=[],
                features=[],
                lock_wait=0,
                sharding="none",
                compiled="no",
                checkpointing="auto",
                trackers=[],
                out=str(out),
            )
        )
        return out


@pytest.fixture
def node(tmp_path, tokenizer):
    return Node(tmp_path, tokenizer)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(folder, node, tmp_path):
    first, again, other = (
        node.run(folder, tmp_path / name, seed=seed)
        for name, seed in [("a", 1), ("b", 1), ("c", 2)]
    )
    for name in ("model.safetensors", "head.safetensors"):
        assert (first / name).read_bytes() == (again / name).read_bytes()
        assert (first / name).read_bytes() != (other / name).read_bytes()


def test_a_chain_of_tunings_goes_on_with_the_head_where_the_spec_says_so(folder, node, tmp_path):
    """With a learning rate at which nothing moves, the head is that of the first, or a new one."""
    import torch
    from safetensors.torch import load_file

    first = node.run(folder, tmp_path / "first")
    still = {**node.spec["recipe"], "learning_rate": 1e-30}
    heads = {"first": first} | {
        name: node.run(first, tmp_path / name, after="a", recipe=still, **more)
        for name, more in (("on", {"head": "goes on"}), ("new", {}))
    }
    found = {name: load_file(path / "head.safetensors") for name, path in heads.items()}
    for key, value in found["first"].items():
        assert torch.equal(found["on"][key], value)
    assert not torch.equal(found["new"]["out.weight"], found["first"]["out.weight"])


def test_the_first_eval_rows_of_dev_are_scored(folder, tokenizer, tmp_path, monkeypatch):
    page, scored = formats.page("classification"), []
    real = page.score

    def spy(rows, predictions, *rest):
        scored.append(([row["id"] for row in rows], len(predictions)))
        return real(rows, predictions, *rest)

    monkeypatch.setattr(page, "score", spy)
    Node(tmp_path, tokenizer, eval_rows=5).run(folder, tmp_path / "out")
    assert scored == [(["0", "1", "2", "3", "4"], 5)]


def test_a_checkpoint_is_a_folder_that_transformers_loads(folder, node, tmp_path):
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModel, AutoTokenizer

    out = node.run(folder, tmp_path / "out")
    model = AutoModel.from_pretrained(out, add_pooling_layer=False)
    saved = load_file(out / "model.safetensors")
    assert model.dtype == torch.float32
    assert model.state_dict().keys() == saved.keys()
    assert all(torch.equal(value, saved[name]) for name, value in model.state_dict().items())
    before = load_file(folder / "model.safetensors")
    assert any(not torch.equal(value, before[name]) for name, value in saved.items())
    assert AutoTokenizer.from_pretrained(out)("the cat")["input_ids"] == [0, 5, 7, 2]


def test_the_record_says_what_was_made_from_what(folder, node, tmp_path):
    out = node.run(folder, tmp_path / "out")
    record = read_json(out / "node.json")
    assert record["spec"] == {
        **node.spec,
        "parent": digest(read_json(folder / "node.json")["spec"]),
    }
    assert record["pins"] == {"models/o/tiny": "r1", "datasets/o/data": "r2"}
    assert record["rows"] == {"train": 48, "dev": 8}
    assert record["rows_cut"] == {"train": 0, "dev": 0}
    assert record["steps"] == 3
    assert record["best"].keys() == {"step", "loss", "dev", "score"}
    assert {
        "device",
        "precision",
        "seconds",
        "tokens_per_second",
        "peak_memory",
        "versions",
    } <= set(record)


def test_only_the_encoder_is_passed_on(folder, node, tokenizer, tmp_path, monkeypatch):
    """Stage 2 starts from stage 1's encoder, whatever its labels, and never from its head."""
    import torch
    from safetensors.torch import load_file

    first = node.run(folder, tmp_path / "first")
    begun = {}
    real = loop.fit

    def spy(encoder, tasks, *rest, **options):
        begun["encoder"] = {k: v.clone() for k, v in encoder.state_dict().items()}
        begun["head"] = {k: v.clone() for k, v in tasks[0].head.state_dict().items()}
        return real(encoder, tasks, *rest, **options)

    monkeypatch.setattr(loop, "fit", spy)
    for name, labels in [("same", ("cat", "dog", "big")), ("two", ("cat", "dog"))]:
        root = tmp_path / name
        root.mkdir()
        out = Node(root, tokenizer, labels).run(first, root / "out")
        encoder, head = (load_file(first / f"{name}.safetensors") for name in ("model", "head"))
        assert all(torch.equal(value, encoder[key]) for key, value in begun["encoder"].items())
        assert begun["head"]["out.weight"].shape[0] == len(labels)
        assert not torch.equal(begun["head"]["dense.weight"], head["dense.weight"])
        assert load_file(out / "head.safetensors")["out.bias"].shape == (len(labels),)


@pytest.fixture
def mixed(tmp_path, tokenizer):
    """Arguments of the step for a mixture of a task and of text in two languages."""
    node = Node(tmp_path, tokenizer)
    texts, paths = {}, []
    for lang, size in (("de", 30), ("en", 50)):
        data = helpers.encode(tokenizer, "mlm", text_rows(size, 5), lang=lang)
        paths.append(str(helpers.write_encoded(tmp_path / f"{lang}.safetensors", data)))
        texts[lang] = digest(data.meta["spec"])
    shared = {key: node.spec[key] for key in ("task", "format", "labels", "metric")}
    own = {"train": {"en": node.spec["train"]}, "dev": {"en": node.spec["dev"]}, "batch_size": 8}
    text = {"task": "text", "format": "mlm", "labels": [], "metric": "", "batch_size": 4}
    wanted = {
        "kind": "train", "seed": 1, "cap": 40,
        "tasks": [shared | own, text | {"train": texts, "dev": {}}],
        "recipe": dataclasses.asdict(Recipe(max_steps=12, learning_rate=1e-3)),
    }  # fmt: skip

    def run(init, out, state=None, save_every=600, **changes):
        parent = digest(read_json(init / "node.json")["spec"])
        arguments = {
            "spec": json.dumps(wanted | {"parent": parent} | changes),
            "init": str(init),
            "train": [str(tmp_path / "train.safetensors"), *paths],
            "dev": [str(tmp_path / "dev.safetensors")],
            "dev_rows": [str(tmp_path / "dev.parquet")],
            "train_rows": [],
        }
        keep = {
            "subset": "",
            "recorded": "",
            "state": str(state or f"{out}.state"),
            "save_every": save_every,
            "lock_wait": 0,
            "sharding": "none",
            "compiled": "no",
            "checkpointing": "auto",
            "chosen": "",
            "trial": "no",
            "features": [],
            "leaks": [],
        }
        train_step.main(
            argparse.Namespace(**arguments, **keep, trackers=[], budget=2000, out=str(out))
        )
        return out

    return run


def test_a_mixture_with_the_same_seed_gives_the_same_bytes(folder, mixed, tmp_path):
    first, again, other = (
        mixed(folder, tmp_path / name, seed=seed) for name, seed in [("a", 1), ("b", 1), ("c", 2)]
    )
    for name in ("model.safetensors", "head.safetensors"):
        assert (first / name).read_bytes() == (again / name).read_bytes()
        assert (first / name).read_bytes() != (other / name).read_bytes()


def test_the_record_of_a_mixture_says_what_was_drawn(folder, mixed, tmp_path):
    from safetensors.torch import load_file

    out = mixed(folder, tmp_path / "out")
    record = read_json(out / "node.json")
    shares = {
        (t, lang): of["share"] for t, by in record["drawn"].items() for lang, of in by.items()
    }
    assert shares.keys() == {("toy classification", "en"), ("text", "de"), ("text", "en")}
    assert shares[("toy classification", "en")] == 0.5, "both weigh 40"
    assert 0.25 < shares[("text", "en")] < 0.5 * 50 / 80, "smoothed"
    batches = [of["batches"] for by in record["drawn"].values() for of in by.values()]
    assert sum(batches) == record["steps"] == 12
    assert record["rows"] == {"train": 48 + 30 + 50, "dev": 8}
    assert record["heads"] == {"toy classification": "toy classification", "text": "text"}
    heads = load_file(out / "head.safetensors")
    assert heads["toy classification.out.weight"].shape == (3, 32)
    assert heads["text.bias"].shape == (len(helpers.VOCABULARY),)


def refused(node, init, line, **changes):
    out = node.root / "out"
    with pytest.raises(UserError, match=line):
        node.run(init, out, **changes)
    assert not out.exists()


def test_a_parent_of_another_spec_is_refused(folder, node):
    refused(node, folder, "made by another spec than the config asks for", parent="0123")


@pytest.mark.parametrize("split", ["train", "dev"])
def test_rows_of_another_spec_are_refused(folder, node, split):
    line = rf"{split}\.safetensors: made by another spec"
    refused(node, folder, line, **{split: "0123"})


def test_rows_of_another_tokenizer_are_refused(folder, node, tmp_path):
    other = shutil.copytree(folder, tmp_path / "other")
    write_json(other / "node.json", {**read_json(other / "node.json"), "tokenizer": "0123"})
    refused(node, other, r"train\.safetensors: encoded with another tokenizer than that of")


@pytest.mark.parametrize("name", ["model.safetensors", "node.json"])
def test_a_folder_that_is_no_finished_checkpoint_is_refused(folder, node, tmp_path, name):
    other = shutil.copytree(folder, tmp_path / "other")
    (other / name).unlink()
    refused(node, other, rf"not a finished checkpoint: {name.replace('.', '[.]')} is missing")
