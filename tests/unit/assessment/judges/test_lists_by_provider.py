"""Lists through the real adapters of models, over HTTP, in every provider's format."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assessment.adapters.prompts import JinjaPrompts
from assessment.contracts.list_protocol import (
    CompareRequestV2,
    ListMetadata,
    LLMComparisonResultV2,
    label_essays,
)
from assessment.contracts.llm_protocol import CallbackAddress
from assessment.domain.judge import JudgeSpec, ListForm
from assessment.domain.prompt import EssayList, JudgeInstructions
from local.providers.scripted_server import make_reply, openai_reply
from tests.unit.assessment.judges.conftest import Asking

ESSAYS = ("anna", "bert", "cili", "dora", "emil")


def questions(judge: JudgeSpec, *ids: str, attempt: int = 1) -> list[CompareRequestV2]:
    lists = [EssayList(name, tuple(f"{each} of {name}" for each in ESSAYS)) for name in ids]
    blocks = JinjaPrompts().render_lists(judge, JudgeInstructions(), lists, bundle=True)
    return [
        CompareRequestV2(
            correlation_id=f"correlation-{each.comparison_id}",
            callback=CallbackAddress(queue_url="memory://"),
            essays=label_essays(ESSAYS, each.texts),
            prompt_blocks=blocks,
            metadata=ListMetadata(
                batch_id="batch", wave=1, comparison_id=each.comparison_id, attempt=attempt,
                essay_ids=ESSAYS, prompt_sha256="p", judge=judge.label,
            ),
        )
        for each in lists
    ]  # fmt: skip


def ask(asking: Asking, *ids: str, attempt: int = 1) -> list[LLMComparisonResultV2]:
    requests = questions(asking.judge, *ids, attempt=attempt)
    found = asking.run(lambda judges: judges.get_judge(asking.judge).compare(requests))
    return [each for each in found if isinstance(each, LLMComparisonResultV2)]


def entry(name: str, ranking: object, **fields: Any) -> dict[str, Any]:
    return {"comparison_id": name, "ranking": ranking, **fields}


def test_a_judge_of_scores_is_asked_for_them_and_read(asking: Asking) -> None:
    settings = {"list_size": 5, "list_form": ListForm.SCORES}
    asking.judge = asking.judge.model_copy(update=settings)
    scores = [{"essay": letter, "score": 90 - at} for at, letter in enumerate("CABDE")]
    asking.server.script = [
        make_reply(
            asking.server.provider,
            {"verdicts": [{"comparison_id": "c1", "scores": scores, "justification": "why"}]},
        )
    ]
    (result,) = ask(asking, "c1")
    stored = result.verdict()
    assert stored.ranking == ("cili", "anna", "bert", "dora", "emil")
    assert stored.scores == (90.0, 89.0, 88.0, 87.0, 86.0)
    assert stored.gaps is None
    asked = json.dumps(asking.server.requests[0].body)
    assert "from 0 to 100" in asked
    assert "decisive" not in asked, "gaps are not asked for"


def test_a_bundle_of_lists_is_asked_for_and_read(asking: Asking) -> None:
    asking.server.winner = lambda name: "A" if name == "w001-00000" else "B"
    one, two = ask(asking, "w001-00000", "w001-00001")
    assert (one.verdict().ranking, two.verdict().ranking) == (ESSAYS, ESSAYS[::-1])
    assert set(one.verdict().gaps or ()) == {"clear"}
    assert one.justification == "It argues better."
    usage = [each.verdict().input_tokens for each in (one, two)]
    assert (sum(usage), max(usage) - min(usage)) == (1000, 0)
    (sent,) = asking.server.requests
    body = json.dumps(sent.body)
    assert '"ranking"' in body
    assert '"winner"' not in body, "a list is asked for an order"


@pytest.mark.parametrize(
    ("ranking", "code"),
    [
        (["A", "B", "C", "D", "F"], "ranking_unknown_essay"),
        (["A", "B", "C", "D"], "ranking_missing_essay"),
        (["A", "B", "C", "D", "A"], "ranking_doubled_essay"),
        (list(ESSAYS), "ranking_unknown_essay"),
        ("by quality", "malformed_verdict"),
        (None, "malformed_verdict"),
    ],
)
def test_an_order_that_is_none_fails_its_list_alone(
    asking: Asking, ranking: object, code: str
) -> None:
    document = {"verdicts": [entry("w001-00000", ranking), entry("w001-00001", list("EDCBA"))]}
    asking.server.script.append(make_reply(asking.server.provider, document))
    bad, good = ask(asking, "w001-00000", "w001-00001")
    assert bad.error_detail is not None
    assert (bad.error_detail.code, bad.error_detail.retryable) == (code, True)
    assert bad.spent.input_tokens == 500
    assert good.verdict().ranking == ESSAYS[::-1]
    asking.server.script.append(make_reply(asking.server.provider, document))
    (again,) = ask(asking, "w001-00000", attempt=2)
    assert again.error_detail is not None
    assert not again.error_detail.retryable, "asked alone, it is how this model answers"


@pytest.mark.parametrize(
    "text",
    [
        '<think>A > B? {"ranking": ["A"]}</think>\n{"ranking": ["E","D","C","B","A"]}',
        'Here it is:\n```json\n{"ranking": ["E","D","C","B","A"], "gaps": null}\n```\nThanks!',
        '{"ranking": "E > D > C > B > A", "justification": "so"}',
        '{"ranking": ["Essay E", "Essay D", "Essay C", "Essay B", "Essay A"]}',
        '{"scores": {"A": 1, "B": 2, "C": 3.5, "D": 4, "E": 5}}',
    ],
)
def test_answers_are_read_through_what_models_put_around_them(openai: Asking, text: str) -> None:
    openai.server.script.append(openai_reply(text))
    (result,) = ask(openai, "w001-00000")
    assert result.error_detail is None
    assert result.verdict().ranking == ESSAYS[::-1]


def test_whole_lists_of_an_answer_that_was_cut_off_are_kept(asking: Asking) -> None:
    document = {"verdicts": [entry("w001-00000", list("BACDE"))]}
    stop = "length" if asking.server.provider == "openai" else "max_tokens"
    asking.server.script.append(make_reply(asking.server.provider, document, stop=stop))
    whole, lost = ask(asking, "w001-00000", "w001-00001")
    assert whole.verdict().ranking == ("bert", "anna", "cili", "dora", "emil")
    assert lost.error_detail is not None
    assert lost.error_detail.code == "cut_off"
