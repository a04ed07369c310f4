"""Row functions of multi-hop questions, for `rows.ROW_FUNCTIONS`: a raw row -> what
`passages.assemble` takes."""

import json
import re
from typing import Any

Row = dict[str, Any]
# What each returns under `strata`.
STRATA = {
    "hotpot": ("type", "answer"),
    "musique": ("hops", "shape"),
    "musique_last": ("hops", "shape"),
    "multiq": ("hops",),
}


def hotpot(row: Row) -> Row:
    """HotpotQA, distractor setting; 2WikiMultihopQA and translations have its form.

    A supporting sentence that is not there (an id beyond the paragraph's last, as HotpotQA has
    some, or a negative one) is none; its paragraph supports the answer all the same.
    """
    context = _pairs(row["context"], "title", "sentences")
    facts: dict[str, set[int]] = {}
    for title, number in _pairs(row["supporting_facts"], "title", "sent_id"):
        facts.setdefault(title, set()).add(number)
    paragraphs = []
    for title, parts in context:
        spans, end = [], 0
        for number, part in enumerate(parts):
            if number in facts.get(title, ()):
                spans.append((end, end + len(part)))
            end += len(part)
        paragraphs.append(
            {"title": title, "text": "".join(parts), "gold": title in facts, "facts": spans}
        )
    answer = row["answer"].strip()
    return {
        "id": row["_id"] if "_id" in row else row["id"],
        "question": row["question"],
        "answers": [answer],
        "paragraphs": paragraphs,
        "absent": len(facts.keys() - {title for title, _ in context}),
        "strata": {
            "type": row["type"],
            "answer": "yes/no" if answer.casefold() in ("yes", "no") else "span",
        },
    }


def _pairs(given: Any, *names: str) -> list[tuple[Any, Any]]:
    """Return the pairs of a field: two lists by name, as the hub has them, or the pairs of its
    makers' files; or either as JSON text, since no column of a table holds such pairs."""
    found = json.loads(given) if isinstance(given, str) else given
    pairs = zip(*(found[n] for n in names), strict=True) if isinstance(found, dict) else found
    return [(first, second) for first, second in pairs]


def musique(row: Row) -> Row | None:
    """MuSiQue-Ans; a question that cannot be answered (MuSiQue-Full) is not used."""
    if row.get("answerable") is False:
        return None
    paragraphs = [
        {
            "title": paragraph["title"],
            "text": paragraph["paragraph_text"],
            "gold": paragraph["is_supporting"],
            "facts": [],
        }
        for paragraph in row["paragraphs"]
    ]
    return {
        "id": row["id"],
        "question": row["question"],
        "answers": [row["answer"], *row["answer_aliases"]],
        "paragraphs": paragraphs,
        "strata": _shape(row["id"]),
    }


def musique_last(row: Row) -> Row | None:
    """The last sub-question of a row of MuSiQue, with the answers that lead to it filled in, over
    the paragraph that answers it: one hop, under the id of the multi-hop question."""
    whole = musique(row)
    if whole is None:
        return None
    steps = row["question_decomposition"]
    question = re.sub(
        r"#(\d+)",
        lambda found: (
            steps[int(found[1]) - 1]["answer"] if 0 < int(found[1]) < len(steps) else found[0]
        ),
        steps[-1]["question"],
    )
    last = steps[-1]["paragraph_support_idx"]
    paragraphs = [
        whole["paragraphs"][i] | {"gold": paragraph["idx"] == last}
        for i, paragraph in enumerate(row["paragraphs"])
    ]
    return whole | {
        "question": question,
        "paragraphs": paragraphs,
        "strata": whole["strata"] | {"hops": "1"},
    }


def multiq(row: Row) -> Row:
    """MultiQ of TAPE (Russian): two texts, of which the second holds the answer. Columns from
    memory, not read on the hub."""
    answers = [answer["segment"] for answer in row["main_answers"]]
    texts = (row["support_text"], row["main_text"])
    return {
        "question": row["question"],
        "answers": list(dict.fromkeys(answers)),
        "paragraphs": [{"title": "", "text": t, "gold": True, "facts": []} for t in texts],
        "strata": {"hops": "2"},
    }


def _shape(id: str) -> Row:
    """Return hops and shape of an id of MuSiQue: `3hop1__9285_5188_23307` is 3 and 3hop1."""
    shape = id.split("__")[0]
    hops = re.match(r"\d+", shape)
    return {"hops": hops[0] if hops else None, "shape": shape}
