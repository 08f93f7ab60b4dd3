"""OpenAI's Batch API as its reference has it: files, the batch object, lists and refusals."""

import json

import pytest

from tests.unit.local.batch_clients import OpenAIClient, chat_body

LINE = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {}}


@pytest.fixture
def openai(endpoint_for):
    return lambda **options: endpoint_for(OpenAIClient, **options)


def lines(*rows):
    return "\n".join(json.dumps(row) for row in rows).encode()


def test_a_batch_tells_its_whole_life(openai, pairs):
    client = openai()
    content = lines({**LINE, "body": chat_body(pairs[0])})
    file_id = client.upload(content)
    begun = client.order(file_id, metadata={"wave": "b1/1"}).json()
    assert begun["object"] == "batch"
    assert begun["status"] == "validating"
    assert begun["metadata"] == {"wave": "b1/1"}
    assert (begun["input_file_id"], begun["endpoint"]) == (file_id, "/v1/chat/completions")
    assert begun["output_file_id"] is begun["error_file_id"] is begun["errors"] is None
    assert begun["expires_at"] - begun["created_at"] == 24 * 3600
    assert client.await_end(begun["id"]) == "completed"
    ended = client.batch(begun["id"])
    stamps = [ended[f"{name}_at"] for name in ("created", "in_progress", "finalizing", "completed")]
    assert stamps == sorted(stamps)
    assert ended["request_counts"] == {"total": 1, "completed": 1, "failed": 0}
    assert ended["failed_at"] is ended["cancelled_at"] is ended["expired_at"] is None


def test_an_output_line_holds_exactly_the_synchronous_answer(openai, pairs):
    client = openai()
    asked = chat_body(pairs[0])
    batch = client.submit({"a": asked})
    client.await_end(batch)
    (row,) = client.rows(client.batch(batch)["output_file_id"])
    assert row["custom_id"] == "a"
    assert row["error"] is None
    assert row["id"].startswith("batch_req_")
    assert row["response"]["request_id"].startswith("req_")
    answer = client.http.post("/v1/chat/completions", json=asked)
    response = row["response"]["status_code"], row["response"]["body"]
    assert response == (answer.status_code, answer.json())


def test_a_tool_that_is_offered_is_used(openai, pairs):
    client = openai()
    tools = [{"type": "function", "function": {"name": "record_verdicts", "parameters": {}}}]
    (line,) = client.run({"a": chat_body(pairs[0]) | {"tools": tools}})
    choice = line.body["choices"][0]
    call = choice["message"]["tool_calls"][0]["function"]
    assert choice["finish_reason"] == "tool_calls"
    assert call["name"] == "record_verdicts"
    assert json.loads(call["arguments"])["verdicts"][0]["comparison_id"] == pairs[0].comparison_id


def test_files_that_have_no_lines_are_not_written(openai, pairs):
    client = openai(error_rate=1)
    batch_id = client.submit({"a": chat_body(pairs[0])})
    client.await_end(batch_id)
    batch = client.batch(batch_id)
    assert batch["status"] == "completed"
    assert batch["output_file_id"] is None
    assert batch["request_counts"] == {"total": 1, "completed": 0, "failed": 1}
    (row,) = client.rows(batch["error_file_id"])
    assert row["error"] is None
    assert row["response"]["body"]["error"]["type"] == "overloaded_error"


def test_an_expired_batch_keeps_what_was_answered_and_names_the_rest(openai, pairs):
    client = openai(silent=0.5)
    batch_id = client.submit({pair.comparison_id: chat_body(pair) for pair in pairs})
    assert client.await_end(batch_id) == "expired"
    batch = client.batch(batch_id)
    assert batch["expired_at"] is not None
    assert len(client.rows(batch["output_file_id"])) == batch["request_counts"]["completed"] > 0
    rows = client.rows(batch["error_file_id"])
    assert {(row["response"], row["error"]["code"]) for row in rows} == {(None, "batch_expired")}


def test_a_cancelled_batch_says_so_at_once_and_cannot_be_cancelled_again(openai, pairs):
    client = openai(batch_seconds=3600)
    batch_id = client.submit({"a": chat_body(pairs[0])})
    answer = client.http.post(f"/v1/batches/{batch_id}/cancel").json()
    assert (answer["id"], answer["status"]) == (batch_id, "cancelling")
    assert client.await_end(batch_id) == "cancelled"
    (row,) = client.rows(client.batch(batch_id)["error_file_id"])
    assert row["error"]["code"] == "batch_cancelled"
    again = client.http.post(f"/v1/batches/{batch_id}/cancel")
    assert again.status_code == 409
    assert "cancelled" in again.json()["error"]["message"]


def test_batches_are_listed_newest_first_in_pages(openai, pairs):
    client = openai(batch_seconds=3600)
    ids = [client.submit({"a": chat_body(pairs[0])}) for _ in range(5)][::-1]
    read: list[str] = []
    after: dict[str, str] = {}
    for more in (True, True, False):
        page = client.http.get("/v1/batches", params={"limit": 2} | after).json()
        assert page["object"] == "list"
        assert page["has_more"] is more
        assert [page["first_id"], page["last_id"]] == [
            page["data"][0]["id"],
            page["data"][-1]["id"],
        ]
        read += [batch["id"] for batch in page["data"]]
        after = {"after": page["last_id"]}
    assert read == ids


def test_an_empty_list_has_no_ends(openai):
    page = openai().http.get("/v1/batches").json()
    assert page == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


@pytest.mark.parametrize("parameters", [{"limit": 0}, {"limit": 101}, {"after": "batch_none"}])
def test_a_page_that_is_none_is_refused(openai, parameters):
    answer = openai().http.get("/v1/batches", params=parameters)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("content", "code", "line", "param"),
    [
        (b'{"custom_id": "a"', "invalid_json_line", 1, None),
        (lines(LINE) + b"\n\n" + lines({**LINE, "custom_id": "b"}), "invalid_json_line", 2, None),
        (lines(LINE) + b"\n[1, 2]", "invalid_json_line", 2, None),
        (lines(LINE, LINE), "duplicate_custom_id", 2, "custom_id"),
        (lines(LINE, {**LINE, "custom_id": "b", "method": "GET"}), "invalid_request", 2, "method"),
        (lines({**LINE, "url": "/v1/embeddings"}), "invalid_request", 1, "url"),
        (lines({key: LINE[key] for key in ("custom_id", "method", "url")}), "invalid_request", 1,
         "body"),
        (b" \n", "empty_file", None, None),
    ],
)  # fmt: skip
def test_a_bad_line_fails_the_batch_and_is_named(openai, content, code, line, param):
    client = openai()
    batch_id = client.order(client.upload(content)).json()["id"]
    assert client.await_end(batch_id) == "failed"
    batch = client.batch(batch_id)
    assert batch["errors"]["object"] == "list"
    (error,) = batch["errors"]["data"]
    assert (error["code"], error["line"], error["param"]) == (code, line, param)
    assert batch["failed_at"] is not None
    assert batch["output_file_id"] is batch["error_file_id"] is None
    assert "requests" not in client.stats()["totals"]


def test_every_bad_line_is_named(openai):
    client = openai()
    batch_id = client.order(client.upload(b"one\n" + lines(LINE) + b"\nthree")).json()["id"]
    client.await_end(batch_id)
    assert [error["line"] for error in client.batch(batch_id)["errors"]["data"]] == [1, 3]


def test_a_text_may_hold_separators_of_lines(openai, pairs):
    client = openai(coin_flip=True)
    body = chat_body(pairs[0])
    body["messages"][0]["content"] += "\u2028\u0085\x0b"
    row = {**LINE, "body": body}
    content = json.dumps(row, ensure_ascii=False).encode()
    batch_id = client.order(client.upload(content)).json()["id"]
    assert client.await_end(batch_id) == "completed"


def test_a_batch_of_no_file_or_of_one_for_something_else_is_refused(openai):
    client = openai()
    refusals = [
        client.order("file-none"),
        client.order(client.upload(b"{}", purpose="user_data", name="notes.txt")),
    ]
    for answer in refusals:
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "input_file_id"
    assert client.stats()["totals"] == {}


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"endpoint": "/v1/embeddings"}, "endpoint"),
        ({"completion_window": "1h"}, "completion_window"),
        ({"metadata": {"key": "x" * 513}}, "metadata.key"),
    ],
)
def test_an_order_that_the_api_does_not_take_is_told_why(openai, changes, param):
    client = openai()
    answer = client.order(client.upload(lines(LINE)), **changes)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_a_file_can_be_read_until_it_is_deleted(openai):
    client = openai()
    content = lines(LINE)
    answer = client.http.post(
        "/v1/files", data={"purpose": "batch"}, files={"file": ("b.jsonl", content)}
    ).json()
    assert (answer["object"], answer["bytes"]) == ("file", len(content))
    assert (answer["filename"], answer["purpose"]) == ("b.jsonl", "batch")
    path = f"/v1/files/{answer['id']}"
    assert client.http.get(f"{path}/content").content == content
    deleted = client.http.delete(path).json()
    assert deleted == {"id": answer["id"], "object": "file", "deleted": True}
    gone = [client.http.get(f"{path}/content"), client.http.delete(path)]
    assert [answer.status_code for answer in gone] == [404, 404]


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"data": {"purpose": "fun"}, "files": {"file": ("b.jsonl", b"{}")}}, "purpose"),
        ({"files": {"file": ("b.jsonl", b"{}")}}, "purpose"),
        ({"data": {"purpose": "batch"}}, "file"),
        ({"data": {"purpose": "batch"}, "files": {"file": ("b.json", b"{}")}}, "file"),
    ],
)
def test_an_upload_that_is_none_is_refused(openai, form, param):
    answer = openai().http.post("/v1/files", **form)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_an_unknown_batch_is_not_found(openai):
    client = openai()
    answers = [
        client.http.get("/v1/batches/batch_none"),
        client.http.post("/v1/batches/batch_none/cancel"),
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert "batch_none" in answers[0].json()["error"]["message"]
