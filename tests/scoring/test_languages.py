"""The languages of a target share batches: the same files as one by one, each as soon as it can."""

import itertools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests import helpers
from tests.scoring.target import Target, made, nli

from xstilts import formats
from xstilts.encoding import encoded
from xstilts.encoding.tokenizer import load_tokenizer
from xstilts.models import checkpoint
from xstilts.running.errors import UserError
from xstilts.running.files import read_json
from xstilts.scoring import evaluate, predict
from xstilts.scoring.scorer import Scorer

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
LANGUAGES = ("ar", "de", "el", "en", "ru", "zh")
FORMATS = ("classification", "choice", "tagging", "span")
TAGS = ("DET", "NOUN", "VERB")


def words(generator, most):
    return [str(w) for w in generator.choice(helpers.WORDS, int(generator.integers(1, most)))]


def rows_of(format):
    """A function from a language to its rows, of which some languages have more."""

    def rows(lang):
        generator = np.random.default_rng(LANGUAGES.index(lang))
        count = int(generator.integers(2, 12))
        return [row(generator, f"{lang}{i}") for i in range(count)]

    def row(generator, name):
        text = words(generator, 30)
        if format == "classification":
            return {"id": name, "text": " ".join(text), "text_pair": None, "label": "neutral"}
        if format == "choice":
            choices = [" ".join(words(generator, 9)) for _ in range(int(generator.integers(2, 5)))]
            return {"id": name, "context": " ".join(text), "choices": choices, "label": 0}
        if format == "tagging":
            tags = [str(tag) for tag in generator.choice(TAGS, len(text))]
            return {"id": name, "tokens": text, "tags": tags}
        assert format == "span"
        context = " ".join(text * 4)
        answers = {"text": [text[0]], "start": [0]}
        return {"id": name, "question": "who", "context": context, "answers": answers}

    return rows


def test_groups_are_full_and_a_large_language_is_alone():
    languages = [SimpleNamespace(tokens=n) for n in (3, 9, 5, 2, 11, 10, 1)]
    groups = evaluate.grouped(languages, 10)
    found = [[one.tokens for one in group] for group in groups]
    assert found == [[3], [9], [11], [5, 2], [10], [1]]


@pytest.mark.parametrize("format", FORMATS)
def test_files_that_are_joined_are_those_of_all_rows(tmp_path, format):
    tokenizer, rows = helpers.make_tokenizer(tmp_path), rows_of(format)
    labels = {"classification": ["neutral"], "tagging": TAGS}.get(format, ())

    def encoded_rows(chosen):
        return helpers.encode(tokenizer, format, chosen, labels, length=24)

    parts = [encoded_rows(rows(lang)) for lang in LANGUAGES]
    joined = encoded.join(parts)
    whole = encoded_rows([row for lang in LANGUAGES for row in rows(lang)])
    assert joined.meta == whole.meta
    assert joined.arrays.keys() == whole.arrays.keys()
    for name, array in whole.arrays.items():
        assert joined.arrays[name].dtype == array.dtype
        assert joined.arrays[name].tolist() == array.tolist(), name


@pytest.mark.parametrize("format", FORMATS)
def test_predictions_are_those_of_every_language_by_itself(tmp_path, format, monkeypatch):
    labels = TAGS if format == "tagging" else ("entailment", "neutral", "contradiction")
    together = Target(tmp_path / "together", format, rows_of(format), labels=labels)
    together.add(*LANGUAGES)
    calls = []
    real = Scorer.__call__
    monkeypatch.setattr(
        Scorer, "__call__", lambda self, group: calls.append(group) or real(self, group)
    )
    together.run()
    assert len(calls) < len(LANGUAGES), "some languages shared batches"
    apart = Target(tmp_path / "apart", format, rows_of(format), labels=labels).add(*LANGUAGES)
    monkeypatch.setattr(evaluate, "BATCHES", 0)
    calls.clear()
    apart.run()
    assert [len(group) for group in calls] == [1] * len(LANGUAGES)
    for lang in LANGUAGES:
        tables = [pq.read_table(each.root / f"out/{lang}.parquet") for each in (together, apart)]
        assert tables[0].equals(tables[1])
        scores = [read_json(each.root / f"out/{lang}.json") for each in (together, apart)]
        assert scores[0]["metrics"] == scores[1]["metrics"]


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real rows are not in ../shared/data")
@pytest.mark.parametrize("format", ["classification", "span"])
def test_predictions_on_real_rows_are_those_of_every_language_by_itself(format):
    import torch

    model = SHARED / "models/local/me5-small-xlmr-32k-6l"
    tokenizer, encoder = load_tokenizer(model / "tokenizer.json"), checkpoint.load_encoder(model)
    page, labels = formats.page(format), ("0", "1", "2") if format == "classification" else ()
    torch.manual_seed(1)
    head, languages = page.head(encoder, labels), []
    for lang in ("de", "en", "hi", "zh"):
        if format == "classification":
            (path,) = (SHARED / f"datasets/facebook/xnli/{lang}").glob("validation*.parquet")
            rows = [
                {"id": "", "text": r["premise"], "text_pair": r["hypothesis"], "label": "0"}
                for r in pq.read_table(path).slice(0, 12).to_pylist()
            ]
        else:
            (path,) = (SHARED / f"datasets/google/xquad/xquad.{lang}").glob("validation*.parquet")
            rows = [
                {**row, "answers": {"text": [], "start": []}}
                for row in pq.read_table(path).slice(0, 2).to_pylist()
            ]
        languages.append((helpers.encode(tokenizer, format, rows, labels, 128), rows))
    cpu = torch.device("cpu")
    joined = encoded.join([data for data, _ in languages])
    together = iter(predict.reduced(page, encoder, head, joined, cpu, 2048))
    for data, rows in languages:
        apart = predict.reduced(page, encoder, head, data, cpu, 2048)
        shared = list(itertools.islice(together, len(data)))
        found = page.decode(shared, data, rows)
        assert found == page.decode(apart, data, rows) and len(found) == len(rows)
    assert next(together, None) is None


def test_a_kill_leaves_the_groups_before_it(tmp_path, monkeypatch):
    target = Target(tmp_path).add("de", "en", "zh")
    monkeypatch.setattr(evaluate, "BATCHES", 0)
    real, calls = Scorer.__call__, []

    def killed_at_the_second(self, group):
        calls.append([one.name for one in group])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(self, group)

    monkeypatch.setattr(Scorer, "__call__", killed_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        target.run()
    assert target.made() == made("de")
    target.run()
    assert calls == [["de"], ["en"], ["en"], ["zh"]]
    assert target.made() == ["cell.json", *made("de", "en", "zh")]


@pytest.mark.parametrize("batches", [0, 4])
def test_in_a_thread_beside_the_batches_come_the_same_files(tmp_path, monkeypatch, batches):
    monkeypatch.setattr(evaluate, "BATCHES", batches)
    monkeypatch.setattr(evaluate, "_has_time_beside", lambda scorer, group: True)
    target = Target(tmp_path).add("de", "en", "zh")
    whole = (target.root / "en.parquet").read_bytes()
    (target.root / "en.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(UserError, match=r"xnli: en: .*en\.parquet: .*damaged"):
        target.run()
    assert target.made() == made("de", "zh")
    (target.root / "en.parquet").write_bytes(whole)
    target.run()
    beside = {lang: pq.read_table(target.root / f"out/{lang}.parquet") for lang in target.data}
    monkeypatch.setattr(evaluate, "_has_time_beside", lambda scorer, group: False)
    for name in target.made():
        (target.root / "out" / name).unlink()
    target.run()
    for lang, table in beside.items():
        assert pq.read_table(target.root / f"out/{lang}.parquet").equals(table)


def test_one_that_cannot_be_decoded_keeps_the_others_of_its_group(tmp_path, monkeypatch):
    target = Target(tmp_path).add("de", "en", "zh")
    real = evaluate.finish

    def finish(language, *rest):
        if language.name == "en":
            raise UserError("no such metric")
        return real(language, *rest)

    monkeypatch.setattr(evaluate, "finish", finish)
    with pytest.raises(UserError, match=r"^m/mnli/seed1/xnli: en: no such metric$"):
        target.run()
    assert target.made() == made("de", "zh")


def test_seconds_and_energy_of_shared_batches_are_told_by_tokens(tmp_path, monkeypatch):
    target = Target(tmp_path, rows=lambda lang: nli(lang) * (1 + (lang == "zh"))).add("de", "zh")
    monkeypatch.setattr("xstilts.scoring.scorer.Meter", lambda: SimpleNamespace(joules=30.0))
    monkeypatch.setattr("xstilts.scoring.scorer.time.monotonic", iter([1.0, 4.0]).__next__)
    languages = [
        evaluate.Language(lang, {}, tmp_path, "", {}, data, [], None, {})
        for lang, data in target.data.items()
    ]
    scorer = Scorer(str(target.model), {}, {}, 1000)
    outputs = scorer(languages)
    tokens = np.array([len(data.arrays["tokens"]) for data in target.data.values()])
    assert [o.seconds for o in outputs] == pytest.approx((3 * tokens / tokens.sum()).tolist())
    assert [o.joules for o in outputs] == pytest.approx((30 * tokens / tokens.sum()).tolist())
    assert [len(o.reduced[0]) for o in outputs] == [2, 4]


def test_no_gradients_are_kept_and_only_what_decoding_needs(tmp_path, monkeypatch):
    import torch

    target = Target(tmp_path, "tagging", rows_of("tagging"), labels=TAGS).add("de")
    scorer = Scorer(str(target.model), {}, {}, 50)
    encoder, _, _ = scorer.load(target.data["de"])
    modes, fetched = [], []
    encoder.register_forward_hook(lambda *_: modes.append(torch.is_inference_mode_enabled()))
    real = predict._fetch
    monkeypatch.setattr(predict, "_fetch", lambda tensor: fetched.append(tensor) or real(tensor))
    one = evaluate.Language("de", {}, tmp_path, "", {}, target.data["de"], [], None, {})
    (output,) = scorer([one])
    assert len(modes) > 1 and all(modes)
    assert not any(tensor.requires_grad for tensor in fetched)
    assert {tensor.dtype for tensor in fetched} == {torch.int64}, "tags, not scores or states"
    assert encoder.pooler is None and not encoder.training
    counts = np.diff(target.data["de"].arrays["spans"])
    assert all(len(best) >= n for best, n in zip(output.reduced[0], counts, strict=True))
