"""Policies that are read once allow and deny what MiniStack allows and denies by them."""

import json

import pytest
from ministack.core import iam_evaluator
from ministack.services import iam, sts

from local.stack.policies import Policies, find_caller

ACCOUNT = "000000000000"
ROLE = "role-of-a-test"
SESSION = "ASIAOFATEST000000001"
READ = {"Effect": "Allow", "Action": "sqs:Receive*", "Resource": f"arn:aws:sqs:*:{ACCOUNT}:mine"}
NEVER = {"Effect": "Deny", "Action": "sqs:*", "Resource": f"arn:aws:sqs:*:{ACCOUNT}:*-secret"}
QUEUES = ("mine", "other", "my-secret")


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    for name in ("parse_policy_document", "request_caller_arn"):
        monkeypatch.setattr(iam_evaluator, name, getattr(iam_evaluator, name))  # put back
    monkeypatch.setitem(iam._roles, ROLE, make_role(READ))
    monkeypatch.setitem(
        sts._sessions,
        SESSION,
        {
            "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/worker",
            "AccountId": ACCOUNT,
            "SecretAccessKey": "nothing",
            "PrincipalType": "AssumedRole",
        },
    )


def make_role(*statements):
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return {"RoleName": ROLE, "InlinePolicies": {"own": policy}, "AttachedPolicies": []}


def decide():
    """What the role may do with each queue."""
    return {
        queue: iam_evaluator.enforce(
            SESSION, "sqs:ReceiveMessage", "sqs", "eu-north-1", f"arn:aws:sqs:x:{ACCOUNT}:{queue}"
        )
        for queue in QUEUES
    }


def test_the_same_is_allowed_each_time(monkeypatch):
    expected = decide()
    assert expected["mine"] is None
    assert expected["other"].decision == "ImplicitDeny"
    Policies().install()
    assert [decide(), decide()] == [expected, expected]


def test_a_policy_that_is_changed_counts_at_once(monkeypatch):
    Policies().install()
    assert decide()["my-secret"].decision == "ImplicitDeny"
    monkeypatch.setitem(iam._roles, ROLE, make_role(NEVER))
    assert decide()["my-secret"].decision == "Deny"
    assert decide()["mine"].decision == "ImplicitDeny"


def test_nobody_changes_the_statements_of_another():
    policies = Policies()
    document = make_role(READ)["InlinePolicies"]["own"]
    policies.parse(document).clear()
    assert len(policies.parse(document)) == 1
    assert policies.parse({"Statement": [READ, NEVER]}) == policies.parse(
        json.dumps({"Statement": [READ, NEVER]})
    )


@pytest.mark.parametrize("key", [SESSION, "test", "", "AKIAOFNOBODY00000000", "111111111111"])
def test_a_caller_is_named_as_ministack_names_them(key):
    credential = f"Credential={key}/20261127/eu-north-1/sqs/aws4_request"
    headers = {"authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"}
    assert find_caller(headers) == iam_evaluator.request_caller_arn(headers)
