"""Settings as a command line has them: `name=value`, where the value is JSON or plain words."""

import json
from collections.abc import Collection
from difflib import get_close_matches


def split_setting(text: str) -> tuple[str, str] | None:
    """A setting's name and value; None where one of them is missing."""
    name, _, value = (part.strip() for part in text.partition("="))
    return (name, value) if name and value else None


def read_value(text: str) -> object:
    """The value of a JSON text, else the text itself."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value


def list_names(name: str, names: Collection[str]) -> str:
    """The names that there are, after the nearest to one that there is not."""
    nearest = get_close_matches(name, names, n=1)
    question = f"did you mean {nearest[0]}? " if nearest else ""
    return f"{question}known are {', '.join(names)}" if names else "there are none"
