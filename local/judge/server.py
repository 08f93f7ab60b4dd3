"""The sample judge as a background server: started with options, stopped by name."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from local.judge.options import JudgeOptions
from local.stack import processes
from local.stack.processes import LocalCloudError, Server

if TYPE_CHECKING:
    from local.stack.cloud import Cloud

DEFAULT_PORT = 4580
CALLBACK_SECRET_VARIABLE = "CJ_CALLBACK_SECRET"  # noqa: S105 - where the secret is, not the secret
"""Names the stack's callback secret to the judge, by its ARN or a file, and never holds it."""


def port_from_environment() -> int:
    """The port that CJ_JUDGE_PORT chooses.

    Raises
    ------
    LocalCloudError
        If CJ_JUDGE_PORT is not a port number.
    """
    text = os.environ.get("CJ_JUDGE_PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise LocalCloudError(
            f"CJ_JUDGE_PORT is {text!r}; it must be a port number such as {DEFAULT_PORT}"
        )
    return int(text)


def url(port: int | None = None) -> str:
    """Where the sample judge listens, whether it runs or not."""
    return f"http://{processes.LOOPBACK}:{port_from_environment() if port is None else port}"


def up(
    cloud: Cloud,
    options: JudgeOptions | None = None,
    *,
    port: int | None = None,
    name: str = "judge",
    callback_secret: str = "",
) -> Server:
    """The sample judge with these options, sending its callbacks to queues of the cloud.

    A judge that already runs with the same options for the same cloud is kept; its counts go on.

    Parameters
    ----------
    callback_secret
        ARN of the secret, or path of the file, with which it signs callbacks over the web.

    Raises
    ------
    LocalCloudError
        If the port is taken or the judge does not come up.
    """
    chosen = port_from_environment() if port is None else port
    arguments = _arguments(options or JudgeOptions())
    signing = {CALLBACK_SECRET_VARIABLE: callback_secret} if callback_secret else {}
    settings = {"cloud": cloud.url, "arguments": " ".join(arguments), **signing}
    server = processes.running(name)
    if server:
        same = server.port == chosen and server.settings == settings
        if same and processes.answers(server.url + "/healthz"):
            return server
        processes.stop(name)
    return processes.start(
        name,
        [sys.executable, "-m", "local.judge.endpoint", "--port", str(chosen), *arguments],
        port=chosen,
        variable="CJ_JUDGE_PORT",
        health="/healthz",
        environment=cloud.environment() | signing,
        settings=settings,
    )


def down(name: str = "judge") -> bool:
    """Stop the sample judge; False if it was not running."""
    return processes.stop(name)


def _arguments(options: JudgeOptions) -> list[str]:
    arguments: list[str] = []
    for name, value in options.as_dict().items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            arguments += [flag] if value else []
        else:
            arguments += [flag, str(value)]
    return arguments
