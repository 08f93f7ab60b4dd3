"""Everything that is kept about one essay, as its writer may ask for it (GDPR, article 15)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from assessment.domain.batch import BatchStatus
from assessment.domain.comparison import ComparisonStatus
from assessment.domain.essay_flags import EssayFlag
from assessment.domain.grade_decision import GradeDecision
from assessment.domain.masking import MaskKind
from assessment.domain.not_assessed import NotAssessed
from assessment.domain.result import Ranking
from assessment.domain.verdict import ListVerdict, Verdict


class ExportedComparison(BaseModel):
    """A comparison of the essay with others, which are not named.

    `position` says in which place the essay was shown: first, second and so on. The reason that
    the judge gave, `verdict.justification`, may be about the other essays too. Of a list, `rank` is
    the essay's place in the judge's order, and the order names the others by where they were shown.
    """

    comparison_id: str
    wave: int
    position: str
    status: ComparisonStatus
    is_preferred: bool | None
    verdict: Verdict | ListVerdict | None
    rank: Annotated[int | None, Field(exclude_if=lambda rank: rank is None)] = None


class ExportedControl(BaseModel):
    """A verdict by which a judge's consistency was checked: no evidence, but about the essay too.

    Of a pair that was judged before; `agrees` says whether it is what was said then.
    """

    comparison_id: str
    judge: str
    is_preferred: bool | None
    agrees: bool | None


class EssayGrades(BaseModel):
    """What the result says of the essay's grade; empty where it says nothing."""

    primary_grade: str | None = None
    refined_grade: str | None = None
    grade_probabilities: dict[str, float] = {}
    grade_set: list[str] = []
    calibrated_set: list[str] = []
    confidence: str | None = None
    pass_probability: float | None = None


class EssayExport(BaseModel):
    """All that is kept about one essay.

    `recipients` are the judges that were sent its text, whether they answered or not, persons by
    their names. `ranking` and `grades` are of the result, which exists when the batch has
    completed.
    """

    organisation: str
    batch_id: str
    essay_id: str
    assignment_id: str | None
    status: BatchStatus
    requested_at: datetime
    exported_at: datetime
    text: str
    text_sha256: str
    group: str | None
    flags: list[EssayFlag]
    n_masked: dict[MaskKind, int]
    ranking: Ranking | None
    grades: EssayGrades
    not_assessed: NotAssessed | None
    comparisons: list[ExportedComparison]
    controls: list[ExportedControl]
    decisions: list[GradeDecision]
    released_at: datetime | None
    recipients: list[str]
