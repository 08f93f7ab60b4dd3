"""Files that name the group of each essay, for the result's comparison of groups."""

from collections.abc import Sequence
from pathlib import Path

from assessment.domain.essay import SubmittedEssay
from assessment.domain.plain_text import normalise
from runner.checks import read_all, validate
from runner.csv_files import Row, read_csv
from runner.errors import BadInputError


def assign_groups(path: Path, essays: Sequence[SubmittedEssay]) -> list[SubmittedEssay]:
    """The essays with the groups of a CSV file with the columns essay_id and group.

    An essay that the file leaves out, or whose cell is empty, has no group.

    Raises
    ------
    BadInputError
        With file and row of every essay that there is not, that is named twice, or whose group
        cannot be a label.
    """
    table = read_csv(path)
    table.require("essay_id", "group")
    by_id = {essay.essay_id: essay for essay in essays}
    seen: dict[str, int] = {}

    def add_group(row: Row) -> SubmittedEssay:
        essay_id = normalise(row.get("essay_id"))
        if essay_id not in by_id:
            raise BadInputError(row.problem("essay_id", f"there is no essay {essay_id!r}"))
        if essay_id in seen:
            message = f"{essay_id} is in row {seen[essay_id]} too; name an essay once"
            raise BadInputError(row.problem("essay_id", message))
        seen[essay_id] = row.number
        values = by_id[essay_id].model_dump() | {"group": row.get("group") or None}
        return validate(SubmittedEssay, values, lambda _, message: row.problem("group", message))

    labelled, problems = read_all(table.rows, add_group)
    problems.raise_any()
    with_group = {essay.essay_id: essay for essay in labelled}
    return [with_group.get(essay.essay_id, essay) for essay in essays]
