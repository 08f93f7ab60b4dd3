"""`cj execute`: a folder of texts becomes a batch, and the batch a ranking with grades."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from assessment.contracts.views import AnchorsRegistered, BatchAccepted
from assessment.domain.errors import InvalidRequestError
from assessment.domain.jury import read_judges
from runner.batch_client import BatchClient
from runner.client import ApiClient
from runner.commands import options
from runner.commands.assessment_options import JudgingOptions, MaskOptions, NameOptions, TextOptions
from runner.commands.place import PlaceOptions, StackOptions, connect_client
from runner.console import ERR, OUT, note
from runner.errors import ExitCode, NotAuthorisedError, StackNotReachableError
from runner.essays import Folder
from runner.files import require_writable
from runner.inputs import Assessment, Registration, read_assessment
from runner.inventory import inventory_table, showing_what_was_read
from runner.keys import store_keys_of_environment
from runner.near_duplicates import group_near_duplicates
from runner.progress import ProgressDisplay
from runner.results import show_result
from runner.sample_judge import check_default_judge
from runner.stack import find_stack
from runner.waiting import await_batch
from runner.writing import Format, choose_format


def execute(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder (with folders in it, or a .zip) of .docx, .odt, .pdf, .rtf, .txt and .md "
            "files, one essay each."
        ),
    ],
    *,
    anchors: Annotated[
        Path | None,
        typer.Option(
            "--anchors", help="CSV of graded anchors: anchor_ref, grade, and file or text."
        ),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            "--groups",
            help="CSV with essay_id and group: the result compares the groups. No judge sees them.",
        ),
    ] = None,
    naming: NameOptions,
    masking: MaskOptions,
    assignment: options.Assignment = None,
    scale: options.Scale = None,
    texts: TextOptions,
    judging: JudgingOptions,
    judging_deadline: options.JudgingDeadline = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where the result document goes.")
    ] = Path("result.json"),
    ignore_others: Annotated[
        bool,
        typer.Option(
            "--ignore-others", help="Leave out files and folders that are not read; else an error."
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Name hidden files that are passed over, too.")
    ] = False,
    idempotency_key: Annotated[
        str | None,
        typer.Option(
            "--idempotency-key",
            help="The same key and texts again give the same batch; a new key a new batch.",
        ),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Await the result, or only start the batch.")
    ] = True,
    as_json: options.AsJson = False,
    place: PlaceOptions,
    admin: options.Admin = False,
    concurrency: options.Concurrency = options.DEFAULT_CONCURRENCY,
) -> None:
    """Assess a folder of texts and await the ranking.

    The file name without its ending is the essay's id, unless --names or --named-after. A table
    says what was read before anything is sent. Without --anchors the essays are ranked;
    with them they are graded too. Every file of the folder must be readable, unless
    --ignore-others. All essays are sent, however few comparisons there may be.

    Ctrl-C leaves a stack's batch running. With --offline the batch runs in this command; stopped
    in any way it keeps what it has, and `cj watch --offline` goes on with it.

    Exit codes: 0 finalised, 1 the batch failed, 2 bad input, 3 no stack or no access to it.

    For example:

      cj execute essays/ --offline --judge surface

      cj execute essays/ --offline --anchors anchors.csv --judge openai/gpt-4.1-mini
    """
    choose_format(output, formats=[Format.JSON])
    with showing_what_was_read(folder):
        assessment = read_assessment(
            folder,
            anchors=anchors,
            assignment=assignment,
            scale=scale,
            texts=texts.files,
            settings=judging.list_settings(judging_deadline),
            judges=judging.judges,
            groups=groups,
            names=naming.names,
            named_after=naming.named_after,
            ignore_others=ignore_others,
            output=output,
            roster=masking.roster,
            mask=masking.mask,
        )
    ERR.print(inventory_table(assessment.folder.readings))
    for line in describe_folder(assessment.folder, verbose=verbose):
        note(line)
    require_writable(output)
    key = idempotency_key or str(uuid.uuid4())
    if place.offline:
        _execute_offline(
            assessment, place, key, output, n_calls=concurrency, wait=wait, as_json=as_json
        )
        return
    connection = place.describe()
    with _connect_with_judges(assessment, place, admin=admin) as client:
        client.health()
        batch_id = _request(client, assessment, key).batch_id
        if not wait:
            OUT.print(batch_id, markup=False)
            note(f"Follow it with: cj status {batch_id} --wait{connection}")
            return
        _interruptible(
            lambda: _await_result(client, batch_id, output, as_json=as_json), batch_id, connection
        )


def _execute_offline(
    assessment: Assessment,
    place: PlaceOptions,
    key: str,
    output: Path,
    *,
    n_calls: int,
    wait: bool,
    as_json: bool,
) -> None:
    """Request a batch of a workspace, and drive it to its end."""
    from runner.offline.driving import drive
    from runner.offline.judge_choice import choose_judge
    from runner.offline.local_client import WorkspaceClient
    from runner.offline.workspace import Workspace

    with Workspace.open_folder(place.workspace, n_calls=n_calls, create=True) as workspace:
        client = WorkspaceClient(workspace)
        batch_id = _request(client, choose_judge(assessment, workspace), key).batch_id
        connection = place.describe()
        if not wait:
            OUT.print(batch_id, markup=False)
            note(f"It runs when you say: cj watch {batch_id}{connection}")
            return
        drive(workspace, batch_id, connection)
        show_result(client, client.batch(batch_id), output, as_json=as_json)


def _connect_with_judges(assessment: Assessment, stack: StackOptions, *, admin: bool) -> ApiClient:
    """A client of a stack whose judges can judge the texts, as far as can be told beforehand."""
    if stack.api_url is not None:
        return stack.connect()
    aws = stack.aws
    deployed_stack = find_stack(stack.stack, aws)
    if assessment.request.judge is None:
        check_default_judge(deployed_stack.judge_url, assessment.texts, connection=stack.describe())
    elif stack.local:
        judges = read_judges(assessment.request.judge, is_admin=True)
        for variable in store_keys_of_environment(judges, stack=stack.stack, aws=aws):
            note(f"The laptop cloud has the key of {variable} now")
    return connect_client(deployed_stack, aws, admin=admin)


def describe_folder(folder: Folder, *, verbose: bool) -> list[str]:
    """What of a folder is not assessed, and what should be looked at, in words."""
    lines = []
    if folder.left_out:
        lines.append(f"Not assessed: {', '.join(folder.left_out)}")
    if folder.others:
        lines.append(f"Left out, for they cannot be read: {', '.join(folder.others)}")
    if folder.ignored and verbose:
        lines.append(f"Passed over: {', '.join(folder.ignored)}")
    lines += [f"The same text: {', '.join(names)}" for names in folder.same_texts]
    files = [reading.file for reading in folder.readings]
    for group in group_near_duplicates([essay.text for essay in folder.essays]):
        lines.append(f"Nearly the same text: {', '.join(files[number] for number in group)}")
    return lines


def _request(client: BatchClient, assessment: Assessment, key: str) -> BatchAccepted:
    if assessment.registration:
        register(client, assessment.registration)
    try:
        accepted = client.request_batch(assessment.request, idempotency_key=key)
    except StackNotReachableError as error:
        raise StackNotReachableError(
            f"{error}\nThe batch may have been accepted; the same command with "
            f"--idempotency-key {key} finds it and starts no second one"
        ) from error
    note(f"Batch {accepted.batch_id}: {len(assessment.request.essays)} essays")
    return accepted


def register(client: BatchClient, registration: Registration) -> AnchorsRegistered:
    """Register anchors and texts for the judge; what the API objects to is told by file and row."""
    try:
        registered = client.register_anchors(registration.request)
    except InvalidRequestError as error:
        if registration.source is None:
            raise
        raise registration.source.locate(error) from error
    anchors = (
        f"{registered.registered} anchors registered, scale {' '.join(registered.grade_scale)}"
        if registered.registered
        else "instructions registered"
    )
    note(f"Assignment {registered.assignment_id}: {anchors}")
    return registered


def _await_result(client: BatchClient, batch_id: str, output: Path, *, as_json: bool) -> None:
    with ProgressDisplay(ERR) as display:
        batch = await_batch(client, batch_id, show=display.show)
    show_result(client, batch, output, as_json=as_json)


def _interruptible(work: Callable[[], None], batch_id: str, connection: str) -> None:
    """Do the work; if it is interrupted, or the way to the stack is lost, say how to come back."""
    try:
        work()
    except (KeyboardInterrupt, StackNotReachableError, NotAuthorisedError) as error:
        note(
            f"The batch goes on by itself. See it: cj status {batch_id} --wait{connection}\n"
            f"Its result: cj results {batch_id}{connection}\n"
            f"Stop it: cj cancel {batch_id}{connection}"
        )
        if isinstance(error, KeyboardInterrupt):
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        raise
