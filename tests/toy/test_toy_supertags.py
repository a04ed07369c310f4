"""Supertags: by the rules of combinatory grammar each sentence becomes one `s`."""

from functools import cache
from itertools import islice, product
from random import Random

import pytest

from xstilts.toy.catalogue.tagging import sentences
from xstilts.toy.forms import Clause, Report, Thing
from xstilts.toy.supertags import tagged

APPLE = Clause(Thing("anna"), "buy", Thing("apple", "red"), place="park", time="today")


def split(category):
    """A complex category as (result, slash, argument), None for a simple one."""
    depth = 0
    for i in range(len(category) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(category[i], 0)
        if not depth and category[i] in "/\\":
            return bare(category[:i]), category[i], bare(category[i + 1 :])
    return None


def bare(category):
    """A category without the brackets around the whole of it."""
    return category[1:-1] if category[0] == "(" and split(category) is None else category


@cache
def fits(one, other):
    """Whether a category takes another: `s` without a feature is any `s`, and an `n` is an `np`."""
    first, second = split(one), split(other)
    if first is None or second is None:
        if first or second:
            return False
        known = {one.split(":")[0], other.split(":")[0]}
        bare_s = known == {"s"} and ("s" in (one, other))
        return one == other or bare_s or (one, other) == ("np", "n")
    same = first[1] == second[1]
    return same and fits(first[0], second[0]) and fits(first[2], second[2])


def resolved(function, argument, result):
    """The result of a modifier is what it modifies, with its features."""
    return argument if function[0] == function[2] else result


def joined(slash, result, argument):
    def wrap(category):
        return f"({category})" if split(category) else category

    return f"{wrap(result)}{slash}{wrap(argument)}"


def combined(left, right):
    """What two neighbours become: application, composition and crossed composition."""
    one, other = split(left), split(right)
    if one and one[1] == "/":
        if fits(one[2], right):
            yield resolved(one, right, one[0])
        if other and fits(one[2], other[0]):
            yield joined(other[1], resolved(one, other[0], one[0]), other[2])
    if other and other[1] == "\\":
        if fits(other[2], left):
            yield resolved(other, left, other[0])
        if one and fits(other[2], one[0]):
            yield joined(one[1], resolved(other, one[0], other[0]), one[2])


def parses(tags):
    """The categories that a whole sequence can become."""
    count = len(tags)
    chart = {(i, i + 1): {tag} for i, tag in enumerate(tags)}
    for width in range(2, count + 1):
        for start in range(count - width + 1):
            end = start + width
            chart[start, end] = {
                made
                for middle in range(start + 1, end)
                for pair in product(chart[start, middle], chart[middle, end])
                for made in combined(*pair)
            }
    return chart[0, count]


def test_categories_of_one_sentence():
    assert tagged(APPLE) == [
        ("Today", "s/s"),
        ("Anna", "n"),
        ("buys", r"(s:dcl\np)/np"),
        ("a", "np/n"),
        ("red", "n/n"),
        ("apple", "n"),
        ("in", r"((s\np)\(s\np))/np"),
        ("the", "np/n"),
        ("park", "n"),
        (".", "."),
    ]
    told = Report(
        Thing("teacher", definite=True), "know", Clause(Thing("tom"), "be", place="berlin")
    )
    assert [tag for _, tag in tagged(told)][2:] == [
        r"(s:dcl\np)/s:em", "s:em/s:dcl", "n", r"(s:dcl\np)/pp", "pp/np", "n", ".",
    ]  # fmt: skip


def test_the_parser_refuses_what_is_no_sentence():
    tags = [tag for _, tag in tagged(APPLE)][:-1]
    assert not {c for c in parses(tags[::-1]) if c.startswith("s") and not split(c)}


def test_every_sentence_becomes_one_s():
    for form in islice(sentences(Random("supertags")), 300):
        *tags, stop = [tag for _, tag in tagged(form)]
        assert stop == "."
        parts = [tags]
        if "conj" in tags:
            middle = tags.index("conj")
            parts = [tags[:middle], tags[middle + 1 :]]
        for part in parts:
            whole = {c for c in parses(tuple(part)) if not split(c)}
            assert whole & {"s:dcl", "s:wq", "s:q"}, (tagged(form), whole)


@pytest.mark.parametrize(
    ("category", "parts"),
    [("n", None), ("np/n", ("np", "/", "n")), (r"(s\np)\(s\np)", (r"s\np", "\\", r"s\np"))],
)
def test_categories_are_read_right(category, parts):
    assert split(category) == parts
