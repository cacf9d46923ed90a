"""
The service's index against the chain: which row was altered, and in which field.

The index is a projection and proves nothing; this module finds where it does not say what the chain says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from eth_hash.auto import keccak

from ledger.audit.findings import Finding, Rule
from ledger.audit.inclusions import Inclusion, inclusions_of
from ledger.audit.state import (
    AnswerEntry,
    DecisionEntry,
    GrantEntry,
    LedgerState,
    LoadEntry,
    ReleaseEntry,
    ShareEntry,
    StepEntry,
    TransferEntry,
    Withdrawal,
)
from ledger.domain.lineage import Dataset, Origin, Version, VersionId
from ledger.domain.records import (
    ZERO32,
    Event,
    GrantId,
    Member,
    Passport,
    PassportId,
    Person,
    Position,
    Project,
)
from ledger.encoding.hexadecimal import from_hex, to_hex
from ledger.encoding.structs import consignment_values

#: One row: table, key, values by field name.
Row = tuple[str, str, Mapping[str, Any]]

#: The tables compared, in the order in which a report names missing rows, and the fields of their keys.
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "members": ("member_id",),
    "policies": ("version",),
    "passports": ("passport_id",),
    "grants": ("passport_id", "grant_id"),
    "projects": ("project_id",),
    "decisions": ("passport_id", "seq"),
    "releases": ("passport_id", "seq"),
    "transfers": ("transfer_id",),
    "transfer_items": ("transfer_id", "place"),
    "datasets": ("dataset_id",),
    "steps": ("step_id",),
    "step_inputs": ("version_id", "step_id"),
    "step_outputs": ("version_id", "step_id"),
    "versions": ("version_id",),
    "origins": ("version_id", "place"),
    "withdrawals": ("dataset_id", "number"),
    "inclusions": ("passport_id", "seq"),
    "shares": ("version_id", "recipient"),
    "answers": ("version_id", "number"),
    "crossings": ("clearance_id", "person"),
    "exports": ("exporter", "year", "person"),
    "registers": ("kind", "key"),
}


class IndexReader(Protocol):
    """
    The index, read for comparison in one snapshot.

    Values are integers (codes, sets, booleans, times), text, bytes or `0x` hexadecimal, None, or JSON text in which
    bytes are `{"$bytes": hexadecimal}`. Fields that `expected_rows` does not name may be there; they are not compared.
    """

    def block_number(self) -> int:
        """Return the last block that the index holds."""

    def rows(self) -> Iterable[Row]:
        """Return every row of the tables in `KEYS`, in any order; keys as `key_of`, fields as `expected_rows`."""

    def events(self) -> Iterable[Event]:
        """Return every event that the index holds, in the order of the chain."""


def key_of(table: str, row: Mapping[str, Any]) -> str:
    """Return the key of a row: the fields of its table's key, with `/` between, bytes as `0x` hexadecimal."""
    return "/".join(str(_plain(row[field])) for field in KEYS[table])


class EventComparison:
    """The index's events against the chain's, side by side, both in the order of the chain."""

    def __init__(self, events: Iterable[Event]) -> None:
        """Begin with the index's first event."""
        self._events = iter(events)
        self._next = next(self._events, None)

    def take(self, event: Event) -> Iterator[Finding]:
        """Compare the chain's next event."""
        while self._next is not None and _order(self._next) < _order(event):
            yield self._surplus(self._next)
        found = self._next
        if found is None or _order(found) != _order(event):
            yield _about_event(event, "is missing from the index")
            return
        self._next = next(self._events, None)
        if found.name != event.name:
            yield _about_event(event, f"is called {found.name} in the index")
        elif found.position != event.position:
            yield _about_event(event, "stands elsewhere in the index")
        for name, value in event.arguments.items() if found.name == event.name else ():
            if _listed(found.arguments.get(name)) != _listed(value):
                yield _about_event(event, f"has another {name} in the index")

    def finish(self) -> Iterator[Finding]:
        """Return what the index has after the chain's last event."""
        while self._next is not None:
            yield self._surplus(self._next)

    def _surplus(self, event: Event) -> Finding:
        self._next = next(self._events, None)
        return _about_event(event, "of the index is not on the chain")


def _about_event(event: Event, detail: str) -> Finding:
    position, passport = event.position, event.arguments.get("passportId")
    name = f"{position.block_number}/{position.log_index}"
    return Finding(
        Rule.INDEX_ALTERED,
        f"Row {name} of events ({event.name}) {detail}.",
        passport=to_hex(passport) if isinstance(passport, bytes) else None,
        evidence=(position,),
    )


def _order(event: Event) -> tuple[int, int]:
    return event.position.order


def _listed(value: Any) -> Any:
    """Return a value with its tuples as lists."""
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value


def expected_rows(state: LedgerState) -> Iterator[Row]:
    """Yield the rows that an index at the same block must hold, table by table."""
    for table in KEYS:
        for name, key in _keys(state, table):
            yield table, name, _ROWS[table](state, key)


def index_findings(state: LedgerState, rows: Iterable[Row]) -> Iterator[Finding]:
    """11. Rows of the index that differ from the chain, that the chain knows nothing of, or that are missing."""
    keys: dict[str, dict[str, Any]] = {table: dict(_keys(state, table)) for table in KEYS}
    for table, name, row in rows:
        known = table in keys and name in keys[table]
        key = keys[table].pop(name) if known else None
        if not known:
            yield _finding(
                state, table, name, None, f"Row {name} of {table} is not on the chain, or there twice."
            )
            continue
        expected = _ROWS[table](state, key)
        for field, value in expected.items():
            if field not in row:
                yield _finding(state, table, name, key, f"Row {name} of {table} lacks the field {field}.")
            elif not _same(row[field], value):
                yield _finding(
                    state,
                    table,
                    name,
                    key,
                    f"Row {name} of {table} says {field} is {_plain(row[field])}; the chain says {value}.",
                )
    for table, left in keys.items():
        for name, key in left.items():
            yield _finding(state, table, name, key, f"Row {name} of {table} is missing from the index.")


def _same(found: Any, expected: Any) -> bool:
    """Compare a value of the index with the chain's."""
    value = _plain(found)
    if isinstance(value, str) and isinstance(expected, list | dict):
        try:
            value = json.loads(value, object_hook=_json_bytes)
        except ValueError:
            return False
    return bool(value == expected)


def _plain(value: Any) -> Any:
    """Return a value in the one form in which values are compared."""
    if isinstance(value, bytes | bytearray | memoryview):
        return to_hex(bytes(value))
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str) and value.startswith(("0x", "0X")):
        return value.lower()
    return value


def _json_bytes(value: dict[str, Any]) -> Any:
    return f"0x{value['$bytes']}" if value.keys() == {"$bytes"} else value


def _keys(state: LedgerState, table: str) -> Iterator[tuple[str, Any]]:
    if table in _KEYED:
        yield from _KEYED[table](state)
    elif table == "releases":
        yield from (
            (f"{to_hex(passport_id)}/{seq}", (passport_id, seq)) for passport_id, seq in state.releases
        )
    elif table == "grants":
        yield from ((f"{to_hex(key[0])}/{to_hex(key[1])}", key) for key in state.grants)
    elif table == "registers":
        yield from ((f"{kind}/{key}", body) for kind, key, body in register_rows(state))
    elif table in {"step_inputs", "step_outputs"}:
        yield from _edges(state, table)
    elif table in {"crossings", "exports"}:
        yield from _counts(state, table)
    else:
        yield from ((_name(key), key) for key in getattr(state, table))


def _loads(state: LedgerState) -> Iterator[tuple[str, LoadEntry]]:
    for transfer_id, loads in state.loads.items():
        yield from ((f"{to_hex(transfer_id)}/{load.item.place}", load) for load in loads)


def _decisions(state: LedgerState) -> Iterator[tuple[str, DecisionEntry]]:
    for passport_id, entries in state.decisions.items():
        prefix = to_hex(passport_id)
        yield from ((f"{prefix}/{seq}", entry) for seq, entry in entries.items())


def _origins(state: LedgerState) -> Iterator[tuple[str, Origin]]:
    for version in state.versions.values():
        prefix = to_hex(version.version_id)
        yield from ((f"{prefix}/{place}", origin) for place, origin in enumerate(version.origins))


def _withdrawals(state: LedgerState) -> Iterator[tuple[str, Withdrawal]]:
    """Yield the withdrawals as they were announced: what the index folds."""
    yield from ((f"{told.dataset_id}/{told.number}", told) for told in state.announced)


def _inclusions(state: LedgerState) -> Iterator[tuple[str, Inclusion]]:
    for inclusion in inclusions_of(state):
        entry = inclusion.decision
        yield f"{to_hex(entry.passport_id)}/{entry.seq}", inclusion


def _shares(state: LedgerState) -> Iterator[tuple[str, tuple[VersionId, int]]]:
    yield from (
        (f"{to_hex(version_id)}/{recipient}", (version_id, recipient))
        for version_id, recipient in state.shares
    )


def _answers(state: LedgerState) -> Iterator[tuple[str, tuple[VersionId, AnswerEntry]]]:
    for version_id, entries in state.answers.items():
        prefix = to_hex(version_id)
        yield from ((f"{prefix}/{number}", (version_id, entry)) for number, entry in enumerate(entries, 1))


def _edges(state: LedgerState, table: str) -> Iterator[tuple[str, StepEntry]]:
    """Yield which versions each step used, or names as made: each once."""
    for number, entry in state.steps.items():
        step = entry.record.step
        for version in dict.fromkeys(step.inputs if table == "step_inputs" else step.outputs):
            yield f"{to_hex(version)}/{number}", entry


def _counts(state: LedgerState, table: str) -> Iterator[tuple[str, bool]]:
    """Yield who crossed under each clearance, or whose data each exporter exported in each year, sensitive or not."""
    if table == "crossings":
        yield from ((f"{number}/{_hash(person)}", False) for number, person in state.crossed)
    else:
        for (exporter, year, person), sensitive in state.counted.items():
            yield f"{exporter}/{year}/{_hash(person)}", sensitive


def _hash(person: Person) -> str:
    """Return a person as an exporter's counts name it: the hash of the holder's key, or the passport's id."""
    return to_hex(person if isinstance(person, bytes) else keccak(from_hex(person)))


def _name(key: int | bytes) -> str:
    return to_hex(key) if isinstance(key, bytes) else str(key)


def _member_row(state: LedgerState, key: int) -> dict[str, Any]:
    member: Member = state.members[key]
    return {
        "name": member.name,
        "signer": member.signer,
        "roles": int(member.roles),
        "purposes": member.purposes,
        "jurisdiction": member.jurisdiction,
        "valid_to": member.valid_to,
        "status": int(member.status),
        "signing_key": to_hex(member.signing_key),
        "sealing_key": to_hex(member.sealing_key),
        "kind": int(member.kind),
        "control": member.control,
    }


def _policy_row(state: LedgerState, key: int) -> dict[str, Any]:
    table = state.policies[key]
    core, sensitive, limits = int(table.core_categories), int(table.sensitive_categories), table.emergencies
    return {
        "law": [
            list(table.required),
            table.necessary,
            table.levels,
            core,
            sensitive,
            table.banned_purposes,
            table.max_grant_seconds,
            [
                limits.seconds,
                int(limits.categories),
                limits.monthly_quota,
                limits.review_seconds,
                limits.max_declaration_seconds,
                limits.recovery_seconds,
            ],
        ]
    }


def _passport_row(state: LedgerState, key: PassportId) -> dict[str, Any]:
    passport: Passport = state.passports[key]
    return {
        "custodian": passport.custodian,
        "holder": passport.holder,
        "custody": int(passport.custody),
        "purposes": passport.purposes,
        "status": int(passport.status),
        "content": to_hex(passport.content),
        "size": passport.size,
        "level": int(passport.level),
        "lock": passport.lock,
        "epoch": passport.epoch,
        **_place(state.issued[key]),
    }


def _grant_row(state: LedgerState, key: tuple[PassportId, GrantId]) -> dict[str, Any]:
    entry: GrantEntry = state.grants[key]
    return {
        "recipient": entry.state.recipient,
        "recipient_kinds": entry.state.recipient_kinds,
        "purposes": entry.state.purposes,
        "categories": int(entry.state.categories),
        "use_from": entry.state.use_from,
        "use_to": entry.state.use_to,
        "data_from": entry.state.data_from,
        "data_to": entry.state.data_to,
        "max_uses": entry.state.max_uses,
        "uses": entry.state.uses,
        "control": entry.state.control,
        "level": int(entry.state.level),
        "flags": int(entry.state.flags),
        "status": int(entry.state.status),
        "assurance": int(entry.state.assurance),
        "ended_at": entry.ended.time if entry.ended else 0,
        "template": entry.template,
        "requested_by": entry.requested_by,
        "evidence": to_hex(entry.evidence) if entry.evidence else None,
        "terms": to_hex(entry.terms),
        "supersedes": to_hex(entry.supersedes),
        "successor": to_hex(entry.successor) if entry.successor else None,
        **_place(entry.position),
    }


def _project_row(state: LedgerState, key: int) -> dict[str, Any]:
    project: Project = state.projects[key]
    return {
        "member_id": project.member_id,
        "purposes": project.purposes,
        "categories": int(project.categories),
        "techniques": int(project.techniques),
        "highest_class": int(project.highest_class),
        "valid_from": project.valid_from,
        "valid_to": project.valid_to,
        "agreement": int(project.agreement),
        "withdrawn": int(project.withdrawn),
        "ethics": project.ethics,
        "compliance": project.compliance,
    }


def _decision_row(_: LedgerState, entry: DecisionEntry) -> dict[str, Any]:
    return {
        "member_id": entry.member_id,
        "grant_id": to_hex(entry.grant_id),
        "terms": f"0x{entry.asked:064x}",
        "verdict": f"0x{entry.word:064x}",
        "commitment": to_hex(entry.commitment),
        **_place(entry.position),
    }


def _release_row(state: LedgerState, key: tuple[PassportId, int]) -> dict[str, Any]:
    return _place(state.releases[key].position)


def _transfer_row(state: LedgerState, key: Any) -> dict[str, Any]:
    entry = state.transfers[key]
    transfer = entry.transfer
    return {
        "passport_id": to_hex(transfer.passport_id),
        "sender": transfer.sender,
        "recipient": transfer.recipient,
        "seq": transfer.seq,
        "status": int(transfer.status),
        "content": to_hex(transfer.content),
        "received_content": to_hex(transfer.received_content) if transfer.received_content else None,
        "received": _place(entry.received) if entry.received else None,
        **_of_many(entry),
        **_place(entry.position),
    }


def _of_many(entry: TransferEntry) -> dict[str, Any]:
    """Return the fields that only a transfer of many records has values in."""
    transfer, declared = entry.transfer, entry.transfer.consignment
    return {
        "consignment": _listed(_shown(consignment_values(declared))) if declared else None,
        "description": to_hex(entry.description) if declared else None,
        "missing": int(transfer.missing),
        "crosses": int(transfer.crosses),
        "loaded": transfer.loaded,
        "shipped": _place(entry.shipped) if declared and entry.shipped else None,
        "report_due": transfer.report_due,
        "halted_by": transfer.halted_by,
        "halted_from": int(transfer.halted_from),
        "notes": [
            {
                "event": note.event,
                "member_id": note.member_id,
                "commitment": to_hex(note.commitment) if note.commitment else None,
                "released": note.released,
                "position": _place(note.position),
            }
            for note in entry.notes
        ],
    }


def _shown(values: tuple[Any, ...]) -> list[Any]:
    return [to_hex(value) if isinstance(value, bytes) else value for value in values]


def _item_row(_: LedgerState, load: LoadEntry) -> dict[str, Any]:
    item = load.item
    return {
        "passport_id": to_hex(item.passport_id),
        "seq": item.seq,
        "content": to_hex(item.content),
        **_place(load.position),
    }


def _dataset_row(state: LedgerState, key: int) -> dict[str, Any]:
    dataset = state.datasets[key]
    return {
        "owner": dataset.owner,
        "purposes": dataset.purposes,
        "categories": int(dataset.categories),
        "status": int(dataset.status),
        "no_relink": int(dataset.no_relink),
        "no_onward": int(dataset.no_onward),
        "retain_until": dataset.retain_until,
        "usable_until": dataset.usable_until,
        "included": dataset.included,
        "withdrawals": len(dataset.withdrawals),
        "excused": dataset.excused,
        "budget": f"0x{dataset.budget:016x}",
        "spent": f"0x{dataset.spent:016x}",
        **_place(state.declared[key]),
    }


def _step_row(state: LedgerState, key: int) -> dict[str, Any]:
    entry = state.steps[key]
    step = entry.record.step
    return {
        "member_id": entry.record.member_id,
        "kind": int(step.kind),
        "dataset_id": step.dataset_id,
        "project_id": step.project_id,
        "purposes": step.purposes,
        "epsilon": f"0x{step.epsilon:016x}",
        "inputs": to_hex(b"".join(step.inputs)),
        "outputs": to_hex(b"".join(step.outputs)),
        "tool": to_hex(step.tool),
        "parameters": to_hex(step.parameters),
        "missing": int(entry.record.missing),
        **_place(entry.position),
    }


def _version_row(state: LedgerState, key: VersionId) -> dict[str, Any]:
    version = state.versions[key]
    return {
        "step_id": version.step_id,
        "owner": version.owner,
        "kind": int(version.kind),
        "purposes": version.purposes,
        "check": int(version.check),
        "verifier": version.verifier,
        "status": int(version.status),
        "evaluated": int(version.evaluated),
        "deployed": int(version.deployed),
        "only_to": version.only_to,
    }


def _origin_row(_: LedgerState, origin: Origin) -> dict[str, Any]:
    return {
        "dataset_id": origin.dataset_id,
        "withdrawals": origin.withdrawals,
        "answered": origin.answered,
        "split_id": origin.split_id,
        "parts": int(origin.parts),
    }


def _edge_row(_: LedgerState, entry: StepEntry) -> dict[str, Any]:
    return {"stands": int(not entry.record.missing)}


def _withdrawal_row(_: LedgerState, withdrawal: Withdrawal) -> dict[str, Any]:
    return {"grant_id": to_hex(withdrawal.grant_id), **_place(withdrawal.position)}


def _inclusion_row(_: LedgerState, inclusion: Inclusion) -> dict[str, Any]:
    return {
        "dataset_id": inclusion.dataset_id,
        "grant_id": to_hex(inclusion.grant_id),
        "member_id": inclusion.decision.member_id,
        "rests_on": to_hex(inclusion.rests_on),
        "withdrawal": inclusion.withdrawal.number if inclusion.withdrawal else 0,
        **_place(inclusion.decision.position),
    }


def _share_row(state: LedgerState, key: tuple[VersionId, int]) -> dict[str, Any]:
    entry = state.shares[key]
    return {
        "owner": state.versions[key[0]].owner,
        "agreement_id": entry.agreement_id,
        "project_id": entry.project_id,
        "keep_until": entry.keep_until,
        **_place(entry.position),
    }


def _answer_row(state: LedgerState, key: tuple[VersionId, AnswerEntry]) -> dict[str, Any]:
    version_id, entry = key
    return {
        "owner": state.versions[version_id].owner,
        "answer": int(entry.answer),
        "successor": to_hex(entry.successor or ZERO32),
        "evidence": to_hex(entry.evidence),
        **_place(entry.position),
    }


def register_rows(state: LedgerState) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the kind, the key and the body of every entry of the registers."""
    for number, caps in state.caps.items():
        yield "caps", str(number), {"caps": caps}
    for (member_id, day), used in state.cap_uses.items():
        yield "cap-use", f"{member_id}/{day}", {"used": used}
    for (controller, processor), order in state.entrustments.items():
        yield (
            "entrustment",
            f"{controller}/{processor}",
            {"purposes": order.purposes, "validTo": order.valid_to},
        )
    for subject, statements in state.attestations.items():
        for kind, statement in statements.items():
            body = {"issuer": statement.issuer, "validTo": statement.valid_to}
            yield "attestation", f"{to_hex(subject)}/{int(kind)}", body
    for name, until in state.approvals.items():
        yield "approval", to_hex(name), {"approvedUntil": until}
    for (passport_id, seq), review in state.reviews.items():
        answer: dict[str, Any] = {
            "reviewer": review.reviewer,
            "approvedUntil": review.approved_until,
            "opinion": to_hex(review.opinion),
            "reviewedAt": review.reviewed_at,
        }
        yield "review", f"{to_hex(passport_id)}/{seq}", answer
    yield from _border_rows(state)
    yield from _committee_rows(state)
    yield from _emergency_rows(state)
    yield from _holder_rows(state)


def _border_rows(state: LedgerState) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for number, agreed in state.agreements.items():
        limits = agreed.agreement.limits
        body: dict[str, Any] = {
            "provider": agreed.agreement.provider,
            "recipient": limits.recipient,
            "purposes": limits.purposes,
            "categories": int(limits.categories),
            "validTo": limits.valid_to,
            "retentionSeconds": limits.retention_seconds,
            "responseHours": limits.response_hours,
            "onward": limits.onward,
            "linkage": limits.linkage,
            "status": int(agreed.agreement.status),
            "text": to_hex(agreed.text),
            "signedAt": agreed.signed_at,
            "endedAt": agreed.ended_at,
            "endedBy": agreed.ended_by,
            "reasons": to_hex(agreed.reasons),
            "position": _place(agreed.position),
        }
        yield "agreement", str(number), body
    for number, entry in state.clearances.items():
        clearance = entry.clearance
        body = {
            "exporter": clearance.exporter,
            "issuer": clearance.issuer,
            "agreement": clearance.agreement,
            "validFrom": clearance.valid_from,
            "validTo": clearance.valid_to,
            "maxPersons": clearance.max_persons,
            "path": int(clearance.path),
            "projectId": clearance.project_id,
            "filing": to_hex(entry.filing),
            "withdrawnAt": entry.withdrawn_at,
            "withdrawnBy": entry.withdrawn_by,
            "reasons": to_hex(entry.reasons),
            "position": _place(entry.position),
        }
        yield "clearance", str(number), body
    for (project_id, exporter), number in state.clearance_for.items():
        yield "clearance-for", f"{project_id}/{exporter}", {"clearanceId": number}
    for (exporter, year, dataset_id), persons in state.dataset_exports.items():
        yield "dataset-export", f"{exporter}/{year}/{dataset_id}", {"persons": persons}
    for (number, dataset_id), persons in state.dataset_crossings.items():
        yield "dataset-crossing", f"{number}/{dataset_id}", {"persons": persons}
    for member_id, valid_to in state.border_access.items():
        yield "border-access", str(member_id), {"validTo": valid_to}
    limits_of_all = state.thresholds
    if limits_of_all.persons:
        body = {"persons": limits_of_all.persons, "sensitivePersons": limits_of_all.sensitive_persons}
        yield "thresholds", "0", body


def _committee_rows(state: LedgerState) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for template in state.templates.values():
        body = {
            "purposes": template.purposes,
            "categories": int(template.categories),
            "recipientKinds": template.recipient_kinds,
            "maxSeconds": template.max_seconds,
            "withdrawn": template.withdrawn,
            "notice": to_hex(template.notice),
        }
        yield "template", str(template.template), body
    for member_id, seat in state.seats.items():
        yield "seat", str(member_id), {"kind": int(seat)}
    for kind, (quorum, seats, delay_seconds) in state.rules.items():
        yield "rule", str(int(kind)), {"quorum": quorum, "seats": seats, "delaySeconds": delay_seconds}
    for number, act in state.acts.items():
        body = {
            "kind": int(act.kind),
            "call": to_hex(act.call),
            "approvers": list(act.approvers),
            "proposed": _place(act.proposed),
            "executedAt": act.executed.time if act.executed else 0,
        }
        yield "act", str(number), body


def _emergency_rows(state: LedgerState) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for number, entry in state.emergencies.items():
        emergency = entry.emergency
        body = {
            "kind": int(emergency.kind),
            "memberId": emergency.member_id,
            "passportId": to_hex(emergency.passport_id),
            "purposes": emergency.purposes,
            "categories": int(emergency.categories),
            "from": emergency.valid_from,
            "until": emergency.until,
            "reviewDue": emergency.review_due,
            "maxRecords": emergency.max_records,
            "used": emergency.used,
            "jurisdiction": emergency.jurisdiction,
            "finding": int(emergency.finding),
            "reason": entry.reason,
            "sealedUntil": entry.sealed_until,
            "reviewer": entry.reviewer,
            "statement": to_hex(entry.statement),
            "opinion": to_hex(entry.opinion),
            "reviewedAt": entry.reviewed_at,
            "position": _place(entry.position),
        }
        yield "emergency", str(number), body
    for member_id, right in state.rights.items():
        body = {"lost": right.lost, "opened": list(right.opened), "settled": right.settled}
        yield "right", str(member_id), body


def _holder_rows(state: LedgerState) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for passport_id, guardians in state.guardians.items():
        yield "guardians", to_hex(passport_id), {"guardians": to_hex(guardians)}
    for passport_id, recovery in state.recoveries.items():
        body = {
            "holder": recovery.holder,
            "custody": recovery.custody,
            "readyAt": recovery.ready_at,
            "byCustodian": recovery.by_custodian,
        }
        yield "recovery", to_hex(passport_id), body
    for (passport_id, delegate), valid_to in state.delegates.items():
        yield "delegate", f"{to_hex(passport_id)}/{delegate}", {"validTo": valid_to}


def _place(position: Position) -> dict[str, Any]:
    return {
        "block_number": position.block_number,
        "block_hash": to_hex(position.block_hash),
        "transaction_hash": to_hex(position.transaction_hash),
        "log_index": position.log_index,
        "time": position.time,
    }


#: The tables whose rows are not the keys of a mapping of the state.
_KEYED: Final[dict[str, Callable[[LedgerState], Iterator[tuple[str, Any]]]]] = {
    "decisions": _decisions,
    "origins": _origins,
    "withdrawals": _withdrawals,
    "transfer_items": _loads,
    "inclusions": _inclusions,
    "shares": _shares,
    "answers": _answers,
}
_ROWS: Final[dict[str, Any]] = {
    "members": _member_row,
    "policies": _policy_row,
    "passports": _passport_row,
    "grants": _grant_row,
    "projects": _project_row,
    "decisions": _decision_row,
    "releases": _release_row,
    "transfers": _transfer_row,
    "transfer_items": _item_row,
    "datasets": _dataset_row,
    "steps": _step_row,
    "step_inputs": _edge_row,
    "step_outputs": _edge_row,
    "versions": _version_row,
    "origins": _origin_row,
    "withdrawals": _withdrawal_row,
    "inclusions": _inclusion_row,
    "shares": _share_row,
    "answers": _answer_row,
    "crossings": lambda *_: {},
    "exports": lambda _, sensitive: {"sensitive": int(sensitive)},
    "registers": lambda _, body: {"body": body},
}


def _finding(state: LedgerState, table: str, name: str, key: Any, detail: str) -> Finding:
    """Build a finding that names the row; the member is whom the chain's own entry concerns."""
    member_id, passport, seq, evidence = _concerned(state, table, name, key)
    return Finding(
        Rule.INDEX_ALTERED,
        detail,
        member_id=member_id,
        member_name=None if member_id is None else state.member_name(member_id),
        passport=passport,
        seq=seq,
        evidence=evidence,
    )


def _entry(state: LedgerState, table: str, key: Any) -> Any:
    """Return what a key stands for in the state."""
    return key[1] if table == "answers" else getattr(state, table)[key]


def _concerned(  # noqa: PLR0911 - one return for each kind of row
    state: LedgerState, table: str, name: str, key: Any
) -> tuple[int | None, str | None, int | None, tuple[Position, ...]]:
    """Return member, passport, seq and evidence of the chain's own entry."""
    if table in {"registers", "origins", "transfer_items", "crossings", "exports"} or key is None:
        return None, None, None, ()
    found_by_itself = table in {"decisions", "step_inputs", "step_outputs", "withdrawals", "inclusions"}
    entry: Any = key if found_by_itself else _entry(state, table, key)
    match entry:
        case Member() | Project():
            return entry.member_id, None, None, ()
        case Passport():
            return entry.custodian, name, None, (state.issued[key],)
        case GrantEntry():
            return entry.state.recipient, to_hex(entry.passport_id), None, (entry.position,)
        case DecisionEntry():
            return entry.member_id, to_hex(entry.passport_id), entry.seq, (entry.position,)
        case ReleaseEntry():
            return entry.custodian, to_hex(entry.passport_id), entry.seq, (entry.position,)
        case TransferEntry():
            of_many = entry.transfer.consignment is not None
            passport = None if of_many else to_hex(entry.transfer.passport_id)
            seq = None if of_many else entry.transfer.seq
            return entry.transfer.sender, passport, seq, (entry.position,)
        case _:
            return _concerned_in_lineage(state, key, entry)


def _concerned_in_lineage(
    state: LedgerState, key: Any, entry: Any
) -> tuple[int | None, str | None, int | None, tuple[Position, ...]]:
    match entry:
        case Inclusion():
            decision = entry.decision
            return decision.member_id, to_hex(decision.passport_id), decision.seq, (decision.position,)
        case Withdrawal():
            return state.datasets[entry.dataset_id].owner, None, None, (entry.position,)
        case ShareEntry() | AnswerEntry():
            return state.versions[key[0]].owner, None, None, (entry.position,)
        case Dataset() | Version():
            return entry.owner, None, None, ()
        case StepEntry():
            return entry.record.member_id, None, None, (entry.position,)
        case _:
            return None, None, None, ()
