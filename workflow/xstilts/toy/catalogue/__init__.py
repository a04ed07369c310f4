"""Every data set of the toy mirror, by family: the data sets that share a random stream.

A family's function draws its semantic items from streams that are seeded with the world's seed and
a name of their own, the evaluation sets first, and realises them in the languages that the hub has.
So no data set depends on which others are made. A stream never repeats an item, so training and
evaluation items differ; an item of a parallel set has the same row number in every language.
Labels of test sets are missing where the hub's are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from xstilts.toy.catalogue import (
    checklist,
    choice,
    classification,
    linking,
    multihop,
    pictures,
    qa,
    retrieval,
    tagging,
    text,
)
from xstilts.toy.catalogue.table import Table
from xstilts.toy.spec import Spec

__all__ = ["CATALOGUE", "Family", "Table", "tables"]


@dataclass(frozen=True)
class Family:
    """Data sets that are made together, and the hub repositories that they are in."""

    make: Callable[[Spec], Iterator[Table]]
    repositories: tuple[str, ...]


CATALOGUE = (
    Family(classification.mnli_and_xnli, ("nyu-mll/glue", "nyu-mll/multi_nli", "facebook/xnli")),
    Family(classification.snli_and_anli, ("stanfordnlp/snli", "facebook/anli")),
    Family(classification.qqp, ("nyu-mll/glue",)),
    Family(classification.pawsx, ("google-research-datasets/paws-x",)),
    Family(qa.squad_and_xquad, ("rajpurkar/squad", "google/xquad")),
    Family(qa.squad_translated, ("local/squad-translated",)),
    Family(qa.squad2, ("rajpurkar/squad_v2",)),
    Family(qa.mlqa, ("google/xtreme",)),
    Family(qa.tydiqa, ("google-research-datasets/tydiqa",)),
    Family(choice.hellaswag, ("Rowan/hellaswag",)),
    Family(choice.cosmosqa, ("allenai/cosmos_qa",)),
    Family(choice.csqa, ("tau/commonsense_qa",)),
    Family(tagging.udpos, ("google/xtreme",)),
    Family(tagging.wikiann, ("unimelb-nlp/wikiann",)),
    Family(tagging.ccg, ("local/ccg-pmb", "local/ccgbank")),
    Family(retrieval.tatoeba, ("google/xtreme",)),
    Family(retrieval.bucc, ("local/bucc2018",)),
    Family(choice.siqa, ("lighteval/siqa",)),
    Family(choice.copa, ("aps/super_glue", "cambridgeltl/xcopa")),
    Family(qa.lareqa, ("local/lareqa",)),
    Family(linking.mewslix, ("local/mewslix",)),
    Family(retrieval.tatoeba_r, ("mteb/tatoeba-bitext-mining",)),
    Family(checklist.multichecklist, ("local/multichecklist",)),
    Family(multihop.hotpot, ("hotpotqa/hotpot_qa", "local/hotpotqa-x")),
    Family(multihop.musique, ("dgslibisey/MuSiQue",)),
    Family(multihop.multiq, ("RussianNLP/tape",)),
    Family(text.wikipedia, ("wikimedia/wikipedia",)),
    Family(pictures.coco, ("AKCIT/coco2017-captioning",)),
    Family(pictures.vqa, ("pminervini/VQAv2",)),
    Family(pictures.gqa_and_xgqa, ("lmms-lab/GQA", "floschne/xgqa")),
)


def tables(spec: Spec, repository: str | None = None) -> Iterator[Table]:
    """Every table of the mirror, or those of one repository."""
    for family in CATALOGUE:
        if repository is None or repository in family.repositories:
            for table in family.make(spec):
                if repository in (None, table.repository):
                    yield table
