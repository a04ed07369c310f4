"""Choosing one of several texts: HellaSwag, Cosmos QA, CommonsenseQA, Social IQa, COPA, XCOPA."""

from collections.abc import Iterator
from itertools import chain
from random import Random
from typing import Any

from xstilts.toy import quiz, stories
from xstilts.toy import schema as hub
from xstilts.toy.catalogue.table import Rows, Table, only, take
from xstilts.toy.grammar import Grammar
from xstilts.toy.languages import grammar
from xstilts.toy.spec import Spec

LETTERS = "ABCDE"


def splits(stream: Iterator, spec: Spec) -> dict[str, list]:
    """The items of the three splits."""
    dev = take(stream, spec.sizes.dev)
    train = take(stream, spec.sizes.train)
    return {"train": train, "validation": dev, "test": take(stream, spec.sizes.test)}


def hellaswag(spec: Spec) -> Iterator[Table]:
    """HellaSwag in English."""
    stream = stories.stories(Random(f"{spec.seed}/stories"))
    for split, items in splits(stream, spec).items():
        rows: Rows = []
        for number, item in enumerate(items):
            story = stories.render(item, grammar("en"))
            row: dict[str, Any] = {
                "ind": number,
                "activity_label": item.events[0].verb.capitalize(),
                "ctx_a": story["context"],
                "ctx_b": story["begin"],
                "ctx": f"{story['context']} {story['begin']}",
                "endings": story["endings"],
                "source_id": f"toy~{split}-{number}",
                "split": {"validation": "val"}.get(split, split),
                "split_type": "indomain",
                "label": "" if split == "test" else str(story["right"]),
            }
            rows.append(row)
        yield Table("Rowan/hellaswag", "default", split, hub.HELLASWAG, rows)


def cosmosqa_row(item: stories.Story, question: str, identity: str, hidden: bool) -> dict[str, Any]:
    """A row of Cosmos QA."""
    english = grammar("en")
    hero = english.words[item.hero.noun].form(0)
    answers = [english.sentence(ending).text for ending in item.endings]
    return {
        "id": identity,
        "context": " ".join(english.sentence(c).text for c in item.events),
        "question": question.format(hero=hero),
        **{f"answer{number}": answer for number, answer in enumerate(answers)},
        "label": -1 if hidden else item.right,
    }


def cosmosqa(spec: Spec) -> Iterator[Table]:
    """Cosmos QA in English: what comes next, and what came before, in turns."""
    pairs = zip(
        stories.stories(Random(f"{spec.seed}/cosmosqa/next"), stories.NEXT),
        stories.stories(Random(f"{spec.seed}/cosmosqa/before"), stories.BEFORE),
        strict=True,
    )
    questions = ("What may {hero} do next?", "What did {hero} do before?")
    stream = chain.from_iterable(zip(pair, questions, strict=True) for pair in pairs)
    for split, items in splits(stream, spec).items():
        rows = [
            cosmosqa_row(item, question, f"toy##{split}##{number:06}", split == "test")
            for number, (item, question) in enumerate(items)
        ]
        yield Table("allenai/cosmos_qa", "default", split, hub.COSMOSQA, rows)


def csqa(spec: Spec) -> Iterator[Table]:
    """CommonsenseQA in English."""
    stream = quiz.questions(Random(f"{spec.seed}/csqa"))
    for split, items in splits(stream, spec).items():
        rows: Rows = [
            {
                "id": f"toy-{split}-{number:06}",
                "question": item.text,
                "question_concept": item.concept,
                "choices": {"label": list(LETTERS), "text": list(item.choices)},
                "answerKey": "" if split == "test" else LETTERS[item.right],
            }
            for number, item in enumerate(items)
        ]
        yield Table("tau/commonsense_qa", "default", split, hub.CSQA, rows)


def siqa(spec: Spec) -> Iterator[Table]:
    """Social IQa in English: what comes next, of three."""
    stream = stories.stories(Random(f"{spec.seed}/siqa"))
    chosen = stories.choices(stream, Random(f"{spec.seed}/siqa/choices"), 3)
    made = splits(chosen, spec)
    for split in ("train", "validation"):
        rows: Rows = []
        for item in made[split]:
            story = cosmosqa_row(item, "What will {hero} want to do next?", "", False)
            names = ("answerA", "answerB", "answerC")
            answers = {name: story[f"answer{i}"] for i, name in enumerate(names)}
            kept = {name: story[name] for name in ("context", "question")}
            rows.append({**kept, **answers, "label": str(item.right + 1)})
        yield Table("lighteval/siqa", "default", split, hub.SIQA, rows)


def copa_rows(items: list[tuple[stories.Story, str]], language: Grammar) -> Rows:
    """Rows of XCOPA."""
    gap = " " if language.spaced else ""
    return [
        {
            "premise": gap.join(language.sentence(c).text for c in item.events),
            "choice1": language.sentence(item.endings[0]).text,
            "choice2": language.sentence(item.endings[1]).text,
            "question": question,
            "label": item.right,
            "idx": number,
            "changed": False,
        }
        for number, (item, question) in enumerate(items)
    ]


def copa(spec: Spec) -> Iterator[Table]:
    """COPA in English, its effects and causes in turns; XCOPA, its dev and test rows in other
    languages."""
    pairs = zip(
        *(
            stories.choices(
                stories.stories(Random(f"{spec.seed}/copa/{name}"), chain),
                Random(f"{spec.seed}/copa/{name}/choices"),
                2,
            )
            for name, chain in (("effect", stories.NEXT), ("cause", stories.BEFORE))
        ),
        strict=True,
    )
    made = splits(
        chain.from_iterable(zip(pair, ("effect", "cause"), strict=True) for pair in pairs), spec
    )
    for split, items in made.items():
        rows = [
            {name: row[name] for name in hub.COPA} | ({"label": -1} if split == "test" else {})
            for row in copa_rows(items, grammar("en"))
        ]
        yield Table("aps/super_glue", "copa", split, hub.COPA, rows)
    for code in only(spec.languages, "zh"):
        for split in ("validation", "test"):
            rows = copa_rows(made[split], grammar(code))
            yield Table("cambridgeltl/xcopa", code, split, hub.XCOPA, rows)
