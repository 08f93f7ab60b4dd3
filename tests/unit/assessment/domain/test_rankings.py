"""Orders as judges write them: read in every form that means one thing, refused by their code."""

from __future__ import annotations

import json
import re
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.contracts.list_answer import (
    LIST_ANSWER,
    LIST_FORMS,
    ModelOrder,
    find_label_orders,
    read_list_answer,
)
from assessment.contracts.model_answer import VERDICT_SCHEMA, AnswerForm
from assessment.contracts.rankings import (
    CONTRADICTING,
    DOUBLED_ESSAY,
    MALFORMED,
    MISSING_ESSAY,
    UNKNOWN_ESSAY,
    AnswerProblem,
    Order,
    ShownEssays,
    read_order,
)
from assessment.domain.verdict import Gap, ListVerdict, describe_order

SHOWN = ("anna", "bert", "cili", "dora")
TIE, SLIGHT, CLEAR, DECISIVE = Gap.TIE, Gap.SLIGHT, Gap.CLEAR, Gap.DECISIVE
NAME = "w001-00000"


def read_ranking(ranking: object, **fields: Any) -> Order | AnswerProblem:
    return read_order(ranking=ranking, shown=ShownEssays(SHOWN), **fields)


@pytest.mark.parametrize(
    "ranking",
    [
        ["cili", "anna", "dora", "bert"],
        ["C", "A", "D", "B"],
        ["Essay C", "essay a", "**D**", "text_B"],
        ["С", "А", "D", "В"],  # Cyrillic letters of the same look
        [{"essay": "C"}, {"label": "A"}, {"id": "dora"}, {"essay_id": "bert"}],
        "C > A > D > B",
        "cili, anna, dora, bert",
        '["C", "A", "D", "B"]',
    ],
)
def test_spellings_of_one_order(ranking: object) -> None:
    assert read_ranking(ranking) == Order(("cili", "anna", "dora", "bert"))


@pytest.mark.parametrize("ranking", [[["C"], ["A", "D"], ["B"]], "C > A = D > B"])
def test_equals_are_ties(ranking: object) -> None:
    assert read_ranking(ranking) == Order(("cili", "anna", "dora", "bert"), (None, TIE, None))


@pytest.mark.parametrize(
    ("ranking", "code", "message"),
    [
        (["C", "A", "D", "eva"], UNKNOWN_ESSAY, "1 that are none of the 4"),
        (["C", "A", "D", "E"], UNKNOWN_ESSAY, "1 that are none of the 4"),
        (["C", "A", "D"], MISSING_ESSAY, "leaves out essay B"),
        (["C", "A", "D", "C"], DOUBLED_ESSAY, "essay C more than once"),
        (["C", "A", "D", "B", "A"], DOUBLED_ESSAY, "essay A more than once"),
        ([], MALFORMED, "no list of essays"),
        ({"A": 1}, MALFORMED, "no list of essays"),
        ("the third one", MALFORMED, "no list of essays"),
        ([["A", ["B"]], "C"], MALFORMED, "no list of essays"),
        (None, MALFORMED, "no order"),
    ],
)
def test_what_is_no_order_of_the_list(ranking: object, code: str, message: str) -> None:
    problem = read_ranking(ranking)
    assert isinstance(problem, AnswerProblem)
    assert problem.code == code
    assert message in problem.message
    assert "eva" not in problem.message, "what a judge wrote is not repeated"


def test_a_label_that_is_an_id_too_means_the_id() -> None:
    shown = ShownEssays(("B", "A", "C"))
    assert read_order(ranking=["A", "B", "C"], shown=shown) == Order(("A", "B", "C"))
    told_apart = read_order(ranking=["Essay A", "B", "C"], shown=shown)
    assert isinstance(told_apart, AnswerProblem)
    model = ShownEssays(("B", "A", "C"), takes_ids=False)
    assert read_order(ranking=["A", "B", "C"], shown=model) == Order(("B", "A", "C"))


@pytest.mark.parametrize(
    ("gaps", "expected", "note"),
    [
        (["clear", "tie", "slight"], (CLEAR, TIE, SLIGHT), 0),
        (["clear", "Tie", "DECISIVE", None], (CLEAR, TIE, DECISIVE), 0),
        (["clear", "much", "slight"], (CLEAR, None, SLIGHT), 1),
        (["clear", "slight"], None, 1),
        ([3, 2, 1], None, 1),
        ("clear", None, 1),
        (None, None, 0),
    ],
)
def test_gaps_never_cost_the_order(gaps: object, expected: object, note: int) -> None:
    order = read_ranking(["C", "A", "D", "B"], gaps=gaps)
    assert isinstance(order, Order)
    assert order.gaps == expected
    assert len(order.notes) == note


def test_scores_give_the_order_or_go_with_it() -> None:
    scores = {"A": 61, "B": "48.5", "C": 80, "dora": 61}
    alone = read_ranking(None, scores=scores)
    assert alone == Order(("cili", "anna", "dora", "bert"), scores=(80.0, 61.0, 61.0, 48.5))
    assert read_ranking(["C", "D", "A", "B"], scores=scores) == Order(
        ("cili", "dora", "anna", "bert"), scores=(80.0, 61.0, 61.0, 48.5)
    )
    contradiction = read_ranking(["B", "C", "A", "D"], scores=scores)
    assert isinstance(contradiction, AnswerProblem)
    assert contradiction.code == CONTRADICTING
    partly = read_ranking(["B", "C", "A", "D"], scores={"A": 61, "B": None, "C": 80, "D": 1})
    assert partly == Order(
        ("bert", "cili", "anna", "dora"), notes=(partly.notes if isinstance(partly, Order) else ())
    )
    assert isinstance(read_ranking(None, scores={"A": 1, "B": float("nan"), "C": 2, "D": 3}),
                      AnswerProblem)  # fmt: skip


@given(
    order=st.permutations(range(4)),
    gaps=st.lists(st.sampled_from([*Gap]), min_size=3, max_size=3),
    wrapper=st.integers(0, 7),
    prose=st.text(st.characters(codec="utf-8", exclude_characters='{}[]"<>\\'), max_size=40),
)
def test_a_models_order_is_read_however_it_is_wrapped(
    order: list[int], gaps: list[Gap], wrapper: int, prose: str
) -> None:
    entry = {"comparison_id": NAME, "ranking": ["ABCD"[place] for place in order],
             "gaps": [*map(str, gaps)], "justification": "because"}  # fmt: skip
    document = {"verdicts": [entry]}
    text = json.dumps(document)
    candidate = [
        document, text, entry, json.dumps(text), {"parameters": document},
        f"{prose}```json\n{text}\n```{prose}", f"<think>{prose} A > B {{x}}</think>{text}",
        {"verdicts": {NAME: {k: v for k, v in entry.items() if k != "comparison_id"}}},
    ][wrapper]  # fmt: skip
    read = read_list_answer([candidate], {NAME: SHOWN})[NAME]
    assert isinstance(read, ModelOrder)
    assert read.order.ranking == tuple(SHOWN[place] for place in order)
    assert read.order.gaps == tuple(gaps)
    assert read.justification == "because"


def test_each_list_of_an_answer_is_read_by_itself() -> None:
    lists = {f"w001-0000{n}": SHOWN for n in range(4)}
    rankings = [["D", "C", "B", "A"], ["A", "B", "C"], ["A", "B", "C", "X"]]
    entries = [
        {"comparison_id": name, "ranking": ranking}
        for name, ranking in zip(lists, rankings, strict=False)
    ]
    good, missing, unknown, absent = read_list_answer([{"verdicts": entries}], lists).values()
    assert isinstance(good, ModelOrder)
    assert good.order.ranking == ("dora", "cili", "bert", "anna")
    codes = [each.code for each in (missing, unknown, absent) if isinstance(each, AnswerProblem)]
    assert codes == [MISSING_ESSAY, UNKNOWN_ESSAY, MALFORMED]


def test_two_contradicting_orders_are_no_verdict() -> None:
    one, other = ["A", "B", "C", "D"], ["B", "A", "C", "D"]
    text = json.dumps({"ranking": one}) + "\nBut on reflection:\n" + json.dumps({"ranking": other})
    read = read_list_answer([text], {NAME: SHOWN})[NAME]
    assert isinstance(read, AnswerProblem)
    assert read.code == CONTRADICTING
    again = json.dumps({"ranking": one}) + json.dumps({"ranking": one})
    assert isinstance(read_list_answer([again], {NAME: SHOWN})[NAME], ModelOrder)


def test_a_justification_that_breaks_the_answer_costs_only_itself() -> None:
    order = '"ranking": ["B", "A", "D", "C"], "gaps": ["tie", "clear", "slight"]'
    text = f'{{{order}, "justification": "It says "no" twice"}}'
    read = read_list_answer([text], {NAME: SHOWN})[NAME]
    assert isinstance(read, ModelOrder)
    assert read.order.ranking == ("bert", "anna", "dora", "cili")
    assert read.order.gaps == (TIE, CLEAR, SLIGHT)
    assert read.notes == ("justification: left out, it breaks the answer",)


def test_ids_that_a_model_has_not_seen_mean_nothing() -> None:
    read = read_list_answer([{"ranking": list(SHOWN)}], {NAME: SHOWN})[NAME]
    assert isinstance(read, AnswerProblem)
    assert read.code == UNKNOWN_ESSAY


def read_scored(*scores: object, **fields: object) -> ModelOrder | AnswerProblem:
    """The order of an answer that gives scores; SHOWN is under the letters A to D."""
    return read_list_answer([{"scores": list(scores), **fields}], {NAME: SHOWN})[NAME]


def make_scores(letters: str, *values: object) -> list[dict[str, object]]:
    return [{"essay": e, "score": v} for e, v in zip(letters, values, strict=True)]


def test_scores_of_a_model_give_the_order() -> None:
    first, second, third, fourth = SHOWN
    read = read_scored(*make_scores("CADB", 81, 74.5, 74.5, 12), justification="why")
    assert isinstance(read, ModelOrder)
    assert read.order.ranking == (third, first, fourth, second)
    assert read.order.scores == (81.0, 74.5, 74.5, 12.0)
    assert (read.order.gaps, read.justification) == (None, "why")
    # The scores say it, in whatever order they are written.
    turned = read_scored(*make_scores("BDAC", 12, 74.5, 74.6, 81))
    assert isinstance(turned, ModelOrder)
    assert turned.order.ranking == (third, first, fourth, second)


@pytest.mark.parametrize(
    ("letters", "values", "code"),
    [
        ("ABC", (3, 2, 1), "ranking_missing_essay"),
        ("ABCA", (4, 3, 2, 1), "ranking_doubled_essay"),
        ("ABCE", (4, 3, 2, 1), "ranking_unknown_essay"),
    ],
)
def test_scores_of_other_essays_are_no_order(
    letters: str, values: tuple[float, ...], code: str
) -> None:
    read = read_scored(*make_scores(letters, *values))
    assert isinstance(read, AnswerProblem)
    assert read.code == code


@pytest.mark.parametrize("value", ["good", None, float("nan"), [1]])
def test_a_score_that_is_no_number_costs_the_scores_and_not_the_order(value: object) -> None:
    read = read_scored(*make_scores("DCBA", 9, 8, value, 1))
    assert isinstance(read, ModelOrder)
    assert (read.order.ranking, read.order.scores) == (tuple(SHOWN[::-1]), None)
    assert [note.partition(":")[0] for note in read.notes] == ["scores"]


def test_scores_against_the_order_beside_them_are_no_verdict() -> None:
    read = read_scored(*make_scores("ABCD", 1, 2, 3, 4), ranking=["A", "B", "C", "D"])
    assert isinstance(read, AnswerProblem)
    assert read.code == "contradicting_orders"


def test_two_answers_with_other_scores_are_told_apart() -> None:
    answers = [{"scores": make_scores("ABCD", *values)} for values in ((4, 3, 2, 1), (1, 2, 3, 4))]
    assert len({order for each in answers for order in find_label_orders([each], NAME)}) == 2


@pytest.mark.parametrize("form", LIST_FORMS.values())
def test_every_form_is_one_that_strict_output_takes(form: AnswerForm) -> None:
    items = form.json_schema["properties"]["verdicts"]["items"]
    assert items["required"] == list(items["properties"])
    assert items["additionalProperties"] is False


def test_the_form_asks_for_what_is_read() -> None:
    items = LIST_ANSWER.json_schema["properties"]["verdicts"]["items"]
    assert set(items["required"]) == set(items["properties"])
    assert items["properties"]["gaps"]["items"]["enum"] == [*map(str, Gap)]
    assert LIST_ANSWER.json_schema.keys() == VERDICT_SCHEMA.keys()


def test_every_order_of_a_small_list_is_told_apart() -> None:
    orders = [read_ranking(list(each)) for each in permutations(SHOWN)]
    assert len({each.ranking for each in orders if isinstance(each, Order)}) == 24


TABLE = Path(__file__).parents[4] / "docs" / "judges.md"
ROWS = re.findall(
    r"^\| `(.+)` \| `([A-D] .+|[a-z_]+)` \|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE
)


def test_the_table_of_orders_is_found() -> None:
    assert len(ROWS) > 10


@pytest.mark.parametrize(("text", "expected"), ROWS)
def test_an_order_is_read_as_the_table_says(text: str, expected: str) -> None:
    read = read_list_answer([text], {NAME: tuple("ABCD")})[NAME]
    if isinstance(read, AnswerProblem):
        assert read.code == expected
        return
    order = read.order
    verdict = ListVerdict(ranking=order.ranking, gaps=order.gaps, scores=order.scores, judge="j")
    assert describe_order(verdict) == expected
