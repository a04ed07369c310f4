"""Finding translations: Tatoeba, as in XTREME and as in XTREME-R, and BUCC."""

from collections.abc import Iterator
from random import Random

from xstilts.toy import schema as hub
from xstilts.toy import strata
from xstilts.toy.catalogue.table import Rows, Table, only, take, with_column
from xstilts.toy.catalogue.tagging import sentences
from xstilts.toy.forms import Form
from xstilts.toy.languages import grammar
from xstilts.toy.spec import Spec

ISO3 = {"en": "eng", "de": "deu", "ru": "rus", "ar": "ara", "hi": "hin", "zh": "cmn"}


def tatoeba(spec: Spec) -> Iterator[Table]:
    """Tatoeba: a pool of sentences with their English translations."""
    pool = take(sentences(Random(f"{spec.seed}/tatoeba")), spec.sizes.test)
    for language in spec.languages:
        if language == "en":
            continue
        code = ISO3[language]
        rows = [
            {
                "source_sentence": grammar(language).sentence(item).text + "\n",
                "target_sentence": grammar("en").sentence(item).text + "\n",
                "source_lang": code,
                "target_lang": "eng",
            }
            for item in pool
        ]
        table = Table("google/xtreme", f"tatoeba.{code}", "validation", hub.TATOEBA, rows)
        yield with_column(table, "sentence", map(strata.sentence, pool))


def tatoeba_r(spec: Spec) -> Iterator[Table]:
    """The same pool, in the shape in which XTREME-R's languages are there."""
    for table in tatoeba(spec):
        code = table.config.removeprefix("tatoeba.")
        rows = [
            {
                "sentence1": row["source_sentence"].strip(),
                "sentence2": row["target_sentence"].strip(),
            }
            for row in table.rows
        ]
        new = Table("mteb/tatoeba-bitext-mining", f"{code}-eng", "test", hub.TATOEBA_R, rows)
        yield with_column(new, "sentence", [row["sentence"] for row in table.rows])


def side(name: str, code: str, pool: list[Form]) -> Rows:
    """One side of a pool, numbered in its order."""
    return [
        {"side": name, "id": f"{code}-{number:09}", "text": grammar(code).sentence(item).text}
        for number, item in enumerate(pool, 1)
    ]


def bucc(spec: Spec) -> Iterator[Table]:
    """BUCC: two pools of which a fifth are translations of each other.

    In the real ones it is 3% (zh, dev); here small pools hold enough pairs to set a threshold by.
    """
    for code in only(spec.languages, "de", "ru", "zh"):
        rng = Random(f"{spec.seed}/bucc/{code}")
        stream = sentences(rng)
        for split, size in {"dev": spec.sizes.dev, "test": spec.sizes.test}.items():
            pairs = take(stream, max(1, size // 2))
            pools = [[*pairs, *take(stream, 4 * len(pairs))] for _ in ("foreign", "english")]
            for pool in pools:
                rng.shuffle(pool)
            foreign, english = pools
            rows = [*side("source", code, foreign), *side("target", "en", english)]
            places = {item: number for number, item in enumerate(english, 1)}
            gold = tuple(
                (f"{code}-{number:09}", f"en-{places[item]:09}")
                for number, item in enumerate(foreign, 1)
                if item in places
            )
            yield Table("local/bucc2018", code, split, hub.BUCC, rows, gold)
