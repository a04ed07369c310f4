"""Fields of hub data sets: Arrow types, and the `huggingface` metadata that names class labels.

Written by hand, since importing `datasets` takes longer than making the whole mirror; a test loads
the result with `datasets`.
"""

import json
from typing import Any

import pyarrow as pa

Feature = dict[str, Any]

STRING: Feature = {"dtype": "string", "_type": "Value"}
INT32: Feature = {"dtype": "int32", "_type": "Value"}
INT64: Feature = {"dtype": "int64", "_type": "Value"}
BOOL: Feature = {"dtype": "bool", "_type": "Value"}
IMAGE: Feature = {"_type": "Image"}
VALUES = {"string": pa.string(), "int32": pa.int32(), "int64": pa.int64(), "bool": pa.bool_()}


def label(*names: str) -> Feature:
    """A class label."""
    return {"names": list(names), "_type": "ClassLabel"}


def many(feature: Feature) -> Feature:
    """A list."""
    return {"feature": feature, "_type": "List"}


def arrow_type(feature: Any) -> pa.DataType:
    """The Arrow type of a feature."""
    kind = feature.get("_type")
    if kind == "Value":
        return VALUES[feature["dtype"]]
    if kind == "Image":
        return pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    if kind == "ClassLabel":
        return pa.int64()
    if kind == "List":
        return pa.list_(arrow_type(feature["feature"]))
    return pa.struct([(name, arrow_type(part)) for name, part in feature.items()])


def schema(features: dict[str, Feature]) -> pa.Schema:
    """The Arrow schema of a table."""
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema([(name, arrow_type(f)) for name, f in features.items()], metadata)


SPAN: dict[str, Feature] = {
    "id": STRING,
    "context": STRING,
    "question": STRING,
    "answers": {"text": many(STRING), "answer_start": many(INT32)},
}
SQUAD: dict[str, Feature] = {"id": STRING, "title": STRING, **{k: SPAN[k] for k in list(SPAN)[1:]}}
MLQA: dict[str, Feature] = {
    **SQUAD,
    "answers": {"answer_start": many(INT32), "text": many(STRING)},
}
XNLI: dict[str, Feature] = {
    "premise": STRING,
    "hypothesis": STRING,
    "label": label("entailment", "neutral", "contradiction"),
}
GLUE_NLI: dict[str, Feature] = {**XNLI, "idx": INT32}
MULTI_NLI: dict[str, Feature] = {
    "promptID": INT32,
    "pairID": STRING,
    **{name: XNLI[name] for name in ("premise", "hypothesis")},
    "genre": STRING,
    "label": XNLI["label"],
}  # without the parses, which nothing reads
ANLI: dict[str, Feature] = {"uid": STRING, **XNLI, "reason": STRING}
QQP: dict[str, Feature] = {
    "question1": STRING,
    "question2": STRING,
    "label": label("not_duplicate", "duplicate"),
    "idx": INT32,
}
PAWSX: dict[str, Feature] = {
    "id": INT32,
    "sentence1": STRING,
    "sentence2": STRING,
    "label": label("0", "1"),
}
HELLASWAG: dict[str, Feature] = {
    "ind": INT32,
    "activity_label": STRING,
    "ctx_a": STRING,
    "ctx_b": STRING,
    "ctx": STRING,
    "endings": many(STRING),
    "source_id": STRING,
    "split": STRING,
    "split_type": STRING,
    "label": STRING,
}
COSMOSQA: dict[str, Feature] = {
    "id": STRING,
    "context": STRING,
    "question": STRING,
    **{f"answer{number}": STRING for number in range(4)},
    "label": INT32,
}
CSQA: dict[str, Feature] = {
    "id": STRING,
    "question": STRING,
    "question_concept": STRING,
    "choices": {"label": many(STRING), "text": many(STRING)},
    "answerKey": STRING,
}
SIQA: dict[str, Feature] = {
    name: STRING for name in ("context", "question", "answerA", "answerB", "answerC", "label")
}
_COPA = {name: STRING for name in ("premise", "choice1", "choice2", "question")}
COPA: dict[str, Feature] = {**_COPA, "idx": INT32, "label": label("choice1", "choice2")}
XCOPA: dict[str, Feature] = {**_COPA, "label": INT32, "idx": INT32, "changed": BOOL}
LAREQA: dict[str, Feature] = {**SQUAD, "sentence_breaks": many(many(INT32))}
_SPAN: Feature = {"start": INT32, "end": INT32}
_CONTEXT: Feature = {
    **{n: STRING for n in ("document_title", "document_url", "document_id", "language", "text")},
    "sentence_spans": many(_SPAN),
}
_MENTION: Feature = {
    "example_id": STRING,
    "mention_span": {**_SPAN, "text": STRING},
    "entity_id": STRING,
}
ENTITY: dict[str, Feature] = {
    **{name: STRING for name in ("entity_id", "title", "description")},
    "sentence_spans": many(_SPAN),
    **{name: STRING for name in ("description_language", "description_url")},
}
MENTIONS: dict[str, Feature] = {"context": _CONTEXT, "mentions": many(_MENTION)}
MENTION_PAIR: dict[str, Feature] = {
    "contextual_mention": {"context": _CONTEXT, "mention": _MENTION},
    "entity": ENTITY,
}
UPOS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN",
    "PUNCT", "SCONJ", "SYM", "VERB", "X",
)  # fmt: skip
UDPOS: dict[str, Feature] = {"tokens": many(STRING), "pos_tags": many(label(*UPOS))}
TATOEBA: dict[str, Feature] = {
    "source_sentence": STRING,
    "target_sentence": STRING,
    "source_lang": STRING,
    "target_lang": STRING,
}
TATOEBA_R: dict[str, Feature] = {"sentence1": STRING, "sentence2": STRING}
NER = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
WIKIANN: dict[str, Feature] = {
    "tokens": many(STRING),
    "ner_tags": many(label(*NER)),
    "langs": many(STRING),
    "spans": many(STRING),
}
CCG: dict[str, Feature] = {"tokens": many(STRING), "tags": many(STRING)}
BUCC: dict[str, Feature] = {"side": STRING, "id": STRING, "text": STRING}
WIKIPEDIA: dict[str, Feature] = {"id": STRING, "url": STRING, "title": STRING, "text": STRING}
HOTPOT: dict[str, Feature] = {
    **{name: STRING for name in ("id", "question", "answer", "type", "level")},
    "supporting_facts": {"title": many(STRING), "sent_id": many(INT32)},
    "context": {"title": many(STRING), "sentences": many(many(STRING))},
}
MUSIQUE: dict[str, Feature] = {
    "id": STRING,
    "paragraphs": many(
        {"idx": INT32, "title": STRING, "paragraph_text": STRING, "is_supporting": BOOL}
    ),
    "question": STRING,
    "question_decomposition": many(
        {"id": INT32, "question": STRING, "answer": STRING, "paragraph_support_idx": INT32}
    ),
    "answer": STRING,
    "answer_aliases": many(STRING),
    "answerable": BOOL,
}
_SEGMENTS = many({"label": STRING, "offset": INT32, "length": INT32, "segment": STRING})
MULTIQ: dict[str, Feature] = {
    "support_text": STRING,
    "main_text": STRING,
    "question": STRING,
    "bridge_answers": _SEGMENTS,
    "main_answers": _SEGMENTS,
}
COCO: dict[str, Feature] = {
    "image": IMAGE,
    "image_id": INT64,
    "text": STRING,
    "captions": many(STRING),
    "split": STRING,
}
VQA: dict[str, Feature] = {
    "question_type": STRING,
    "multiple_choice_answer": STRING,
    "answers": many({"answer": STRING, "answer_confidence": STRING, "answer_id": INT64}),
    "image_id": INT64,
    "answer_type": STRING,
    "question_id": INT64,
    "question": STRING,
}
GQA_IMAGES: dict[str, Feature] = {"id": STRING, "image": IMAGE}
GQA: dict[str, Feature] = {
    name: STRING for name in ("id", "imageId", "question", "answer", "fullAnswer")
}
XGQA: dict[str, Feature] = {
    **{name: STRING for name in ("question", "answer", "full_answer", "image_id")},
    "image": IMAGE,
}
