"""`cj content` and `cj files`: texts that requests name, and the files of a batch."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from assessment.contracts.views import BatchFiles
from runner.checks import read_all
from runner.commands import options
from runner.commands.command_app import CommandApp
from runner.commands.place import StackOptions
from runner.console import OUT, emit, note
from runner.downloads import download
from runner.errors import BadInputError, Problem
from runner.files import require_writable, to_json
from runner.text_files import read_text

app = CommandApp(no_args_is_help=True, help="Texts that requests of a stack name by their ids.")


@app.command()
def store(
    files: Annotated[list[Path], typer.Argument(help="Plain texts (.txt, .md), one essay each.")],
    *,
    as_json: options.AsJson = False,
    stack: StackOptions,
) -> None:
    """Store texts; print the id of each, by which requests name it (`contents`) for some days.

    All files are read before the first is sent. The same text again has the same id.
    """
    texts, problems = read_all(files, read_text)
    problems.raise_any()
    with stack.connect() as client:
        stored = [client.store_content(text) for text in texts]
    named = list(zip(map(str, files), stored, strict=True))
    if as_json:
        listed = [{"file": file, **one.model_dump(mode="json")} for file, one in named]
        emit(to_json({"contents": listed}))
        return
    for file, one in named:
        emit(f"{one.content_id}  {file}\n")


def list_files(
    batch_id: options.BatchId,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to save all of them in.")
    ] = None,
    as_json: options.AsJson = False,
    stack: StackOptions,
) -> None:
    """List the files of a stack's batch (result, table, comparisons, decisions), or save them.

    With --json the links are printed too; they open without a token for some minutes.
    """
    if output is not None:
        _require_folder(output)
    with stack.connect() as client:
        listed = client.files(batch_id)
    if output is not None:
        _save(listed, output)
    if as_json:
        emit(to_json(listed.model_dump(mode="json")))
    elif output is None:
        OUT.print(_table(listed))


def _require_folder(output: Path) -> None:
    if output.is_file():
        message = "is a file; name a folder"
        raise BadInputError(Problem(message, file=str(output), field="--output"))
    require_writable(output / "result.json")


def _save(listed: BatchFiles, folder: Path) -> None:
    for file in listed.files:
        # A name is a name: whatever it holds, the file lies in the folder.
        path = folder / Path(file.name).name
        download(file.link, path)
        note(f"Written: {path}")


def _table(listed: BatchFiles) -> Table:
    table = Table("file", "bytes")
    for file in listed.files:
        table.add_row(Text(file.name), f"{file.n_bytes:,}")
    return table
