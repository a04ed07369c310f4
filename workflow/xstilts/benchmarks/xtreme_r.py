"""XTREME-R (arXiv 2104.07412): tasks, languages, files of a submission, averages of scores.

From `evaluate.py` of google-research/xtreme, with one difference: there LAReQA is in no group and
has no languages, so that `evaluate.py` never prints an average over all tasks. Here it counts in
`retrieval` and in `overall`, which is the mean of the ten tasks, as in the paper.
"""

from xstilts.benchmarks import benchmark

XTREME_R = benchmark.make(
    "xtreme-r",
    "XTREME-R",
    groups={
        "classification": ("xnli", "xcopa"),
        "tagging": ("udpos", "wikiann"),
        "qa": ("xquad", "mlqa", "tydiqa"),
        "retrieval": ("lareqa", "mewslix", "tatoeba_r"),
    },
    files={
        "xnli": "xnli labels",
        "xcopa": "xcopa choices",
        "udpos": "udpos tags",
        "wikiann": "panx tags",
        "xquad": "xquad answers",
        "mlqa": "mlqa answers",
        "tydiqa": "tydiqa answers",
        "lareqa": "lareqa",
        "mewslix": "mewslix ranked",
        "tatoeba_r": "tatoeba indices",
    },
)
