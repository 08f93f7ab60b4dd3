"""The keys of providers, from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping

from assessment.domain.judge_errors import JudgeRefusedError
from runner.keys import KEY_VARIABLES, key_of_environment


class EnvironmentKeys:
    """Keys by the names that judges give: OPENAI_API_KEY, ANTHROPIC_API_KEY, or CJ_KEY_<NAME>."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def exists(self, name: str) -> bool:
        """Whether the variable is set."""
        return self._read(name) is not None

    def get_key(self, name: str) -> str:
        """The key.

        Raises
        ------
        JudgeRefusedError
            If the variable is not set, or holds no key.
        """
        key = self._read(name)
        if key is None:
            raise JudgeRefusedError(f"there is no key for {name}: set {self.get_variable(name)}")
        if not key.isascii() or not key.isprintable():
            raise JudgeRefusedError(f"{self.get_variable(name)} holds what cannot be a key")
        return key

    def _read(self, name: str) -> str | None:
        own = self._environment.get(_own_variable(name), "").strip() or None
        return own or key_of_environment(name, self._environment)

    @staticmethod
    def get_variable(name: str) -> str:
        """The variable that holds the key of this name."""
        return KEY_VARIABLES.get(name) or _own_variable(name)


def _own_variable(name: str) -> str:
    return f"CJ_KEY_{re.sub(r'[^A-Z0-9]', '_', name.upper())}"
