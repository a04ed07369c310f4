"""Small tokenizers of the kinds that public models have, trained on given texts.

Each is what its namesake's own `tokenizer.json` is but for the size of the vocabulary: the model
(unigram, BPE over bytes, BPE with bytes for what is unknown, WordPiece), normaliser, what stands
for a space, special tokens in their order, and the post-processor, which is where models differ
most (Qwen3 and BLOOM add nothing, Llama and Gemma a first token only, T5 `</s>` after each text,
XGLM `</s>` before each). Learnt as from the files of the models on the hub, and as the tokenizer
classes of transformers 5.23 build them. The same texts give the same bytes.
"""

import io
import json
from collections.abc import Sequence
from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

BYTES = [f"<0x{i:02X}>" for i in range(256)]
# Llama 3's cut into words, which EuroBERT took over; Qwen's has one digit a word.
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
BLOOM_WORDS = r" ?[^(\s|[.,!?…。，、।۔،])]+"
SPACES = normalizers.Replace(Regex(" {2,}"), " ")


def template(tokenizer: Tokenizer, single: str, pair: str) -> Any:
    """The post-processor of a template such as `<s> $A </s>`."""
    names = {word for word in f"{single} {pair}".split() if not word.startswith("$")}
    names = {name.removesuffix(":1") for name in names}
    special = [(name, tokenizer.token_to_id(name)) for name in sorted(names)]
    return processors.TemplateProcessing(single=single, pair=pair, special_tokens=special)


def add_special(tokenizer: Tokenizer, names: Sequence[str]) -> None:
    """Mark special tokens; those that are not in the vocabulary come after it."""
    tokenizer.add_special_tokens(
        [AddedToken(n, normalized=False, special=True, lstrip=n == "<mask>") for n in names]
    )


def pieces(texts: Sequence[str], size: int) -> list[tuple[str, float]]:
    """Pieces for a unigram model, all with one score, so that it splits into as few as it can.

    By sentencepiece's BPE, as those of the toy encoder (`vocabulary`): a unigram trainer finds
    nothing but characters in a few lines, and that of `tokenizers` other pieces each time.
    """
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, model_type="bpe", vocab_size=size,
        hard_vocab_limit=False, character_coverage=1.0, normalization_rule_name="identity",
        num_threads=1, minloglevel=2,
    )  # fmt: skip
    learnt = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    # 3: after its own <unk>, <s>, </s>
    return [(learnt.id_to_piece(i), -1.0) for i in range(3, len(learnt))]


def unigram(
    texts: Sequence[str], size: int, first: Sequence[str], last: Sequence[str] = (), unk: str = ""
) -> Tokenizer:
    """A unigram tokenizer; `first` and `last` are special, bytes among `first` are not."""
    vocabulary = [(name, 0.0) for name in first] + pieces(texts, size)
    vocabulary += [(name, 0.0) for name in last]
    fallback = BYTES[0] in first
    unk_id = list(first).index(unk or "<unk>")
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id, byte_fallback=fallback))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), SPACES])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    add_special(tokenizer, [name for name in (*first, *last) if name not in BYTES])
    return tokenizer


def xlm_roberta(texts: Sequence[str], size: int) -> Tokenizer:
    """`<s> A </s>`, `<s> A </s></s> B </s>`; also of XLM-R XL and XXL."""
    tokenizer = unigram(texts, size, ["<s>", "<pad>", "</s>", "<unk>"], ["<mask>"])
    tokenizer.post_processor = template(tokenizer, "<s> $A </s>", "<s> $A </s> </s> $B </s>")
    return tokenizer


def deberta(texts: Sequence[str], size: int) -> Tokenizer:
    """mDeBERTa's: unigram with the names of BERT's special tokens."""
    first = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
    tokenizer = unigram(texts, size, first, ["[MASK]"], unk="[UNK]")
    pair = "[CLS] $A [SEP] $B:1 [SEP]:1"
    tokenizer.post_processor = template(tokenizer, "[CLS] $A [SEP]", pair)
    return tokenizer


def mt5(texts: Sequence[str], size: int) -> Tokenizer:
    """`A </s>`, `A </s> B </s>`; bytes for what is unknown."""
    return _t5(texts, size, ["<pad>", "</s>", "<unk>"])


def umt5(texts: Sequence[str], size: int) -> Tokenizer:
    """As mT5's, with `<s>` in the vocabulary, never used."""
    return _t5(texts, size, ["<pad>", "</s>", "<s>", "<unk>"])


def _t5(texts: Sequence[str], size: int, first: list[str]) -> Tokenizer:
    sentinels = [f"<extra_id_{i}>" for i in range(9, -1, -1)]
    tokenizer = unigram(texts, size, [*first, *BYTES], sentinels)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    tokenizer.post_processor = template(tokenizer, "$A </s>", "$A </s> $B </s>")
    return tokenizer


def xglm(texts: Sequence[str], size: int) -> Tokenizer:
    """`</s> A`, `</s> A </s></s> B`: nothing stands at the end."""
    last = [f"<madeupword{i}>" for i in range(7)]
    tokenizer = unigram(texts, size, ["<s>", "<pad>", "</s>", "<unk>"], last)
    tokenizer.post_processor = template(tokenizer, "</s> $A", "</s> $A </s> </s> $B")
    return tokenizer


def byte_level(
    texts: Sequence[str], size: int, first: Sequence[str], last: Sequence[str], words: str
) -> Tokenizer:
    """BPE over bytes; special tokens before and after the vocabulary."""
    tokenizer = Tokenizer(models.BPE())
    bytes_of = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not words)
    split = [pre_tokenizers.Split(Regex(words), "isolated")] if words else []
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*split, bytes_of])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=len(first) + 256 + size, special_tokens=list(first), show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer)
    add_special(tokenizer, [*first, *last])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def _after_bytes(tokenizer: Tokenizer, single: str, pair: str) -> Tokenizer:
    trim = processors.ByteLevel(trim_offsets=True)
    tokenizer.post_processor = processors.Sequence([trim, template(tokenizer, single, pair)])
    return tokenizer


def qwen3(texts: Sequence[str], size: int) -> Tokenizer:
    """No special token around a text or between two."""
    last = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = byte_level(texts, size, [], last, WORDS.replace("{1,3}", ""))
    tokenizer.normalizer = normalizers.NFC()
    return tokenizer


def bloom(texts: Sequence[str], size: int) -> Tokenizer:
    """No special token around a text or between two, though it has them."""
    return byte_level(texts, size, ["<unk>", "<s>", "</s>", "<pad>"], [], BLOOM_WORDS)


def llama(texts: Sequence[str], size: int) -> Tokenizer:
    """A first token before each text, none at the end, no pad token."""
    bos = "<|begin_of_text|>"
    tokenizer = byte_level(texts, size, [], [bos, "<|end_of_text|>", "<|eot_id|>"], WORDS)
    return _after_bytes(tokenizer, f"{bos} $A", f"{bos} $A {bos}:1 $B:1")


def eurobert(texts: Sequence[str], size: int) -> Tokenizer:
    """Llama's, with a token at the end, a mask and a pad token."""
    bos, eos = "<|begin_of_text|>", "<|end_of_text|>"
    tokenizer = byte_level(texts, size, [], [bos, eos, "<|mask|>", "<|pad|>"], WORDS)
    return _after_bytes(tokenizer, f"{bos} $A {eos}", f"{bos} $A {eos} $B {eos}")


def modernbert(texts: Sequence[str], size: int) -> Tokenizer:
    """BPE over bytes with the names of BERT's special tokens."""
    last = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    tokenizer = byte_level(texts, size, [], last, "")
    tokenizer.normalizer = normalizers.NFC()
    pair = "[CLS] $A [SEP] $B [SEP]"
    tokenizer.post_processor = template(tokenizer, "[CLS] $A [SEP]", pair)
    return tokenizer


def gemma(texts: Sequence[str], size: int) -> Tokenizer:
    """BPE with `▁` for a space and bytes for what is unknown; a first token before each text, none
    at the end."""
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    # Words stay whole while it learns (merges across spaces would be whole sentences here).
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    trainer = trainers.BpeTrainer(
        vocab_size=len(special) + 256 + size, special_tokens=[*special, *BYTES], show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer.post_processor = template(tokenizer, "<bos> $A", "<bos> $A <bos>:1 $B:1")
    return _bytes_are_ordinary(tokenizer, special)


def _bytes_are_ordinary(tokenizer: Tokenizer, special: Sequence[str]) -> Tokenizer:
    """Take the bytes out of the special tokens, among which only the trainer needs them."""
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [t for t in content["added_tokens"] if t["content"] in special]
    return Tokenizer.from_str(json.dumps(content))


def bert(texts: Sequence[str], size: int) -> Tokenizer:
    """WordPiece, cased."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    # As in `pieces`: the trainer of `tokenizers` finds other ones each time.
    learnt = [piece for piece, _ in pieces(texts, size)]
    starts = [piece.removeprefix("▁") for piece in learnt if piece.startswith("▁")]
    inner = [piece for piece in learnt if not piece.startswith("▁")]
    characters = [piece for piece in inner if len(piece) == 1]
    names = [*special, *filter(None, starts), *characters, *(f"##{piece}" for piece in inner)]
    vocabulary = {name: i for i, name in enumerate(dict.fromkeys(names))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    add_special(tokenizer, special)
    pair = "[CLS] $A [SEP] $B:1 [SEP]:1"
    tokenizer.post_processor = template(tokenizer, "[CLS] $A [SEP]", pair)
    return tokenizer
