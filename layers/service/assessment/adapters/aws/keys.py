"""Keys of the one table.

What is an organisation's own lies in partitions that begin with it, `ORGANISATION#<organisation>#`:

BATCH#<id>          BATCH | WAVE#<n>
BATCH#<id>#WAVE#<n> COMPARISON#<comparison id>
PENDING#<id>#<n>    <comparison id>
ASSIGNMENT#<id>     INSTRUCTIONS | ANCHOR#<ref>
ASSIGNMENT#<id>#HISTORY#<judge spec hash>   SPEC#<spec hash>
BATCH#<id>#WAITING#<n> <place>#<comparison id> | ~count
BATCH#<id>#PEOPLE   PERSON#<person>
BATCH#<id>#PERSON#<person> <comparison id>
BATCH#<id>#PROVIDER_BATCHES <submission>
BATCH#<id>#SERVED_MODELS <judge>
BATCH#<id>#DECISIONS ESSAY#<essay id>#<number>
BATCH#<id>#ERASURES <erasure id>
POLICY              RELEASE | RETENTION
WEBHOOKS            <webhook id>
ASSIGNMENTS         <assignment id>
CONTENT#<sha256>    TEXT
IDEMPOTENCY#<hash>  BATCH
BATCHES             <created at>#<batch id>
TRAIL#AUDIT         <moment>#<entry>
BATCH#<id>#TRAIL#AUDIT <moment>#<entry>

What the machinery shares has nothing of an essay or a verdict in it:

ACTIVE              BATCH#<id>
ERASING             <batch id>#<erasure id>
RETENTION           <expires at>#<batch id>
DIRECTORY#<id>      ORGANISATION
PROVIDER_BATCH#<provider's id> CLAIM
JUDGE#<circuit>     CIRCUIT | CAPABILITIES | MINUTE#<minute>
SIGNATURE#<value>   ACCEPTED
"""

from __future__ import annotations

from datetime import UTC, datetime

from assessment.domain.identifiers import content_sha256, find_queue_place

Key = dict[str, str]

RETENTION = "RETENTION"
SHARED = ("ACTIVE", "ERASING", "RETENTION", "DIRECTORY#", "PROVIDER_BATCH#", "JUDGE#", "SIGNATURE#")
"""Beginnings of the partitions that all organisations share; every other one is of one of them."""


def place_partition(partition: str, organisation: str) -> str:
    """The partition as it is stored for an organisation."""
    if partition.startswith(SHARED):
        return partition
    return f"ORGANISATION#{organisation}#{partition}"


def directory(batch_id: str) -> Key:
    """Which organisation a batch is of: for the machinery, which knows batches by their ids."""
    return {"PK": f"DIRECTORY#{batch_id}", "SK": "ORGANISATION"}


def key_claim(idempotency_key: str) -> Key:
    """What an idempotency key stands for; its hash, as callers choose keys of any form."""
    return {"PK": f"IDEMPOTENCY#{content_sha256(idempotency_key)}", "SK": "BATCH"}


BATCHES = "BATCHES"
"""The partition that lists the batches of an organisation by time."""

AUDIT = "TRAIL#AUDIT"
"""The partition of an organisation's audit trail.

Permissions name these partitions by their end, which no partition has that ends with a name of
somebody's choosing.
"""


def listed_batch(created_at: datetime, batch_id: str) -> Key:
    """The entry of a batch in the list by time."""
    return {"PK": BATCHES, "SK": f"{sortable(created_at)}#{batch_id}"}


def audit_entry(moment: datetime, entry_id: str) -> Key:
    """An entry of the audit trail."""
    return {"PK": AUDIT, "SK": f"{sortable(moment)}#{entry_id}"}


def batch_audit_entry(batch_id: str, moment: datetime, entry_id: str) -> Key:
    """The same entry in the trail of its batch."""
    return {"PK": batch_audit(batch_id), "SK": f"{sortable(moment)}#{entry_id}"}


def batch_audit(batch_id: str) -> str:
    """The partition of a batch's own part of the audit trail."""
    return f"BATCH#{batch_id}#{AUDIT}"


WEBHOOKS = "WEBHOOKS"
"""The partition of an organisation's webhooks."""


def webhook(webhook_id: str) -> Key:
    """A webhook."""
    return {"PK": WEBHOOKS, "SK": webhook_id}


def sortable(moment: datetime) -> str:
    """A moment as a text that sorts by time."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def batch(batch_id: str) -> Key:
    """The record of a batch."""
    return {"PK": f"BATCH#{batch_id}", "SK": "BATCH"}


def wave(batch_id: str, wave_number: int) -> Key:
    """A wave of a batch; padded, so that waves sort by number."""
    return {"PK": f"BATCH#{batch_id}", "SK": f"WAVE#{wave_number:04d}"}


def comparison(batch_id: str, wave_number: int, comparison_id: str) -> Key:
    """A comparison, in a partition of its wave so that load spreads."""
    return {
        "PK": comparison_partition(batch_id, wave_number),
        "SK": f"COMPARISON#{comparison_id}",
    }


def comparison_partition(batch_id: str, wave_number: int) -> str:
    """The partition of a wave's comparisons."""
    return f"BATCH#{batch_id}#WAVE#{wave_number:04d}"


def pending(batch_id: str, wave_number: int, comparison_id: str) -> Key:
    """The mark that a wave still waits for a comparison."""
    return {"PK": pending_partition(batch_id, wave_number), "SK": comparison_id}


def pending_partition(batch_id: str, wave_number: int) -> str:
    """The partition of a wave's pending marks."""
    return f"PENDING#{batch_id}#{wave_number:04d}"


def content(content_id: str) -> Key:
    """The mark of a text that was stored or announced."""
    return {"PK": f"CONTENT#{content_id}", "SK": "TEXT"}


ASSIGNMENTS = "ASSIGNMENTS"
"""The partition that lists the assignments of an organisation."""


def listed_assignment(assignment_id: str) -> Key:
    """The entry of an assignment in the list."""
    return {"PK": ASSIGNMENTS, "SK": assignment_id}


def assignment_partition(assignment_id: str) -> str:
    """The partition of an assignment and its anchors."""
    return f"ASSIGNMENT#{assignment_id}"


def assignment(assignment_id: str) -> Key:
    """The instructions of an assignment."""
    return {"PK": f"ASSIGNMENT#{assignment_id}", "SK": "INSTRUCTIONS"}


def anchor(assignment_id: str, anchor_ref: str) -> Key:
    """An anchor of an assignment."""
    return {"PK": f"ASSIGNMENT#{assignment_id}", "SK": f"ANCHOR#{anchor_ref}"}


def anchor_history(assignment_id: str, judge_spec_hash: str) -> str:
    """The partition of what batches under one judge specification measured of the anchors."""
    return f"ASSIGNMENT#{assignment_id}#HISTORY#{judge_spec_hash}"


def anchor_measurement(assignment_id: str, judge_spec_hash: str, spec_hash: str) -> Key:
    """One batch's measurement; the same essays judged again are no new evidence."""
    return {"PK": anchor_history(assignment_id, judge_spec_hash), "SK": f"SPEC#{spec_hash}"}


def active(batch_id: str) -> Key:
    """The entry of a batch in the list of those that have not ended."""
    return {"PK": "ACTIVE", "SK": f"BATCH#{batch_id}"}


def waiting_partition(batch_id: str, wave_number: int) -> str:
    """The partition of the comparisons of a wave that wait for people."""
    return f"BATCH#{batch_id}#WAITING#{wave_number:04d}"


def waiting(batch_id: str, wave_number: int, comparison_id: str) -> Key:
    """A comparison that waits for a person, with its lease.

    Neighbours in the queue are no neighbours in the plan, so a person can begin anywhere in it.
    """
    place = f"{find_queue_place(comparison_id)}#{comparison_id}"
    return {"PK": waiting_partition(batch_id, wave_number), "SK": place}


WAITING_COUNT = "~count"
"""Behind all places of the queue."""


def waiting_count(batch_id: str, wave_number: int) -> Key:
    """How many comparisons of a wave still wait for a verdict of a person."""
    return {"PK": waiting_partition(batch_id, wave_number), "SK": WAITING_COUNT}


PERSON_PREFIX = "PERSON#"


def people_partition(batch_id: str) -> str:
    """The partition of the people who judge a batch or were invited to."""
    return f"BATCH#{batch_id}#PEOPLE"


def person(batch_id: str, name: str) -> Key:
    """A person as a batch knows them."""
    return {"PK": people_partition(batch_id), "SK": PERSON_PREFIX + name}


def person_partition(batch_id: str, person: str) -> str:
    """The partition of the verdicts that a person gave."""
    return f"BATCH#{batch_id}#PERSON#{person}"


def person_verdict(batch_id: str, person: str, comparison_id: str) -> Key:
    """The mark of a verdict that a person gave."""
    return {"PK": person_partition(batch_id, person), "SK": comparison_id}


def provider_batch(batch_id: str, name: str) -> Key:
    """A submission to a provider's batch."""
    return {"PK": submissions_partition(batch_id), "SK": name}


def served_model(batch_id: str, judge: str) -> Key:
    """The model that a judge with `pin_model` is held to in a batch."""
    return {"PK": served_models_partition(batch_id), "SK": judge}


def decisions_partition(batch_id: str) -> str:
    """The partition of people's decisions about a batch's essays."""
    return f"BATCH#{batch_id}#DECISIONS"


def essay_decisions(essay_id: str) -> str:
    """The beginning of the sort keys of one essay's decisions; no id of an essay has a #."""
    return f"ESSAY#{essay_id}#"


def decision(batch_id: str, essay_id: str, number: int) -> Key:
    """A decision about an essay, numbered in the order in which they were taken."""
    return {
        "PK": decisions_partition(batch_id),
        "SK": f"{essay_decisions(essay_id)}{number:04d}",
    }


def erasures_partition(batch_id: str) -> str:
    """The partition of the erasures of a batch and its essays."""
    return f"BATCH#{batch_id}#ERASURES"


def erasure(batch_id: str, erasure_id: str) -> Key:
    """The record of an erasure."""
    return {"PK": erasures_partition(batch_id), "SK": erasure_id}


def unfinished_erasure(batch_id: str, erasure_id: str) -> Key:
    """The entry of an erasure in the list of those that are not closed."""
    return {"PK": "ERASING", "SK": f"{batch_id}#{erasure_id}"}


def expiry(expires_at: datetime, batch_id: str) -> Key:
    """The entry of a batch in the list of all batches that are erased by themselves, by time."""
    return {"PK": RETENTION, "SK": f"{sortable(expires_at)}#{batch_id}"}


def submissions_partition(batch_id: str) -> str:
    """The partition of a batch's submissions to providers' batches."""
    return f"BATCH#{batch_id}#PROVIDER_BATCHES"


def served_models_partition(batch_id: str) -> str:
    """The partition of the models that judges are held to in a batch."""
    return f"BATCH#{batch_id}#SERVED_MODELS"


def release_policy() -> Key:
    """What the organisation demands of a release."""
    return {"PK": "POLICY", "SK": "RELEASE"}


def retention_policy() -> Key:
    """How long the organisation keeps its batches."""
    return {"PK": "POLICY", "SK": "RETENTION"}


def claim(provider_batch_id: str) -> Key:
    """The mark that a batch of a provider belongs to a known submission."""
    return {"PK": f"PROVIDER_BATCH#{provider_batch_id}", "SK": "CLAIM"}


def capabilities(judge_circuit: str) -> Key:
    """What the endpoint of a provider and model turned out not to understand."""
    return {"PK": f"JUDGE#{judge_circuit}", "SK": "CAPABILITIES"}


def circuit(judge_circuit: str) -> Key:
    """The circuit breaker of a provider and model."""
    return {"PK": f"JUDGE#{judge_circuit}", "SK": "CIRCUIT"}


def judge_minute(judge_circuit: str, minute: datetime) -> Key:
    """What a provider and model were asked within a minute."""
    return {"PK": f"JUDGE#{judge_circuit}", "SK": f"MINUTE#{minute:%Y%m%dT%H%M}"}


def signature(value: str) -> Key:
    """The mark of a signed callback that was accepted."""
    return {"PK": f"SIGNATURE#{value}", "SK": "ACCEPTED"}
