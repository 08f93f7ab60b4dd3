"""The linters' word on the template, and on the state machine that they do not see inside SAM."""

from __future__ import annotations

import json
import re

import pytest

# cfn-lint takes seconds to start; `make lint` asks the same of the template as a command.
pytestmark = pytest.mark.slow


def findings(text: str) -> list[str]:
    """What cfn-lint says of a template; in this process, for its start takes longer than that."""
    # All workers of a parallel run import this file, and cfn-lint takes a second.
    from cfnlint.api import lint
    from cfnlint.config import ManualArgs

    return [str(match) for match in lint(text, config=ManualArgs(regions=["us-east-1"]))]


def plain_template(definition: dict) -> str:
    """The definition as the plain resource type, the only one whose definition is linted."""
    definition = json.loads(
        re.sub(
            r"\$\{\w+Arn\}",
            "arn:aws:lambda:us-east-1:123456789012:function:name",
            json.dumps(definition),
        )
    )
    return json.dumps(
        {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Resources": {
                "AssessmentStateMachine": {
                    "Type": "AWS::StepFunctions::StateMachine",
                    "Properties": {
                        "RoleArn": "arn:aws:iam::123456789012:role/name",
                        "Definition": definition,
                    },
                }
            },
        }
    )


def test_the_template_has_no_finding(template_text):
    assert findings(template_text) == []


def test_the_state_machine_has_no_finding(machine):
    assert findings(plain_template(machine)) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda machine: machine.update(StartAt="Nowhere"),
        lambda machine: machine["States"]["PlanWave"].update(InputPath="$.batch"),
        lambda machine: machine["States"]["PlanWave"].update(TimeoutSecnods=3),
    ],
    ids=["no such start", "JSONPath in a JSONata machine", "misspelt key"],
)
def test_this_way_of_linting_does_look_inside(spoil, machine):
    spoilt = json.loads(json.dumps(machine))
    spoil(spoilt)
    assert findings(plain_template(spoilt))
