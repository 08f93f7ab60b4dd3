"""The linters' word on the template, and on the state machine that they do not see inside SAM."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


def cfn_lint(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("cfn-lint")
    return subprocess.run(
        [program, "--format", "parseable", *arguments, path],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
    )


def plain_template(definition: dict, path: Path) -> Path:
    """The definition as the plain resource type, the only one whose definition is linted."""
    definition = json.loads(
        re.sub(
            r"\$\{\w+Arn\}",
            "arn:aws:lambda:us-east-1:123456789012:function:name",
            json.dumps(definition),
        )
    )
    path.write_text(
        json.dumps(
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
    )
    return path


def test_the_template_has_no_finding(root):
    result = cfn_lint(root / "template.yaml")
    assert (result.returncode, result.stdout) == (0, "")


def test_the_state_machine_has_no_finding(machine, tmp_path):
    result = cfn_lint(plain_template(machine, tmp_path / "plain.json"))
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda machine: machine.update(StartAt="Nowhere"),
        lambda machine: machine["States"]["PlanWave"].update(InputPath="$.batch"),
        lambda machine: machine["States"]["PlanWave"].update(TimeoutSecnods=3),
    ],
    ids=["no such start", "JSONPath in a JSONata machine", "misspelt key"],
)
def test_this_way_of_linting_does_look_inside(spoil, machine, tmp_path):
    spoilt = json.loads(json.dumps(machine))
    spoil(spoilt)
    assert cfn_lint(plain_template(spoilt, tmp_path / "plain.json")).returncode != 0
