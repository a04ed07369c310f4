"""Columns found by the names that the field uses, and asked for where that is not unique."""

import pyarrow as pa
import pytest

from xstilts.data import columns
from xstilts.running.errors import UserError


def find(format, names, given=None, lang="de", **types):
    schema = pa.schema([(name, types.get(name, pa.string())) for name in names.split(" ")])
    spec = {"task": "mine", "format": format, "lang": lang, "columns": given or {}}
    return columns.find(schema, spec, "task mine: en/train.csv")


@pytest.mark.parametrize(
    ("format", "names", "found"),
    [
        ("classification", "text label", {"text": "text", "label": "label"}),
        ("classification", "Sentence LABEL", {"text": "Sentence", "label": "LABEL"}),
        ("classification", "guid tweet sentiment",
         {"id": "guid", "text": "tweet", "label": "sentiment"}),
        ("classification", "title text label category", {"text": "text", "label": "label"}),
        ("classification", "sentence1 sentence2 gold_label genre pairID",
         {"id": "pairID", "text": "sentence1", "text_pair": "sentence2", "label": "gold_label"}),
        ("classification", "idx premise hypothesis label",
         {"id": "idx", "text": "premise", "text_pair": "hypothesis", "label": "label"}),
        ("classification", "id qid1 qid2 question1 question2 labels",
         {"id": "id", "text": "question1", "text_pair": "question2", "label": "labels"}),
        ("classification", "index question sentence label",
         {"id": "index", "text": "question", "text_pair": "sentence", "label": "label"}),
        ("classification", "question passage label",
         {"text": "question", "text_pair": "passage", "label": "label"}),
        ("classification", "text text_pair label",
         {"text": "text", "text_pair": "text_pair", "label": "label"}),
        ("classification", "sentence_A sentence_B class",
         {"text": "sentence_A", "text_pair": "sentence_B", "label": "class"}),
        ("regression", "sentence1 sentence2 similarity_score",
         {"text": "sentence1", "text_pair": "sentence2", "label": "similarity_score"}),
        ("regression", "review_body stars", {"text": "review_body", "label": "stars"}),
        ("tagging", "id tokens ner_tags", {"id": "id", "tokens": "tokens", "tags": "ner_tags"}),
        ("tagging", "words labels", {"tokens": "words", "tags": "labels"}),
        ("tagging", "FORM UPOS", {"tokens": "FORM", "tags": "UPOS"}),
        ("span", "id title context question answers",
         {"id": "id", "question": "question", "context": "context", "answers": "answers"}),
        ("span", "question passage answer_text answer_start",
         {"question": "question", "context": "passage", "answers": "answer_text",
          "start": "answer_start"}),
        ("mlm", "url title text", {"text": "text"}),
        ("retrieval", "source target", {"source": "source", "target": "target"}),
        ("retrieval", "id src tgt", {"id": "id", "source": "src", "target": "tgt"}),
        ("retrieval", "sentence1 sentence2", {"source": "sentence1", "target": "sentence2"}),
        ("retrieval", "en de", {"source": "de", "target": "en"}),
        ("retrieval", "side id text", {"side": "side", "text": "text", "id": "id"}),
        # SIQA, Cosmos QA, COPA, SWAG, PIQA, WinoGrande, RACE, OpenBookQA, HellaSwag as published
        ("choice", "context question answerA answerB answerC label",
         {"context": "context", "question": "question",
          "choices": ["answerA", "answerB", "answerC"], "label": "label"}),
        ("choice", "id context question answer0 answer1 answer2 answer3 label",
         {"id": "id", "context": "context", "question": "question",
          "choices": ["answer0", "answer1", "answer2", "answer3"], "label": "label"}),
        ("choice", "premise choice1 choice2 question idx label",
         {"id": "idx", "context": "premise", "question": "question",
          "choices": ["choice1", "choice2"], "label": "label"}),
        ("choice", "sent1 sent2 startphrase ending0 ending1 ending2 ending3 label",
         {"context": "startphrase", "choices": ["ending0", "ending1", "ending2", "ending3"],
          "label": "label"}),
        ("choice", "goal sol1 sol2 label",
         {"context": "goal", "choices": ["sol1", "sol2"], "label": "label"}),
        ("choice", "sentence option1 option2 answer",
         {"context": "sentence", "choices": ["option1", "option2"], "label": "answer"}),
        ("choice", "article question options answer",
         {"context": "article", "question": "question", "choices": "options", "label": "answer"}),
        ("choice", "id question_stem choices answerKey",
         {"id": "id", "context": "question_stem", "choices": "choices", "label": "answerKey"}),
        ("choice", "ind ctx_a ctx_b ctx endings label",
         {"context": "ctx", "choices": "endings", "label": "label"}),
        ("choice", "Question A B C D Answer",
         {"context": "Question", "choices": ["A", "B", "C", "D"], "label": "Answer"}),
    ],
)  # fmt: skip
def test_names_that_the_field_uses(format, names, found):
    assert find(format, names) == found


def test_a_question_that_holds_its_choices():
    nested = pa.struct([("stem", pa.string()), ("choices", pa.list_(pa.string()))])
    assert find("choice", "id question answerKey", question=nested) == {
        "id": "id",
        "context": "question",
        "choices": "question",
        "label": "answerKey",
    }


def test_a_translation_holds_both_sides():
    pair = pa.struct([("de", pa.string()), ("en", pa.string())])
    found = {"source": "translation", "target": "translation"}
    assert find("retrieval", "translation", translation=pair) == found
    with pytest.raises(UserError, match="`translation` has de, en; ru and en are needed"):
        find("retrieval", "translation", lang="ru", translation=pair)


@pytest.mark.parametrize(
    ("format", "names", "given", "found"),
    [
        ("classification", "body idx label", {"body": "text"}, {"text": "body", "label": "label"}),
        ("classification", "premise hypothesis label", {"premise": "text"},
         {"text": "premise", "label": "label"}),
        ("classification", "1 2 3", {"2": "text", 1: "label"}, {"text": "2", "label": "1"}),
        ("span", "q text a at", {"q": "question", "a": "answers", "at": "start"},
         {"question": "q", "context": "text", "answers": "a", "start": "at"}),
        ("choice", "1 2 3 4", {1: "context", 2: "choices", 3: "choices", 4: "label"},
         {"context": "1", "choices": ["2", "3"], "label": "4"}),
        ("choice", "context query a b key", {"key": "label"},
         {"context": "context", "question": "query", "choices": ["a", "b"], "label": "key"}),
        ("retrieval", "x y", {"x": "source", "y": "target"}, {"source": "x", "target": "y"}),
    ],
)  # fmt: skip
def test_what_a_task_says_goes_first(format, names, given, found):
    assert find(format, names, given) == found


@pytest.mark.parametrize(
    ("format", "names", "given", "line"),
    [
        ("classification", "body title label", {},
         ": which column is the text? there are body, title, label; say columns: {body: text}"),
        ("classification", "review tweet label", {},
         ": which column is the text? there are review, tweet; say columns: {review: text}"),
        ("classification", "text premise hypothesis label", {},
         ": which column is the text? there are premise, hypothesis, text; say columns:"
         " {premise: text}"),
        ("classification", "text body lable", {},
         ": which column is the label? there are body, lable; say columns: {lable: label}"),
        ("classification", "text category stance", {},
         ": which column is the label? there are category, stance; say columns:"
         " {category: label}"),
        ("classification", "text", {},
         ": which column is the label? there are text, all of them taken"),
        ("tagging", "tokens pos_tags ner_tags", {},
         ": which column is the tags? there are ner_tags, pos_tags; say columns:"
         " {ner_tags: tags}"),
        ("retrieval", "a b", {},
         ": which column is the source? there are a, b; say columns: {a: source}"),
        ("retrieval", "source b", {"source": "source"},
         ": which column is the target? there are b; say columns: {b: target}"),
        ("classification", "gut 1", {},
         ": which column is the text? there are gut, 1; if that is data and not a header, say"
         " columns by number, as in columns: {1: text}"),
        ("classification", "text label", {"txt": "text"},
         " has no column `txt`; did you mean `text`? (there are text, label)"),
        ("classification", "a label", {"a": "txt"},
         ": columns: a: there is no `txt` in the format classification; did you mean `text`?"
         " (valid: id, text, label, text_pair)"),
        ("classification", "a b label", {"a": "text", "b": "text"},
         ": columns: a and b are both `text`"),
        ("retrieval", "side id", {}, " has no column `text` (there are side, id)"),
    ],
)  # fmt: skip
def test_what_is_not_unique_is_asked_for(format, names, given, line):
    with pytest.raises(UserError) as caught:
        find(format, names, given)
    assert str(caught.value).startswith("task mine: en/train.csv" + line)


def test_a_name_that_yaml_needs_quoted():
    schema = pa.schema([("der Text:", pa.string()), ("label", pa.string())])
    with pytest.raises(UserError, match=r'say columns: \{"der Text:": text\}'):
        columns.find(schema, {"task": "mine", "format": "classification"}, "task mine")


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (pa.list_(pa.string()), "column `label` holds lists; a row has one label as `label`"),
        (pa.struct([("a", pa.string())]), "column `label` holds objects; a row has one label"),
        (pa.binary(), "column `label` holds bytes; a row has one label"),
    ],
)
def test_columns_that_are_no_text(kind, line):
    with pytest.raises(UserError, match=line):
        find("classification", "text label", label=kind)
    with pytest.raises(UserError, match=r"a row has one text as `text`"):
        find("mlm", "text", text=kind)
