"""Every kind of tokenizer: special tokens, words, spans and pairs, in six scripts."""

import hashlib
import itertools
import json
import shutil
import unicodedata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import helpers
from tokenizers import normalizers, processors

from xstilts.encoding import separators
from xstilts.encoding.tokenizer import load_tokenizer
from xstilts.formats import span, tagging
from xstilts.running.errors import UserError
from xstilts.toy import backbones, tokenizer_kinds


def llama2(texts, size):
    """As Llama 1 and 2: BPE of sentencepiece's kind, a space put before the text, no pad token."""
    content = json.loads(tokenizer_kinds.gemma(texts, size).to_str())
    text = json.dumps(content, ensure_ascii=False)
    for name, ours in (("<eos>", "</s>"), ("<bos>", "<s>")):
        text = text.replace(f'"{name}"', f'"{ours}"')
    content = json.loads(text)
    keep = ("<unk>", "<s>", "</s>")
    content["added_tokens"] = [t for t in content["added_tokens"] if t["content"] in keep]
    backend = tokenizers.Tokenizer.from_str(json.dumps(content))
    spaces = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    backend.normalizer = normalizers.Sequence(spaces)
    backend.pre_tokenizer = None
    return backend


def gpt2(texts, size):
    """As GPT-2: one special token, and offsets without spaces."""
    backend = tokenizer_kinds.byte_level(texts, size, [], ["<|endoftext|>"], "")
    backend.post_processor = processors.ByteLevel(trim_offsets=True)
    return backend


def of(backbone):
    made = backbones.BACKBONES[backbone]
    return getattr(tokenizer_kinds, made.tokenizer), dict(made.tokens)


KINDS = {
    **{name: of(name) for name in backbones.BACKBONES if name not in ("xlm-roberta-xl", "t5gemma")},
    "llama2": (llama2, {"bos": "<s>", "eos": "</s>", "unk": "<unk>"}),
    "gpt2": (gpt2, {"bos": "<|endoftext|>", "eos": "<|endoftext|>"}),
}
DECODERS = ("bloom", "gemma3_text", "gpt2", "llama", "llama2", "qwen3", "xglm")
# What a text and a pair become; and the pad token.
EXPECTED = {
    "bert": ("[CLS] a [SEP]", "[CLS] a [SEP] b [SEP]", "[PAD]"),
    "bloom": ("a </s>", "a </s> b </s>", "<pad>"),
    "deberta-v2": ("[CLS] a [SEP]", "[CLS] a [SEP] b [SEP]", "[PAD]"),
    "eurobert": (
        "<|begin_of_text|> a <|end_of_text|>",
        "<|begin_of_text|> a <|end_of_text|> b <|end_of_text|>",
        "<|pad|>",
    ),
    "gemma3_text": ("<bos> a <eos>", "<bos> a <bos> b <eos>", "<pad>"),
    "gpt2": ("a <|endoftext|>", "a <|endoftext|> b <|endoftext|>", "<|endoftext|>"),
    "llama": (
        "<|begin_of_text|> a <|end_of_text|>",
        "<|begin_of_text|> a <|begin_of_text|> b <|end_of_text|>",
        "<|eot_id|>",
    ),
    "llama2": ("<s> a </s>", "<s> a <s> b </s>", "<unk>"),
    "modernbert": ("[CLS] a [SEP]", "[CLS] a [SEP] b [SEP]", "[PAD]"),
    "mt5": ("a </s>", "a </s> b </s>", "<pad>"),
    "qwen3": ("a <|endoftext|>", "a <|endoftext|> b <|endoftext|>", "<|im_start|>"),
    "umt5": ("a </s>", "a </s> b </s>", "<pad>"),
    "xglm": ("</s> a </s>", "</s> a </s> </s> b </s>", "<pad>"),
    "xlm-roberta": ("<s> a </s>", "<s> a </s> </s> b </s>", "<pad>"),
}
# Latin, Cyrillic, Arabic, Devanagari, Thai, Chinese: the letters of the texts they were made from.
LETTERS = {c for text in backbones.TEXTS for c in text if c.isalpha() or unicodedata.combining(c)}
BLOCKS = ((0x41, 0x250), (0x400, 0x500), (0x600, 0x700), (0x900, 0x980), (0xE00, 0xE80))
SCRIPTS = [sorted(c for c in LETTERS if a <= ord(c) < b) for a, b in (*BLOCKS, (0x4E00, 0xA000))]


def words_of(script):
    word = st.text(script, min_size=1, max_size=6)
    return word.filter(lambda w: unicodedata.normalize("NFKC", w) == w and w[0].isalpha())


SENTENCE = st.sampled_from(SCRIPTS).flatmap(
    lambda script: st.lists(words_of(script), min_size=1, max_size=12)
)
few = settings(max_examples=25, deadline=None)


def write(kind, folder):
    """Write a tokenizer of a kind, and its config, as a model on the hub has them."""
    make, tokens = KINDS[kind]
    folder.mkdir(parents=True, exist_ok=True)
    make(list(backbones.TEXTS), 300).save(str(folder / "tokenizer.json"))
    names = {f"{role}_token": token for role, token in tokens.items()}
    about = {"tokenizer_class": "PreTrainedTokenizerFast"} | names
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
    return folder


def fitted(kind, folder, to, pad_token_id=None, size=None):
    """Do with a tokenizer what the model step does."""
    from transformers import PreTrainedTokenizerFast

    given = PreTrainedTokenizerFast.from_pretrained(folder)
    config = SimpleNamespace(vocab_size=size or len(given), pad_token_id=pad_token_id)
    if kind in DECODERS:
        config.xstilts = {"kind": "decoder", "word": "last"}
    got = separators.fit(given, config, "o/m")
    got.save_pretrained(to)
    (to / "config.json").write_text(json.dumps(vars(config)))
    return given, got, config


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Kind -> the folder that the model step would write."""
    root = tmp_path_factory.mktemp("kinds")
    for kind in KINDS:
        fitted(kind, write(kind, root / "hub" / kind), root / kind)
    return {kind: root / kind for kind in KINDS}


@pytest.fixture(scope="module")
def loaded(folders):
    return {kind: load_tokenizer(folder / "tokenizer.json") for kind, folder in folders.items()}


def shown(encoding):
    return " ".join(filter(None, (token.strip("▁Ġ") for token in encoding.tokens)))


@pytest.mark.parametrize("kind", KINDS)
def test_texts_and_pairs_have_the_special_tokens_that_they_need(loaded, kind):
    tokenizer, (single, pair, pad) = loaded[kind], EXPECTED[kind]
    assert shown(tokenizer.encode(["a"], 9)[0]) == single
    assert shown(tokenizer.encode([("a", "b")], 9)[0]) == pair
    assert tokenizer.special_tokens[pad] == tokenizer.pad_token_id
    before, after = single.split(" a ") if " a " in single else ("", single[2:])
    ids = tokenizer.special_tokens
    assert tokenizer.template == ([ids[t] for t in before.split()], [ids[t] for t in after.split()])
    assert tokenizer.word == ("last" if kind in DECODERS else "first")


@pytest.mark.parametrize("kind", ["bert", "deberta-v2", "eurobert", "modernbert", "mt5", "umt5",
                                  "xlm-roberta"])  # fmt: skip
def test_a_tokenizer_that_has_all_of_them_is_left_as_it_is(tmp_path, kind):
    folder = write(kind, tmp_path / "hub")
    given, got, _ = fitted(kind, folder, tmp_path / "ours", pad_token_id=0)
    assert got is given
    given.save_pretrained(tmp_path / "theirs")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        ours, theirs = (tmp_path / f / name for f in ("ours", "theirs"))
        assert ours.read_bytes() == theirs.read_bytes()
    assert json.loads((tmp_path / "ours" / "config.json").read_text())["pad_token_id"] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_transformers_makes_the_same_ids_of_the_written_folder(folders, loaded, kind):
    from transformers import AutoTokenizer

    theirs, ours = AutoTokenizer.from_pretrained(folders[kind]), loaded[kind]
    assert (theirs.pad_token_id, theirs.padding_side) == (ours.pad_token_id, "right")
    texts = [*backbones.TEXTS, "", "  two  spaces ", "ทำ", "x\ny"]
    assert [e.ids for e in ours.encode(texts, 99)] == theirs(texts)["input_ids"]
    pairs = list(itertools.pairwise(texts))
    cut = {"truncation": "only_second", "max_length": 70}
    got = [e.ids for e in ours.encode(pairs, 70, strategy="only_second")]
    assert got == theirs(*map(list, zip(*pairs, strict=True)), **cut)["input_ids"]
    words = ours.in_sentence(["Anna", "seesthe", "собаку", "安娜", "สุนัข", "."])
    tokens = ours.encode_words(words)
    before, after = ours.template
    ids = [i for word in words for i, _ in tokens[word]]
    assert [*before, *ids, *after] == theirs(words, is_split_into_words=True)["input_ids"]


def decoded(tokenizer, ids):
    """Return the text of ids, without special tokens and spaces."""
    special = set(tokenizer.special_tokens.values())
    return "".join(tokenizer.backend.decode([i for i in ids if i not in special]).split())


@few
@given(SENTENCE)
def test_the_token_of_a_word_lies_inside_it(loaded, words):
    """What is decoded up to it ends with the word (its last token), or before it (its first)."""
    for kind, tokenizer in loaded.items():
        row = {"tokens": words, "tags": ["X"] * len(words)}
        data = helpers.encode(tokenizer, "tagging", [row], ["X"], length=400)
        assert len(data) == 1
        ids = data.sequence(0).tolist()
        assert ids == tokenizer.encode([" ".join(words)], 400)[0].ids, "as in running text"
        for i, at in enumerate(data.arrays["at"].tolist()):
            before, upto = (decoded(tokenizer, ids[:end]) for end in (at, at + 1))
            if tokenizer.word == "last":
                assert upto == "".join(words[: i + 1]), (kind, words)
            else:
                assert before == "".join(words[:i]) and len(upto) > len(before), (kind, words)


@few
@given(SENTENCE)
def test_each_word_is_scored_once_however_a_sentence_is_cut(loaded, words):
    rows = [{"tokens": words * 2, "tags": [str(len(w)) for w in words * 2]}]
    for tokenizer in loaded.values():
        labels = sorted(set(rows[0]["tags"]))
        data = helpers.encode(tokenizer, "tagging", rows, labels, length=20)
        assert data.sequence_lengths().max() <= 20
        spans = data.arrays["spans"]
        gold = [data.arrays["tags"][a:b] for a, b in itertools.pairwise(spans)]
        assert tagging.decode(gold, data, rows) == [" ".join(rows[0]["tags"])]


@few
@given(SENTENCE, st.data(), st.booleans(), st.sampled_from([24, 32, 500]))
def test_an_answer_comes_back_from_its_tokens(loaded, words, data, spaced, length):
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, min(len(words) - 1, first + 3)))
    space = " " if spaced else ""
    context, answer = space.join(words), space.join(words[first : last + 1])
    start = len(space.join(words[:first])) + (len(space) if first else 0)
    question = " ".join(words[::-1] * 3)  # is cut
    row = {"question": question, "context": context, "answers": {}}
    for kind, tokenizer in loaded.items():
        row["answers"] = {"text": [answer], "start": [start]}
        encoded = helpers.encode(tokenizer, "span", [row], length=length)
        assert encoded.sequence_lengths().max() <= length
        nothing = encoded.arrays.get("nothing", np.zeros(len(encoded), int))
        found = [
            (0.0, 1.0, *tokens) if tokens[0] != place else (9.0, -9.0, *tokens)
            for tokens, place in zip(encoded.arrays["answer"].tolist(), nothing, strict=True)
        ]
        (text,) = span.decode(found, encoded, [row])
        if len(encoded) == 1 or any(score > 0 for _, score, *_ in found):
            assert text == answer if spaced else answer in text, (kind, context, answer)


@few
@given(SENTENCE, st.integers(0, 20), st.integers(0, 20))
def test_a_pair_never_runs_together(loaded, words, one, other):
    text = "".join(words)
    one, other = min(one, len(text)), min(other, len(text))
    pairs = [(text[:cut], text[cut:]) for cut in (one, other)]
    for kind, tokenizer in loaded.items():
        a, b = (e.ids for e in tokenizer.encode(pairs, 500))
        assert (a == b) == (one == other), (kind, pairs)


@pytest.mark.parametrize("kind", KINDS)
def test_special_tokens_in_a_text_stay_text(loaded, kind):
    tokenizer = loaded[kind]
    special = {i for t, i in tokenizer.special_tokens.items() if "unk" not in t.lower()}
    ends = [*tokenizer.template[0], *tokenizer.template[1]]
    for name in tokenizer.special_tokens:
        for text in (name, f"a {name} b", f"a{name}"):
            (encoding,) = tokenizer.encode([text], 99)
            assert [i for i in encoding.ids if i in special and i in ends] == ends
            assert len(special & set(encoding.ids)) == len(set(ends)), (text, encoding.tokens)
        (tokens,) = tokenizer.encode_words([name]).values()
        assert special.isdisjoint(i for i, _ in tokens)


def test_a_bpe_that_takes_whole_words_of_its_vocabulary_takes_no_special_one(tmp_path, folders):
    """Llama 3's `ignore_merges`; and merges that end in a special token's name."""
    for name in ("tokenizer.json", "config.json"):
        shutil.copy(folders["gemma3_text"] / name, tmp_path)
    content = json.loads((tmp_path / "tokenizer.json").read_text())
    tokens = len(content["model"]["vocab"])
    content["model"]["ignore_merges"] = True
    content["model"]["vocab"] |= {"<b": tokens, "os>": tokens + 1}
    content["model"]["merges"] += [["<", "b"], ["o", "s"], ["<b", "os>"]]
    content["model"]["vocab"]["os"] = tokens + 2
    content["model"]["merges"].insert(-1, ["os", ">"])
    content["model"]["vocab"].setdefault(">", tokens + 3)
    content["model"]["vocab"].setdefault("<", tokens + 4)
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    tokenizer = load_tokenizer(tmp_path / "tokenizer.json")
    assert tokenizer.encode(["<bos>"], 9)[0].tokens == ["<bos>", "<b", "os>", "<eos>"]


def test_words_have_their_space_where_that_makes_other_tokens(loaded):
    spaced = {kind for kind, tokenizer in loaded.items() if tokenizer.words_have_spaces}
    assert spaced == {"bloom", "eurobert", "gemma3_text", "gpt2", "llama", "modernbert", "qwen3"}
    assert loaded["qwen3"].in_sentence(["a", "b", ""]) == ["a", " b", " "]
    assert loaded["llama2"].in_sentence(["a", "b"]) == ["a", "b"]


def test_a_lone_space_stands_for_no_word(loaded):
    first, last = loaded["modernbert"], loaded["qwen3"]
    assert (first.place(["Ġ", "ĠĠ", "a", "b"]), last.place(["Ġ", "a", "b", "Ġ"])) == (2, 2)
    assert (first.place(["Ġ", "Ġ"]), last.place(["Ġ", "Ġ"])) == (0, 1)
    assert loaded["xlm-roberta"].place(["▁", "Ġ"]) == 1, "which is a letter of Maltese"
    assert loaded["gemma3_text"].place(["▁▁", "<0xE0>", "<0xB8>"]) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_word_without_text_has_a_place(loaded, kind):
    row = {"tokens": ["", "a", ""], "tags": ["X"] * 3}
    data = helpers.encode(loaded[kind], "tagging", [row], ["X"])
    assert (len(data), len(data.arrays["at"])) == (1, 3)
    assert data.arrays["at"].max() < len(data.sequence(0))


def test_no_answer_of_a_decoder_is_the_last_token_which_has_seen_the_text(loaded):
    import torch

    tokenizer = loaded["qwen3"]
    texts = [("a", "b dog"), ("a", "b")]
    rows = [{"question": q, "context": c, "answers": {"text": [], "start": []}} for q, c in texts]
    rows.append(rows[0] | {"answers": {"text": [" dog"], "start": [1]}})
    data = helpers.encode(tokenizer, "span", rows, no_answer=True)
    assert [e.tokens for e in tokenizer.encode(texts, 9)] == [
        ["a", "<|endoftext|>", "b", "Ġdog", "<|endoftext|>"],
        ["a", "<|endoftext|>", "b", "<|endoftext|>"],
    ]
    assert data.arrays["nothing"].tolist() == [4, 3, 4]
    assert data.arrays["answer"].tolist() == [[4, 4], [3, 3], [3, 3]]
    batch = span.collate(data, np.array([1, 0]))
    assert batch["nothing"].tolist() == [3, 4]
    batch = {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in batch.items()}
    scores = torch.zeros(2, 5, 2)
    # Allowed are the context and the last token: log 2 and log 3 for start and end.
    expected = np.log(2) + np.log(3)
    assert span.loss(scores, batch).item() == pytest.approx(expected, abs=1e-6)
    scores[0, 3], scores[1, 4], scores[1, 3] = 2.0, 1.0, 3.0
    scores[:, 0] = 9.0
    reduced = span.reduce(scores, batch).tolist()
    assert reduced == [[4.0, 0.0, 2, 2], [2.0, 6.0, 3, 3]]
    assert span.decode([reduced[1], reduced[0]], data, rows[:2]) == ["dog", ""]


def test_a_special_token_past_the_embeddings_is_left_out(tmp_path):
    """As Gemma 3's of an image, in its models without images."""
    folder = write("gemma3_text", tmp_path / "hub")
    backend = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    size = backend.get_vocab_size()
    backend.add_special_tokens(["<image_soft_token>"])
    backend.save(str(folder / "tokenizer.json"))
    _, got, _ = fitted("gemma3_text", folder, tmp_path / "ours", size=size)
    assert max(got.get_vocab().values()) == size - 1
    ours = load_tokenizer(tmp_path / "ours" / "tokenizer.json")
    assert "<image_soft_token>" not in ours.special_tokens


@pytest.mark.parametrize("missing", [{"eos": None}, {"eos": "<end>"}])
def test_a_decoder_without_an_end_token_is_refused(tmp_path, monkeypatch, missing):
    """`<end>` would be a new token, for which there is no embedding."""
    make, _ = KINDS["qwen3"]
    monkeypatch.setitem(KINDS, "qwen3", (make, {k: v for k, v in missing.items() if v}))
    size = make(list(backbones.TEXTS), 300).get_vocab_size()
    folder = write("qwen3", tmp_path / "hub")
    with pytest.raises(UserError, match=r"^model o/m: its tokenizer has no token to put after"):
        fitted("qwen3", folder, tmp_path / "ours", size=size)


def content(post_processor, special=("<s>", "</s>"), vocab=("a",)):
    added = [{"content": t, "id": i, "special": True} for i, t in enumerate(special)]
    vocabulary = {t: i for i, t in enumerate((*special, *vocab))}
    return {"added_tokens": added, "model": {"vocab": vocabulary}, "post_processor": post_processor}


def test_separators_by_hand():
    roles = {"bos": "<s>", "eos": "</s>", "pad": None}
    new, pad = separators.separated(content(None), roles, 3, decoder=True)
    end = {"SpecialToken": {"id": "</s>", "type_id": 0}}
    a, b = ({"Sequence": {"id": name, "type_id": i}} for i, name in enumerate("AB"))
    assert new["post_processor"] == {
        "type": "TemplateProcessing",
        "single": [a, end],
        "pair": [a, end, b, {"SpecialToken": {"id": "</s>", "type_id": 1}}],
        "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}},
    }
    assert pad == "<s>", "the only other special token, which stands nowhere"
    # The same again: nothing is missing any more.
    assert separators.separated(new, roles, 3, decoder=True) == (new, "<s>")
    # Bytes stay the first step; an encoder without special tokens gets some too.
    step = {"type": "ByteLevel", "trim_offsets": False}
    got, _ = separators.separated(content(step), roles, 3, decoder=False)
    assert got["post_processor"] == {
        "type": "Sequence",
        "processors": [step, new["post_processor"]],
    }
    cls = {"type": "RobertaProcessing", "cls": ["<s>", 0], "sep": ["</s>", 1]}
    for steps in (cls, {"type": "Sequence", "processors": [step, cls]}):
        given = content(steps, special=("<s>", "</s>", "<pad>"))
        found = separators.separated(given, roles | {"pad": "<pad>"}, 4, decoder=False)
        assert found == (given, "<pad>")


def test_padding_is_not_the_end_where_there_is_another():
    for special, own, wanted in [
        (("<e>",), None, "<e>"),
        (("<e>", "<x>", "<|vision_pad|>"), "<e>", "<|vision_pad|>"),
        (("<e>", "<x>", "<pad>"), "<x>", "<x>"),
        (("<e>", "<x>"), None, "<x>"),
    ]:
        roles = {"eos": "<e>", "pad": own}
        assert separators.separated(content(None, special), roles, 9, decoder=True)[1] == wanted
    with pytest.raises(UserError, match=r"no token to put after a text"):
        separators.separated(content(None, ()), {}, 9, decoder=False)


# Digests of what was encoded before other tokenizers than XLM-R's, BERT's and DeBERTa's were known.
REAL = Path(__file__).parents[3] / "shared/data/models/local/me5-small-xlmr-32k-6l"
ROWS = {
    "classification": [{"text": t, "text_pair": p, "label": "x"} for t, p in
                       [*itertools.pairwise(backbones.TEXTS), ("the <mask> cat", None)]],
    "choice": [{"context": backbones.TEXTS[0], "choices": list(backbones.TEXTS[1:4]), "label": 1}],
    "tagging": [{"tokens": [*t.split(), "猫", "\u200b", "", "▁"],
                 "tags": ["x"] * (len(t.split()) + 4)} for t in backbones.TEXTS],
    "span": [{"question": q, "context": 3 * c, "answers": {"text": [c[4:9]], "start": [4]}}
             for q, c in itertools.pairwise(backbones.TEXTS)],
    "retrieval": [{"text": t} for t in backbones.TEXTS],
    "mlm": [{"text": 3 * t} for t in backbones.TEXTS],
}  # fmt: skip
PINNED = {
    "toy": {
        "classification": "76bc93eb00b2cc12",
        "choice": "51ab8055271025db",
        "tagging": "47b93fe29137b85c",
        "span": "595c793119e6da06",
        "retrieval": "0ca077b113dda46e",
        "mlm": "567fb05e43b3968c",
    },
    "real": {
        "classification": "135a50fc63849a27",
        "choice": "dad46a99cc9d4567",
        "tagging": "02cb8263a675dadc",
        "span": "81e447ce187f4f01",
        "retrieval": "f01c07157ce2b1f5",
        "mlm": "4c5cd355fad0366f",
    },
}


@pytest.mark.parametrize("name", PINNED)
def test_what_xlmr_encodes_is_what_it_was(tmp_path, name):
    if name == "real" and not REAL.is_dir():
        pytest.skip("needs ../shared/data/models/local/me5-small-xlmr-32k-6l")
    toy = name == "toy"
    tokenizer = helpers.make_tokenizer(tmp_path) if toy else load_tokenizer(REAL / "tokenizer.json")
    found = {}
    for format, rows in ROWS.items():
        digest = hashlib.sha256()
        for length in (24, 64):
            arrays = helpers.encode(tokenizer, format, rows, ["x"], length=length).arrays
            for key in sorted(arrays):
                digest.update(key.encode() + arrays[key].tobytes())
        found[format] = digest.hexdigest()[:16]
    assert found == PINNED[name]
