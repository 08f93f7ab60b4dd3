"""The keys of all documents in the bucket.

Whatever is known of a batch lies below one folder, its texts too: what is erased there takes
nothing of another batch, and leaves nothing.
"""

from __future__ import annotations

from assessment.domain.batch import Batch
from assessment.domain.identifiers import content_sha256


def manifest_key(batch: Batch) -> str:
    """Where the batch's list of essays is kept until they are prepared.

    The key holds the request's hash: another request under the same idempotency key is refused
    only after its essays are stored, and must not replace those of the first.
    """
    return f"batches/{batch.batch_id}/request-{batch.request_sha256[:16]}.json"


def judge_texts_key(batch: Batch) -> str:
    """Where the texts for the judge are kept that the batch's own request brought."""
    return f"batches/{batch.batch_id}/judge-texts-{batch.request_sha256[:16]}.json"


def batch_folder(batch_id: str) -> str:
    """The folder of all that is kept of a batch."""
    return f"batches/{batch_id}"


def result_key(batch_id: str) -> str:
    """Where the batch's result is kept."""
    return f"batches/{batch_id}/result.json"


def decisions_key(batch_id: str, sha256: str) -> str:
    """Where the released decisions with this hash are kept."""
    return f"batches/{batch_id}/decisions-{sha256[:16]}.json"


def comparisons_key(batch_id: str) -> str:
    """Where every verdict of the batch is kept, for audit."""
    return f"batches/{batch_id}/comparisons.jsonl"


def essays_key(batch_id: str) -> str:
    """Where the students' records are kept as a table."""
    return f"batches/{batch_id}/essays.csv"


def scores_key(batch_id: str, wave_number: int) -> str:
    """Where the abilities after a wave are kept."""
    return f"batches/{batch_id}/scores/wave-{wave_number:04d}.json"


def spec_key(batch_id: str) -> str:
    """Where the frozen specification of the batch is kept."""
    return f"batches/{batch_id}/spec.json"


def surface_key(batch_id: str) -> str:
    """Where the surface figures of the batch's essays are kept, without a word of their texts."""
    return f"batches/{batch_id}/surface.json"


def plan_key(batch_id: str, wave_number: int, body_sha256: str) -> str:
    """Where the plan of a wave is kept; another plan of the same wave has another key."""
    return f"batches/{batch_id}/waves/{wave_number:04d}-{body_sha256[:16]}.json"


def unjudged_key(batch_id: str, wave_number: int, body_sha256: str) -> str:
    """Where the comparisons without a verdict at the wave's decision are kept."""
    return f"batches/{batch_id}/waves/{wave_number:04d}-unjudged-{body_sha256[:16]}.json"


def not_assessed_key(batch_id: str, wave_number: int, body_sha256: str) -> str:
    """Where the essays that were set aside at the wave's decision are kept."""
    return f"batches/{batch_id}/waves/{wave_number:04d}-not-assessed-{body_sha256[:16]}.json"


def batch_texts(batch_id: str) -> str:
    """The folder of a batch's own copies of the texts of its essays, students and anchors."""
    return f"batches/{batch_id}/texts"


def anchor_texts(assignment_id: str) -> str:
    """The folder of the texts of an assignment's anchors.

    It has the hash of the id: ids may be longer than the name of a folder can be.
    """
    return f"assignments/{content_sha256(assignment_id)[:32]}/texts"


CONTENT_TEXTS = "content/texts"
"""The folder of texts that wait for a request to name them; the bucket forgets them in a week."""


MANIFESTS = "content/manifests"
"""The folder of uploaded manifests."""


def upload_key(manifest_id: str) -> str:
    """Where a manifest is uploaded to; the bucket forgets it in a week."""
    return f"{MANIFESTS}/{manifest_id}.jsonl"


def manifest_copy_key(batch: Batch) -> str:
    """Where a batch keeps the manifest as it was when it was requested."""
    return f"batches/{batch.batch_id}/manifest-{batch.request_sha256[:16]}.jsonl"


def text_key(folder: str, sha256: str) -> str:
    """Where the text with this hash is kept in a folder."""
    return f"{folder}/{sha256}.txt"


def provider_batch_folder(name: str) -> str:
    """The folder of a submission to a provider's batch."""
    return f"provider-batches/{name}"


def provider_batch_key(name: str, file_name: str) -> str:
    """Where a file of a submission to a provider's batch is kept."""
    return f"{provider_batch_folder(name)}/{file_name}"
