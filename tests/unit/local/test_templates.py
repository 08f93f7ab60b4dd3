"""Templates are read as MiniStack reads them."""

from __future__ import annotations

import importlib

import pytest

from local.stack.processes import ROOT

TEMPLATES = ("template.yaml", "samples/subscriber/template.yaml")
NOTATIONS = """
Dates: {Version: 2012-10-17, Plain: "2012-10-17"}
Values: [!Ref A, !Sub "${A}", !GetAtt A.B.C, !GetAtt [A, B], !If [C, 0o17, 0x1F]]
Test: !Not [!Condition C]
Words: [yes, on, null, ~, 1_000, 1e3, !Join ["", [a, b]], !Cidr [a, 1, 2], !FindInMap [A, B, C]]
"""


@pytest.mark.parametrize("text", [*((ROOT / name).read_text() for name in TEMPLATES), NOTATIONS])
def test_a_template_is_read_as_ministack_reads_it(text, monkeypatch):
    # Imported only here: all processes that look for tests would take .4 s for it.
    engine = importlib.import_module("ministack.services.cloudformation.engine")
    templates = importlib.import_module("local.stack.templates")
    expected = engine._parse_template(text)
    monkeypatch.setattr(engine, "CfnLoader", engine.CfnLoader)
    templates.install()
    assert engine.CfnLoader is templates.Loader
    read = engine._parse_template(text)
    assert read == expected
    assert repr(read) == repr(expected)
