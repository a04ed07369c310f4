r"""The CCG category of every word of an English sentence of the toy world.

Categories are written as in the Parallel Meaning Bank (`s:dcl\np`); a noun `n` may serve as `np`.
By application, composition (also crossed) and coordination each sentence becomes one `s`: a test
parses them. A word's category depends on its clause: `does` and `is` ask or tell, `in` modifies or
complements.
"""

from xstilts.toy.forms import Clause, Form, Pair, Report
from xstilts.toy.grammar import Token
from xstilts.toy.languages import grammar

MODIFIER = r"(s\np)\(s\np)"
BY_TAG = {
    "DET": "np/n",
    "ADJ": "n/n",
    "NUM": "n/n",
    "NOUN": "n",
    "PROPN": "n",
    "PART": MODIFIER,
}
WHICH = r"(s:wq/(s:q/np))/n"


def asks(clause: Clause) -> bool:
    """Whether the question word is not the subject, so that the verb comes before the subject."""
    return clause.ask not in ("", "agent")


def auxiliary(clause: Clause) -> str:
    """The category of `is` or `does`."""
    if clause.verb != "be":
        rest = r"(s:b\np)"
    elif clause.ask == "quality":
        rest = "np"
    else:
        rest = "pp" if clause.place else r"(s:adj\np)"
    return f"(s:q/{rest})/np" if asks(clause) else rf"(s:dcl\np)/{rest}"


def question_word(token: Token, clause: Clause) -> str:
    """The category of a word that asks, "" for any other word."""
    return {
        "who": r"s:wq/(s:dcl\np)",
        "what": "s:wq/(s:q/np)",
        "where": "s:wq/(s:q/pp)" if clause.verb == "be" else "s:wq/s:q",
        "which": WHICH,
        "many": WHICH,
        "how": f"({WHICH})/({WHICH})",
    }.get("" if token.slot else token.text.lower(), "")


def adverb(token: Token, clause: Clause, first: bool) -> str:
    """The category of an adverb: before the verb, or of time before or after the clause."""
    if clause.time and token.text == grammar("en").words[clause.time].form(0):
        return "s/s" if first else MODIFIER
    return r"(s\np)/(s\np)"


def clause_tags(clause: Clause) -> list[str]:
    """The categories of the tokens of a clause."""
    tags = []
    has_auxiliary = clause.negated or asks(clause)
    for number, token in enumerate(grammar("en").clause(clause)):
        if not (tag := question_word(token, clause)):
            if token.slot == "quality":
                tag = r"s:adj\np"
            elif token.upos == "VERB":
                tag = r"(s:b\np)/np" if has_auxiliary else r"(s:dcl\np)/np"
            elif token.upos == "AUX":
                tag = auxiliary(clause)
            elif token.upos == "ADP":
                tag = "pp/np" if clause.verb == "be" else f"({MODIFIER})/np"
            elif token.upos == "ADV":
                tag = adverb(token, clause, first=number == 0)
            else:
                tag = BY_TAG[token.upos]
        tags.append(tag)
    return tags


def tagged(form: Form) -> list[tuple[str, str]]:
    """The words of a sentence as it is written, with their categories."""
    tokens = grammar("en").sentence(form).tokens
    if isinstance(form, Pair):
        tags = [*clause_tags(form.first), "conj", *clause_tags(form.second)]
    elif isinstance(form, Report):
        content = clause_tags(form.content)
        head = tokens[: len(tokens) - len(content) - 3]
        tags = [BY_TAG[t.upos] for t in head] + [r"(s:dcl\np)/s:em", "s:em/s:dcl", *content]
    else:
        tags = clause_tags(form)
    return list(zip((t.text for t in tokens), [*tags, "."], strict=True))
