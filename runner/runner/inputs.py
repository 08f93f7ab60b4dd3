"""From the options of a command to what the API takes, checked before anything is sent."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from assessment.contracts.parsing import parse
from assessment.contracts.request import AnchorRegistration, BatchRequest
from assessment.domain.config import HINTS, BatchConfig
from assessment.domain.errors import InvalidRequestError
from assessment.domain.field_problems import list_problems
from assessment.domain.grade_scale import GradeScale, find_scale
from assessment.domain.identifiers import canonical_sha256
from assessment.domain.masking import Masking
from assessment.domain.plain_text import normalise
from runner.anchors_file import AnchorsFile, read_anchors
from runner.checks import Problems, read_all
from runner.errors import BadInputError, Problem
from runner.essays import Folder, NameSource, Reading, UnreadableFilesError, read_folder
from runner.groups_file import assign_groups
from runner.judges import parse_judges
from runner.roster_file import read_roster
from runner.setting_text import list_names, read_value, split_setting
from runner.text_files import read_text


@dataclass(frozen=True)
class JudgeTexts:
    """Files that tell the judge what the essays are and what to look for."""

    instructions: Sequence[Path] = ()
    student_prompt: Path | None = None
    rubric: Path | None = None

    @property
    def paths(self) -> list[Path]:
        """All the files."""
        return [path for path in (*self.instructions, self.student_prompt, self.rubric) if path]

    def read(self) -> dict[str, str]:
        """The fields of a registration; several instruction files follow one another."""
        texts = {
            "instructions": "\n\n".join(read_text(path).strip() for path in self.instructions),
            "student_prompt": _read_optional_text(self.student_prompt),
            "judge_rubric": _read_optional_text(self.rubric),
        }
        return {field: text for field, text in texts.items() if text.strip()}


def _read_optional_text(path: Path | None) -> str:
    return read_text(path) if path else ""


@dataclass(frozen=True)
class Registration:
    """What to register for an assignment, and the file of its anchors, if it has any."""

    request: AnchorRegistration
    source: AnchorsFile | None


@dataclass(frozen=True)
class Assessment:
    """All that a batch needs: first the registration, if there is anything to register, then the
    request.
    """

    registration: Registration | None
    request: BatchRequest
    folder: Folder

    @property
    def texts(self) -> list[str]:
        """All texts that will be compared."""
        anchors = self.registration.request.anchors if self.registration else []
        return [essay.text for essay in self.request.essays] + [anchor.text for anchor in anchors]


def parse_scale(text: str | None) -> str | list[str] | None:
    """A scale's name as it is; labels from worst to best, with commas between, as a list.

    Raises
    ------
    BadInputError
        If the name is unknown or the labels make no scale.
    """
    if text is None:
        return None
    value = [label.strip() for label in text.split(",")] if "," in text else text
    try:
        find_scale(value)
    except InvalidRequestError as error:
        raise BadInputError(Problem(error.message, field="--scale")) from None
    return value


def parse_config(settings: Sequence[str]) -> dict[str, Any]:
    """`name=value` settings as the API takes them; values are JSON, or else plain words.

    Raises
    ------
    BadInputError
        With every setting that is malformed, unknown or out of its bounds.
    """
    pairs, problems = read_all(settings, _parse_setting)
    config = dict(pairs)
    problems += _find_values_out_of_bounds(config)
    problems.raise_any()
    return config


def _parse_setting(setting: str) -> tuple[str, object]:
    pair = split_setting(setting)
    if pair is None:
        field = f"--config {setting.partition('=')[0].strip()}".strip()
        raise BadInputError(Problem("write it as name=value", field=field))
    name, value = pair
    if HINTS.get(name, name) not in BatchConfig.model_fields:
        message = f"there is no such setting; {list_names(name, sorted(BatchConfig.model_fields))}"
        raise BadInputError(Problem(message, field=f"--config {name}"))
    return name, read_value(value)


def _find_values_out_of_bounds(config: dict[str, Any]) -> list[Problem]:
    try:
        BatchConfig.model_validate({HINTS.get(name, name): value for name, value in config.items()})
    except ValidationError as error:
        return [
            Problem(message, field=f"--config {name}") for name, message in list_problems(error)
        ]
    return []


def _make_request[M: BaseModel](
    model: type[M], values: dict[str, Any], options: dict[str, str]
) -> M:
    """The model, or its objections under the names of the options that the values came from."""
    try:
        return parse(model, values)
    except InvalidRequestError as error:
        fields = error.problems or [(error.field, error.message)]
        raise BadInputError(
            *(Problem(message, field=options.get(field, field)) for field, message in fields)
        ) from None


_OPTIONS = {
    "assignment_id": "--assignment",
    "grade_scale": "--scale",
    "instructions": "--instructions",
    "student_prompt": "--student-prompt",
    "judge_rubric": "--rubric",
}


def read_registration(
    anchors: Path | None,
    *,
    assignment: str | None,
    scale: str | None,
    texts: JudgeTexts,
    title: str,
    settings: Sequence[str] = (),
    roster: Path | None = None,
    mask: bool = False,
) -> Registration:
    """The registration of an anchors file, of texts for the judge, or of both.

    The settings are those of every later batch of the assignment. Without an assignment id, one
    is made of the title and a hash of what is registered: the same anchors and texts always meet
    again under the same id, and never mix with others. With `mask`, or a `roster` of names, the
    registration asks for masking.

    Raises
    ------
    BadInputError
    """
    grade_scale = parse_scale(scale)
    checked_scale = _choose_scale(assignment, grade_scale)
    source = read_anchors(anchors, scale=checked_scale) if anchors else None
    values: dict[str, Any] = {"anchors": _dump_anchors(source), **texts.read()}
    if grade_scale is not None:
        values["grade_scale"] = grade_scale
    if config := parse_config(settings):
        values["config"] = config
    values["assignment_id"] = assignment or f"{_slug(title)}-{canonical_sha256(values)[:8]}"
    values |= _read_masking(roster, mask=mask)
    return Registration(_make_request(AnchorRegistration, values, _OPTIONS), source)


def _dump_anchors(source: AnchorsFile | None) -> list[dict[str, Any]]:
    return [anchor.model_dump() for anchor in source.anchors] if source else []


def _choose_scale(assignment: str | None, scale: str | list[str] | None) -> GradeScale | None:
    """The scale to check grades against; an assignment may have one that only the stack knows."""
    return None if assignment and scale is None else find_scale(scale)


def _slug(title: str) -> str:
    return re.sub(r"[\W_]+", "-", normalise(title)).strip("-")[:80] or "assignment"


def read_assessment(
    folder: Path,
    *,
    anchors: Path | None,
    assignment: str | None,
    scale: str | None,
    texts: JudgeTexts,
    settings: Sequence[str],
    judges: Sequence[str] = (),
    groups: Path | None = None,
    names: Path | None = None,
    named_after: NameSource = NameSource.FILE,
    ignore_others: bool = False,
    output: Path | None = None,
    roster: Path | None = None,
    mask: bool = False,
) -> Assessment:
    """Everything that `cj execute` sends; `output` may lie in the folder and is no essay.

    With `mask`, or a `roster` of names, the request asks for masking.

    Raises
    ------
    BadInputError
        With the problems of the anchors, the folder, the settings and the judges together; an
        UnreadableFilesError if files of the folder are among them.
    """
    problems = Problems()
    readings: list[Reading] = []
    registration: Registration | None = None
    with problems.collect():
        registration = _read_own_registration(
            anchors, assignment=assignment, scale=scale, texts=texts, title=folder.resolve().name
        )
    with problems.collect():
        config = parse_config(settings)
    with problems.collect():
        jury = parse_judges(judges)
    with problems.collect():
        masking = _read_masking(roster, mask=mask)
    with problems.collect():
        others = (anchors, groups, output, roster, *texts.paths, *_find_files(judges))
        files = [path for path in others if path]
        if registration and registration.source:
            files += registration.source.files
        essay_folder = _read_essay_folder(
            folder,
            readings,
            known_files=files,
            ignore_others=ignore_others,
            names=names,
            named_after=named_after,
        )
        essays = assign_groups(groups, essay_folder.essays) if groups else essay_folder.essays
    _raise_any(problems, readings)
    values: dict[str, Any] = {
        "essays": [essay.model_dump() for essay in essays],
        "config": config,
        **masking,
        "assignment_id": registration.request.assignment_id if registration else assignment,
    }
    if jury:
        values["judge"] = jury if len(jury) > 1 else jury[0]
    return Assessment(registration, _make_request(BatchRequest, values, _OPTIONS), essay_folder)


def _read_essay_folder(
    folder: Path,
    readings: list[Reading],
    *,
    known_files: Sequence[Path],
    ignore_others: bool,
    names: Path | None,
    named_after: NameSource,
) -> Folder:
    """The folder; where files of it cannot be read, `readings` gets those that can."""
    try:
        return read_folder(
            folder,
            known_files=known_files,
            ignore_others=ignore_others,
            names=names,
            named_after=named_after,
        )
    except UnreadableFilesError as error:
        readings += error.readings
        raise


def _raise_any(problems: Problems, readings: Sequence[Reading]) -> None:
    if readings:
        raise UnreadableFilesError(*problems, readings=readings)
    problems.raise_any()


def _read_masking(roster: Path | None, *, mask: bool) -> dict[str, Any]:
    """The field of a request or a registration, if there is one.

    A roster asks for masking by itself: nobody names pupils for another reason.
    """
    masking = read_roster(roster) if roster else Masking() if mask else None
    return {"masking": masking.model_dump()} if masking else {}


def _read_own_registration(
    anchors: Path | None,
    *,
    assignment: str | None,
    scale: str | None,
    texts: JudgeTexts,
    title: str,
) -> Registration | None:
    """What a batch registers before it is requested; None where it has neither anchors nor texts.

    Raises
    ------
    BadInputError
    """
    if anchors is None and scale is not None:
        message = "grades need anchors; give --anchors too"
        raise BadInputError(Problem(message, field="--scale"))
    if anchors is None and not texts.paths:
        return None
    return read_registration(anchors, assignment=assignment, scale=scale, texts=texts, title=title)


def _find_files(judges: Sequence[str]) -> list[Path]:
    """The files that judges are described in."""
    return [Path(judge.strip()) for judge in judges if judge.strip().endswith(".json")]
