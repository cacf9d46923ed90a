"""
The index's rows, folded from the ledger's events.

One function per event, but for decisions: those that follow each other are folded at once. Rebuilt from the same events
the rows are the same, however they are parted: nothing here asks a clock or the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from ledger.domain.records import ZERO32, Caps, Event
from ledger.domain.vocabulary import (
    Approval,
    Basis,
    EmergencyKind,
    Fact,
    GrantStatus,
    MemberStatus,
    Outcome,
    PassportStatus,
)
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.words import request_hash
from ledger.policy import rests_on_emergency, takes_cap
from ledger.store import border_projection, lineage_projection, transfer_projection
from ledger.store.register_rows import body as _body
from ledger.store.register_rows import register as _register
from ledger.store.register_rows import unregister as _unregister
from ledger.store.tables import (
    decisions,
    grants,
    members,
    passports,
    policies,
    projects,
    registers,
    releases,
)
from ledger.store.values import Decided, dumps, loads, position_columns

_DECISION: Final = "DecisionRecorded"
_DAY_SECONDS: Final = 86_400
_SET_SIZE: Final = (
    update(passports).where(passports.c.passport_id == bindparam("id")).values(size=bindparam("next"))
)
_COUNT_USE: Final = (
    update(grants)
    .where(
        grants.c.passport_id == bindparam("passport"),
        grants.c.grant_id == bindparam("grant"),
        grants.c.max_uses != 0,
    )
    .values(uses=grants.c.uses + 1)
)
#: The columns of a grant's state, in the order of `IConsents.GrantState`.
_GRANT_FIELDS: Final = (
    "recipient",
    "recipient_kinds",
    "purposes",
    "categories",
    "use_from",
    "use_to",
    "data_from",
    "data_to",
    "max_uses",
    "uses",
    "control",
    "level",
    "flags",
    "status",
    "assurance",
)
_NO_EMERGENCY: Final = {
    "memberId": 0,
    "passportId": to_hex(ZERO32),
    "purposes": 0,
    "reviewDue": 0,
    "maxRecords": 0,
    "used": 0,
    "jurisdiction": 0,
    "finding": 0,
    "reason": 0,
    "sealedUntil": 0,
    "reviewer": 0,
    "statement": to_hex(ZERO32),
    "opinion": to_hex(ZERO32),
    "reviewedAt": 0,
}
_NO_REVIEW: Final = {"reviewer": 0, "approvedUntil": 0, "opinion": to_hex(ZERO32), "reviewedAt": 0}


def apply(connection: Connection, found: Iterable[Event]) -> None:
    """Fold events into the rows, in the order of the chain. Events that change no row are passed over."""
    for name, alike in groupby(found, key=lambda event: event.name):
        if name == _DECISION:
            _decisions_recorded(connection, [Decided.of(event) for event in alike])
        elif (handler := _HANDLERS.get(name)) is not None:
            for event in alike:
                handler(connection, event, event.arguments)


def _member_admitted(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    connection.execute(
        insert(members).values(
            member_id=a["memberId"],
            name=a["name"],
            signer=a["signer"],
            roles=a["roles"],
            purposes=a["purposes"],
            jurisdiction=a["jurisdiction"],
            valid_to=a["validTo"],
            status=MemberStatus.ACTIVE,
            signing_key=a["signingKey"],
            sealing_key=a["sealingKey"],
            kind=a["kind"],
            control=0,
        )
    )


def _member_suspended(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_member(connection, a, status=MemberStatus.SUSPENDED)


def _member_reinstated(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_member(connection, a, status=MemberStatus.ACTIVE)


def _member_expelled(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_member(connection, a, status=MemberStatus.EXPELLED)


def _member_licensed(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_member(connection, a, purposes=a["purposes"], valid_to=a["validTo"])


def _control_changed(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_member(connection, a, control=a["control"])


def _caps_set(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _register(connection, "caps", a["memberId"], caps=a["caps"])


def _entrusted(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    key = f"{a['controller']}/{a['processor']}"
    _register(connection, "entrustment", key, purposes=a["purposes"], validTo=a["validTo"])


def _keys_rotated(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_member(
        connection, a, signer=a["signer"], signing_key=a["signingKey"], sealing_key=a["sealingKey"]
    )


def _update_member(connection: Connection, a: dict[str, Any], **values: Any) -> None:
    connection.execute(update(members).where(members.c.member_id == a["memberId"]).values(**values))


def _policy_set(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    connection.execute(insert(policies).values(version=a["version"], law=dumps(a["table"])))


def _passport_issued(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    connection.execute(
        insert(passports).values(
            passport_id=a["passportId"],
            custodian=a["custodian"],
            purposes=a["purposes"],
            status=PassportStatus.OPEN,
            custody=a["custody"],
            holder=to_hex(a["holder"]),
            content=a["content"],
            size=0,
            level=a["level"],
            lock=a["lock"],
            epoch=0,
            **position_columns(event.position),
        )
    )


def _content_committed(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_passport(connection, a, content=a["content"])


def _narrowed(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_passport(connection, a, purposes=a["purposes"])


def _sealed(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_passport(connection, a, status=PassportStatus.SEALED)


def _unsealed(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_passport(connection, a, status=PassportStatus.OPEN)


def _destroyed(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_passport(connection, a, status=PassportStatus.DESTROYED)


def _holder_rotated(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_passport(connection, a, holder=to_hex(a["holder"]), custody=a["custody"], epoch=a["epoch"])
    passport = to_hex(a["passportId"])
    _unregister(connection, "guardians", passport)
    _unregister(connection, "recovery", passport)
    connection.execute(
        delete(registers).where(registers.c.kind == "delegate", registers.c.key.startswith(passport))
    )


def _guardians_named(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _register(connection, "guardians", to_hex(a["passportId"]), guardians=to_hex(a["guardians"]))


def _recovery_started(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _register(
        connection,
        "recovery",
        to_hex(a["passportId"]),
        holder=to_hex(a["holder"]),
        custody=a["custody"],
        readyAt=a["readyAt"],
        byCustodian=a["byCustodian"],
    )


def _recovery_cancelled(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _unregister(connection, "recovery", to_hex(a["passportId"]))


def _delegate_named(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    key = f"{to_hex(a['passportId'])}/{to_hex(a['delegate'])}"
    if a["validTo"]:
        _register(connection, "delegate", key, validTo=a["validTo"])
    else:
        _unregister(connection, "delegate", key)


def _update_passport(connection: Connection, a: dict[str, Any], **values: Any) -> None:
    connection.execute(update(passports).where(passports.c.passport_id == a["passportId"]).values(**values))


def _consent_requested(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    nothing = dict.fromkeys(_GRANT_FIELDS, 0) | {"status": GrantStatus.REQUESTED}
    _insert_grant(connection, event, a, nothing, requested_by=a["memberId"])


def _granted(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    asked = connection.execute(select(grants.c.requested_by).where(*_this_grant(a))).scalar_one_or_none()
    connection.execute(delete(grants).where(*_this_grant(a)))
    state = dict(zip(_GRANT_FIELDS, a["state"], strict=True))
    _insert_grant(connection, event, a, state, requested_by=asked or 0)
    lineage_projection.carry_over(connection, a)


def _insert_grant(
    connection: Connection, event: Event, a: dict[str, Any], state: dict[str, int], *, requested_by: int
) -> None:
    connection.execute(
        insert(grants).values(
            grant_id=a["grantId"],
            passport_id=a["passportId"],
            **state,
            ended_at=0,
            template=a.get("template", 0),
            requested_by=requested_by,
            terms=a["terms"],
            supersedes=a.get("supersedes", ZERO32),
            **position_columns(event.position),
        )
    )


def _consent_filed(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_grant(connection, a, evidence=a["evidence"])


def _confirmed(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_grant(connection, a, control=a["control"], assurance=a["assurance"])


def _refused(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    _end_grant(connection, event, a, status=GrantStatus.REFUSED)


def _repudiated(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    _end_grant(connection, event, a, status=GrantStatus.REPUDIATED)


def _withdrawn(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    _end_grant(connection, event, a, status=GrantStatus.WITHDRAWN)


def _superseded(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    _end_grant(connection, event, a, status=GrantStatus.SUPERSEDED, successor=a["successor"])


def _end_grant(connection: Connection, event: Event, a: dict[str, Any], **values: Any) -> None:
    _update_grant(connection, a, ended_at=event.position.time, **values)


def _update_grant(connection: Connection, a: dict[str, Any], **values: Any) -> None:
    connection.execute(update(grants).where(*_this_grant(a)).values(**values))


def _this_grant(a: dict[str, Any]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return grants.c.grant_id == a["grantId"], grants.c.passport_id == a["passportId"]


def _project_filed(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    purposes, categories, techniques, highest_class, valid_from, valid_to, agreement = a["filing"]
    connection.execute(
        insert(projects).values(
            project_id=a["projectId"],
            member_id=a["memberId"],
            purposes=purposes,
            categories=categories,
            techniques=techniques,
            highest_class=highest_class,
            valid_from=valid_from,
            valid_to=valid_to,
            agreement=any(agreement),
            withdrawn=False,
            ethics=0,
            compliance=0,
        )
    )


def _project_reviewed(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    column = Approval(a["approval"]).name.lower()
    body = a["memberId"] if a["approved"] else 0
    connection.execute(update(projects).where(projects.c.project_id == a["projectId"]).values({column: body}))


def _project_withdrawn(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    connection.execute(update(projects).where(projects.c.project_id == a["projectId"]).values(withdrawn=True))


def _attested(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    key = f"{to_hex(a['subject'])}/{a['kind']}"
    _register(connection, "attestation", key, issuer=a["issuer"], validTo=a["validTo"])


def _template_issued(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    purposes, categories, kinds, max_seconds, withdrawn, notice = a["content"]
    _register(
        connection,
        "template",
        a["template"],
        purposes=purposes,
        categories=categories,
        recipientKinds=kinds,
        maxSeconds=max_seconds,
        withdrawn=withdrawn,
        notice=to_hex(notice),
    )


def _template_withdrawn(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _register(connection, "template", a["template"], withdrawn=True)


def _seat_set(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    if a["kind"]:
        _register(connection, "seat", a["memberId"], kind=a["kind"])
    else:
        _unregister(connection, "seat", a["memberId"])


def _rule_set(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    quorum, seats, delay_seconds = a["rule"]
    _register(connection, "rule", a["kind"], quorum=quorum, seats=seats, delaySeconds=delay_seconds)


def _act_proposed(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    _register(
        connection,
        "act",
        a["actId"],
        kind=a["kind"],
        call=to_hex(a["call"]),
        approvers=[a["memberId"]],
        proposed=position_columns(event.position),
        executedAt=0,
    )


def _act_approved(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    approvers = _body(connection, "act", a["actId"])["approvers"]
    _register(connection, "act", a["actId"], approvers=[*approvers, a["memberId"]])


def _act_executed(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    _register(connection, "act", a["actId"], executedAt=event.position.time)


def _emergency_opened(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    body = {
        name: a[name] for name in ("memberId", "categories", "until", "reviewDue", "reason", "sealedUntil")
    }
    individual = {
        "kind": EmergencyKind.INDIVIDUAL,
        "passportId": to_hex(a["passportId"]),
        "from": event.position.time,
        "statement": to_hex(a["statement"]),
    }
    _register_emergency(connection, event, a, body | individual)
    right = _right(connection, a["memberId"])
    _register(connection, "right", a["memberId"], **right | {"opened": [*right["opened"], a["emergencyId"]]})


def _emergency_declared(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    purposes, categories, valid_from, until, max_records, jurisdiction = a["declaration"]
    body = {
        "kind": EmergencyKind.PUBLIC,
        "purposes": purposes,
        "categories": categories,
        "from": valid_from,
        "until": until,
        "maxRecords": max_records,
        "jurisdiction": jurisdiction,
        "statement": to_hex(a["document"]),
    }
    _register_emergency(connection, event, a, body)


def _register_emergency(
    connection: Connection, event: Event, a: dict[str, Any], body: dict[str, Any]
) -> None:
    _register(
        connection,
        "emergency",
        a["emergencyId"],
        **_NO_EMERGENCY | body,
        position=position_columns(event.position),
    )


def _emergency_ended(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _register(connection, "emergency", a["emergencyId"], until=a["until"])


def _emergency_reviewed(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    _register(
        connection,
        "emergency",
        a["emergencyId"],
        finding=a["finding"],
        reviewer=a["reviewer"],
        opinion=to_hex(a["opinion"]),
        reviewedAt=event.position.time,
    )
    if a["rightLost"]:
        member = _body(connection, "emergency", a["emergencyId"])["memberId"]
        _register(connection, "right", member, **_right(connection, member) | {"lost": True})


def _right_restored(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    right = _right(connection, a["memberId"])
    restored = {"lost": False, "settled": len(right["opened"])}
    _register(connection, "right", a["memberId"], **right | restored)


def _right(connection: Connection, member_id: int) -> dict[str, Any]:
    return {"lost": False, "opened": [], "settled": 0} | _body(connection, "right", member_id)


def _request_reviewed(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    _register(
        connection,
        "review",
        f"{to_hex(a['passportId'])}/{a['seq']}",
        reviewer=a["reviewer"],
        approvedUntil=a["approvedUntil"],
        opinion=to_hex(a["opinion"]),
        reviewedAt=event.position.time,
    )
    row = connection.execute(
        select(decisions).where(decisions.c.passport_id == a["passportId"], decisions.c.seq == a["seq"])
    ).one()
    name = request_hash(
        passport_id=row.passport_id,
        grant_id=row.grant_id,
        commitment=row.commitment,
        terms_word=int.from_bytes(row.terms, "big"),
        member_id=row.member_id,
    )
    _register(connection, "approval", to_hex(name), approvedUntil=a["approvedUntil"])


def _decisions_recorded(connection: Connection, found: Sequence[Decided]) -> None:
    """Fold decisions between which nothing else happened: grants, caps and locks are the same for all of them."""
    connection.execute(insert(decisions), [_decision_row(item) for item in found])
    sizes = {item.event.arguments["passportId"]: item.verdict.seq + 1 for item in found}
    connection.execute(_SET_SIZE, [{"id": passport, "next": size} for passport, size in sizes.items()])
    for item in found:
        if item.verdict.outcome is Outcome.REVIEW:
            name = f"{to_hex(item.event.arguments['passportId'])}/{item.verdict.seq}"
            _register(connection, "review", name, **_NO_REVIEW)
    permitted = [item for item in found if item.verdict.outcome is Outcome.PERMIT]
    _take_uses(connection, permitted)
    _take_caps(connection, permitted)
    urgent = [item for item in permitted if _rests_on_emergency(connection, item)]
    for item in urgent:
        _take_emergency(connection, item)
    lineage_projection.include(connection, permitted, urgent)
    border_projection.cross(connection, permitted)


def _decision_row(item: Decided) -> dict[str, Any]:
    a = item.event.arguments
    return {
        "passport_id": a["passportId"],
        "seq": item.verdict.seq,
        "grant_id": a["grantId"],
        "member_id": a["memberId"],
        "terms": a["terms"].to_bytes(32, "big"),
        "verdict": a["verdict"].to_bytes(32, "big"),
        "commitment": a["commitment"],
        **position_columns(item.event.position),
    }


def _take_uses(connection: Connection, permitted: Sequence[Decided]) -> None:
    """A permit by consent is a use of its grant."""
    named = [
        {"passport": item.event.arguments["passportId"], "grant": item.event.arguments["grantId"]}
        for item in permitted
        if item.terms.basis is Basis.CONSENT
    ]
    if named:
        connection.execute(_COUNT_USE, named)


def _take_caps(connection: Connection, permitted: Sequence[Decided]) -> None:
    """A permit counts against the requester's cap of the day."""
    caps = {
        member: _body(connection, "caps", member).get("caps", 0)
        for member in {item.event.arguments["memberId"] for item in permitted}
    }
    before: dict[str, int] = {}
    used: dict[str, int] = {}
    for item in permitted:
        member, day = item.event.arguments["memberId"], item.event.position.time // _DAY_SECONDS
        if not caps[member]:
            continue
        key = f"{member}/{day}"
        if key not in used:
            before[key] = used[key] = _body(connection, "cap-use", key).get("used", 0)
        if takes_cap(item.terms, item.verdict, Caps(caps[member], day, used[key])):
            used[key] += 1 << (16 * item.terms.purpose)
    for key, count in used.items():
        if count != before[key]:
            _register(connection, "cap-use", key, used=count)


def _take_emergency(connection: Connection, item: Decided) -> None:
    """A permit that rests on a public emergency is one of its records."""
    number = item.terms.emergency_id
    emergency = _body(connection, "emergency", number)
    if emergency["kind"] == EmergencyKind.PUBLIC:
        _register(connection, "emergency", number, used=emergency["used"] + 1)


def _rests_on_emergency(connection: Connection, item: Decided) -> bool:
    terms, verdict, passport_id = item.terms, item.verdict, item.event.arguments["passportId"]
    if not terms.emergency_id:
        return False
    law = connection.execute(
        select(policies.c.law).where(policies.c.version == verdict.policy_version)
    ).scalar_one()
    word: int = loads(law)[0][(verdict.data_class - 1) * 16 + terms.purpose]
    lock = connection.execute(
        select(passports.c.lock).where(passports.c.passport_id == passport_id)
    ).scalar_one()
    return rests_on_emergency(Fact(word >> (32 * terms.basis) & 0xFFFFFFFF), lock)


def _release_recorded(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    connection.execute(
        insert(releases).values(passport_id=a["passportId"], seq=a["seq"], **position_columns(event.position))
    )


_HANDLERS: Final[dict[str, Callable[[Connection, Event, dict[str, Any]], None]]] = {
    "MemberAdmitted": _member_admitted,
    "MemberSuspended": _member_suspended,
    "MemberReinstated": _member_reinstated,
    "MemberKeysRotated": _keys_rotated,
    "MemberExpelled": _member_expelled,
    "MemberLicensed": _member_licensed,
    "MemberControlChanged": _control_changed,
    "MemberCapsSet": _caps_set,
    "MemberEntrusted": _entrusted,
    "PolicySet": _policy_set,
    "TemplateIssued": _template_issued,
    "TemplateWithdrawn": _template_withdrawn,
    "SeatSet": _seat_set,
    "RuleSet": _rule_set,
    "ActProposed": _act_proposed,
    "ActApproved": _act_approved,
    "ActExecuted": _act_executed,
    "PassportIssued": _passport_issued,
    "PassportContentCommitted": _content_committed,
    "PassportNarrowed": _narrowed,
    "PassportSealed": _sealed,
    "PassportUnsealed": _unsealed,
    "PassportDestroyed": _destroyed,
    "HolderRotated": _holder_rotated,
    "GuardiansNamed": _guardians_named,
    "RecoveryStarted": _recovery_started,
    "RecoveryCancelled": _recovery_cancelled,
    "DelegateNamed": _delegate_named,
    "ConsentRequested": _consent_requested,
    "ConsentGranted": _granted,
    "ConsentFiled": _consent_filed,
    "ConsentConfirmed": _confirmed,
    "ConsentRefused": _refused,
    "ConsentRepudiated": _repudiated,
    "ConsentWithdrawn": _withdrawn,
    "ConsentSuperseded": _superseded,
    "ProjectFiled": _project_filed,
    "ProjectWithdrawn": _project_withdrawn,
    "ProjectReviewed": _project_reviewed,
    "Attested": _attested,
    "EmergencyOpened": _emergency_opened,
    "EmergencyDeclared": _emergency_declared,
    "EmergencyEnded": _emergency_ended,
    "EmergencyReviewed": _emergency_reviewed,
    "EmergencyRightRestored": _right_restored,
    "RequestReviewed": _request_reviewed,
    "ReleaseRecorded": _release_recorded,
    **transfer_projection.HANDLERS,
    **lineage_projection.HANDLERS,
    **border_projection.HANDLERS,
}
