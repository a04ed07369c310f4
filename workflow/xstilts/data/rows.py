"""Unified rows: what they hold, how a raw row becomes one, and when one is of no use.

`prepare.SCHEMAS` has the columns of each format. Labels are names; a choice is labelled by the
index of the right one; in retrieval the two rows made of one raw row belong together.

Where renaming columns is not enough, a function in `ROW_FUNCTIONS` takes one raw row as a dict
(ClassLabels are names already) and returns a unified row, a list of them, or None for a row that is
not used. It leaves out `gold`, and `id` if the data set has none. Classes of a row that no column
has it returns as `strata`, {name: class}; `strata.RETURNED` says which. Those of `hops.py` return
a question with its paragraphs, of which `passages.py` makes the row.
"""

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

from xstilts.data import annotations, hops, retrieval
from xstilts.running.errors import LABELS_SHOWN, UserError, brief, nearest

Row = dict[str, Any]


def squad(row: Row) -> Row:
    """SQuAD, XQuAD, MLQA, TyDiQA: nothing is stripped, because answers are offsets."""
    answers = row["answers"]
    return {
        "id": row["id"],
        "question": row["question"],
        "context": row["context"],
        "answers": {"text": answers["text"], "start": answers["answer_start"]},
    }


def multichecklist(row: Row) -> Row:
    """A case of MultiCheckList, which `checklist.rows` makes in SQuAD's columns."""
    return squad(row)


def hellaswag(row: Row) -> Row:
    """HellaSwag: each choice is the begun second sentence and an ending. Test labels are ""."""
    start = row["ctx_b"].strip()
    return {
        "context": row["ctx_a"].strip(),
        "choices": [f"{start} {ending.strip()}".strip() for ending in row["endings"]],
        "label": int(row["label"]) if row["label"] not in ("", None) else None,
    }


def cosmosqa(row: Row) -> Row:
    """Cosmos QA: the question continues the context, as in jiant. The label of a test row is -1."""
    return {
        "id": row["id"],
        "context": f"{row['context'].strip()} {row['question'].strip()}",
        "choices": [row[f"answer{i}"].strip() for i in range(4)],
        "label": row["label"],
    }


def csqa(row: Row) -> Row:
    """CommonsenseQA: the question is the context, as in jiant. Test rows have the answer ""."""
    choices, key = row["choices"], row["answerKey"]
    return {
        "id": row["id"],
        "context": row["question"].strip(),
        "choices": [text.strip() for text in choices["text"]],
        "label": choices["label"].index(key) if key else None,
    }


def siqa(row: Row) -> Row:
    """Social IQa: the question continues the context, as in XTREME's `run_xcopa.py`. Labels count
    from 1, as text."""
    return {
        "context": f"{row['context'].strip()} {row['question'].strip()}",
        "choices": [row[f"answer{letter}"].strip() for letter in "ABC"],
        "label": int(row["label"]) - 1 if row["label"] not in ("", None) else None,
    }


def copa(row: Row) -> Row:
    """COPA and XCOPA, which is asked in English in all languages, as in XTREME's `run_xcopa.py`.
    The label of a row without one is -1."""
    return {
        "context": f"{row['premise'].strip()} What was the {row['question']}?",
        "choices": [row["choice1"].strip(), row["choice2"].strip()],
        "label": row["label"],
    }


def ccg_pmb(row: Row) -> Row:
    """CCG tags of the Parallel Meaning Bank: most sentences of its layer files begin with a
    comment line, `# tok:gold` tagged `cat:gold`, that is no word."""
    first = 1 if row["tags"][:1] == ["cat:gold"] else 0
    return {"tokens": row["tokens"][first:], "tags": row["tags"][first:]}


def xtreme_udpos(row: Row) -> Row:
    """XTREME's part-of-speech tags."""
    return {"tokens": row["tokens"], "tags": row["pos_tags"]}


def universal_dependencies(row: Row) -> Row:
    """A treebank's words and their part of speech, without what is no word: the range of a
    contraction (`au` beside `à` and `le`), which is tagged `_`."""
    words = [pair for pair in zip(row["tokens"], row["upos"], strict=True) if pair[1] != "_"]
    return {"tokens": [word for word, _ in words], "tags": [tag for _, tag in words]}


def tatoeba(row: Row) -> list[Row]:
    """XTREME's Tatoeba: the English sentence looks for the foreign one, which the hub calls source.

    So do XTREME's `evaluate_retrieval.py` and jiant's `tatoeba.py`.
    """
    return [
        {"side": "source", "text": row["target_sentence"].strip()},
        {"side": "target", "text": row["source_sentence"].strip()},
    ]


def tatoeba_r(row: Row) -> list[Row]:
    """MTEB's Tatoeba, whose second sentence is the English one; as `tatoeba`."""
    return tatoeba({"source_sentence": row["sentence1"], "target_sentence": row["sentence2"]})


def coco(row: Row) -> list[Row]:
    """COCO: a row a caption, five a picture; `columns` say which column is the picture's id."""
    return [
        {"id": f"{row['image']}.{number}", "text": caption, "image": row["image"]}
        for number, caption in enumerate(row["captions"], 1)
    ]


def vqa(row: Row) -> Row:
    """VQA: the answer is the one that most of ten people gave, as the data set has it."""
    return {
        "id": row["question_id"],
        "text": row["question"],
        "label": row["multiple_choice_answer"],
        "image": row["image_id"],
    }


# Rows that are no part of a task in a language, so that nothing is missing without them.
FOREIGN, UNUSED = "of another language", "not used by the task"

ROW_FUNCTIONS: dict[str, Callable[[Row], Row | list[Row] | None]] = {
    f.__name__: f
    for f in (
        squad, multichecklist, hellaswag, cosmosqa, csqa, siqa, copa, ccg_pmb, xtreme_udpos,
        universal_dependencies, tatoeba,
        retrieval.lareqa, retrieval.lareqa_en, retrieval.mewslix, retrieval.mewslix_en,
        tatoeba_r, coco, vqa, hops.hotpot, hops.musique, hops.musique_last, hops.multiq,
    )
}  # fmt: skip


def label_decoder(feature: Any) -> Callable[[Any], Any] | None:
    """Return what turns the ints of a feature's ClassLabels into names (-1 into None), also inside
    lists and dicts; None if it has no ClassLabel."""
    if isinstance(feature, dict):
        inner = {k: decode for k, f in feature.items() if (decode := label_decoder(f))}
        if not inner:
            return None
        return lambda v: v and {k: inner[k](x) if k in inner else x for k, x in v.items()}
    if hasattr(feature, "int2str"):
        names = feature.names
        return lambda v: None if v is None or v < 0 else names[v]
    # A List has its feature; an old way to write one is [feature].
    item = feature[0] if isinstance(feature, list) else getattr(feature, "feature", None)
    if item is None or (decode_item := label_decoder(item)) is None:
        return None
    return lambda v: v and [decode_item(x) for x in v]


def id_and_gold(row: Row, number: int, unit: list[Row]) -> Row:
    """The id of a row (its own, or the raw row's number), and for retrieval its gold."""
    own = row.get("id")
    if "side" not in row:
        return {"id": str(number if own is None else own)}
    if "golds" in row or "lang" in row:  # of a pool of candidates
        return {
            "id": str(number if own is None else own),
            "gold": None,
            "golds": row.get("golds"),
        }
    sides = {r["side"]: r.get("id") or f"{number}.{r['side']}" for r in unit}
    gold = row.get("gold", sides.get("target") if row["side"] == "source" else None)
    return {"id": str(sides[row["side"]]), "gold": gold}


def unique_ids(rows: list[Row]) -> None:
    """Number repeated ids: predictions are kept by id, and some data sets repeat theirs."""
    seen = Counter[str]()
    for row in rows:
        seen[row["id"]] += 1
        if seen[row["id"]] > 1:
            row["id"] += f"#{seen[row['id']]}"


class RowCleaner:
    """Repairs unified rows in place: a call returns why to drop the row, None to keep it."""

    def __init__(self, spec: dict[str, Any], dataset: str = ""):
        self.where = f"task {spec['task']}" + (f": {dataset}" if dataset else "")
        self.labels, self.repaired = spec.get("labels"), 0
        self.clean = getattr(self, f"_{spec['format']}")

    def __call__(self, row: Row) -> str | None:
        return self.clean(row)

    def _classification(self, row: Row) -> str | None:
        row["label"] = self._label(row["label"])
        if row["text"] is None:
            return "no text"
        return None if row["label"] is not None else "no label"

    def _regression(self, row: Row) -> str | None:
        row["label"] = self._number(row.get("label"), row.get("id"))
        if row["text"] is None:
            return "no text"
        return None if row["label"] is not None else "no label"

    def _choice(self, row: Row) -> str | None:
        label = row.get("label")
        if label is not None and not 0 <= label < len(row["choices"]):
            return "label is not one of the choices"
        return None if label is not None else "no label"

    def _tagging(self, row: Row) -> str | None:
        row["tags"] = [self._label(tag) for tag in row["tags"] or []]
        if not row["tokens"]:
            return "no tokens"
        if len(row["tokens"]) != len(row["tags"]):
            return "not as many tags as tokens"
        return "no label" if None in row["tags"] else None

    def _span(self, row: Row) -> str | None:
        """Keep the answers that stand at their offset; move one to its only occurrence. A question
        that comes without answers is one that has none, as in SQuAD 2."""
        valid, context = [], row["context"]
        if missing := [name for name in ("context", "question") if row[name] is None]:
            return f"no {missing[0]}"
        pairs = list(zip(row["answers"]["text"], row["answers"]["start"], strict=True))
        for text, start in pairs:
            if text and context[start : start + len(text)] == text and start >= 0:
                valid.append((text, start))
            elif text and context.count(text) == 1:
                valid.append((text, context.index(text)))
                self.repaired += 1
        row["answers"] = {"text": [t for t, _ in valid], "start": [s for _, s in valid]}
        return "answer is not in the context" if pairs and not valid else None

    def _retrieval(self, row: Row) -> str | None:
        if row["side"] not in ("source", "target"):
            raise UserError(f"{self.where}: side `{row['side']}` is not `source` or `target`")
        if "lang" in row and row["side"] == "source" and None in (row["golds"] or [None]):
            return "no label"
        return None if row["text"] else "no text"

    def _dual(self, row: Row) -> str | None:
        return None if row["text"] and row["text_pair"] else "no text"

    def _mlm(self, row: Row) -> str | None:
        return None if (row["text"] or "").strip() else "no text"

    _caption = _mlm

    def _number(self, label: Any, row: str | None) -> float | None:
        """Return the label of a row as a number, None for no label."""
        if label is None or label == "" or label != label:  # NaN, as pandas writes no value
            return None
        try:
            number = math.nan if isinstance(label, bool) else float(label)
        except (TypeError, ValueError):
            number = math.nan
        # Encoded rows hold them as float32.
        if math.isfinite(number) and abs(number) < 1e38 and "_" not in str(label):
            return number
        raise UserError(
            f"{self.where}: row {row}: label `{brief(label)}` is not a number (write it as 3.5)"
        )

    def _label(self, label: str | None) -> str | None:
        """Return a label's name, None for no label; numbers count in the task's `labels`, unless
        those are numbers themselves."""
        labels = self.labels
        if label is None or not labels or label in labels:
            return label
        # ClassLabels are named "0", "1" where a data set's maker had no names for them.
        number = annotations.number({"false": "0", "true": "1"}.get(label, label))
        if number is not None and str(number) in labels:
            return str(number)
        named = any(annotations.number(name) is None for name in labels)
        if named and number is not None and 0 <= number < len(labels):
            return labels[number]
        names, hint = brief(", ".join(labels), LABELS_SHOWN), nearest(label, labels)
        raise UserError(
            f"{self.where}: label `{brief(label)}` is not one of its labels {names}{hint}"
        )
