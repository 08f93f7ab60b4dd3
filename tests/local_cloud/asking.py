"""Questions to the gateway with any token, or with none."""

from __future__ import annotations

import uuid

import httpx

from local.demo import Stage

A_BATCH = f"/v1/batches/{uuid.uuid4()}"
"""The address of a batch that there is not."""


def ask(on: Stage, token: str | None = None, path: str = A_BATCH) -> httpx.Response:
    """What the gateway answers."""
    headers = {} if token is None else {"Authorization": token}
    return httpx.get(f"{on.outputs['ApiUrl']}{path}", headers=headers, timeout=35)
