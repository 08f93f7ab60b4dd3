"""The sample judge as a background server: started with options, stopped by name."""

from __future__ import annotations

import sys

from local.judge import webhooks
from local.judge.options import JudgeOptions
from local.stack import processes
from local.stack.addresses import JUDGE_PORT_VARIABLE, judge_port
from local.stack.cloud import Cloud
from local.stack.processes import Server


def start(
    cloud: Cloud,
    options: JudgeOptions | None = None,
    *,
    port: int | None = None,
    name: str = "judge",
    callback_secret: str = "",
) -> Server:
    """Start the sample judge with these options; its callbacks go to queues of the cloud.

    A judge that runs with the same options for the same cloud already is kept, with its counts.

    Parameters
    ----------
    callback_secret
        ARN of the secret, or path of the file, with which it signs callbacks over the web.

    Raises
    ------
    LocalCloudError
        If the port is taken or the judge does not come up.
    """
    port = judge_port() if port is None else port
    arguments = _arguments(options or JudgeOptions())
    signing = {webhooks.VARIABLE: callback_secret} if callback_secret else {}
    settings = {"cloud": cloud.url, "arguments": " ".join(arguments), **signing}
    server = processes.find_server(name)
    if server:
        same = server.port == port and server.settings == settings
        if same and processes.answers(server.url + "/healthz"):
            return server
        processes.stop(name)
    return processes.start(
        name,
        [sys.executable, "-m", "local.judge_endpoint", "--port", str(port), *arguments],
        port=port,
        variable=JUDGE_PORT_VARIABLE,
        health="/healthz",
        environment=cloud.environment() | signing,
        settings=settings,
    )


def stop(name: str = "judge") -> bool:
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
