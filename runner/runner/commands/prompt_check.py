"""`cj prompt-check`: what a prompt template makes of a judge, before a batch is paid for."""

import asyncio
import os
import uuid
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from assessment.domain.judge import MAX_LIST_SIZE, PAIR_SIZE, JudgeSpec, ListForm
from assessment.domain.jury import read_judges
from assessment.domain.prompt import JudgeInstructions
from runner.commands import options
from runner.console import OUT, emit, note
from runner.csv_files import read_csv
from runner.errors import BadInputError, Problem
from runner.essays import read_folder
from runner.files import to_json
from runner.offline.list_check import CostRatio, ListReport
from runner.offline.noise_check import NoiseReport
from runner.offline.prompt_check import PromptReport, check_prompt
from runner.offline.prompt_plan import plan_check
from runner.offline.prompt_questions import Asker
from runner.text_files import read_text


def prompt_check(
    folder: Annotated[Path, typer.Argument(help="Folder of essays to pair, as for cj execute.")],
    *,
    provider: Annotated[str, typer.Option(help="openai (any compatible) or anthropic.")] = "openai",
    model: Annotated[str, typer.Option(help="The model to ask.")],
    base_url: Annotated[str, typer.Option(help="Endpoint; the provider's own if left out.")] = "",
    key_variable: Annotated[
        str, typer.Option(help="Environment variable with the key.")
    ] = "CJ_JUDGE_KEY",
    template: Annotated[Path | None, typer.Option(help="Jinja2 template to check.")] = None,
    rubric: Annotated[Path | None, typer.Option(help="File with the judge's rubric.")] = None,
    pairs: Annotated[int, typer.Option(min=1, max=1000, help="How many pairs to ask about.")] = 20,
    list_size: Annotated[
        int,
        typer.Option(
            min=PAIR_SIZE,
            max=MAX_LIST_SIZE,
            help="Ask the same essays in lists of this size too, and compare both ways.",
        ),
    ] = PAIR_SIZE,
    list_form: Annotated[
        ListForm, typer.Option(help="What lists are asked for: gaps, or scores of their essays.")
    ] = ListForm.GAPS,
    repeat: Annotated[
        int,
        typer.Option(
            min=1, max=20, help="How often to ask every pair, to tell how much noise is sampling."
        ),
    ] = 1,
    price: Annotated[
        str | None,
        typer.Option(help="US dollars for a million tokens in and out, as 0.4,1.6."),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(help="CSV with text_a, text_b, verdict (a, b, tie) to agree with."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Ask a judge about pairs in both orders; report consistency, first-choice rate, agreement.

    With --list-size the same essays are ranked in lists too, with as many readings: what favours
    places, agreement with pairs, the ratio of sharpness with its interval, tokens and money to
    equal precision, and what to do. With --repeat the share of the judge's noise that is sampling.

    For example:

      cj prompt-check essays/ --model gpt-4.1-mini --pairs 60 --list-size 5

      cj prompt-check essays/ --model gpt-4.1-mini --pairs 30 --repeat 5
    """
    judge = _make_judge(
        {
            "provider": provider,
            "model": model,
            "base_url": base_url,
            "list_size": list_size,
            "list_form": list_form if list_size > PAIR_SIZE else None,
        },
        template=template,
        price=price,
    )
    texts = {essay.essay_id: essay.text for essay in read_folder(folder, ignore_others=True).essays}
    references = _references(reference) if reference else {}
    try:
        plan = plan_check(list(texts), n_pairs=pairs, list_size=list_size, n_repeats=repeat)
    except ValueError as error:
        raise BadInputError(Problem(str(error), file=str(folder), field="--list-size")) from error
    asker = Asker(
        judge,
        JudgeInstructions(judge_rubric=read_text(rubric) if rubric else ""),
        texts,
        run_id=str(uuid.uuid4()),
        key=_read_key(key_variable, base_url),
    )
    report = asyncio.run(check_prompt(asker, plan, references=references))
    if as_json:
        emit(to_json({"judge": judge.label, **_describe(report)}))
        return
    _print_report(report)
    note(_summary(report, judge))


def _read_key(key_variable: str, base_url: str) -> str | None:
    key = os.environ.get(key_variable)
    if not key and not base_url:
        message = f"set {key_variable}, or name a model of your own with --base-url"
        raise BadInputError(Problem(message, field="--key-variable"))
    return key


def _make_judge(request: dict[str, Any], *, template: Path | None, price: str | None) -> JudgeSpec:
    """The judge that is checked, asked about one comparison in a call."""
    if template:
        request["template_source"] = read_text(template)
    if price:
        request["price"] = _read_price(price)
    settings = {name: value for name, value in request.items() if value}
    (judge,) = read_judges({"batching_mode": "per_request", **settings}, is_admin=True)
    return judge


def _print_report(report: PromptReport) -> None:
    """The shares in a table, and what lists and repeats say."""
    OUT.print(_table(report))
    if report.lists:
        _print_lists(report.lists)
    if report.noise:
        _print_noise(report.noise)


def _read_price(text: str) -> dict[str, float]:
    """The price of a million tokens in and out."""
    try:
        into, out = map(float, text.split(","))
    except ValueError as error:
        message = f"{text!r} is not two numbers with a comma between, as 0.4,1.6"
        raise typer.BadParameter(message, param_hint="--price") from error
    return {"input_usd": into, "output_usd": out}


def _print_lists(report: ListReport) -> None:
    """What lists are worth beside pairs, in lines."""
    n_orders = report.n_lists - report.n_failed
    OUT.print(f"lists of {report.size}: {n_orders} whole orders of {report.n_lists}")
    if report.ratio is not None and report.ratio_interval is not None:
        low, high = report.ratio_interval
        OUT.print(
            f"sharpness in lists over that in pairs: {report.ratio:.2f} ({low:.2f} to {high:.2f}); "
            f"below .75 with probability {report.probability_blunt:.2f}"
        )
    if report.ratio is not None and report.log_ratio_error is not None:
        OUT.print(
            f"for the judge of a batch: list_size={report.size},list_ratio={report.ratio:.2f},"
            f"list_ratio_error={report.log_ratio_error:.2f}"
        )
    if report.place_effects:
        effects = zip(report.place_effects, report.place_effects_se, strict=True)
        cells = ", ".join(f"{effect:+.2f} (SE {error:.2f})" for effect, error in effects)
        OUT.print(f"favour of each place, logits: {cells}")
    for cost in report.costs:
        OUT.print(_describe_cost(cost))
    OUT.print(f"recommended: {report.recommendation}")


def _describe_cost(cost: CostRatio) -> str:
    """Tokens and money of lists for one of pairs."""
    low, high = cost.tokens_interval
    words = f"lists to equal precision, {cost.way}: {cost.tokens:.2f} of the tokens of pairs "
    words += f"({low:.2f} to {high:.2f})"
    if cost.money is None or cost.money_interval is None:
        return words
    low, high = cost.money_interval
    return f"{words}, {cost.money:.2f} of the money ({low:.2f} to {high:.2f})"


def _print_noise(report: NoiseReport) -> None:
    """How much of the judge's noise is sampling, in lines."""
    OUT.print(f"the same again: {report.n_same} of {report.n_repeats} repeats")
    if report.sampling_share is not None and report.interval is not None:
        low, high = report.interval
        share = f"{report.sampling_share:.2f} ({low:.2f} to {high:.2f})"
        OUT.print(f"share of the noise that is sampling: {share}")
    OUT.print(report.advice)


def _references(path: Path) -> dict[tuple[str, str], str]:
    """The majority's verdict on each pair, ids in sorted order; draws are left out."""
    table = read_csv(path)
    table.require("text_a", "text_b", "verdict")
    votes: dict[tuple[str, str], Counter[str]] = {}
    for row in table.rows:
        a, b, verdict = row.get("text_a"), row.get("text_b"), row.get("verdict").lower()
        if verdict not in ("a", "b", "tie"):
            raise BadInputError(row.problem("verdict", f"is {verdict!r}; write a, b or tie"))
        better = {"a": a, "b": b, "tie": ""}[verdict]
        low, high = sorted((a, b))
        verdict_in_order = {low: "A", high: "B", "": "tie"}[better]
        votes.setdefault((low, high), Counter())[verdict_in_order] += 1
    return {
        pair: "A" if counts["A"] > counts["B"] else "B"
        for pair, counts in votes.items()
        if counts["A"] != counts["B"]
    }


def _describe(report: PromptReport) -> dict[str, Any]:
    shares = [
        {**asdict(share), "value": share.value, "interval": share.interval}
        for share in report.all_shares
    ]
    document = {**asdict(report), "shares": shares}
    if report.lists:
        document["lists"].pop("shares")
    if report.noise:
        document["noise"]["advice"] = report.noise.advice
    return document


def _table(report: PromptReport) -> Table:
    table = Table("measure", "share", "95% interval", "counted")
    for share in report.all_shares:
        interval = share.interval
        table.add_row(
            share.name,
            "-" if share.value is None else f"{share.value:.2f}",
            "-" if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}",
            str(share.n_counted),
        )
    return table


def _summary(report: PromptReport, judge: JudgeSpec) -> str:
    cost = "at an unknown price" if report.cost_usd is None else f"for {report.cost_usd:.4f} USD"
    return f"{judge.label}: {report.n_calls} calls {cost}, {report.n_failed} without a verdict"
