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

from assessment.domain.judge import JudgeSpec
from assessment.domain.jury import read_judges
from assessment.domain.prompt import JudgeInstructions
from runner.commands import options
from runner.console import OUT, emit, note
from runner.csv_files import read_csv
from runner.errors import BadInputError
from runner.essays import read_folder
from runner.files import to_json
from runner.offline.prompt_check import PromptReport, check_prompt, choose_pairs
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
    reference: Annotated[
        Path | None,
        typer.Option(help="CSV with text_a, text_b, verdict (a, b, tie) to agree with."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Ask a judge about pairs in both orders; report consistency, first-choice rate, agreement."""
    request: dict[str, Any] = {"provider": provider, "model": model, "batching_mode": "per_request"}
    if base_url:
        request["base_url"] = base_url
    if template:
        request["template_source"] = read_text(template)
    (judge,) = read_judges(request, is_admin=True)
    texts = {essay.essay_id: essay.text for essay in read_folder(folder, ignore_others=True).essays}
    references = _references(reference) if reference else {}
    candidates = choose_pairs(list(texts), pairs)
    report = asyncio.run(
        check_prompt(
            judge,
            texts,
            candidates,
            run_id=str(uuid.uuid4()),
            instructions=JudgeInstructions(judge_rubric=read_text(rubric) if rubric else ""),
            key=os.environ.get(key_variable),
            references=references,
        )
    )
    if as_json:
        emit(to_json({"judge": judge.label, **_describe(report)}))
        return
    OUT.print(_table(report))
    note(_summary(report, judge))


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
        for share in report.shares
    ]
    return {**asdict(report), "shares": shares}


def _table(report: PromptReport) -> Table:
    table = Table("measure", "share", "95% interval", "counted")
    for share in report.shares:
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
