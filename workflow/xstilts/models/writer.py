"""A decoder that writes text: prompts in, answers out, in batches of like length.

    writer = opened("transformers", folder, settings)
    answers = writer(prompts, seed)

The engine is transformers' `generate`, or vLLM where that is installed (it is no dependency). Both
read a local folder, ask no network, and run no code of a repository (`trust_remote_code` is never
set). On a CPU transformers' answers to the same prompts with the same seed are the same bytes; on a
GPU, and by vLLM, they need not be, since sums of other batches are rounded otherwise.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from xstilts.running import device as devices
from xstilts.running.errors import UserError

ENGINES = ("transformers", "vllm")
FIRST = 128  # sequences of a batch at most, however short
ON_CPU = 16_384  # tokens of a batch there, whatever the budget: draws follow from what is in it
TEMPLATE = "chat_template.jinja"


@dataclasses.dataclass(frozen=True)
class Written:
    """An answer, and whether the decoder ended it; else it was cut off at `max_tokens`."""

    text: str
    ended: bool


@dataclasses.dataclass(frozen=True)
class Settings:
    """How it writes.

    Attributes:
        temperature: of the draws; 0 takes the most probable token.
        top_p: the share of probability that is drawn from (nucleus, Holtzman et al. 2020).
        max_tokens: of an answer.
        budget: tokens of a batch on a GPU, of prompts and answers with padding.
    """

    temperature: float = 1.0
    top_p: float = 0.95
    max_tokens: int = 512
    budget: int = 65_536


Writer = Callable[[Sequence[str], int], list[Written]]


def opened(engine: str, folder: str | Path, settings: Settings) -> Writer:
    """Return what writes with a decoder in a local folder.

    Raises:
        UserError: the folder holds no decoder that can be loaded; the engine is not installed.
    """
    return (VLLM if engine == "vllm" else Transformers)(Path(folder), settings)


def batches(lengths: Sequence[int], more: int, budget: int) -> list[list[int]]:
    """Return the indices of sequences by batch: of like length, the longest first, so that what
    does not fit shows at once.

    Args:
        lengths: of the prompts, in tokens.
        more: tokens that are added to each.
        budget: tokens of a batch, with padding; one sequence is always taken.
    """
    found: list[list[int]] = []
    width = 0
    for at in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        most = min(FIRST, max(1, budget // (width + more))) if found else 0
        if len(found[-1] if found else ()) >= most:
            found.append([])
            width = lengths[at]
        found[-1].append(at)
    return found


class Transformers:
    """Transformers' own `generate`."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        import torch

        self.folder, self.settings = folder, settings
        self.device = devices.choose()
        gpu = self.device.type == "cuda" and devices.has_bf16()
        self.tokenizer = tokenizer_of(folder)
        self.model = _model(folder, torch.bfloat16 if gpu else torch.float32).to(self.device)
        self.ends = _ends(self.model.generation_config.eos_token_id, self.tokenizer.eos_token_id)
        if not self.ends:
            raise UserError(f"{folder}: neither its tokenizer nor its config says what ends a text")
        pad = self.tokenizer.pad_token_id
        self.pad = self.ends[0] if pad is None else pad

    def __call__(self, prompts: Sequence[str], seed: int) -> list[Written]:
        """Return the answer to each prompt, drawn by a seed.

        Raises:
            UserError: a prompt and its answer are longer than the model reads.
        """
        import torch

        ids = [self._ids(prompt) for prompt in prompts]
        more = self.settings.max_tokens
        longest = max(map(len, ids), default=0)
        most = getattr(self.model.config, "max_position_embeddings", None)
        if most is not None and longest + more > most:
            raise UserError(
                f"a prompt of {longest} tokens and an answer of {more} are more than the {most}"
                " that the model reads; say a smaller `shots` or `max_tokens`"
            )
        torch.manual_seed(seed)
        found: dict[int, Written] = {}
        budget = ON_CPU if self.device.type == "cpu" else self.settings.budget
        for batch in batches([len(one) for one in ids], more, budget):
            written = self._fitting([ids[at] for at in batch])
            found |= dict(zip(batch, written, strict=True))
        return [found[at] for at in range(len(prompts))]

    def _ids(self, prompt: str) -> list[int]:
        # What a template makes has its special tokens already.
        text = chat(self.tokenizer, prompt)
        return self.tokenizer(text, add_special_tokens=text == prompt)["input_ids"]

    def _fitting(self, ids: list[list[int]]) -> list[Written]:
        """Return the answers to a batch, in halves where it does not fit into the GPU's memory."""
        import torch

        try:
            return self._batch(ids)
        except torch.OutOfMemoryError:
            if len(ids) == 1:
                raise
        torch.cuda.empty_cache()
        half = len(ids) // 2
        return self._fitting(ids[:half]) + self._fitting(ids[half:])

    def _batch(self, ids: list[list[int]]) -> list[Written]:
        import torch

        width = max(map(len, ids))
        tokens = torch.full((len(ids), width), self.pad)
        mask = torch.zeros_like(tokens)
        for at, one in enumerate(ids):  # padded on the left, since answers go on at the right
            tokens[at, width - len(one) :] = torch.tensor(one)
            mask[at, width - len(one) :] = 1
        with torch.inference_mode():
            whole = self.model.generate(
                input_ids=tokens.to(self.device),
                attention_mask=mask.to(self.device),
                max_new_tokens=self.settings.max_tokens,
                eos_token_id=self.ends,
                pad_token_id=self.pad,
                **_drawn(self.settings),
            )
        return [self._read(answer) for answer in whole[:, width:].tolist()]

    def _read(self, ids: list[int]) -> Written:
        end = next((at for at, token in enumerate(ids) if token in self.ends), None)
        text = self.tokenizer.decode(ids[:end], skip_special_tokens=True)
        return Written(text, end is not None)


class VLLM:
    """vLLM's engine for many prompts at once, which makes its own batches."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        # Read when it is imported, and by the processes that it starts: it tells nobody that it is
        # used, and asks the hub for nothing.
        os.environ.update(VLLM_NO_USAGE_STATS="1", DO_NOT_TRACK="1", HF_HUB_OFFLINE="1")
        try:
            import vllm
        except ImportError:
            raise UserError(
                "engine: vllm is not installed; `pip install vllm` into an environment of its own,"
                " or say `engine: transformers`"
            ) from None
        self.vllm, self.settings = vllm, settings
        self.tokenizer = tokenizer_of(folder)
        self.model = vllm.LLM(model=str(folder), trust_remote_code=False)

    def __call__(self, prompts: Sequence[str], seed: int) -> list[Written]:
        """Return the answer to each prompt, drawn by a seed and its place: by one seed, prompts
        that are alike would have the same answer."""
        texts = [chat(self.tokenizer, prompt) for prompt in prompts]
        ids = [
            self.tokenizer(text, add_special_tokens=text == prompt)["input_ids"]
            for text, prompt in zip(texts, prompts, strict=True)
        ]
        sampling = [
            self.vllm.SamplingParams(
                temperature=self.settings.temperature,
                top_p=self.settings.top_p,
                max_tokens=self.settings.max_tokens,
                seed=seed + at,
            )
            for at in range(len(ids))
        ]
        whole = self.model.generate([{"prompt_token_ids": one} for one in ids], sampling)
        answers = [one.outputs[0] for one in whole]
        return [Written(answer.text, answer.finish_reason == "stop") for answer in answers]


def chat(tokenizer: Any, prompt: str) -> str:
    """Return a prompt as the chat template of an instruction-tuned model has it, without its
    thinking aloud where it could; as it is, where there is no template."""
    if not tokenizer.chat_template:
        return prompt
    return tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}],
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=False,
    )


def tokenizer_of(folder: Path) -> Any:
    """Return the tokenizer in a folder, with the chat template that is beside it.

    Raises:
        UserError: it cannot be read.
    """
    import transformers

    kind: Any = transformers.AutoTokenizer
    if (folder / "tokenizer.json").is_file():  # taken as it is, as in `fetch.load`
        kind = transformers.PreTrainedTokenizerFast
    try:
        found = kind.from_pretrained(folder, local_files_only=True)
    except Exception as error:
        raise UserError(f"{folder}: its tokenizer cannot be loaded ({_line(error)})") from error
    if not found.chat_template and (folder / TEMPLATE).is_file():
        found.chat_template = (folder / TEMPLATE).read_text(encoding="utf-8")
    return found


def _model(folder: Path, dtype: Any) -> Any:
    import transformers

    transformers.logging.set_verbosity(transformers.logging.CRITICAL)
    transformers.utils.logging.disable_progress_bar()
    try:
        model, info = transformers.AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=dtype,
            output_loading_info=True,
        )  # fmt: skip
        if info["missing_keys"]:  # they would be random
            raise ValueError(f"it lacks {sorted(info['missing_keys'])[0]}")
    except Exception as error:
        raise UserError(
            f"{folder}: no decoder that writes can be loaded ({_line(error)})"
        ) from error
    return model.eval()


def _ends(*ids: Any) -> list[int]:
    """Return the ids that end a text, of what configs say: a number, several, none."""
    found = [each for one in ids for each in (one if isinstance(one, list) else [one])]
    return [each for each in dict.fromkeys(found) if each is not None]


def _drawn(settings: Settings) -> Mapping[str, Any]:
    """Return how tokens are drawn. What a model's own generation config says of it is set aside."""
    if settings.temperature == 0:
        return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    return {
        "do_sample": True, "temperature": settings.temperature, "top_p": settings.top_p,
        "top_k": 0, "repetition_penalty": 1.0,
    }  # fmt: skip


def _line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
