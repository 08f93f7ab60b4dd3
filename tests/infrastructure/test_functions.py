"""Every function: its code, its layers, its log group, its environment, its alarm."""

from __future__ import annotations

import re

import pytest

from assessment import settings
from assessment.settings import Settings

SCORING_FUNCTIONS = {"PlanWaveFunction", "ScoreBatchFunction", "FinaliseBatchFunction"}
EXPECTED_FUNCTIONS = {
    "HandleApiFunction", "AcceptRequestFunction", "AuthorizeRequestFunction",
    "PrepareBatchFunction", "PlanWaveFunction", "SubmitWaveFunction", "CallJudgeFunction",
    "RecordCallbackFunction", "ScoreBatchFunction", "FinaliseBatchFunction",
    "FailBatchFunction", "WatchBatchesFunction", "EraseDataFunction",
    "SendWebhooksFunction",
}  # fmt: skip
# What is known to the runtime or read by Powertools rather than by our settings.
FOREIGN_VARIABLES = {
    "LOG_LEVEL", "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "OPENBLAS_NUM_THREADS",
}  # fmt: skip


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name.removesuffix("Function")).lower()


def test_there_is_one_function_for_each_folder(functions, root):
    folders = {path.parent.name for path in (root / "functions").glob("*/app.py")}
    assert set(functions) == EXPECTED_FUNCTIONS
    assert {snake_case(name) for name in functions} == folders


def test_code_and_name_follow_the_logical_id(functions):
    for name, properties in functions.items():
        folder = snake_case(name)
        assert properties["CodeUri"] == f"functions/{folder}"
        assert properties["Handler"] == "app.handler"
        assert properties["FunctionName"] == {
            "Fn::Sub": "${AWS::StackName}-" + folder.replace("_", "-")
        }


def test_only_the_three_functions_that_calculate_have_the_scoring_layer(deployed):
    for name in EXPECTED_FUNCTIONS:
        layers = [ref["Ref"] for ref in deployed["Resources"][name]["Properties"]["Layers"]]
        kinds = [re.sub(r"Layer[0-9a-f]+$", "", layer) for layer in layers]
        expected = ["Service", "Scoring"] if name in SCORING_FUNCTIONS else ["Service"]
        assert kinds == expected, name


def test_layers_are_built_for_the_architecture_of_the_functions(template):
    shared = template["Globals"]["Function"]
    architecture = {"Ref": "Architecture"}
    assert shared["Architectures"] == [architecture]
    for layer in ("ServiceLayer", "ScoringLayer"):
        resource = template["Resources"][layer]
        assert resource["Metadata"] == {
            "BuildMethod": shared["Runtime"],
            "BuildArchitecture": architecture,
        }
        assert resource["Properties"]["CompatibleArchitectures"] == [architecture]
        assert resource["Properties"]["CompatibleRuntimes"] == [shared["Runtime"]]


def test_every_layer_folder_holds_a_package_and_its_pinned_requirements(template, root):
    for layer in ("ServiceLayer", "ScoringLayer"):
        folder = root / template["Resources"][layer]["Properties"]["ContentUri"]
        assert (folder / "pyproject.toml").exists()
        assert "--hash=sha256:" in (folder / "requirements.txt").read_text()


def test_no_function_brings_requirements_of_its_own(root):
    # A relative path in them would ship stale code from the build cache.
    assert not list((root / "functions").rglob("requirements*.txt"))


@pytest.mark.parametrize("name", sorted(EXPECTED_FUNCTIONS))
def test_logs_go_to_an_own_group_that_forgets(name, functions, template):
    group_id = functions[name]["LoggingConfig"]["LogGroup"]["Ref"]
    group = template["Resources"][group_id]
    assert group["Type"] == "AWS::Logs::LogGroup"
    assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert group["Properties"]["LogGroupName"] == {
        "Fn::Sub": "/aws/lambda/" + functions[name]["FunctionName"]["Fn::Sub"]
    }


def test_logs_are_json_at_the_chosen_level_and_calls_are_traced(deployed):
    for name in EXPECTED_FUNCTIONS:
        properties = deployed["Resources"][name]["Properties"]
        assert properties["LoggingConfig"]["LogFormat"] == "JSON"
        assert properties["LoggingConfig"]["ApplicationLogLevel"] == {"Ref": "LogLevel"}
        assert properties["TracingConfig"] == {"Mode": "Active"}


def test_every_function_has_an_alarm(template):
    watched = {
        alarm["Properties"]["Dimensions"][0]["Value"]["Ref"]
        for alarm in template["Resources"].values()
        if alarm["Type"] == "AWS::CloudWatch::Alarm"
        and alarm["Properties"]["Namespace"] == "AWS/Lambda"
    }
    assert watched == EXPECTED_FUNCTIONS


def find_settings(name: str) -> type[Settings]:
    """The model of a function's settings, by the function's logical id."""
    model: type[Settings] = getattr(settings, name.removesuffix("Function") + "Settings")
    return model


def list_variables(deployed, name):
    return set(deployed["Resources"][name]["Properties"]["Environment"]["Variables"])


@pytest.mark.parametrize("name", sorted(EXPECTED_FUNCTIONS))
def test_a_function_gets_what_its_settings_require(name, deployed):
    needed = {n.upper() for n, f in find_settings(name).model_fields.items() if f.is_required()}
    assert needed <= list_variables(deployed, name)


@pytest.mark.parametrize("name", sorted(EXPECTED_FUNCTIONS))
def test_a_function_reads_the_settings_of_its_own_name(name, root):
    text = (root / "functions" / snake_case(name) / "app.py").read_text()
    if name == "HandleApiFunction":
        text = (root / "layers/service/assessment/api/composition.py").read_text()
    assert f"bootstrap.adapters({find_settings(name).__name__})" in text


def test_every_variable_is_read_by_a_function_that_gets_it(deployed):
    for name in EXPECTED_FUNCTIONS:
        read = {
            variable.upper()
            for function in EXPECTED_FUNCTIONS
            for variable in find_settings(function).model_fields
        }
        unread = list_variables(deployed, name) - FOREIGN_VARIABLES - read
        assert not unread, f"{name} gets variables that no code reads"


def test_only_the_authorizer_is_told_where_the_secret_is(deployed):
    told = {
        name
        for name in EXPECTED_FUNCTIONS
        if "API_SECRET_ARN" in deployed["Resources"][name]["Properties"]["Environment"]["Variables"]
    }
    assert told == {"AuthorizeRequestFunction"}


def test_no_secret_is_written_in_the_template(template_text):
    assert "SecretString:" not in template_text.replace("GenerateSecretString:", "")
    assert not re.search(r"(?i)(password|token|apikey|api_key):\s*['\"]?\w{12,}", template_text)
