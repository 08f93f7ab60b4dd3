"""Runs one built function in a Lambda container: `python -m local.stack.invoke score_batch`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local.stack import cloud as clouds
from local.stack import deploy
from local.stack.bridge import open_bridge
from local.stack.cloud import Cloud
from local.stack.processes import ROOT, LocalCloudError


def logical_id(function: str) -> str:
    """The template's name of a function's folder: score_batch is ScoreBatchFunction."""
    return "".join(part.capitalize() for part in function.split("_")) + "Function"


def find_event(function: str, path: str | None) -> Path:
    """The event file to send: `path`, or the function's first file in events/.

    Raises
    ------
    LocalCloudError
        If the function or the event does not exist; the message names what exists.
    """
    folders = sorted(file.parent.name for file in (ROOT / "functions").glob("*/app.py"))
    if function not in folders:
        raise LocalCloudError(f"there is no function {function!r}; there are {', '.join(folders)}")
    if path:
        if not Path(path).is_file():
            raise LocalCloudError(f"the event file {path} does not exist")
        return Path(path)
    cases = sorted((ROOT / "events" / function).glob("*.json"))
    if not cases:
        raise LocalCloudError(f"events/{function}/ has no event; name one with EVENT=<file>")
    return cases[0]


def main() -> None:
    """Build, then `sam local invoke`; on a running laptop cloud the function sees its tables."""
    path = sys.argv[2] if len(sys.argv) > 2 else None  # noqa: PLR2004 - function and event
    try:
        event = find_event(sys.argv[1], path)
        require_docker()
        deploy.build()
    except LocalCloudError as error:
        raise SystemExit(f"invoke: {error}") from error
    command = make_command(sys.argv[1], event)
    cloud = clouds.status()
    if cloud is None:
        raise SystemExit(subprocess.run(command, cwd=ROOT, check=False).returncode)
    with open_bridge(cloud.url) as url:
        variables = read_variables(cloud) | {"LAPTOP_CLOUD_URL": url}
        command += ["--env-vars", str(write_variables(variables))]
        process = subprocess.run(command, cwd=ROOT, env=cloud.environment(), check=False)
    raise SystemExit(process.returncode)


def make_command(function: str, event: Path) -> list[str]:
    """`sam local invoke` of a built function with an event file."""
    command = [deploy.SAM, "local", "invoke", logical_id(function), "--event", str(event)]
    command += ["--parameter-overrides", f"Architecture={deploy.architecture()}"]
    return [*command, "--skip-pull-image"] if has_image() else command


def read_variables(cloud: Cloud) -> dict[str, str]:
    """The environment variables of the deployed functions."""
    functions = cloud.session().client("lambda", endpoint_url=cloud.url)
    return {
        name: value
        for function in functions.list_functions()["Functions"]
        for name, value in function.get("Environment", {}).get("Variables", {}).items()
    }


def write_variables(variables: Mapping[str, str]) -> Path:
    """Write a function's variables to a file for `sam local invoke`, which has others of its own.

    LAPTOP_CLOUD_URL in them is the address under which a container reaches the cloud.
    """
    path = ROOT / ".local" / "invoke-variables.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"Parameters": dict(variables)}), encoding="utf-8")
    return path


def require_docker() -> None:
    """Check that a Docker engine answers.

    Raises
    ------
    LocalCloudError
        If none does.
    """
    command = ["docker", "info"]
    if (
        shutil.which("docker") is None
        or subprocess.run(command, capture_output=True, check=False).returncode
    ):
        raise LocalCloudError("sam local invoke needs a running Docker engine; none answers")


def has_image() -> bool:
    """Whether Docker has the Lambda image already, so that nothing has to be downloaded."""
    image = f"public.ecr.aws/lambda/python:3.13-{deploy.architecture()}"
    command = ["docker", "image", "inspect", image]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main()
