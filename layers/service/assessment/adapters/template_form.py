"""The form that a prompt template may have: text, placeholders, conditions, one plain loop.

A template is checked as a tree before it is compiled, at a request and again at every call. So what
it can do does not depend on who wrote it or on what it is rendered with. It cannot compute: no
operators, filters, tests, calls, assignments or macros. It cannot loop but over the comparisons or
the essays, and no loop is in another. So a prompt's length is at most that of the template plus a
few times that of the texts, and its rendering takes time in proportion.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from jinja2 import TemplateError, nodes

BLOCKS = ("system", "user")
PLACEHOLDERS = ("instructions", "student_prompt", "judge_rubric", "verdict_schema")
"""Texts of the whole prompt: they stand outside the loop over the comparisons."""

LOOPS = {
    "comparisons": ("comparison_id", "essay_a", "essay_b", "essays", "label_a", "label_b"),
    "essays": ("label", "text"),
}
"""What a loop may go over, and what each part of that has."""

_COUNTED_AS = {"text": ("essay_a", "essay_b")}
"""An essay's own text counts as both texts of a comparison: a prompt stays in proportion."""

_FLAGS = ("bundle", "shared", *PLACEHOLDERS)
_LOOP_FLAGS = ("first", "last")
_LOOP_PLACEHOLDERS = ("index",)
MOST_USES = 4
"""How often one placeholder may be shown, and how many loops there may be."""

_DEEPEST = 12
_MOST_NODES = 1000
_WRAPPERS = (nodes.Template, nodes.Output, nodes.TemplateData)


class TemplateFormError(TemplateError):
    """A template does what a prompt does not need; says what and in which line."""

    def __init__(self, message: str, node: nodes.Node) -> None:
        super().__init__(message)
        self.lineno = node.lineno


def check_form(template: nodes.Template) -> None:
    """Refuse a template that has more than text, placeholders, conditions and a plain loop.

    Raises
    ------
    TemplateFormError
        Naming the first thing that a template cannot have.
    """
    form = _Form()
    form.check(template)


class _Form:
    """One walk over a template's tree."""

    def __init__(self) -> None:
        self._uses: Counter[str] = Counter()
        self._n_nodes = 0
        self._loop_variable: str | None = None
        self._iterable = "comparisons"

    def check(self, node: nodes.Node, depth: int = 0) -> None:
        self._n_nodes += 1
        if depth > _DEEPEST or self._n_nodes > _MOST_NODES:
            message = f"it is nested more than {_DEEPEST} deep or has over {_MOST_NODES} parts"
            raise TemplateFormError(message, node)
        if isinstance(node, nodes.Block):
            self._check_block(node, depth)
        elif isinstance(node, nodes.For):
            self._check_loop(node, depth)
        elif isinstance(node, nodes.If):
            self._check_condition(node, depth)
        elif isinstance(node, nodes.Name | nodes.Getattr):
            self._check_placeholder(node)
        elif isinstance(node, _WRAPPERS):
            self._check_children(node.iter_child_nodes(), depth)
        else:
            name = _describe(node)
            raise TemplateFormError(f"a prompt template cannot have {name}", node)

    def _check_children(self, children: Iterator[nodes.Node], depth: int) -> None:
        for child in children:
            self.check(child, depth + 1)

    def _check_block(self, node: nodes.Block, depth: int) -> None:
        if node.name not in BLOCKS or depth > 1 or node.scoped or node.required:
            raise TemplateFormError("its blocks are system and user, side by side", node)
        self._check_children(iter(node.body), depth)

    def _check_loop(self, node: nodes.For, depth: int) -> None:
        over = node.iter.name if isinstance(node.iter, nodes.Name) else None
        variable = node.target.name if isinstance(node.target, nodes.Name) else None
        is_plain = variable is not None and not (node.test or node.else_ or node.recursive)
        if self._loop_variable or over not in LOOPS or not is_plain:
            message = (
                "a loop is {% for comparison in comparisons %} or {% for essay in essays %}, and "
                "stands in no other loop"
            )
            raise TemplateFormError(message, node)
        self._count("a loop", node)
        self._loop_variable = variable
        self._iterable = str(over)
        self._check_children(iter(node.body), depth)
        self._loop_variable = None

    def _check_condition(self, node: nodes.If, depth: int) -> None:
        self._check_flag(node.test, depth)
        self._check_children(iter([*node.body, *node.elif_, *node.else_]), depth)

    def _check_flag(self, node: nodes.Node, depth: int) -> None:
        self._n_nodes += 1
        if isinstance(node, nodes.Not) and depth <= _DEEPEST:
            self._check_flag(node.node, depth + 1)
            return
        named = isinstance(node, nodes.Name) and node.name in _FLAGS
        if not named and self._loop_attribute(node) not in _LOOP_FLAGS:
            flags = ", ".join([*_FLAGS, *(f"loop.{flag}" for flag in _LOOP_FLAGS)])
            message = f"a condition is one of {flags}, or not one of them"
            raise TemplateFormError(message, node)

    def _check_placeholder(self, node: nodes.Name | nodes.Getattr) -> None:
        if isinstance(node, nodes.Name):
            if node.name not in PLACEHOLDERS:
                names = ", ".join(PLACEHOLDERS)
                raise TemplateFormError(f"{node.name} is no placeholder; known are {names}", node)
            if self._loop_variable:
                raise TemplateFormError(f"{node.name} stands outside the loop", node)
            self._count(node.name, node)
            return
        if self._loop_attribute(node) in _LOOP_PLACEHOLDERS:
            return
        of_part = isinstance(node.node, nodes.Name) and node.node.name == self._loop_variable
        variables = LOOPS[self._iterable]
        if not of_part or node.attr not in variables:
            message = (
                f"a part of {self._iterable} has no attribute {node.attr!r}; it has "
                f"{', '.join(variables)}"
            )
            raise TemplateFormError(message, node)
        for name in _COUNTED_AS.get(node.attr, (node.attr,)):
            self._count(name, node)

    def _loop_attribute(self, node: nodes.Node) -> str | None:
        """The attribute of `loop` that this is, inside a loop."""
        if not (self._loop_variable and isinstance(node, nodes.Getattr)):
            return None
        is_of_loop = isinstance(node.node, nodes.Name) and node.node.name == "loop"
        return node.attr if is_of_loop else None

    def _count(self, name: str, node: nodes.Node) -> None:
        self._uses[name] += 1
        if self._uses[name] > MOST_USES:
            raise TemplateFormError(f"{name} stands in it more than {MOST_USES} times", node)


_WORDS: dict[type[nodes.Node], str] = {
    nodes.BinExpr: "an operator",
    nodes.UnaryExpr: "an operator",
    nodes.Concat: "an operator",
    nodes.Compare: "a comparison of values",
    nodes.Filter: "a filter",
    nodes.Test: "a test",
    nodes.Call: "a call",
    nodes.Getitem: "an index",
    nodes.Literal: "a value; write text as it is, outside of the braces",
    nodes.Assign: "an assignment",
    nodes.AssignBlock: "an assignment",
}


def _describe(node: nodes.Node) -> str:
    """What the node is, in the words of a reader."""
    kind = next((words for kind, words in _WORDS.items() if isinstance(node, kind)), None)
    return kind or f"{type(node).__name__.lower()}"
