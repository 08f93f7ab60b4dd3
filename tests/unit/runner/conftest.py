"""A stack behind real HTTP for every test that asks for one, and a folder of essays."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.pauses import short_pauses
from tests.unit.runner import documents
from tests.unit.runner.api_server import FakeStack, serving

__all__ = ["short_pauses"]


@pytest.fixture(scope="session")
def served() -> Iterator[FakeStack]:
    with serving(FakeStack()) as running:
        yield running


@pytest.fixture
def stack(served: FakeStack, monkeypatch: pytest.MonkeyPatch) -> FakeStack:
    """A stack whose batch goes through its whole life, and a token for it in the environment."""
    served.reset()
    served.script = documents.life_of_a_batch()
    served.result = documents.result()
    monkeypatch.setenv("CJ_TOKEN", served.token())
    return served


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two essays, with two anchors in a folder beside them."""
    essays = tmp_path / "unit essays"
    essays.mkdir()
    (essays / "ada.txt").write_text("Ada writes about tides.\n")
    (essays / "ben.md").write_text("Ben writes about bees.\n")
    (tmp_path / "good.txt").write_text("A good anchor.")
    (tmp_path / "anchors.csv").write_text(
        'anchor_ref,file,text,grade\none,good.txt,,B\ntwo,,"A plain anchor, in the file.",C\n'
    )
    return essays
