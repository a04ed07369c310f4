"""Row functions of multi-hop questions: one hand-written raw row of each, before and after."""

import json

from xstilts.data import hops, strata

HOTPOT = {
    "id": "5a",
    "question": "Where was the author of Emma born?",
    "answer": "Steventon",
    "type": "bridge",
    "level": "hard",
    "supporting_facts": {
        "title": ["Jane Austen", "Emma (novel)", "Emma (novel)"],
        "sent_id": [1, 0, 7],
    },
    "context": {
        "title": ["Bath", "Jane Austen", "Emma (novel)"],
        "sentences": [
            ["Bath is a city."],
            ["Jane Austen was a novelist.", " She was born in Steventon."],
            ["Emma is a novel by Jane Austen.", " It is from 1815."],
        ],
    },
}  # fmt: skip

MUSIQUE = {
    "id": "2hop__12_34",
    "paragraphs": [
        {"idx": 0, "title": "Bath", "paragraph_text": "A city.", "is_supporting": False},
        {"idx": 1, "title": "Emma", "paragraph_text": "By Jane Austen.", "is_supporting": True},
        {"idx": 2, "title": "Jane", "paragraph_text": "Born in Steventon.", "is_supporting": True},
    ],
    "question": "Where was the author of Emma born?",
    "question_decomposition": [
        {
            "id": 12, "question": "author of Emma", "answer": "Jane Austen",
            "paragraph_support_idx": 1,
        },
        {
            "id": 34, "question": "Where was #1 born?", "answer": "Steventon",
            "paragraph_support_idx": 2,
        },
    ],
    "answer": "Steventon",
    "answer_aliases": ["Steventon, Hampshire"],
    "answerable": True,
}  # fmt: skip


def test_hotpot_knows_the_supporting_sentences_that_are_there():
    assert hops.hotpot(HOTPOT) == {
        "id": "5a",
        "question": "Where was the author of Emma born?",
        "answers": ["Steventon"],
        "paragraphs": [
            {"title": "Bath", "text": "Bath is a city.", "gold": False, "facts": []},
            {
                "title": "Jane Austen",
                "text": "Jane Austen was a novelist. She was born in Steventon.",
                "gold": True,
                "facts": [(27, 54)],
            },
            {
                "title": "Emma (novel)",
                "text": "Emma is a novel by Jane Austen. It is from 1815.",
                "gold": True,
                "facts": [(0, 31)],
            },
        ],
        "absent": 0,
        "strata": {"type": "bridge", "answer": "span"},
    }


def test_hotpot_as_its_makers_write_it_and_as_text_is_the_same():
    """Pairs, which a column of a table cannot hold, or the JSON text of them."""
    made = {k: v for k, v in HOTPOT.items() if k != "id"} | {"_id": "5a"}
    for field, names in {
        "context": ("title", "sentences"),
        "supporting_facts": ("title", "sent_id"),
    }.items():
        made[field] = [list(pair) for pair in zip(*(HOTPOT[field][n] for n in names), strict=True)]
    assert made["supporting_facts"][0] == ["Jane Austen", 1]
    text = {k: v if isinstance(v, str) else json.dumps(v) for k, v in made.items()}
    assert hops.hotpot(made) == hops.hotpot(text) == hops.hotpot(HOTPOT)


def test_hotpot_counts_the_supporting_paragraphs_that_are_not_there():
    facts = {"title": ["Jane Austen", "Emma", "Emma"], "sent_id": [1, 0, 7]}
    row = hops.hotpot(HOTPOT | {"supporting_facts": facts})
    assert row["absent"] == 1
    assert [p["gold"] for p in row["paragraphs"]] == [False, True, False]


def test_hotpot_of_yes_and_no():
    row = hops.hotpot({**HOTPOT, "answer": "Yes ", "type": "comparison"})
    assert row["answers"] == ["Yes"]
    assert row["strata"] == {"type": "comparison", "answer": "yes/no"}


def test_musique_has_its_shape_from_its_id_and_its_aliases_as_answers():
    assert hops.musique(MUSIQUE) == {
        "id": "2hop__12_34",
        "question": "Where was the author of Emma born?",
        "answers": ["Steventon", "Steventon, Hampshire"],
        "paragraphs": [
            {"title": "Bath", "text": "A city.", "gold": False, "facts": []},
            {"title": "Emma", "text": "By Jane Austen.", "gold": True, "facts": []},
            {"title": "Jane", "text": "Born in Steventon.", "gold": True, "facts": []},
        ],
        "strata": {"hops": "2", "shape": "2hop"},
    }
    assert hops.musique({**MUSIQUE, "answerable": False}) is None


def test_musique_s_last_question_has_the_bridge_filled_in():
    row = hops.musique_last(MUSIQUE)
    assert row["id"] == "2hop__12_34"
    assert row["question"] == "Where was Jane Austen born?"
    assert [paragraph["gold"] for paragraph in row["paragraphs"]] == [False, False, True]
    assert row["strata"] == {"hops": "1", "shape": "2hop"}
    assert hops.musique({**MUSIQUE, "id": "3hop1__1_2_3"})["strata"] == {
        "hops": "3",
        "shape": "3hop1",
    }


def test_a_number_that_names_no_earlier_question_stays():
    steps = [*MUSIQUE["question_decomposition"][:1], {**MUSIQUE["question_decomposition"][1]}]
    steps[1]["question"] = "Who was #2 of #1 in chart #40?"
    row = hops.musique_last({**MUSIQUE, "question_decomposition": steps})
    assert row["question"] == "Who was #2 of Jane Austen in chart #40?"


def test_multiq_has_two_texts_without_titles():
    raw = {
        "support_text": "«Эмма» — роман Джейн Остин.",
        "main_text": "Джейн Остин родилась в Стивентоне.",
        "question": "Где родилась автор «Эммы»?",
        "bridge_answers": [{"label": "passage", "offset": 15, "segment": "Джейн Остин"}],
        "main_answers": [{"label": "passage", "offset": 23, "segment": "Стивентоне"}],
    }  # fmt: skip
    assert hops.multiq(raw) == {
        "question": "Где родилась автор «Эммы»?",
        "answers": ["Стивентоне"],
        "paragraphs": [
            {"title": "", "text": "«Эмма» — роман Джейн Остин.", "gold": True, "facts": []},
            {"title": "", "text": "Джейн Остин родилась в Стивентоне.", "gold": True, "facts": []},
        ],
        "strata": {"hops": "2"},
    }


def test_every_function_returns_the_strata_that_are_said_of_it():
    found = {
        "hotpot": hops.hotpot(HOTPOT), "musique": hops.musique(MUSIQUE),
        "musique_last": hops.musique_last(MUSIQUE),
    }  # fmt: skip
    assert {name: tuple(row["strata"]) for name, row in found.items()} == {
        name: names for name, names in hops.STRATA.items() if name != "multiq"
    }
    assert strata.RETURNED == hops.STRATA
