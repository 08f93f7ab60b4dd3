"""The `cj` command and its exit codes."""

import os
from importlib.metadata import version as installed_version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from assessment.domain.errors import CJError
from runner.commands import assignments, content, key, local_cloud, webhooks
from runner.commands.access import register_anchors, token
from runner.commands.batches import cancel, redrive, results, status
from runner.commands.command_app import CommandApp
from runner.commands.compare import compare
from runner.commands.content import list_files
from runner.commands.decisions import attention, decide, release
from runner.commands.erase import delete, export_essay
from runner.commands.execute import execute
from runner.commands.export import export
from runner.commands.fit import fit
from runner.commands.invite import invite, move_deadline
from runner.commands.lists import comparisons, list_batches
from runner.commands.open_page import open_page
from runner.commands.plan import dry_run, plan, simulate
from runner.commands.prompt_check import prompt_check
from runner.commands.report import report as write_report_page
from runner.commands.rescore import rescore
from runner.commands.show import show
from runner.commands.watch import watch
from runner.console import OUT, report
from runner.errors import RunnerError, choose_exit_code
from runner.profiles import find_config, make_defaults


class CommandGroup(TyperGroup):
    """Turns the errors that have a name into a message and an exit code; others are defects."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - as the method that it overrides
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except (RunnerError, CJError) as error:
            report(error)
            raise typer.Exit(choose_exit_code(error)) from None


app = CommandApp(
    name="cj",
    cls=CommandGroup,
    no_args_is_help=True,
    # Local variables hold essays and tokens; a traceback never shows them.
    pretty_exceptions_show_locals=False,
)


def _print_version(is_requested: bool) -> None:  # noqa: FBT001 - typer calls it with the flag's value
    if is_requested:
        OUT.print(f"cj {installed_version('cj-runner')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    *,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            envvar="CJ_PROFILE",
            help="Profile of ~/.config/cj/config.toml (or CJ_CONFIG) with options for commands.",
        ),
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Comparative judgement of essays: run, follow and read batches, or fit judgements off line.

    Exit codes: 0 done, 1 the batch failed or cannot do what is asked, 2 bad input, 3 no stack, no
    judge or no access to it, 130 interrupted.

    Options come from flags, else from environment variables, else from the profile. Results go to
    standard output, everything else to standard error. NO_COLOR is respected. Completion of the
    shell: cj --install-completion.
    """
    del version  # its callback has printed it
    if isinstance(context.command, TyperGroup):
        path = find_config(os.environ)
        context.default_map = make_defaults(context.command, context, path, profile)


_batches = CommandApp(no_args_is_help=True, help="Batches: list, follow, read and end them.")
_batches.command("list")(list_batches)
for _command in (status, results, comparisons, cancel, redrive):
    _batches.command()(_command)

app.command()(plan)
app.command("dry-run")(dry_run)
app.command()(simulate)
app.command()(execute)
app.command("prompt-check")(prompt_check)
app.command()(watch)
app.command()(status)
app.command()(results)
app.command("report")(write_report_page)
app.command("list")(list_batches)
app.command()(comparisons)
app.command()(compare)
app.command()(show)
app.command()(rescore)
app.command()(export)
app.command("files")(list_files)
app.command("open")(open_page)
app.command()(cancel)
app.command()(redrive)
app.command()(attention)
app.command()(decide)
app.command()(release)
app.command()(delete)
app.command("export-essay")(export_essay)
app.command()(invite)
app.command("deadline")(move_deadline)
app.command("register-anchors")(register_anchors)
app.command()(token)
app.command()(fit)
app.add_typer(key.app, name="key")
app.add_typer(local_cloud.app, name="local")
app.add_typer(assignments.instructions, name="instructions")
app.add_typer(assignments.prompts, name="prompts")
app.add_typer(assignments.anchors, name="anchors")
app.add_typer(content.app, name="content")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(_batches, name="batches")
