"""One JSON object a line, whatever its texts quote and whoever reads it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from assessment.domain.identifiers import write_json_line

QUOTED = st.text(alphabet=st.sampled_from("a\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029\u00e5\U0001f600"))


@given(QUOTED)
def test_a_line_stays_one_line_and_says_the_same(text: str) -> None:
    line = write_json_line({"justification": text})
    assert line.splitlines() == [line.removesuffix("\n")]
    assert json.loads(line) == {"justification": text}
