"""Least privilege: a role per function, named actions, named resources or a reason."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime
from fnmatch import fnmatchcase

import pytest

from assessment.adapters.aws import keys
from tests.infrastructure.parsed import MANAGED_POLICIES, list_resources

LOGS, QUEUE, XRAY = (
    MANAGED_POLICIES[name]
    for name in (
        "service-role/AWSLambdaBasicExecutionRole",
        "service-role/AWSLambdaSQSQueueExecutionRole",
        "AWSXrayWriteOnlyAccess",
    )
)
QUEUE_WORKERS = {
    "CallJudgeFunction",
    "RecordCallbackFunction",
    "EraseDataFunction",
    "SendWebhooksFunction",
}
# Actions that AWS defines no resource type for; every other statement names its resources.
WITHOUT_RESOURCE = {
    "states:SendTaskSuccess",
    "states:SendTaskFailure",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
    "bedrock:ListModelInvocationJobs",
}


def as_list(value):
    return value if isinstance(value, list) else [value]


def statements(role, effect="Allow"):
    return [
        statement
        for policy in role["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == effect
    ]


def grants(role):
    return {
        (action, str(resource))
        for statement in statements(role)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


@pytest.fixture(scope="module")
def roles(deployed):
    return dict(list_resources(deployed, "AWS::IAM::Role"))


def test_every_function_has_a_role_of_its_own(deployed):
    used = [
        function["Properties"]["Role"]["Fn::GetAtt"][0]
        for _, function in list_resources(deployed, "AWS::Lambda::Function")
    ]
    assert len(used) == len(set(used)) == 14


def test_roles_serve_one_service_only(roles):
    for name, role in roles.items():
        trusted = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        service = {
            "AssessmentStateMachineRole": "states",
            "BedrockBatchRole": "bedrock",
            "ApiGatewayLogRole": "apigateway",
        }.get(name, "lambda")
        principals = [as_list(statement["Principal"]["Service"]) for statement in trusted]
        assert principals == [[f"{service}.amazonaws.com"]]


def test_bedrock_takes_its_role_for_jobs_of_this_account_and_sees_their_files_only(roles):
    (trusted,) = roles["BedrockBatchRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    files = {
        resource
        for action, resource in grants(roles["BedrockBatchRole"])
        if action in {"s3:GetObject", "s3:PutObject"}
    }
    assert len(files) == 1
    assert files.pop().endswith("/provider-batches/*'}")


def test_the_judge_caller_hands_bedrock_that_role_and_nobody_hands_any_other(roles):
    handed = {
        (name, resource)
        for name, role in roles.items()
        for action, resource in grants(role)
        if action == "iam:PassRole"
    }
    assert handed == {("CallJudgeFunctionRole", "{'Fn::GetAtt': ['BedrockBatchRole', 'Arn']}")}


def test_actions_are_named(roles):
    for name, role in roles.items():
        for statement in [*statements(role), *statements(role, "Deny")]:
            for action in as_list(statement["Action"]):
                assert re.fullmatch(r"[a-z0-9-]+:[A-Z][A-Za-z]+", action), (name, action)


def test_resources_are_named_unless_aws_knows_none(roles):
    for name, role in roles.items():
        for statement in statements(role):
            if "*" in as_list(statement["Resource"]):
                assert set(as_list(statement["Action"])) <= WITHOUT_RESOURCE, name


def test_every_star_resource_has_a_reason_above_it(template_text):
    lines = template_text.splitlines()
    stars = [i for i, line in enumerate(lines) if re.fullmatch(r'\s*Resource: "\*"', line)]
    assert stars
    for star in stars:
        begin = max(i for i in range(star) if "- Effect: Allow" in lines[i])
        assert lines[begin - 1].lstrip().startswith("# "), f"line {star + 1} says no reason"


def test_managed_policies_are_only_those_for_logs_traces_and_polling(deployed, roles):
    for name, function in list_resources(deployed, "AWS::Lambda::Function"):
        role = roles[function["Properties"]["Role"]["Fn::GetAtt"][0]]
        expected = {LOGS, XRAY} | ({QUEUE} if name in QUEUE_WORKERS else set())
        assert set(role["Properties"]["ManagedPolicyArns"]) == expected, name
    assert roles["AssessmentStateMachineRole"]["Properties"]["ManagedPolicyArns"] == [XRAY]


def test_the_state_machine_may_call_its_functions_and_no_other(roles, template):
    called = template["Resources"]["AssessmentStateMachine"]["Properties"]
    wanted = {str(arn) for arn in called["DefinitionSubstitutions"].values()}
    granted = {
        resource
        for action, resource in grants(roles["AssessmentStateMachineRole"])
        if action == "lambda:InvokeFunction"
    }
    assert granted == wanted


def test_the_authorizer_may_read_the_secrets_and_nothing_else(roles):
    assert grants(roles["AuthorizeRequestFunctionRole"]) == {
        ("secretsmanager:GetSecretValue", f"{{'Fn::GetAtt': ['{secret}', 'Id']}}")
        for secret in ("ApiSecret", "InvitationSecret")
    }


@pytest.mark.parametrize(
    ("action", "roles_allowed"),
    [
        ("states:StartExecution", {"HandleApi", "AcceptRequest", "WatchBatches"}),
        ("states:StopExecution", {"HandleApi", "WatchBatches", "EraseData"}),
        ("states:SendTaskSuccess", {"SubmitWave", "RecordCallback", "WatchBatches"}),
        ("states:SendTaskFailure", {"SubmitWave"}),
        (
            "events:PutEvents",
            {
                "AcceptRequest",
                "ScoreBatch",
                "FinaliseBatch",
                "FailBatch",
                "WatchBatches",
                "HandleApi",
            },
        ),
        (
            "secretsmanager:GetSecretValue",
            {"AuthorizeRequest", "CallJudge", "HandleApi", "EraseData", "SendWebhooks"},
        ),
        ("secretsmanager:CreateSecret", {"HandleApi"}),
        ("secretsmanager:PutSecretValue", {"HandleApi"}),
        ("secretsmanager:DeleteSecret", {"HandleApi"}),
        ("secretsmanager:DescribeSecret", {"HandleApi", "AcceptRequest"}),
        ("bedrock:InvokeModel", {"CallJudge", "BedrockBatch"}),
        ("bedrock:CreateModelInvocationJob", {"CallJudge"}),
        ("s3:DeleteObject", {"EraseData"}),
        ("s3:DeleteObjectVersion", {"EraseData"}),
        ("s3:ListBucketVersions", {"EraseData"}),
    ],
)
def test_who_may_do_what(action, roles_allowed, roles):
    may = {name for name, role in roles.items() if action in {a for a, _ in grants(role)}}
    assert {name.removesuffix("Role").removesuffix("Function") for name in may} == roles_allowed


def test_only_the_wave_submitter_the_judge_caller_and_the_watchdog_feed_the_judge_queue(roles):
    judge_queue = "{'Fn::GetAtt': ['JudgeQueue', 'Arn']}"
    may = {name for name, r in roles.items() if ("sqs:SendMessage", judge_queue) in grants(r)}
    assert may == {
        "SubmitWaveFunctionRole", "CallJudgeFunctionRole", "WatchBatchesFunctionRole",
    }  # fmt: skip


WRITES = {f"dynamodb:{verb}Item" for verb in ("Put", "Update", "Delete", "BatchWrite")}
APPENDERS = {"HandleApiFunctionRole", "AcceptRequestFunctionRole"}
OF_AUDIT_TRAIL = {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": "ORGANISATION#*#TRAIL#AUDIT"}}


def test_no_role_may_change_the_audit_trail_and_two_may_add_to_it(roles):
    writers = {name: role for name, role in roles.items() if WRITES & {a for a, _ in grants(role)}}
    assert writers.keys() > APPENDERS
    for name, role in writers.items():
        (denied,) = statements(role, "Deny")
        assert denied["Resource"] == {"Fn::GetAtt": ["AssessmentTable", "Arn"]}, name
        assert denied["Condition"] == OF_AUDIT_TRAIL, name
        may_add = {"dynamodb:PutItem"} if name in APPENDERS else set()
        assert set(denied["Action"]) == WRITES - may_add, name


def test_nothing_else_is_denied_and_no_other_way_to_write_is_granted(roles):
    for name, role in roles.items():
        allowed = {action for action, _ in grants(role) if action.startswith("dynamodb:")}
        reads = {f"dynamodb:{verb}" for verb in ("GetItem", "BatchGetItem", "Query")}
        assert allowed <= WRITES | reads | {"dynamodb:ConditionCheckItem"}, name
        assert bool(statements(role, "Deny")) == bool(allowed & WRITES), name


@pytest.mark.parametrize("name", ["AUDIT", "TRAIL", "TRAIL.AUDIT", "ORGANISATION", "*"])
def test_what_is_denied_is_the_partitions_of_the_audit_trail_whatever_people_name(name):
    """`fnmatchcase` reads `*` as IAM does: any characters, the marks between parts too."""
    (pattern,) = OF_AUDIT_TRAIL["ForAnyValue:StringLike"].values()
    values = {"str": name, "int": 7, "datetime": datetime(2026, 1, 2, tzinfo=UTC)}
    protected = set()
    for function_name, make in inspect.getmembers(keys, inspect.isfunction):
        if make.__module__ != keys.__name__ or function_name == "place_partition":
            continue
        made = make(
            *(values[each.annotation] for each in inspect.signature(make).parameters.values())
        )
        partition = made["PK"] if isinstance(made, dict) else str(made)
        if fnmatchcase(keys.place_partition(partition, name), pattern):
            protected.add(function_name)
    assert protected == {"audit_entry", "batch_audit_entry", "batch_audit"}
    assert fnmatchcase(keys.place_partition(keys.AUDIT, name), pattern)


def test_nobody_may_scan_or_drop_the_table_or_the_bucket(roles):
    for name, role in roles.items():
        for action, _ in grants(role):
            assert action not in {"dynamodb:Scan", "dynamodb:DeleteTable", "s3:DeleteBucket"}, name


def test_a_failed_request_may_be_put_into_its_dead_letter_queue(roles):
    queue = "{'Fn::GetAtt': ['RequestDeadLetterQueue', 'Arn']}"
    assert ("sqs:SendMessage", queue) in grants(roles["AcceptRequestFunctionRole"])


def test_what_is_erased_is_looked_for_in_every_dead_letter_queue_that_may_have_it(template, roles):
    variables = template["Resources"]["EraseDataFunction"]["Properties"]["Environment"]["Variables"]
    searched = {each["Ref"] for each in variables["DEAD_LETTER_QUEUE_URLS"]["Fn::Join"][1]}
    queues = {
        name for name, _ in list_resources(template, "AWS::SQS::Queue") if "DeadLetter" in name
    }
    # Erasures are ids; the demonstration's letters are for who looks at them.
    assert searched == queues - {"ErasureDeadLetterQueue", "SubscriberDeadLetterQueue"}
    for name in searched:
        queue = str({"Fn::GetAtt": [name, "Arn"]})
        assert ("sqs:ReceiveMessage", queue) in grants(roles["EraseDataFunctionRole"])


def test_queue_policies_let_only_the_named_rule_in(template):
    for name, policy in list_resources(template, "AWS::SQS::QueuePolicy"):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            assert statement["Action"] == "sqs:SendMessage", name
            assert statement["Principal"] == {"Service": "events.amazonaws.com"}
            assert "aws:SourceArn" in statement["Condition"]["ArnEquals"]
