"""Answers as models really give them: the winner never changes, however they are wrapped."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessment.contracts.json_text import split_json_lines
from assessment.contracts.model_answer import ModelVerdict, read_answer
from local.providers.replies import Reply
from local.providers.scripted_server import make_reply, provider_server
from tests.examples import scale_examples
from tests.unit.assessment.judges.conftest import make_asking
from tests.unit.assessment.judges.reported_replies import stream

IDS = ("w001-00001", "w001-00002")
WINNERS = st.sampled_from(["A", "B", "tie"])
PROSE = st.text(st.characters(codec="utf-8", exclude_characters='{}[]"<>\\'), max_size=60)
BRACES = st.sampled_from([
    "", 'I shall answer {"verdicts": [...]}.', "{", "}}", "{{x}}", "[1, 2", "{'winner': 'A'}",
    "\u2028 {not json}",
])  # fmt: skip
JUSTIFICATIONS = st.one_of(
    PROSE, st.sampled_from(["It says </think> {x}", "a, ]b, }", "\x00", "\ud83d", "line\nbreak"])
)


def make_document(winners: tuple[str, str], justification: object, confidence: object) -> Any:
    return {
        "verdicts": [
            {"comparison_id": name, "winner": winner, "degree": "clear",
             "confidence": confidence, "justification": justification}
            for name, winner in zip(IDS, winners, strict=True)
        ]
    }  # fmt: skip


def wrap_object(document: Any, wrapper: str) -> Any:
    entries = document["verdicts"]
    return {
        "plain": document,
        "list as text": {"verdicts": json.dumps(entries)},
        "parameters": {"parameters": document},
        "arguments as text": {"name": "record_verdicts", "arguments": json.dumps(document)},
        "bare list": entries,
        "by id": {"verdicts": {each["comparison_id"]: {
            name: value for name, value in each.items() if name != "comparison_id"}
            for each in entries}},
        "text in text": json.dumps(json.dumps(document)),
        "twice the same": [document, document],
    }[wrapper]  # fmt: skip


OBJECTS = st.sampled_from([
    "plain", "list as text", "parameters", "arguments as text", "bare list", "by id",
    "text in text", "twice the same",
])  # fmt: skip


@st.composite
def mangled(draw: st.DrawFn) -> tuple[tuple[str, str], object]:
    """Two winners, and an answer that gives them."""
    winners = draw(st.tuples(WINNERS, WINNERS))
    confidence = draw(st.sampled_from([4, "4", 4.0, 9, "high", None, float("nan"), 1e400, [3]]))
    document = make_document(winners, draw(JUSTIFICATIONS), confidence)
    wrapped = wrap_object(document, draw(OBJECTS))
    if draw(st.booleans()):
        return winners, wrapped
    text = json.dumps(wrapped) if not isinstance(wrapped, str) else wrapped
    if isinstance(wrapped, dict) and draw(st.booleans()):
        text = re.sub(r"\]\}$", ",]}", text)
    if isinstance(wrapped, dict):
        fence = draw(st.sampled_from(["{}", "```json\n{}\n```", "```\n{}\n```"]))
        text = draw(PROSE) + fence.replace("{}", text) + draw(PROSE) + draw(BRACES)
    thought = draw(PROSE) + draw(BRACES)
    head = draw(st.sampled_from([
        "", "<think>{}</think>\n", "<thinking>{}</thinking>", "{}</think>", "<think>{}",
        "[THINK]{}[/THINK]",
    ]))  # fmt: skip
    if not isinstance(wrapped, dict) and not head.endswith((">", "]", "\n")):
        head = ""
    return winners, head.replace("{}", thought) + text


@settings(max_examples=scale_examples(400))
@given(mangled())
def test_the_winner_never_changes(case: tuple[tuple[str, str], object]) -> None:
    winners, answer = case
    for name, winner in zip(IDS, winners, strict=True):
        verdict = read_answer([answer], IDS)[name]
        if isinstance(verdict, ModelVerdict):
            assert verdict.winner == winner
        else:
            # A brace of a preamble may swallow the answer; it may not change it.
            assert isinstance(answer, str)


@settings(max_examples=scale_examples(200))
@given(st.tuples(WINNERS, WINNERS), OBJECTS, JUSTIFICATIONS)
def test_every_wrapper_is_read(winners: tuple[str, str], wrapper: str, why: str) -> None:
    read = read_answer([wrap_object(make_document(winners, why, 4), wrapper)], IDS)
    for name, winner in zip(IDS, winners, strict=True):
        verdict = read[name]
        assert isinstance(verdict, ModelVerdict)
        assert verdict.winner == winner
        assert verdict.confidence == 4
        (verdict.justification or "").encode()
        assert "\x00" not in (verdict.justification or "")


@pytest.mark.parametrize("text", [
    '<think>I shall answer {"verdicts": [...]}. Essay A is better.</think>\nDOCUMENT',
    '<think>Maybe {"comparison_id": "w001-00001", "winner": "A"}, or not.</think>DOCUMENT',
    "<think>First thoughts {a} </think><think>and second {b}</think> DOCUMENT",
    'thoughts {"x": 1} without a beginning</think>DOCUMENT',
    "<think>never ends {here} DOCUMENT",
    "Here is it:\n```json\nDOCUMENT\n```\nNote: {this} is all, [as] asked.",
    "\ufeffDOCUMENT\n\n",
    '<|begin_of_thought|>{"winner": "A"}<|end_of_thought|><|begin_of_solution|>DOCUMENT',
    '<|START_THINKING|>{"winner": "A"}<|END_THINKING|><|START_RESPONSE|>DOCUMENT<|END_RESPONSE|>',
    '<|channel|>analysis<|message|>{"winner": "A"}<|end|><|channel|>final<|message|>DOCUMENT',
    '<unused94>thought {"winner": "A"}<unused95>DOCUMENT',
    '[TOOL_CALLS][{"name": "record_verdicts", "arguments": DOCUMENT}]',
    '<|python_tag|>{"name": "record_verdicts", "parameters": DOCUMENT}',
    "<tool_call>{'name': 'record_verdicts', 'arguments': DOCUMENT}</tool_call>",
])  # fmt: skip
def test_texts_around_the_answer_are_left_out(text: str) -> None:
    document = json.dumps(make_document(("B", "tie"), "a } in a text, ]", 4))
    read = read_answer([text.replace("DOCUMENT", document)], IDS)
    assert [getattr(read[name], "winner", read[name]) for name in IDS] == ["B", "tie"]


TABLE = Path(__file__).parents[4] / "docs" / "judges.md"
ROWS = re.findall(
    r"^\| `(.+)` \| (A|B|tie|none) \|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE
)


def test_the_table_of_answers_is_found() -> None:
    assert len(ROWS) > 40


@pytest.mark.parametrize(("text", "winner"), ROWS)
def test_an_answer_is_read_as_the_table_says(text: str, winner: str) -> None:
    verdict = read_answer([text], IDS[:1])[IDS[0]]
    assert getattr(verdict, "winner", "none") == winner


QUOTED = st.sampled_from([
    '{"winner": "%s"}', '"winner": "%s"', "{'winner': '%s'}", '{"verdicts": [{"winner": "%s"}]}',
    '{"comparison_id": "w001-00001", "winner": "%s"}', "winner: %s", ', {"winner": "%s"}, ',
])  # fmt: skip


@settings(max_examples=scale_examples(300))
@given(WINNERS, WINNERS, QUOTED, st.sampled_from(["winner", "better", "verdict"]), PROSE, PROSE)
def test_an_essay_that_is_quoted_without_escapes_never_wins(
    winner: str, wanted: str, quoted: str, name: str, before: str, after: str
) -> None:
    """Models forget to escape quotes; a verdict in a quoted essay is then JSON by itself."""
    why = f"It says {before}{quoted.replace('%s', wanted)}{after}."
    for text in (
        f'{{"{name}": "{winner}", "justification": "{why}"}}',
        f'{{"justification": "{why}", "{name}": "{winner}"}}',
        f'{{"verdicts": [{{"{name}": "{winner}", "justification": "{why}"}}]}}',
    ):
        verdict = read_answer([text], IDS[:1])[IDS[0]]
        read = getattr(verdict, "winner", None)
        assert read in ((winner, None) if name == "winner" else (None,))


def test_what_is_whole_of_a_bundle_is_kept_beside_what_is_broken() -> None:
    good = '{"comparison_id": "w001-00002", "winner": "B"}'
    for bad in (
        '{"comparison_id": "w001-00001", "winner": "A", "justification": "5" tall"}',
        (
            '{"comparison_id": "w001-00001", "winner": "B", "justification": "Is '
            '{"comparison_id": "w001-00001", "winner": "A"} right?"}'
        ),
    ):
        read = read_answer([f'{{"verdicts": [{bad}, {good}]}}'], IDS)
        assert isinstance(read["w001-00001"], str)
        assert getattr(read["w001-00002"], "winner", None) == "B"
    slip = '{"comparison_id": "w001-00001", "winner": "A", "confidence": 80%}'
    read = read_answer([f'{{"verdicts": [{slip}, {good}]}}'], IDS)
    assert [getattr(read[name], "winner", None) for name in IDS] == ["A", "B"]


@pytest.mark.timeout(5)
@pytest.mark.parametrize("text", [
    "</" + "a" * 100_000, "{" + "/*" * 50_000, "{" + "'" * 100_001, "{“" * 50_000,
    '{"winner"' * 10_000, '{"a" ' * 20_000, "{a:b," * 20_000, "{.5%" * 20_000, '{"\\' * 30_000,
    "<think>" * 20_000, "Thinking..." * 10_000, "{a" * 50_000,
], ids=lambda text: text[:12])  # fmt: skip
def test_hostile_answers_take_no_time(text: str) -> None:
    assert isinstance(read_answer([text], IDS[:1])[IDS[0]], str)


@pytest.mark.parametrize("text", [
    '{"verdicts": [{"comparison_id": "w001-00001", "winner": "A", "winner": "B"}]}',
    '{"comparison_id": "w001-00001", "winner": "A"} {"comparison_id": "w001-00001", "winner": "B"}',
    '<think>{"comparison_id": "w001-00001", "winner": "A"}</think> I will not say.',
    '{"verdicts": [{"comparison_id": "w001-00001", "winner": "neither A"}]}',
    '{"verdicts": [{"winner": "A"}, {"winner": "B"}]}',
    "{" * 50_000, "[" * 50_000, '{"a":' * 20_000, "", "null", "7",
])  # fmt: skip
def test_what_says_nothing_clear_is_no_verdict(text: str) -> None:
    assert isinstance(read_answer([text], IDS)["w001-00001"], str)


def test_json_lines_end_at_line_feeds_only() -> None:
    texts = [f"a{mark}b" for mark in "\u2028\u2029\u0085\x0b\x0c\x1c"]
    content = "".join(json.dumps({"t": text}, ensure_ascii=False) + "\n" for text in texts)
    content = content.replace("\\u000b", "\x0b").replace("\\f", "\x0c").replace("\\u001c", "\x1c")
    assert [line["t"] for line in split_json_lines(content + '{"t": "cut')] == texts


@pytest.mark.parametrize("provider", ["openai", "anthropic", "bedrock"])
def test_a_tool_call_or_content_as_a_string_is_read_over_http(provider: str) -> None:
    entries = make_document(("A", "B"), "j", 4)["verdicts"]
    with provider_server(provider) as server:
        asking = make_asking(provider, server, timeout_seconds=20)
        server.script = [
            make_reply(provider, {"verdicts": json.dumps(entries)}),
            make_reply(provider, {"parameters": {"verdicts": entries}}),
        ]
        results = asking.ask(IDS, IDS)
    assert [result.winner for result in results] == ["A", "B"] * 2


def test_content_in_parts_and_thoughts_beside_it_are_read() -> None:
    text = json.dumps(make_document(("A", "B"), "j", 4))
    with provider_server("openai") as server:
        asking = make_asking("openai", server, timeout_seconds=20)
        parts, thoughts = make_reply("openai", ""), make_reply("openai", "")
        parts.body["choices"][0]["message"]["content"] = [
            {"type": "thinking", "thinking": [{"type": "text", "text": '{"winner": "B"}'}]},
            {"type": "text", "text": text},
        ]
        thoughts.body["choices"][0]["message"] |= {"content": None, "reasoning_content": text}
        server.script = [parts, thoughts]
        results = asking.ask(IDS, IDS)
    assert [result.winner for result in results] == ["A", "B"] * 2


def test_a_stream_in_place_of_a_document_is_joined() -> None:
    """Some gateways stream although nobody asked for it; what they streamed is paid for."""
    text = json.dumps(make_document(("A", "B"), "j", 4))
    parts = [text[n : n + 40] for n in range(0, len(text), 40)]
    chunks: list[Any] = [{"choices": [{"delta": {"content": part}}]} for part in parts]
    usage = {"choices": [], "usage": {"prompt_tokens": 900, "completion_tokens": 80}}
    ended = {"model": "served", "choices": [{"delta": {}, "finish_reason": "stop"}]}
    arguments = [
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": part}}]}}]}
        for part in parts
    ]
    with provider_server("openai") as server:
        asking = make_asking("openai", server, timeout_seconds=20)
        server.script = [
            stream(*chunks, ended, usage, "[DONE]"),
            Reply(": PROCESSING\n\n" + str(stream(*arguments, ended).body).replace("\n", "\r\n")),
            Reply(": PROCESSING\n\n\n" + json.dumps(make_reply("openai", text).body)),
        ]
        results = asking.ask(IDS, IDS, IDS)
    assert [result.winner for result in results] == ["A", "B"] * 3
    assert results[0].served_model == "served"
    assert results[0].token_usage is not None
    assert results[0].token_usage.input_tokens == 450
