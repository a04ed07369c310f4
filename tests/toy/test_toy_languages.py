"""Forms in every language, written out by hand."""

import pytest

from xstilts.toy.forms import Clause, Pair, Report, Thing
from xstilts.toy.languages import grammar
from xstilts.toy.schema import UPOS

EVENT = Clause(
    Thing("anna"), "buy", Thing("car", "red"), place="park", adverb="often", time="today"
)
EVENT_TEXT = {
    "en": "Today Anna often buys a red car in the park.",
    "de": "Heute kauft Anna oft in dem Park ein rotes Auto.",
    "ru": "Сегодня Анна часто покупает красную машину в парке.",
    "ar": "اليوم تشتري آنا سيارة حمراء غالبا في المتنزه.",
    "hi": "आज आन्ना पार्क में अक्सर लाल गाड़ी खरीदती है।",
    "zh": "今天安娜经常在公园买红色的汽车。",
}
EVENT_TAGS = {
    "en": "ADV PROPN ADV VERB DET ADJ NOUN ADP DET NOUN PUNCT",
    "de": "ADV VERB PROPN ADV ADP DET NOUN DET ADJ NOUN PUNCT",
    "ru": "ADV PROPN ADV VERB ADJ NOUN ADP NOUN PUNCT",
    "ar": "ADV VERB PROPN NOUN ADJ ADV ADP NOUN PUNCT",
    "hi": "ADV PROPN NOUN ADP ADV ADJ NOUN VERB AUX PUNCT",
    "zh": "ADV PROPN ADV ADP NOUN VERB ADJ PART NOUN PUNCT",
}
EVENT_PATIENT = {
    "en": "a red car",
    "de": "ein rotes Auto",
    "ru": "красную машину",
    "ar": "سيارة حمراء",
    "hi": "लाल गाड़ी",
    "zh": "红色的汽车",
}
ASKED = Clause(Thing("king", definite=True), "see", Thing("dog", number="five"), ask="number")
ASKED_TEXT = {
    "en": "How many dogs does the king see?",
    "de": "Wie viele Hunde sieht der König?",
    "ru": "Сколько собак король видит?",
    "ar": "كم كلاب يرى الملك؟",
    "hi": "राजा कितने कुत्ते देखता है?",
    "zh": "国王看见多少狗？",
}
REPORT = Report(
    Thing("queen", definite=True),
    "know",
    Clause(Thing("tom"), "hate", Thing("cat", "old"), place="berlin", negated=True),
)
REPORT_TEXT = {
    "en": "The queen knows that Tom does not hate an old cat in Berlin.",
    "de": "Die Königin weiß, dass Tom in Berlin nicht eine alte Katze hasst.",
    "ru": "Королева знает, что Том не ненавидит старую кошку в Берлине.",
    "ar": "تعرف الملكة أن توم لا يكره قطة قديمة في برلين.",
    "hi": "रानी जानती है कि टॉम बर्लिन में पुरानी बिल्ली को नफ़रत नहीं करता है।",
    "zh": "女王知道汤姆不在柏林恨旧的猫。",
}
COLOUR_TEXT = {
    "en": ("The chair is not black.", "Which colour is the chair?"),
    "de": ("Der Stuhl ist nicht schwarz.", "Welche Farbe ist der Stuhl?"),
    "ru": ("Стул не чёрный.", "Какого цвета стул?"),
    "ar": ("ليس الكرسي أسود.", "ما لون الكرسي؟"),
    "hi": ("कुर्सी काली नहीं है।", "कुर्सी किस रंग की है?"),
    "zh": ("椅子不是黑色的。", "椅子是什么颜色的？"),
}
LANGUAGES = list(EVENT_TEXT)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_event_its_tags_and_its_patient(language):
    sentence = grammar(language).sentence(EVENT)
    assert sentence.text == EVENT_TEXT[language]
    assert [token.upos for token in sentence.tokens] == EVENT_TAGS[language].split()
    start, patient = sentence.span("patient")
    assert patient == EVENT_PATIENT[language]
    assert sentence.text[start:].startswith(patient)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_question(language):
    assert grammar(language).sentence(ASKED).text == ASKED_TEXT[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_of_something_negated(language):
    assert grammar(language).sentence(REPORT).text == REPORT_TEXT[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_property_and_the_question_for_it(language):
    chair = Clause(Thing("chair", definite=True), "be", quality="black", negated=True)
    asked = Clause(chair.agent, "be", quality="black", ask="quality")
    told = grammar(language).sentence(chair).text, grammar(language).sentence(asked).text
    assert told == COLOUR_TEXT[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_pair_is_its_clauses_and_a_conjunction(language):
    here = Clause(Thing("maya"), "be", place="forest")
    tokens = grammar(language).sentence(Pair(EVENT, "and", here)).tokens
    assert [token.upos for token in tokens].count("CCONJ") == 1
    assert {token.upos for token in tokens} <= set(UPOS)


def test_german_cases_and_russian_animacy():
    seen = Clause(Thing("dog", definite=True), "see", Thing("table", "small", definite=True))
    assert grammar("de").sentence(seen).text == "Der Hund sieht den kleinen Tisch."
    counted = Clause(Thing("maria"), "buy", Thing("apple", "big", "seven"))
    assert grammar("de").sentence(counted).text == "Maria kauft sieben große Äpfel."
    assert grammar("ru").sentence(counted).text == "Мария покупает семь больших яблок."
    fed = Clause(Thing("ivan"), "feed", Thing("rabbit", "old"))
    assert grammar("ru").sentence(fed).text == "Иван кормит старого кролика."
