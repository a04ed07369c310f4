"""Evaluation: the scores and the predictions of one checkpoint in the languages of a target.

They are kept under a fingerprint of all that they follow from, so a new language, or one that
failed, costs only itself.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xstilts import formats, metrics
from xstilts.data import prepare
from xstilts.data.rows import Row
from xstilts.encoding import encoded, features
from xstilts.encoding.header import digest_of
from xstilts.running import device
from xstilts.running.energy import Meter
from xstilts.running.errors import LABELS_SHOWN, Absent, UserError, brief
from xstilts.running.files import atomic, digest, read_json, sha256, write_json
from xstilts.running.record import versions
from xstilts.scoring import examples, pooled
from xstilts.scoring.scorer import Language, Output, Scorer

# A group of languages fills so many batches, which is what a process loses that is killed: on an
# H100, of XLM-R Large, half a second; on a CPU about what a language of XNLI takes.
BATCHES = 4
Works = list[tuple[str, Callable[[], dict[str, Any]]]]  # language, and what makes its score


def languages(
    scorer: Scorer,
    specs: Mapping[str, dict[str, Any]],
    cell: dict[str, str],
    paths: Mapping[str, dict[str, str]],
) -> dict[str, Any]:
    """Score all languages of a target; return the score of each, or the UserError of one that has
    none.

    Small languages share batches, and each has its files as soon as these are through. On a GPU the
    files of a group are read and written in a thread, while the group before or after it is run.

    Args:
        scorer: the checkpoint.
        specs: language -> spec of its score.
        cell: for the records.
        paths: language -> its files, see `prepared`.

    Raises:
        Unloadable, DoesNotFit: what no language can be scored for.
        UserError: the candidates of all languages cannot be read.
    """
    found: dict[str, Any] = {}

    def unscored() -> Iterator[Language]:
        for lang, spec in specs.items():
            try:
                one = prepared(scorer, spec, lang, paths[lang])
            except UserError as error:
                found[lang] = _told(lang, error)
                continue
            if isinstance(one, Language):
                yield one
            else:
                found[lang] = one

    def collect(finishing: Works) -> None:
        while finishing:
            lang, finished = finishing.pop(0)  # and what it holds is freed
            try:
                found[lang] = finished()
            except UserError as error:
                found[lang] = _told(lang, error)

    if any("pool" in spec for spec in specs.values()):
        lacking = list(unscored())
        if lacking:
            pool = pooled.load(scorer, paths[lacking[0].name], lacking[0].spec)
            for one, output in zip(lacking, pooled.outputs(scorer, lacking, pool), strict=True):
                found[one.name] = finish(one, output, scorer, cell, False)
        return found
    groups = grouped(unscored(), BATCHES * scorer.budget)
    with ThreadPoolExecutor(1) as thread:
        group = next(groups, None)
        finishing: Works = []
        while group:
            beside = _has_time_beside(scorer, group)
            following: Callable[..., list[Language] | None] = partial(next, groups, None)
            if beside:
                following = thread.submit(following).result
            outputs = scorer(group)
            collect(finishing)
            works: Works = [
                (one.name, partial(finish, one, output, scorer, cell, beside))
                for one, output in zip(group, outputs, strict=True)
            ]
            del outputs
            if beside:
                finishing = [(lang, thread.submit(work).result) for lang, work in works]
            else:
                collect(works)
            group = following()
        collect(finishing)
    return found


def _has_time_beside(scorer: Scorer, group: list[Language]) -> bool:
    """Return whether a GPU leaves the processor time; not where it is wanted for a search."""
    _, _, where = scorer.load(group[0].data)
    return where.type == "cuda" and group[0].data.meta["spec"]["format"] != "retrieval"


def _told(lang: str, error: UserError) -> UserError:
    """Return an error that the log is told of."""
    print(f"{lang}: {'not scored: ' * isinstance(error, Absent)}{error}", flush=True)
    return error


def grouped(languages: Iterable[Language], most: int) -> Iterator[list[Language]]:
    """Yield groups of languages of at most `most` tokens together; one that has more is alone."""
    group: list[Language] = []
    for language in languages:
        if language.tokens > most:
            yield [language]
        elif sum(one.tokens for one in group) + language.tokens > most:
            yield group
            group = [language]
        else:
            group.append(language)
    if group:
        yield group


def prepared(
    scorer: Scorer, spec: dict[str, Any], lang: str, paths: dict[str, str]
) -> Language | dict[str, Any]:
    """Return what has to be scored of a language, or its score, if that is there.

    A score is there if it was made by this spec, from files of the same fingerprint: of all that it
    follows from.

    Args:
        scorer: the checkpoint.
        spec: of the score.
        lang: the language.
        paths: `rows`, `encoded` and `out` (folder) of this language; `dev_rows` and `dev_encoded`
            where its dev split settles something; `pool_rows` and `pool_encoded`, of all languages,
            where its queries are searched for in those; `features` of the pictures before its rows.

    Raises:
        Absent: it has no rows.
        UserError: a file is damaged, or does not belong to the others.
    """
    node = scorer.node
    tokenizer = node["tokenizer"], scorer.folder
    data = encoded.load_checked(paths["encoded"], spec["encoded"], *tokenizer)
    trained = list(node.get("labels", {}).values())
    if len(trained) == 1 and data.labels and trained[0] != list(data.labels):
        own, theirs = (brief(", ".join(names), LABELS_SHOWN) for names in (data.labels, trained[0]))
        raise UserError(
            f"{paths['encoded']}: its labels are {own}, those of {scorer.folder} are {theirs};"
            " delete both, run again"
        )
    read = {"encoded": digest_of, "rows": sha256, "dev_encoded": digest_of, "dev_rows": sha256}
    read |= {"pool_encoded": digest_of, "pool_rows": scorer.sha256}
    read |= {"features": features.digest_of}
    used = [of(paths[key]) for key, of in read.items() if key in paths]
    fingerprint = digest([spec, node["weights"], *used])
    out, pins = Path(paths["out"]) / f"{lang}.json", node["pins"] | data.meta["pins"]
    if "features" in paths:
        opened = features.load(paths["features"], spec["features"])
        data = encoded.behind(paths["encoded"], data, features.Pictures(opened))
        pins |= features.record(paths["features"])["pins"]
    if score := finished(out, spec, fingerprint):
        print(f"{lang}: already computed")
        if score.get("pins") != pins:  # another version of what it was trained on, the same weights
            score["pins"] = pins
            write_json(out, score)
        return score
    rows, dev = prepare.read(paths["rows"]).to_pylist(), None
    if len(rows) != data.meta["rows"]:
        raise UserError(
            f"{paths['rows']}: has {len(rows)} rows, and {data.meta['rows']} were encoded; delete"
            " both, run again"
        )
    if "dev" in spec:
        settling = encoded.load_checked(paths["dev_encoded"], spec["dev"], *tokenizer)
        dev = settling, prepare.read(paths["dev_rows"]).to_pylist()
    classes = _classes(paths["rows"], rows, spec)
    return Language(lang, spec, out, fingerprint, pins, data, rows, dev, classes)


def finish(
    language: Language, output: Output, scorer: Scorer, cell: dict[str, str], beside: bool
) -> dict[str, Any]:
    """Decode and score a language; write its score file and predictions, and return the score.

    Its seconds are those of its share of the batches and of the decoding, which may be `beside` the
    next batches; then, what the GPU takes meanwhile is theirs.
    """
    where, rows = scorer.load(language.data)[2], language.rows
    page = formats.page(language.data.meta["spec"]["format"])
    start, energy, found = time.monotonic(), Meter(output.joules), {}
    if output.predictions is not None:
        predictions = output.predictions
    elif language.data.meta["spec"]["format"] == "retrieval":
        threshold = None
        if language.dev is not None:
            _, threshold = page.search(output.reduced[1], language.dev[1], device=where)
        predictions, threshold = page.search(output.reduced[0], rows, threshold, where)
        found = {} if threshold is None else {"threshold": threshold}
    else:
        predictions = page.decode(output.reduced[0], language.data, rows)
    seconds = output.seconds + time.monotonic() - start
    joules = output.joules if beside else energy.joules
    values, each = page.score(rows, predictions, language.spec["metric"], language.name)
    ids = [row["id"] for row in rows if row.get("side") != "target"]
    table = pa.table({"id": ids, "prediction": predictions, "value": each, **language.classes})
    # An old score must not stand beside new predictions, if this process ends between the two.
    language.out.unlink(missing_ok=True)
    with atomic(language.out.with_suffix(".parquet")) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    score = {
        **cell,
        "language": language.name,
        "metric": language.spec["metric"],
        "score": metrics.METRICS[language.spec["metric"]].task_score(values),
        "metrics": values,
        "n": len(predictions),
        "rows_cut": language.data.meta["cut"],
        "spec": language.spec,
        "checkpoint": scorer.node["spec"],
        "pins": language.pins,
        "weights": scorer.node["weights"],
        **found,
        "seconds": round(seconds, 3),
        **({} if joules is None else {"energy_joules": round(joules, 1)}),
        "tokens_per_second": round(language.tokens / max(seconds, 1e-9), 1),
        **device.describe(where),
        "versions": versions(),
        "fingerprint": language.fingerprint,
    }
    write_json(language.out, score)
    shown = "  ".join(f"{key} {value:.4f}" for key, value in values.items())
    print(f"{language.name}: {shown}", flush=True)
    return score


def _classes(path: str, rows: list[Row], spec: dict[str, Any]) -> dict[str, pa.Array]:
    """Return the columns of the strata of the rows that are scored; UserError where rows of `path`
    were made before their task had one."""
    columns = {}
    for name in spec.get("strata", ()):
        if any(name not in row.get("strata", ()) for row in rows):
            raise UserError(f"{path}: has no stratum `{name}`; delete it, run again")
        classes = [row["strata"][name] for row in rows if row.get("side") != "target"]
        columns[examples.stratum(name)] = pa.array(classes, pa.string())
    return columns


def finished(path: Path, spec: dict[str, Any], fingerprint: str) -> dict[str, Any] | None:
    """Return the score in a file, if it was made by this spec, from what the fingerprint is of."""
    try:
        score = read_json(path)
    except UserError:
        return None
    if not isinstance(score, dict) or not path.with_suffix(".parquet").exists():
        return None
    same = score.get("spec") == spec and score.get("fingerprint") == fingerprint
    return score if same else None


def cell_record(
    folder: Path,
    cell: dict[str, str],
    scores: dict[str, Any],
    absent: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what `cell.json` says: the spec and fingerprint of the score of every language, and of
    which there are no rows (`absent`: language -> spec, pins, reason).

    Languages that another experiment has asked for stay in it, if the same weights scored them on
    rows of the same pins.
    """
    weights = {score["weights"] for score in scores.values()}
    pins = {name: pin for score in scores.values() for name, pin in score["pins"].items()}
    for path in sorted(folder.glob("*.json")):
        if path.stem not in scores and path.stem != "cell":
            try:
                score = read_json(path)
                same = all(pins.get(name, pin) == pin for name, pin in score["pins"].items())
                same = same and score["weights"] in weights
                if same and path.with_suffix(".parquet").exists():
                    scores = scores | {path.stem: score}
            except (UserError, KeyError, TypeError):
                continue
    langs = sorted(scores)
    return {
        **cell,
        **({"absent": dict(absent)} if absent else {}),
        "spec": {"kind": "cell", "scores": {k: digest(scores[k]["spec"]) for k in langs}},
        "pins": pins,
        "scores": {k: scores[k]["score"] for k in langs},
        "fingerprints": {k: scores[k]["fingerprint"] for k in langs},
    }
