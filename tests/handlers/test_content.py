"""Texts by reference: stored, uploaded, in manifests; and files that come by links."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from assessment.contracts.manifest import read_manifest
from assessment.domain.batch import Batch
from assessment.domain.errors import InvalidRequestError, ManyInvalidFieldsError
from assessment.usecases.prepare_batch import prepare_batch
from tests.handlers.api_calls import call
from tests.handlers.conftest import Stack, adapters, event, invoke

ANN = "Bottles are bad for the sea."
BO = "Bottles are cheap, and they keep water clean where no tap does."
MANIFEST_ID = "0" * 32


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def upload(stack: Stack, key: str, body: bytes, organisation: str = "default") -> None:
    """Put an object as the holder of a link would."""
    folder, _, rest = key.partition("/")
    stack.client("s3").put_object(
        Bucket="cj-bucket", Key=f"{folder}/{organisation}/{rest}", Body=body
    )


def prepare(batch_id: str) -> Batch:
    ports = adapters().prepare_ports
    return prepare_batch(batch_id, ports=ports, now=datetime.now(UTC))


def read_texts(batch_id: str) -> dict[str, str]:
    """The texts of a prepared batch, by essay."""
    content = adapters().content
    spec = json.loads(content.get_frozen_document(f"batches/{batch_id}/spec.json"))
    return {
        essay["essay_id"]: content.get_text(f"batches/{batch_id}/texts", essay["text_sha256"])
        for essay in spec["essays"]
    }


def test_a_text_is_stored_under_its_hash_and_again_is_the_same(stack: Stack) -> None:
    status, stored, _ = call("store_content")
    assert (status, stored["content_id"]) == (201, sha256(ANN))
    assert call("store_content")[1]["content_id"] == stored["content_id"]


def test_a_batch_names_texts_by_their_ids(stack: Stack) -> None:
    status, refused, _ = call("create_batch_contents")
    assert (status, refused["type"].rpartition(":")[2]) == (404, "unknown-content")
    call("announce_texts")
    upload(stack, f"content/texts/{sha256(ANN)}.txt", ANN.encode())
    upload(stack, f"content/texts/{sha256(BO)}.txt", BO.encode())
    batch_id = call("create_batch_contents")[1]["batch_id"]
    prepare(batch_id)
    assert read_texts(batch_id) == {"ann": ANN, "bo": BO}


def test_what_another_organisation_stored_is_none(stack: Stack) -> None:
    given = event("handle_api/announce_texts.json")
    given["requestContext"]["authorizer"]["organisation"] = "north"
    assert invoke("handle_api", given)["statusCode"] == 201
    upload(stack, f"content/texts/{sha256(ANN)}.txt", ANN.encode(), organisation="north")
    upload(stack, f"content/manifests/{MANIFEST_ID}.jsonl", b"{}", organisation="north")
    assert call("create_batch_contents")[0] == 404
    assert call("create_batch_manifest")[0] == 404
    assert not stack.executions("RUNNING")


@pytest.mark.parametrize("body", [None, b"another text", b"\xff\xfe"])
def test_a_text_that_is_not_what_was_announced_is_named_when_the_batch_is_prepared(
    stack: Stack, body: bytes | None
) -> None:
    call("announce_texts")
    upload(stack, f"content/texts/{sha256(ANN)}.txt", ANN.encode())
    if body is not None:
        upload(stack, f"content/texts/{sha256(BO)}.txt", body)
    batch_id = call("create_batch_contents")[1]["batch_id"]
    with pytest.raises(InvalidRequestError, match="essay bo"):
        prepare(batch_id)


def test_links_for_uploads_sign_the_hash_and_the_size(stack: Stack) -> None:
    status, made, _ = call("announce_texts")
    assert status == 201
    (first, _) = made["uploads"]
    signed = parse_qs(urlsplit(first["link"]).query)["X-Amz-SignedHeaders"][0].split(";")
    assert {"content-length", "content-type", "x-amz-checksum-sha256"} <= set(signed)
    assert f"/content/default/texts/{sha256(ANN)}.txt" in first["link"]


def manifest(*lines: Any) -> str:
    return "\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines)


def test_a_manifest_brings_texts_and_ids(stack: Stack) -> None:
    assert call("announce_manifest")[0] == 201
    call("store_content")
    lines = manifest({"essay_id": "ann", "content_id": sha256(ANN)}, {"essay_id": "bo", "text": BO})
    upload(stack, f"content/manifests/{MANIFEST_ID}.jsonl", lines.encode())
    batch_id = call("create_batch_manifest")[1]["batch_id"]
    # What is uploaded again changes nothing of a batch that was requested.
    upload(stack, f"content/manifests/{MANIFEST_ID}.jsonl", b"{}")
    prepare(batch_id)
    assert read_texts(batch_id) == {"ann": ANN, "bo": BO}


def test_broken_lines_of_a_manifest_are_named_by_number() -> None:
    good = {"essay_id": "a", "text": "x"}
    with pytest.raises(ManyInvalidFieldsError) as refused:
        read_manifest(
            manifest(
                good,
                "",
                "{not json",
                {"essay_id": "b"},
                {"essay_id": "c", "text": "x", "content_id": "0" * 64},
                {"essay_id": "d", "text": "\ud800"},
                "[" * 100_000,
                "[1]",
                {"essay_id": "../e", "text": "x"},
                {"essay_id": "f", "text": " "},
                good,
            )
        )
    named = [field for field, _ in refused.value.problems]
    assert named == [
        "manifest line 3",
        "manifest line 4",
        "manifest line 5",
        "manifest line 6",
        "manifest line 7",
        "manifest line 8",
        "manifest line 9.essay_id",
        "manifest line 10.text",
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "manifest_id"),
        (b"\xff\xfe\x00", "manifest_id"),
        (b'{"essay_id": "a", "text": "x"}\n{"essay_id": "a", "text": "y"}', "manifest_id"),
        (b'{"essay_id": "a", "text": "x"}\n{"essay_id": "b"', "manifest line 2"),
    ],
)
def test_a_manifest_that_cannot_be_used_starts_nothing(
    stack: Stack, body: bytes, field: str
) -> None:
    upload(stack, f"content/manifests/{MANIFEST_ID}.jsonl", body)
    status, refused, _ = call("create_batch_manifest")
    assert (status, refused["errors"][0]["field"]) == (400, field)
    assert not stack.executions("RUNNING")


def test_the_files_of_a_batch_come_by_links(stack: Stack) -> None:
    stack.completed()
    listed = call("list_files")[1]["files"]
    assert [one["name"] for one in listed] == ["comparisons.jsonl", "result.json", "essays.csv"]
    assert all("X-Amz-Signature" in one["link"] and one["n_bytes"] > 0 for one in listed)


def test_a_result_that_the_api_cannot_carry_comes_by_a_link(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.completed()
    monkeypatch.setattr("assessment.api.batches.MAX_ANSWER_BYTES", 100)
    status, body, _ = call("get_results")
    assert status == 303
    assert "result.json" in body["link"]
    given = invoke("handle_api", event("handle_api/get_results.json"))
    assert given["multiValueHeaders"]["Location"] == [body["link"]]
