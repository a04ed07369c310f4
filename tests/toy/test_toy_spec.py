"""Specs that are wrong get one clear line."""

import pytest

from xstilts.running.errors import UserError
from xstilts.toy import spec


def test_defaults():
    assert spec.parse({}) == spec.Spec()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sead": 1}, "unknown key 'sead'"),
        ({"sizes": {"trian": 5}}, "unknown key 'trian'"),
        ({"languages": ["en", "fr"]}, "no language 'fr'"),
        ({"languages": ["de"]}, "must hold 'en'"),
        ({"sizes": {"train": 0}}, "at least 1"),
        ([], "must be an object"),
    ],
)
def test_what_is_wrong_is_named(given, message):
    with pytest.raises(UserError, match=message):
        spec.parse(given)
