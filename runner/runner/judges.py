"""`--judge`: who judges, in a few words, as JSON, or in a file."""

import json
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from assessment.domain.errors import InvalidRequestError
from assessment.domain.judge import JudgeSpec, Provider
from assessment.domain.jury import read_judges
from runner.checks import read_all
from runner.errors import BadInputError, Problem
from runner.setting_text import list_names, read_value, split_setting
from runner.text_files import read_text


def parse_judges(texts: Sequence[str]) -> list[dict[str, Any]]:
    """The judges of a request, checked as far as they can be without the stack.

    Each is `provider/model`, with settings behind commas (`openai/gpt-4.1-mini,temperature=0`),
    an object in JSON, or the path of a JSON file with an object or a list of them. The value of a
    setting is JSON or plain words; `@path` stands for the text of a file.

    Raises
    ------
    BadInputError
        With everything that is wrong, by the place of the judge among them.
    """
    lists, problems = read_all(texts, lambda text: _parse_judge(text.strip()))
    problems.raise_any()
    judges = list(chain.from_iterable(lists))
    if judges:
        _check(judges)
    return judges


def _check(judges: list[dict[str, Any]]) -> None:
    """Refuse what the stack would refuse, under the option's name."""
    try:
        read_judges(judges if len(judges) > 1 else judges[0], is_admin=True)
    except InvalidRequestError as error:
        objections = error.problems or [(error.field, error.message)]
        raise BadInputError(
            *(
                Problem(message, field=field.replace("judge", "--judge", 1))
                for field, message in objections
            )
        ) from None


def _parse_judge(text: str) -> list[dict[str, Any]]:
    if text.startswith(("{", "[")):
        return _parse_objects(text, "--judge")
    if text.endswith(".json"):
        return _parse_objects(read_text(Path(text)), text)
    return [_parse_words(text)]


def _parse_objects(text: str, place: str) -> list[dict[str, Any]]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInputError(Problem(f"is not JSON ({error})", field=place)) from None
    judges = document if isinstance(document, list) else [document]
    if not judges or not all(isinstance(judge, dict) for judge in judges):
        message = "write an object such as {provider, model}, or a list of them"
        raise BadInputError(Problem(message, field=place))
    return judges


def _parse_words(text: str) -> dict[str, Any]:
    address, *settings = _split_at_commas(text)
    provider, _, model = address.strip().partition("/")
    if provider not in list(Provider):
        message = f"{provider!r} is no provider; {list_names(provider, list(Provider))}"
        raise BadInputError(Problem(message, field="--judge"))
    judge: dict[str, Any] = {"provider": provider}
    if model:
        judge["model"] = model
    return judge | dict(map(_parse_setting, settings))


def _parse_setting(setting: str) -> tuple[str, object]:
    pair = split_setting(setting)
    if pair is None:
        message = f"{setting.strip()!r}: write a setting as name=value"
        raise BadInputError(Problem(message, field="--judge"))
    name, value = pair
    if name not in JudgeSpec.model_fields:
        message = f"there is no setting {name}; {list_names(name, sorted(JudgeSpec.model_fields))}"
        raise BadInputError(Problem(message, field="--judge"))
    return name, read_text(Path(value[1:])) if value.startswith("@") else read_value(value)


def _split_at_commas(text: str) -> list[str]:
    """What commas separate, except those within a JSON object or list."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "{[") - (character in "}]")
        if character == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
