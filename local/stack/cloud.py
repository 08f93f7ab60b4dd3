"""The laptop cloud: MiniStack on a loopback port, `python -m local.stack.cloud up|down|status`."""

from __future__ import annotations

import functools
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import boto3
import typer

from local.stack import processes
from local.stack.addresses import CLOUD_PORT_VARIABLE, REGION, cloud_port, judge_url
from local.stack.keep import KEPT, ONE_TRY, keep_batches
from local.stack.processes import LOOPBACK, LocalCloudError, Server
from runner.stack import Aws

HEALTH = "/_ministack/health"
# MiniStack takes any key pair for its root account; these open nothing elsewhere.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
# As many calls as an account of AWS has by default; how many run at the same time is less, see
# `lambda_workers`.
LAMBDA_CALLS = "1000"


@dataclass(frozen=True)
class Cloud:
    """A running laptop cloud."""

    server: Server

    @property
    def url(self) -> str:
        """The endpoint of every AWS service."""
        return self.server.url

    @property
    def enforces_iam(self) -> bool:
        """Whether policies are enforced."""
        return self.server.settings["AUTH"] == "true"

    @property
    def aws(self) -> Aws:
        """How `runner` reaches this cloud."""
        return Aws(self.url, REGION, dummy_credentials=True)

    def environment(self) -> dict[str, str]:
        """The environment in which AWS clients, the SAM CLI and `cj` talk to this cloud."""
        return client_environment(self.url)

    def session(self) -> boto3.Session:
        """A boto3 session of this cloud's account; clients need `endpoint_url=cloud.url` too."""
        return _make_session()


@functools.cache
def _make_session() -> boto3.Session:
    """The one session of this process: each would read the descriptions of services anew."""
    session = boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    # Two threads may not make the first client at the same time, nor may any change a session.
    session.client("sts")
    return session


def client_environment(url: str) -> dict[str, str]:
    """The current environment, pointed at a laptop cloud and away from any real account."""
    away = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN"}
    environment = {name: value for name, value in os.environ.items() if name not in away}
    return (
        environment
        | CREDENTIALS
        | {
            "AWS_ENDPOINT_URL": url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "SAM_CLI_TELEMETRY": "0",
            # SAM would look only every five seconds whether a stack is there.
            "SAM_CLI_POLL_DELAY": "0.2",
        }
    )


def start(
    *,
    port: int | None = None,
    auth: bool = False,
    name: str = "cloud",
    models: str | None = None,
) -> Cloud:
    """The running laptop cloud, started if need be; it begins empty and forgets all when stopped.

    Parameters
    ----------
    port
        Loopback port; None for CJ_PORT or 4566.
    auth
        Whether IAM policies are enforced.
    name
        Clouds of different names live side by side.
    models
        Base URL of the sample judge that answers for Bedrock; None for where it listens unless it
        is told otherwise. Conversations get a canned reply while no judge runs there.

    Raises
    ------
    LocalCloudError
        If the port is taken or MiniStack does not come up.
    """
    listening_port = cloud_port() if port is None else port
    judge = models or judge_url()
    settings = {
        "AUTH": "true" if auth else "false",
        # MiniStack hands conversations to the judge. Its jobs never run, so the functions, which
        # inherit this, ask the judge itself for those; bedrock-runtime is another service to boto3.
        "MINISTACK_BEDROCK_PROXY_URL": judge,
        "AWS_ENDPOINT_URL_BEDROCK": judge,
    }
    server = processes.find_server(name)
    if server:
        fits = server.port == listening_port and server.settings == settings
        if fits and processes.answers(server.url + HEALTH):
            return Cloud(server)
        stop(name)
    scratch = processes.folder(name) / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    return Cloud(
        processes.start(
            name,
            [sys.executable, "-m", "local.stack.ministack"],
            port=listening_port,
            variable=CLOUD_PORT_VARIABLE,
            health=HEALTH,
            environment=_make_environment(scratch, listening_port) | settings,
            settings=settings,
        )
    )


def _make_environment(scratch: Path, listening_port: int) -> dict[str, str]:
    """A clean environment: the Lambda workers inherit it.

    Nothing of the developer's shell may leak into the functions.
    """
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "STATE_DIR": str(scratch / "state"),
        "S3_DATA_DIR": str(scratch / "s3"),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(listening_port),
        "MINISTACK_REGION": REGION,
        "LAMBDA_ACCOUNT_CONCURRENCY": LAMBDA_CALLS,
        # Nobody asks for these services, whose start takes a second of the processor and which
        # would listen on fixed ports.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


def stop(name: str = "cloud") -> bool:
    """Stop a laptop cloud with all it started and forget its data; False if none was running."""
    return processes.forget(name)


def status(name: str = "cloud") -> Cloud | None:
    """The running laptop cloud of this name, if it runs and answers."""
    server = processes.find_server(name)
    return Cloud(server) if server and processes.answers(server.url + HEALTH) else None


def save_batches() -> list[str]:
    """Save what batches on the running laptop cloud have brought; the ids of the batches."""
    running = status()
    if running is None:
        return []
    s3 = running.session().client("s3", endpoint_url=running.url, config=ONE_TRY)
    return keep_batches(s3)


def describe_saved(batch_ids: list[str]) -> str:
    """Where the results of batches were saved."""
    folder = KEPT.relative_to(processes.ROOT)
    return f"the results of {len(batch_ids)} batches of the laptop cloud are in {folder}/"


app = typer.Typer(help="The laptop cloud.", no_args_is_help=True)


@app.command("up")
def up_command(
    auth: Annotated[bool, typer.Option("--auth", help="Enforce IAM policies.")] = False,  # noqa: FBT002 - a command-line flag
) -> None:
    """Start the laptop cloud on CJ_PORT."""
    try:
        cloud = start(auth=auth)
    except LocalCloudError as error:
        typer.echo(f"local cloud: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"laptop cloud at {cloud.url} (log: {cloud.server.log})")


@app.command("down")
def down_command() -> None:
    """Save what its batches have brought, and stop the laptop cloud."""
    if batch_ids := save_batches():
        typer.echo(describe_saved(batch_ids))
    typer.echo("laptop cloud stopped" if stop() else "laptop cloud was not running")


@app.command("status")
def status_command() -> None:
    """Say whether the laptop cloud runs; exit 1 if not."""
    cloud = status()
    if cloud is None:
        typer.echo("laptop cloud: not running")
        raise typer.Exit(1)
    typer.echo(f"laptop cloud: {cloud.url}, IAM {'enforced' if cloud.enforces_iam else 'open'}")


if __name__ == "__main__":
    app()
