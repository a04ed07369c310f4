"""The tokenizer: XLM-R's special tokens, cutting, and text that looks like them."""

import json

import pytest
from tests import helpers

from xstilts.encoding.tokenizer import load_tokenizer
from xstilts.running.errors import UserError


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return helpers.make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def names(encoding):
    return " ".join(helpers.VOCABULARY[i] for i in encoding.ids)


def test_a_text_and_a_pair_are_framed_as_in_xlmr(tokenizer):
    single, pair = tokenizer.encode(["the cat"], 9), tokenizer.encode([("a dog", "猫 sat")], 11)
    assert names(single[0]) == "<s> ▁the ▁cat </s>"
    assert names(pair[0]) == "<s> ▁a ▁dog </s> </s> ▁ 猫 ▁sat </s>"
    assert tokenizer.template == ([0], [2])
    assert (tokenizer.pad_token_id, tokenizer.unk_token_id) == (1, 3)


@pytest.mark.parametrize("special", [*helpers.SPECIALS, "<mask>"])
def test_special_tokens_in_a_text_stay_text(tokenizer, special):
    (encoding,) = tokenizer.encode([f"a {special} b"], 32)
    assert names(encoding) == f"<s> ▁a ▁ {' '.join(special)} ▁ b </s>"
    assert [token for _, token in tokenizer.encode_words([special])[special]] == ["▁", *special]


def test_what_does_not_fit_is_cut_on_the_side_that_is_asked_for(tokenizer):
    pair = ("the cat sat on the mat", "a dog")
    for strategy, side, left in [
        ("longest_first", "right", "<s> ▁the ▁cat ▁sat </s> </s> ▁a ▁dog </s>"),
        ("only_first", "left", "<s> ▁on ▁the ▁mat </s> </s> ▁a ▁dog </s>"),
        ("only_second", "right", "<s> ▁the ▁cat ▁sat ▁on ▁the ▁mat </s> </s> ▁a </s>"),
    ]:
        length = len(left.split())
        (encoding,) = tokenizer.encode([pair], length, strategy, side)
        assert names(encoding) == left
        assert encoding.overflowing
    assert not tokenizer.encode([pair], 12)[0].overflowing, (
        "no limit is left behind by earlier calls"
    )


def test_each_word_is_cut_once_and_may_have_no_tokens(tokenizer):
    assert tokenizer.encode_words(["cat", "猫", "cat", "\u200b"]) == {
        "\u200b": [],
        "cat": [(helpers.VOCABULARY.index("▁cat"), "▁cat")],
        "猫": [(4, "▁"), (helpers.VOCABULARY.index("猫"), "猫")],
    }


@pytest.mark.parametrize("config", ["{", "{}", '{"pad_token_id": null}'])
def test_a_folder_without_a_tokenizer_is_named(tmp_path, config):
    path = helpers.write_tokenizer(tmp_path)
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(UserError, match=r"tokenizer\.json: cannot be read as a tokenizer"):
        load_tokenizer(path)
    path.write_text(json.dumps({"version": "1.0"}))
    (tmp_path / "config.json").write_text('{"pad_token_id": 1}')
    with pytest.raises(UserError, match=r"tokenizer\.json: cannot be read as a tokenizer"):
        load_tokenizer(path)
