"""Conditions that are read once mean what MiniStack reads in them each time."""

import pytest
from ministack.services import dynamodb

from local.stack.expressions import Expressions

ITEM = {"PK": {"S": "wave"}, "SK": {"S": "b"}, "person": {"S": "ann"}}
VALUES = {":pk": {"S": "wave"}, ":other": {"S": "c"}, ":first": {"S": "a"}, ":me": {"S": "ann"}}
CONDITIONS = [
    ("PK = :pk", "KeyConditionExpression"),
    ("PK = :other", "KeyConditionExpression"),
    ("PK = :pk AND SK BETWEEN :first AND :other", "KeyConditionExpression"),
    ("PK = :pk AND begins_with(SK, :other)", "KeyConditionExpression"),
    ("attribute_not_exists(person) OR person = :me", "ConditionExpression"),
    ("attribute_not_exists(#p)", "FilterExpression"),
]


@pytest.mark.parametrize(("condition", "slot"), CONDITIONS)
def test_a_condition_means_the_same_each_time(monkeypatch, condition, slot):
    expected = dynamodb._evaluate_condition(condition, ITEM, VALUES, {"#p": "person"}, slot=slot)
    for name in ("_tokenize", "_condition_syntax_error", "_evaluate_condition"):
        monkeypatch.setattr(dynamodb, name, getattr(dynamodb, name))  # put back at the end
    Expressions().install()
    answers = [
        dynamodb._evaluate_condition(condition, ITEM, VALUES, {"#p": "person"}, slot=slot)
        for _ in range(2)
    ]
    assert answers == [expected, expected]


@pytest.mark.parametrize("partition", ["wave", "other"])
@pytest.mark.parametrize("beginning", ["b", "be", "a", ""])
def test_the_beginning_of_a_key_means_the_same(monkeypatch, partition, beginning):
    condition, slot = "PK = :pk AND begins_with(SK, :sk)", "KeyConditionExpression"
    values = {":pk": {"S": partition}, ":sk": {"S": beginning}}
    expected = dynamodb._evaluate_condition(condition, ITEM, values, {}, slot=slot)
    for name in ("_tokenize", "_condition_syntax_error", "_evaluate_condition"):
        monkeypatch.setattr(dynamodb, name, getattr(dynamodb, name))
    Expressions().install()
    assert dynamodb._evaluate_condition(condition, ITEM, values, {}, slot=slot) is expected


def test_a_faulty_condition_is_refused_each_time(monkeypatch):
    for name in ("_tokenize", "_condition_syntax_error", "_evaluate_condition"):
        monkeypatch.setattr(dynamodb, name, getattr(dynamodb, name))
    Expressions().install()
    for _ in range(2):
        with pytest.raises(ValueError, match="Syntax error"):
            dynamodb._evaluate_condition("PK = = :pk", ITEM, VALUES, {}, slot="FilterExpression")
