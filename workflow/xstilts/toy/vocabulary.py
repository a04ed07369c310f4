"""The tokenizer of the toy encoder: sentencepiece pieces in the tokenizer format of XLM-R.

Sentencepiece learns BPE merges inside words (also in Chinese, which it is shown with hidden word
boundaries), many enough for every word of the lexicon to be one piece. The pieces that the corpus
uses, and all characters, become the vocabulary of XLM-R's own tokenizer class. Every piece has the
same score, so a text is cut into as few pieces as there can be.
"""

import io
from pathlib import Path
from random import Random

import sentencepiece
from transformers import XLMRobertaTokenizer

from xstilts.toy import corpus, lexicon
from xstilts.toy.grammar import Sentence

BOUNDARY = "\u0001"
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
SENTENCES, MERGES = 20_000, 600


def spelled(sentence: Sentence) -> str:
    """A sentence for sentencepiece: where there are no spaces, with word boundaries."""
    if sentence.spaced:
        return sentence.text
    return BOUNDARY + BOUNDARY.join(token.text for token in sentence.tokens)


def pieces(rng: Random, languages: tuple[str, ...]) -> list[str]:
    """The pieces of a vocabulary, most frequent first."""
    lines = [spelled(s) for s in corpus.sentences(rng, languages, SENTENCES)]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        model_type="bpe",
        vocab_size=MERGES * len(languages),
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name="identity",
        pretokenization_delimiter=BOUNDARY,
        num_threads=1,
        minloglevel=2,
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    used = {piece for line in processor.encode(lines, out_type=str) for piece in line}
    learnt = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
    return [p for p in learnt if p not in SPECIAL and (p in used or len(p) == 1)]


def tokenizer(rng: Random, languages: tuple[str, ...]) -> XLMRobertaTokenizer:
    """Train a tokenizer; ids as in XLM-R: `<s> <pad> </s> <unk>`, pieces, `<mask>`."""
    vocabulary = [(name, 0.0) for name in SPECIAL]
    vocabulary += [(piece, -1.0) for piece in pieces(rng, languages)]
    return XLMRobertaTokenizer(vocab=[*vocabulary, ("<mask>", 0.0)], model_max_length=512)


def dictionary(made: XLMRobertaTokenizer, languages: tuple[str, ...]) -> dict[str, list[int]]:
    """The pieces that are words of each concept, capitals, endings and articles aside."""
    found: dict[str, list[int]] = {}
    ids: dict[str, list[int]] = {piece.removeprefix("▁").lower(): [] for piece in made.get_vocab()}
    for piece, number in made.get_vocab().items():
        ids[piece.removeprefix("▁").lower()].append(number)
    for name, concept in lexicon.concepts().items():
        spellings = set()
        for language in languages:
            for form in lexicon.words(language)[name].forms:
                spellings |= {form.lower(), "ال" + form} if " " not in form else set()
                if concept.kind == "adjective" and language in ("de", "ru"):
                    ends = [s for s in ids if s.startswith(form) and len(s) - len(form) < 4]
                    spellings.update(ends)
        found[name] = sorted(number for s in spellings for number in ids.get(s, []))
    return found


def save(made: XLMRobertaTokenizer, folder: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json."""
    made.save_pretrained(folder)
