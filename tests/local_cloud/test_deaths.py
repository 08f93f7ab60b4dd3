"""Workers that call the judge are killed in the middle of calls: nothing is lost or paid unseen."""

import threading

import httpx
import pytest

from local.judge.options import JudgeOptions
from tests.local_cloud.conftest import KEY_NAME
from tests.local_cloud.disturbances import SETTINGS
from tests.local_cloud.killing import Workers, kill
from tests.local_cloud.running import run_batch

pytestmark = pytest.mark.local_cloud

# Two die at a time, and again two while the first wave still has calls to make: each wave in which
# one dies lasts until its deadline.
KILLS, AT_ONCE = 4, 2
APART = 8
# A call lasts for .3 s at least.
LATENCY, PAUSE = 0.6, 0.05
# A killed worker's messages come back when their visibility ends, after the wave's deadline: the
# wave goes on without them, and the next one asks again. On a busy machine a deadline of half a
# minute ended waves whose calls were still under way, and those were asked twice too.
IMPATIENT = {
    **SETTINGS, "wave_timeout_seconds": 45, "retry_pool_threshold": 1, "max_attempts": 5,
    "min_success_rate_threshold": 0.1,
}  # fmt: skip


class CallKiller(threading.Thread):
    """Kills a worker of call_judge while calls are under way, a few times."""

    def __init__(self, cloud, url):
        super().__init__()
        self.workers = Workers(cloud)
        self.url = url
        self.over = threading.Event()
        self.killed = []

    def run(self):
        # A client for each look would take more of the processor than the calls do.
        with httpx.Client(base_url=self.url, timeout=10) as judge:
            self._kill_in_mid_call(judge)

    def _kill_in_mid_call(self, judge):
        before = at_last = 0
        while len(self.killed) < KILLS and not self.over.wait(PAUSE):
            stats = judge.get("/stats").json()
            calls = stats["totals"].get("calls", 0)
            # A call lasts for half the latency at least: those that have just begun are under way.
            begun, before = calls - before, calls
            if not begun or calls < at_last + APART:
                continue
            for pid in self.workers.find("call-judge")[:AT_ONCE]:
                kill(pid)
                self.killed.append(pid)
                at_last = calls


@pytest.fixture(scope="module")
def outcome(stage, sample):
    with stage(JudgeOptions(latency=LATENCY)) as (set_up, server):
        judge = {
            "provider": "openai", "model": "people", "base_url": f"{server.url}/v1",
            "api_key_secret": KEY_NAME, "batching_mode": "per_request", "timeout_seconds": 20,
        }  # fmt: skip
        killer = CallKiller(set_up.cloud, server.url)
        killer.start()
        try:
            with set_up.client() as client:
                document = run_batch(set_up, client, sample, config=IMPATIENT, judge=judge)
        finally:
            killer.over.set()
            killer.join()
        stats = httpx.get(f"{server.url}/stats", timeout=10).json()
        yield document, stats, killer.killed


def test_workers_died_in_mid_call(outcome):
    assert 2 <= len(outcome[2]) <= KILLS


def test_nothing_is_lost(outcome):
    document = outcome[0]
    assert document["status"] == "COMPLETED"
    counts = document["comparisons"]
    assert counts["planned"] == counts["recorded"]
    assert counts["failed"] == counts["pending"] == 0


def test_what_was_asked_twice_is_only_what_was_in_flight_and_is_counted(outcome):
    document, stats, killed = outcome
    twice = {name: n for name, n in stats["requests"].items() if n > 1}
    # Ten messages are asked about side by side in each worker that died.
    assert len(twice) <= 10 * len(killed)
    assert max(twice.values(), default=1) <= 1 + len(killed)
    assert sum(n - 1 for n in twice.values()) <= document["repeated_calls"]
