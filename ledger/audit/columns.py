"""
Every decision decided again, in columns: the same law as `ledger.policy`, for all decisions at once.

`ledger.audit.replay` is the reference; a test holds this module against it. The history of what bears on a decision
(members, grants, projects, emergencies...) is kept as versions, made by the reference's own folds; each decision looks up
the version in force before it, and what earlier permits used up is counted. Whatever a ledger would never emit (words
that cannot be read, events about nothing) is left to the reference, so that no answer differs from its.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from eth_hash.auto import keccak
from numpy.typing import NDArray

from ledger.audit.folds import apply, count_crossing, decision_entry
from ledger.audit.replay import Mismatch, Replay, differences, replay
from ledger.audit.state import DAY_SECONDS, DecisionEntry, LedgerState
from ledger.domain.records import ZERO32, Event, GrantId, PassportId, Person, PolicyTable, Position
from ledger.domain.vocabulary import (
    Assurance,
    AttestationKind,
    Basis,
    Category,
    DataClass,
    DatasetStatus,
    EmergencyKind,
    Fact,
    GrantFlag,
    GrantStatus,
    Level,
    MemberStatus,
    Operation,
    Outcome,
    PassportStatus,
    StepKind,
)
from ledger.encoding.events import Abi, EventDecoder, RawLog, event_topic
from ledger.encoding.structs import consignment
from ledger.encoding.words import project_subject, unpack_verdict
from ledger.errors import VerificationError
from ledger.lineage import covers
from ledger.policy import MAX_DATASETS, is_sensitive, may_cross, person_of

#: One row of a decision's log: three topics, then its data. In this order the words are what the head folds.
_ROW: Final = np.dtype(
    [
        ("passport", "V32"),
        ("grant", "V32"),
        ("memberPadding", "V28"),
        ("member", ">u4"),
        ("termsPadding", "V6"),
        ("dataset", ">u4"),
        ("lastDay", ">u2"),
        ("firstDay", ">u2"),
        ("controller", ">u4"),
        ("emergency", ">u4"),
        ("project", ">u4"),
        ("categories", ">u2"),
        ("level", "u1"),
        ("operation", "u1"),
        ("basis", "u1"),
        ("purpose", "u1"),
        ("verdictPadding", "V13"),
        ("missing", ">u4"),
        ("facts", ">u4"),
        ("outcome", "u1"),
        ("dataClass", "u1"),
        ("version", ">u4"),
        ("seqHigh", "u1"),
        ("seqLow", ">u4"),
        ("commitment", "V32"),
    ]
)
_TOPICS: Final = 4
_DATA_BYTES: Final = 96
_WORD: Final = 32
_MEMBER_PADDING: Final = bytes(28)
_NEVER: Final = 2**62
_LAST_SEQ: Final = 2**40 - 1
_MOST_USES: Final = 0xFFFF
_PURPOSES: Final = 16
_BASES: Final = 8
_PLACE_BITS: Final = 32
#: Things that versions are kept of have smaller numbers, so that number and place fit into 63 bits.
_MOST_KEYS: Final = 2**31
_MOST_DAYS: Final = 2**17

_Ints = NDArray[np.int64]
_Bools = NDArray[np.bool_]

#: Events about decisions: they need the decisions, and bear on none but by an approval.
_ABOUT_DECISIONS: Final = frozenset(
    {
        "RequestReviewed",
        "ReleaseRecorded",
        "TransferShipped",
        "TransferReceived",
        "TransferDeclared",
        "TransferInspected",
        "TransferLoaded",
        "TransferDispatched",
        "TransferHalted",
        "TransferResumed",
        "TransferTerminated",
        "TransferReported",
        "TransferClosed",
    }
)


#: Events that bear on borders: they are folded again, up to each decision that crosses one.
_ABOUT_BORDERS: Final = frozenset(
    {
        "MemberAdmitted",
        "MemberSuspended",
        "MemberReinstated",
        "MemberExpelled",
        "MemberLicensed",
        "AgreementProposed",
        "AgreementSigned",
        "AgreementEnded",
        "BorderAccessSet",
        "ClearanceIssued",
        "ClearanceWithdrawn",
        "ThresholdsSet",
        "DatasetExported",
    }
)


class _Irregular(Exception):
    """The events are not what a ledger emits: the reference has to look at them."""


@dataclass(frozen=True, slots=True)
class Checked:
    """
    What deciding again found.

    Attributes:
        decisions: Decisions found; each is a permit, a review or a denial.
        permits: Of these, permitted, as recorded; `reviews`: left to a human.
        denied: How many denials lacked each set of facts.
        mismatches: Decisions that the law would have answered otherwise, in the order of the chain.
        head: The fold of all decisions.
        sizes: For each passport with decisions, how many were found.
    """

    decisions: int
    permits: int
    reviews: int
    denied: Counter[int]
    mismatches: list[Mismatch]
    head: bytes
    sizes: dict[PassportId, int]


@dataclass(slots=True)
class _Versions:
    """The versions of many things of one kind, in the order of the chain, each from a place in it on."""

    width: int
    keys: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    values: list[tuple[int, ...]] = field(default_factory=list)

    def add(self, key: int, place: int, values: tuple[int, ...]) -> None:
        if key >= _MOST_KEYS:
            raise _Irregular
        self.keys.append(key)
        self.places.append(place)
        self.values.append(values)

    def at(self, keys: _Ints, places: _Ints) -> tuple[_Bools, _Ints]:
        """Return whether each thing exists at a place, and its values there, one row a field; zeros if it does not."""
        if not self.keys:
            return np.zeros(len(keys), bool), np.zeros((self.width, len(keys)), np.int64)
        own = np.array(self.keys, np.int64) << _PLACE_BITS | np.array(self.places, np.int64)
        order = np.argsort(own, kind="stable")
        own = own[order]
        values = np.array(self.values, np.int64)[order]
        asked = keys << _PLACE_BITS | places
        found = np.searchsorted(own, asked, side="right") - 1
        exists = (found >= 0) & (own[found] >> _PLACE_BITS == keys) & (keys >= 0)
        return exists, np.where(exists, values[found].T, 0)


class Columns:
    """The logs of a ledger, taken in the order of the chain and checked all at once."""

    def __init__(self, abi: Abi) -> None:
        """Prepare for the events of an ABI."""
        self._decoder = EventDecoder(abi)
        decided = next(item for item in abi if item["type"] == "event" and item["name"] == "DecisionRecorded")
        self._topic = event_topic(decided)
        self._raw: list[bytes] = []
        self._positions: list[Position] = []
        self._places: list[int] = []
        self._events: list[tuple[int, Event]] = []
        self._passports: dict[bytes, int] = {}
        self._grants: dict[bytes, int] = {}
        self._passport_keys: list[int] = []
        self._grant_keys: list[int] = []
        self._count = 0

    def __len__(self) -> int:
        """Return how many decisions were taken."""
        return len(self._positions)

    def take(self, logs: Iterable[RawLog]) -> None:
        """
        Take the next logs. One that the ABI does not know is passed over.

        Raises:
            VerificationError: A log names a known event but its bytes are not that event's.
        """
        decided, place = self._topic, self._count
        raw, positions, places = self._raw, self._positions, self._places
        passports, grants = self._passports, self._grants
        passport_keys, grant_keys = self._passport_keys, self._grant_keys
        for log in logs:
            topics, data = log.topics, log.data
            if len(data) == _DATA_BYTES and len(topics) == _TOPICS and topics[0] == decided:
                _, passport, grant, member = topics
                name = passport + grant
                if (
                    len(passport) == _WORD
                    and len(name) == 2 * _WORD
                    and len(member) == _WORD
                    and member[:28] == _MEMBER_PADDING
                ):
                    raw += (name, member, data)
                    positions.append(log.position)
                    places.append(place)
                    passport_keys.append(passports.setdefault(passport, len(passports)))
                    grant_keys.append(grants.setdefault(name, len(grants)))
                    place += 1
                    continue
            event = self._decoder.decode(log)
            if event is not None:
                self._events.append((place, event))
                place += 1
        self._count = place

    def words(self) -> bytes:
        """Return the six words of each decision, in the order of the fold."""
        return b"".join(self._raw)

    def events(self) -> Iterable[Event]:
        """Yield everything taken as events, in the order of the chain."""
        rows = self._rows()
        others = iter(self._events)
        place, event = next(others, (_NEVER, None))
        for index, own in enumerate(self._places):
            while event is not None and place < own:
                yield event
                place, event = next(others, (_NEVER, None))
            yield _event(rows[index : index + 1].tobytes(), self._positions[index])
        if event is not None:
            yield event
        for _, event in others:
            yield event

    def check(self) -> Checked:
        """
        Decide every decision again.

        Raises:
            VerificationError: An event speaks of something no earlier event brought about.
        """
        try:
            return self._check()
        except (_Irregular, VerificationError, ValueError, KeyError, OverflowError):
            plain = replay(self.events())
            return Checked(
                decisions=plain.decisions,
                permits=plain.permits,
                reviews=plain.reviews,
                denied=plain.denied_facts,
                mismatches=plain.mismatches,
                head=plain.state.head,
                sizes=dict(plain.state.counts),
            )

    def replay(self) -> Replay:
        """
        Decide every decision again, and fold the state that the findings need.

        Raises:
            VerificationError: An event speaks of something no earlier event brought about.
        """
        checked = self.check()
        result = Replay(
            decisions=checked.decisions,
            permits=checked.permits,
            reviews=checked.reviews,
            mismatches=checked.mismatches,
            denied_facts=checked.denied,
        )
        for event in self.events():
            result.follow(event)
        return result

    def _rows(self) -> NDArray[Any]:
        return np.frombuffer(self.words(), _ROW)

    def _check(self) -> Checked:
        if not self._positions:
            raise _Irregular
        rows = self._rows()
        _require_regular(rows)
        history = _History(self._events, self._passports, self._grants)
        asked = _Asked(
            rows,
            places=np.array(self._places, np.int64),
            times=np.fromiter((position.time for position in self._positions), np.int64, len(rows)),
            passports=np.array(self._passport_keys, np.int64),
            grants=np.array(self._grant_keys, np.int64),
        )
        expected = _Law(history, asked).decide()
        recorded = (asked.seq, asked.version, asked.data_class, asked.outcome, asked.facts, asked.missing)
        wrong = np.zeros(len(rows), bool)
        for should, was in zip(expected, recorded, strict=True):
            wrong |= should != was
        mismatches = [
            self._mismatch(rows, int(index), tuple(int(column[index]) for column in expected))
            for index in np.flatnonzero(wrong)
        ]
        denied = asked.missing[(asked.outcome != Outcome.PERMIT) & (asked.outcome != Outcome.REVIEW)]
        kinds, counts = np.unique(denied, return_counts=True)
        sizes = np.bincount(asked.passports, minlength=len(self._passports))
        return Checked(
            decisions=len(rows),
            permits=int(np.count_nonzero(asked.outcome == Outcome.PERMIT)),
            reviews=int(np.count_nonzero(asked.outcome == Outcome.REVIEW)),
            denied=Counter(dict(zip(kinds.tolist(), counts.tolist(), strict=True))),
            mismatches=mismatches,
            head=fold(rows.tobytes()),
            sizes={PassportId(name): int(sizes[key]) for name, key in self._passports.items() if sizes[key]},
        )

    def _mismatch(self, rows: NDArray[Any], index: int, expected: Sequence[int]) -> Mismatch:
        entry = _entry(rows[index : index + 1].tobytes(), self._positions[index])
        seq, version, data_class, outcome, facts, missing = expected
        word = seq | version << 40 | data_class << 72 | outcome << 80 | facts << 88 | missing << 120
        verdict = unpack_verdict(word)
        return Mismatch(entry, verdict, differences(entry.verdict, verdict))


def replay_logs(logs: Iterable[RawLog], abi: Abi) -> Replay:
    """
    Replay raw logs from the first one of the ledger on, in the order of the chain.

    Raises:
        VerificationError: A log cannot be decoded, or an event speaks of something no earlier event brought about.
    """
    columns = Columns(abi)
    columns.take(logs)
    return columns.replay()


def fold(rows: bytes, head: bytes = ZERO32) -> bytes:
    """Return the running head after decisions, given their six words each in the order of the fold."""
    hasher: Callable[[bytes], bytes] = keccak.hasher
    for start in range(0, len(rows), _ROW.itemsize):
        head = hasher(head + rows[start : start + _ROW.itemsize])
    return head


def _event(row: bytes, position: Position) -> Event:
    words = [row[start : start + _WORD] for start in range(0, _ROW.itemsize, _WORD)]
    passport, grant, member, terms, verdict, commitment = words
    return Event(
        "DecisionRecorded",
        {
            "passportId": passport,
            "grantId": grant,
            "memberId": int.from_bytes(member, "big"),
            "terms": int.from_bytes(terms, "big"),
            "verdict": int.from_bytes(verdict, "big"),
            "commitment": commitment,
        },
        position,
    )


def _entry(row: bytes, position: Position) -> DecisionEntry:
    return decision_entry(_event(row, position).arguments, position)


def _require_regular(rows: NDArray[Any]) -> None:
    """Every word can be read: codes exist and no undefined bit is set."""
    readable = (
        (rows["basis"] < _BASES)
        & (rows["purpose"] < _PURPOSES)
        & (rows["operation"] <= max(Operation))
        & (rows["level"] <= 3)  # noqa: PLR2004 - levels have two bits
        & (rows["dataClass"] >= DataClass.CORE_PRIVACY)
        & (rows["dataClass"] <= DataClass.NON_SENSITIVE)
        & (rows["outcome"] >= Outcome.PERMIT)
        & (rows["outcome"] <= Outcome.REVIEW)
    )
    clean = (rows["termsPadding"] == np.void(bytes(6))) & (rows["verdictPadding"] == np.void(bytes(13)))
    if not bool(np.all(readable & clean)):
        raise _Irregular


class _Asked:
    """What was asked and recorded, one column a field."""

    def __init__(
        self, rows: NDArray[Any], *, places: _Ints, times: _Ints, passports: _Ints, grants: _Ints
    ) -> None:
        def column(name: str) -> _Ints:
            return rows[name].astype(np.int64)

        self.rows, self.places, self.times = rows, places, times
        self.passports, self.grants = passports, grants
        self.member, self.controller = column("member"), column("controller")
        self.project, self.emergency = column("project"), column("emergency")
        self.purpose, self.basis = column("purpose"), column("basis")
        self.operation, self.dataset = column("operation"), column("dataset")
        self.categories, self.level = column("categories"), column("level")
        self.first_day, self.last_day = column("firstDay"), column("lastDay")
        self.seq = column("seqHigh") << 32 | column("seqLow")
        self.version, self.data_class = column("version"), column("dataClass")
        self.outcome, self.facts, self.missing = column("outcome"), column("facts"), column("missing")
        self.permitted = self.outcome == Outcome.PERMIT


class _History:
    """Everything that bears on decisions, as versions. What permits use up is not in them: it is counted."""

    def __init__(
        self, events: Sequence[tuple[int, Event]], passports: dict[bytes, int], grants: dict[bytes, int]
    ) -> None:
        self.state = LedgerState()
        self.passport_keys, self._grant_keys = passports, grants
        self.members, self.orders = _Versions(6), _Versions(2)
        self.passports, self.grants = _Versions(7), _Versions(16)
        self.projects, self.statements = _Versions(11), _Versions(2)
        self.emergencies, self.rights = _Versions(11), _Versions(2)
        self.caps, self.datasets = _Versions(_PURPOSES), _Versions(4)
        #: Where a grant took the place of another in its datasets: the place, the former and the new one.
        self.successions: list[tuple[int, bytes, bytes]] = []
        self.order_keys: dict[tuple[int, int], int] = {}
        self.statement_keys: dict[tuple[bytes, int], int] = {}
        self.law_places: list[int] = []
        self.laws: list[Any] = []
        self.reviews: list[tuple[int, Event]] = []
        self.borders: list[tuple[int, Event]] = []
        #: Whose data it is; passports name their places.
        self.persons: list[Person] = []
        self._person_keys: dict[Person, int] = {}
        # From where on what is used up counts: where a thing came about, anew perhaps.
        self._passport_resets: dict[int, int] = {}
        self._grant_resets: dict[int, int] = {}
        self._emergency_resets: dict[int, int] = {}
        self._transfers: set[bytes] = set()
        # Of transfers that cross a border, the project and the sender; and of what is loaded into them also the person,
        # and the law that says whether that counts as sensitive.
        self._abroad: dict[bytes, tuple[int, int]] = {}
        self.loads: dict[int, tuple[tuple[int, int, Person], PolicyTable]] = {}
        #: For each event that makes a new version of something, what makes it.
        self._versions: dict[str, Callable[[int, dict[str, Any]], None]] = {
            **dict.fromkeys(
                (
                    "MemberAdmitted",
                    "MemberSuspended",
                    "MemberReinstated",
                    "MemberExpelled",
                    "MemberLicensed",
                    "MemberControlChanged",
                ),
                lambda place, given: self._member(place, given["memberId"]),
            ),
            **dict.fromkeys(
                (
                    "PassportNarrowed",
                    "PassportSealed",
                    "PassportUnsealed",
                    "PassportDestroyed",
                    "HolderRotated",
                ),
                lambda place, given: self._passport(place, given["passportId"], reset=False),
            ),
            **dict.fromkeys(
                (
                    "ConsentConfirmed",
                    "ConsentRefused",
                    "ConsentRepudiated",
                    "ConsentWithdrawn",
                    "ConsentSuperseded",
                ),
                lambda place, given: self._grant(place, given, reset=False),
            ),
            "ConsentRequested": lambda place, given: self._grant(place, given, reset=True),
            "ConsentGranted": self._given,
            **dict.fromkeys(
                ("ProjectFiled", "ProjectWithdrawn", "ProjectReviewed"),
                lambda place, given: self._project(place, given["projectId"]),
            ),
            **dict.fromkeys(
                ("EmergencyOpened", "EmergencyDeclared"),
                lambda place, given: self._emergency(place, given["emergencyId"], reset=True),
            ),
            **dict.fromkeys(
                ("EmergencyEnded", "EmergencyReviewed"),
                lambda place, given: self._emergency(place, given["emergencyId"], reset=False),
            ),
            "PassportIssued": lambda place, given: self._passport(place, given["passportId"], reset=True),
            "EmergencyRightRestored": lambda place, given: self._right(place, given["memberId"]),
            **dict.fromkeys(
                ("DatasetDeclared", "DatasetSealed", "DatasetUnsealed"),
                lambda place, given: self._dataset(place, given["datasetId"]),
            ),
            "StepRecorded": self._step,
            "Attested": self._statement,
            "PolicySet": self._law,
            "MemberCapsSet": self._cap,
            "MemberEntrusted": self._order,
        }
        for place, event in events:
            self._take(place, event)

    def _take(self, place: int, event: Event) -> None:
        name, given = event.name, event.arguments
        if name in _ABOUT_DECISIONS:
            self._about_decision(place, event)
            return
        apply(self.state, event)
        if name in _ABOUT_BORDERS:
            self.borders.append((place, event))
        version = self._versions.get(name)
        if version is not None:
            version(place, given)

    def _law(self, place: int, _: dict[str, Any]) -> None:
        self.law_places.append(place)
        self.laws.append(self.state.law)

    def _cap(self, place: int, given: dict[str, Any]) -> None:
        caps = given["caps"]
        self.caps.add(given["memberId"], place, tuple(caps >> 16 * bit & 0xFFFF for bit in range(_PURPOSES)))

    def _order(self, place: int, given: dict[str, Any]) -> None:
        pair = given["controller"], given["processor"]
        if max(pair) >= _MOST_KEYS:
            raise _Irregular
        key = self.order_keys.setdefault(pair, len(self.order_keys))
        self.orders.add(key, place, (given["purposes"], given["validTo"]))

    def _about_decision(self, place: int, event: Event) -> None:
        given = event.arguments
        if event.name == "RequestReviewed":
            self.reviews.append((place, event))
        elif event.name == "ReleaseRecorded" and given["passportId"] not in self.state.passports:
            raise _Irregular
        elif event.name in {"TransferShipped", "TransferDeclared"}:
            self._transfers.add(given["transferId"])
        elif event.name.startswith("Transfer") and given["transferId"] not in self._transfers:
            raise _Irregular
        if event.name == "TransferDeclared" and given["crosses"]:
            declared = consignment(given["consignment"])
            self._abroad[given["transferId"]] = declared.project_id, given["sender"]
        elif event.name == "TransferLoaded" and given["transferId"] in self._abroad:
            person = person_of(self.state.passports[PassportId(given["passportId"])])
            self.loads[place] = (*self._abroad[given["transferId"]], person), self.state.law
            self.borders.append((place, event))

    def _member(self, place: int, number: int) -> None:
        member = self.state.members[number]
        self.members.add(
            number,
            place,
            (
                member.status,
                member.valid_to,
                member.purposes,
                member.jurisdiction,
                member.kind,
                member.control,
            ),
        )

    def _passport(self, place: int, name: bytes, *, reset: bool) -> None:
        key = self.passport_keys.setdefault(name, len(self.passport_keys))
        passport = self.state.passports[PassportId(name)]
        name_of_person = person_of(passport)
        person = self._person_keys.setdefault(name_of_person, len(self.persons))
        if person == len(self.persons):
            self.persons.append(name_of_person)
        if reset:
            self._passport_resets[key] = place
        self.passports.add(
            key,
            place,
            (
                passport.custodian,
                passport.purposes,
                passport.status,
                passport.level,
                passport.lock,
                self._passport_resets[key],
                person,
            ),
        )

    def _grant(self, place: int, given: dict[str, Any], *, reset: bool) -> None:
        passport_id, grant_id = given["passportId"], given["grantId"]
        entry = self.state.grants.get((PassportId(passport_id), GrantId(grant_id)))
        if entry is None:
            return  # Withdrawn before it was given.
        name = passport_id + grant_id
        key = self._grant_keys.setdefault(name, len(self._grant_keys))
        if reset:
            self._grant_resets[key] = place
        grant = entry.state
        self.grants.add(
            key,
            place,
            (
                grant.recipient,
                grant.recipient_kinds,
                grant.purposes,
                int(grant.categories),
                grant.use_from,
                grant.use_to,
                grant.data_from,
                grant.data_to,
                grant.max_uses,
                grant.uses,
                grant.control,
                grant.level,
                int(grant.flags),
                grant.status,
                grant.assurance,
                self._grant_resets[key],
            ),
        )

    def _given(self, place: int, given: dict[str, Any]) -> None:
        self._grant(place, given, reset=True)
        entry = self.state.grants[PassportId(given["passportId"]), GrantId(given["grantId"])]
        former = self.state.grants.get((entry.passport_id, entry.supersedes))
        if former is not None and covers(entry.state, former.state, entry.position.time):
            self.successions.append((place, entry.supersedes, entry.grant_id))

    def _dataset(self, place: int, number: int) -> None:
        dataset = self.state.datasets[number]
        self.datasets.add(
            number, place, (dataset.owner, dataset.purposes, int(dataset.categories), dataset.status)
        )

    def _step(self, place: int, given: dict[str, Any]) -> None:
        """Of all steps only destruction bears on decisions: nothing more goes into the dataset."""
        step = self.state.steps[given["stepId"]].record.step
        if step.kind is StepKind.DESTROY:
            self._dataset(place, step.dataset_id)

    def _project(self, place: int, number: int) -> None:
        project = self.state.projects[number]
        self.projects.add(
            number,
            place,
            (
                project.member_id,
                project.purposes,
                int(project.categories),
                int(project.techniques),
                project.highest_class,
                project.valid_from,
                project.valid_to,
                project.agreement,
                project.withdrawn,
                project.ethics,
                project.compliance,
            ),
        )

    def _statement(self, place: int, given: dict[str, Any]) -> None:
        subject, kind = given["subject"], given["kind"]
        statement = self.state.attestations[subject][AttestationKind(kind)]
        key = self.statement_keys.setdefault((subject, kind), len(self.statement_keys))
        self.statements.add(key, place, (statement.issuer, statement.valid_to))

    def _emergency(self, place: int, number: int, *, reset: bool) -> None:
        if reset:
            self._emergency_resets[number] = place
        emergency = self.state.emergencies[number].emergency
        self.emergencies.add(
            number,
            place,
            (
                emergency.kind,
                emergency.member_id,
                emergency.purposes,
                int(emergency.categories),
                emergency.valid_from,
                emergency.until,
                emergency.max_records,
                emergency.used,
                emergency.jurisdiction,
                self.passport_keys.get(emergency.passport_id, -1),
                self._emergency_resets[number],
            ),
        )
        for member_id, right in self.state.rights.items():
            if number in right.opened:
                self._right(place, member_id)

    def _right(self, place: int, member_id: int) -> None:
        right = self.state.right(member_id)
        due = _NEVER if right.oldest_due is None else right.oldest_due
        self.rights.add(member_id, place, (right.lost, due))


class _Law:
    """`ledger.policy`, for all decisions at once."""

    def __init__(self, history: _History, asked: _Asked) -> None:
        self._history, self._asked = history, asked
        # Passport by passport, each one's decisions in the order of the chain.
        self._by_passport = np.argsort(asked.passports, kind="stable")
        self._sorted_passports = asked.passports[self._by_passport]
        self._sorted_places = asked.places[self._by_passport]
        self._law = np.searchsorted(np.array(history.law_places, np.int64), asked.places) - 1
        if len(asked.places) and int(self._law.min()) < 0:
            raise _Irregular  # a decision before the first law
        self._core = self._by_law([int(law.core_categories) for law in history.laws])
        self._sensitive = self._by_law([int(law.sensitive_categories) for law in history.laws])
        self._banned = self._by_law([law.banned_purposes for law in history.laws])
        self._versions = self._by_law([law.version for law in history.laws])
        # Each word of the table, cut into its eight sets of facts, the lowest bits first.
        tables = b"".join(word.to_bytes(32, "little") for law in history.laws for word in law.required)
        self._required = np.frombuffer(tables, "<u4").astype(np.int64).reshape(-1, 3, _PURPOSES, _BASES)
        necessary = b"".join(law.necessary.to_bytes(32, "little") for law in history.laws)
        self._necessary = np.frombuffer(necessary, "<u2").astype(np.int64).reshape(-1, _PURPOSES)
        levels = [law.levels >> 2 * index & 3 for law in history.laws for index in range(48)]
        self._levels = np.array(levels, np.int64).reshape(-1, 3, _PURPOSES)
        self._look_up()

    def _by_law(self, values: list[int]) -> _Ints:
        return np.array(values, np.int64)[self._law]

    def _look_up(self) -> None:
        """Find the version of everything that bears on each decision."""
        history, asked = self._history, self._asked
        places = asked.places
        known, self._requester = history.members.at(asked.member, places)
        self._controlled, self._controller = history.members.at(asked.controller, places)
        self._controlled &= asked.controller != 0
        issued, self._passport = history.passports.at(asked.passports, places)
        kept, self._custodian = history.members.at(self._passport[0], places)
        met = known & issued & kept & (self._controlled | (asked.controller == 0))
        if not bool(np.all(met)):
            raise _Irregular  # a member or a passport that no event brought about
        self._granted, self._grant = history.grants.at(asked.grants, places)
        self._filed, self._project = history.projects.at(asked.project, places)
        self._urgent, self._emergency = history.emergencies.at(asked.emergency, places)
        pairs = _keys_of_pairs(history.order_keys, asked.controller, asked.member)
        ordered, order = history.orders.at(pairs, places)
        entrusted = ordered & _has(order[0], asked.purpose) & (asked.times < order[1])
        # The principal: the requester, or the controller that has entrusted it, or nobody.
        alone = asked.controller == 0
        self._principal = alone | entrusted & self._controlled
        self._principal_id = np.where(alone, asked.member, asked.controller)
        self._principal_kind = np.where(alone, self._requester[4], self._controller[4])
        self._principal_jurisdiction = np.where(alone, self._requester[3], self._controller[3])
        self._principal_control = np.where(alone, self._requester[5], self._controller[5])

    def decide(self) -> tuple[_Ints, ...]:
        """Return what the law answers: number, version, class, outcome, facts and missing facts."""
        asked = self._asked
        self._class = np.where(
            asked.categories & self._core != 0,
            DataClass.CORE_PRIVACY,
            np.where(asked.categories & self._sensitive != 0, DataClass.SENSITIVE, DataClass.NON_SENSITIVE),
        )
        self._needs = self._required[self._law, self._class - 1, asked.purpose, asked.basis]
        if not bool(np.all(asked.version == self._versions)):
            raise _Irregular  # what a permit rests on is looked up under the version on record
        self._covered = self._covers()
        facts = (
            self._member_facts()
            | self._limit_facts()
            | self._passport_facts()
            | self._project_facts()
            | self._grant_facts()
            | self._dataset_facts()
            | self._facts_on_demand()
            | _bit(Fact.LAWFUL, self._needs != 0)
        )
        includes = asked.operation == Operation.INCLUDE
        always = int(Fact.LAWFUL) | _bit(Fact.DATASET_FITS, includes)
        missing = (self._needs | always) & ~facts
        outcome = np.where(
            missing == 0,
            Outcome.PERMIT,
            np.where(missing == int(Fact.HUMAN_REVIEWED), Outcome.REVIEW, Outcome.DENY),
        )
        return self._numbers(), self._versions, self._class, outcome, facts, missing

    def _numbers(self) -> _Ints:
        """Return the number that each decision should have: one more than that of the passport's last one."""
        asked = self._asked
        if bool(np.any(asked.seq == _LAST_SEQ)):
            raise _Irregular
        order, passports, places = self._by_passport, self._sorted_passports, self._sorted_places
        seq = asked.seq[order]
        expected = np.zeros(len(order), np.int64)
        follows = (passports[1:] == passports[:-1]) & (places[:-1] > self._passport[5][order][1:])
        expected[1:] = np.where(follows, seq[:-1] + 1, 0)
        found = np.empty_like(expected)
        found[order] = expected
        return found

    def _covers(self) -> _Bools:
        """Tell whether the emergency that a request names is in force and covers it."""
        asked = self._asked
        kind, member, purposes, categories, begins, until, most, used, place, passport, first = (
            self._emergency
        )
        inside = (begins <= asked.times) & (asked.times < until) & (asked.categories & ~categories == 0)
        individual = asked.basis == Basis.INDIVIDUAL_EMERGENCY
        mine = individual & (member == asked.member) & (passport == asked.passports)
        # The table in force and the class on record say whether a permit took a record, as the reference's fold does.
        needs = self._required[self._law, asked.data_class - 1, asked.purpose, asked.basis]
        locked = (needs & int(Fact.UNLOCKED) != 0) & (self._passport[4] != 0)
        rests = locked | (needs & int(Fact.EMERGENCY_IN_FORCE) != 0)
        public = kind == EmergencyKind.PUBLIC
        takes = asked.permitted & self._urgent & public & rests
        used = used + _taken(asked.emergency, asked.places, first, takes)
        here = (place == 0) | (place == self._custodian[3])
        theirs = ~individual & _has(purposes, asked.purpose) & here & (used < most)
        individually = kind == EmergencyKind.INDIVIDUAL
        covered: _Bools = self._urgent & inside & (individually & mine | ~individually & theirs)
        return covered

    def _member_facts(self) -> _Ints:
        asked, mine, theirs = self._asked, self._requester, self._controller
        alone = ~self._controlled
        active = (mine[0] == MemberStatus.ACTIVE) & (asked.times < mine[1])
        active &= alone | (theirs[0] == MemberStatus.ACTIVE) & (asked.times < theirs[1])
        scope = _has(mine[2], asked.purpose) & (alone | _has(theirs[2], asked.purpose))
        return _bit(Fact.MEMBER_ACTIVE, active) | _bit(Fact.MEMBER_SCOPE, scope)

    def _limit_facts(self) -> _Ints:
        asked = self._asked
        necessary = asked.categories & ~self._necessary[self._law, asked.purpose] == 0
        _, caps = self._history.caps.at(asked.member, asked.places)
        cap = caps[asked.purpose, np.arange(len(asked.places))]
        takes, used = asked.permitted & (cap != 0), np.zeros(len(asked.places), np.int64)
        if bool(np.any(takes)):
            days = asked.times // DAY_SECONDS
            if bool(np.any((days >= _MOST_DAYS) | (asked.member >= _MOST_KEYS))):
                raise _Irregular
            names = asked.member << 21 | days << 4 | asked.purpose
            _, keys = np.unique(names, return_inverse=True)
            used = _taken(keys.reshape(-1), asked.places, np.zeros_like(days), takes)
            if bool(np.any(used >= _MOST_USES)):
                raise _Irregular  # a count that runs over into the next purpose's
        within = _bit(Fact.WITHIN_CAP, (cap == 0) | (used < cap))
        return _bit(Fact.CATEGORIES_NECESSARY, necessary) | within

    def _passport_facts(self) -> _Ints:
        asked = self._asked
        custodian, purposes, status, _, lock, _, _ = self._passport
        facts = np.full(len(asked.places), int(Fact.BUDGET_LEFT), np.int64)
        facts |= _bit(Fact.PASSPORT_OPEN, status == PassportStatus.OPEN)
        facts |= _bit(Fact.PURPOSE_ALLOWED, _has(purposes & ~self._banned, asked.purpose))
        own = self._principal & (custodian == self._principal_id)
        facts |= _bit(Fact.REQUESTER_IS_CUSTODIAN, own)
        return facts | _bit(Fact.UNLOCKED, (lock == 0) | (lock == asked.emergency) & self._covered)

    def _project_facts(self) -> _Ints:
        asked = self._asked
        owner, purposes, categories, techniques, highest, begins, ends, agreement, withdrawn, ethics, fit = (
            self._project
        )
        own = self._filed & self._principal & (withdrawn == 0) & (owner == self._principal_id)
        covers = (
            (begins <= asked.times)
            & (asked.times < ends)
            & _has(purposes, asked.purpose)
            & (asked.categories & ~categories == 0)
            & (self._class >= highest)
        )
        return (
            _bit(Fact.PROJECT_FILED, own & covers)
            | _bit(Fact.PROJECT_TECHNIQUE, own & (techniques != 0))
            | _bit(Fact.PROJECT_AGREEMENT, own & (agreement != 0))
            | _bit(Fact.PROJECT_ETHICS, own & (ethics != 0))
            | _bit(Fact.PROJECT_COMPLIANCE, own & (fit != 0))
        )

    def _grant_facts(self) -> _Ints:
        asked = self._asked
        recipient, kinds, purposes, categories, begins, ends, data_from, data_to = self._grant[:8]
        most, used, control, level, flags, status, assurance, first = self._grant[8:]
        given = self._granted & (assurance != Assurance.NONE)
        live = (status == GrantStatus.ACTIVE) & (begins <= asked.times) & (asked.times < ends)
        named = np.where(
            recipient != 0,
            (recipient == self._principal_id) & (control == self._principal_control),
            _has(kinds, self._principal_kind),
        )
        by_consent = asked.basis == Basis.CONSENT
        takes = asked.permitted & by_consent & self._granted & (most != 0)
        used = used + _taken(asked.grants, asked.places, first, takes)
        separate = (flags & int(GrantFlag.SEPARATE) != 0) & (assurance >= Assurance.DELEGATED)
        inside = (data_from == 0) | (asked.first_day >= data_from)
        inside &= (data_to == 0) | (asked.last_day > 0) & (asked.last_day <= data_to)
        least = self._levels[self._law, self._class - 1, asked.purpose]
        least = np.where(by_consent & self._granted, np.maximum(least, level), least)
        return (
            _bit(Fact.GRANT_LIVE, given & live)
            | _bit(Fact.GRANT_RECIPIENT, given & self._principal & named)
            | _bit(Fact.GRANT_PURPOSE, given & _has(purposes, asked.purpose))
            | _bit(Fact.GRANT_CATEGORIES, given & (asked.categories & ~categories == 0))
            | _bit(Fact.GRANT_SEPARATE, given & separate)
            | _bit(Fact.GRANT_QUOTA, given & ((most == 0) | (used < most)))
            | _bit(Fact.GRANT_PERIOD, given & inside)
            | _bit(Fact.LEVEL_SUFFICIENT, self._handed_over_at() >= least)
        )

    def _handed_over_at(self) -> _Ints:
        return np.asarray(np.maximum(self._asked.level, self._passport[3]), np.int64)

    def _dataset_facts(self) -> _Ints:
        asked = self._asked
        includes, by_consent = asked.operation == Operation.INCLUDE, asked.basis == Basis.CONSENT
        if not bool(np.any(includes)):
            return _bit(Fact.DATASET_FITS, ~includes)
        known, (owner, purposes, categories, status) = self._history.datasets.at(asked.dataset, asked.places)
        if bool(np.any(includes & asked.permitted & ~known)):
            raise _Irregular  # an inclusion into a dataset that no event brought about
        own = known & self._principal & (owner == self._principal_id) & (status < DatasetStatus.SEALED)
        wants_no_more = (asked.categories & ~categories == 0) & _has(purposes, asked.purpose)
        # What was consented to it may serve in all that it is for; what was not, only in what was asked for.
        served = np.where(by_consent, self._grant[2], np.int64(1) << asked.purpose)
        fits = own & wants_no_more & (purposes & ~served == 0)
        fits[includes & by_consent] &= self._have_room(np.flatnonzero(includes & by_consent))
        return _bit(Fact.DATASET_FITS, ~includes | fits)

    def _have_room(self, inclusions: NDArray[np.intp]) -> _Bools:
        """Tell of inclusions by consent, in order, whether the grant remembers the dataset or has room for it."""
        asked, found = self._asked, np.zeros(len(inclusions), bool)
        remembered: dict[bytes, tuple[int, ...]] = {}
        successions = iter(self._history.successions)
        place, former, successor = next(successions, (_NEVER, b"", b""))
        for number, index in enumerate(inclusions.tolist()):
            while place < asked.places[index]:
                if former in remembered:
                    remembered[successor] = remembered[former]
                place, former, successor = next(successions, (_NEVER, b"", b""))
            grant, dataset = asked.rows["grant"][index].tobytes(), int(asked.dataset[index])
            known = remembered.get(grant, ())
            found[number] = dataset in known or len(known) < MAX_DATASETS
            if asked.permitted[index] and self._granted[index] and dataset not in known:
                remembered[grant] = (*known, dataset)
        return found

    def _facts_on_demand(self) -> _Ints:
        asked = self._asked
        facts = _bit(Fact.EMERGENCY_IN_FORCE, self._covered)
        _, (lost, due) = self._right()
        facts |= _bit(Fact.REVIEWS_CURRENT, (lost == 0) & (asked.times <= due))
        facts |= _bit(Fact.BORDER_CLEARED, self._cross())
        licensed = self._stated(AttestationKind.LICENCE, asked.project, _project_names(asked.project))
        facts |= _bit(Fact.MODEL_LICENSED, licensed != 0)
        passports = {key: name for name, key in self._history.passport_keys.items()}
        for fact, kind in (
            (Fact.ENCRYPTED, AttestationKind.ENCRYPTION),
            (Fact.SOURCE_DECLARED, AttestationKind.SOURCE),
        ):
            facts |= _bit(fact, self._stated(kind, asked.passports, passports) != 0)
        verifier = self._stated(AttestationKind.DEIDENTIFICATION, asked.passports, passports)
        independent = (verifier != 0) & (verifier != asked.member) & (verifier != asked.controller)
        facts |= _bit(Fact.DEIDENTIFIED, independent & (self._handed_over_at() >= Level.DEIDENTIFIED))
        # Each asks another register, and is established only where the law requires it.
        return np.asarray((facts | self._approved()) & self._needs, np.int64)

    def _cross(self) -> _Bools:
        """Tell of each decision whether the data stays in its jurisdiction or may cross; persons are counted in order."""
        asked, state = self._asked, LedgerState()
        requester_abroad = self._requester[3] != self._custodian[3]
        principal_abroad = self._principal & (self._principal_jurisdiction != self._custodian[3])
        parties = (asked.member, requester_abroad), (self._principal_id, principal_abroad)
        found: _Bools = ~(requester_abroad | principal_abroad)
        # The class on record says whether a permit counted a person, as the reference's fold does.
        recorded = self._required[self._law, asked.data_class - 1, asked.purpose, asked.basis]
        wanted = np.flatnonzero(~found & ((self._needs | recorded) & int(Fact.BORDER_CLEARED) != 0))
        sensitive = self._class != DataClass.NON_SENSITIVE
        events = iter(self._history.borders)
        place, event = next(events, (_NEVER, None))
        for index in wanted.tolist():
            while event is not None and place < asked.places[index]:
                if place in self._history.loads:
                    self._cross_loaded(state, place, event)
                else:
                    apply(state, event)
                place, event = next(events, (_NEVER, None))
            project, exporter = int(asked.project[index]), int(self._passport[0][index])
            importers, at = [int(ids[index]) for ids, far in parties if far[index]], int(asked.times[index])
            person, touchy = self._history.persons[self._passport[6][index]], bool(sensitive[index])
            crossing = state.crossing(project, exporter, importers[0], at, person, importers[1:])
            found[index] = may_cross(crossing, at, sensitive=touchy)
            if asked.permitted[index] and recorded[index] & int(Fact.BORDER_CLEARED):
                count_crossing(state, (project, exporter, person), at, sensitive=touchy)
        return found

    def _cross_loaded(self, state: LedgerState, place: int, event: Event) -> None:
        """Count the person whose record a transfer takes across a border, as the reference's fold does."""
        asked, (crossing, law) = self._asked, self._history.loads[place]
        passport = self._history.passport_keys.get(event.arguments["passportId"], -1)
        named = (asked.passports == passport) & (asked.seq == event.arguments["seq"])
        permits = np.flatnonzero(named & asked.permitted & (asked.operation == Operation.TRANSFER))
        if len(permits):
            categories = Category(int(asked.categories[permits[0]]))
            count_crossing(state, crossing, event.position.time, sensitive=is_sensitive(law, categories))

    def _right(self) -> tuple[_Bools, _Ints]:
        exists, right = self._history.rights.at(self._asked.member, self._asked.places)
        right[1] = np.where(exists, right[1], _NEVER)
        return exists, right

    def _stated(self, kind: AttestationKind, keys: _Ints, names: dict[int, bytes]) -> _Ints:
        """Return who states something of a subject in a statement that is in force; 0 if nobody."""
        known, places = self._history.statement_keys, np.array(sorted(names), np.int64)
        values = np.array([known.get((names[key], kind), -1) for key in places.tolist()], np.int64)
        found = values[np.searchsorted(places, keys)]
        _, (issuer, valid_to) = self._history.statements.at(found, self._asked.places)
        return np.asarray(np.where(self._asked.times < valid_to, issuer, 0), np.int64)

    def _approved(self) -> _Ints:
        """Return the fact that a human approved the very request, word for word, for as long as it holds."""
        asked, facts = self._asked, np.zeros(len(self._asked.places), np.int64)
        if not self._history.reviews:
            return facts
        approvals = _Versions(1)
        keys: dict[bytes, int] = {}
        for place, event in self._history.reviews:
            index = self._reviewed(place, event)
            # An answer replaces the one before it: a refusal ends an approval.
            key = keys.setdefault(self._words(index), len(keys))
            approvals.add(key, place, (event.arguments["approvedUntil"],))
        wanted = np.flatnonzero(self._needs & int(Fact.HUMAN_REVIEWED))
        named = np.array([keys.get(self._words(int(index)), -1) for index in wanted], np.int64)
        _, (until,) = approvals.at(named, asked.places[wanted])
        facts[wanted] = _bit(Fact.HUMAN_REVIEWED, asked.times[wanted] < until)
        return facts

    def _reviewed(self, place: int, event: Event) -> int:
        """Return the decision that a review is about: the last one of its number before it."""
        asked = self._asked
        key = self._history.passport_keys.get(event.arguments["passportId"], -1)
        start, end = np.searchsorted(self._sorted_passports, [key, key + 1])
        before = start + np.searchsorted(self._sorted_places[start:end], place)
        own = self._by_passport[start:before]
        own = own[asked.seq[own] == event.arguments["seq"]]
        if not len(own):
            raise _Irregular  # a review of no decision
        return int(own[-1])

    def _words(self, index: int) -> bytes:
        """Return what names a request of a member: all words of its row but the answer."""
        row = self._asked.rows[index : index + 1].tobytes()
        return row[:128] + row[160:]


def _has(sets: _Ints, codes: _Ints) -> _Bools:
    """Tell of each set whether it has a code: bit n for code n."""
    return np.asarray(sets >> codes & 1 != 0)


def _bit(fact: Fact, holds: _Bools) -> _Ints:
    return np.asarray(np.where(holds, int(fact), 0), np.int64)


def _taken(keys: _Ints, places: _Ints, first: _Ints, takes: _Bools) -> _Ints:
    """Return for each decision how many before it took something of the same thing, since the thing came about."""
    taken = np.sort(keys[takes] << _PLACE_BITS | places[takes])
    before = np.searchsorted(taken, keys << _PLACE_BITS | places)
    return np.asarray(before - np.searchsorted(taken, keys << _PLACE_BITS | first), np.int64)


def _keys_of_pairs(known: dict[tuple[int, int], int], controllers: _Ints, processors: _Ints) -> _Ints:
    """Return for each pair its key, -1 if there is none."""
    pairs = controllers << _PLACE_BITS | processors
    names, places = np.unique(pairs, return_inverse=True)
    keys = [known.get((int(name) >> _PLACE_BITS, int(name) & 0xFFFFFFFF), -1) for name in names]
    return np.asarray(np.array(keys, np.int64)[places.reshape(-1)], np.int64)


def _project_names(projects: _Ints) -> dict[int, bytes]:
    return {int(number): project_subject(int(number)) for number in np.unique(projects)}
