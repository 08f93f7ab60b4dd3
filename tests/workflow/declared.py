"""What the template declares, made under moto: resources, settings and the state machine."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import boto3
from samcli.yamlhelper import yaml_parse

if TYPE_CHECKING:
    from mypy_boto3_s3.literals import BucketLocationConstraintType


ROOT = Path(__file__).parents[2]
REGION, ACCOUNT = "eu-north-1", "123456789012"
ARN = f"{REGION}:{ACCOUNT}"
STACK_NAME = "cj-test"
QUEUES = {
    "JudgeQueue": "call_judge", "CallbackQueue": "record_callback", "ErasureQueue": "erase_data",
    "WebhookQueue": "send_webhooks",
}  # fmt: skip
UNWORKED_QUEUES = (
    "SubscriberQueue", "JudgeDeadLetterQueue", "CallbackDeadLetterQueue", "RequestDeadLetterQueue",
    "WebhookDeadLetterQueue",
)  # fmt: skip
SUBSTITUTES = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": STACK_NAME,
}


@cache
def template() -> dict[str, Any]:
    """The parsed template; nobody changes it."""
    return yaml_parse((ROOT / "template.yaml").read_text())


def definition() -> dict[str, Any]:
    """The state machine with the functions' names as SAM would put their ARNs."""
    text = (ROOT / "statemachine" / "assessment.asl.json").read_text()

    def function_arn(found: re.Match[str]) -> str:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", found[1]).lower()
        return f"arn:aws:lambda:{ARN}:function:{name}"

    return json.loads(re.sub(r"\$\{(\w+)FunctionArn\}", function_arn, text))


def holds(condition: dict[str, Any], known: dict[str, str], conditions: dict[str, Any]) -> bool:
    """Whether a condition of the template is true."""
    if "Condition" in condition:
        return holds(conditions[condition["Condition"]], known, conditions)
    if "Fn::Not" in condition:
        return not holds(condition["Fn::Not"][0], known, conditions)
    for name, join in (("Fn::And", all), ("Fn::Or", any)):
        if name in condition:
            return join(holds(part, known, conditions) for part in condition[name])
    one, other = condition["Fn::Equals"]
    return resolve_value(one, known, {}) == resolve_value(other, known, {})


def resolve_value(value: Any, known: dict[str, str], conditions: dict[str, Any]) -> str:
    """A value of the template as CloudFormation would resolve it."""
    if not isinstance(value, dict):
        return str(value)
    if "Fn::If" in value:
        name, then, otherwise = value["Fn::If"]
        chosen = then if holds(conditions[name], known, conditions) else otherwise
        return resolve_value(chosen, known, conditions)
    if "Ref" in value:
        return known[value["Ref"]]
    if "Fn::GetAtt" in value:
        return ".".join(value["Fn::GetAtt"])
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator.join(resolve_value(part, known, conditions) for part in parts))
    return re.sub(r"\$\{([\w:]+)\}", lambda found: known.get(found[1], found[1]), value["Fn::Sub"])


def environment(parsed: dict[str, Any], resources: dict[str, str]) -> dict[str, str]:
    """The functions' variables as CloudFormation would resolve them."""
    parameters = {
        name: str(parameter.get("Default", "http://judge.test"))
        for name, parameter in parsed["Parameters"].items()
    }
    known = {**SUBSTITUTES, **parameters, **resources}
    variables = dict(parsed["Globals"]["Function"]["Environment"]["Variables"])
    for resource in parsed["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            own = resource["Properties"].get("Environment", {})
            variables |= own.get("Variables", {})
    conditions = parsed["Conditions"]
    return {name: resolve_value(value, known, conditions) for name, value in variables.items()}


def create_resources(parsed: dict[str, Any]) -> dict[str, str]:
    """Create what the template declares; the values that a `Ref` to them would give."""
    made: dict[str, str] = {}
    table = parsed["Resources"]["AssessmentTable"]["Properties"]
    boto3.client("dynamodb").create_table(
        TableName="AssessmentTable",
        **{key: table[key] for key in ("AttributeDefinitions", "KeySchema", "BillingMode")},
    )
    made["AssessmentTable"] = "AssessmentTable"
    boto3.client("s3").create_bucket(
        Bucket="content-bucket",
        CreateBucketConfiguration={
            "LocationConstraint": cast("BucketLocationConstraintType", REGION)
        },
    )
    made["ContentBucket"] = "content-bucket"
    sqs = boto3.client("sqs")
    for queue in (*QUEUES, *UNWORKED_QUEUES):
        hidden = parsed["Resources"][queue]["Properties"].get("VisibilityTimeout", 30)
        made[queue] = sqs.create_queue(
            QueueName=queue, Attributes={"VisibilityTimeout": str(hidden)}
        )["QueueUrl"]
    subscribe(boto3.client("events"), parsed, made)
    made["AssessmentStateMachine"] = boto3.client("stepfunctions").create_state_machine(
        name=f"{STACK_NAME}-assessment",
        definition=json.dumps(definition()),
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/machine",
    )["stateMachineArn"]
    return made


def subscribe(events: Any, parsed: dict[str, Any], made: dict[str, str]) -> None:
    """The own bus, and the template's rule that copies our events to the subscriber queue."""
    bus = f"{STACK_NAME}-events"
    events.create_event_bus(Name=bus)
    pattern = parsed["Resources"]["SubscriberRule"]["Properties"]["EventPattern"]
    events.put_rule(Name="Subscriber", EventBusName=bus, EventPattern=json.dumps(pattern))
    target = {"Id": "queue", "Arn": f"arn:aws:sqs:{ARN}:SubscriberQueue"}
    events.put_targets(Rule="Subscriber", EventBusName=bus, Targets=[target])
    made["AssessmentEventBus"] = bus
