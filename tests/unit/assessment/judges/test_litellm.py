"""A LiteLLM proxy as an `openai` endpoint; it lives in an environment of its own.

CJ_LITELLM names its executable. `uv venv litellm` and `uv pip install --python litellm
'litellm[proxy]'` make `litellm/bin/litellm`. Its answers are its own mock responses: no provider
is called.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from assessment.domain.errors import JudgeRefusedError
from assessment.domain.judge import JudgeSpec
from local.processes import free_port
from tests.fakes.provider_server import ProviderServer, verdict
from tests.unit.assessment.judges.conftest import KEY, Asking

EXECUTABLE = os.environ.get("CJ_LITELLM", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not EXECUTABLE, reason="CJ_LITELLM does not name a LiteLLM executable"),
]
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("litellm")
    answers = {
        "mock-judge": json.dumps({"verdicts": [verdict("c1", "B"), verdict("c2", "tie")]}),
        "mock-talker": "I think that essay A is the better one.",
    }
    models = [
        {
            "model_name": name,
            "litellm_params": {"model": f"openai/{name}", "api_key": "none", "mock_response": text},
        }
        for name, text in answers.items()
    ]
    config = folder / "config.yaml"
    config.write_text(
        json.dumps({"model_list": models, "general_settings": {"master_key": KEY}}),
        encoding="utf-8",
    )
    port = free_port()
    environment = {"PATH": f"{Path(EXECUTABLE).parent}:{os.environ['PATH']}", "HOME": str(folder)}
    arguments = [EXECUTABLE, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            arguments, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            _await(f"http://127.0.0.1:{port}/health/liveliness", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)


def _await(url, process):
    patience = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < patience:
        assert process.poll() is None, "the proxy ended"
        try:
            if httpx.get(url, timeout=2).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail("the proxy did not come up")


def asking(proxy, model="mock-judge", key="key"):
    judge = JudgeSpec(
        provider="openai", model=model, base_url=f"{proxy}/v1", api_key_secret=key,
        timeout_seconds=30,
    )  # fmt: skip
    return Asking(ProviderServer("openai"), judge, "")


def test_verdicts_and_tokens_come_through_the_proxy(proxy):
    first, second = asking(proxy).ask(["c1", "c2"])
    assert (first.winner, second.winner) == ("B", "tie")
    assert first.token_usage.output_tokens > 0


def test_an_answer_in_words_is_malformed(proxy):
    (result,) = asking(proxy, "mock-talker").ask(["c1"])
    assert result.error_detail.code == "malformed_verdict"


def test_an_unknown_model_is_refused_in_the_proxys_words(proxy):
    with pytest.raises(JudgeRefusedError, match="no-such-model"):
        asking(proxy, "no-such-model").ask(["c1"])
