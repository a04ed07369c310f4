"""Where data sets and models come from: the hub, or a folder in the shape of one.

A folder (a mirror, or the toy world) holds `datasets/<org>/<name>` and `models/<org>/<name>`, each
as its hub repository is. Nothing here imports `datasets` or `huggingface_hub` before it is used.
"""

import ast
import difflib
import logging
import os
import re
import shlex
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xstilts.running.errors import Absent, NotCached, UserError, nearest
from xstilts.running.files import sha256

if TYPE_CHECKING:
    import datasets

# What a model folder needs, and all that is fetched or hashed of it: no README, and pickles only
# where there are no other weights.
MODEL_FILES = ("*.json", "*.safetensors", "*.model", "*.txt")
PICKLES = ("pytorch_model.bin", "pytorch_model-[0-9]*.bin")
# One request that does not answer in this time means that the hub is not there. The libraries' own
# way is five retries over 23 s or more, and some of their requests wait without any limit. The
# variable is huggingface_hub's, for slow networks.
TIMEOUT_S = float(os.environ.get("HF_HUB_ETAG_TIMEOUT", 10))
CONVERTED = "refs/convert/parquet"  # the branch on which the hub keeps what it made of a script
POINTER = "is a Git LFS pointer, not the data; run `git lfs pull` in its folder"


# What the files of a split, or the splits of a data set, are called; most usual first.
SPLIT_NAMES = {
    "train": ("train", "training"),
    "dev": ("dev", "validation", "valid", "val"),
    "test": ("test",),
}
POOL = "pool"  # in place of a language: the candidates of a retrieval in all languages
OWN = "files"  # data of one's own is `files/<task>...` in pins and specs: no path, no space


def is_own(name: str) -> bool:
    """Whether a data set or model is a user's own: then `root` is its folder."""
    return is_path(name) or is_of_task(name)


def is_of_task(name: str) -> bool:
    """Whether a data set is a user's own, named after its task: `files/mine/de.dev`."""
    return name.startswith(f"{OWN}/")


def is_path(name: str) -> bool:
    """Whether a user means a folder of their own by `name`, not a repository org/name."""
    return name.startswith(("/", "./", "../", "~"))


def absolute(path: str, base: str = "") -> Path:
    """Return a path that a user wrote; a relative one is from the folder `base`.

    A `~x` that is no user's home is a name like others.
    """
    return Path(os.path.normpath(Path.cwd() / base / os.path.expanduser(path)))


def has_safetensors(files: Iterable[str]) -> bool:
    """Whether a model's weights are there as safetensors, by the names of its files."""
    return any(fnmatch(file, "model*.safetensors") for file in files)


def has_pickles(files: Iterable[str]) -> bool:
    """Whether a model's weights are there as pickles, by the names of its files."""
    return any(fnmatch(file, pattern) for file in files for pattern in PICKLES)


def model_files(files: Iterable[str]) -> tuple[str, ...]:
    """Return the patterns of what is needed of a model whose folder holds `files`."""
    return MODEL_FILES if has_safetensors(files) else MODEL_FILES + PICKLES


def from_hub(source: str, name: str) -> bool:
    """Whether `name` is to be fetched from the hub."""
    return source == "hub" and not is_own(name)


def folder(root: str | Path, kind: str, name: str, obtain: str | None = None) -> Path:
    """Return the existing folder of data set or model `name` (`kind`: "datasets" or "models").

    Checked before any library sees it, because `load_dataset` asks the hub for a mistyped path.
    """
    if is_own(name):
        own = absolute(str(root or name))
        if not os.path.isdir(own):  # a name that is too long is none, too
            raise UserError(f"{name if is_path(name) else own}: there is no such folder")
        return own.resolve()
    root = Path(os.path.expanduser(root))
    if not os.path.isdir(root):
        raise UserError(
            f"source: {root}: there is no such folder (a relative path is from the folder of the"
            f" config file); a mirror has {kind}/<org>/<name>, and the other sources are `hub` and"
            " `toy`"
        )
    if not os.path.isdir(root / kind):
        raise UserError(
            f"source: {root} holds no folder `{kind}`; a mirror has {kind}/<org>/<name>, "
            "and the other sources are `hub` and `toy`"
        )
    path = root / kind / name
    if not os.path.isdir(path):
        if obtain:
            raise UserError(f"{name}: not in the mirror {root}. {obtain}")
        available = sorted(p.relative_to(root / kind).as_posix() for p in (root / kind).glob("*/*"))
        raise UserError(
            f"{name}: not among the {kind} of the mirror {root}{nearest(name, available)} "
            f"(there are {', '.join(available) or 'none'})"
        )
    return path.resolve()


def hub_info(kind: str, name: str, revision: str, obtain: str | None = None) -> Any:
    """Return the hub's record of a repository at a revision (`.sha`, `.siblings`): one request.

    Raises UserError: offline, unreachable, unknown repository or revision. Loads ask this first,
    because it fails in one line and in seconds where the libraries retry.
    """
    from huggingface_hub import HfApi

    if obtain:
        raise UserError(f"{name}: is on no hub. {obtain}")
    quiet()
    try:
        return HfApi().repo_info(name, repo_type=kind[:-1], revision=revision, timeout=TIMEOUT_S)
    except Exception as error:
        raise hub_error(error, kind, name, revision) or error from error


def hub_error(error: BaseException, kind: str, name: str, revision: str) -> UserError | None:
    """Return in one line what a failed request to the hub means; None for any other error."""
    from huggingface_hub import constants, errors
    from huggingface_hub.utils import httpx

    chain = list(_chain(error))
    subject, hub = f"{kind[:-1]} {name}", constants.ENDPOINT

    def is_a(*kinds: type) -> bool:
        return any(isinstance(e, kinds) for e in chain)

    if is_a(errors.OfflineModeIsEnabled) or (constants.is_offline_mode() and is_a(OSError)):
        return NotCached(
            f"{subject}: not in the local cache, and HF_HUB_OFFLINE is set; unset it where the hub "
            "can be reached, or set `source` to a mirror folder"
        )
    if is_a(errors.GatedRepoError) or any("is a gated" in str(e) for e in chain):
        return UserError(f"{subject}: is gated; accept its terms on {hub}, then `hf auth login`")
    if is_a(errors.RevisionNotFoundError):
        return UserError(
            f"{subject}: the hub has no revision `{revision}` of it; give one it has (`main`, or "
            "`refs/convert/parquet` for converted data)"
        )
    if is_a(errors.RepositoryNotFoundError):
        return UserError(
            f"{subject}: the hub has no such {kind[:-1]}; check the name org/name, or "
            "`hf auth login` if it is private"
        )
    if is_a(httpx.RequestError, ConnectionError, TimeoutError):
        return UserError(
            f"{subject}: cannot reach the hub at {hub}; check the network and HF_ENDPOINT, or set "
            "`source` to a mirror folder"
        )
    for e in chain:
        if isinstance(e, errors.HfHubHTTPError):
            return UserError(f"{subject}: {hub} answered {e.response.status_code}; try again later")
        if isinstance(e, (errors.HFValidationError, errors.LocalEntryNotFoundError)):
            return UserError(f"{subject}: {_line(e)}")
    return None


def load(
    source: str,
    root: str | Path,
    pin: dict[str, Any],
    hub: str,
    config: str | None,
    split: str,
    **how: Any,
) -> "datasets.Dataset":
    """Load one split by one call of `load_dataset`, exactly as pinned, with its features.

    `hub` is the data set's name, `root` the mirror (unused for the hub), `how` what
    else `load_dataset` is told, such as `columns` of parquet. From the hub the library's
    cache is used, keyed by commit. From a folder the library's copy is made in a temporary cache
    and read into memory, so that nothing old is ever read and nothing is left behind.
    Raises UserError in one line for whatever a user or a data source can have wrong.
    """
    remote = from_hub(source, hub)
    path = None if remote else folder(root, "datasets", hub)
    if remote:
        _check_hub(hub, pin["revision"])
    import datasets

    quiet()
    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="xstilts-") as cache:
        options = {"revision": pin["revision"]} if remote else {"cache_dir": cache}
        try:
            rows = datasets.load_dataset(
                str(path or hub), config, split=split,
                keep_in_memory=not (remote or how.get("streaming")), **options, **how,
            )  # fmt: skip
        except Exception as error:
            raise _load_error(error, path, pin, hub, config, split) from error
        if remote:
            _check_commit(rows, pin, hub)
        else:
            _check_files(datasets, path, pin, hub, config, cache)
    return rows


def file(source: str, root: str | Path, pin: dict[str, Any], hub: str, name: str) -> Path:
    """Return a file of a data set's folder that `load` does not read, exactly as pinned."""
    if from_hub(source, hub):
        raise UserError(f"dataset {hub}: {name} is read from a folder only; give `hub` as a folder")
    path = folder(root, "datasets", hub) / name
    if not path.is_file():
        raise UserError(f"dataset {hub}: {path} is missing")
    _check_file(path, pin, hub, name)
    return path


def quiet() -> None:
    """Keep the libraries' warnings and bars off stderr: an error is one line of our own."""
    import huggingface_hub

    huggingface_hub.logging.set_verbosity_error()
    huggingface_hub.utils.disable_progress_bars()


def is_pointer(path: Path) -> bool:
    """Whether a file is what git leaves in a clone where Git LFS was not at work."""
    with open(path, "rb") as file:
        return file.read(30).startswith(b"version https://git-lfs")


def corrupt(path: Path) -> str | None:
    """Return why a parquet file cannot be read, or None if it can."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if is_pointer(path):
        return POINTER
    try:
        pq.read_table(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        return f"is damaged ({_line(error)}); fetch it again"
    return None


def _check_hub(hub: str, revision: str) -> None:
    """Ask the hub for the commit, unless offline: then only the cache can hold it."""
    from huggingface_hub import constants

    if constants.is_offline_mode():
        return
    if _is_script(hub, hub_info("datasets", hub, revision)):
        raise _script_only(hub)


def _is_script(hub: str, info: Any) -> bool:
    return hub.split("/")[-1] + ".py" in [file.rfilename for file in info.siblings or []]


def commit(kind: str, name: str, revision: str, obtain: str | None = None) -> dict[str, str]:
    """Return what a hub repository is now: `revision`, the commit; where the main branch of a data
    set holds a script, that of the hub's own conversion, and its `branch`.

    Raises:
        UserError: as `hub_info`; or there is a script and no conversion.
    """
    info = hub_info(kind, name, revision, obtain)
    if kind == "datasets" and revision == "main" and _is_script(name, info):
        try:
            return {"revision": hub_info(kind, name, CONVERTED).sha, "branch": CONVERTED}
        except UserError:
            raise UserError(
                f"dataset {name}: its main branch is a script, which no longer runs, and the hub"
                f" has no {CONVERTED} of it; give a `revision` or a folder that holds its rows"
            ) from None
    return {"revision": info.sha}


def _check_commit(rows: "datasets.Dataset", pin: dict[str, Any], hub: str) -> None:
    """When the hub is away, the library takes whatever version it cached last. Refuse that."""
    if any(pin["revision"] not in file["filename"] for file in rows.cache_files):
        raise UserError(
            f"dataset {hub}: the local cache holds another commit than the locked "
            f"{pin['revision'][:12]}; fetch it once where the hub can be reached"
        )


def _check_files(library: Any, path: Any, pin: dict, hub: str, config: Any, cache: str) -> None:
    """Refuse files of a mirror that are not those of the pin. Only what was read is hashed."""
    builder = library.load_dataset_builder(str(path), config, cache_dir=cache)
    files = [Path(f) for group in (builder.config.data_files or {}).values() for f in group]
    for file in [path / "README.md", *files]:
        name = file.relative_to(path).as_posix() if file.is_relative_to(path) else str(file)
        if file.is_file():
            _check_file(file, pin, hub, name)


def _check_file(path: Path, pin: dict, hub: str, name: str) -> None:
    if sha256(path) != pin["files"].get(name):
        raise UserError(f"dataset {hub}: {path} has changed since it was pinned; {advice(hub)}")


def advice(name: str, lock: str | Path = "") -> str:
    """Return the command that takes what `name` is now into the lock file."""
    config = Path(lock).with_suffix(".yaml") if lock else "CONFIG.yaml"
    short = name.split("/")[1] if is_of_task(name) else name
    return f"to use what is there now: xstilts pin {shlex.quote(str(config))} {short}"


def other_split(split: str, valid: Sequence[str]) -> str:
    """Say how a task takes another split of a data set for one that it lacks, which `split` is the
    data set's name of: "; to take another: `splits: {dev: test}`". "" if there is none to take:
    train rows are for training, and no others are."""
    ours = next((our for our, names in SPLIT_NAMES.items() if split in names), "dev")
    others = [name for name in valid if ("train" in name) == (ours == "train")]
    if not others:
        return ""
    near = {name: difflib.SequenceMatcher(None, split, name).ratio() for name in others}
    best = max(others, key=lambda name: (name in SPLIT_NAMES[ours], near[name]))
    return f"; to take another: `splits: {{{ours}: {best}}}`"


def no_config(hub: str, config: str, valid: Sequence[str]) -> Absent:
    """Say that a data set has no such config, and which it has."""
    there = ", ".join(valid)
    return Absent(
        f"dataset {hub}: no config `{config}`{nearest(config, valid)} (there are {there})"
    )


def no_split(hub: str, config: str | None, split: str, valid: Sequence[str]) -> Absent:
    """Say that a config has no such split, which it has, and how to take another."""
    return Absent(
        f"dataset {hub}, config {config}: no split `{split}`{nearest(split, valid)} "
        f"(there are {', '.join(valid)}){other_split(split, valid)}"
    )


def _script_only(hub: str) -> UserError:
    return UserError(
        f"dataset {hub}: at this revision it is a script, which no longer runs; "
        f"set `revision: {CONVERTED}` for it"
    )


def _load_error(
    error: Exception, path: Path | None, pin: dict, hub: str, config: str | None, split: str
) -> Exception:
    """Translate what `load_dataset` raised (seen in datasets 5.2) into one line."""
    text, subject = str(error), f"dataset {hub}"
    choices = re.search(r"\[.*\]", text, re.DOTALL)
    valid = (
        [str(v) for v in ast.literal_eval(choices[0])] if _names_choices(text) and choices else []
    )
    if "BuilderConfig" in text or "Config name is missing" in text:
        there = f"(there are {', '.join(valid)})"
        if not config:
            return UserError(
                f'{subject}: several configs, and none is given; say `config`, "{{lang}}" in it'
                f" for the language {there}"
            )
        return no_config(hub, config, valid)
    if "Unknown split" in text:
        return no_split(hub, config, split, valid)
    if "scripts are no longer supported" in text:
        return _script_only(hub)
    for file in _parquet(path, pin, hub, config):
        if reason := corrupt(file):
            return UserError(f"{subject}: {file} {reason}")
    if path is None and (explained := hub_error(error, "datasets", hub, pin["revision"])):
        return explained
    if isinstance(error, FileNotFoundError):
        missing = re.search(r"Unable to find '([^']*)'", text)
        if missing:
            return UserError(f"{subject}: {missing[1]} is missing, though its README names it")
        return UserError(f"{subject}: no data files in {path or 'it'}; it must hold parquet files")
    reason = _line(error.__cause__ or error)
    return UserError(f"{subject}, config {config}: cannot be loaded: {reason}")


def _names_choices(text: str) -> bool:
    return any(s in text for s in ("Available:", "available configs:", "Should be one of"))


def _parquet(path: Path | None, pin: dict, hub: str, config: str | None) -> list[Path]:
    """The parquet files that a failed load may have read, those of its config first."""
    if path is None:
        from huggingface_hub import constants

        repository = f"datasets--{hub.replace('/', '--')}"
        path = Path(constants.HF_HUB_CACHE) / repository / "snapshots" / pin["revision"]
    files = sorted(path.rglob("*.parquet"))
    return sorted(files, key=lambda f: (config or "") not in f.relative_to(path).as_posix())


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _line(error: BaseException) -> str:
    """The first line of an error's message."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
