"""Queues, events and alarms: nothing is lost silently."""

from __future__ import annotations

import pytest

from assessment.contracts.events import SOURCE, EventType
from assessment.domain.webhook import MOST_ATTEMPTS
from tests.infrastructure.parsed import list_resources

WORKERS = {
    "JudgeQueue": "CallJudgeFunction",
    "CallbackQueue": "RecordCallbackFunction",
    "ErasureQueue": "EraseDataFunction",
    "WebhookQueue": "SendWebhooksFunction",
}
DEAD_LETTERS = {
    "JudgeDeadLetterQueue",
    "CallbackDeadLetterQueue",
    "RequestDeadLetterQueue",
    "ErasureDeadLetterQueue",
    "WebhookDeadLetterQueue",
}
FOURTEEN_DAYS = 14 * 24 * 3600


@pytest.mark.parametrize("name", WORKERS)
def test_a_queue_has_its_own_dead_letter_queue(name, template):
    redrive = template["Resources"][name]["Properties"]["RedrivePolicy"]
    target = name.removesuffix("Queue") + "DeadLetterQueue"
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": [target, "Arn"]}


def test_the_worker_gives_up_before_the_queue_does(template):
    # Else a comparison would end in the dead-letter queue instead of closing its wave.
    receives = template["Resources"]["JudgeQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"]
    assert receives > template["Parameters"]["JudgeMaxReceives"]["MaxValue"]


@pytest.mark.parametrize(("queue", "worker"), WORKERS.items())
def test_a_message_stays_hidden_for_six_times_its_worker(queue, worker, template, functions):
    # The advice of the Lambda documentation for SQS event sources: at least six times the timeout.
    hidden = template["Resources"][queue]["Properties"]["VisibilityTimeout"]
    assert hidden >= 6 * functions[worker]["Timeout"]


@pytest.mark.parametrize(("queue", "worker"), WORKERS.items())
def test_one_bad_message_does_not_repeat_the_others(queue, worker, deployed):
    (mapping,) = [
        source["Properties"]
        for _, source in list_resources(deployed, "AWS::Lambda::EventSourceMapping")
        if source["Properties"]["FunctionName"] == {"Ref": worker}
    ]
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_load_on_the_judge_is_bounded(template):
    events = template["Resources"]["CallJudgeFunction"]["Properties"]["Events"]
    bound = events["Comparisons"]["Properties"]["ScalingConfig"]["MaximumConcurrency"]
    assert bound == {
        "Fn::FindInMap": ["JudgeWorkers", {"Ref": "JudgeMaximumConcurrency"}, "Maximum"]
    }
    allowed = template["Parameters"]["JudgeMaximumConcurrency"]["AllowedValues"]
    workers = template["Mappings"]["JudgeWorkers"]
    assert {str(value): {"Maximum": value} for value in allowed} == workers


def test_queues_are_encrypted(template):
    for name, queue in list_resources(template, "AWS::SQS::Queue"):
        # By the queue's own service, unless the stack has a key.
        managed = queue["Properties"]["SqsManagedSseEnabled"]
        assert managed == {"Fn::If": ["HasKmsKey", False, True]}, name


def test_dead_letters_are_kept_as_long_as_sqs_can(template):
    for name in DEAD_LETTERS | set(WORKERS):
        kept = template["Resources"][name]["Properties"]["MessageRetentionPeriod"]
        assert kept == FOURTEEN_DAYS, name


def test_every_dead_letter_queue_has_an_alarm(template):
    watched = {
        alarm["Properties"]["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
        for _, alarm in list_resources(template, "AWS::CloudWatch::Alarm")
        if alarm["Properties"]["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }
    assert watched == DEAD_LETTERS


def test_executions_that_end_unexpectedly_have_alarms_and_expected_ends_have_none(template):
    """Whoever cancels a batch aborts its execution: that is nothing to look into."""
    alarms = [
        alarm["Properties"] for _, alarm in list_resources(template, "AWS::CloudWatch::Alarm")
    ]
    metrics = {each["MetricName"] for each in alarms if each["Namespace"] == "AWS/States"}
    assert metrics == {"ExecutionsFailed", "ExecutionsTimedOut"}
    (repaired,) = [each for each in alarms if each["MetricName"] == "batches_repaired"]
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    assert repaired["Namespace"] == variables["POWERTOOLS_METRICS_NAMESPACE"]
    service = {"Name": "service", "Value": variables["POWERTOOLS_SERVICE_NAME"]}
    assert repaired["Dimensions"] == [service]


def test_alarms_say_what_happened_and_tell_the_topic(template):
    for name, alarm in list_resources(template, "AWS::CloudWatch::Alarm"):
        properties = alarm["Properties"]
        assert properties["AlarmDescription"].endswith("."), name
        assert properties["TreatMissingData"] == "notBreaching"
        assert properties["AlarmActions"]["Fn::If"][0] == "HasAlarmTopic"


def test_a_request_event_starts_a_batch_or_is_kept(template):
    properties = template["Resources"]["AcceptRequestFunction"]["Properties"]
    rule = properties["Events"]["BatchRequested"]["Properties"]
    kept = {"Fn::GetAtt": ["RequestDeadLetterQueue", "Arn"]}
    assert rule["EventBusName"] == {"Ref": "AssessmentEventBus"}
    assert rule["Pattern"] == {"detail-type": [EventType.REQUESTED.value]}
    assert rule["DeadLetterConfig"]["Arn"] == kept
    assert properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"] == {
        "Type": "SQS",
        "Destination": kept,
    }


def test_webhooks_see_what_we_publish_and_are_tried_as_often_as_the_rule_says(template):
    rule = template["Resources"]["WebhookRule"]["Properties"]
    (target,) = rule["Targets"]
    assert rule["EventPattern"] == {"source": [SOURCE]}
    assert target["Arn"] == {"Fn::GetAtt": ["WebhookQueue", "Arn"]}
    assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": ["WebhookDeadLetterQueue", "Arn"]}
    redrive = template["Resources"]["WebhookQueue"]["Properties"]["RedrivePolicy"]
    assert redrive["maxReceiveCount"] == MOST_ATTEMPTS
    assert template["Parameters"]["WebhookLoopback"]["Default"] == "false"


def test_the_demonstration_queue_sees_what_we_publish(template):
    rule = template["Resources"]["SubscriberRule"]
    assert rule["Properties"]["EventPattern"] == {"source": [SOURCE]}
    for name in ("SubscriberRule", "SubscriberQueue", "SubscriberQueuePolicy"):
        assert template["Resources"][name]["Condition"] == "HasDemoSubscriber"


def test_the_watchdog_looks_every_five_minutes(template):
    events = template["Resources"]["WatchBatchesFunction"]["Properties"]["Events"]
    assert events["EveryFiveMinutes"]["Properties"]["Schedule"] == "rate(5 minutes)"
