"""A translator that is a checkpoint of M2M100 or NLLB, run by CTranslate2 (Klein et al. 2020).

It is converted once (`convert`), with weights of the precision that is asked for. A block goes in
as a whole: CTranslate2 sorts it by length and cuts it into batches of so many tokens, so that
hardly anything is padded. On a CPU the same block always comes to the same text.
"""

import contextlib
import importlib.util
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xstilts.running.errors import UserError
from xstilts.running.files import read_json
from xstilts.translation.engines import Place, Spec

CONVERTED = ("model.bin", "config.json", "shared_vocabulary.json")
TOKENIZER = "tokenizer"  # the folder of it, in that of a converted checkpoint
KINDS = ("m2m_100",)  # of NLLB, too
ABOUT = "checkpoint.json"  # beside it, the config of the checkpoint
LONGEST = 1024  # tokens of a segment, where the config does not say; what is longer is cut
GROWTH, MORE = 2, 64  # a translation has at most so many times the tokens, and so many more
INSTALL = "ctranslate2 is not installed: pip install 'ctranslate2>=4.8'"


def check_installed() -> None:
    """Refuse to go on without CTranslate2.

    Raises:
        UserError: how it is installed.
    """
    if importlib.util.find_spec("ctranslate2") is None:
        raise UserError(INSTALL)


def check(folder: Path, name: str, files: set[str]) -> None:
    """Refuse a checkpoint that is no translator of many languages, by its folder.

    Raises:
        UserError: the checkpoint and what it is.
    """
    from xstilts.models import repository

    kind = repository.read_config(folder, name).get("model_type")
    if kind not in KINDS:
        raise UserError(
            f"model {name}: is of the architecture `{kind}`; a translator is a checkpoint of M2M100"
            " or NLLB (m2m_100)"
        )


def convert(folder: Path, name: str, precision: str, out: Path) -> None:
    """Write a converted checkpoint, with its tokenizer.

    Args:
        folder: of the checkpoint.
        name: of it, for messages.
        precision: of its weights.
        out: the folder to write.

    Raises:
        UserError: it cannot be loaded or converted.
    """
    check_installed()
    import ctranslate2  # type: ignore[import-untyped]
    import transformers

    transformers.logging.set_verbosity(transformers.logging.CRITICAL)
    transformers.utils.logging.disable_progress_bar()
    scratch = out / ".converted"
    shutil.rmtree(scratch, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    try:
        converter = ctranslate2.converters.TransformersConverter(str(folder))
        converter.load_tokenizer = _whole
        converter.convert(str(scratch), quantization=precision, force=True)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        tokenizer.save_pretrained(scratch / TOKENIZER)
        shutil.copy(folder / "config.json", scratch / TOKENIZER / ABOUT)
        shutil.rmtree(out / TOKENIZER, ignore_errors=True)
        for path in scratch.iterdir():
            os.replace(path, out / path.name)
    except Exception as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"model {name}: {folder} cannot be converted ({line})") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _whole(kind: Any, folder: str, **options: Any) -> Any:
    """Return the tokenizer of a folder, with the tokens of languages in its vocabulary. In M2M100's
    of transformers 5 they are beside it, where CTranslate2 4.8 does not find them."""
    tokenizer = kind.from_pretrained(folder, local_files_only=True, **options)
    languages = getattr(tokenizer, "lang_token_to_id", None)
    if languages:
        vocabulary = {**tokenizer.get_vocab(), **languages}
        tokenizer.get_vocab = lambda: vocabulary
    return tokenizer


class Ctranslate:
    """A converted checkpoint as an engine of two languages."""

    def __init__(self, spec: Spec, place: Place) -> None:
        """Load it.

        Args:
            spec: see `translators.engine_spec`.
            place: its folder, and where it runs.

        Raises:
            UserError: it cannot be loaded, or has not one of the languages.
        """
        check_installed()
        import ctranslate2
        import transformers

        folder, (source, target) = Path(place.folder), spec["codes"]
        self.batch_tokens, self.beam = spec["batch_tokens"], spec["beam"]
        about = read_json(folder / TOKENIZER / ABOUT)
        # The checkpoint has no more positions; of a translation two are taken before its text.
        self.positions = int(about.get("max_position_embeddings", LONGEST))
        self.longest = self.positions - 2
        self.tokenizer: Any = transformers.AutoTokenizer.from_pretrained(
            folder / TOKENIZER, local_files_only=True
        )
        self._check_languages(source, target)
        self.tokenizer.src_lang = source
        self.prefix = self._token(target)
        device, threads = _device(place.device)
        try:
            self.model = ctranslate2.Translator(
                str(folder), device=device, intra_threads=threads, inter_threads=1
            )
        except (RuntimeError, ValueError) as error:
            line = str(error).splitlines()[0]
            raise UserError(f"{folder}: cannot be loaded by CTranslate2 ({line})") from error

    def translate(self, lines: Sequence[str]) -> list[str]:
        """Return the translation of each line; see `engines.Engine`."""
        tokens = self.tokens(lines)
        longest = max(map(len, tokens), default=0)
        if cut := sum(len(line) > self.positions for line in tokens):
            print(f"{cut} segments of more than {self.positions} tokens are cut", flush=True)
        found = self.model.translate_batch(
            tokens,
            target_prefix=[[self.prefix]] * len(tokens),
            max_batch_size=self.batch_tokens,
            batch_type="tokens",
            beam_size=self.beam,
            max_input_length=self.positions,
            max_decoding_length=min(self.longest, GROWTH * longest + MORE),
        )
        return [self.text(one.hypotheses[0]) for one in found]

    def tokens(self, lines: Sequence[str]) -> list[list[str]]:
        """Return the tokens of lines, with those that say the language."""
        return [
            self.tokenizer.convert_ids_to_tokens(ids)
            for ids in self.tokenizer(list(lines)).input_ids
        ]

    def text(self, tokens: Sequence[str]) -> str:
        """Return the text of a translation, of which the first token says the language."""
        ids = self.tokenizer.convert_tokens_to_ids(list(tokens[1:]))
        return self.tokenizer.decode(ids, skip_special_tokens=True)

    def _token(self, code: str) -> str:
        """Return the token of a language: `__de__` of M2M100, the code itself of NLLB."""
        of = getattr(self.tokenizer, "lang_code_to_token", None)
        return of[code] if of is not None else code

    def _check_languages(self, *codes: str) -> None:
        for code in codes:
            with contextlib.suppress(KeyError):
                token = self._token(code)
                found = self.tokenizer.convert_tokens_to_ids(token)
                if found is not None and found != self.tokenizer.unk_token_id:
                    continue
            raise UserError(f"the checkpoint has no language `{code}`; give its code in `codes`")


def _device(asked: str) -> tuple[str, int]:
    """Return what CTranslate2 calls the device, and the threads of one on a CPU."""
    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    if asked == "cpu":
        return "cpu", threads
    from xstilts.running import device

    return device.choose().type, threads
