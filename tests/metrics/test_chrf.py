import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics.chrf import CHRF

from xstilts.metrics.chrf import chrf


def test_one_pair_by_hand():
    # abc against abd: two of three characters, one of two pairs, no triple.
    assert chrf(["a bc"], ["abd"])[0] == pytest.approx(100 * (2 / 3 + 1 / 2 + 0) / 3)


texts = st.text(st.sampled_from("ab cdé中文🙂 "), max_size=30) | st.text(max_size=12)


@given(st.lists(st.tuples(texts, texts), max_size=5))
def test_it_equals_sacrebleu(pairs):
    scorer = CHRF()
    expected = [scorer.sentence_score(one, [other]).score for one, other in pairs]
    found = chrf([one for one, _ in pairs], [other for _, other in pairs])
    np.testing.assert_allclose(found, expected, atol=1e-9)
