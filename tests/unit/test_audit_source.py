"""The audit from a node: reading, checking its word, and the report."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.audit.auditor import audit
from ledger.audit.findings import Limits, Rule
from ledger.audit.index import KEYS, EventComparison, expected_rows, index_findings, key_of
from ledger.audit.replay import replay
from ledger.audit.source import read_events
from ledger.chain import artifacts
from ledger.domain.records import Event
from ledger.domain.vocabulary import Operation, Outcome, Role
from ledger.encoding.events import EventDecoder
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import ChainError, Conflict, NodeUnreachable, NotFound, TooLarge, VerificationError
from ledger.interop.fhir import AccessLogEntry
from tests.unit.chronicle import CHAIN_ID, LAB, LEDGER, Chronicle, FakeNode, block_hash, everything

ABI = artifacts.load().abi


@pytest.fixture
def chronicle():
    """Return a ledger on which everything was in order."""
    told = Chronicle.begun()
    for _ in range(3):
        passport = told.issue()
        told.decide(passport)
        told.release(passport, told.permitted(passport))
    transfer = told.ship(passport, told.permitted(passport, operation=Operation.TRANSFER))
    told.receive(transfer)
    told.withdraw(*next(iter(told.state.grants)))
    return told


def read(node: FakeNode, **changes: Any) -> list[Event]:
    """Return all events of a node."""
    given = {"from_block": 0, "to_block": node.chronicle.block, **changes}
    return list(read_events(node, EventDecoder(ABI), LEDGER, **given))


@dataclass
class FakeIndex:
    """An index that holds what a chronicle told until some block."""

    chronicle: Chronicle
    block: int | None = None
    altered: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)

    def block_number(self) -> int:
        return self.chronicle.block if self.block is None else self.block

    def events(self) -> list[Event]:
        return [
            event for event in self.chronicle.events if event.position.block_number <= self.block_number()
        ]

    def rows(self) -> list[tuple[str, str, dict[str, Any]]]:
        return [(table, key, dict(row)) for table, key, row in expected_rows(replay(self.events()).state)]


class TestReading:
    @pytest.mark.parametrize("most", [1, 2, 3, 7, 1000])
    @pytest.mark.parametrize("blind", [True, False])
    def test_all_events_come_in_order(self, chronicle, most, blind):
        """However small the ranges that the node serves, with times or without."""
        node = FakeNode(chronicle, most=most, blind=blind)
        assert read(node) == chronicle.events

    def test_a_refused_range_is_halved_and_grows_again(self, chronicle):
        """Nothing is asked for twice that was served."""
        node = FakeNode(chronicle, most=8)
        read(node)
        served = [
            block for first, last in node.ranges if last - first < 8 for block in range(first, last + 1)
        ]
        assert served == list(range(chronicle.block + 1))

    def test_one_block_that_is_refused_is_an_error(self, chronicle):
        """There is nothing left to halve."""
        with pytest.raises(TooLarge):
            read(FakeNode(chronicle, most=0))

    def test_a_nodes_own_error_halves_too(self, chronicle):
        """Clients have errors of their own for ranges that are too large."""
        node = FakeNode(chronicle)
        serve = node.logs

        def refuse(address, first, last):
            if last - first > 3:
                raise ChainError("query returned more than 10000 results")
            return serve(address, first, last)

        node.logs = refuse
        assert read(node) == chronicle.events

    def test_a_node_that_is_gone_is_not_asked_again(self, chronicle):
        """It is not the range's fault."""
        node, calls = FakeNode(chronicle), []

        def gone(*_):
            calls.append(1)
            raise NodeUnreachable("gone")

        node.logs = gone
        with pytest.raises(NodeUnreachable):
            read(node)
        assert len(calls) == 1

    def test_a_log_of_another_block_is_refused(self, chronicle):
        """A node may not slip events in."""
        node = FakeNode(chronicle)
        serve = node.logs
        node.logs = lambda address, first, last: serve(address, 0, chronicle.block)
        with pytest.raises(VerificationError, match="not asked for"):
            read(node, to_block=2)

    def test_a_block_that_changed_is_refused(self, chronicle):
        """The time must be that of the block the log stands in."""
        with pytest.raises(Conflict, match="changed while it was read"):
            read(FakeNode(chronicle, reorganised=True))

    def test_progress_is_told(self, chronicle):
        """Last block read, last block of all, events so far."""
        told: list[tuple[int, int, int]] = []
        read(FakeNode(chronicle, most=5), progress=lambda *state: told.append(state))
        assert told[-1] == (chronicle.block, chronicle.block, len(chronicle.events))
        assert told == sorted(told)


class TestAudit:
    def test_an_honest_ledger_is_clean(self, chronicle):
        """Nothing at all is found."""
        report = audit(FakeNode(chronicle), ABI, LEDGER, index=FakeIndex(chronicle))
        assert report.findings == ()
        assert report.is_clean

    def test_the_report_as_json(self, chronicle):
        """All its keys, and it is JSON."""
        report = audit(FakeNode(chronicle), ABI, LEDGER)
        assert json.loads(json.dumps(report.as_json())) == {
            "chainId": CHAIN_ID,
            "ledger": LEDGER,
            "fromBlock": 0,
            "toBlock": chronicle.block,
            "blockHash": to_hex(block_hash(chronicle.block)),
            "indexBlock": None,
            "head": to_hex(chronicle.state.head),
            "passports": 3,
            "decisions": 7,
            "mismatches": 0,
            "permits": 4,
            "reviews": 0,
            "denied": 3,
            "denials": dict.fromkeys(
                (
                    "PROJECT_FILED",
                    "PROJECT_ETHICS",
                    "PROJECT_TECHNIQUE",
                    "PROJECT_AGREEMENT",
                    "GRANT_LIVE",
                    "GRANT_RECIPIENT",
                    "GRANT_PURPOSE",
                    "GRANT_CATEGORIES",
                    "GRANT_QUOTA",
                    "GRANT_PERIOD",
                    "PROJECT_COMPLIANCE",
                ),
                3,
            ),
            "clean": True,
            "findings": [],
        }

    def test_a_finding_as_json(self, chronicle):
        """Its rule, whom it concerns, and where to look."""
        passport = chronicle.issue()
        chronicle.decide(passport, forge=lambda verdict: replace(verdict, outcome=Outcome.PERMIT))
        report = audit(FakeNode(chronicle), ABI, LEDGER)
        [finding] = report.as_json()["findings"]
        position = chronicle.events[-1].position
        detail = finding.pop("detail")
        assert finding == {
            "rule": "decision-mismatch",
            "informational": False,
            "member": 3,
            "memberName": "Lab",
            "passport": to_hex(passport),
            "seq": 0,
            "evidence": [
                {
                    "block": position.block_number,
                    "blockHash": to_hex(position.block_hash),
                    "transaction": to_hex(position.transaction_hash),
                    "logIndex": 0,
                    "time": position.time,
                }
            ],
        }
        assert detail.endswith(".")
        assert (report.as_json()["mismatches"], report.is_clean) == (1, False)

    def test_a_hidden_last_decision_is_found(self, chronicle):
        """Head and size give the node away, also where no number is missing in between."""
        passport = chronicle.issue()
        chronicle.decide(passport)
        node = FakeNode(chronicle, hidden=frozenset({len(chronicle.events) - 1}))
        found = {finding.rule for finding in audit(node, ABI, LEDGER).findings}
        assert found == {Rule.HEAD_MISMATCH, Rule.SIZE_MISMATCH}

    def test_a_ledger_on_which_everything_happened_says_what_was_wrong(self):
        """Every kind of event, and an index of all of it; one emergency was unjustified."""
        told = everything()
        report = audit(FakeNode(told), ABI, LEDGER, index=FakeIndex(told))
        assert [finding.rule for finding in report.findings] == [Rule.EMERGENCY_UNJUSTIFIED]
        assert report.replay.reviews == 1

    @pytest.mark.parametrize(
        "kind", ["DecisionRecorded", "ConsentGranted", "ConsentWithdrawn", "ProjectFiled", "ProjectReviewed"]
    )
    def test_no_event_that_matters_can_be_hidden(self, chronicle, kind):
        """Each in turn: the answers after it do not fit, or the head does not, or something has no beginning."""
        [key] = list(chronicle.state.grants)[-1:]
        chronicle.withdraw(*key)
        chronicle.decide(key[0], grant_id=key[1], project_id=len(chronicle.state.projects))
        places = [index for index, event in enumerate(chronicle.events) if event.name == kind]
        if kind == "ConsentWithdrawn":
            places = places[1:]  # Nothing was decided after the first.
        for place in places:
            node = FakeNode(chronicle, hidden=frozenset({place}))
            try:
                findings = audit(node, ABI, LEDGER).findings
            except VerificationError:
                continue
            assert findings, f"event {place} was hidden and nobody noticed"

    def test_uses_are_held_against_the_decisions(self, chronicle):
        """Through the FHIR reader's own type."""
        passport = next(iter(chronicle.state.passports))
        entry = AccessLogEntry(
            member="Hospital",
            member_id=2,
            passport=to_hex(passport),
            decision=None,
            recorded=datetime.fromtimestamp(chronicle.time, UTC),
            purpose=None,
            action="R",
        )
        report = audit(FakeNode(chronicle), ABI, LEDGER, uses=[entry])
        assert [finding.rule for finding in report.findings] == [Rule.USE_WITHOUT_PERMIT]

    def test_limits_are_the_auditors(self, chronicle):
        """A permit without a release, with no patience at all, and still clean."""
        chronicle.permitted(chronicle.issue())
        chronicle.issue()
        report = audit(FakeNode(chronicle), ABI, LEDGER, limits=Limits(release_seconds=0))
        assert [finding.rule for finding in report.findings] == [Rule.PERMIT_WITHOUT_RELEASE]
        assert report.is_clean

    def test_no_contract_at_the_address(self, chronicle):
        """The message names both."""
        with pytest.raises(NotFound, match="has no contract at"):
            audit(FakeNode(chronicle), ABI, "0x" + "00" * 20)

    def test_no_such_block(self, chronicle):
        """A node cannot be asked for what is not there yet."""
        with pytest.raises(NotFound, match="no block 999"):
            audit(FakeNode(chronicle), ABI, LEDGER, to_block=999)

    def test_a_start_after_the_deployment(self, chronicle):
        """Without a law nothing can be decided again."""
        chronicle.admit("Late", Role.PROCESSOR)
        with pytest.raises(VerificationError, match="no law was ever set"):
            audit(FakeNode(chronicle), ABI, LEDGER, from_block=chronicle.block)
        with pytest.raises(VerificationError, match="no earlier event brought about"):
            audit(FakeNode(chronicle), ABI, LEDGER, from_block=chronicle.block - 1)

    def test_a_contract_that_is_no_ledger(self, chronicle):
        """Its answers cannot be read."""
        node = FakeNode(chronicle)
        node.call = lambda *_: b""
        with pytest.raises(VerificationError, match="does not answer as a ledger"):
            audit(node, ABI, LEDGER)

    def test_a_chain_that_changes_meanwhile(self, chronicle):
        """Also when the logs carried their times."""
        node = FakeNode(chronicle, blind=False, reorganised=True)
        with pytest.raises(Conflict, match="changed while it was read"):
            audit(node, ABI, LEDGER)


class TestIndex:
    @pytest.mark.parametrize("behind", [0, 1, 5])
    def test_an_index_that_says_what_the_chain_says_is_silent(self, chronicle, behind):
        """Also when it is behind: it is compared at its own block."""
        index = FakeIndex(chronicle, block=chronicle.block - behind)
        report = audit(FakeNode(chronicle), ABI, LEDGER, index=index)
        assert (report.findings, report.index_block) == ((), chronicle.block - behind)
        assert report.to_block == chronicle.block

    def test_an_index_that_is_ahead_is_not_compared(self, chronicle):
        """This node knows less than the index."""
        with pytest.raises(Conflict, match="the index is at block"):
            audit(FakeNode(chronicle), ABI, LEDGER, index=FakeIndex(chronicle, block=chronicle.block + 1))

    def test_every_field_of_every_table_is_compared(self):
        """One altered value is one finding that names table, key and field."""
        state = replay(everything().events).state
        rows = [(table, key, dict(row)) for table, key, row in expected_rows(state)]
        seen = {table for table, _, _ in rows}
        assert seen == set(KEYS)
        for table, key, row in [next(item for item in rows if item[0] == table) for table in sorted(seen)]:
            for name, value in row.items():
                altered = [(t, k, {**r, name: "other"} if (t, k) == (table, key) else r) for t, k, r in rows]
                [finding] = index_findings(state, altered)
                assert finding.rule is Rule.INDEX_ALTERED
                assert finding.detail.startswith(
                    f"Row {key} of {table} says {name} is other; the chain says {value}"
                )

    def test_every_register_is_compared(self):
        """Whatever it holds: caps, entrustments, statements, seats, rules, acts, emergencies, rights, approvals."""
        told = everything()
        told.emit("GuardiansNamed", passportId=told.issue(), guardians=told.name())
        told.emit("DelegateNamed", passportId=told.issue(), delegate=told.name()[:20], validTo=told.time + 60)
        started = {"holder": told.name()[:20], "custody": 0, "readyAt": told.time + 60, "byCustodian": True}
        told.emit("RecoveryStarted", passportId=told.issue(), **started)
        state = replay(told.events).state
        rows = [(table, key, dict(row)) for table, key, row in expected_rows(state)]
        registers = [(key, row["body"]) for table, key, row in rows if table == "registers"]
        kinds = {key.partition("/")[0] for key, _ in registers}
        assert kinds >= {
            "caps",
            "cap-use",
            "entrustment",
            "attestation",
            "approval",
            "template",
            "seat",
            "rule",
            "act",
            "emergency",
            "right",
            "guardians",
            "recovery",
            "delegate",
        }
        for key, body in registers:
            for name in body:
                other = {"body": {**body, name: "other"}}
                altered = [(t, k, other if (t, k) == ("registers", key) else r) for t, k, r in rows]
                [finding] = index_findings(state, altered)
                assert finding.detail.startswith(f"Row {key} of registers says body is"), name

    def test_an_altered_decision_names_the_requester(self, chronicle):
        """Passport, decision and member, and where the truth stands."""
        state = replay(chronicle.events).state
        rows = [(table, key, dict(row)) for table, key, row in expected_rows(state)]
        _, key, row = next(item for item in rows if item[0] == "decisions")
        assert row["member_id"] == LAB
        row["member_id"] = 2
        [finding] = index_findings(state, rows)
        passport, _, seq = key.partition("/")
        assert (finding.passport, finding.seq, finding.member_name) == (passport, int(seq), "Lab")
        assert "says member_id is 2; the chain says 3" in finding.detail
        assert len(finding.evidence) == 1

    def test_missing_and_surplus_rows_and_fields(self, chronicle):
        """Each is named."""
        state = replay(chronicle.events).state
        rows = [(table, key, dict(row)) for table, key, row in expected_rows(state)]
        dropped = next(item for item in rows if item[0] == "grants")
        thinned = next(item for item in rows if item[0] == "passports")
        thinned[2].pop("size")
        altered = [item for item in rows if item is not dropped]
        altered += [("decisions", "0x00/1", {}), ("dreams", "1", {}), rows[0]]
        details = [finding.detail for finding in index_findings(state, altered)]
        assert details == [
            f"Row {thinned[1]} of passports lacks the field size.",
            "Row 0x00/1 of decisions is not on the chain, or there twice.",
            "Row 1 of dreams is not on the chain, or there twice.",
            "Row 1 of members is not on the chain, or there twice.",
            f"Row {dropped[1]} of grants is missing from the index.",
        ]

    def test_values_may_be_kept_in_other_forms(self, chronicle):
        """Bytes, JSON text, upper case: the same value is the same value."""
        state = replay(chronicle.events).state
        rows = [
            (table, key, {name: as_kept(value) for name, value in row.items()})
            for table, key, row in expected_rows(state)
        ]
        assert list(index_findings(state, rows)) == []

    def test_keys_are_made_of_columns(self):
        """As a reader of the database finds them."""
        assert key_of("decisions", {"passport_id": b"\x01" * 32, "seq": 4}) == "0x" + "01" * 32 + "/4"
        assert key_of("members", {"member_id": 3}) == "3"

    def test_events_are_compared_one_by_one(self, chronicle):
        """Altered, missing, moved, renamed and made up."""
        events = list(chronicle.events)
        place = next(index for index, event in enumerate(events) if event.name == "PassportIssued")
        assert compared(events, chronicle.events) == []
        purpose_free = {**events[place].arguments, "purposes": 1}
        assert compared(replaced(events, place, arguments=purpose_free), chronicle.events) == [
            "has another purposes in the index"
        ]
        without = events[:place] + events[place + 1 :]
        assert compared(without, chronicle.events) == ["is missing from the index"]
        assert compared(events[:-1], chronicle.events) == ["is missing from the index"]
        assert compared(replaced(events, place, name="PassportBlessed"), chronicle.events) == [
            "is called PassportBlessed in the index"
        ]
        moved = replace(events[place].position, time=1)
        assert compared(replaced(events, place, position=moved), chronicle.events) == [
            "stands elsewhere in the index"
        ]
        assert compared(events, without) == ["of the index is not on the chain"]
        assert compared(events, chronicle.events[:-2]) == ["of the index is not on the chain"] * 2

    def test_an_altered_index_is_found_from_the_node(self, chronicle):
        """All the way through."""
        index = FakeIndex(chronicle)
        honest = index.rows()
        honest[0][2]["name"] = "Somebody Else"
        index.rows = lambda: honest
        report = audit(FakeNode(chronicle), ABI, LEDGER, index=index)
        [finding] = report.findings
        assert finding.rule is Rule.INDEX_ALTERED
        assert "Row 1 of members says name is Somebody Else; the chain says Committee" in finding.detail


def as_kept(value: Any) -> Any:
    """Return a value as a database may keep it."""
    if isinstance(value, str) and value.startswith("0x"):
        return bytes.fromhex(value[2:]) if len(value) == 66 else value.upper().replace("X", "x", 1)
    if isinstance(value, dict):
        return json.dumps(
            {
                name: {"$bytes": item[2:]} if isinstance(item, str) and item.startswith("0x") else item
                for name, item in value.items()
            }
        )
    return json.dumps(value) if isinstance(value, list) else value


def replaced(events: list[Event], place: int, **changes: Any) -> list[Event]:
    """Return events with one of them changed."""
    return [*events[:place], replace(events[place], **changes), *events[place + 1 :]]


def compared(index: list[Event], chain: list[Event]) -> list[str]:
    """Return what the comparison says, without the places."""
    comparison = EventComparison(index)
    findings = [finding for event in chain for finding in comparison.take(event)]
    findings += comparison.finish()
    return [finding.detail.partition(") ")[2].rstrip(".") for finding in findings]
