"""
The index's rows, folded from the ledger's events.

One function per event. Rebuilt from the same events the rows are the same: nothing here asks a clock or the chain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, insert, update

from ledger.domain.records import Event
from ledger.domain.vocabulary import Basis, GrantStatus, MemberStatus, Outcome, PassportStatus, TransferStatus
from ledger.encoding.words import unpack_verdict
from ledger.store.tables import (
    decisions,
    grants,
    members,
    passports,
    policies,
    projects,
    releases,
    transfers,
)
from ledger.store.values import dumps, position_columns


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
        )
    )


def _member_suspended(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_member(connection, a, status=MemberStatus.SUSPENDED)


def _member_reinstated(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    _update_member(connection, a, status=MemberStatus.ACTIVE)


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
            holder=a["holder"],
            content=a["content"],
            size=0,
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


def _update_passport(connection: Connection, a: dict[str, Any], **values: Any) -> None:
    connection.execute(update(passports).where(passports.c.passport_id == a["passportId"]).values(**values))


def _granted(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    connection.execute(
        insert(grants).values(
            grant_id=a["grantId"],
            passport_id=a["passportId"],
            recipient=a["recipient"],
            purposes=a["purposes"],
            categories=a["categories"],
            use_from=a["useFrom"],
            use_to=a["useTo"],
            max_uses=a["maxUses"],
            uses=0,
            flags=a["flags"],
            status=GrantStatus.ACTIVE,
            ended_at=0,
            terms=a["terms"],
            supersedes=a["supersedes"],
            **position_columns(event.position),
        )
    )


def _withdrawn(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    _end_grant(connection, event, a, status=GrantStatus.WITHDRAWN)


def _superseded(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    _end_grant(connection, event, a, status=GrantStatus.SUPERSEDED, successor=a["successor"])


def _end_grant(connection: Connection, event: Event, a: dict[str, Any], **values: Any) -> None:
    connection.execute(
        update(grants)
        .where(grants.c.grant_id == a["grantId"], grants.c.passport_id == a["passportId"])
        .values(ended_at=event.position.time, **values)
    )


def _project_filed(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    connection.execute(
        insert(projects).values(
            project_id=a["projectId"],
            member_id=a["memberId"],
            purposes=a["purposes"],
            categories=a["categories"],
            techniques=a["techniques"],
            highest_class=a["highestClass"],
            valid_from=a["validFrom"],
            valid_to=a["validTo"],
            agreement=a["agreement"],
            withdrawn=False,
        )
    )


def _project_withdrawn(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    connection.execute(update(projects).where(projects.c.project_id == a["projectId"]).values(withdrawn=True))


def _decision_recorded(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    verdict = unpack_verdict(a["verdict"])
    connection.execute(
        insert(decisions).values(
            passport_id=a["passportId"],
            seq=verdict.seq,
            grant_id=a["grantId"],
            member_id=a["memberId"],
            verdict=a["verdict"].to_bytes(32, "big"),
            commitment=a["commitment"],
            **position_columns(event.position),
        )
    )
    _update_passport(connection, a, size=verdict.seq + 1)
    if verdict.outcome is Outcome.PERMIT and verdict.basis is Basis.CONSENT:
        connection.execute(
            update(grants)
            .where(
                grants.c.grant_id == a["grantId"],
                grants.c.passport_id == a["passportId"],
                grants.c.max_uses != 0,
            )
            .values(uses=grants.c.uses + 1)
        )


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
    "PolicySet": _policy_set,
    "PassportIssued": _passport_issued,
    "PassportContentCommitted": _content_committed,
    "PassportNarrowed": _narrowed,
    "PassportSealed": _sealed,
    "PassportUnsealed": _unsealed,
    "PassportDestroyed": _destroyed,
    "ConsentGranted": _granted,
    "ConsentWithdrawn": _withdrawn,
    "ConsentSuperseded": _superseded,
    "ProjectFiled": _project_filed,
    "ProjectWithdrawn": _project_withdrawn,
    "DecisionRecorded": _decision_recorded,
    "ReleaseRecorded": _release_recorded,
    "TransferShipped": _shipped,
    "TransferReceived": _received,
}
