"""Print events and logs: `python -m local.stack.look events` or `... logs score_batch`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from local.stack import cloud as clouds
from local.stack import deploy

if TYPE_CHECKING:
    from local.stack.cloud import Cloud

app = typer.Typer(
    help="Print the events and logs of the running laptop cloud.", no_args_is_help=True
)
SHOWN = 600


def require_cloud() -> Cloud:
    """The running laptop cloud; ends the command with a hint if there is none."""
    cloud = clouds.status()
    if cloud is None:
        typer.echo("the laptop cloud is not running; start it with `make demo`", err=True)
        raise typer.Exit(1)
    return cloud


def peek(cloud: Cloud, queue_url: str, *, rounds: int = 20) -> list[dict[str, Any]]:
    """The messages of a queue, oldest first, each once; they stay in the queue."""
    sqs = cloud.session().client("sqs", endpoint_url=cloud.url)
    bodies: dict[str, dict[str, Any]] = {}
    received: list[list[str]] = []
    for _ in range(rounds):
        answer = sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=30, WaitTimeSeconds=0
        )
        messages = answer.get("Messages", [])
        if not messages:
            break
        bodies |= {message["MessageId"]: json.loads(message["Body"]) for message in messages}
        received.append([message["ReceiptHandle"] for message in messages])
    for handles in received:
        sqs.change_message_visibility_batch(
            QueueUrl=queue_url,
            Entries=[
                {"Id": str(place), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for place, handle in enumerate(handles)
            ],
        )
    return sorted(bodies.values(), key=lambda event: str(event.get("time")))


@app.command()
def events() -> None:
    """Print the events that the stack published, as its subscriber queue holds them."""
    cloud = require_cloud()
    for event in peek(cloud, deploy.outputs(cloud)["SubscriberQueueUrl"]):
        detail = json.dumps(event["detail"], ensure_ascii=False)
        text = f"{detail[:SHOWN]} ... ({len(detail)} characters)" if len(detail) > SHOWN else detail
        typer.echo(f"{event['time']}  {event['detail-type']}\n  {text}")


@app.command()
def logs(
    function: Annotated[str, typer.Argument(help="Folder name, for example score_batch.")],
) -> None:
    """Print what a function logged."""
    cloud = require_cloud()
    client = cloud.session().client("logs", endpoint_url=cloud.url)
    group = f"/aws/lambda/{deploy.STACK}-{function.replace('_', '-')}"
    try:
        pages = client.get_paginator("filter_log_events").paginate(logGroupName=group)
        for page in pages:
            for event in page["events"]:
                typer.echo(event["message"].rstrip())
    except client.exceptions.ResourceNotFoundException:
        typer.echo(f"there is no log of {function!r}; function folders are in functions/", err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
