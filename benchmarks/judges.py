"""What asking a judge costs beyond its own latency, and what bundles save.

A sample judge on a loopback port speaks chat completions with a fixed latency; its verdicts are
those of the sample's real people, its tokens are counted as four characters each. Reported: the
time per call of an endpoint that answers at once, with one client for all calls and with a new one
for every call; and calls, tokens and money per 100 comparisons in every mode. The peer of bundles
is per_request. The texts are short (about 50 words), which favours bundles: they share what is not
essay. Prices are example prices of 1 and 4 US dollars for a million tokens in and out. A provider's
batch is billed at half of them; its calls are those that submit it, look once after its end, read
the answers and delete the files. How long it takes is the provider's affair and is not measured.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from assessment.adapters.judges.capabilities import LocalCapabilities
from assessment.adapters.judges.model_judge import ModelBatchJudge, ModelJudge
from assessment.adapters.judges.openai import OpenAIModel
from assessment.adapters.judges.openai_batches import OpenAIBatchModel
from assessment.adapters.prompts import JinjaPrompts
from assessment.contracts.llm_protocol import (
    CallbackAddress,
    CompareEssay,
    CompareMetadata,
    CompareRequestV1,
    LLMComparisonResultV1,
)
from assessment.domain.judge import JudgeSpec, Provider
from assessment.domain.price import Price
from assessment.domain.prompt import EssayPair, JudgeInstructions
from assessment.domain.provider_batch import split_submission, submission_name
from benchmarks._common import Bar, Claim, arguments, report
from local.judge import human_judge
from local.judge.options import JudgeOptions
from local.judge.sample_judge import SampleJudge
from local.judge.serving import serve
from local.judge_endpoint import create_app

SAMPLE = Path(__file__).resolve().parent.parent / "samples" / "plastic-bottles"
LATENCY = 0.05
KEPT, NEW = "one client for all calls", "a new client for every call"
BUNDLES = (1, 5, 10)
IN_BATCHES = "provider_batch_api of 200"
RUBRIC = (
    "Weigh the strength of the argument first, then its structure, then the language. "
    "Length by itself is no merit."
)


@contextmanager
def sample_judge(latency: float) -> Iterator[str]:
    """The sample judge on a port of this machine."""
    judge = SampleJudge(human_judge.load(SAMPLE), JudgeOptions(latency=latency), lambda *_: None)
    with serve(create_app(judge)) as url:
        yield f"{url}/v1"


def pairs_of_texts(n_pairs: int) -> list[EssayPair]:
    """Pairs of the sample's texts, with ids as a wave has them."""
    files = sorted(SAMPLE.glob("*/*.txt"))
    texts = [file.read_text(encoding="utf-8") for file in files]
    pairs = itertools.islice(itertools.combinations(texts, 2), n_pairs)
    return [EssayPair(f"w001-{n:05d}", first, second) for n, (first, second) in enumerate(pairs)]


def questions(judge: JudgeSpec, pairs: Sequence[EssayPair]) -> list[CompareRequestV1]:
    """The requests of one call."""
    instructions = JudgeInstructions(judge_rubric=RUBRIC)
    blocks = JinjaPrompts().render(judge, instructions, pairs, bundle=True)
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
        answers = await ModelJudge(judge, OpenAIModel(client, None)).compare(
            questions(judge, bundle)
        )
        results += [each for each in answers if isinstance(each, LLMComparisonResultV1)]
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


def overheads(n_pairs: int) -> tuple[list[dict[str, object]], dict[bool, float]]:
    """Milliseconds per call with an endpoint that answers at once, by whether connections stay."""
    with sample_judge(0.0) as url:
        singles = [[pair] for pair in pairs_of_texts(n_pairs)]
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


@dataclass(frozen=True)
class Mode:
    """What a mode took for all comparisons, and what was answered."""

    calls: int
    results: list[LLMComparisonResultV1]
    seconds: float | None = None

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
        used = [result.token_usage for result in self.results if result.token_usage]
        return sum(each.input_tokens + each.output_tokens for each in used)

    @property
    def usd(self) -> float:
        """What they cost."""
        return sum(result.cost_usd or 0.0 for result in self.results)

    @property
    def winners(self) -> list[str | None]:
        """Who won each comparison."""
        return [result.winner for result in self.results]

    def row(self, what: str, scale: float) -> dict[str, object]:
        """Its line of the table."""
        return {
            "what": what,
            "calls": self.calls * scale,
            "tokens": self.tokens * scale,
            "usd": self.usd * scale,
            "seconds_one_by_one": None if self.seconds is None else self.seconds * scale,
        }


async def ask_in_batches(judge: JudgeSpec, pairs: Sequence[EssayPair]) -> Mode:
    """All comparisons by the provider's batches."""
    calls: list[httpx.Request] = []

    async def count(request: httpx.Request) -> None:
        calls.append(request)

    results: list[LLMComparisonResultV1] = []
    async with httpx.AsyncClient() as plain, httpx.AsyncClient() as counted:
        counted.event_hooks = {"request": [count]}
        looking = ModelBatchJudge(judge, OpenAIBatchModel(plain, None, LocalCapabilities()))
        asking = ModelBatchJudge(judge, OpenAIBatchModel(counted, None, LocalCapabilities()))
        for number, part in enumerate(split_submission(pairs, judge.provider_batch_size)):
            alone = [questions(judge, [pair]) for pair in part]
            batch = await asking.submit(submission_name("benchmark", 1, "openai", number), alone)
            while not await looking.has_ended(batch):  # noqa: ASYNC110 - the batch is elsewhere
                await asyncio.sleep(0.05)
            await asking.has_ended(batch)
            answers = await asking.read_results(batch, alone)
            results += [each for each in answers if isinstance(each, LLMComparisonResultV1)]
            await asking.delete(batch)
    return Mode(len(calls), results)


def modes(n_pairs: int) -> dict[str, Mode]:
    """Calls, tokens, money and seconds for so many comparisons in every mode."""
    found: dict[str, Mode] = {}
    with sample_judge(LATENCY) as url:
        judge, pairs = judge_at(url), pairs_of_texts(n_pairs)
        for size in BUNDLES:
            bundles = list(itertools.batched(pairs, size, strict=False))
            results, seconds = asyncio.run(ask(judge, bundles, keep=True))
            found[_name_mode(size)] = Mode(len(bundles), results, sum(seconds))
        found[IN_BATCHES] = asyncio.run(ask_in_batches(judge, pairs))
    return found


def _name_mode(bundle: int) -> str:
    return "per_request" if bundle == 1 else f"serial_bundle of {bundle}"


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__)
    count = 100 if options.quick else 400
    overhead_rows, overhead = overheads(count)
    mode = modes(count)
    one, ten, batch = mode[_name_mode(1)], mode[_name_mode(10)], mode[IN_BATCHES]
    mode_rows = [each.row(name, 100 / count) for name, each in mode.items()]
    same = [each.winners == one.winners for each in mode.values()]
    report(
        options,
        rows=[*overhead_rows, *mode_rows],
        claims=[
            Claim("overhead per call, one client for all", overhead[True], "ms", Bar(high=25)),
            Claim(
                "a new client for every call against one for all",
                overhead[False] / overhead[True],
                "ratio",
                Bar(low=1.2),
            ),
            Claim("tokens of per_request against bundles of 10", one.tokens / ten.tokens, "ratio",
                  Bar(low=1.2)),
            Claim("time of per_request against bundles of 10",
                  (one.seconds or 0.0) / (ten.seconds or 1.0), "ratio", Bar(low=5)),
            Claim("cost of per_request against a provider's batch", one.usd / batch.usd, "ratio",
                  Bar(low=1.99)),
            Claim("same verdicts in every mode", sum(same) / len(same), "share", Bar(low=1)),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()
