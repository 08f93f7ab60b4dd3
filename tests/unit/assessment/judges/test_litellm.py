"""A LiteLLM proxy as an `openai` endpoint; `make litellm` gives it an environment of its own.

Its answers and errors are mock responses (docs.litellm.ai/docs/completion/mock_requests): no
provider is called. CJ_LITELLM names another executable than that of `make litellm`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from assessment.domain.judge import JudgeSpec, Provider
from assessment.domain.judge_errors import (
    ContentRefusedError,
    JudgeRefusedError,
    JudgeUnavailableError,
    OversizeError,
)
from local.providers.scripted_server import ProviderServer, verdict
from local.stack.processes import LOOPBACK, free_port
from tests.unit.assessment.judges.conftest import KEY, Asking

EXECUTABLE = Path(os.environ.get("CJ_LITELLM") or Path(sys.prefix, "litellm/bin/litellm"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not EXECUTABLE.exists(), reason="no LiteLLM proxy; `make litellm` makes it"),
]
PATIENCE_SECONDS = 120
BUNDLE = [f"c{n}" for n in range(10)]
WINNERS = ["A", "B", "tie", "B", "A", "A", "tie", "B", "B", "A"]
ANSWERS = {
    "mock-judge": json.dumps({"verdicts": list(map(verdict, BUNDLE, WINNERS))}),
    "mock-forgetful": json.dumps({"verdicts": [verdict("c1"), verdict("c3", "perhaps")]}),
    "mock-talker": "I think that essay A is the better one.",
    "mock-busy": "litellm.RateLimitError",
    "mock-broken": "litellm.InternalServerError",
    "mock-small": "litellm.ContextWindowExceededError",
    "mock-prudish": "Exception: content_filter_policy",
}
# What LiteLLM would fetch by itself it takes from its own package, and it reports to nobody
# (docs.litellm.ai/docs/proxy/config_settings).
ALONE = {
    "LITELLM_OFFLINE_MODE": "true",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY_DISABLED": "true",
}


@dataclass(frozen=True)
class Proxy:
    """A running proxy, and the one way out that it is given: a port where nobody answers."""

    url: str
    way_out: socket.socket


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("litellm")
    models = [
        {
            "model_name": name,
            "litellm_params": {"model": f"openai/{name}", "api_key": "none", "mock_response": text},
        }
        for name, text in ANSWERS.items()
    ]
    settings = {
        "model_list": models,
        "router_settings": {"num_retries": 0},
        "general_settings": {"master_key": KEY},
    }
    config = folder / "config.yaml"
    config.write_text(json.dumps(settings), encoding="utf-8")
    port = free_port()
    arguments = [EXECUTABLE, "--config", config, "--host", LOOPBACK, "--port", str(port)]
    with socket.create_server((LOOPBACK, 0)) as way_out, (folder / "log").open("w") as log:
        outside = f"http://{LOOPBACK}:{way_out.getsockname()[1]}"
        environment = {
            "PATH": f"{EXECUTABLE.parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "HTTP_PROXY": outside,
            "HTTPS_PROXY": outside,
            **ALONE,
        }
        process = subprocess.Popen(
            arguments, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            _await(f"http://{LOOPBACK}:{port}/health/liveliness", process)
            yield Proxy(f"http://{LOOPBACK}:{port}", way_out)
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


def asking(proxy, model="mock-judge", *, named="key", key=KEY):
    judge = JudgeSpec(
        provider=Provider.OPENAI, model=model, base_url=f"{proxy.url}/v1", api_key_secret=named,
        timeout_seconds=30,
    )  # fmt: skip
    return Asking(ProviderServer("openai"), judge, "", key)


def test_a_bundles_verdicts_and_tokens_come_through_the_proxy(proxy):
    results = asking(proxy).ask(BUNDLE)
    assert [result.request_metadata.comparison_id for result in results] == BUNDLE
    assert [result.winner for result in results] == WINNERS
    # The proxy's mock responses claim 10 and 20 tokens, whatever was asked.
    assert sum(result.token_usage.input_tokens for result in results) == 10
    assert sum(result.token_usage.output_tokens for result in results) == 20


def test_what_a_bundles_answer_leaves_out_fails_alone(proxy):
    results = asking(proxy, "mock-forgetful").ask(["c1", "c2", "c3"])
    assert [result.winner for result in results] == ["A", None, None]
    codes = [result.error_detail.code for result in results[1:]]
    assert codes == ["malformed_verdict", "malformed_verdict"]


def test_an_answer_in_words_is_malformed(proxy):
    (result,) = asking(proxy, "mock-talker").ask(["c1"])
    assert result.error_detail.code == "malformed_verdict"


def test_an_unknown_model_is_refused_in_the_proxys_words(proxy):
    with pytest.raises(JudgeRefusedError, match=r"400.*Invalid model name.*no-such-model"):
        asking(proxy, "no-such-model").ask(["c1"])


def test_a_missing_key_is_refused_in_the_proxys_words(proxy):
    with pytest.raises(JudgeRefusedError, match=r"401.*Authentication Error, No api key passed in"):
        asking(proxy, named=None).ask(["c1"])


def test_a_wrong_key_is_refused_in_the_proxys_words(proxy):
    # Without a database of keys the proxy knows its master key alone, and says 400, not 401.
    wrong = "sk-wrong-9876543210"
    with pytest.raises(JudgeRefusedError, match=r"400.*No connected db") as caught:
        asking(proxy, key=wrong).ask(["c1"])
    assert wrong not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "refusal"),
    [("mock-small", OversizeError), ("mock-prudish", ContentRefusedError)],
    ids=["too long", "not permitted"],
)
def test_a_bundle_that_is_refused_for_its_essays_is_told_apart(proxy, model, refusal):
    with pytest.raises(refusal, match=r"litellm\."):
        asking(proxy, model).ask(["c1", "c2"])


@pytest.mark.parametrize(("model", "busy"), [("mock-busy", True), ("mock-broken", False)])
def test_what_may_pass_is_asked_again_later(proxy, model, busy):
    with pytest.raises(JudgeUnavailableError, match="this is a mock") as caught:
        asking(proxy, model).ask(["c1"])
    assert caught.value.busy is busy


def test_the_proxy_reaches_for_nobody_else(proxy):
    asking(proxy).ask(["c0"])
    proxy.way_out.setblocking(False)
    with pytest.raises(BlockingIOError):
        proxy.way_out.accept()
