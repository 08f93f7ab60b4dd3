"""Judges on the command line: in words, as JSON, in files, and what is wrong with them."""

import json
from pathlib import Path

import pytest

from runner.errors import BadInputError
from runner.judges import parse_judges


def complaint(*given: str) -> str:
    with pytest.raises(BadInputError) as refused:
        parse_judges(given)
    return str(refused.value)


def test_a_provider_and_a_model_are_enough():
    assert parse_judges(["openai/gpt-4.1-mini"]) == [
        {"provider": "openai", "model": "gpt-4.1-mini"}
    ]
    assert parse_judges(["person"]) == [{"provider": "person"}]
    assert parse_judges([]) == []


def test_a_model_may_have_slashes_and_colons_of_its_own():
    (judge,) = parse_judges(["openai/meta/llama-3.1:8b,base_url=http://127.0.0.1:11434/v1"])
    assert judge["model"] == "meta/llama-3.1:8b"
    assert judge["base_url"] == "http://127.0.0.1:11434/v1"


def test_settings_have_the_type_that_they_are_written_in():
    (judge,) = parse_judges(["anthropic/claude-haiku-4-5, temperature=0.5 ,bundle_size=3,name=a b"])
    assert (judge["temperature"], judge["bundle_size"], judge["name"]) == (0.5, 3, "a b")


def test_several_are_a_jury_from_words_json_and_files(tmp_path: Path):
    file = tmp_path / "jury.json"
    file.write_text(json.dumps([{"provider": "person"}]))
    jury = parse_judges(["openai/m,name=one", '{"provider": "bedrock", "model": "n"}', str(file)])
    assert [judge["provider"] for judge in jury] == ["openai", "bedrock", "person"]


def test_commas_within_json_do_not_end_a_setting():
    (judge,) = parse_judges(['openai/m,price={"input_usd": 1, "output_usd": 2},name=a'])
    assert judge["price"] == {"input_usd": 1, "output_usd": 2}
    assert judge["name"] == "a"


def test_a_template_comes_from_a_file(tmp_path: Path):
    template = tmp_path / "mine.jinja"
    template.write_text("{% block system %}x{% endblock %}")
    (judge,) = parse_judges([f"openai/m,template_source=@{template}"])
    assert judge["template_source"] == "{% block system %}x{% endblock %}"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["opanai/gpt"], "did you mean openai?"),
        (["openai"], "--judge: name the model"),
        (["openai/m,temprature=1"], "no setting temprature"),
        (["openai/m,temperature"], "name=value"),
        (["openai/m,temperature=9"], "--judge.temperature"),
        (["openai/m,base_url=http://llm.example.org"], "--judge.base_url: use https"),
        (["person,batching_mode=provider_batch_api"], "--judge.batching_mode"),
        (["{not json"], "is not JSON"),
        (["[" * 100_000], "is not JSON"),
        (["[1]"], "write an object"),
        (["openai/m", "openai/m"], "`name` of its own"),
        (["openai/m,name=a", "openai/m,name=b,bundle_size=99"], "--judge[1].bundle_size"),
        (["nowhere.json"], "nowhere.json"),
    ],
)
def test_what_is_wrong_is_told_by_its_place(given: list[str], told: str):
    assert told in complaint(*given)


def test_all_that_is_wrong_is_told_at_once():
    told = complaint("opanai/m", "openai/m,x=1")
    assert "no provider" in told
    assert "no setting x" in told
