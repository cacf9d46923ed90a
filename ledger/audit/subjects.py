"""What can be traced: a commitment, a version, a transfer, a passport or one of its decisions, a dataset, a step, a member."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from ledger.audit.inclusions import Inclusion, inclusions_of
from ledger.audit.lineage import LineageGraph
from ledger.audit.link import Name
from ledger.audit.links import READINGS
from ledger.audit.state import LedgerState
from ledger.domain.lineage import VersionId
from ledger.domain.records import Consignment, Event, GrantId, PassportId, TransferId
from ledger.encoding.hexadecimal import bytes32, to_hex
from ledger.errors import InvalidInput, NotFound

_ID: Final = re.compile(r"\A0x[0-9a-fA-F]{64}\Z")
_DECISION: Final = re.compile(r"\A(?P<passport>0x[0-9a-fA-F]{64})[:/](?P<seq>[0-9]{1,13})\Z")
_NUMBERED: Final = re.compile(r"\A(?P<kind>dataset|step|member):(?P<number>[0-9]{1,10})\Z")
_TRY: Final = (
    "Give a commitment or an id (0x and 64 digits), PASSPORT:SEQ, dataset:N, step:N, member:N or a member's name; "
    "of a file, --file with its salt. Check --ledger, and that the node has come far enough."
)


class SubjectKind(StrEnum):
    """What is traced."""

    PASSPORT = "passport"
    DECISION = "decision"
    GRANT = "grant"
    TRANSFER = "transfer"
    VERSION = "version"
    STEP = "step"
    DATASET = "dataset"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class Subject:
    """
    What is traced, and what on the chain bears on it.

    Attributes:
        name: What it is called: hexadecimal, `0x…/seq`, or a number.
        found_as: How a commitment led to it; the empty string if it was named itself.
        scope: The names of what bears on it, as `ledger.audit.links` has them.
        passports: The records whose holders are asked for.
        versions: The versions whose holders are asked for.
        decision: Of a decision or a transfer: the number within the passport; None otherwise.
        member_id: Of a member; 0 otherwise.
    """

    kind: SubjectKind
    name: str
    scope: frozenset[Name]
    passports: frozenset[PassportId] = frozenset()
    versions: frozenset[VersionId] = frozenset()
    decision: int | None = None
    member_id: int = 0
    found_as: str = ""

    @property
    def words(self) -> str:
        """Return the subject in plain words."""
        found = f" ({self.found_as})" if self.found_as else ""
        return f"{self.kind.value} {self.name}{found}"


class Subjects:
    """Finds what somebody asks about in a folded state."""

    def __init__(self, state: LedgerState, events: Callable[[], Iterable[Event]]) -> None:
        """Take the state and, to look up commitments that it does not keep, the events behind it."""
        self._state, self._events = state, events
        self.graph = LineageGraph(state)
        self._inclusions: list[Inclusion] | None = None

    @property
    def inclusions(self) -> list[Inclusion]:
        """Return everybody in any dataset; derived once."""
        if self._inclusions is None:
            self._inclusions = list(inclusions_of(self._state))
        return self._inclusions

    def find(self, asked: str) -> Subject:
        """
        Return what is asked about.

        Args:
            asked: A commitment or an id, `PASSPORT:SEQ`, `dataset:N`, `step:N`, `member:N`, or a member's name.

        Raises:
            InvalidInput: Several members have this name, or it is an id of the wrong length.
            NotFound: The chain knows nothing of it; says what to try.
        """
        if _ID.match(asked):
            return self._identified(bytes32(asked))
        if found := _DECISION.match(asked):
            passport_id = PassportId(bytes32(found["passport"]))
            return self._existing("decision", (passport_id, int(found["seq"])), asked)
        if found := _NUMBERED.match(asked):
            return self._existing(found["kind"], int(found["number"]), asked)
        if asked.startswith(("0x", "0X")):
            raise InvalidInput(f"{asked} is neither an id nor a commitment", field="subject", fix=_TRY)
        return self._member_called(asked)

    def _identified(self, value: bytes) -> Subject:
        for kind in ("version", "passport", "transfer", "grant"):
            if self._exists(kind, value):
                return self._made(kind, value)
        if found := self._by_content(value):
            return found
        # What the state does not keep: former contents, statements, reports, agreements, receipts.
        for event in self._events():
            field = _field_with(event, value)
            if field is None or event.name not in READINGS:
                continue
            for kind, key in READINGS[event.name].names(event.arguments):
                if self._exists(kind, key):
                    where = f"{field} of {event.name} in block {event.position.block_number}"
                    return replace(self._made(kind, key), found_as=f"the commitment is the {where}")
        raise NotFound(f"this chain knows nothing of {to_hex(value)}", fix=_TRY)

    def _by_content(self, value: bytes) -> Subject | None:
        """Return the record whose content a commitment is, or the transfer in which somebody says it arrived."""
        for passport_id, passport in self._state.passports.items():
            if passport.content == value:
                found_as = "the commitment is the content of the record"
                return replace(self._made("passport", passport_id), found_as=found_as)
        for transfer_id, entry in self._state.transfers.items():
            if value in (entry.transfer.content, entry.transfer.received_content):
                what = "was sent" if value == entry.transfer.content else "arrived, by its recipient's word"
                return replace(self._made("transfer", transfer_id), found_as=f"the commitment is what {what}")
        for transfer_id, loads in self._state.loads.items():
            for load in loads:
                if load.item.content == value:
                    found_as = (
                        f"the commitment is what was sent of a record in transfer {to_hex(transfer_id)}"
                    )
                    decision = (load.item.passport_id, load.item.seq)
                    return replace(self._made("decision", decision), found_as=found_as)
        return None

    def _member_called(self, name: str) -> Subject:
        members = self._state.members.values()
        found = [member for member in members if member.name == name]
        found = found or [member for member in members if member.name.casefold() == name.casefold()]
        if len(found) > 1:
            numbers = ", ".join(f"member:{member.member_id}" for member in found)
            raise InvalidInput(
                f"several members are called {name!r}", field="subject", fix=f"Name one of {numbers}."
            )
        if not found:
            raise NotFound(f"no member of this ledger is called {name!r}", fix=_TRY)
        return self._made("member", found[0].member_id)

    def _existing(self, kind: str, key: Any, asked: str) -> Subject:
        if not self._exists(kind, key):
            raise NotFound(f"this chain knows nothing of {asked}", fix=_TRY)
        return self._made(kind, key)

    def _exists(self, kind: str, key: Any) -> bool:
        state = self._state
        match kind:
            case "decision":
                return key[1] in state.decisions.get(key[0], {})
            case "grant":
                return any(grant_id == key for _, grant_id in state.grants)
            case "version":
                return key in state.versions or bool(self.graph.refused(key))
            case "passport" | "transfer" | "dataset" | "step" | "member":
                return key in getattr(state, f"{kind}s")
            case _:
                return False

    def _made(self, kind: str, key: Any) -> Subject:
        makers: dict[str, Callable[[Any], Subject]] = {
            "passport": self._passport,
            "decision": self._decision,
            "grant": self._grant,
            "transfer": self._transfer,
            "version": self._version,
            "step": self._step,
            "dataset": self._dataset,
            "member": self._member,
        }
        return makers[kind](key)

    def _passport(self, passport_id: PassportId) -> Subject:
        included = [item for item in self.inclusions if item.decision.passport_id == passport_id]
        versions, names = self._made_with(included)
        decisions = self._state.decisions.get(passport_id, {}).values()
        urgent = {("emergency", entry.asked >> 80 & 0xFFFFFFFF) for entry in decisions}
        scope = frozenset({("passport", passport_id), *names, *urgent})
        return Subject(
            SubjectKind.PASSPORT, to_hex(passport_id), scope, frozenset({passport_id}), frozenset(versions)
        )

    def _decision(self, key: tuple[PassportId, int]) -> Subject:
        passport_id, seq = key
        included = [
            item
            for item in self.inclusions
            if (item.decision.passport_id, item.decision.seq) == (passport_id, seq)
        ]
        versions, names = self._made_with(included)
        return Subject(
            SubjectKind.DECISION,
            f"{to_hex(passport_id)}/{seq}",
            frozenset({*self._around(passport_id, seq), *names}),
            frozenset({passport_id}),
            frozenset(versions),
            decision=seq,
        )

    def _around(self, passport_id: PassportId, seq: int) -> Iterator[Name]:
        """Yield what bears on one decision: the record, the consent, the emergency, and what was done under it."""
        yield "decision", (passport_id, seq)
        yield "origin", passport_id
        entry = self._state.decisions.get(passport_id, {}).get(seq)
        if entry is not None:
            yield "grant", entry.grant_id
            yield "emergency", entry.asked >> 80 & 0xFFFFFFFF
        for transfer_id in self._carrying.get((passport_id, seq), ()):
            yield "transfer", transfer_id

    @cached_property
    def _carrying(self) -> dict[tuple[PassportId, int], list[TransferId]]:
        """The transfers under each decision: those of one record, and those that it was loaded into."""
        found: dict[tuple[PassportId, int], list[TransferId]] = {}
        for transfer_id, entry in self._state.transfers.items():
            if entry.transfer.consignment is None:
                found.setdefault((entry.transfer.passport_id, entry.transfer.seq), []).append(transfer_id)
        for transfer_id, loads in self._state.loads.items():
            for load in loads:
                found.setdefault((load.item.passport_id, load.item.seq), []).append(transfer_id)
        return found

    def _grant(self, grant_id: GrantId) -> Subject:
        passports = [passport_id for passport_id, name in self._state.grants if name == grant_id]
        scope: set[Name] = {("grant", grant_id), ("asked-under", grant_id)}
        for passport_id in passports:
            for seq, entry in self._state.decisions.get(passport_id, {}).items():
                if entry.grant_id == grant_id:
                    scope |= set(self._around(passport_id, seq))
            scope.add(("origin", passport_id))
        included = [item for item in self.inclusions if grant_id in (item.grant_id, item.rests_on)]
        versions, names = self._made_with(included)
        return Subject(
            SubjectKind.GRANT,
            to_hex(grant_id),
            frozenset({*scope, *names}),
            frozenset(passports),
            frozenset(versions),
        )

    def _transfer(self, transfer_id: TransferId) -> Subject:
        transfer = self._state.transfers[transfer_id].transfer
        if transfer.consignment is not None:
            return self._consignment(transfer_id, transfer.consignment)
        scope = frozenset({("transfer", transfer_id), *self._around(transfer.passport_id, transfer.seq)})
        passports = frozenset({transfer.passport_id})
        return Subject(SubjectKind.TRANSFER, to_hex(transfer_id), scope, passports, decision=transfer.seq)

    def _consignment(self, transfer_id: TransferId, consignment: Consignment) -> Subject:
        """A transfer of many: what bears on each record in it, on its agreement, and on what passed the records on."""
        scope: set[Name] = {("transfer", transfer_id), ("agreement", consignment.agreement_id)}
        passports = set()
        for load in self._state.loads.get(transfer_id, ()):
            passports.add(load.item.passport_id)
            scope |= set(self._around(load.item.passport_id, load.item.seq))
        if consignment.parent is not None:
            scope.add(("transfer", consignment.parent))
        return Subject(SubjectKind.TRANSFER, to_hex(transfer_id), frozenset(scope), frozenset(passports))

    def _made_with(self, included: Iterable[Inclusion]) -> tuple[tuple[VersionId, ...], set[Name]]:
        """Return what was made with somebody in it, and the names of the steps and versions on the way."""
        starts = [name for item in included for name in self.graph.holding(item)]
        walk = self.graph.forward(starts)
        return walk.versions, self._names(walk.versions, walk.steps)

    def _names(self, versions: Iterable[VersionId], steps: Iterable[int]) -> set[Name]:
        names: set[Name] = {("step", number) for number in steps}
        for name in versions:
            names |= {("version", name), ("step", self._state.versions[name].step_id)}
        return names

    def _version(self, version_id: VersionId) -> Subject:
        if version_id in self._state.versions:
            return replace(self._behind([version_id]), name=to_hex(version_id))
        refused = self.graph.refused(version_id)
        found = self._behind(
            [name for number in refused for name in self._state.steps[number].record.step.inputs]
        )
        scope = found.scope | {("step", number) for number in refused}
        found_as = "only steps that broke a rule name it"
        return Subject(SubjectKind.VERSION, to_hex(version_id), scope, found_as=found_as)

    def _behind(self, starts: list[VersionId]) -> Subject:
        """Return a subject of versions: what led to them, what used them, and the datasets that they are from."""
        walk = self.graph.back(starts)
        uses = [number for name in starts for number in self.graph.using(name)]
        state = self._state
        datasets = {
            ("dataset", origin.dataset_id)
            for name in starts
            if name in state.versions
            for origin in state.versions[name].origins
        }
        scope = frozenset({*self._names(walk.versions, {*walk.steps, *uses}), *datasets})
        return Subject(SubjectKind.VERSION, "", scope, versions=frozenset(starts))

    def _step(self, number: int) -> Subject:
        record = self._state.steps[number].record
        stands = not record.missing and record.step.outputs
        found = self._behind(list(record.step.outputs if stands else record.step.inputs))
        return Subject(
            SubjectKind.STEP,
            str(number),
            found.scope | {("step", number)},
            versions=frozenset(record.step.outputs if stands else ()),
        )

    def _dataset(self, number: int) -> Subject:
        walk = self.graph.forward(self.graph.collected(number))
        scope = frozenset({("dataset", number), *self._names(walk.versions, walk.steps)})
        return Subject(SubjectKind.DATASET, str(number), scope, versions=frozenset(walk.versions))

    def _member(self, member_id: int) -> Subject:
        scope = frozenset({("member", member_id)})
        return Subject(SubjectKind.MEMBER, str(member_id), scope, member_id=member_id)


def _field_with(event: Event, value: bytes) -> str | None:
    """Return which argument of an event is a value, or holds it."""
    return next((field for field, found in event.arguments.items() if _holds(found, value)), None)


def _holds(found: Any, value: bytes) -> bool:
    if isinstance(found, list | tuple):
        return any(_holds(item, value) for item in found)
    return isinstance(found, bytes) and found == value
