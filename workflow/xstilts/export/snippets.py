"""What a model card shows to load and use a model: code that runs as it stands, by format."""

import json
from collections.abc import Sequence

from xstilts.encoding.tokenizer import Tokenizer
from xstilts.formats import span

PAIR = '{"text": "A dog sleeps.", "text_pair": "An animal sleeps."}'
CLASSIFICATION = """
from transformers import pipeline

classify = pipeline("text-classification", model={folder}, truncation=True)
print(classify({example}, top_k=None))
"""
REGRESSION = """
from transformers import pipeline

rate = pipeline("text-classification", model={folder}, truncation=True)
print(rate({example}))
"""
TAGGING = '''
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({folder})
model = AutoModelForTokenClassification.from_pretrained({folder}).eval()


def tag(words):
    """Return the tag of each word, read off its {which} token that is not a space alone."""{spaced}
    inputs = tokenizer(words, is_split_into_words=True, truncation=True, return_tensors="pt")
    tokens, {which} = inputs.tokens(), {{}}
    for at, word in enumerate(inputs.word_ids()):
        if word is not None and (word not in {which} or {real}):
            {which}[word] = at
    with torch.inference_mode():
        best = model(**inputs).logits[0].argmax(-1).tolist()
    labels = model.config.id2label
    return [labels[best[{which}[word]]] if word in {which} else None for word in range(len(words))]


print(tag(["A", "dog", "sleeps", "."]))
'''
SPACED = """
    words = [f" {word}" if at else word for at, word in enumerate(words)]"""
SPAN = '''
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({folder})
model = AutoModelForQuestionAnswering.from_pretrained({folder}).eval()


def answer(question, context):
    """Return the stretch of the context that answers the question."""
{asked}    inputs = tokenizer(
        question, context, truncation="only_second", stride={stride}, padding=True,
        return_overflowing_tokens=True, return_offsets_mapping=True, return_tensors="pt",
    )
    offsets = inputs.pop("offset_mapping")
    inputs.pop("overflow_to_sample_mapping")
    inside = torch.tensor([[i == 1 for i in inputs.sequence_ids(w)] for w in range(len(offsets))])
    with torch.inference_mode():
        outputs = model(**inputs)
    starts = outputs.start_logits.masked_fill(~inside, -torch.inf)
    ends = outputs.end_logits.masked_fill(~inside, -torch.inf)
    scores = starts[:, :, None] + ends[:, None, :]  # of each window, first and last token
    spans = torch.ones_like(scores[0]).triu().tril({max_answer} - 1).bool()
    scores = scores.masked_fill(~spans, -torch.inf)
    window, first, last = torch.unravel_index(scores.argmax(), scores.shape)
{no_answer}    return context[offsets[window, first, 0] : offsets[window, last, 1]].strip()


print(answer("Where does the dog sleep?", "The dog sleeps in the garden."))
'''
ASKED = """\
    asked = tokenizer(
        question, max_length={max_question}, truncation=True, return_offsets_mapping=True
    )
    question = question[: asked["offset_mapping"][{end}][1]]
"""
ASKED_IN_BYTES = """\
    asked = tokenizer(question, add_special_tokens=False, return_offsets_mapping=True)
    if offsets := asked["offset_mapping"][{room}:]:  # of what is cut, with the character it cuts
        question = question[: min(asked["offset_mapping"][{room} - 1][1], offsets[0][0])]
"""
NO_ANSWER = """\
    nothing = (outputs.start_logits{place} + outputs.end_logits{place}).min()
    if nothing > scores.max():
        return ""
"""
# The last token of each window.
LAST_OF_WINDOW = "[torch.arange(len(offsets)), inputs['attention_mask'].sum(1) - 1]"
CHOICE = '''
import torch
from transformers import AutoModelForMultipleChoice, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({folder})
model = AutoModelForMultipleChoice.from_pretrained({folder}).eval()


def choose(context, choices):
    """Return the score of each choice; the highest is the model's."""
    inputs = tokenizer(
        [context] * len(choices), choices, truncation="only_first", padding=True,
        return_tensors="pt",
    )
    with torch.inference_mode():
        return model(**{{key: value[None] for key, value in inputs.items()}}).logits[0].tolist()


print(choose("The dog is tired.", ["It sleeps.", "It flies."]))
'''
RETRIEVAL = '''
import torch
from transformers import {auto}, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({folder})
{config}encoder = {name}.from_pretrained(
    {folder}, {options}dtype=torch.float32
).eval()


def embed(texts):
    """Return the mean of the hidden states of layer {layer}, padding left out, a row a text."""
    inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = encoder(**inputs).last_hidden_state
    mask = inputs["attention_mask"].unsqueeze(-1)
    return (hidden * mask).sum(1) / mask.sum(1)


print(torch.nn.functional.cosine_similarity(*embed(["A dog sleeps.", "Ein Hund schläft."]), dim=0))
'''
INNER = """\
config = AutoConfig.from_pretrained({folder})
config.encoder.num_hidden_layers = {layer}
"""
# Where transformers has no class: the encoder, and the head in a file beside it.
HEAD = '''
import torch
from safetensors.torch import load_file
from torch.nn.functional import linear
from transformers import {auto}, AutoTokenizer

folder = {folder}
tokenizer = AutoTokenizer.from_pretrained(folder)
encoder = {auto}.from_pretrained(folder, {options}dtype=torch.float32).eval()
head = load_file(f"{{folder}}/head.safetensors")
labels = {labels}


def scores(*texts, **options):
    """Return {what}; arguments are the tokenizer's."""
    inputs = tokenizer(*texts, padding=True, truncation=True, return_tensors="pt", **options)
    with torch.inference_mode():
        hidden = encoder(**inputs).last_hidden_state
{pooled}    return linear(hidden, head["out.weight"], head["out.bias"]){scaled}


print(scores(["A dog sleeps."], ["An animal sleeps."]))
'''
EMBED = '''
import torch
from safetensors.torch import load_file
from torch.nn.functional import linear, normalize
from transformers import {auto}, AutoTokenizer

folder = {folder}
tokenizer = AutoTokenizer.from_pretrained(folder)
encoder = {auto}.from_pretrained(folder, {options}dtype=torch.float32).eval()
head = load_file(f"{{folder}}/head.safetensors")


def embed(texts):
    """Return embeddings of length 1, of queries or passages, a row a text."""
    inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = encoder(**inputs).last_hidden_state
{pooled}    return normalize(hidden, dim=1)


print(embed(["What does the dog do?"]) @ embed(["A dog sleeps.", "Ein Hund schläft."]).T)
'''
MEAN = """\
    mask = inputs["attention_mask"].unsqueeze(-1)
    hidden = (hidden * mask).sum(1) / mask.sum(1)
"""
FIRST = """\
    hidden = hidden[:, 0]
"""
LAST = """\
    hidden = hidden[torch.arange(len(hidden)), inputs["attention_mask"].sum(1) - 1]
"""
POOLS = {"cls": FIRST, "mean": MEAN, "last": LAST}
UNIT_SCALE = """\
    hidden = hidden / hidden.square().mean(-1, keepdim=True).sqrt()
"""
DENSE = """\
    hidden = torch.tanh(linear(hidden, head["dense.weight"], head["dense.bias"]))
"""


def of_task_model(
    format: str, folder: str, pair: bool, max_length: int, no_answer: bool, tokenizer: Tokenizer
) -> str:
    """Return the code of a task model in `folder`.

    Args:
        pair: classification and regression: whether the texts are pairs.
        max_length: tokens of a sequence.
        no_answer: span: whether a question may have no answer.
        tokenizer: of the model.
    """
    templates = {
        "classification": CLASSIFICATION, "regression": REGRESSION, "tagging": TAGGING,
        "span": SPAN, "choice": CHOICE,
    }  # fmt: skip
    max_question, stride = span.limits(max_length)
    last, space = tokenizer.word == "last", json.dumps(tokenizer.space)
    first_is_space = f"tokens[first[word]] == {space}"
    before, after = tokenizer.template
    asked = ASKED_IN_BYTES if tokenizer.has_bytes else ASKED
    nothing = NO_ANSWER.format(place=LAST_OF_WINDOW if last else "[:, 0]")
    return templates[format].format(
        folder=json.dumps(folder, ensure_ascii=False),
        example=PAIR if pair else '"A dog sleeps."',
        stride=stride,
        max_answer=span.MAX_ANSWER,
        asked=asked.format(
            max_question=max_question, end=-1 - len(after), room=max_question - len(before + after)
        ),
        no_answer=nothing if no_answer else "",
        which=tokenizer.word,
        real=f"tokens[at].strip({space})" if last else first_is_space,
        spaced=SPACED if tokenizer.words_have_spaces else "",
    )


def of_encoder(folder: str, layer: int, auto: str, pooler: bool, inner: bool) -> str:
    """Return the code of an encoder whose hidden states of a layer are pooled.

    Args:
        auto: the name of the class that loads it.
        pooler: whether that would make a pooler, which is not in the weights.
        inner: whether its config is in another, so that the layers have to be set there.
    """
    options = "config=config, " if inner else f"num_hidden_layers={layer}, "
    folder = json.dumps(folder, ensure_ascii=False)
    return RETRIEVAL.format(
        folder=folder,
        layer=layer,
        auto=f"AutoConfig, {auto}" if inner else auto,
        name=auto,
        config=INNER.format(folder=folder, layer=layer) if inner else "",
        options=options + ("add_pooling_layer=False, " if pooler else ""),
    )


def of_encoder_and_head(
    format: str,
    folder: str,
    labels: Sequence[str],
    auto: str,
    pooler: bool,
    pooling: str,
    unit_scale: bool,
) -> str:
    """Return the code of an encoder with its head beside it.

    Args:
        auto, pooler: as of `of_encoder`.
        pooling: what is pooled, a key of `POOLS`.
        unit_scale: whether the head divides hidden states by their root mean square.
    """
    scaled = UNIT_SCALE if unit_scale else ""
    pooled = POOLS[pooling] + scaled + DENSE
    folder, options = json.dumps(folder, ensure_ascii=False), "add_pooling_layer=False, " * pooler
    if format == "dual":
        return EMBED.format(folder=folder, auto=auto, options=options, pooled=pooled)
    what = "the score of each label, a row a text"
    if format in ("tagging", "span"):
        pooled, what = scaled, "the scores of each token: of the labels, or as start and end"
    elif format == "choice":
        what = "the score of each pair of context and choice"
    elif format == "regression":
        what = "the number, a row a text"
    return HEAD.format(
        folder=folder,
        auto=auto,
        options=options,
        labels=list(labels),
        what=what,
        pooled=pooled,
        scaled=' * head["sd"] + head["mean"]' if format == "regression" else "",
    )
