"""`cj webhooks`: where the organisation's events are sent, over the web and signed."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from assessment.contracts.parsing import parse
from assessment.contracts.webhooks import NewWebhook, WebhookList, WebhookRequest, WebhookView
from runner.commands import options
from runner.commands.command_app import CommandApp
from runner.commands.place import StackOptions
from runner.console import OUT, emit, note
from runner.files import to_json
from runner.writing import emit_or_note

app = CommandApp(no_args_is_help=True, help="Send events to servers of yours (administrators).")

WebhookId = Annotated[str, typer.Argument(help="Id of the webhook, as `list` shows it.")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="https URL that takes the events.")],
    *,
    event: Annotated[
        list[str] | None,
        typer.Option("--event", help="Type of event to send; may be repeated. Else all types."),
    ] = None,
    as_json: options.AsJson = False,
    stack: StackOptions,
) -> None:
    """Add a webhook and print its secret, this once.

    Receivers check every message with the secret, by any library of Standard Webhooks.
    """
    request = parse(WebhookRequest, {"url": url} | ({"event_types": event} if event else {}))
    with stack.connect() as client:
        webhook = client.add_webhook(request)
    _show_secret(webhook, "keep the secret; it is not shown again", as_json=as_json)


@app.command()
def rotate(
    webhook_id: WebhookId,
    *,
    as_json: options.AsJson = False,
    stack: StackOptions,
) -> None:
    """Give a webhook another secret and print it, this once.

    Messages are signed with the one before too, until the next rotation: change the receiver, then
    rotate once more if the old secret is known to others.
    """
    with stack.connect() as client:
        webhook = client.rotate_webhook_secret(webhook_id)
    advice = "keep the secret; it is not shown again, and the one before is good until the next"
    _show_secret(webhook, advice, as_json=as_json)


@app.command("list")
def list_all(
    *,
    as_json: options.AsJson = False,
    stack: StackOptions,
) -> None:
    """List the webhooks with what became of the last attempt at each."""
    with stack.connect() as client:
        listed = client.list_webhooks()
    if as_json:
        emit(to_json(listed.model_dump(mode="json")))
        return
    OUT.print(webhooks_table(listed))


@app.command()
def remove(
    webhook_id: WebhookId,
    *,
    stack: StackOptions,
    as_json: options.AsJson = False,
) -> None:
    """Remove a webhook: nothing more is sent to it."""
    with stack.connect() as client:
        deleted = client.remove_webhook(webhook_id)
    line = f"webhook {webhook_id} is removed"
    emit_or_note(deleted.model_dump(mode="json"), line, as_json=as_json)


@app.command()
def replay(
    webhook_id: WebhookId,
    *,
    stack: StackOptions,
    as_json: options.AsJson = False,
) -> None:
    """Send again what the webhook did not take after all attempts."""
    with stack.connect() as client:
        replayed = client.replay_webhook(webhook_id)
    if as_json:
        emit(to_json(replayed.model_dump(mode="json")))
        return
    note(f"{replayed.n_replayed} sent again")
    if not replayed.is_complete:
        note("there may be more: run it again")


def _show_secret(webhook: NewWebhook, advice: str, *, as_json: bool) -> None:
    """The webhook with its secret, which nobody can read again."""
    if as_json:
        emit(to_json(webhook.model_dump(mode="json")))
        return
    emit(f"{webhook.webhook_id}  {webhook.secret}\n")
    note(advice)


def webhooks_table(listed: WebhookList) -> Table:
    """One row for each webhook; URLs are shown as they are, without markup."""
    table = Table("webhook", "url", "events", "state", "last attempt")
    for one in listed.webhooks:
        state = "active" if one.disabled_at is None else "disabled"
        cells = (
            one.webhook_id, one.url, "\n".join(one.event_types), state, _show_attempt(one),
        )  # fmt: skip
        table.add_row(*map(Text, cells))
    return table


def _show_attempt(webhook: WebhookView) -> str:
    attempt = webhook.last_attempt
    if attempt is None:
        return "-"
    status = "no answer" if attempt.status is None else str(attempt.status)
    return f"{attempt.outcome} ({status}) {attempt.moment:%Y-%m-%d %H:%M}"
