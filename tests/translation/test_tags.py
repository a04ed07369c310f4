from hypothesis import given
from hypothesis import strategies as st

from xstilts.translation import tag_rows, tags
from xstilts.translation.links import Alignment
from xstilts.translation.rows import EMPTY

TOKENS = ["Anna", "Smith", "visits", "Berlin", "."]
NAMES = ["B-PER", "I-PER", "O", "B-LOC", "O"]
UPOS = ["PROPN", "PROPN", "VERB", "PROPN", "PUNCT"]
GERMAN = ["Heute", "besucht", "Anna", "Smith", "Berlin", "."]
LINKS = ((0, 2), (1, 3), (2, 1), (3, 4), (4, 5))
HOW = Alignment(LINKS, (2, 2, 0, 1, 3, 4))


def test_names_in_a_translation():
    found = tags.projected(TOKENS, NAMES, GERMAN, HOW)
    assert found == ["O", "O", "B-PER", "I-PER", "B-LOC", "O"]


def test_parts_of_speech_in_a_translation():
    # `Heute` belongs to no word, and is most like `visits`.
    found = tags.projected(TOKENS, UPOS, GERMAN, HOW)
    assert found == ["VERB", "VERB", "PROPN", "PROPN", "PROPN", "PUNCT"]


def test_a_name_of_which_no_word_is_known_drops_the_row():
    how = HOW._replace(links=LINKS[:3])
    assert tags.projected(TOKENS, NAMES, GERMAN, how) is None
    apart = HOW._replace(links=((0, 0), (1, 9), (3, 4)))
    assert tags.projected(TOKENS, NAMES, [*GERMAN, *"abcd"], apart) is None
    overlapping = HOW._replace(links=((0, 2), (1, 4), (3, 3)))
    assert tags.projected(TOKENS, NAMES, GERMAN, overlapping) is None


def test_a_name_has_what_lies_between_its_words():
    tokens, given = ["Bank", "of", "Spain"], ["B-ORG", "I-ORG", "I-ORG"]
    how = Alignment(((0, 0), (2, 3)), (0, 1, 1, 2))
    found = tags.projected(tokens, given, ["Banco", "de", "la", "España"], how)
    assert found == ["B-ORG", "I-ORG", "I-ORG", "I-ORG"]


def test_signs_have_the_tags_of_signs():
    how = Alignment(((0, 1),), (0, 0, 0))
    found = tags.projected(["Anna", "?"], ["PROPN", "PUNCT"], ["¿", "Ana", "?"], how)
    assert found == ["PUNCT", "PROPN", "PUNCT"]


def test_bio_is_repaired():
    assert tags.repaired(["I-PER", "I-PER", "O", "I-LOC", "I-PER", "B-PER", "I-PER"]) == [
        "B-PER", "I-PER", "O", "B-LOC", "B-PER", "B-PER", "I-PER"
    ]  # fmt: skip
    assert tags.stretches(["I-PER", "I-PER", "O", "I-LOC"]) == [("PER", 0, 2), ("LOC", 3, 4)]
    assert tags.is_bio(["O", "B-PER"])
    assert not tags.is_bio(["O"])
    assert not tags.is_bio(["NOUN", "B-PER"])


bio = st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"])


@given(st.lists(bio))
def test_repaired_tags_stay_and_are_sound(given_tags):
    found = tags.repaired(given_tags)
    assert tags.repaired(found) == found
    assert [tag[2:] for tag in found] == [tag[2:] for tag in given_tags]


@given(
    st.lists(bio, min_size=1, max_size=6),
    st.integers(1, 8),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7))),
)
def test_a_translation_has_each_name_once_or_none_at_all(given_tags, size, links):
    links = [(i, j) for i, j in links if i < len(given_tags) and j < size]
    how = Alignment(tuple(sorted(set(links))), (0,) * size)
    words = [f"w{at}" for at in range(len(given_tags))]
    found = tags.projected(words, given_tags, ["w"] * size, how, bio=True)
    if found is not None:
        assert len(found) == size
        kinds = sorted(kind for kind, _, _ in tags.stretches(given_tags))
        assert sorted(kind for kind, _, _ in tags.stretches(found)) == kinds
        assert tags.repaired(found) == found


def test_a_row():
    row = {"id": "s1", "tokens": TOKENS, "tags": NAMES}
    assert tag_rows.texts(row) == ["Anna Smith visits Berlin."]
    translated = ["Heute besucht Anna Smith Berlin."]
    assert tag_rows.pairs(row, translated) == [(TOKENS, GERMAN)]
    assert tag_rows.rebuilt(row, translated, lambda *_: HOW) == {
        "id": "s1",
        "tokens": GERMAN,
        "tags": ["O", "O", "B-PER", "I-PER", "B-LOC", "O"],
    }
    assert tag_rows.rebuilt(row, translated) == tag_rows.LOST
    assert tag_rows.rebuilt(row, [" "], lambda *_: HOW) == EMPTY
