"""Plain text to be masked: Wikipedia."""

from collections.abc import Iterator
from random import Random

from xstilts.toy import lexicon, world
from xstilts.toy import schema as hub
from xstilts.toy.catalogue.table import Rows, Table
from xstilts.toy.languages import grammar
from xstilts.toy.spec import Spec

DUMP = "20231101"
SENTENCES = 8


def wikipedia(spec: Spec) -> Iterator[Table]:
    """Wikipedia: other articles in every language, as many sentences as others have rows."""
    for code in spec.languages:
        rng, language = Random(f"{spec.seed}/wikipedia/{code}"), grammar(code)
        topics = [language.words[c.name].form(0) for c in lexicon.of_kind("name", "city", "noun")]
        rows: Rows = []
        for number in range(1, 1 + max(1, spec.sizes.train // SENTENCES)):
            sentences = [language.sentence(world.statement(rng)).text for _ in range(SENTENCES)]
            half, gap = SENTENCES // 2, " " if language.spaced else ""
            paragraphs = (sentences[:half], sentences[half:])
            rows.append(
                {
                    "id": str(number),
                    "url": f"https://{code}.wikipedia.org/wiki/{number}",
                    "title": rng.choice(topics),
                    "text": "\n\n".join(gap.join(paragraph) for paragraph in paragraphs),
                }
            )
        yield Table("wikimedia/wikipedia", f"{DUMP}.{code}", "train", hub.WIKIPEDIA, rows)
