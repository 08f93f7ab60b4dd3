"""The pictures of the README show what is there."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest

from tests.unit.runner import documents

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def pictures() -> ModuleType:
    specification = importlib.util.spec_from_file_location("pictures", DOCS / "make_pictures.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def words(svg: str) -> list[str]:
    root = ET.fromstring(svg)  # noqa: S314 - our own text
    return [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text")]


def test_the_picture_of_the_state_machine_is_that_of_its_definition(pictures: ModuleType):
    """If this fails: python docs/make_pictures.py."""
    definition = json.loads(pictures.DEFINITION.read_text(encoding="utf-8"))
    drawn = pictures.draw_state_machine(definition)
    assert pictures.STATE_MACHINE.read_text(encoding="utf-8") == drawn
    assert sorted(words(drawn)) == sorted(definition["States"])


def test_no_two_states_lie_upon_each_other(pictures: ModuleType):
    drawn = pictures.draw_state_machine(json.loads(pictures.DEFINITION.read_text()))
    boxes = [
        (float(x), float(y)) for x, y in re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width', drawn)
    ]
    assert len(boxes) == len(set(boxes)) == len(words(drawn))
    for index, (x, y) in enumerate(boxes):
        for other_x, other_y in boxes[:index]:
            assert y != other_y or abs(x - other_x) >= 170


def test_a_result_is_drawn_with_every_essay_and_grade(pictures: ModuleType):
    drawn = pictures.draw_result(documents.result())
    assert {"ada", "ben", "one", "two", "anchor, =B", "anchor, C"} <= set(words(drawn))
    # The grades in the order of the scale, whatever the order of the JSON object.
    titles = re.findall(r"<title>(\S+) ", drawn)
    assert titles == ["C", "=B", "A"] * 2


def test_the_bars_are_the_published_intervals(pictures: ModuleType):
    """Which reach further out than in, so no multiple of a standard error draws them."""
    document = documents.result()
    for ranking in document["rankings"]:
        ability = ranking["bradley_terry_score"]
        ranking["bradley_terry_interval"] = [ability - 1.0, ability + 2.0]
    drawn = pictures.draw_result(document)
    bars = re.findall(r'<path d="M([\d.]+) \d+H([\d.]+)"', drawn)
    middles = re.findall(r'<circle cx="([\d.]+)"', drawn)
    assert len(bars) == len(middles) == len(document["rankings"])
    for (left, right), middle in zip(bars, middles, strict=True):
        below, above = float(middle) - float(left), float(right) - float(middle)
        assert above == pytest.approx(2 * below, abs=0.3)


def test_names_cannot_break_the_picture(pictures: ModuleType):
    document = documents.result()
    document["rankings"][0]["essay_id"] = "<script>&"
    assert "<script>&" in words(pictures.draw_result(document))
