"""Whatever an endpoint answers, what is stored of it can be read again, and says the same."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assessment.adapters.aws.comparison_store import DynamoDBComparisonStore
from assessment.adapters.item_table import ItemTable
from assessment.domain.comparison import Comparison, ComparisonStatus
from assessment.domain.identifiers import write_json_line
from tests.examples import scale_examples
from tests.fakes.judges import callback_body
from tests.fakes.world import World
from tests.unit.assessment.adapters.conftest import get_table
from tests.unit.assessment.conftest import submit_batch

TEXTS = st.one_of(
    st.text(st.characters(), max_size=40),  # halves of surrogate pairs are among them
    st.sampled_from([
        "", " ", "\x00", "\ud83d", "\ude00\ud83d", "\u202e\u2028\ufeff", "NaN", "x" * 70_000,
        "2026-03-02T09:00:00Z", "0001-01-01T00:00:00+14:00", "80%", "decisive", "4",
    ]),
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([10**400, -(10**40), 1e308, 5e-324, -0.0, 0.1 + 0.2, 10**17 + 1]),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=5,
)
LEGAL: dict[str, st.SearchStrategy[Any]] = {
    "degree": st.sampled_from(["slight", "clear", "decisive"]),
    "confidence": st.integers(1, 5),
    "justification": st.text(max_size=500),
    "cost_usd": st.floats(0, 10),
    "token_usage": st.fixed_dictionaries(
        {"input_tokens": st.integers(0, 10**6), "output_tokens": st.integers(0, 10**6)}
    ),
    "served_model": st.text(max_size=30),
    "served_version": st.text(max_size=30),
    "request_id": st.text(max_size=30),
    "answered_at": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    "decision_seconds": st.floats(0, 1000),
    "provider": st.text(max_size=30),
    "model": st.text(max_size=30),
    "notes": st.lists(st.text(max_size=20), max_size=3),
}
ANSWERS = st.fixed_dictionaries(
    {"winner": st.one_of(st.sampled_from(["A", "B", "tie", "Essay A"]), VALUES)},
    optional={name: st.one_of(legal, VALUES) for name, legal in LEGAL.items()}
    | {
        "error_detail": st.one_of(
            VALUES,
            st.fixed_dictionaries({"code": VALUES, "message": VALUES}, optional={
                "retryable": VALUES, "may_be_paid": VALUES}),
        )
    },
)  # fmt: skip


def check_numbers(node: object) -> None:
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            check_numbers(part)
    assert not isinstance(node, float) or math.isfinite(node)


@pytest.mark.parametrize("kind", ["dynamodb", "sqlite"])
def test_every_legal_and_illegal_answer_is_stored_and_read_back(
    kind: str, request: pytest.FixtureRequest
) -> None:
    table: ItemTable = get_table(kind, request)
    started = submit_batch(World())
    world, batch_id = started.world, started.batch_id
    first = world.list_comparisons(batch_id)[0]
    store = DynamoDBComparisonStore(table)
    world.comparisons = store  # type: ignore[assignment]
    numbers = iter(range(100, 100_000))

    def ask(make: Callable[[Comparison], str]) -> Comparison:
        """A new comparison with its answer recorded, as it is read back."""
        asked = first.model_copy(update={"comparison_id": f"w001-{next(numbers):05d}"})
        store.put_comparisons(batch_id, [asked])
        store.put_pending(batch_id, 1, [asked])
        world.record(make(asked))
        assert asked.comparison_id not in store.list_pending(batch_id, 1)
        return store.get_comparison(batch_id, 1, asked.comparison_id)

    @settings(
        max_examples=scale_examples(60 if kind == "sqlite" else 20),
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(ANSWERS)
    def answer(fields: dict[str, Any]) -> None:
        stored = ask(lambda asked: callback_body(asked, batch_id, **fields))
        assert stored.status in {ComparisonStatus.RECORDED, ComparisonStatus.FAILED}
        if stored.status is ComparisonStatus.RECORDED:
            assert fields["winner"] is not None
        line = write_json_line(stored.model_dump(mode="json"))
        check_numbers(json.loads(line.encode()))
        assert Comparison.model_validate_json(line) == stored

    answer()
    assert len(store.list_comparisons(batch_id, 1)) == next(numbers) - 100
