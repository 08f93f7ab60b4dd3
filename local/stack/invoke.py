"""Runs one built function in a Lambda container: `python -m local.stack.invoke score_batch`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from local.stack import cloud as clouds
from local.stack import deploy
from local.stack.bridge import bridged
from local.stack.cloud import Cloud
from local.stack.processes import ROOT, LocalCloudError


def logical_id(function: str) -> str:
    """The template's name of a function's folder: score_batch is ScoreBatchFunction."""
    return "".join(part.capitalize() for part in function.split("_")) + "Function"


def event_file(function: str, given: str | None) -> Path:
    """The event to send: the one given, or the first of the function's in events/.

    Raises
    ------
    LocalCloudError
        If the function or the event does not exist; names what there is.
    """
    folders = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
    if function not in folders:
        raise LocalCloudError(f"there is no function {function!r}; there are {', '.join(folders)}")
    if given:
        if not Path(given).is_file():
            raise LocalCloudError(f"the event file {given} does not exist")
        return Path(given)
    cases = sorted((ROOT / "events" / function).glob("*.json"))
    if not cases:
        raise LocalCloudError(f"events/{function}/ has no event; name one with EVENT=<file>")
    return cases[0]


def main() -> None:
    """Build, then `sam local invoke`; on a running laptop cloud the function sees its tables."""
    given = sys.argv[2] if len(sys.argv) > 2 else None  # noqa: PLR2004 - function and event
    try:
        event = event_file(sys.argv[1], given)
        require_docker()
        deploy.build()
    except LocalCloudError as error:
        raise SystemExit(f"invoke: {error}") from error
    command = [deploy.SAM, "local", "invoke", logical_id(sys.argv[1]), "--event", str(event)]
    command += ["--parameter-overrides", f"Architecture={deploy.architecture()}"]
    if image_is_here():
        command.append("--skip-pull-image")
    running = clouds.status()
    if running is None:
        raise SystemExit(subprocess.run(command, cwd=ROOT, check=False).returncode)
    with bridged(running.url) as url:
        command += ["--env-vars", str(variables_file(running, url))]
        done = subprocess.run(command, cwd=ROOT, env=running.environment(), check=False)
    raise SystemExit(done.returncode)


def variables_file(cloud: Cloud, url: str) -> Path:
    """The deployed functions' variables for `sam local invoke`, which would invent them.

    `url` is where a container reaches the cloud.
    """
    functions = cloud.session().client("lambda", endpoint_url=cloud.url)
    variables = {
        "Parameters": {
            name: value
            for function in functions.list_functions()["Functions"]
            for name, value in function.get("Environment", {}).get("Variables", {}).items()
        }
        | {"LAPTOP_CLOUD_URL": url}
    }
    path = ROOT / ".local" / "invoke-variables.json"
    path.write_text(json.dumps(variables), encoding="utf-8")
    return path


def require_docker() -> None:
    """Check that a Docker engine answers.

    Raises
    ------
    LocalCloudError
        If none does.
    """
    asked = ["docker", "info"]
    if (
        shutil.which("docker") is None
        or subprocess.run(asked, capture_output=True, check=False).returncode
    ):
        raise LocalCloudError("sam local invoke needs a running Docker engine; none answers")


def image_is_here() -> bool:
    """Whether Docker holds the Lambda image already, so that nothing has to be fetched."""
    image = f"public.ecr.aws/lambda/python:3.13-{deploy.architecture()}"
    found = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False)
    return found.returncode == 0


if __name__ == "__main__":
    main()
