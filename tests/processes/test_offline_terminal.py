"""A terminal: a folder of mixed formats, interrupted, killed, and watched to its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assessment.contracts.result import ResultDocument
from tests.unit.runner.counting_judge import CountingJudge, serving_judge
from tests.unit.runner.office_files import opendocument, pack, pdf, word

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CJ = Path(sys.executable).with_name("cj")
N_CALLS = 2
INTERRUPTED = 130


@pytest.fixture
def essays(tmp_path: Path) -> Path:
    """Six essays in six formats, one of them in a folder and one in an archive."""
    folder = tmp_path / "essays"
    (folder / "group").mkdir(parents=True)

    def text(n: int) -> str:
        return f"Essay {n} says that the tide rises because the moon pulls at the sea. " * (2 * n)

    (folder / "e1.txt").write_text(text(1))
    (folder / "e2.docx").write_bytes(word(text(2)))
    (folder / "e3.odt").write_bytes(opendocument(f"<text:p>{text(3)}</text:p>"))
    (folder / "e4.pdf").write_bytes(pdf(text(4)))
    (folder / "group" / "e5.rtf").write_text(r"{\rtf1\ansi " + text(5) + "}")
    (folder / "more.zip").write_bytes(pack({"e6.md": text(6)}))
    return folder


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A command in a process of its own, below the folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CJ_")}
    return subprocess.Popen(
        [CJ, *arguments, "--offline", "--concurrency", str(N_CALLS)],
        cwd=folder,
        env={**environment, "COLUMNS": "140"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,  # noqa: PLW1509 - no thread of this process holds a lock of it
    )


def heed_interrupts() -> None:
    """A shell starts what runs in the background deaf to interrupts, and so would be all below."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def await_questions(judge: CountingJudge, count: int) -> None:
    """Wait until the judge was asked so often."""
    for _ in range(count):
        assert judge.was_asked.acquire(timeout=120)


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """What the process says on its error stream, up to the line with these words."""
    assert process.stderr is not None
    told = ""
    for line in process.stderr:
        told += line
        if words in line:
            return told
    pytest.fail(f"it ended without saying {words!r}: {told}")


def test_a_batch_survives_interruptions_and_deaths_and_is_paid_once(essays: Path) -> None:
    folder = essays.parent
    # Held, the judge lets no process come further than the test has it.
    with serving_judge(is_held=True) as judge:
        first = start(
            folder, "execute", "essays", "--config", "max_waves=3",
            "--judge", f"callback_endpoint,base_url={judge.url}",
        )  # fmt: skip
        judge.permits.release(2)
        await_questions(judge, 2 + N_CALLS)
        first.send_signal(signal.SIGINT)
        told = read_until(first, "calls that are under way and paid for")
        judge.permits.release(N_CALLS)
        _, rest = first.communicate(timeout=120)
        assert first.returncode == INTERRUPTED, told + rest
        assert "cj watch" in told + rest
        # What an interruption leaves was answered and recorded: nothing was asked twice.
        assert set(judge.keys.values()) == {1}
        for n_answers in (2, 1):
            doomed = start(folder, "watch")
            judge.permits.release(n_answers)
            await_questions(judge, n_answers + N_CALLS)
            doomed.kill()
            doomed.communicate(timeout=120)
            assert doomed.returncode == -signal.SIGKILL
            judge.permits.release(N_CALLS)  # for nobody any more
        judge.permits.release(1000)
        last = start(folder, "watch", "-o", "result.json")
        table, told = last.communicate(timeout=120)
        assert last.returncode == 0, told
        n_repeated = sum(judge.keys.values()) - len(judge.keys)
    document = ResultDocument.model_validate_json((folder / "result.json").read_bytes())
    # The longest essay won every comparison, whatever format it came in.
    assert document.rankings[0].essay_id == "e6"
    assert "e6" in table
    assert document.n_students == 6
    # An endpoint that honours the request's key is paid once for each: only the calls in flight
    # when a process was killed were asked again.
    assert len(judge.keys) == document.comparisons.recorded
    assert n_repeated <= 2 * N_CALLS
    assert document.repeated_calls <= 2 * N_CALLS
    shown = subprocess.run(
        [CJ, "report", "result.json"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    assert "e6" in (folder / "report.html").read_text()
    statuses = subprocess.run(
        [CJ, "list", "--offline", "--json"], cwd=folder, capture_output=True, text=True, check=True
    )
    (batch,) = json.loads(statuses.stdout)["batches"]
    assert batch["status"] == "COMPLETED"
