"""A decoder of 100,000 weights that learns in seconds to write rows of the toy world as JSON."""

from pathlib import Path

from xstilts.generation import shapes, template, toy
from xstilts.generation.rounds import Request
from xstilts.toy import backbones

LABELS = ("entailment", "neutral", "contradiction")
PROMPT = "{language}: {label}"
ROWS = 300


def write(folder: Path, steps: int = 120) -> None:
    """Write a checkpoint that answers `PROMPT`, with no examples, in German."""
    import torch
    import transformers

    shape = shapes.of("classification", [{"text": "a", "text_pair": "b"}], LABELS, {})
    requests = [Request(at, LABELS[at % 3]) for at in range(ROWS)]
    answers = toy.answers(requests, [[]] * ROWS, shape, "de", "taught", {})
    asks = template.parse(PROMPT, "prompt", "classification", LABELS, 0)
    prompts = [asks.prompt("German", "de", one.label, {}, 0, []) for one in requests]
    texts = [*answers, *prompts]
    backbones.write("llama", folder, texts, head=True, width=64, vocabulary=300)
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = [
        tokenizer(prompt)["input_ids"]
        + tokenizer(answer, add_special_tokens=False)["input_ids"]
        + [tokenizer.eos_token_id]
        for prompt, answer in zip(prompts, answers, strict=True)
    ]
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    drawn = torch.Generator().manual_seed(1)
    for _ in range(steps):
        batch = [ids[at] for at in torch.randint(ROWS, (16,), generator=drawn).tolist()]
        inputs = torch.zeros(16, max(map(len, batch)), dtype=torch.long)
        labels, mask = torch.full_like(inputs, -100), torch.zeros_like(inputs)
        for at, one in enumerate(batch):
            inputs[at, : len(one)] = labels[at, : len(one)] = torch.tensor(one)
            mask[at, : len(one)] = 1
        model(input_ids=inputs, attention_mask=mask, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)
