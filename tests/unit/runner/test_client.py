"""The client against a real server: answers, refusals, repeats and silence."""

import inspect
import json
import logging
import socket

import pytest
from httpx_retries import Retry

from assessment.api.responses import problem
from assessment.contracts.manifest import read_manifest
from assessment.contracts.request import AnchorRegistration, BatchRequest
from assessment.domain import errors as domain
from runner.api.answers import parse_result
from runner.client import ApiClient
from runner.errors import (
    BadInputError,
    ExitCode,
    NotAuthorisedError,
    StackNotReachableError,
    choose_exit_code,
)
from tests.present import present
from tests.unit.runner import documents
from tests.unit.runner.api_server import FakeStack

QUICK = Retry(total=3, allowed_methods=["GET", "POST"], backoff_factor=0.01)
REQUEST = BatchRequest.model_validate(
    {"essays": [{"essay_id": "ada", "text": "tides"}, {"essay_id": "ben", "text": "bees"}]}
)


def family(base: type[domain.CJError]) -> list[type[domain.CJError]]:
    return [base, *(cls for child in base.__subclasses__() for cls in family(child))]


def example(cls: type[domain.CJError]) -> domain.CJError:
    """An error of the class, as the stack would raise it."""
    if issubclass(cls, domain.ManyInvalidFieldsError):
        return cls([("config.a", "unknown"), ("config.b", "too large")])
    if issubclass(cls, domain.InvalidRequestError):
        return cls("is wrong", field="essays[0].text")
    if not inspect.isfunction(cls.__init__):
        return cls("a message")
    _, *parameters = inspect.signature(cls.__init__).parameters.values()
    needed = [parameter for parameter in parameters if parameter.default is parameter.empty]
    return cls(*(f"the {parameter.name}" for parameter in needed))


@pytest.fixture
def client(stack: FakeStack):
    with ApiClient(stack.url + "/", stack.token(), retry=QUICK) as made:
        yield made


@pytest.mark.parametrize("cls", family(domain.CJError), ids=lambda cls: cls.__name__)
def test_a_problem_document_comes_back_as_the_error_it_was(cls: type[domain.CJError]):
    error = example(cls)
    back = domain.CJError.from_problem(json.loads(problem(error).body or ""))
    assert type(back) is cls
    assert str(back) == str(error)
    assert getattr(back, "field", None) == getattr(error, "field", None)
    assert getattr(back, "problems", None) == getattr(error, "problems", None)


def test_a_type_of_another_system_has_no_error():
    assert domain.CJError.from_problem({"type": "about:blank", "status": 400}) is None


def test_a_batch_from_request_to_result(client: ApiClient):
    batch_id = client.request_batch(REQUEST, idempotency_key="k").batch_id
    statuses = [client.batch(batch_id).status for _ in range(4)]
    assert statuses == ["INITIALIZING", "WAITING_CALLBACKS", "WAITING_CALLBACKS", "COMPLETED"]
    document = client.result_document(batch_id)
    assert parse_result(document).rankings[0].essay_id == "ada"
    assert client.health().status == "ok"


def test_registration_sends_the_anchors_and_confirms_them(client: ApiClient, stack: FakeStack):
    registration = AnchorRegistration.model_validate(
        {
            "assignment_id": "unit",
            "anchors": [{"anchor_ref": "one", "grade": "B", "text": "tides"}],
            "judge_rubric": "clarity",
        }
    )
    assert client.register_anchors(registration).registered == 1
    assert stack.assignments["unit"] == registration


def test_an_interrupted_request_is_repeated_under_its_key(client: ApiClient, stack: FakeStack):
    stack.interruptions = [503, 429]
    accepted = client.request_batch(REQUEST, idempotency_key="once")
    keys = [headers["idempotency-key"] for headers in stack.calls("POST", "/v1/batches")]
    assert keys == ["once"] * 3
    assert list(stack.batches) == [accepted.batch_id]


def test_a_key_used_for_another_request_is_a_conflict(client: ApiClient):
    client.request_batch(REQUEST, idempotency_key="k")
    other = REQUEST.model_copy(update={"config": {"seed": 1}})
    with pytest.raises(domain.IdempotencyConflictError) as refusal:
        client.request_batch(other, idempotency_key="k")
    assert choose_exit_code(refusal.value) is ExitCode.BAD_INPUT


def test_refused_tokens(stack: FakeStack):
    with ApiClient(stack.url, "not.a.token") as client, pytest.raises(NotAuthorisedError) as wrong:
        client.batch(documents.BATCH_ID)
    assert "not.a.token" not in str(wrong.value)
    assert "not.a.token" not in repr(client)
    with ApiClient(stack.url) as client, pytest.raises(NotAuthorisedError, match="CJ_TOKEN"):
        client.batch(documents.BATCH_ID)


def test_what_only_an_administrator_may_set(client: ApiClient):
    request = REQUEST.model_copy(update={"config": {"prior_sd": 3}})
    with pytest.raises(domain.NotPermittedError) as refusal:
        client.request_batch(request, idempotency_key="k")
    assert refusal.value.field == "config.prior_sd"
    assert choose_exit_code(refusal.value) is ExitCode.NO_STACK


def test_an_address_where_nothing_listens():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with (
        ApiClient(f"http://127.0.0.1:{port}", "t", retry=QUICK) as client,
        pytest.raises(StackNotReachableError, match="does not answer"),
    ):
        client.batch(documents.BATCH_ID)


@pytest.mark.parametrize("address", ["", "no-scheme/live", "http://[bad"])
def test_an_address_that_is_no_address(address: str):
    with pytest.raises((BadInputError, StackNotReachableError)), ApiClient(address, "t") as client:
        client.health()


def test_an_answer_without_a_reason_names_the_route_only(client: ApiClient, stack: FakeStack):
    stack.interruptions = [500]
    with pytest.raises(StackNotReachableError, match=r"GET .*/v1/batches/.* answered HTTP 500"):
        client.batch(documents.BATCH_ID)


def test_texts_beyond_what_the_gateway_takes_are_uploaded(client: ApiClient, stack: FakeStack):
    essays = [{"essay_id": f"e{i}", "text": "wörd " * 11_000} for i in range(120)]
    request = BatchRequest.model_validate({"essays": essays})
    accepted = client.request_batch(request, idempotency_key="large")
    wanted = stack.batches[accepted.batch_id]
    assert wanted.essays == []
    lines = read_manifest(stack.uploads[present(wanted.manifest_id)])
    assert [(one.essay_id, one.text) for one in lines] == [
        (one.essay_id, one.text) for one in request.essays
    ]
    assert "authorization" not in stack.calls("PUT", present(wanted.manifest_id))[0]


def test_anchors_beyond_what_the_gateway_takes_are_not_sent(client: ApiClient, stack: FakeStack):
    anchors = [{"anchor_ref": f"a{i}", "grade": "A", "text": "wörd " * 11_000} for i in range(120)]
    with pytest.raises(BadInputError, match="MB"):
        client.register_anchors(
            AnchorRegistration.model_validate({"assignment_id": "x", "anchors": anchors})
        )
    assert stack.requests == []


def test_a_result_of_another_version_is_named_as_such():
    with pytest.raises(StackNotReachableError, match="reliability"):
        parse_result({**documents.result(), "reliability": None})


def test_neither_texts_nor_tokens_are_logged(
    client: ApiClient, stack: FakeStack, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    client.request_batch(REQUEST, idempotency_key="k")
    assert caplog.records
    assert "tides" not in caplog.text
    assert stack.token().split(".")[2] not in caplog.text
