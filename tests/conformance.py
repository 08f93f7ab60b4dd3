"""Schemathesis on the API: thousands of requests made of its own document, right and wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
_COMMAND = Path(sys.executable).parent / "st"
_RULES = Path(__file__).with_name("schemathesis.toml")


def try_api(url: str, token: str, *options: str, place: Path) -> int:
    """How many cases the API was asked; all its answers were as the document says.

    What the command writes goes to the folder `place`.
    """
    document = ROOT / "schemas" / "openapi.json"
    command = [str(_COMMAND), "--config-file", str(_RULES), "run", str(document), "--url", url]
    command += ["--header", f"Authorization: Bearer {token}", "--seed", "1", *options]
    done = subprocess.run(
        command,
        cwd=place,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    failures = done.stdout.partition("= ERRORS =")[2] or done.stdout.partition("= FAILURES =")[2]
    assert done.returncode == 0, failures or done.stdout + done.stderr
    counted = re.search(r"(\d[\d,]*) generated", done.stdout)
    assert counted is not None, done.stdout
    return int(counted[1].replace(",", ""))
