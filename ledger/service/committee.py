"""The committee: acts proposed, approved and done; seats and rules. What it decides the ledger does itself."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.records import Commitment, Member
from ledger.domain.vocabulary import ActKind, Role, SeatKind
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted
from ledger.ports import ActRecord, Call, Index, Operation, Rule, Vault, Writer
from ledger.service.authority import signer_of
from ledger.service.statements import keep

_MAX_DELAY_SECONDS = 365 * 86_400


@dataclass(frozen=True, slots=True)
class Committee:
    """Seats that decide together."""

    index: Index
    writer: Writer
    vault: Vault

    def propose(
        self, actor: Member, call: Call, reason: str, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Propose an act, and so approve it; it is done at once if its rule needs nothing more.

        Args:
            actor: A member with a seat.
            call: The function of the ledger that the committee is to do.
            reason: Why; stays in the vault, the chain holds a commitment.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotPermitted: *actor* has no seat.
        """
        require_seat(self.index, actor)
        reasons = keep(self.vault, "act", {"function": call.function, "reason": reason})
        return self.writer.submit(
            signer_of(self.writer, actor), as_act(call, reasons), idempotency=idempotency
        )

    def approve(
        self, actor: Member, act_id: int, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Approve an act; it is done at once if its rule needs nothing more.

        Raises:
            NotFound: There is no such act.
            NotPermitted: *actor* has no seat.
            Conflict: *actor* approved it before, or it was done.
        """
        require_seat(self.index, actor)
        act = self._pending(act_id)
        if actor.member_id in act.approvers:
            raise Conflict(f"{actor.name} approved act {act_id} before")
        return self.writer.submit(
            signer_of(self.writer, actor), Call("approve", (act_id,)), idempotency=idempotency
        )

    def execute(
        self, actor: Member, act_id: int, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Do an act that has what its rule needs. Any member may.

        Raises:
            NotFound: There is no such act.
            Conflict: It was done before; that it is not ready the ledger says.
        """
        self._pending(act_id)
        return self.writer.submit(
            signer_of(self.writer, actor), Call("execute", (act_id,)), idempotency=idempotency
        )

    def set_seat(
        self,
        actor: Member,
        member_id: int,
        kind: SeatKind,
        reason: str,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Propose to seat a member, or with `SeatKind.NONE` to take its seat.

        Raises:
            NotPermitted: *actor* has no seat.
            NotFound: There is no such member, or it has no seat to lose.
            InvalidInput: The member does not hold the committee's role.
        """
        member = self.index.member(member_id)
        if member is None:
            raise NotFound(f"there is no member {member_id}", fix="GET /v1/members lists the members.")
        if kind is SeatKind.NONE and member_id not in self.index.seats():
            raise NotFound(f"{member.name} has no seat")
        if kind is not SeatKind.NONE and Role.COMMITTEE not in member.roles:
            raise InvalidInput(f"{member.name} does not hold the role COMMITTEE", field="memberId")
        return self.propose(actor, Call("setSeat", (member_id, int(kind))), reason, idempotency=idempotency)

    def set_rule(
        self, actor: Member, rule: Rule, reason: str, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Propose what acts of a kind need from now on.

        Raises:
            NotPermitted: *actor* has no seat.
            InvalidInput: The quorum is zero, or the delay is over a year.
        """
        if not 1 <= rule.quorum <= len(self.index.seats()):
            raise InvalidInput(
                f"quorum must be 1 to {len(self.index.seats())}, the number of seats", field="quorum"
            )
        if not 0 <= rule.delay_seconds <= _MAX_DELAY_SECONDS:
            raise InvalidInput("delaySeconds must be 0 to a year", field="delaySeconds")
        call = Call("setRule", (int(rule.kind), [rule.quorum, rule.seats, rule.delay_seconds]))
        return self.propose(actor, call, reason, idempotency=idempotency)

    def seats(self) -> dict[int, SeatKind]:
        """Return the kind of each member's seat, by member."""
        return self.index.seats()

    def rules(self) -> dict[ActKind, Rule]:
        """Return what acts of each kind need."""
        return {rule.kind: rule for rule in self.index.rules()}

    def get(self, act_id: int) -> ActRecord:
        """
        Return an act.

        Raises:
            NotFound: There is no such act.
        """
        act = self.index.act(act_id)
        if act is None:
            raise NotFound(f"there is no act {act_id}", fix="GET /v1/acts lists the acts.")
        return act

    def all(self) -> list[ActRecord]:
        """Return all acts, oldest first."""
        return self.index.acts()

    def _pending(self, act_id: int) -> ActRecord:
        act = self.get(act_id)
        if act.executed_at:
            raise Conflict(f"act {act_id} was done before")
        return act


def as_act(call: Call, reasons: Commitment) -> Call:
    """Return the call with which a seat proposes that the committee do *call*."""
    inner = {"function": call.function, "arguments": list(call.arguments)}
    return Call("propose", (inner, to_hex(reasons)))


def require_seat(index: Index, actor: Member) -> None:
    """
    Check that a member has a seat.

    Raises:
        NotPermitted: It has none.
    """
    if actor.member_id not in index.seats():
        raise NotPermitted(
            f"{actor.name} has no seat on the committee", fix="Let a member with a seat propose it."
        )
