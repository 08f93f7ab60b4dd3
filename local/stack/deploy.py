"""Builds template.yaml and deploys it to a laptop cloud: `python -m local.stack.deploy`."""

from __future__ import annotations

import fcntl
import hashlib
import json
import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from local.stack import cloud as clouds
from local.stack import processes
from local.stack.addresses import judge_url
from local.stack.bytecode import import_all, list_compiled
from local.stack.gateway import put_gateway_responses
from local.stack.processes import ROOT, LocalCloudError
from runner.stack import reachable_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from local.stack.cloud import Cloud

STACK = "cj-local"
SAM = str(Path(sys.executable).parent / "sam")
SOURCES = ("template.yaml", "samconfig.toml", "statemachine", "functions", "layers")
BUILT = Path(".aws-sam", "build")
PACKED = BUILT / "packed.yaml"
"""The built template whose layers are archives."""
_LAYER = re.compile(r"(?<=ContentUri: )\w+")
_LEAST_EFFORT = 1
NOT_SOURCE = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


class BuildFailedError(LocalCloudError):
    """`sam build` or `sam deploy` failed; carries the end of what it printed."""


def architecture() -> str:
    """The processor of this machine, as Lambda names it: the layers' wheels must fit it."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


def source_digest() -> str:
    """A digest of everything that a build reads."""
    digest = hashlib.sha256(architecture().encode())
    for name in SOURCES:
        start = ROOT / name
        files = [start] if start.is_file() else sorted(start.rglob("*"))
        for file in files:
            if file.is_file() and not NOT_SOURCE.intersection(file.parts):
                digest.update(f"\0{file.relative_to(ROOT)}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()


def build() -> str:
    """Build the stack into .aws-sam unless it is built already; gives the digest of its sources.

    Raises
    ------
    BuildFailedError
        If `sam build` fails.
    """
    if platform.system() != "Linux":
        # sam build fetches Linux wheels, as Lambda needs; MiniStack would run them on this system.
        raise LocalCloudError(
            "the laptop cloud runs the built layers on this machine, and they hold Linux wheels: "
            "run it in a Linux container or virtual machine"
        )
    with _build_folder():
        return _build()


def _build() -> str:
    digest = source_digest()
    stamp = ROOT / ".aws-sam" / "packed.sha256"
    if stamp.exists() and stamp.read_text() == digest:
        return digest
    stamp.unlink(missing_ok=True)
    _sam(
        "build",
        "--cached",
        "--parallel",
        *_overrides({}),
        environment=clouds.client_environment(""),
    )
    pack_layers()
    stamp.write_text(digest)
    return digest


def pack_layers() -> None:
    """Pack the built layers, with the bytecode of what the functions import of them.

    `sam deploy` packs folders anew each time, 200 MB with much effort.
    """
    template = (ROOT / BUILT / "template.yaml").read_text()
    layers = [ROOT / BUILT / name for name in _LAYER.findall(template)]
    functions = [file.parent for file in sorted((ROOT / BUILT).glob("*/app.py"))]
    with tempfile.TemporaryDirectory() as scratch:
        import_all(layers, functions, Path(scratch))
        for folder in layers:
            with zipfile.ZipFile(
                folder.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED, compresslevel=_LEAST_EFFORT
            ) as archive:
                for file in sorted(folder.rglob("*")):
                    if file.is_file():
                        archive.write(file, file.relative_to(folder))
                for place, content in list_compiled(folder, Path(scratch)):
                    archive.writestr(place, content)
    (ROOT / PACKED).write_text(_LAYER.sub(lambda match: f"{match[0]}.zip", template))


def deploy(cloud: Cloud, parameters: Mapping[str, str]) -> dict[str, str]:
    """Deploy the built stack to the cloud unless this very build with these parameters is there.

    Returns
    -------
    dict
        The stack's outputs; ApiUrl is the address on this machine.

    Raises
    ------
    BuildFailedError
        If `sam deploy` fails.
    """
    build()
    with _build_folder():
        _deploy(cloud, parameters)
    return outputs(cloud)


def _deploy(cloud: Cloud, parameters: Mapping[str, str]) -> None:
    deployment = {"digest": _build(), "parameters": dict(parameters), "pid": cloud.server.pid}
    record = processes.folder(cloud.server.name) / "stack.json"
    if not record.exists() or json.loads(record.read_text()) != deployment:
        record.unlink(missing_ok=True)
        _sam(
            "deploy",
            "--template-file",
            str(PACKED),
            "--config-file",
            str(ROOT / "samconfig.toml"),
            "--config-env",
            "local",
            "--no-progressbar",
            *_overrides(parameters),
            environment=cloud.environment(),
        )
        put_gateway_responses(cloud.session(), f"{STACK}-api", endpoint_url=cloud.url)
        record.write_text(json.dumps(deployment))


@contextmanager
def _build_folder() -> Iterator[None]:
    """Have .aws-sam alone: a demo and a test may build at the same time, and there is only one."""
    processes.STATE.mkdir(exist_ok=True)
    with (processes.STATE / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def demo_parameters(judge_port: int | None = None) -> dict[str, str]:
    """Stack parameters with which the sample judge answers and a subscriber queue shows events."""
    return {
        "JudgeEndpointUrl": judge_url(judge_port),
        "DemoSubscriber": "true",
        "WebhookLoopback": "true",
        # More workers would only wait for this machine's processor, and each takes it to start.
        "JudgeMaximumConcurrency": "5",
    }


def outputs(cloud: Cloud) -> dict[str, str]:
    """The deployed stack's outputs; ApiUrl is the address on this machine."""
    cloudformation = cloud.session().client("cloudformation", endpoint_url=cloud.url)
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    values = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return values | {"ApiUrl": reachable_url(values["ApiUrl"], cloud.aws)}


def _overrides(parameters: Mapping[str, str]) -> list[str]:
    overrides = {"Architecture": architecture()} | dict(parameters)
    return ["--parameter-overrides", *(f"{name}={value}" for name, value in overrides.items())]


def _sam(verb: str, *arguments: str, environment: Mapping[str, str]) -> None:
    """Run the SAM CLI in a group of its own, so that an interruption ends its children too."""
    log = processes.STATE / f"sam-{verb}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    bin_folder = str(Path(sys.executable).parent)
    with log.open("w") as printed:
        process = subprocess.Popen(
            [SAM, verb, *arguments],
            cwd=ROOT,
            env=dict(environment) | {"PATH": f"{bin_folder}:{environment['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait()
        except BaseException:
            processes.stop_group(process.pid)
            process.wait()
            raise
    if code:
        end = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise BuildFailedError(f"sam {verb} failed (whole log: {log.relative_to(ROOT)}):\n{end}")


def main(arguments: Sequence[str] = ()) -> None:
    """`build` builds; `deploy` starts the laptop cloud and deploys to it, printing the outputs."""
    verb = (list(arguments) or sys.argv[1:] or ["deploy"])[0]
    try:
        if verb == "build":
            build()
            return
        for name, value in deploy(clouds.start(), demo_parameters()).items():
            typer.echo(f"{name} = {value}")
    except LocalCloudError as error:
        typer.echo(f"local stack: {error}", err=True)
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
