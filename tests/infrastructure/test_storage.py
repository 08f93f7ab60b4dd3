"""Table, bucket, secret, logs: durable, private, encrypted."""

from __future__ import annotations

import pytest

from assessment.domain.retention import DEFAULT_RETENTION_DAYS
from tests.infrastructure.parsed import list_resources


def test_the_table_survives_mistakes(template):
    table = template["Resources"]["AssessmentTable"]
    properties = table["Properties"]
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert properties["SSESpecification"]["SSEEnabled"] is True


def test_the_table_has_the_keys_of_the_key_schema(template):
    properties = template["Resources"]["AssessmentTable"]["Properties"]
    keys = {key["KeyType"]: key["AttributeName"] for key in properties["KeySchema"]}
    assert keys == {"HASH": "PK", "RANGE": "SK"}
    assert properties["TimeToLiveSpecification"] == {
        "AttributeName": "expires_at",
        "Enabled": True,
    }


def test_the_bucket_is_private_versioned_and_encrypted(template):
    bucket = template["Resources"]["ContentBucket"]
    properties = bucket["Properties"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["VersioningConfiguration"]["Status"] == "Enabled"
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    algorithm = encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
    assert algorithm == {"Fn::If": ["HasKmsKey", "aws:kms", "AES256"]}
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_replaced_versions_are_forgotten(template):
    rules = template["Resources"]["ContentBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert any(rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays") for rule in rules)
    assert all(rule["Status"] == "Enabled" for rule in rules)


def test_copies_of_texts_outside_of_batches_are_forgotten_after_a_week(template):
    """What privacy.md says of uploads and of the files of providers' batches."""
    rules = template["Resources"]["ContentBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    assert days == {"content/": 7, "provider-batches/": 7}
    for rule in rules:
        if "Prefix" in rule:
            assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_batches_and_logs_are_kept_as_long_as_the_documents_say(template):
    parameters = template["Parameters"]
    assert parameters["RetentionDays"]["Default"] == DEFAULT_RETENTION_DAYS == 400
    assert parameters["LogRetentionDays"]["Default"] == 365


def test_the_bucket_refuses_plain_http_from_every_network(template):
    policy = template["Resources"]["ContentBucketPolicy"]["Properties"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {
        "Bool": {"aws:SecureTransport": "false"},
        "NotIpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1/128"]},
    }
    assert statement["Resource"] == [
        {"Fn::GetAtt": ["ContentBucket", "Arn"]},
        {"Fn::Sub": "${ContentBucket.Arn}/*"},
    ]


def test_the_signing_key_is_generated(template):
    properties = template["Resources"]["ApiSecret"]["Properties"]
    assert properties["GenerateSecretString"]["PasswordLength"] >= 64
    assert "SecretString" not in properties


def test_what_has_a_deletion_policy_says_why(template, template_text):
    lines = template_text.splitlines()
    for name, resource in template["Resources"].items():
        if resource.get("DeletionPolicy") == "Retain":
            at = lines.index(f"  {name}:")
            assert any(line.lstrip().startswith("# ") for line in lines[at : at + 4]), name


def test_no_log_group_keeps_logs_for_ever(template):
    groups = dict(list_resources(template, "AWS::Logs::LogGroup"))
    assert len(groups) == 16
    for group in groups.values():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


# By type, the property that takes the key of the stack.
KEY_PROPERTIES = {
    "AWS::DynamoDB::Table": ("SSESpecification", "KMSMasterKeyId"),
    "AWS::SQS::Queue": ("KmsMasterKeyId",),
    "AWS::SecretsManager::Secret": ("KmsKeyId",),
    "AWS::Logs::LogGroup": ("KmsKeyId",),
    "AWS::Events::EventBus": ("KmsKeyIdentifier",),
    "AWS::Lambda::Function": ("KmsKeyArn",),
}
THE_KEY = {"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}


@pytest.mark.parametrize("kind", KEY_PROPERTIES)
def test_everything_that_keeps_something_takes_the_key(deployed, kind):
    resources = dict(list_resources(deployed, kind))
    assert resources
    for name, resource in resources.items():
        found = resource["Properties"]
        for part in KEY_PROPERTIES[kind]:
            found = found[part]
        assert found == THE_KEY, name


def test_every_function_may_use_the_key(template, functions):
    policy = template["Resources"]["UseKeyPolicy"]
    roles = {role["Ref"] for role in policy["Properties"]["Roles"]}
    assert policy["Condition"] == "HasKmsKey"
    assert roles == {f"{name}Role" for name in functions} | {"BedrockBatchRole"}
