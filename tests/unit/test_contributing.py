"""The examples of CONTRIBUTING.md do what they say, taken from the page as they stand."""

from __future__ import annotations

import asyncio
import json
import re
from enum import StrEnum
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.adapters.judges.completion import Completion
from assessment.adapters.judges.model_judge import ModelJudge
from assessment.adapters.prompts import JinjaPrompts
from assessment.api import access
from assessment.api.responses import answer
from assessment.contracts.llm_protocol import (
    CallbackAddress,
    CompareEssay,
    CompareMetadata,
    CompareRequestV1,
    LLMComparisonResultV1,
)
from assessment.domain.access import Action, Caller, Role
from assessment.domain.decision import Reason
from assessment.domain.errors import NotPermittedError
from assessment.domain.grade_scale import SCALES, GradeScale
from assessment.domain.jury import read_judges
from assessment.domain.prompt import EssayPair, JudgeInstructions
from tests.present import present

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def example(heading: str, language: str) -> str:
    """The first block of code below a heading."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found, f"{heading} has no example"
    return dedent(found[1])


def run(code: str, **names: object) -> dict[str, Any]:
    exec(compile(code, "CONTRIBUTING.md", "exec"), names)  # noqa: S102 - our own page
    return names


def test_the_example_of_a_scale_is_one():
    values = json.loads(example("A new grade scale", "json"))
    scale = GradeScale.model_validate({"name": "norwegian_1_6", **values})
    assert scale.position(present(scale.passing_grade)) == 1
    assert "norwegian_1_6" not in SCALES, "an example that is there already shows nothing"


def test_the_example_of_a_reason_is_a_new_one():
    line = example("A new reason to stop", "python").strip()
    members = {reason.name: reason.value for reason in Reason}
    made = run(f"class Grown(StrEnum):\n    KNOWN = 'known'\n    {line}\n", StrEnum=StrEnum)
    (grown,) = [member for member in made["Grown"] if member.name != "KNOWN"]
    assert grown.name not in members
    assert grown.value == grown.name.lower()
    assert all(value == name.lower() for name, value in members.items())


def test_the_places_that_the_page_names_are_there():
    section = PAGE.split("## A new grade scale", 1)[1]
    for path in re.findall(r"`((?:assessment|tests|functions|events)/[\w/.]+)`", section):
        base = ROOT / "layers" / "service" if path.startswith("assessment") else ROOT
        assert (base / path).exists(), path
    source = ROOT / "layers" / "service" / "assessment"
    assert "_OUTCOMES" in (source / "usecases" / "finalise_batch.py").read_text()
    assert "REMEDIES = " in (source / "usecases" / "fail_batch.py").read_text()
    assert "def _model" in (source / "adapters" / "judges" / "registry.py").read_text()


def test_the_example_of_a_judge_judges():
    model = run(example("A new judge", "python"), Completion=Completion)["EchoModel"]()
    (judge,) = read_judges({"provider": "openai", "model": "echo"}, is_admin=True)
    pair = EssayPair("w001-00001", "The first text.", "The second text.")
    request = CompareRequestV1(
        correlation_id="w001-00001",
        callback=CallbackAddress(),
        essay_a=CompareEssay(essay_id="A", text=pair.essay_a),
        essay_b=CompareEssay(essay_id="B", text=pair.essay_b),
        prompt_blocks=JinjaPrompts().render(judge, JudgeInstructions(), [pair], bundle=False),
        metadata=CompareMetadata(
            batch_id="b", wave=1, comparison_id="w001-00001", essay_a_id="A", essay_b_id="B",
            prompt_sha256="",
        ),
    )  # fmt: skip
    (result,) = asyncio.run(ModelJudge(judge, model).compare([request]))
    assert isinstance(result, LLMComparisonResultV1)
    assert (result.winner, result.error_detail) == ("A", None)


@pytest.fixture
def scales_api(monkeypatch: pytest.MonkeyPatch) -> APIGatewayRestResolver:
    """An API that has the example's route alone."""
    monkeypatch.setattr(access, "ROUTES", {})
    made = run(
        example("A new route", "python"),
        Router=Router,
        Response=Response,
        Action=Action,
        guard_route=access.guard_route,
        answer=answer,
        SCALES=SCALES,
    )
    api = APIGatewayRestResolver()
    api.include_router(made["router"])
    return api


def get(api: APIGatewayRestResolver, path: str, role: Role) -> dict[str, Any]:
    caller = Caller(subject="ada", organisation="school", roles=frozenset({role}))
    authorizer = {"principalId": caller.subject, **access.authorizer_context(caller)}
    context: Any = None
    event = {
        "httpMethod": "GET",
        "path": path,
        "headers": {},
        "requestContext": {"authorizer": authorizer},
    }
    return api.resolve(event, context)


@pytest.mark.parametrize(("path", "status"), [("/v1/scales", 200), ("/v1/scale", 404)])
def test_the_example_of_a_route_answers(
    scales_api: APIGatewayRestResolver, path: str, status: int
) -> None:
    answered = get(scales_api, path, Role.ASSESSOR)
    assert answered["statusCode"] == status
    if status == 200:
        assert json.loads(answered["body"])["scales"] == sorted(SCALES)


def test_the_example_of_a_route_refuses_who_may_not(scales_api: APIGatewayRestResolver) -> None:
    with pytest.raises(NotPermittedError):
        get(scales_api, "/v1/scales", Role.JUDGE)
