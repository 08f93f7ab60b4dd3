"""What asking a judge costs beyond its own latency, and what bundles save.

A sample judge on a loopback port speaks chat completions with a fixed latency; its verdicts are
those of the sample's real people, its tokens are counted as four characters each. Reported: the
time per call of an endpoint that answers at once, with one client for all calls and with a new one
for every call; and calls, tokens and money per 100 comparisons in every mode. The peer of bundles
is per_request. The texts are short (about 50 words), which favours bundles: they share what is not
essay. Prices are example prices of 1 and 4 US dollars for a million tokens in and out.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from assessment.adapters.judges.model_judge import ModelJudge
from assessment.adapters.judges.openai import OpenAIModel
from assessment.adapters.prompts import JinjaPrompts
from assessment.domain.judge import JudgeSpec, Price, Provider
from assessment.domain.llm_protocol import (
    CallbackAddress,
    CompareEssay,
    CompareMetadata,
    CompareRequestV1,
    LLMComparisonResultV1,
)
from assessment.domain.prompt import EssayPair, JudgeInstructions
from benchmarks._common import Claim, arguments, at_least, at_most, report
from local import human_judge
from local.judge_endpoint import SampleJudge, create_app
from local.judge_options import JudgeOptions
from local.serving import served

SAMPLE = Path(__file__).resolve().parent.parent / "samples" / "plastic-bottles"
LATENCY = 0.05
KEPT, NEW = "one client for all calls", "a new client for every call"
BUNDLES = (1, 5, 10)
RUBRIC = (
    "Weigh the strength of the argument first, then its structure, then the language. "
    "Length by itself is no merit."
)


@contextmanager
def sample_judge(latency: float) -> Iterator[str]:
    """The sample judge on a port of this machine."""
    judge = SampleJudge(human_judge.load(SAMPLE), JudgeOptions(latency=latency), lambda *_: None)
    with served(create_app(judge)) as url:
        yield f"{url}/v1"


def pairs_of_texts(count: int) -> list[EssayPair]:
    """Pairs of the sample's texts, with ids as a wave has them."""
    files = sorted(SAMPLE.glob("*/*.txt"))
    texts = [file.read_text(encoding="utf-8") for file in files]
    pairs = itertools.islice(itertools.combinations(texts, 2), count)
    return [EssayPair(f"w001-{n:05d}", first, second) for n, (first, second) in enumerate(pairs)]


def questions(judge: JudgeSpec, pairs: Sequence[EssayPair]) -> list[CompareRequestV1]:
    """The requests of one call."""
    told = JudgeInstructions(judge_rubric=RUBRIC)
    blocks = JinjaPrompts().render(judge, told, pairs, bundle=True)
    return [
        CompareRequestV1(
            correlation_id=pair.comparison_id,
            callback=CallbackAddress(queue_url="none"),
            essay_a=CompareEssay(essay_id="a", text=pair.essay_a),
            essay_b=CompareEssay(essay_id="b", text=pair.essay_b),
            prompt_blocks=blocks,
            metadata=CompareMetadata(
                batch_id="benchmark",
                wave=1,
                comparison_id=pair.comparison_id,
                essay_a_id="a",
                essay_b_id="b",
                prompt_sha256="",
            ),
        )
        for pair in pairs
    ]


async def ask(
    judge: JudgeSpec, bundles: Sequence[Sequence[EssayPair]], *, keep: bool
) -> tuple[list[LLMComparisonResultV1], list[float]]:
    """The results of all bundles, one after another, and the seconds of each call."""
    results: list[LLMComparisonResultV1] = []
    seconds: list[float] = []
    kept = httpx.AsyncClient()
    for bundle in bundles:
        started = time.perf_counter()
        client = kept if keep else httpx.AsyncClient()
        results += await ModelJudge(judge, OpenAIModel(client, None)).compare(
            questions(judge, bundle)
        )
        if not keep:
            await client.aclose()
        seconds.append(time.perf_counter() - started)
    await kept.aclose()
    return results, seconds


def judge_at(url: str) -> JudgeSpec:
    """A judge at the endpoint with example prices."""
    return JudgeSpec(
        provider=Provider.OPENAI,
        model="people",
        base_url=url,
        price=Price(input_usd=1.0, output_usd=4.0),
    )


def overheads(count: int) -> tuple[list[dict[str, object]], dict[bool, float]]:
    """Milliseconds per call with an endpoint that answers at once, by whether connections stay."""
    with sample_judge(0.0) as url:
        singles = [[pair] for pair in pairs_of_texts(count)]
        found = {
            keep: 1000 * statistics.median(asyncio.run(ask(judge_at(url), singles, keep=keep))[1])
            for keep in (True, False)
        }
    rows: list[dict[str, object]] = [
        {
            "what": f"overhead, {KEPT if keep else NEW}",
            "ms_per_call": ms,
        }
        for keep, ms in found.items()
    ]
    return rows, found


def modes(count: int) -> tuple[list[dict[str, object]], dict[int, tuple[float, float, bool]]]:
    """Calls, tokens, money and seconds per 100 comparisons, by the size of bundles."""
    rows: list[dict[str, object]] = []
    found: dict[int, tuple[float, float, bool]] = {}
    answers: dict[int, list[str | None]] = {}
    with sample_judge(LATENCY) as url:
        pairs = pairs_of_texts(count)
        for size in BUNDLES:
            bundles = list(itertools.batched(pairs, size, strict=False))
            results, seconds = asyncio.run(ask(judge_at(url), bundles, keep=True))
            answers[size] = [result.winner for result in results]
            used = [result.token_usage for result in results if result.token_usage]
            tokens = sum(each.input_tokens + each.output_tokens for each in used)
            cost = sum(result.cost_usd or 0.0 for result in results)
            scale = 100 / count
            rows.append(
                {
                    "what": "per_request" if size == 1 else f"serial_bundle of {size}",
                    "calls": len(bundles) * scale,
                    "tokens": tokens * scale,
                    "usd": cost * scale,
                    "seconds_one_by_one": sum(seconds) * scale,
                }
            )
            found[size] = (tokens * scale, sum(seconds) * scale, answers[size] == answers[1])
    return rows, found


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__)
    count = 100 if options.quick else 400
    overhead_rows, overhead = overheads(count)
    mode_rows, mode = modes(count)
    one, ten = mode[1], mode[10]
    report(
        options,
        rows=[*overhead_rows, *mode_rows],
        claims=[
            Claim("overhead per call, one client for all", overhead[True], "ms", at_most(25)),
            Claim(
                "a new client for every call against one for all",
                overhead[False] / overhead[True],
                "ratio",
                at_least(1.2),
            ),
            Claim("tokens of per_request against bundles of 10", one[0] / ten[0], "ratio",
                  at_least(1.2)),
            Claim("time of per_request against bundles of 10", one[1] / ten[1], "ratio",
                  at_least(5)),
            Claim("same verdicts in every mode", float(all(m[2] for m in mode.values())), "share",
                  at_least(1)),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()
