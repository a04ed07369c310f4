"""What an exported folder gives in transformers is what the evaluation gave."""

import contextlib
import io
import re

import numpy as np
import pytest
from tests.export.made import LENGTH, ROWS, Made, scores

from xstilts.export import folder, trained
from xstilts.formats import span
from xstilts.running.errors import UserError

SPACE = "\u2581"


def export(made, name, to, task=None):
    """Export a model; return the class that loads it."""
    return folder.write(trained.find(name, directory=made.root, task=task), to)


def code(to):
    """Run what the card shows; return the names that it defines."""
    (block,) = re.findall(r"```python\n(.*?)```", (to / "README.md").read_text(), re.S)
    names: dict = {}
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(block, names)
    assert out.getvalue().strip(), "the card's example prints something"
    return names


def softmax(values):
    values = np.exp(values - values.max(-1, keepdims=True))
    return values / values.sum(-1, keepdims=True)


@pytest.fixture(scope="module")
def predicted(made):
    """Cell -> the predictions of its file."""
    cells = [f"m/mnli/seed1/{target}" for target in ("xnli", "udpos", "xquad", "tatoeba")]
    return {cell: made.score(cell) for cell in cells}


def test_classification_as_a_pipeline(made, predicted, tmp_path):
    from transformers import pipeline

    assert export(made, "m/mnli/seed1/xnli", tmp_path / "x") == (
        "XLMRobertaForSequenceClassification"
    )
    classify = pipeline("text-classification", model=str(tmp_path / "x"), truncation=True)
    rows = ROWS["classification"]
    found = classify(
        [{"text": row["text"], "text_pair": row["text_pair"]} for row in rows], top_k=None
    )
    assert [ranked[0]["label"] for ranked in found] == predicted["m/mnli/seed1/xnli"]
    assert len(set(predicted["m/mnli/seed1/xnli"])) > 1, "or the test would see little"
    labels = made.grid.tasks["xnli"].labels
    ours = scores(made.root / "results/tuned/m/mnli/seed1/mnli", "classification", rows, labels)
    for ranked, expected in zip(found, ours, strict=True):
        assert {entry["label"] for entry in ranked} == set(labels)
        probability = dict(zip(labels, softmax(expected[0]), strict=True))
        for entry in ranked:
            assert entry["score"] == pytest.approx(probability[entry["label"]], abs=1e-5)
    assert any(len(row["text"].split()) + len(row["text_pair"].split()) > LENGTH for row in rows), (
        "some row is cut"
    )
    assert code(tmp_path / "x")["classify"].model.config.num_labels == 3


def test_tagging_as_a_pipeline(made, predicted, tmp_path):
    from transformers import pipeline

    assert export(made, "m/mnli/seed1/udpos", tmp_path / "x") == "XLMRobertaForTokenClassification"
    tag = pipeline("token-classification", model=str(tmp_path / "x"), ignore_labels=[])
    words = [row["tokens"] for row in ROWS["tagging"]]
    expected = [text.split() for text in predicted["m/mnli/seed1/udpos"]]
    labels = made.grid.tasks["udpos"].labels
    ours = scores(
        made.root / "results/tuned/m/mnli/seed1/udpos_en", "tagging", ROWS["tagging"], labels
    )
    for row, tags, logits in zip(words, expected, ours, strict=True):
        tokens = tag([row], is_split_into_words=True)[0]
        # A word is read off its first token that is more than the mark of a space.
        begins = np.cumsum([0, *(len(word) + 1 for word in row)])
        first: dict[int, dict] = {}
        for token in tokens:
            word = int(np.searchsorted(begins, token["start"], side="right")) - 1
            if word not in first or first[word]["word"] == SPACE:
                first[word] = token
        assert [first[i]["entity"] for i in range(len(row))] == tags
        for token in tokens:
            probability = softmax(logits[0])[token["index"]]
            assert token["score"] == pytest.approx(probability.max(), abs=1e-5)
    assert len({one for tags in expected for one in tags}) > 2
    names = code(tmp_path / "x")
    assert [names["tag"](row) for row in words] == expected


def test_the_first_token_of_a_repeated_word_is_read(made, tmp_path):
    export(made, "m/mnli/seed1/udpos", tmp_path / "x")
    names = code(tmp_path / "x")
    assert len(names["tag"](["猫", "猫", "zzz", "\u200b"])) == 4


def test_span_by_the_model_class_and_the_cards_code(made, predicted, tmp_path):
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    assert export(made, "m/mnli/seed1/xquad", tmp_path / "x") == "XLMRobertaForQuestionAnswering"
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "x")
    model = AutoModelForQuestionAnswering.from_pretrained(tmp_path / "x").eval()
    ours = scores(made.root / "results/tuned/m/mnli/seed1/squad", "span", ROWS["span"], ())
    names, windows = code(tmp_path / "x"), 0
    for row, answer in zip(ROWS["span"], predicted["m/mnli/seed1/xquad"], strict=True):
        inputs = tokenizer(
            row["question"], row["context"], truncation="only_second", stride=LENGTH // 3,
            return_overflowing_tokens=True, padding=True, return_tensors="pt",
        )  # fmt: skip
        inputs.pop("overflow_to_sample_mapping")
        with torch.no_grad():
            outputs = model(**inputs)
        for window in range(len(inputs["input_ids"])):
            expected = ours[windows + window][0]
            width = len(expected)
            assert inputs["attention_mask"][window].sum() == width, "the same windows"
            both = outputs.start_logits[window][:width], outputs.end_logits[window][:width]
            assert np.abs(torch.stack(both, -1).numpy() - expected).max() < 1e-5
        windows += len(inputs["input_ids"])
        # The evaluation looks at the 20 best starts and ends of a window, so at all of these.
        assert len(row["context"].split()) <= span.N_BEST
        assert names["answer"](row["question"], row["context"]) == answer
    assert windows == len(ours) > len(ROWS["span"]), "some context has several windows"


def test_choice_by_the_model_class(made, tmp_path):
    assert export(made, "m/hellaswag/seed1", tmp_path / "x") == "XLMRobertaForMultipleChoice"
    names = code(tmp_path / "x")
    rows = ROWS["choice"]
    ours = scores(made.root / "results/encoders/m/hellaswag/seed1", "choice", rows, ())
    for row, expected in zip(rows, ours, strict=True):
        found = names["choose"](row["context"], row["choices"])
        assert found == pytest.approx(expected[:, 0].tolist(), abs=1e-5)
    assert max(len(row["context"].split()) for row in rows) > LENGTH // 2


def test_a_head_of_a_mixture(made, tmp_path):
    assert export(made, "m/multi/seed1", tmp_path / "x", task="mnli") == (
        "XLMRobertaForSequenceClassification"
    )
    classify = code(tmp_path / "x")["classify"]
    rows, labels = ROWS["classification"], made.grid.tasks["mnli"].labels
    ours = scores(
        made.root / "results/encoders/m/multi/seed1", "classification", rows, labels, "mnli."
    )
    for row, expected in zip(rows, ours, strict=True):
        found = classify({"text": row["text"], "text_pair": row["text_pair"]}, top_k=None)
        expected = dict(zip(labels, softmax(expected[0]).tolist(), strict=True))
        assert {e["label"]: e["score"] for e in found} == pytest.approx(expected, abs=1e-5)


def test_regression_as_a_pipeline(made, tmp_path):
    from transformers import pipeline

    predicted = [float(text) for text in made.score("m/mnli/seed1/sts")]
    assert export(made, "m/mnli/seed1/sts", tmp_path / "x") == "XLMRobertaForSequenceClassification"
    rate = pipeline("text-classification", model=str(tmp_path / "x"), truncation=True)
    assert (rate.model.config.num_labels, rate.model.config.problem_type) == (1, "regression")
    rows = ROWS["regression"]
    found = rate([{"text": row["text"], "text_pair": row["text_pair"]} for row in rows])
    assert [one["score"] for one in found] == pytest.approx(predicted, abs=1e-4, rel=1e-5)
    assert max(predicted) - min(predicted) > 1, "the head's scale is that of its numbers"
    assert code(tmp_path / "x")["rate"].model.config.problem_type == "regression"


def test_retrieval_is_the_encoder_and_the_layer_that_was_pooled(made, predicted, tmp_path):
    assert export(made, "m/mnli/seed1/tatoeba", tmp_path / "x") is None
    assert not (tmp_path / "x/head.safetensors").exists()
    embed = code(tmp_path / "x")["embed"]
    sides = {
        side: [row for row in ROWS["retrieval"] if row["side"] == side]
        for side in ("source", "target")
    }
    vectors = {side: embed([row["text"] for row in rows]).numpy() for side, rows in sides.items()}
    unit = {k: v / np.linalg.norm(v, axis=1, keepdims=True) for k, v in vectors.items()}
    nearest = (unit["source"] @ unit["target"].T).argmax(1)
    ids = [sides["target"][i]["id"] for i in nearest]
    assert ids == predicted["m/mnli/seed1/tatoeba"]


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    """A model whose first layer of the head reads the mean of all tokens."""
    models = {"m": {"from": "o/tiny", "pooling": "mean"}}
    results = Made(tmp_path_factory.mktemp("pooled"), models=models)
    results.tuned("mnli", "mnli", classifier_pooling="mean")
    return results


def test_mean_pooling_has_no_class_so_the_head_lies_beside_the_encoder(pooled, tmp_path):
    predictions = pooled.score("m/mnli/seed1/xnli")
    assert export(pooled, "m/mnli/seed1/xnli", tmp_path / "x") is None
    assert "transformers has no class for this head" in (tmp_path / "x/README.md").read_text()
    names = code(tmp_path / "x")
    rows, labels = ROWS["classification"], names["labels"]
    found = names["scores"]([r["text"] for r in rows], [r["text_pair"] for r in rows]).numpy()
    assert [labels[i] for i in found.argmax(1)] == predictions
    ours = scores(pooled.root / "results/tuned/m/mnli/seed1/mnli", "classification", rows, labels)
    assert np.abs(found - np.concatenate(ours)).max() < 1e-5


def test_the_card_in_full(made, predicted, copy, tmp_path):
    from huggingface_hub import ModelCard

    for path in copy.glob("results/scores/m/mnli/seed1/xnli/*"):
        if path.name.partition(".")[0] != "de":  # which other tests may have scored
            path.unlink()
    folder.write(trained.find("m/mnli/seed1/xnli", directory=copy), tmp_path / "x")
    card = ModelCard.load(tmp_path / "x/README.md")
    about = card.data.to_dict()
    assert {k: v for k, v in about.items() if k != "model-index"} == {
        "library_name": "transformers", "pipeline_tag": "text-classification",
        "base_model": ["o/tiny"], "language": ["de"], "datasets": ["o/data"],
        "metrics": ["accuracy"], "tags": ["xstilts"],
    }  # fmt: skip
    (result,) = card.data.eval_results
    hits = sum(label == "neutral" for label in predicted["m/mnli/seed1/xnli"])
    assert (result.dataset_name, result.metric_type) == ("xnli (de)", "accuracy")
    assert result.metric_value == hits / 8
    assert "license" not in about
    for line in (
        f"| xnli | de | dev | {100 * hits / 8:.1f} | 8 |",
        "| model | o/tiny | `r1` |",
        "| data set | o/data | `r2` |",
        "Times 100, computed in fp32.",
        "Of the tuning on `mnli`:",
    ):
        assert line in card.text, line


def test_only_safetensors_and_text_are_written(made, tmp_path):
    export(made, "m/mnli/seed1/xnli", tmp_path / "x")
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == [
        "README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"
    ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_an_existing_folder_is_refused_unless_it_is_empty(made, tmp_path):
    (tmp_path / "x").mkdir()
    export(made, "m/mnli/seed1/xnli", tmp_path / "x")
    for taken in (tmp_path / "x", tmp_path / "x/README.md"):
        with pytest.raises(UserError) as error:
            export(made, "m/mnli/seed1/xnli", taken)
        assert (
            str(error.value)
            == f"--to {taken}: is there already; name a new folder, or an empty one"
        )


def test_nothing_is_left_of_what_failed(made, tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "_write_tokenizer", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(made, "m/mnli/seed1/xnli", tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
