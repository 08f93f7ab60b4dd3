"""moto with less work for the same answers: most of a test's time under moto is moto's own.

Each change leaves out work whose outcome is known: no answer, error or order differs.
"""

from __future__ import annotations

import copy
import functools
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import botocore.httpsession
import botocore.session
import botocore.useragent
import jsonpath_ng.ext
import moto.core.responses
import moto.sqs.models
import pytest
from botocore.crt.auth import CrtSigV4Auth
from botocore.hooks import EventAliaser
from moto.core.serialize import ResponseSerializer
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing.ast_nodes import (
    DepthFirstTraverser,
    Node,
)
from moto.dynamodb.parsing.expressions import (
    UpdateExpressionParser,
)

REQUEST_NUMBERS = itertools.count(1)
DAY = "20260101"
KEYS = {"Put": "Item", "Update": "Key", "Delete": "Key", "ConditionCheck": "Key"}


@contextmanager
def quick_moto() -> Iterator[None]:
    """Let moto and botocore do once what they would do for every client and call."""
    with pytest.MonkeyPatch.context() as patch:
        # The descriptions of the services are megabytes of JSON, and no client changes them.
        patch.setattr(
            botocore.session, "create_loader", functools.cache(botocore.session.create_loader)
        )
        for module, name in (
            (botocore.useragent, "sanitize_user_agent_string_component"),
            # No client speaks TLS here, and no two differ in how they would.
            (botocore.httpsession, "create_urllib3_context"),
            # Building its grammar takes longer than what it parses: the template of an event.
            (jsonpath_ng.ext, "parse"),
            # The functions of a class and what an operation is called stay the same.
            (moto.core.responses, "method_names_from_class"),
            (moto.core.responses, "camelcase_to_underscores"),
            (moto.sqs.models, "camelcase_to_underscores"),
        ):
            patch.setattr(module, name, functools.cache(getattr(module, name)))
        patch.setattr(botocore.useragent.UserAgentString, "to_string", name_client)
        patch.setattr(CrtSigV4Auth, "add_auth", sign_less(CrtSigV4Auth.add_auth))
        aliaser: Any = EventAliaser
        patch.setattr(aliaser, "_alias_event_name", alias_once(aliaser._alias_event_name))
        # Each call of an expression works on a copy of what was parsed.
        parse_update = functools.cache(UpdateExpressionParser.make)
        patch.setattr(UpdateExpressionParser, "make", parse_update)
        patch.setattr(DepthFirstTraverser, "traverse_node_recursively", process_nodes)
        patch.setattr(moto.core.responses, "gen_amzn_requestid_long", name_request)
        patch.setattr(moto.core.responses, "parse_qsl", read_form)
        patch.setattr(ResponseSerializer, "get_value", look_up(ResponseSerializer.get_value))
        keep_named_items(patch)
        yield


def read_form(body: str, **settings: Any) -> list[tuple[str, str]]:
    """A JSON body is no form, and moto takes it for one field: looking for others takes long."""
    return [(body, "")] if body.startswith("{") else parse_qsl(body, **settings)


def name_client(_: Any) -> str:
    """What a client calls itself, which moto does not read: botocore puts it together each time."""
    return "botocore"


def alias_once(alias: Callable[[Any, str], str]) -> Callable[[Any, str], str]:
    """Find an event's present name once for all clients, not once for each: all have one list."""
    known: dict[str, str] = {}

    def alias_event(aliaser: Any, event: str) -> str:
        if event not in known:
            known[event] = alias(aliaser, event)
        return known[event]

    return alias_event


def sign_less(sign: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Say who sends a request, without a signature: moto looks for no more.

    S3 says by the signature how the body is sent; what listens on this machine may check it.
    """

    def add_auth(signer: Any, request: Any) -> None:
        service = signer._service_name
        if signer.credentials is None or service == "s3" or not request.url.startswith("https:"):
            sign(signer, request)
            return
        signer._modify_request_before_signing(request)
        scope = f"{DAY}/{signer._region_name}/{service}/aws4_request"
        request.headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={signer.credentials.access_key}/{scope}, "
            "SignedHeaders=host, Signature=none"
        )

    return add_auth


def process_nodes(traverser: Any, node: Any, child_id: int = -1) -> Any:
    """Process a tree from its leaves; moto lists a traverser's kinds of nodes for every node."""
    node_kind: Any = type(node)
    if not is_kind(node_kind, Node):
        return node
    parent = node.parent
    for number, child in enumerate(node.children or ()):
        traverser.pre_processing_of_child(node, number)
        process_nodes(traverser, child, number)
    processors = vars(traverser).setdefault("processors_by_kind", traverser._processing_map())
    for kind, process in processors.items():
        if is_kind(node_kind, kind):
            node = process(node)
            node.parent = parent
            if parent:
                parent.children[child_id] = node
            break
    return node


@functools.cache
def is_kind(kind: Any, base: Any) -> bool:
    """Whether a class is another or of its family; asking abstract classes takes long."""
    return issubclass(kind, base)


def name_request(headers: dict[str, Any] | None = None) -> str:
    """An id of a request; moto draws each of its 52 letters alone."""
    request_id = f"{next(REQUEST_NUMBERS):052}"
    if headers is not None:
        headers["x-amzn-requestid"] = request_id
    return request_id


def look_up(get_value: Any) -> Any:
    """Take a DynamoDB value by its type: moto tries six names for each of the ten types."""

    def get(serializer: Any, value: Any, key: str, shape: Any) -> Any:
        parent = getattr(shape, "parent", None)
        if type(value) is dict and parent is not None and parent.name == "AttributeValue":
            return value.get(key)
        return get_value(serializer, value, key, shape)

    return get


def keep_named_items(patch: pytest.MonkeyPatch) -> None:
    """Keep for a rollback the items that a transaction names, not a copy of the whole table."""
    transact = DynamoDBBackend.transact_write_items
    transaction = threading.local()

    def transact_write_items(backend: Any, transact_items: list[dict[str, Any]]) -> None:
        transaction.writes = [write for item in transact_items for write in item.items()]
        try:
            transact(backend, transact_items)
        finally:
            del transaction.writes

    def copy_table(table: Any, memo: dict[int, Any]) -> Any:
        kept = memo[id(table)] = copy.copy(table)
        if not hasattr(transaction, "writes"):
            vars(kept).update(copy.deepcopy(vars(table), memo))
            return kept
        kept.items = copy.copy(table.items)
        for kind, write in transaction.writes:
            if write.get("TableName") == table.name:
                key = write[KEYS[kind]]
                partition = DynamoType(key[table.hash_key_attr])
                kept.items[partition] = keep_item(kept, partition, key)
        return kept

    patch.setattr(DynamoDBBackend, "transact_write_items", transact_write_items)
    patch.setattr(Table, "__deepcopy__", copy_table, raising=False)


def keep_item(table: Any, partition: DynamoType, key: dict[str, Any]) -> dict[DynamoType, Any]:
    """The partition's items as they are now, whatever a write changes of this one."""
    items = dict(table.items.get(partition, {}))
    name = DynamoType(key[table.range_key_attr])
    if name in items:
        items[name] = copy.deepcopy(items[name])
    return items
