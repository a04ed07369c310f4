"""Pairs of sentences with a label: MNLI, XNLI, SNLI, ANLI, QQP, PAWS-X."""

from collections.abc import Iterator
from random import Random
from typing import Any

from xstilts.toy import nli, paraphrase, strata
from xstilts.toy import schema as hub
from xstilts.toy.catalogue.table import Rows, Table, only, take, with_column
from xstilts.toy.grammar import Grammar
from xstilts.toy.inference import LABELS
from xstilts.toy.languages import grammar
from xstilts.toy.spec import Spec

UNLABELLED = -1
SNLI_UNLABELLED = 50  # every 50th row has no label, as where SNLI's annotators did not agree
ANLI_TRAIN = {
    1: 16,
    2: 8,
    3: 4,
}  # rounds grow; together they have 0.44 of MNLI's rows, on the hub 0.41


def nli_rows(items: list[nli.Inference], language: Grammar) -> Rows:
    """Rows of XNLI."""
    return [
        {
            "premise": language.sentence(item.premise).text,
            "hypothesis": language.sentence(item.hypothesis).text,
            "label": LABELS.index(item.label),
        }
        for item in items
    ]


def glue_rows(rows: Rows, split: str) -> Rows:
    """Rows as GLUE has them: numbered, and in test sets without labels."""
    hidden: dict[str, Any] = {"label": UNLABELLED} if split.startswith("test") else {}
    return [{**row, **hidden, "idx": number} for number, row in enumerate(rows)]


def multi_nli_rows(rows: Rows, genres: list[str]) -> Rows:
    """Rows of MultiNLI, of those of GLUE."""
    return [
        {
            "promptID": row["idx"],
            "pairID": f"{row['idx']}{hub.GLUE_NLI['label']['names'][row['label']][0]}",
            "premise": row["premise"],
            "hypothesis": row["hypothesis"],
            "genre": genre,
            "label": row["label"],
        }
        for row, genre in zip(rows, genres, strict=True)
    ]


def mnli_and_xnli(spec: Spec) -> Iterator[Table]:
    """MNLI in English, its dev sets once more with genres; XNLI in every language, where `train` is
    MNLI's, translated."""
    stream, sizes = nli.inferences(Random(f"{spec.seed}/nli")), spec.sizes
    mnli = {
        "validation_matched": take(stream, sizes.dev),
        "validation_mismatched": take(stream, sizes.dev),
    }
    xnli = {"validation": take(stream, sizes.dev), "test": take(stream, sizes.test)}
    train = {"train": take(stream, sizes.train)}
    hidden = {f"test_{kind}": take(stream, sizes.test) for kind in ("matched", "mismatched")}
    for split, items in (train | mnli | hidden).items():
        rows = glue_rows(nli_rows(items, grammar("en")), split)
        yield Table("nyu-mll/glue", "mnli", split, hub.GLUE_NLI, rows)
        if split not in hidden:
            genres = [strata.genre(item.premise) for item in items]
            yield Table(
                "nyu-mll/multi_nli", "default", split, hub.MULTI_NLI, multi_nli_rows(rows, genres)
            )
    for language in spec.languages:
        for split, items in (train | xnli).items():
            rows = nli_rows(items, grammar(language))
            table = Table("facebook/xnli", language, split, hub.XNLI, rows)
            yield with_column(table, "inference", map(strata.inference, items))


def snli_rows(items: list[nli.Inference]) -> Rows:
    """Rows of SNLI, some without a label."""
    rows = nli_rows(items, grammar("en"))
    for row in rows[SNLI_UNLABELLED - 1 :: SNLI_UNLABELLED]:
        row["label"] = UNLABELLED
    return rows


def anli_rows(items: list[nli.Inference], rng: Random, name: str, extra: int) -> Rows:
    """Rows of ANLI: the premise is a short text, with `extra` sentences that neither support nor
    contradict the hypothesis."""
    rows = nli_rows(items, grammar("en"))
    for number, (row, item) in enumerate(zip(rows, items, strict=True)):
        sentences = [row["premise"]]
        for clause in nli.asides(rng, item, extra):
            sentences.insert(rng.randrange(len(sentences) + 1), grammar("en").sentence(clause).text)
        rows[number] = {
            "uid": f"{name}-{number:06}",
            **row,
            "premise": " ".join(sentences),
            "reason": "",
        }
    return rows


def snli_and_anli(spec: Spec) -> Iterator[Table]:
    """SNLI and the three rounds of ANLI: half of MNLI's rows each, since each item takes 3 ms."""
    stream, sizes = nli.inferences(Random(f"{spec.seed}/anli+")), spec.sizes
    evaluated = {"validation": take(stream, sizes.dev), "test": take(stream, sizes.test)}
    snli = {"train": take(stream, max(1, sizes.train // 2)), **evaluated}
    for split, items in snli.items():
        yield Table("stanfordnlp/snli", "plain_text", split, hub.XNLI, snli_rows(items))
    rng = Random(f"{spec.seed}/anli")
    for number, share in ANLI_TRAIN.items():
        counts = {"dev": sizes.dev // 3, "test": sizes.test // 3, "train": sizes.train // share}
        for kind, count in counts.items():
            split = f"{kind}_r{number}"
            rows = anli_rows(take(stream, max(1, count)), rng, split, extra=number)
            yield Table("facebook/anli", "plain_text", split, hub.ANLI, rows)


def qqp(spec: Spec) -> Iterator[Table]:
    """QQP in English."""
    stream = paraphrase.twins(Random(f"{spec.seed}/qqp"), paraphrase.questions)
    dev, test = take(stream, spec.sizes.dev), take(stream, spec.sizes.test)
    for split, items in {
        "train": take(stream, spec.sizes.train),
        "validation": dev,
        "test": test,
    }.items():
        rows: Rows = [
            {
                "question1": grammar("en").sentence(item.first).text,
                "question2": grammar("en").sentence(item.second).text,
                "label": int(item.same),
            }
            for item in items
        ]
        yield Table("nyu-mll/glue", "qqp", split, hub.QQP, glue_rows(rows, split))


def pawsx(spec: Spec) -> Iterator[Table]:
    """PAWS-X, with translated training data."""
    stream = paraphrase.twins(Random(f"{spec.seed}/pawsx"), paraphrase.statements)
    dev, test = take(stream, spec.sizes.dev), take(stream, spec.sizes.test)
    splits = {"train": take(stream, spec.sizes.train), "validation": dev, "test": test}
    for code in only(spec.languages, "de", "en", "zh"):
        for split, items in splits.items():
            rows: Rows = [
                {
                    "id": number,
                    "sentence1": grammar(code).sentence(item.first).text,
                    "sentence2": grammar(code).sentence(item.second).text,
                    "label": int(item.same),
                }
                for number, item in enumerate(items, 1)
            ]
            table = Table("google-research-datasets/paws-x", code, split, hub.PAWSX, rows)
            yield with_column(table, "change", map(strata.change, items))
