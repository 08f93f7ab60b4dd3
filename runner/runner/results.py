"""The end of a batch: its result in a file and on the terminal."""

import hashlib
import json
from pathlib import Path

from assessment.contracts.views import BatchProgress
from runner.api.answers import check_sha256, parse_result
from runner.batch_client import BatchClient
from runner.console import OUT, emit, note
from runner.files import write_whole
from runner.tables import ranking_table, summary_lines
from runner.waiting import require_completed


def show_result(
    client: BatchClient, batch: BatchProgress, output: Path | None, *, as_json: bool = False
) -> None:
    """Print the result of a batch that has ended, and save it.

    Raises
    ------
    BatchNotFinalisedError
        If it has ended without a result.
    """
    require_completed(batch)
    body = client.result_bytes(batch.batch_id)
    check_sha256(body, batch.result_sha256)
    if output is not None:
        write_whole(output, body)
    if output is not None:
        note(f"Result: {output} (SHA-256 {hashlib.sha256(body).hexdigest()})")
    if as_json:
        emit(f"{body.decode()}\n")
        return
    result = parse_result(json.loads(body))
    OUT.print(ranking_table(result))
    OUT.print()
    for line in summary_lines(result):
        OUT.print(line, markup=False, soft_wrap=True)
