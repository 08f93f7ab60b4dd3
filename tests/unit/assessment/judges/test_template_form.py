"""Templates of callers: what a prompt needs is there, and nothing can loop, compute or grow."""

from __future__ import annotations

import time

import pytest

from assessment.adapters.prompts import JinjaPrompts, list_templates
from assessment.domain.errors import InvalidRequestError
from assessment.domain.judge import MAX_BUNDLE, JudgeSpec
from assessment.domain.prompt import EssayPair, JudgeInstructions

FORM = (
    "{% block system %}{{ verdict_schema }}HERE{% endblock %}"
    "{% block user %}{% for c in comparisons %}{{ c.comparison_id }} {{ c.essay_a }} "
    "{{ c.essay_b }}INSIDE{% endfor %}{% endblock %}"
)
LONGEST_SOURCE = 20_000
# A template of every kind below is refused or checked within this time on a slow machine.
PATIENCE_SECONDS = 2.0


def template(outside: str = "", inside: str = "") -> JudgeSpec:
    source = FORM.replace("HERE", outside).replace("INSIDE", inside)
    return JudgeSpec(template_source=source)


def loops(variables: str, depth: int) -> str:
    openings = (f"{{% for v{n} in {variables} %}}" for n in range(depth))
    return "".join(openings) + "x" + "{% endfor %}" * depth


HOSTILE = {
    "loops over a text": loops("instructions", 8),
    "loops in loops": loops("comparisons", 3),
    "too many loops": loops("comparisons", 1) * 5,
    "too deep for Python's own limit on loops": loops("comparisons", 21),
    "too deep for Python's own limit on indentation": "{% if bundle %}" * 120 + "{% endif %}" * 120,
    "too deep for Python's stack": "{% if bundle %}" * 700 + "{% endif %}" * 700,
    "doubling by assignment": "{% set a = 'xx' %}" + "{% set a = a ~ a %}" * 33,
    "doubling by addition": "{% set a = 'xx' %}" + "{% set a = a + a %}" * 33,
    "a filter that fails on its value": "{{ 1|dictsort }}",
    "a filter that draws": "{{ 'abc'|list|random }}",
    "half of a surrogate pair": r"{{ '\ud800' }}",
    "a multiplication": "{{ 'a' * 9 }}",
    "a power": "{{ 9 ** 9 }}",
    "a call": "{{ instructions.ljust(99) }}",
    "an attribute of Python": "{{ instructions.__class__ }}",
    "an index": "{{ instructions[0] }}",
    "a number of many digits": "{{ " + "9" * 9000 + " }}",
    "thousands of brackets": "{{" + "(" * 9000 + "}}",
    "thousands of signs": "{{" + "-" * 9000 + "1}}",
    "thousands of negations": "{% if " + "not " * 4500 + "bundle %}x{% endif %}",
    "thousands of attributes": "{{ instructions" + ".a" * 9000 + " }}",
    "thousands of alternatives": "{% if bundle %}1" + "{% elif bundle %}x" * 900 + "{% endif %}",
    "one text again and again": "{{ instructions }}" * 1000,
    "another file": "{% include 'comparison@2' %}",
    "a macro": "{% macro m() %}{{ m() }}{% endmacro %}",
    "a parent": "{% extends 'comparison@2' %}",
    "an inline condition": "{{ instructions if bundle else judge_rubric }}",
    "a comparison of values": "{% if instructions == judge_rubric %}x{% endif %}",
    "a block in a block": "{% block more %}x{% endblock %}",
    "another scope": "{% with a = 1 %}x{% endwith %}",
    "an unknown placeholder": "{{ secret }}",
}


@pytest.mark.parametrize("outside", HOSTILE.values(), ids=HOSTILE)
def test_what_a_prompt_does_not_need_is_refused_at_once(outside):
    started = time.process_time()
    with pytest.raises(InvalidRequestError, match=r"judge\.template_source"):
        JinjaPrompts().check(template(outside))
    assert time.process_time() - started < PATIENCE_SECONDS


def test_a_text_of_the_whole_prompt_is_not_repeated_for_each_comparison():
    with pytest.raises(InvalidRequestError, match="outside the loop"):
        JinjaPrompts().check(template(inside="{{ instructions }}"))


@pytest.mark.parametrize("name", list_templates())
def test_our_own_templates_have_the_form(name):
    JinjaPrompts().check(JudgeSpec(template=name))


def test_a_template_may_choose_by_what_there_is():
    chosen = template(
        outside="{% if student_prompt %}{{ student_prompt }}{% elif not bundle %}One{% endif %}",
        inside="{% if loop.last %}end{% else %}{{ loop.index }}{% endif %}",
    )
    JinjaPrompts().check(chosen)
    pairs = [EssayPair(f"w001-0000{n}", "first", "second") for n in range(2)]
    system, user = JinjaPrompts().render(chosen, JudgeInstructions(), pairs, bundle=False)
    assert system.content.endswith("One")
    assert user.content.endswith("end")


def test_the_greediest_template_stays_in_proportion_at_judging():
    """The largest call that can be, with every placeholder as often as it may stand."""
    texts = JudgeInstructions(**dict.fromkeys(JudgeInstructions.model_fields, "i" * 20_000))
    names = [*JudgeInstructions.model_fields, "verdict_schema"]
    loop = (
        "{% for c in comparisons %}{{ c.comparison_id }}{{ c.essay_a }}{{ c.essay_b }}{% endfor %}"
    )
    source = (
        "{% block system %}"
        + "".join(f"{{{{ {name} }}}}" * 4 for name in names)
        + "{% endblock %}{% block user %}"
        + loop * 4
        + "{% endblock %}"
    )
    judge = JudgeSpec(template_source=source + "x" * (LONGEST_SOURCE - len(source)))
    pairs = [EssayPair(f"w001-{n:05d}", "a" * 60_000, "b" * 60_000) for n in range(MAX_BUNDLE)]
    size_of_texts = 3 * 20_000 + 2 * MAX_BUNDLE * 60_000
    started = time.process_time()
    blocks = JinjaPrompts().render(judge, texts, pairs, bundle=True)
    assert time.process_time() - started < PATIENCE_SECONDS
    assert sum(len(block.content) for block in blocks) < 4.1 * size_of_texts + LONGEST_SOURCE


SHARING = (
    "{% block system %}{{ verdict_schema }}{% endblock %}{% block user %}"
    "{% for e in essays %}{{ e.label }} {{ e.text }}{% endfor %}"
    "{% for c in comparisons %}{{ c.comparison_id }} {{ c.label_a }} {{ c.label_b }} {% endfor %}"
    "{% if not shared %}"
    "{% for c in comparisons %}{{ c.essay_a }} {{ c.essay_b }}{% endfor %}{% endif %}{% endblock %}"
)


def test_a_template_may_print_essays_once_under_their_labels():
    JinjaPrompts().check(JudgeSpec(template_source=SHARING))
    assert JinjaPrompts().prints_texts_once(JudgeSpec(template_source=SHARING))
    assert JinjaPrompts().prints_texts_once(JudgeSpec())
    assert not JinjaPrompts().prints_texts_once(JudgeSpec(template="comparison@2"))


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        (
            "{{ c.label_a }} {{ c.label_b }}",
            "{{ c.label_b }} {{ c.label_a }}",
            "comparison.label_a",
        ),
        ("{{ e.label }} {{ e.text }}", "{{ e.text }} {{ e.label }}", "essay.label"),
        ("{{ e.label }} {{ e.text }}", "{{ e.label }}", "essay.text"),
    ],
)
def test_a_template_that_loses_what_shared_texts_need_is_refused(old, new, lost):
    judge = JudgeSpec(template_source=SHARING.replace(old, new))
    with pytest.raises(InvalidRequestError, match=lost):
        JinjaPrompts().check(judge)
