"""Prompt templates: a versioned registry beside this module, and those that a request brings.

A template has the syntax of Jinja2 in the form that `template_form` allows, with two blocks,
`system` and `user`. It gets `instructions`, `student_prompt`, `judge_rubric`, `verdict_schema`,
`bundle`, and `comparisons`, whose essays are already inside their fences. A template that shows
`comparison.essays` serves pairs and lists; of the registry's, one shows pairs and one lists.
Where `shared` is true, some essay is in several pairs; `essays` has each essay once, with the label
by which comparisons name it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from assessment.adapters.template_form import BLOCKS, LOOPS, check_form
from assessment.domain.errors import InvalidRequestError
from assessment.domain.judge import JudgeSpec, ListForm
from assessment.domain.prompt import (
    EssayList,
    EssayPair,
    FencedCall,
    FencedList,
    FencedPair,
    JudgeInstructions,
    PromptBlock,
    fence_call,
    fence_lists,
)

_FOLDER = Path(__file__).parent / "templates"
_ONE = (
    'Answer with one JSON object: {"winner": "A" | "B" | "tie", "degree": "slight" | "clear" | '
    '"decisive" | null for a tie, "confidence": 1-5, "justification": at most 500 characters}.'
)
_MANY = (
    'Answer with one JSON object: {"verdicts": [{"comparison_id": the id of the comparison, '
    '"winner": "A" | "B" | "tie", "degree": "slight" | "clear" | "decisive" | null for a tie, '
    '"confidence": 1-5, "justification": at most 500 characters}]}, with exactly one verdict for '
    "every comparison."
)
_LIST_FIELDS = (
    '"ranking": [the letters of all its essays, the best first], "gaps": [by how much each of them '
    'is better than the next one: "tie" | "slight" | "clear" | "decisive", one fewer than essays], '
    '"justification": at most 500 characters for the whole order'
)
_SCORE_FIELDS = (
    '"scores": [{"essay": its letter, "score": from 0 to 100, the better essay the higher one} for '
    'each of its essays, the best first], "justification": at most 500 characters for all scores'
)
_FIELDS = {ListForm.GAPS: _LIST_FIELDS, ListForm.SCORES: _SCORE_FIELDS}


def _describe_lists(form: ListForm, *, bundle: bool) -> str:
    """What an answer about one list, or about several, is to look like."""
    if not bundle:
        return f"Answer with one JSON object: {{{_FIELDS[form]}}}."
    return (
        'Answer with one JSON object: {"verdicts": [{"comparison_id": the id of the comparison, '
        f"{_FIELDS[form]}}}]}}, with exactly one verdict for every comparison."
    )


LIST_TEMPLATE = "ranking@1"
"""Ranks lists where the judge brings no template of its own."""

_PROBE = JudgeInstructions(
    instructions="probe-instructions", student_prompt="probe-task", judge_rubric="probe-rubric"
)
_PROBES = [EssayPair(f"probe-{n}", f"first probe {n}", f"second probe {n}") for n in range(2)]
_SHARED_PROBES = [
    EssayPair(
        f"probe-{n}",
        f"probe text {n}",
        f"probe text {(n + 1) % 3}",
        essay_a_id=f"probe essay {n}",
        essay_b_id=f"probe essay {(n + 1) % 3}",
    )
    for n in range(3)
]


class _Sandbox(ImmutableSandboxedEnvironment):
    """No call and no attribute that reaches Python, should a form ever let one through."""

    def is_safe_callable(self, obj: Any) -> bool:  # noqa: ARG002 - as Jinja2 has it
        """Refuse every call."""
        return False


def _make_environment() -> _Sandbox:
    environment = _Sandbox(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
    environment.globals.clear()
    environment.filters.clear()
    environment.tests.clear()
    return environment


_ENVIRONMENT = _make_environment()


@cache
def list_templates() -> tuple[str, ...]:
    """The names of the registry, each with its version."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("comparison@*.jinja")))


@lru_cache(maxsize=64)
def _template(source: str) -> Template:
    """The compiled template, once its form is one that a prompt may have."""
    tree = _ENVIRONMENT.parse(source)
    check_form(tree)
    return _ENVIRONMENT.from_string(tree)


@lru_cache(maxsize=64)
def _uses_essays(source: str) -> bool:
    return "essays" in meta.find_undeclared_variables(_ENVIRONMENT.parse(source))


@lru_cache(maxsize=64)
def _is_system_fixed(source: str) -> bool:
    """Whether the system's block shows nothing of the essays or comparisons of a call."""
    system = [
        block
        for block in _ENVIRONMENT.parse(source).find_all(nodes.Block)
        if block.name == "system"
    ]
    names = {name.name for block in system for name in block.find_all(nodes.Name)}
    return names.isdisjoint(LOOPS)


def _source(judge: JudgeSpec) -> str:
    if judge.template_source is not None:
        return judge.template_source
    if judge.template not in list_templates():
        raise InvalidRequestError(
            f"there is no template {judge.template!r}; known are {', '.join(list_templates())}",
            field="judge.template",
        )
    return _read_template(judge.template)


@cache
def _read_template(name: str) -> str:
    return (_FOLDER / f"{name}.jinja").read_text(encoding="utf-8")


def _field(judge: JudgeSpec) -> str:
    return "judge.template_source" if judge.template_source is not None else "judge.template"


def _render(
    judge: JudgeSpec,
    source: str,
    instructions: JudgeInstructions,
    call: FencedCall[FencedPair] | FencedCall[FencedList],
    schema: str,
    bundle: bool,  # noqa: FBT001 - as the template has it
) -> list[PromptBlock]:
    """The two blocks of a template; raises InvalidRequestError."""
    values = {
        **instructions.model_dump(),
        "comparisons": call.comparisons,
        "essays": call.essays,
        "shared": call.is_shared,
        "bundle": bundle,
        "verdict_schema": schema,
    }
    try:
        template = _template(source)
        context = template.new_context(values)
        texts = {
            name: "".join(block(context)).strip("\n")
            for name, block in template.blocks.items()
            if name in BLOCKS
        }
    except (TemplateError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        place = f" (line {line})" if line else ""
        raise InvalidRequestError(
            f"the template does not render{place}: {str(error)[:200]}", field=_field(judge)
        ) from error
    if len(texts) < len(BLOCKS):
        raise InvalidRequestError(
            "the template needs a block system and a block user", field=_field(judge)
        )
    return [
        PromptBlock(role="system", content=texts["system"], is_fixed=_is_system_fixed(source)),
        PromptBlock(role="user", content=texts["user"]),
    ]


class JinjaPrompts:
    """Renders the prompt of a call."""

    def render(
        self,
        judge: JudgeSpec,
        instructions: JudgeInstructions,
        pairs: Sequence[EssayPair],
        *,
        bundle: bool,
    ) -> list[PromptBlock]:
        """The prompt about these pairs; `bundle` asks for a list of verdicts by comparison id.

        Raises
        ------
        InvalidRequestError
            If there is no such template or it does not render; says where.
        """
        schema = _MANY if bundle else _ONE
        return _render(judge, _source(judge), instructions, fence_call(pairs), schema, bundle)

    def render_lists(
        self,
        judge: JudgeSpec,
        instructions: JudgeInstructions,
        lists: Sequence[EssayList],
        *,
        bundle: bool,
    ) -> list[PromptBlock]:
        """The prompt that asks to rank these lists; `bundle` asks for verdicts by comparison id.

        Raises
        ------
        InvalidRequestError
            If the template does not render; says where.
        """
        schema = _describe_lists(judge.list_form, bundle=bundle)
        source = judge.template_source or _read_template(LIST_TEMPLATE)
        call = FencedCall(fence_lists(lists), [], is_shared=False)
        return _render(judge, source, instructions, call, schema, bundle)

    def prints_texts_once(self, judge: JudgeSpec) -> bool:
        """Whether the template prints an essay of several comparisons once."""
        return _uses_essays(_source(judge))

    def check(self, judge: JudgeSpec) -> None:
        """Render the template about probes, and refuse one that loses what a judge must see.

        Raises
        ------
        InvalidRequestError
            If it does not render, or leaves out an essay, a comparison id or the verdict's form.
        """
        self._check_call(judge, _PROBES[:1], bundle=False)
        self._check_call(judge, _PROBES, bundle=True)
        if self.prints_texts_once(judge):
            self._check_call(judge, _SHARED_PROBES, bundle=True)

    def _check_call(self, judge: JudgeSpec, pairs: Sequence[EssayPair], *, bundle: bool) -> None:
        blocks = self.render(judge, _PROBE, pairs, bundle=bundle)
        whole = "\n".join(block.content for block in blocks)
        call = fence_call(pairs)
        losses = [
            *(_find_lost_labels(whole, call) if call.is_shared else _find_lost(whole, call)),
            ((_MANY if bundle else _ONE) not in whole, "verdict_schema, the form of the answer"),
            (
                bundle and any(pair.comparison_id not in whole for pair in pairs),
                "comparison.comparison_id, by which verdicts are matched",
            ),
        ]
        for is_lost, name in losses:
            if is_lost:
                raise InvalidRequestError(f"the template leaves out {name}", field=_field(judge))

    def check_lists(self, judge: JudgeSpec, *, size: int) -> None:
        """Render the template about lists of so many probes, as `check` does about pairs.

        Raises
        ------
        InvalidRequestError
            If it does not render, or leaves out an essay, a comparison id or the verdict's form.
        """
        lists = [
            EssayList(f"probe-{n}", tuple(f"probe {n}-{place}" for place in range(size)))
            for n in range(2)
        ]
        for bundle in (False, True):
            probes = lists if bundle else lists[:1]
            blocks = self.render_lists(judge, _PROBE, probes, bundle=bundle)
            whole = "\n".join(block.content for block in blocks)
            schema = _describe_lists(judge.list_form, bundle=bundle)
            for is_lost, name in _find_list_losses(whole, probes, schema, bundle=bundle):
                if is_lost:
                    raise InvalidRequestError(
                        f"the template leaves out {name}; lists need it", field=_field(judge)
                    )


def _find_lost(whole: str, call: FencedCall[FencedPair]) -> list[tuple[bool, str]]:
    """What is lost of comparisons whose texts are in each of them."""
    places = [(whole.find(pair.essay_a), whole.find(pair.essay_b)) for pair in call.comparisons]
    return [
        (any(a < 0 for a, _ in places), "comparison.essay_a, the essay shown first"),
        (any(b < 0 for _, b in places), "comparison.essay_b, the essay shown second"),
        (any(a > b for a, b in places), "the order: essay_a is to be shown before essay_b"),
    ]


def _find_lost_labels(whole: str, call: FencedCall[FencedPair]) -> list[tuple[bool, str]]:
    """What is lost of comparisons that name their essays by labels."""
    named = [_find_order(whole, pair) for pair in call.comparisons]
    return [
        (any(essay.text not in whole for essay in call.essays), "essay.text, where it is shared"),
        (
            any(whole.find(essay.label) > whole.find(essay.text) for essay in call.essays),
            "essay.label, which is to stand before the text",
        ),
        (not all(named), "comparison.label_a and then label_b, the essays shown first and second"),
    ]


def _find_order(whole: str, pair: FencedPair) -> bool:
    """Whether the labels of a comparison stand behind its id, A before B."""
    at = whole.find(pair.comparison_id)
    first = whole.find(pair.label_a, at)
    return 0 <= at < first < whole.find(pair.label_b, first)


def _find_list_losses(
    whole: str, lists: Sequence[EssayList], schema: str, *, bundle: bool
) -> list[tuple[bool, str]]:
    return [
        (any(each.essays not in whole for each in fence_lists(lists)), "comparison.essays"),
        (schema not in whole, "verdict_schema"),
        (bundle and any(each.comparison_id not in whole for each in lists), "comparison_id"),
    ]
