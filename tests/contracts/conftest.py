from __future__ import annotations

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def schema():
    def read(path):
        return json.loads((ROOT / "schemas" / path).read_text())

    return read
