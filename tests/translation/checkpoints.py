"""Tiny untrained checkpoints of translators, with tokenizers of their kinds."""

import io
import json
from pathlib import Path

from xstilts.toy.corpus import texts

CODES = ("eng_Latn", "deu_Latn", "rus_Cyrl")


def pieces(folder: Path, size: int = 400) -> Path:
    """Write a small sentencepiece model."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts(1, ("en", "de", "ru"), 400)),
        model_writer=model, vocab_size=size, model_type="bpe", minloglevel=2,
    )  # fmt: skip
    path = folder / "sentencepiece.bpe.model"
    path.write_bytes(model.getvalue())
    return path


def m2m100(folder: Path, seed: int = 0, **size: int) -> Path:
    """Write a checkpoint of M2M100's kind, of two layers, or of another size."""
    import torch
    import transformers

    folder.mkdir(parents=True)
    source = pieces(folder)
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor(model_file=str(source))
    vocabulary = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
    for piece in map(model.id_to_piece, range(model.get_piece_size())):
        vocabulary.setdefault(piece, len(vocabulary))
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    tokenizer = transformers.M2M100Tokenizer(str(folder / "vocab.json"), str(source))
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    small = {
        "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
        "max_position_embeddings": 64,
    }  # fmt: skip
    config = transformers.M2M100Config(
        vocab_size=tokenizer.encoder_size + 100 + 8,  # languages, and words that are made up
        decoder_start_token_id=2,
        **small | size,
    )
    transformers.M2M100ForConditionalGeneration(config).save_pretrained(folder)
    return folder
