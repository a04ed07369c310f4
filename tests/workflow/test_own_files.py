"""Files as they are published, of each format, from their paths to a score."""

import gzip
import json

import pytest
from tests.workflow.running import tiny

WORDS = ["the", "der", "old", "alte", "house", "Haus", "tree", "NA"]


def squad(rows):
    context = "Er aß süße Äpfel, then he went home."
    questions = [
        {
            "id": f"q{i}",
            "question": "What did he eat?",
            # In bytes, as TyDi QA's makers count.
            "answers": [{"text": "Äpfel", "answer_start": context.encode().index("Ä".encode())}],
        }
        for i in range(rows)
    ]
    article = {"title": "", "paragraphs": [{"context": context, "qas": questions}]}
    return json.dumps({"version": "1.1", "data": [article]})


def conll(rows):
    lines = [f"{w} {w[0]} B-NP {'B-LOC' if i % 3 else 'O'}\n" for i, w in enumerate(WORDS)]
    sentences = ["".join(lines[i % 4 : i % 4 + 4]) for i in range(rows)]
    return "-DOCSTART- -X- -X- O\n\n" + "\n".join(sentences)


def arc(rows):
    stem = {
        "stem": "What melts?",
        "choices": [{"text": w, "label": k} for k, w in zip("ABC", WORDS, strict=False)],
    }
    return "".join(
        json.dumps({"id": f"Mercury_{i}", "question": stem, "answerKey": "ABC"[i % 3]}) + "\n"
        for i in range(rows)
    )


@pytest.fixture(scope="module")
def own(finished, tmp_path_factory):
    """A finished run of own files of five formats."""
    experiment = finished.copy(tmp_path_factory.mktemp("files") / "own")
    for name, text in {
        "squad/train-v1.1.json": squad(16), "squad/dev-de.json": squad(6),
        "squad/dev-en.json": squad(6),
        "ner/eng.train": conll(16), "ner/en.conll": conll(6), "ner/de.conll": conll(6),
        "arc/train.jsonl.gz": arc(16), "arc/en.jsonl.gz": arc(6), "arc/de.jsonl.gz": arc(6),
        "pairs/de.txt": "Ja.\nNein.\nGut.\n", "pairs/de.en.txt": "Yes.\nNo.\nGood.\n",
        "text/de.txt": "".join(f"{' '.join(WORDS)} {i}\n" for i in range(20)),
    }.items():  # fmt: skip
        path = experiment.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    both = {"languages": ["en", "de"]}
    tasks = {
        "reading": {"format": "span", **both,
                    "files": {"train": "squad/train-v1.1.json", "dev": "squad/dev-{lang}.json"}},
        "ner": {"format": "tagging", **both,
                "files": {"train": "ner/eng.train", "dev": "ner/{lang}.conll"}},
        "quiz": {"format": "choice", **both,
                 "files": {"train": "arc/train.jsonl.gz", "dev": "arc/{lang}.jsonl.gz"}},
        "pairs": {"format": "retrieval", "languages": ["de"],
                  "files": {"dev": ["pairs/{lang}.txt", "pairs/{lang}.en.txt"]}},
        "lines": {"format": "mlm", "languages": ["de"], "files": {"train": "text/{lang}.txt"}},
    }  # fmt: skip
    config = tiny(
        tasks=tasks, targets=["reading", "ner", "quiz", "pairs"], keep_tuned=False,
        intermediates={"both": {"tasks": ["ner", "lines"]}}, exclude=[{"intermediate": "none"}],
    )  # fmt: skip
    experiment.write(config)
    experiment.snakemake().ok()
    return experiment


def test_each_format_has_scores_in_its_languages(own):
    found = {
        (path.parent.name, path.stem)
        for path in own.path("scores/xlmr/both/seed1").glob("*/??.json")
    }
    assert found == {
        *((task, lang) for task in ("reading", "ner", "quiz") for lang in ("en", "de")),
        ("pairs", "de"),
    }


def test_the_log_says_how_offsets_were_read(own):
    log = own.read("logs/prepare/reading/de.dev.log")
    assert "reading de dev: 6 rows, answer offsets count bytes" in log
