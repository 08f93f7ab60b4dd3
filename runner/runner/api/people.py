"""Calls about the people who judge a batch and who decide on its grades."""

from urllib.parse import quote

from assessment.contracts.decisions import (
    AttentionView,
    DecisionRequest,
    EssayDecisionView,
    ReleaseRequest,
    ReleaseView,
)
from assessment.contracts.invitations import (
    InvitationList,
    InvitationRequest,
    InvitationView,
    NewInvitations,
)
from assessment.contracts.people import JudgingDeadline, MovedDeadline
from runner.api.connection import ApiConnection


class PeopleCalls(ApiConnection):
    """Invitations and the time to judge; decisions and their release."""

    def invite(
        self, batch_id: str, request: InvitationRequest, *, idempotency_key: str
    ) -> NewInvitations:
        """Invite people to judge a batch; the same key again shows the same links."""
        path = f"/v1/batches/{batch_id}/invitations"
        headers = {"Idempotency-Key": idempotency_key}
        return self._call(NewInvitations, "POST", path, body=request.model_dump(), headers=headers)

    def list_invitations(self, batch_id: str) -> InvitationList:
        """The invitations of a batch with their progress."""
        return self._call(InvitationList, "GET", f"/v1/batches/{batch_id}/invitations")

    def revoke_invitation(self, batch_id: str, invitation_id: str) -> InvitationView:
        """Take an invitation back."""
        path = f"/v1/batches/{batch_id}/invitations/{quote(invitation_id, safe='')}"
        return self._call(InvitationView, "DELETE", path)

    def move_deadline(self, batch_id: str, deadline: JudgingDeadline) -> MovedDeadline:
        """Move the time until which people may judge a batch."""
        path = f"/v1/batches/{batch_id}/judging-deadline"
        return self._call(MovedDeadline, "PUT", path, body=deadline.model_dump(mode="json"))

    def attention(self, batch_id: str, *, limit: int) -> AttentionView:
        """The essays of a batch that need a person, the most urgent first."""
        path = f"/v1/batches/{batch_id}/attention?limit={limit}"
        return self._call(AttentionView, "GET", path)

    def decide(self, batch_id: str, essay_id: str, decision: DecisionRequest) -> EssayDecisionView:
        """Confirm or change the grade that is proposed for an essay."""
        path = f"/v1/batches/{batch_id}/essays/{quote(essay_id, safe='')}/decision"
        return self._call(EssayDecisionView, "PUT", path, body=decision.model_dump())

    def release(self, batch_id: str, release: ReleaseRequest) -> ReleaseView:
        """Release the grades of a batch."""
        path = f"/v1/batches/{batch_id}/release"
        return self._call(ReleaseView, "POST", path, body=release.model_dump())
