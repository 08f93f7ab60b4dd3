"""Where the laptop cloud and the sample judge listen on this machine."""

from __future__ import annotations

import os

from local.stack.processes import LOOPBACK, LocalCloudError
from runner.stack import DEFAULT_PORT, LOCAL_REGION

REGION = LOCAL_REGION
CLOUD_PORT, CLOUD_PORT_VARIABLE = int(DEFAULT_PORT), "CJ_PORT"
JUDGE_PORT, JUDGE_PORT_VARIABLE = 4580, "CJ_JUDGE_PORT"


def cloud_port() -> int:
    """The laptop cloud's port: CJ_PORT, or 4566.

    Raises
    ------
    LocalCloudError
        If CJ_PORT is not a port number.
    """
    return _read_port(CLOUD_PORT_VARIABLE, CLOUD_PORT)


def judge_port() -> int:
    """The sample judge's port: CJ_JUDGE_PORT, or 4580.

    Raises
    ------
    LocalCloudError
        If CJ_JUDGE_PORT is not a port number.
    """
    return _read_port(JUDGE_PORT_VARIABLE, JUDGE_PORT)


def judge_url(port: int | None = None) -> str:
    """The sample judge's base URL, whether it runs or not; on CJ_JUDGE_PORT if no port is named."""
    return f"http://{LOOPBACK}:{judge_port() if port is None else port}"


def _read_port(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise LocalCloudError(f"{variable} is {text!r}; it must be a port number such as {default}")
    return int(text)
