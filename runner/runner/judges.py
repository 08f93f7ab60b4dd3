"""`--judge`: who judges, in a few words, as JSON, or in a file."""

import json
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from assessment.domain.errors import InvalidRequestError
from assessment.domain.judge import JudgeSpec, Provider, requested_judges
from runner.errors import BadInputError, Problem
from runner.text_files import read_text


def parse_judges(given: Sequence[str]) -> list[dict[str, Any]]:
    """The judges of a request, checked as far as they can be without the stack.

    Each is `provider/model`, with settings behind commas (`openai/gpt-4.1-mini,temperature=0`),
    an object in JSON, or the path of a JSON file with an object or a list of them. The value of a
    setting is JSON or plain words; `@path` stands for the text of a file.

    Raises
    ------
    BadInputError
        With everything that is wrong, by the place of the judge among them.
    """
    judges: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for text in given:
        try:
            judges += _read(text.strip())
        except BadInputError as error:
            problems += error.problems
    if not problems and judges:
        try:
            requested_judges(judges if len(judges) > 1 else judges[0], is_admin=True)
        except InvalidRequestError as error:
            found = getattr(error, "problems", [(error.field, error.message)])
            problems = [
                Problem(message, field=field.replace("judge", "--judge", 1))
                for field, message in found
            ]
    if problems:
        raise BadInputError(*problems)
    return judges


def _read(text: str) -> list[dict[str, Any]]:
    if text.startswith(("{", "[")):
        return _objects(text, "--judge")
    if text.endswith(".json"):
        return _objects(read_text(Path(text)), text)
    return [_in_words(text)]


def _objects(text: str, place: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInputError(Problem(f"is not JSON ({error})", field=place)) from None
    judges = found if isinstance(found, list) else [found]
    if not judges or not all(isinstance(judge, dict) for judge in judges):
        message = "write an object such as {provider, model}, or a list of them"
        raise BadInputError(Problem(message, field=place))
    return judges


def _in_words(text: str) -> dict[str, Any]:
    who, *settings = _parts(text)
    provider, _, model = who.strip().partition("/")
    if provider not in list(Provider):
        near = get_close_matches(provider, list(Provider), n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        message = f"{provider!r} is no provider; {meant}known are {', '.join(Provider)}"
        raise BadInputError(Problem(message, field="--judge"))
    judge: dict[str, Any] = {"provider": provider}
    if model:
        judge["model"] = model
    for setting in settings:
        name, equals, value = (part.strip() for part in setting.partition("="))
        if not (name and equals and value):
            message = f"{setting.strip()!r}: write a setting as name=value"
            raise BadInputError(Problem(message, field="--judge"))
        if name not in JudgeSpec.model_fields:
            known = ", ".join(sorted(JudgeSpec.model_fields))
            message = f"there is no setting {name}; known are {known}"
            raise BadInputError(Problem(message, field="--judge"))
        judge[name] = _value(value)
    return judge


def _parts(text: str) -> list[str]:
    """What commas separate, except those within a JSON object or list."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "{[") - (character in "}]")
        if character == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _value(text: str) -> object:
    if text.startswith("@"):
        return read_text(Path(text[1:]))
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
