"""Row functions: one hand-written raw row of each, before and after, in full; and the checks."""

import pytest
from datasets import ClassLabel, List, Value

from xstilts.data import rows
from xstilts.running.errors import UserError


def test_squad_keeps_the_context_to_the_letter():
    raw = {
        "id": "57",
        "title": "Nikola_Tesla",
        "context": " Tesla was born  in 1856.\n",
        "question": "When was Tesla born? ",
        "answers": {"text": ["1856", "in 1856"], "answer_start": [20, 17]},
    }
    assert rows.squad(raw) == {
        "id": "57",
        "context": " Tesla was born  in 1856.\n",
        "question": "When was Tesla born? ",
        "answers": {"text": ["1856", "in 1856"], "start": [20, 17]},
    }


HELLASWAG = {
    "ind": 24,
    "activity_label": "Roof shingle removal",
    "ctx_a": "A man is sitting on a roof.",
    "ctx_b": "he",
    "ctx": "A man is sitting on a roof. he",
    "endings": ["is using wrap.", " starts pulling up roofing. "],
    "source_id": "activitynet~v_-JhWjGDPHMY",
    "split": "val",
    "split_type": "indomain",
    "label": "1",
}


def test_hellaswag_begins_each_choice_with_the_begun_sentence():
    assert rows.hellaswag(HELLASWAG) == {
        "context": "A man is sitting on a roof.",
        "choices": ["he is using wrap.", "he starts pulling up roofing."],
        "label": 1,
    }


SIQA = {
    "context": "Tracy didn't go home that evening. ",
    "question": "What does Tracy need to do before this?",
    "answerA": "make a new plan", "answerB": "Go home and see Riley ", "answerC": "Find somewhere",
    "label": "3",
}  # fmt: skip


def test_social_iqa_asks_after_the_context_and_counts_from_one():
    assert rows.siqa(SIQA) == {
        "context": "Tracy didn't go home that evening. What does Tracy need to do before this?",
        "choices": ["make a new plan", "Go home and see Riley", "Find somewhere"],
        "label": 2,
    }
    assert rows.siqa({**SIQA, "label": ""})["label"] is None


def test_copa_asks_in_english_for_cause_or_effect():
    raw = {
        "premise": "Mwanaume alifungua bomba la maji.", "choice1": "Choo kilijaa maji.",
        "choice2": "Maji yalitiririka.", "question": "effect", "label": 1, "idx": 0,
        "changed": False,
    }  # fmt: skip
    assert rows.copa(raw) == {
        "context": "Mwanaume alifungua bomba la maji. What was the effect?",
        "choices": ["Choo kilijaa maji.", "Maji yalitiririka."],
        "label": 1,
    }
    cleaner = rows.RowCleaner({"format": "choice", "task": "copa"})
    assert cleaner(rows.copa({**raw, "label": -1})) == "label is not one of the choices"


def test_a_treebank_is_its_words():
    raw = {"tokens": ["du", "de", "le", "pain"], "upos": ["_", "ADP", "DET", "NOUN"], "xpos": []}
    assert rows.universal_dependencies(raw) == {
        "tokens": ["de", "le", "pain"],
        "tags": ["ADP", "DET", "NOUN"],
    }


def test_hellaswag_without_a_begun_sentence_and_without_a_label():
    assert rows.hellaswag({**HELLASWAG, "ctx_b": "", "label": ""}) == {
        "context": "A man is sitting on a roof.",
        "choices": ["is using wrap.", "starts pulling up roofing."],
        "label": None,
    }


def test_cosmosqa_continues_the_context_with_the_question():
    raw = {
        "id": "3FSEU3P2##Blog_412956",
        "context": "I watched the debate last night . ",
        "question": "What may be a result ?",
        "answer0": "she becomes angry",
        "answer1": " She confirms her biases",
        "answer2": "She decides",
        "answer3": "None of the above choices .",
        "label": 1,
    }
    assert rows.cosmosqa(raw) == {
        "id": "3FSEU3P2##Blog_412956",
        "context": "I watched the debate last night . What may be a result ?",
        "choices": [
            "she becomes angry",
            "She confirms her biases",
            "She decides",
            "None of the above choices .",
        ],
        "label": 1,
    }


CSQA = {
    "id": "1afa02df",
    "question": "A revolving door also serves as a security measure at a what?",
    "question_concept": "revolving door",
    "choices": {
        "label": ["A", "B", "C", "D", "E"],
        "text": ["bank", "library", "store", "mall", "new york"],
    },
    "answerKey": "D",
}


def test_csqa_labels_the_choice_by_its_place():
    assert rows.csqa(CSQA) == {
        "id": "1afa02df",
        "context": "A revolving door also serves as a security measure at a what?",
        "choices": ["bank", "library", "store", "mall", "new york"],
        "label": 3,
    }
    assert rows.csqa({**CSQA, "answerKey": ""})["label"] is None, "a test row"


def test_ccg_pmb_has_a_comment_where_the_first_word_should_be():
    raw = {"tokens": ["# tok:gold", "A", "dog"], "tags": ["cat:gold", "np/n", "n"]}
    words = {"tokens": ["A", "dog"], "tags": ["np/n", "n"]}
    assert rows.ccg_pmb(raw) == words
    assert rows.ccg_pmb(words) == words


def test_xtreme_udpos():
    raw = {"tokens": ["ทั้ง", "สอง"], "pos_tags": ["DET", "NUM"]}
    assert rows.xtreme_udpos(raw) == {"tokens": ["ทั้ง", "สอง"], "tags": ["DET", "NUM"]}


def test_tatoeba_makes_a_pair_of_rows():
    raw = {
        "source_sentence": "Maria sagte, sie wisse es nicht.\n",
        "target_sentence": "Mary said she didn't know.\n",
        "source_lang": "deu",
        "target_lang": "eng",
    }
    assert rows.tatoeba(raw) == [
        {"side": "source", "text": "Mary said she didn't know."},
        {"side": "target", "text": "Maria sagte, sie wisse es nicht."},
    ]
    other = {"sentence1": raw["source_sentence"], "sentence2": raw["target_sentence"], "lang": "x"}
    assert rows.tatoeba_r(other) == rows.tatoeba(raw)


@pytest.mark.parametrize(
    ("feature", "value", "named"),
    [
        (ClassLabel(names=["no", "yes"]), 1, "yes"),
        (ClassLabel(names=["no", "yes"]), -1, None),
        (ClassLabel(names=["no", "yes"]), None, None),
        (List(ClassLabel(names=["N", "V"])), [1, 0, -1], ["V", "N", None]),
        (
            {"a": Value("string"), "b": ClassLabel(names=["N"])},
            {"a": "x", "b": 0},
            {"a": "x", "b": "N"},
        ),
        ([ClassLabel(names=["N"])], [0], ["N"]),
    ],
)
def test_class_labels_become_names(feature, value, named):
    assert rows.label_decoder(feature)(value) == named


def test_features_without_class_labels_are_left_alone():
    assert rows.label_decoder(Value("int32")) is None
    assert rows.label_decoder({"a": List(Value("string"))}) is None


def label(value, labels):
    row = {"text": "a", "label": value}
    reason = rows.RowCleaner({"task": "t", "format": "classification", "labels": labels})(row)
    return row["label"] if reason is None else reason


@pytest.mark.parametrize(
    ("value", "labels", "found"),
    [
        ("1", ["no", "yes"], "yes"),
        ("1.0", ["no", "yes"], "yes"),
        ("1.0", ["1", "2"], "1"),
        ("1", ["0", "1"], "1"),
        ("yes", ["no", "yes"], "yes"),
        ("true", ["no", "yes"], "yes"),
        ("true", ["false", "true"], "true"),
        ("yes", None, "yes"),
        ("1.0", None, "1.0"),
        (None, None, "no label"),
        (None, ["no", "yes"], "no label"),
    ],
)
def test_labels_are_names_of_the_task(value, labels, found):
    assert label(value, labels) == found


def test_a_label_that_the_task_does_not_have():
    with pytest.raises(UserError, match=r"task t: label `neutrall` .* did you mean `neutral`\?"):
        label("neutrall", ["entailment", "neutral"])
    with pytest.raises(UserError, match="label `2` is not one"):
        label("2", ["no", "yes"])
    with pytest.raises(UserError, match="label `0` is not one of its labels 1, 2, 3"):
        label("0", ["1", "2", "3"])  # a name that is missing, not the number of one
    with pytest.raises(UserError, match=r"label `x` is not one of its labels 0, 1, .*…$") as error:
        label("x", [str(number) for number in range(3129)])
    assert len(str(error.value)) < 300
    with pytest.raises(UserError, match="label `x` is not one"):
        label("x", ["None"])


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (3, 3.0), (2.5, 2.5), ("2.5", 2.5), (" -1 ", -1.0), (-1, -1.0), ("1e2", 100.0),
        (None, "no label"), ("", "no label"), (float("nan"), "no label"),
    ],
)  # fmt: skip
def test_numbers_are_read_as_numbers(value, found):
    row = {"id": "7", "text": "a", "label": value}
    reason = rows.RowCleaner({"task": "t", "format": "regression"})(row)
    assert (row["label"] if reason is None else reason) == found


@pytest.mark.parametrize(
    "value", ["high", "3,5", "nan", "inf", "1_0", "1e40", True, [1.0], float("inf")]
)
def test_a_label_that_is_no_number_is_named_with_its_row(value):
    clean = rows.RowCleaner({"task": "t", "format": "regression"})
    with pytest.raises(UserError) as error:
        clean({"id": "7", "text": "a", "label": value})
    line = f"task t: row 7: label `{value}` is not a number (write it as 3.5)"
    assert str(error.value) == line


def span(context, *answers):
    """Check answers given as (text, start); return (reason, what is left, how many were moved)."""
    texts, starts = [t for t, _ in answers], [s for _, s in answers]
    row = {"question": "?", "context": context, "answers": {"text": texts, "start": starts}}
    clean = rows.RowCleaner({"task": "t", "format": "span"})
    reason = clean(row)
    left = row["answers"]
    return reason, list(zip(left["text"], left["start"], strict=True)), clean.repaired


def test_answers_are_at_their_offset_or_moved_to_their_only_occurrence():
    assert span("aa bb aa", ("bb", 3), ("aa", 6)) == (None, [("bb", 3), ("aa", 6)], 0)
    assert span("aa bb aa", ("bb", 2)) == (None, [("bb", 3)], 1)
    assert span("aa bb aa", ("aa", 2), ("bb", 3)) == (None, [("bb", 3)], 0), "two places: dropped"
    assert span("aa bb", ("cc", 0)) == ("answer is not in the context", [], 0)
    assert span("aa bb", ("", 0)) == ("answer is not in the context", [], 0)
    assert span("aa bb", ("bb", -2)) == (None, [("bb", 3)], 1), "-2 would count from the end"
    assert span("aa bb") == (None, [], 0), "a question without an answer is one"


@pytest.mark.parametrize(
    ("format", "row", "reason"),
    [
        ("choice", {"context": "c", "choices": ["a", "b"], "label": 1}, None),
        ("choice", {"context": "", "choices": [], "label": 2}, "label is not one of the choices"),
        ("choice", {"context": "c", "choices": ["a", "b"], "label": None}, "no label"),
        ("classification", {"text": None, "label": "x"}, "no text"),
        ("regression", {"text": None, "label": 1.0}, "no text"),
        ("tagging", {"tokens": ["a"], "tags": ["X"]}, None),
        ("tagging", {"tokens": [], "tags": []}, "no tokens"),
        ("tagging", {"tokens": ["a", "b"], "tags": ["X"]}, "not as many tags as tokens"),
        ("tagging", {"tokens": ["a"], "tags": [None]}, "no label"),
        ("retrieval", {"side": "source", "text": ""}, "no text"),
        ("mlm", {"text": "a"}, None),
        ("mlm", {"text": " "}, "no text"),
        ("mlm", {"text": None}, "no text"),
    ],
)  # fmt: skip
def test_rows_of_no_use(format, row, reason):
    assert rows.RowCleaner({"task": "t", "format": format})(row) == reason


def test_repeated_ids_are_numbered():
    found = [{"id": "a"}, {"id": "b"}, {"id": "a"}, {"id": "a"}]
    rows.unique_ids(found)
    assert [r["id"] for r in found] == ["a", "b", "a#2", "a#3"]
