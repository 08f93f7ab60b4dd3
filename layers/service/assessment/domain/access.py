"""Who may do what: roles, organisations, and the one function that decides.

Deny by default: an action that a role is not listed for is refused, and a caller without a role may
do nothing. Whose a thing is needs no rule here: every store is of one organisation, so that what is
another's cannot be found (`adapters.aws.keys`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from assessment.domain.errors import NotPermittedError, UnknownBatchError

OrganisationId = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)
]
"""Part of keys in the table and the bucket: no character in it separates the parts of a key."""

_ORGANISATIONS: TypeAdapter[str] = TypeAdapter(OrganisationId)


def is_organisation(name: str) -> bool:
    """Whether the text can be the id of an organisation."""
    try:
        _ORGANISATIONS.validate_python(name)
    except ValidationError:
        return False
    return True


DEFAULT_ORGANISATION = "default"
"""Whose everything is where tokens name no organisation."""


class Role(StrEnum):
    """What a caller is to their organisation.

    An assessor runs batches and judges; an administrator may also choose endpoints and raise
    limits; a judge was invited to judge one batch.
    """

    ADMIN = "admin"
    ASSESSOR = "assessor"
    JUDGE = "judge"


class Action(StrEnum):
    """What a route does, as far as rights go."""

    REGISTER_ASSIGNMENT = "register_assignment"
    READ_ASSIGNMENT = "read_assignment"
    CHANGE_ASSIGNMENT = "change_assignment"
    STORE_CONTENT = "store_content"
    REQUEST_BATCH = "request_batch"
    READ_BATCH = "read_batch"
    CHANGE_BATCH = "change_batch"
    JUDGE_BATCH = "judge_batch"
    INVITE_JUDGES = "invite_judges"
    READ_AUDIT = "read_audit"
    DECIDE_GRADE = "decide_grade"
    RELEASE_BATCH = "release_batch"
    READ_RELEASE_POLICY = "read_release_policy"
    CHANGE_RELEASE_POLICY = "change_release_policy"
    READ_RETENTION_POLICY = "read_retention_policy"
    CHANGE_RETENTION_POLICY = "change_retention_policy"
    ERASE_DATA = "erase_data"
    EXPORT_ESSAY = "export_essay"
    READ_WEBHOOKS = "read_webhooks"
    CHANGE_WEBHOOKS = "change_webhooks"


_STAFF = frozenset({Role.ADMIN, Role.ASSESSOR})

PERMISSIONS: dict[Action, frozenset[Role]] = {
    Action.REGISTER_ASSIGNMENT: _STAFF,
    Action.READ_ASSIGNMENT: _STAFF,
    Action.CHANGE_ASSIGNMENT: frozenset({Role.ADMIN}),
    Action.STORE_CONTENT: _STAFF,
    Action.REQUEST_BATCH: _STAFF,
    Action.READ_BATCH: _STAFF,
    Action.CHANGE_BATCH: _STAFF,
    Action.JUDGE_BATCH: _STAFF | {Role.JUDGE},
    Action.INVITE_JUDGES: _STAFF,
    Action.READ_AUDIT: frozenset({Role.ADMIN}),
    Action.DECIDE_GRADE: _STAFF,
    Action.RELEASE_BATCH: _STAFF,
    Action.READ_RELEASE_POLICY: _STAFF,
    Action.CHANGE_RELEASE_POLICY: frozenset({Role.ADMIN}),
    Action.READ_RETENTION_POLICY: _STAFF,
    Action.CHANGE_RETENTION_POLICY: frozenset({Role.ADMIN}),
    # It permanently destroys what a grade is based on.
    Action.ERASE_DATA: frozenset({Role.ADMIN}),
    Action.EXPORT_ESSAY: _STAFF,
    Action.READ_WEBHOOKS: frozenset({Role.ADMIN}),
    Action.CHANGE_WEBHOOKS: frozenset({Role.ADMIN}),
}


class Caller(BaseModel):
    """Who calls the API, as their token says.

    `batch_id` is the one batch that a judge was invited to; it binds only callers who are nothing
    but judges.
    """

    model_config = ConfigDict(frozen=True)

    subject: str
    organisation: OrganisationId = DEFAULT_ORGANISATION
    roles: frozenset[Role] = frozenset()
    batch_id: str | None = None

    @property
    def is_admin(self) -> bool:
        """Whether the caller has administrator rights in the organisation."""
        return Role.ADMIN in self.roles


@dataclass(frozen=True)
class Issuer:
    """An OIDC issuer whose tokens the stack trusts, and where these say who the caller is.

    A claim's name may be a path (`realm_access.roles`). Roles have the prefix; what does not is
    none of ours. Without a claim for it, everybody is of the default organisation.
    """

    url: str
    audience: str
    organisation_claim: str = ""
    roles_claim: str = "roles"
    role_prefix: str = ""


def authorise(caller: Caller, action: Action, *, batch_id: str | None = None) -> None:
    """Let the caller do this, or refuse it.

    Raises
    ------
    NotPermittedError
        If none of the caller's roles may do it; the message names those that may.
    UnknownBatchError
        If a judge asks for a batch that they were not invited to: for them there is none.
    """
    granting = caller.roles & PERMISSIONS.get(action, frozenset())
    if not granting:
        may = " or ".join(sorted(PERMISSIONS.get(action, frozenset()))) or "nobody"
        raise NotPermittedError(f"this needs the role {may}")
    if granting == {Role.JUDGE} and (caller.batch_id is None or caller.batch_id != batch_id):
        raise UnknownBatchError.from_id(batch_id or "")
