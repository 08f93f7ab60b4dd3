"""DynamoDB's condition expressions, as far as the stores use them, on items in plain values.

The grammar and what it means: docs.aws.amazon.com/amazondynamodb/latest/developerguide/
Expressions.OperatorsAndFunctions.html. An attribute that is not there fails every comparison.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_TOKEN = re.compile(r"\s*(<=|>=|<>|[=<>(),]|[#:]?\w+)")
_COMPARATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Scene:
    """What an expression is about: an item, empty if there is none, and what names stand for."""

    item: Mapping[str, Any]
    names: Mapping[str, str]
    values: Mapping[str, Any]

    def has(self, path: str) -> bool:
        """Whether the item has the attribute."""
        return self.names.get(path, path) in self.item

    def read(self, operand: str) -> Any:
        """The value of an operand, None for an attribute that is not there."""
        if operand.startswith(":"):
            return self.values[operand]
        return self.item.get(self.names.get(operand, operand))


type Test = Callable[[Scene], bool]


def holds(
    condition: str,
    item: Mapping[str, Any] | None,
    *,
    names: Mapping[str, str] | None,
    values: Mapping[str, Any] | None,
) -> bool:
    """Whether the condition holds of an item, or of there being none.

    Raises
    ------
    ValueError
        If it is not written in the part of the language that is known here.
    """
    return _parse(condition)(Scene(item or {}, names or {}, values or {}))


@lru_cache(maxsize=128)
def _parse(condition: str) -> Test:
    tokens = _TOKEN.findall(condition)
    if "".join(tokens) != re.sub(r"\s", "", condition):
        raise ValueError(f"not a condition: {condition}")
    parser = _Parser(tokens)
    test = parser.read_alternatives()
    if parser.next is not None:
        raise ValueError(f"the condition does not end at {parser.next!r}: {condition}")
    return test


class _Parser:
    """Reads tokens by recursive descent: OR binds weakest, then AND, then NOT."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._place = 0

    @property
    def next(self) -> str | None:
        """The token that is read next; None at the end."""
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _take(self, expected: str | None = None) -> str:
        token = self.next
        if token is None or (expected is not None and token != expected):
            raise ValueError(f"the condition has {token!r} where {expected or 'more'} should be")
        self._place += 1
        return token

    def read_alternatives(self) -> Test:
        """Tests with OR between them."""
        tests = [self._read_conjunction()]
        while self.next == "OR":
            self._take()
            tests.append(self._read_conjunction())
        return tests[0] if len(tests) == 1 else lambda scene: any(test(scene) for test in tests)

    def _read_conjunction(self) -> Test:
        tests = [self._read_test()]
        while self.next == "AND":
            self._take()
            tests.append(self._read_test())
        return tests[0] if len(tests) == 1 else lambda scene: all(test(scene) for test in tests)

    def _read_test(self) -> Test:
        word = self._take()
        if word == "NOT":
            negated = self._read_test()
            return lambda scene: not negated(scene)
        if word == "(":
            test = self.read_alternatives()
            self._take(")")
            return test
        if word in ("attribute_exists", "attribute_not_exists"):
            return self._read_existence(expected=word == "attribute_exists")
        return self._read_comparison(word)

    def _read_existence(self, *, expected: bool) -> Test:
        self._take("(")
        path = self._take()
        self._take(")")
        return lambda scene: scene.has(path) is expected

    def _read_comparison(self, left: str) -> Test:
        comparator = self._take()
        if comparator == "IN":
            candidates = self._read_list()
            return lambda scene: _is_member(scene, left, candidates)
        compare = _COMPARATORS.get(comparator)
        if compare is None:
            raise ValueError(f"there is no comparator {comparator!r}")
        right = self._take()
        return lambda scene: _compare(compare, scene.read(left), scene.read(right))

    def _read_list(self) -> list[str]:
        self._take("(")
        candidates = [self._take()]
        while self._take() == ",":
            candidates.append(self._take())
        return candidates


def _is_member(scene: Scene, operand: str, candidates: list[str]) -> bool:
    value = scene.read(operand)
    return any(_compare(operator.eq, value, scene.read(other)) for other in candidates)


def _compare(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    """Values of different types, or that are not there, compare as neither."""
    if left is None or right is None or _kind(left) is not _kind(right):
        return False
    return compare(left, right)


def _kind(value: Any) -> type:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float if is_number else type(value)
