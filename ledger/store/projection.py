"""
The index's rows, folded from the ledger's events.

One function per event. Rebuilt from the same events the rows are the same: nothing here asks a clock or the chain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from ledger.domain.records import ZERO32, Caps, Event, Terms, Verdict
from ledger.domain.vocabulary import (
    Approval,
    Basis,
    EmergencyKind,
    Fact,
    GrantStatus,
    MemberStatus,
    Outcome,
    PassportStatus,
    TransferStatus,
)
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.words import request_hash, unpack_terms, unpack_verdict
from ledger.policy import rests_on_emergency, takes_cap
from ledger.store import border_projection, lineage_projection
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
    transfers,
)
from ledger.store.values import dumps, loads, position_columns

_DAY_SECONDS: Final = 86_400
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


def apply(connection: Connection, event: Event) -> None:
    """Fold one event into the rows. Events that change no row are passed over."""
    handler = _HANDLERS.get(event.name)
    if handler is not None:
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


def _decision_recorded(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    terms, verdict = unpack_terms(a["terms"]), unpack_verdict(a["verdict"])
    if verdict.outcome is Outcome.PERMIT:
        _take_permit(connection, event, a, terms, verdict)
    elif verdict.outcome is Outcome.REVIEW:
        _register(connection, "review", f"{to_hex(a['passportId'])}/{verdict.seq}", **_NO_REVIEW)
    connection.execute(
        insert(decisions).values(
            passport_id=a["passportId"],
            seq=verdict.seq,
            grant_id=a["grantId"],
            member_id=a["memberId"],
            terms=a["terms"].to_bytes(32, "big"),
            verdict=a["verdict"].to_bytes(32, "big"),
            commitment=a["commitment"],
            **position_columns(event.position),
        )
    )
    _update_passport(connection, a, size=verdict.seq + 1)
    lineage_projection.include(connection, event, a, terms, verdict)
    border_projection.cross(connection, event, a, terms, verdict)


def _take_permit(
    connection: Connection, event: Event, a: dict[str, Any], terms: Terms, verdict: Verdict
) -> None:
    """What a permit uses up: a use of its grant, of the requester's cap, a record of a public emergency."""
    if terms.basis is Basis.CONSENT:
        connection.execute(
            update(grants).where(*_this_grant(a), grants.c.max_uses != 0).values(uses=grants.c.uses + 1)
        )
    caps = _body(connection, "caps", a["memberId"]).get("caps", 0)
    day = event.position.time // _DAY_SECONDS
    key = f"{a['memberId']}/{day}"
    used = _body(connection, "cap-use", key).get("used", 0)
    if takes_cap(terms, verdict, Caps(caps, day, used)):
        _register(connection, "cap-use", key, used=used + (1 << (16 * terms.purpose)))
    emergency = _body(connection, "emergency", terms.emergency_id)
    if emergency.get("kind") == EmergencyKind.PUBLIC and _rests_on_emergency(connection, a, terms, verdict):
        _register(connection, "emergency", terms.emergency_id, used=emergency["used"] + 1)


def _rests_on_emergency(connection: Connection, a: dict[str, Any], terms: Terms, verdict: Verdict) -> bool:
    law = connection.execute(
        select(policies.c.law).where(policies.c.version == verdict.policy_version)
    ).scalar_one()
    word: int = loads(law)[0][(verdict.data_class - 1) * 16 + terms.purpose]
    lock = connection.execute(
        select(passports.c.lock).where(passports.c.passport_id == a["passportId"])
    ).scalar_one()
    return rests_on_emergency(Fact(word >> (32 * terms.basis) & 0xFFFFFFFF), lock)


def _release_recorded(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    connection.execute(
        insert(releases).values(passport_id=a["passportId"], seq=a["seq"], **position_columns(event.position))
    )


def _shipped(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    connection.execute(
        insert(transfers).values(
            transfer_id=a["transferId"],
            passport_id=a["passportId"],
            sender=a["sender"],
            recipient=a["recipient"],
            seq=a["seq"],
            status=TransferStatus.SHIPPED,
            content=a["content"],
            **position_columns(event.position),
        )
    )


def _received(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    connection.execute(
        update(transfers)
        .where(transfers.c.transfer_id == a["transferId"])
        .values(
            status=TransferStatus.RECEIVED if a["matched"] else TransferStatus.DISPUTED,
            received_content=a["content"],
            received=dumps(position_columns(event.position)),
        )
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
    "DecisionRecorded": _decision_recorded,
    "RequestReviewed": _request_reviewed,
    "ReleaseRecorded": _release_recorded,
    "TransferShipped": _shipped,
    "TransferReceived": _received,
    **lineage_projection.HANDLERS,
    **border_projection.HANDLERS,
}
