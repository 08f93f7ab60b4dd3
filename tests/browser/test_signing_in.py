"""Signing in with an issuer: the code flow with PKCE in a real browser, the token in memory."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import jwt
import pytest
from playwright.sync_api import Browser

from assessment.adapters.issuer_discovery import find_sign_in
from local.issuer import AUDIENCE, SampleIssuer, serve_issuer
from tests.browser.rooms_server import DONE, RoomsServer, serving
from tests.browsing import Visitor

CLIENT = "cj-pages"


@pytest.fixture
def issuer() -> Iterator[SampleIssuer]:
    with serve_issuer() as running:
        running.claims = {"roles": ["assessor"], "sub": "teacher"}
        yield running


@pytest.fixture
def rooms(issuer: SampleIssuer) -> Iterator[RoomsServer]:
    sign_in = find_sign_in(issuer.url, client_id=CLIENT, audience=AUDIENCE, scope="openid")
    with serving(RoomsServer(sign_in=sign_in)) as running:
        yield running


def list_storage(visitor: Visitor) -> str:
    return "".join(
        visitor.page.evaluate(
            "[JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie]"
        )
    )


def test_whoever_signs_in_goes_on_where_they_were(
    chromium: Browser, rooms: RoomsServer, issuer: SampleIssuer
) -> None:
    visitor = Visitor(chromium)
    visitor.visit(f"{rooms.url}/app/#/batch/{DONE}")
    visitor.page.get_by_role("heading", name="Come in").wait_for()
    visitor.check_access(states=("light",), shoot="signin")
    visitor.page.get_by_role("button", name="Sign in").click()
    visitor.page.locator("table.essays").wait_for()
    assert visitor.page.url == f"{rooms.url}/app/#/batch/{DONE}"
    assert list_storage(visitor) == "{}{}", "neither token nor verifier is kept"
    assert {urlsplit(each).path for each in visitor.strangers} == {"/authorize", "/token"}
    assert all(each.startswith(issuer.url) for each in visitor.strangers)
    assert visitor.complaints == []
    visitor.page.get_by_role("link", name="Batches").click()
    visitor.page.locator(".card").first.wait_for()
    claims = jwt.decode(rooms.tokens[-1], options={"verify_signature": False})
    assert (claims["iss"], claims["aud"], claims["sub"]) == (issuer.url, AUDIENCE, "teacher")
    visitor.page.reload()
    visitor.page.get_by_role("button", name="Sign in").wait_for()
    visitor.close()


def test_a_pool_of_cognito_brings_its_id_token(chromium: Browser, issuer: SampleIssuer) -> None:
    issuer.like_cognito = True
    sign_in = find_sign_in(issuer.url, client_id=CLIENT, audience=CLIENT, scope="openid")
    with serving(RoomsServer(sign_in=sign_in)) as rooms:
        visitor = Visitor(chromium)
        visitor.visit(f"{rooms.url}/app/")
        visitor.page.get_by_role("button", name="Sign in").click()
        visitor.page.locator(".card").first.wait_for()
        claims = jwt.decode(rooms.tokens[-1], options={"verify_signature": False})
        assert (claims["aud"], claims["sub"]) == (CLIENT, "teacher"), (
            "the access token names nobody"
        )
        assert visitor.complaints == []
        visitor.close()


@pytest.mark.parametrize("forged", ["state=theirs&code=x", "state=theirs&error=access_denied"])
def test_an_answer_that_nobody_asked_for_brings_nobody_in(
    chromium: Browser, rooms: RoomsServer, forged: str
) -> None:
    visitor = Visitor(chromium)
    visitor.visit(f"{rooms.url}/app/?{forged}")
    visitor.page.get_by_text("Signing in did not work").wait_for()
    assert visitor.page.url == f"{rooms.url}/app/#/"
    visitor.check()
    visitor.close()
