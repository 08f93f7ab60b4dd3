"""What a reader must know to read a result right: its notes, from the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from assessment.domain.comparison import Comparison
from assessment.domain.config import BatchConfig
from assessment.domain.grading_result import NoGrades, NoGradesReason
from assessment.domain.judge import EMBEDDING_MODEL, SURFACE_CAUTION, JudgeSpec, Provider
from assessment.domain.judges_in_lists import ListSharpness, find_blunt_judges
from assessment.domain.note import Note, NoteCode
from assessment.domain.result import Scores
from assessment.domain.spec import BatchSpec

_JUDGED_AGAIN = Note(
    code=NoteCode.JUDGED_AGAIN,
    message="Some pairs were judged again in reversed order. By the same judge and specification "
    "that is no new evidence about the essays; it informs only the order effect.",
)


def list_notes(
    spec: BatchSpec, comparisons: Sequence[Comparison], scores: Scores, config: BatchConfig
) -> list[Note]:
    """The notes of a result, in the order in which they are read."""
    return [
        *([_JUDGED_AGAIN] if any(each.resampled for each in comparisons) else []),
        *_note_unproven(scores, config),
        *_note_served_models(comparisons),
        *_note_surface(spec, comparisons),
        *_note_lists(scores.list_sharpness),
    ]


def list_voices(comparisons: Sequence[Comparison]) -> list[str]:
    """Who gave a verdict, by label."""
    return sorted({comparison.verdict.judge for comparison in comparisons if comparison.verdict})


def explain_unproven(scores: Scores, config: BatchConfig) -> NoGrades:
    """Why there are no grades though there is a ranking."""
    interval = scores.reliability.reliability_interval or (0.0, 1.0)
    if interval[0] >= config.min_reliability:
        return NoGrades(
            code=NoGradesReason.FEW_VERDICTS,
            message="there are too few verdicts to tell this judge from one who ignores the essays",
        )
    return NoGrades(
        code=NoGradesReason.UNRELIABLE,
        message=f"the reliability of the ranking lies between {interval[0]:.2f} and "
        f"{interval[1]:.2f} with 90% probability; grades need a lower limit of "
        f"{config.min_reliability:.2f}",
    )


def _note_unproven(scores: Scores, config: BatchConfig) -> list[Note]:
    if scores.is_proven(min_reliability=config.min_reliability):
        return []
    message = (
        f"Not proven: {explain_unproven(scores, config).message}. This says nothing against the "
        "judge: more comparisons may prove the ranking, and the forecast of the reliability "
        "says how many."
    )
    return [Note(code=NoteCode.NOT_PROVEN, message=message)]


def _note_served_models(comparisons: Sequence[Comparison]) -> list[Note]:
    """A note for every judge for which more than one model answered."""
    served: dict[str, Counter[str]] = {}
    for comparison in comparisons:
        verdict = comparison.verdict
        if verdict is not None and verdict.served_model is not None:
            version = f" ({verdict.served_version})" if verdict.served_version else ""
            names = served.setdefault(verdict.judge, Counter())
            names[f"{verdict.served_model}{version}"] += 1
    return [_note_models(judge, names) for judge, names in sorted(served.items()) if len(names) > 1]


def _note_models(judge: str, names: Counter[str]) -> Note:
    counted = ", ".join(f"{name} for {count} verdicts" for name, count in sorted(names.items()))
    return Note(
        code=NoteCode.SEVERAL_MODELS,
        message=f"The provider served more than one model or version for {judge}: {counted}. With "
        "pin_model another model is refused.",
        values={
            "judge": judge,
            "models": ", ".join(f"{name}: {count}" for name, count in sorted(names.items())),
        },
    )


def _note_surface(spec: BatchSpec, comparisons: Sequence[Comparison]) -> list[Note]:
    """A note for every judge that only counts, so that nobody takes its verdicts for readings."""
    gave = set(list_voices(comparisons))
    judges = [judge for judge in spec.judges if judge.provider is Provider.SURFACE]
    return [
        Note(
            code=NoteCode.SURFACE_JUDGE,
            message=f"{judge.label} {SURFACE_CAUTION}: it counts words, sentences and "
            f"marks{_also(judge)}, and reads nothing.",
            values={"judge": judge.label},
        )
        for judge in judges
        if judge.label in gave
    ]


def _also(judge: JudgeSpec) -> str:
    """What the judge measures beside what it counts."""
    return " and embeds the text" if judge.model == EMBEDDING_MODEL else ""


def _note_lists(sharpness: Sequence[ListSharpness]) -> list[Note]:
    """A note for every judge that is too blunt in lists, or of whom nobody knows."""
    blunt = [
        Note(
            code=NoteCode.LISTS_TOO_BLUNT,
            message=f"{label} tells essays apart much less sharply in lists than in pairs "
            "(lists_too_blunt). Its lists are in the result with the weight that this leaves them; "
            "ask it for pairs.",
            values={"judge": label},
        )
        for label in sorted(find_blunt_judges(sharpness))
    ]
    unknown = sorted({entry.judge for entry in sharpness if not entry.is_known})
    return blunt + [
        Note(
            code=NoteCode.LIST_SHARPNESS_UNKNOWN,
            message=f"{label} judged no pairs, so nobody knows how sharp it is in lists beside "
            "pairs.",
            values={"judge": label},
        )
        for label in unknown
    ]
