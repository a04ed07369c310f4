"""The tokenizer of the toy encoder: sentencepiece tokens in the tokenizer format of XLM-R.

Sentencepiece learns BPE merges inside words (also in Chinese, which it gets with hidden word
boundaries), enough of them for every word of the lexicon to be one token. The tokens that the
corpus uses, and all characters, become the vocabulary of XLM-R's own tokenizer class. Every token
has the same score, so a text is split into as few tokens as possible.
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


def sentencepiece_text(sentence: Sentence) -> str:
    """A sentence for sentencepiece; without spaces, it has word boundaries."""
    if sentence.spaced:
        return sentence.text
    return BOUNDARY + BOUNDARY.join(token.text for token in sentence.tokens)


def learn_tokens(rng: Random, languages: tuple[str, ...]) -> list[str]:
    """The tokens of a vocabulary, most frequent first."""
    lines = [sentencepiece_text(s) for s in corpus.sentences(rng, languages, SENTENCES)]
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
    used = {token for line in processor.encode(lines, out_type=str) for token in line}
    learnt = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
    return [t for t in learnt if t not in SPECIAL and (t in used or len(t) == 1)]


def train_tokenizer(rng: Random, languages: tuple[str, ...]) -> XLMRobertaTokenizer:
    """Train a tokenizer; ids as in XLM-R: `<s> <pad> </s> <unk>`, tokens, `<mask>`."""
    vocabulary = [(name, 0.0) for name in SPECIAL]
    vocabulary += [(token, -1.0) for token in learn_tokens(rng, languages)]
    return XLMRobertaTokenizer(vocab=[*vocabulary, ("<mask>", 0.0)], model_max_length=512)


def dictionary(tokenizer: XLMRobertaTokenizer, languages: tuple[str, ...]) -> dict[str, list[int]]:
    """Concept -> ids of the tokens that are its words, whatever their case, ending and article."""
    concept_ids: dict[str, list[int]] = {}
    vocabulary = tokenizer.get_vocab()
    ids: dict[str, list[int]] = {token.removeprefix("▁").lower(): [] for token in vocabulary}
    for token, token_id in vocabulary.items():
        ids[token.removeprefix("▁").lower()].append(token_id)
    for name, concept in lexicon.concepts().items():
        spellings = set()
        for language in languages:
            for form in lexicon.words(language)[name].forms:
                spellings |= {form.lower(), "ال" + form} if " " not in form else set()
                if concept.kind == "adjective" and language in ("de", "ru"):
                    inflected = [s for s in ids if s.startswith(form) and len(s) - len(form) < 4]
                    spellings.update(inflected)
        concept_ids[name] = sorted(token_id for s in spellings for token_id in ids.get(s, []))
    return concept_ids


def save(tokenizer: XLMRobertaTokenizer, folder: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json."""
    tokenizer.save_pretrained(folder)
