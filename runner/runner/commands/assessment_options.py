"""Groups of options that say what is assessed and how it is judged."""

from dataclasses import dataclass
from datetime import datetime

from runner.commands import options
from runner.essays import NameSource
from runner.inputs import JudgeTexts


@dataclass(frozen=True, kw_only=True)
class NameOptions:
    """What gives the essays their ids."""

    names: options.Names = None
    named_after: options.NamedAfter = NameSource.FILE


@dataclass(frozen=True, kw_only=True)
class MaskOptions:
    """What is masked before anything is stored or judged."""

    roster: options.Roster = None
    mask: options.Mask = False


@dataclass(frozen=True, kw_only=True)
class TextOptions:
    """The files that tell the judge what the essays are and what to look for."""

    instructions: options.Instructions = None
    student_prompt: options.StudentPrompt = None
    rubric: options.Rubric = None

    @property
    def files(self) -> JudgeTexts:
        """The files together."""
        return JudgeTexts(self.instructions or (), self.student_prompt, self.rubric)


@dataclass(frozen=True, kw_only=True)
class JudgingOptions:
    """The settings of a batch, and its judges."""

    config: options.Config = None
    max_comparisons: options.MaxComparisons = None
    judge: options.Judge = None

    @property
    def judges(self) -> list[str]:
        """The judges that are named; none for the stack's own endpoint."""
        return self.judge or []

    def list_settings(self, judging_deadline: datetime | None = None) -> list[str]:
        """All settings as name=value.

        Raises
        ------
        BadInputError
            If one is given both ways.
        """
        return options.join_settings(self.config, self.max_comparisons, judging_deadline)
