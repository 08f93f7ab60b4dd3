"""Profiles: options that one does not want to type again, in `~/.config/cj/config.toml`.

    profile = "laptop"

    [profiles.laptop]
    offline = true
    judge = ["openai/gpt-4.1-mini"]

    [profiles.school]
    stack = "cj-school"

A flag wins over an environment variable, and that over the profile.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup, TyperOption

from runner.errors import BadInputError, Problem
from runner.setting_text import list_names


def find_config(environment: Mapping[str, str]) -> Path:
    """Where the configuration is: CJ_CONFIG, or below XDG_CONFIG_HOME or ~/.config."""
    named = environment.get("CJ_CONFIG")
    if named:
        return Path(named)
    base = environment.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "cj" / "config.toml"


def make_defaults(
    group: TyperGroup, context: typer.Context, path: Path, profile: str | None
) -> dict[str, Any]:
    """The defaults of every command from a profile: the named one, or the configuration's own.

    Raises
    ------
    BadInputError
        If the file cannot be read, has no such profile, or sets what is no option.
    """
    values = {name.replace("-", "_"): value for name, value in _read_profile(path, profile).items()}
    names: set[str] = set()
    defaults = _choose_defaults(group, context, values, names)
    for name in values:
        if name not in names:
            message = f"there is no such option; {list_names(name, sorted(names))}"
            raise BadInputError(Problem(message, file=str(path), field=name))
    return defaults


def _choose_defaults(
    group: TyperGroup, context: typer.Context, values: Mapping[str, Any], known_names: set[str]
) -> dict[str, Any]:
    """The values for each command that has such options; `known_names` collects all names."""
    defaults: dict[str, Any] = {}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, TyperGroup):
            defaults[name] = _choose_defaults(command, context, values, known_names)
        elif command is not None:
            names = {each.name for each in command.params if isinstance(each, TyperOption)}
            own = {each for each in names if each}
            known_names |= own
            defaults[name] = {each: value for each, value in values.items() if each in own}
    return defaults


def _read_profile(path: Path, profile: str | None) -> dict[str, Any]:
    document = _read(path)
    name = profile or document.get("profile")
    if name is None:
        return {}
    profiles = document.get("profiles", {})
    if name not in profiles:
        message = f"has no profile {name!r}; {list_names(str(name), sorted(profiles))}"
        raise BadInputError(Problem(message, file=str(path), field="--profile"))
    options: dict[str, Any] = profiles[name]
    return options


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadInputError(Problem(f"cannot be read: {error}", file=str(path))) from None
