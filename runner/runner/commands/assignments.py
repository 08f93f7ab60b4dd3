"""`cj instructions`, `cj prompts`, `cj anchors`: what is registered for assignments."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from assessment.contracts.assignments import AssessmentInstructions, StudentPrompt
from assessment.contracts.parsing import parse
from runner.commands import options
from runner.commands.access import register_anchors
from runner.commands.command_app import CommandApp
from runner.commands.place import StackOptions
from runner.console import OUT, emit
from runner.files import to_json
from runner.inputs import JudgeTexts, parse_config, parse_scale
from runner.text_files import read_text
from runner.writing import emit_or_note

instructions = CommandApp(no_args_is_help=True, help="What the judges of assignments are told.")
prompts = CommandApp(no_args_is_help=True, help="The prompts that the students had.")
anchors = CommandApp(no_args_is_help=True, help="The graded essays of assignments.")

AssignmentId = Annotated[str, typer.Argument(help="The assignment's id.", metavar="ASSIGNMENT_ID")]


@instructions.command("set")
def set_instructions(
    assignment_id: AssignmentId,
    *,
    scale: options.Scale = None,
    task: options.Instructions = None,
    rubric: options.Rubric = None,
    config: Annotated[
        list[str] | None,
        typer.Option(
            "--config", help="Setting of the assignment's batches as name=value; may be repeated."
        ),
    ] = None,
    stack: StackOptions,
    as_json: options.AsJson = False,
) -> None:
    """Create an assignment or replace its scale, instructions, rubric and settings.

    What is left out has its default again; the student prompt and the anchors stay. It needs
    administrator rights.
    """
    values = {
        **JudgeTexts(task or (), None, rubric).read(),
        "grade_scale": parse_scale(scale),
        "config": parse_config(config or ()),
    }
    body = parse(AssessmentInstructions, values)
    with stack.connect(admin=True) as client:
        view = client.put_instructions(assignment_id, body)
    emit_or_note(
        view.model_dump(mode="json"),
        f"Assignment {view.assignment_id}: scale {' '.join(view.grade_scale.grades)}",
        as_json=as_json,
    )


@instructions.command("show")
def show_instructions(
    assignment_id: AssignmentId,
    *,
    stack: StackOptions,
    as_json: options.AsJson = False,
) -> None:
    """Print what holds for an assignment, as JSON whether asked for or not."""
    del as_json
    with stack.connect() as client:
        view = client.instructions(assignment_id)
    emit(to_json(view.model_dump(mode="json")))


@instructions.command("list")
def list_instructions(
    *,
    as_json: options.AsJson = False,
    stack: StackOptions,
) -> None:
    """List the assignments of the organisation."""
    with stack.connect() as client:
        listed = list(client.list_assignments())
    if as_json:
        emit(to_json({"assignments": [one.model_dump(mode="json") for one in listed]}))
        return
    table = Table("assignment", "scale", "instructions", "student prompt", "rubric")
    for one in listed:
        texts = (one.has_instructions, one.has_student_prompt, one.has_judge_rubric)
        cells = [one.assignment_id, one.grade_scale, *("yes" if has else "-" for has in texts)]
        table.add_row(*map(Text, cells))
    OUT.print(table)


@instructions.command("delete")
def delete_instructions(
    assignment_id: AssignmentId,
    *,
    stack: StackOptions,
    as_json: options.AsJson = False,
) -> None:
    """Remove an assignment with its anchors; batches that have begun keep what they have.

    It needs administrator rights.
    """
    with stack.connect(admin=True) as client:
        deleted = client.delete_assignment(assignment_id)
    line = f"Assignment {assignment_id} is removed"
    emit_or_note(deleted.model_dump(mode="json"), line, as_json=as_json)


@prompts.command("set")
def set_prompt(
    assignment_id: AssignmentId,
    file: Annotated[Path, typer.Argument(help="File with the prompt that the students had.")],
    *,
    stack: StackOptions,
    as_json: options.AsJson = False,
) -> None:
    """Give an assignment its student prompt; the assignment exists already.

    It needs administrator rights.
    """
    values = {"assignment_id": assignment_id, "student_prompt": read_text(file)}
    prompt = parse(StudentPrompt, values)
    with stack.connect(admin=True) as client:
        view = client.put_student_prompt(prompt)
    line = f"Assignment {assignment_id}: student prompt of {len(prompt.student_prompt)} characters"
    emit_or_note(view.model_dump(mode="json"), line, as_json=as_json)


@prompts.command("show")
def show_prompt(
    assignment_id: AssignmentId,
    *,
    stack: StackOptions,
    as_json: options.AsJson = False,
) -> None:
    """Print the student prompt of an assignment."""
    with stack.connect() as client:
        view = client.student_prompt(assignment_id)
    if as_json:
        emit(to_json(view.model_dump(mode="json")))
        return
    emit(f"{view.student_prompt}\n")


anchors.command("register")(register_anchors)


@anchors.command("list")
def list_anchors(
    assignment_id: AssignmentId,
    *,
    as_json: options.AsJson = False,
    stack: StackOptions,
) -> None:
    """List the anchors of an assignment with their grades and the hashes of their texts."""
    with stack.connect() as client:
        listed = client.list_anchors(assignment_id)
    if as_json:
        emit(to_json(listed.model_dump(mode="json")))
        return
    table = Table("anchor", "grade", "SHA-256 of the text")
    for one in listed.anchors:
        table.add_row(*map(Text, (one.anchor_ref, one.grade, one.text_sha256)))
    OUT.print(table)


@anchors.command("remove")
def remove_anchor(
    assignment_id: AssignmentId,
    anchor_ref: Annotated[str, typer.Argument(help="The anchor's reference.")],
    *,
    stack: StackOptions,
    as_json: options.AsJson = False,
) -> None:
    """Remove an anchor of an assignment; batches that have begun keep it."""
    with stack.connect() as client:
        deleted = client.remove_anchor(assignment_id, anchor_ref)
    line = f"Anchor {anchor_ref} of assignment {assignment_id} is removed"
    emit_or_note(deleted.model_dump(mode="json"), line, as_json=as_json)
