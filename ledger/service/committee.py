"""The committee: acts proposed, approved and done; seats and rules. What it decides the ledger does itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

from ledger.audit.law import Change, changes
from ledger.domain.records import Commitment, Member, PolicyTable
from ledger.domain.vocabulary import (
    ActKind,
    Basis,
    DataClass,
    MemberStatus,
    Purpose,
    Role,
    SeatKind,
    floor_of,
    names,
)
from ledger.domain.wording import time_in_words
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.structs import policy_named, policy_values
from ledger.errors import ChainError, Conflict, InvalidInput, NotFound, NotPermitted
from ledger.ports import ActRecord, Call, Chain, Index, Operation, Rule, Vault, Writer
from ledger.service.authority import require_member, signer_of
from ledger.service.statements import keep

_MAX_DELAY_SECONDS = 365 * 86_400
#: How long an act may wait from its proposal on, as the contract has it.
ACT_SECONDS: Final = 30 * 86_400


class ActStatus(StrEnum):
    """How far an act of the committee has come."""

    WAITING = "waiting"
    APPROVED = "approved"
    DONE = "done"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Standing:
    """
    How far an act has come, and what is to be done next.

    Attributes:
        lacking: How many more seats must approve it.
        lacking_seats: Kinds of seats that must be among them.
        ready_at: From when on an approved act may be done, seconds since the Unix epoch; None before it is approved or
            before its wait has begun, or while the node does not answer.
        lapses_at: From when on it can no longer be done.
        advice: What to do next, in words.
    """

    status: ActStatus
    lacking: int
    lacking_seats: tuple[SeatKind, ...]
    ready_at: int | None
    lapses_at: int
    advice: str


@dataclass(frozen=True, slots=True)
class Committee:
    """Seats that decide together."""

    chain: Chain
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
        reasons = keep(
            self.vault, "act", {"function": call.function, "reason": reason}, owner=actor.member_id
        )
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
        member = require_member(self.index, member_id)
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

    def set_policy(
        self,
        actor: Member,
        table: PolicyTable,
        reason: str,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Propose a new version of the law, the whole of it.

        Raises:
            NotPermitted: *actor* has no seat.
            InvalidInput: An entry requires less than every law must, a category is in two classes, or nothing would
                change.
        """
        _check_floors(table)
        overlap = table.core_categories & table.sensitive_categories
        if overlap:
            raise InvalidInput(
                f"{', '.join(names(overlap))}: a category is in one class only", field="classes"
            )
        current = self.index.policy()
        if current is not None and policy_values(current) == policy_values(table):
            raise InvalidInput(
                f"this is the law in force, version {current.version}",
                fix="Change what `passport policy show --json` prints, then propose it.",
            )
        return self.propose(
            actor, Call("setPolicy", (policy_values(table),)), reason, idempotency=idempotency
        )

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

    def awaiting(self, actor: Member, at: int) -> list[ActRecord]:
        """Return the acts that wait at a time for the approval of a member's seat, oldest first."""
        return [act for act in self.all() if self.awaits(act, actor, at)]

    def awaits(self, act: ActRecord, actor: Member, at: int) -> bool:
        """Tell whether an act waits at a time for the approval of a member's seat; False without a seat."""
        if act.executed_at or at >= act.proposed.time + ACT_SECONDS or actor.member_id in act.approvers:
            return False
        votes = actor.status is MemberStatus.ACTIVE and actor.member_id in self.index.seats()
        return votes and self._lacking(act)[0] > 0

    def law_changes(self, act: ActRecord) -> list[Change] | None:
        """Return what an act would change of the law in force; None if it proposes no law that can be read."""
        function, arguments = self.chain.reading_of(act.call)
        current = self.index.policy()
        if function != "setPolicy" or not arguments or current is None:
            return None
        return changes(current, policy_named(current.version + 1, arguments["table"]))

    def standing(self, act: ActRecord, at: int) -> Standing:
        """
        Return how far an act has come at a time, and what is to be done next.

        Approvals count as the ledger counts them: those of members that still sit and are not suspended.
        """
        lapses_at = act.proposed.time + ACT_SECONDS
        name, _ = self.chain.reading_of(act.call)
        told = f"Act {act.act_id} ({name})"
        if act.executed_at:
            advice = f"{told} was done on {time_in_words(act.executed_at)}; there is nothing left to do."
            return Standing(ActStatus.DONE, 0, (), None, lapses_at, advice)
        lacking, kinds = self._lacking(act)
        if at >= lapses_at:
            advice = f"{told} lapsed on {time_in_words(lapses_at)}. If it is still wanted, propose it again."
            return Standing(ActStatus.LAPSED, lacking, kinds, None, lapses_at, advice)
        if lacking:
            return self._waiting(told, act, lacking, kinds, lapses_at)
        return self._approved(told, act, lapses_at)

    def _approved(self, told: str, act: ActRecord, lapses_at: int) -> Standing:
        try:
            approved_at = self.chain.act_approved_at(act.act_id)
        except ChainError as error:
            advice = f"{told} is approved. When it may be done the node would say: {error.message}"
            return Standing(ActStatus.APPROVED, 0, (), None, lapses_at, advice)
        delay = self.rules()[act.kind].delay_seconds
        execution = f"POST /v1/acts/{act.act_id}/execution, or: passport committee execute {act.act_id}"
        if not approved_at:
            # A rule was lowered, or a seat regained, after the last approval: nobody has told the ledger yet.
            begins = f"begins its wait of {delay} seconds" if delay else "has it done"
            advice = f"{told} has the approvals that its rule asks for now. A member {begins}: {execution}"
            return Standing(ActStatus.APPROVED, 0, (), None, lapses_at, advice)
        ready_at = approved_at + delay
        advice = (
            f"{told} is approved. From {time_in_words(ready_at)} until {time_in_words(lapses_at)} any member may have it"
            f" done: {execution}"
        )
        return Standing(ActStatus.APPROVED, 0, (), ready_at, lapses_at, advice)

    def _waiting(
        self, told: str, act: ActRecord, lacking: int, kinds: tuple[SeatKind, ...], lapses_at: int
    ) -> Standing:
        among = f", among them {', '.join(kind.name for kind in kinds)}" if kinds else ""
        seats = "the approval of 1 more seat" if lacking == 1 else f"the approvals of {lacking} more seats"
        advice = (
            f"{told} waits until {time_in_words(lapses_at)} for {seats}{among}. A member with a seat approves it:"
            f" POST /v1/acts/{act.act_id}/approvals, or: passport committee approve {act.act_id}"
        )
        return Standing(ActStatus.WAITING, lacking, kinds, None, lapses_at, advice)

    def _lacking(self, act: ActRecord) -> tuple[int, tuple[SeatKind, ...]]:
        """Return how many approvals an act lacks, and the kinds of seats that must be among them."""
        rule, seats = self.rules()[act.kind], self.index.seats()
        members = (self.index.member(member_id) for member_id in act.approvers if member_id in seats)
        # A seat does not lapse with its member's licence.
        counted = [seats[m.member_id] for m in members if m is not None and m.status is MemberStatus.ACTIVE]
        kinds = tuple(kind for kind in SeatKind if rule.seats >> kind & 1 and kind not in counted)
        return max(rule.quorum - len(counted), len(kinds), 0), kinds

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


def _check_floors(table: PolicyTable) -> None:
    for data_class, purpose, basis in product(DataClass, Purpose, Basis):
        required = table.required_for(data_class, purpose, basis)
        lacking = floor_of(basis) & ~required
        if required and lacking:
            raise InvalidInput(
                f"the entry {data_class.name}, {purpose.name}, {basis.name} must require"
                f" {', '.join(names(lacking))} too",
                field="entries",
                fix="GET /v1/policy lists what every entry on a basis requires, under `floors`.",
            )
