"""Pages of a partition are those that MiniStack reads."""

import json

import pytest
from ministack.services import dynamodb

from local.stack.partitions import Partitions, find_kind

TABLE = "partitions-of-a-test"
KEYS = [("PK", "HASH"), ("SK", "RANGE")]


@pytest.fixture(scope="module", autouse=True)
def table():
    dynamodb._create_table(
        {
            "TableName": TABLE,
            "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in KEYS],
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": "S"} for name, _ in KEYS
            ],
            "BillingMode": "PAY_PER_REQUEST",
        }
    )
    for number in (3, 1, 4, 0, 5, 2):
        item = {"PK": {"S": "p"}, "SK": {"S": f"k{number}"}, "n": {"N": str(number)}}
        judged = {"is_judged": {"BOOL": True}} if number % 2 else {}
        dynamodb._put_item({"TableName": TABLE, "Item": item | judged})
    for number in range(4):
        large = {"PK": {"S": "large"}, "SK": {"S": f"k{number}"}, "text": {"S": "å" * 190_000}}
        dynamodb._put_item({"TableName": TABLE, "Item": large})
    yield
    dynamodb._delete_table({"TableName": TABLE})


def ask(partition, **parts):
    return {
        "TableName": TABLE,
        "KeyConditionExpression": "PK = :pk",
        "ExpressionAttributeValues": {":pk": {"S": partition}},
        "ConsistentRead": True,
        **parts,
    }


PROJECTION = {
    "ProjectionExpression": "#SK, #is_judged",
    "ExpressionAttributeNames": {"#SK": "SK", "#is_judged": "is_judged"},
}
START = {"PK": {"S": "p"}, "SK": {"S": "k2"}}
REQUESTS = [
    ask("p"),
    ask("p", Limit=2),
    ask("p", Limit=6),
    ask("p", Limit=9, ScanIndexForward=False),
    ask("p", Limit=2, ExclusiveStartKey=START),
    ask("p", Limit=9, ExclusiveStartKey=START, ScanIndexForward=False),
    ask("p", Limit=3, ExclusiveStartKey=START | {"SK": {"S": "k"}}, **PROJECTION),
    ask("p", Limit=4, **PROJECTION),
    ask("large"),
    ask("nothing", Limit=9),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_page_is_the_one_that_ministack_reads(request_):
    status, _, expected = dynamodb._query(request_)
    partitions = Partitions()
    answers = [partitions.query(request_) for _ in range(2)]
    assert status == 200
    assert [json.loads(body) for _, _, body in answers] == [json.loads(expected)] * 2


@pytest.mark.parametrize(
    "parts",
    [
        {"KeyConditionExpression": "PK = :pk AND begins_with(SK, :pk)"},
        {"IndexName": "other"},
        {"FilterExpression": "n > :pk"},
        {"Select": "COUNT"},
        {"Limit": 0},
        {"ReturnConsumedCapacity": "TOTAL"},
    ],
)
def test_all_other_queries_are_answered_by_ministack(parts):
    assert find_kind(ask("p")) is not None
    assert find_kind(ask("p", **parts)) is None


def test_a_request_that_ministack_refuses_is_refused_each_time():
    partitions = Partitions()
    reserved = ask("p", ExpressionAttributeNames={"#unused": "n"})
    assert [partitions.query(reserved)[0] for _ in range(2)] == [400, 400]
