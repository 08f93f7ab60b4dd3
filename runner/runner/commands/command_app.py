"""Commands that take groups of options: one parameter whose type lists the options."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from inspect import Parameter, signature
from typing import Any, get_type_hints

import typer


class CommandApp(typer.Typer):
    """A Typer application whose commands may have dataclasses of options as parameters."""

    def command[C: Callable[..., Any]](
        self,
        *arguments: Any,  # noqa: ANN401 - as the method that it overrides
        **settings: Any,  # noqa: ANN401 - as above
    ) -> Callable[[C], C]:
        """Register a command; the function itself stays as it is."""
        register = super().command(*arguments, **settings)

        def add(command: C) -> C:
            register(spread_options(command))
            return command

        return add


def spread_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with the options of each of its groups as parameters of their own.

    A group is a keyword parameter whose type is a dataclass; its fields are Typer's options. They
    stand where the group stood.
    """
    plain = signature(command, eval_str=True)
    groups: dict[str, type] = {}
    parameters: list[Parameter] = []
    for parameter in plain.parameters.values():
        if is_dataclass(parameter.annotation) and isinstance(parameter.annotation, type):
            groups[parameter.name] = parameter.annotation
            parameters += _list_options(parameter.annotation)
        else:
            parameters.append(parameter)
    if not groups:
        return command

    @wraps(command)
    def run(**values: Any) -> Any:  # noqa: ANN401 - whatever the command takes and returns
        return command(**_gather(values, groups))

    spread = plain.replace(parameters=parameters)
    run.__signature__ = spread  # type: ignore[attr-defined] # `inspect` reads it there
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _list_options(group: type) -> list[Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        Parameter(
            each.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if each.default is MISSING else each.default,
            annotation=hints[each.name],
        )
        for each in fields(group)
    ]


def _gather(values: Mapping[str, Any], groups: Mapping[str, type]) -> dict[str, Any]:
    """The arguments of the command itself: each group made of the values of its options."""
    rest = dict(values)
    made = {
        name: group(**{each.name: rest.pop(each.name) for each in fields(group)})
        for name, group in groups.items()
    }
    return rest | made
