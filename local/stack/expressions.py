"""Conditions of the laptop cloud's tables, read once instead of once for each item.

AWS reads a partition from where a page begins. MiniStack tests every item of the partition against
the text of the condition, which it takes apart for each: 20 to 40 microseconds an item, so a page
of a wave of 3,000 comparisons costs it a tenth of a second in which it answers nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from ministack.services import dynamodb

type Tokens = list[tuple[str, str]]
type Values = Mapping[str, Any]

_KEY_CONDITION = "KeyConditionExpression"
_WHOLE_PARTITION = "PK = :pk"
_BEGINNING = "PK = :pk AND begins_with(SK, :sk)"
_MOST_KEPT = 1000


class Expressions:
    """Keeps what MiniStack reads in the text of a condition."""

    def __init__(self) -> None:
        self._tokenize = lru_cache(_MOST_KEPT)(dynamodb._tokenize)  # noqa: SLF001 - the only way in
        self._find_fault = lru_cache(_MOST_KEPT)(dynamodb._condition_syntax_error)  # noqa: SLF001
        self._evaluate: Callable[..., bool] = dynamodb._evaluate_condition  # noqa: SLF001

    def install(self) -> None:
        """Put all in place of MiniStack's own."""
        dynamodb._tokenize = self.tokenize  # noqa: SLF001
        dynamodb._condition_syntax_error = self._find_fault  # noqa: SLF001
        dynamodb._evaluate_condition = self.evaluate  # noqa: SLF001

    def tokenize(self, expression: str) -> Tokens:
        """The parts of an expression, a list of the caller's own."""
        return list(self._tokenize(expression))

    def evaluate(
        self,
        expression: str,
        item: Values,
        values: Values,
        names: Mapping[str, str],
        slot: str = "ConditionExpression",
    ) -> bool:
        """Whether an item fulfils a condition; that of a query is compared at once."""
        if slot == _KEY_CONDITION and expression in {_WHOLE_PARTITION, _BEGINNING}:
            is_there = bool(item.get("PK") == values.get(":pk"))
            if expression == _WHOLE_PARTITION or not is_there:
                return is_there
            # Queries of other types were refused before: both are strings.
            return bool(item["SK"]["S"].startswith(values[":sk"]["S"]))
        return self._evaluate(expression, item, values, names, slot=slot)
