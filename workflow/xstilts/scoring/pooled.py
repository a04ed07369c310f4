"""Retrieval from a pool: the candidates of all languages, which are embedded once for all queries.

They are never there all at once: a part is embedded, compared with the queries of every language
that has no score yet, and forgotten. XTREME-R's Mewsli-X has a million candidates: 4.1 GB at 1,024
wide.
"""

import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from xstilts import formats
from xstilts.encoding import encoded
from xstilts.encoding.encoded import Encoded
from xstilts.metrics import mining, nearest
from xstilts.running.energy import Meter
from xstilts.running.errors import Absent, UserError
from xstilts.scoring import predict
from xstilts.scoring.scorer import Language, Output, Scorer

PART = 16_384  # candidates that are embedded at a time: 64 MB at 1,024 wide
KEYS = ("pool_rows", "pool_encoded")  # of the files of a language, see `evaluate.prepared`


def load(scorer: Scorer, paths: dict[str, str], spec: dict[str, Any]) -> tuple[Encoded, list[str]]:
    """Return the candidates of a target, and their ids.

    Raises:
        UserError: there are none; a file is damaged, or does not belong to the others.
    """
    tokenizer = scorer.node["tokenizer"], scorer.folder
    try:
        data = encoded.load_checked(paths["pool_encoded"], spec["pool"], *tokenizer)
    except Absent as error:
        raise UserError(str(error)) from None
    ids = pq.read_table(paths["pool_rows"], columns=["id"])["id"].to_pylist()
    if len(ids) != data.meta["rows"]:
        raise UserError(
            f"{paths['pool_rows']}: has {len(ids)} rows, and {data.meta['rows']} were encoded;"
            " delete both, run again"
        )
    return data, ids


def outputs(
    scorer: Scorer, languages: Sequence[Language], pool: tuple[Encoded, list[str]]
) -> list[Output]:
    """Return what is found for the queries of some languages: `predictions` are the ids of the
    `metrics.ranking.RANKS` nearest candidates as JSON lists, the nearest first.

    The time of the pool is told by shares of the queries.
    """
    data, ids = pool
    encoder, head, where = scorer.load(languages[0].data)
    page = formats.page(data.meta["spec"]["format"])
    embedded = scorer(languages)
    start, energy = time.monotonic(), Meter()
    queries = [mining.unit(np.stack(output.reduced[0])) for output in embedded]
    search = nearest.Search(np.concatenate(queries), device=where)
    for first in range(0, len(data), PART):
        part = data.part(first, min(first + PART, len(data)))
        found = predict.reduced(page, encoder, head, part, where, scorer.budget)
        search.add(mining.unit(np.stack(found)))
    ranked = search.found().position
    seconds, joules, done = time.monotonic() - start, energy.joules, 0
    results = []
    for output, own in zip(embedded, queries, strict=True):
        lists = ranked[done : done + len(own)]
        share, done = len(own) / len(ranked), done + len(own)
        own_joules = None
        if output.joules is not None and joules is not None:
            own_joules = output.joules + share * joules
        results.append(
            Output(
                [],
                output.seconds + share * seconds,
                own_joules,
                [json.dumps([ids[i] for i in one]) for one in lists],
            )
        )
    return results
