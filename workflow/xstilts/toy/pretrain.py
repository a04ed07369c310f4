"""Train the toy encoder: a small XLM-R from scratch, in about a minute.

    python -m xstilts.steps.toy_model --spec JSON --out DIR

**A stand-in for a public checkpoint**, so that the whole experiment can be rehearsed without a
network or a GPU. It has the architecture, file format and vocabulary layout of XLM-R, and is
pre-trained as XLM-R is not:

- its weights start from a dictionary and from attention to what is alike (`xstilts.toy.start`);
- on parallel sentences of the toy world, by translation language modelling (TLM, as in XLM): two
  translations side by side, 30% of the tokens masked; only short ones at first;
- with a light contrastive loss, which in turn brings together the translations of a sentence
  (mean-pooled at the middle layer), the words for the same part of a sentence (at the last), and a
  premise and hypothesis with the same two in another language (the first token of the last layer);
- on pairs of text made by the same generators as the tasks (without labels), since a model this
  small does not otherwise learn to compare two texts. The stories come with their right ending;
- for a fixed number of steps over text that is drawn anew and seen once. Items of evaluation sets
  can occur in it by chance, without their labels.

Its scores say nothing about real encoders. The same spec gives the same bytes.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import XLMRobertaConfig, XLMRobertaModel, XLMRobertaTokenizer

from xstilts.running import files
from xstilts.toy import corpus, spec, start, vocabulary

POSITIONS = 514
THREADS = 2  # whatever cores there are: another number gives other bytes
Encode = Callable[..., dict[str, Tensor]]
TEMPERATURE = 0.05
ALIGNED = (corpus.aligned_sentence, corpus.aligned_part, corpus.aligned_inference)
EARLY = 0.4  # the share of the steps with short translations only


class Head(nn.Module):
    """Predicts masked tokens, with the embeddings as its last layer."""

    def __init__(self, encoder: XLMRobertaModel) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(encoder.config.hidden_size)
        self.bias = nn.Parameter(torch.zeros(encoder.config.vocab_size))
        self.embeddings = [encoder.embeddings.word_embeddings]  # a list: not a submodule

    def forward(self, hidden: Tensor) -> Tensor:
        return functional.linear(self.norm(hidden), self.embeddings[0].weight, self.bias)


def build(settings: spec.Pretrain, vocabulary_size: int) -> XLMRobertaModel:
    """A new encoder."""
    config = XLMRobertaConfig(
        vocab_size=vocabulary_size,
        hidden_size=settings.width,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        intermediate_size=4 * settings.width,
        max_position_embeddings=POSITIONS,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        hidden_dropout_prob=settings.dropout,
        attention_probs_dropout_prob=settings.dropout,
        initializer_range=start.SPREAD,
    )
    return XLMRobertaModel(config, add_pooling_layer=False)


def mask_tokens(
    ids: Tensor, share: float, size: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Mask a share of the tokens (80% as `<mask>`, 10% as another); return which were chosen."""
    chosen = (torch.rand(ids.shape, generator=generator) < share) & (ids > 3)
    how = torch.rand(ids.shape, generator=generator)
    other = torch.randint(4, size - 1, ids.shape, generator=generator)
    hidden = torch.where(chosen & (how < 0.8), size - 1, ids)
    return torch.where(chosen & (how >= 0.9), other, hidden), chosen


def contrast(
    encoder: XLMRobertaModel, encode: Encode, pairs: list[corpus.Aligned], layer: int
) -> Tensor:
    """The contrastive loss (InfoNCE) of aligned spans, mean-pooled, within a batch."""
    both = [pair.texts[side] for side in (0, 1) for pair in pairs]
    batch = encode(*map(list, zip(*both, strict=True)), return_offsets_mapping=True)
    starts, ends = batch.pop("offset_mapping").unbind(-1)
    spans = torch.tensor([pair.spans[side] for side in (0, 1) for pair in pairs]).unsqueeze(1)
    inside = (ends > starts) & (ends > spans[..., 0]) & (starts < spans[..., 1])
    if pairs[0].first_token:
        inside = torch.zeros_like(inside)
        inside[:, 0] = True
    hidden = encoder(**batch, output_hidden_states=True).hidden_states[layer]
    weights = inside.unsqueeze(-1).to(hidden.dtype)
    pooled = functional.normalize((hidden * weights).sum(1) / weights.sum(1), dim=-1)
    one, other = pooled.chunk(2)
    scores = one @ other.T / TEMPERATURE
    same = torch.tensor([[a.meaning == b.meaning for b in pairs] for a in pairs])
    scores = scores.masked_fill(same & ~torch.eye(len(pairs), dtype=torch.bool), float("-inf"))
    gold = torch.arange(len(scores))
    return (functional.cross_entropy(scores, gold) + functional.cross_entropy(scores.T, gold)) / 2


def train(toy_spec: spec.Spec) -> tuple[XLMRobertaModel, XLMRobertaTokenizer]:
    """Train the tokenizer and the encoder."""
    settings, rng = toy_spec.pretrain, Random(f"{toy_spec.seed}/pretrain")
    torch.set_num_threads(THREADS)
    torch.manual_seed(toy_spec.seed)
    generator = torch.Generator().manual_seed(toy_spec.seed)
    languages = toy_spec.languages
    tokenizer = vocabulary.train_tokenizer(Random(f"{toy_spec.seed}/vocabulary"), languages)
    encoder = build(settings, len(tokenizer))
    start.words(encoder, vocabulary.dictionary(tokenizer, languages), settings.dictionary)
    start.attention(encoder)
    head = Head(encoder)
    encoder.train()
    parameters = [*encoder.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(
        parameters, settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    middle = (settings.layers + 1) // 2
    warmup = max(1, settings.steps // 20)

    def rate(done: int) -> float:
        if done < warmup:
            return (done + 1) / warmup
        share = (done - warmup) / max(1, settings.steps - warmup)
        return 0.02 + 0.49 * (1 + math.cos(math.pi * share))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)

    def encode(*texts: list[str], **options: bool) -> dict[str, Tensor]:
        return dict(
            tokenizer(*texts, padding=True, truncation=True, return_tensors="pt", **options)
        )

    started, losses = time.monotonic(), []
    for done in range(settings.steps):
        early = done < settings.steps * EARLY
        pairs = corpus.batch(rng, languages, settings.batch_size, early)
        batch = encode([a for a, _ in pairs], [b for _, b in pairs])
        ids, chosen = mask_tokens(batch["input_ids"], settings.mask, len(tokenizer), generator)
        hidden = encoder(ids, batch["attention_mask"]).last_hidden_state
        loss = functional.cross_entropy(head(hidden[chosen]), batch["input_ids"][chosen])
        kind = ALIGNED[done % len(ALIGNED)]
        aligned = [kind(rng, languages) for _ in range(settings.batch_size)]
        layer = middle if kind is corpus.aligned_sentence else settings.layers
        contrastive_loss = contrast(encoder, encode, aligned, layer)
        (loss + settings.contrast * contrastive_loss).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        losses.append((loss.item(), contrastive_loss.item()))
        if (done + 1) % 100 == 0 or done + 1 == settings.steps:
            means = [sum(values) / len(losses) for values in zip(*losses, strict=True)]
            seconds = time.monotonic() - started
            print(
                f"step {done + 1}/{settings.steps}  masked {means[0]:.3f}  "
                f"contrast {means[1]:.3f}  {seconds:.0f} s",
                flush=True,
            )
            losses.clear()
    return encoder.eval(), tokenizer


def write(toy_spec: spec.Spec, out: Path) -> None:
    """Train and write the folder; the weights come last."""
    encoder, tokenizer = train(toy_spec)
    out.mkdir(parents=True, exist_ok=True)
    vocabulary.save(tokenizer, out)
    encoder.config.architectures = ["XLMRobertaModel"]
    encoder.config.save_pretrained(out)
    with files.atomic(out / "model.safetensors") as temporary:
        save_weights(encoder, temporary)
    count = sum(p.numel() for p in encoder.parameters())
    print(f"{count / 1e6:.2f} M parameters, {len(tokenizer)} tokens, in {out}")


def save_weights(encoder: XLMRobertaModel, path: Path) -> None:
    """Write the weights under the names that `from_pretrained` looks for."""
    from safetensors.torch import save_file

    state = {name: tensor.contiguous() for name, tensor in encoder.state_dict().items()}
    save_file(state, path, metadata={"format": "pt"})
