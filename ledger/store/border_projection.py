"""The index's rows of agreements and borders, folded from the ledger's events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from eth_hash.auto import keccak
from sqlalchemy import Connection, func, insert, select, update

from ledger.domain.records import ZERO32, Entrustment, Event, PolicyTable
from ledger.domain.vocabulary import AgreementStatus, Custody
from ledger.encoding.hexadecimal import from_hex, to_hex
from ledger.encoding.structs import policy_table
from ledger.encoding.words import unpack_terms
from ledger.policy import is_entrusted, is_sensitive, takes_crossing, year_of
from ledger.store.register_rows import body, register
from ledger.store.tables import crossings, decisions, exports, members, passports, policies, registers
from ledger.store.values import Decided, loads, position_columns

#: The fields of a clearance that its events set, in the order of `IBorders.Clearance`; who crossed is counted.
_CLEARANCE_FIELDS: Final = (
    "exporter",
    "issuer",
    "agreement",
    "validFrom",
    "validTo",
    "maxPersons",
    "persons",
    "path",
    "projectId",
)
_LIMITS: Final = (
    "recipient",
    "purposes",
    "categories",
    "validTo",
    "retentionSeconds",
    "responseHours",
    "onward",
    "linkage",
)
#: Fewer than SQLite takes parameters.
_NAMES: Final = 500
_NO_END: Final = {"endedAt": 0, "endedBy": 0, "reasons": to_hex(ZERO32)}
_NOT_WITHDRAWN: Final = {"withdrawnAt": 0, "withdrawnBy": 0, "reasons": to_hex(ZERO32)}


def cross(connection: Connection, permitted: Sequence[Decided]) -> None:
    """Fold permits: the person whose data crosses a border is counted."""
    rows = connection.execute(select(members.c.member_id, members.c.jurisdiction))
    places = {row.member_id: row.jurisdiction for row in rows}
    if len(set(places.values())) == 1:
        return
    laws = {
        version: _law(connection, version) for version in {item.verdict.policy_version for item in permitted}
    }
    kept = _kept(connection, [item.event.arguments["passportId"] for item in permitted])
    for item in permitted:
        a = item.event.arguments
        custodian, person = kept[a["passportId"]]
        principal = _principal(connection, item)
        here = {places[member] for member in (a["memberId"], principal) if member}
        there = places[custodian]
        if here == {there}:
            continue
        law = laws[item.verdict.policy_version]
        if not takes_crossing(item.terms, item.verdict, table=law, jurisdictions=here, custodians=there):
            continue
        _cross_under(connection, item.terms.project_id, custodian, person)
        _export(
            connection,
            (custodian, year_of(item.event.position.time), person),
            sensitive=is_sensitive(law, item.terms.categories),
        )


def _principal(connection: Connection, item: Decided) -> int:
    """Return the member in whose right a request was made; 0 if nobody's."""
    terms, requester = item.terms, item.event.arguments["memberId"]
    if not terms.controller_id:
        return int(requester)
    entry = body(connection, "entrustment", f"{terms.controller_id}/{requester}")
    order = Entrustment(entry["purposes"], entry["validTo"]) if entry else None
    entrusted = is_entrusted(order, terms.purpose, item.event.position.time)
    return terms.controller_id if entrusted else 0


def cross_loaded(connection: Connection, event: Event, sender: int, project_id: int) -> None:
    """Fold a record loaded into a transfer that crosses a border: its person is counted."""
    a = event.arguments
    ((_, person),) = _kept(connection, [a["passportId"]]).values()
    query = select(decisions.c.terms).where(
        decisions.c.passport_id == a["passportId"], decisions.c.seq == a["seq"]
    )
    word = connection.execute(query).scalar_one()
    categories = unpack_terms(int.from_bytes(word, "big")).categories
    version = connection.execute(select(func.max(policies.c.version))).scalar_one()
    _cross_under(connection, project_id, sender, person)
    _export(
        connection,
        (sender, year_of(event.position.time), person),
        sensitive=is_sensitive(_law(connection, version), categories),
    )


def _kept(connection: Connection, names: Sequence[bytes]) -> dict[bytes, tuple[int, bytes]]:
    """Return who keeps each passport, and the person that it counts as."""
    columns = passports.c.passport_id, passports.c.custodian, passports.c.holder, passports.c.custody
    found: dict[bytes, tuple[int, bytes]] = {}
    for start in range(0, len(names), _NAMES):
        named = passports.c.passport_id.in_(names[start : start + _NAMES])
        for row in connection.execute(select(*columns).where(named)):
            own = row.custody == Custody.SELF
            found[row.passport_id] = row.custodian, keccak(from_hex(row.holder)) if own else row.passport_id
    return found


def _law(connection: Connection, version: int) -> PolicyTable:
    text = connection.execute(select(policies.c.law).where(policies.c.version == version)).scalar_one()
    return policy_table(version, loads(text))


def _cross_under(connection: Connection, project_id: int, exporter: int, person: bytes) -> None:
    number = _clearance_for(connection, project_id, exporter)
    place = crossings.c.clearance_id == number, crossings.c.person == person
    if connection.execute(select(crossings.c.person).where(*place)).one_or_none() is None:
        connection.execute(insert(crossings).values(clearance_id=number, person=person))


def _clearance_for(connection: Connection, project_id: int, exporter: int) -> int:
    """Return the latest clearance of a project and an exporter: a permit that crossed rests on one."""
    query = select(registers.c.body).where(
        registers.c.kind == "clearance-for", registers.c.key == f"{project_id}/{exporter}"
    )
    number: int = loads(connection.execute(query).scalar_one())["clearanceId"]
    return number


def _export(connection: Connection, name: tuple[int, int, bytes], *, sensitive: bool) -> None:
    exporter, year, person = name
    place = exports.c.exporter == exporter, exports.c.year == year, exports.c.person == person
    known = connection.execute(select(exports.c.sensitive).where(*place)).one_or_none()
    if known is None:
        connection.execute(
            insert(exports).values(exporter=exporter, year=year, person=person, sensitive=sensitive)
        )
    elif sensitive and not known.sensitive:
        connection.execute(update(exports).where(*place).values(sensitive=True))


def _proposed(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    register(
        connection,
        "agreement",
        a["agreementId"],
        provider=a["provider"],
        **dict(zip(_LIMITS, a["limits"], strict=True)),
        status=AgreementStatus.PROPOSED,
        text=to_hex(a["text"]),
        signedAt=0,
        **_NO_END,
        position=position_columns(event.position),
    )


def _signed(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    register(
        connection,
        "agreement",
        a["agreementId"],
        status=AgreementStatus.SIGNED,
        signedAt=event.position.time,
    )


def _ended(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    register(
        connection,
        "agreement",
        a["agreementId"],
        status=AgreementStatus.ENDED,
        endedAt=event.position.time,
        endedBy=a["memberId"],
        reasons=to_hex(a["reasons"]),
    )


def _access_set(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    register(connection, "border-access", a["memberId"], validTo=a["validTo"])


def _issued(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    given = dict(zip(_CLEARANCE_FIELDS, a["clearance"], strict=True))
    del given["persons"]
    register(
        connection,
        "clearance",
        a["clearanceId"],
        **given,
        filing=to_hex(a["filing"]),
        **_NOT_WITHDRAWN,
        position=position_columns(event.position),
    )
    key = f"{a['projectId']}/{a['exporter']}"
    register(connection, "clearance-for", key, clearanceId=a["clearanceId"])


def _withdrawn(connection: Connection, event: Event, a: dict[str, Any]) -> None:
    register(
        connection,
        "clearance",
        a["clearanceId"],
        validTo=event.position.time,
        withdrawnAt=event.position.time,
        withdrawnBy=a["memberId"],
        reasons=to_hex(a["reasons"]),
    )


def _thresholds_set(connection: Connection, _event: Event, a: dict[str, Any]) -> None:
    persons, sensitive_persons = a["thresholds"]
    register(connection, "thresholds", 0, persons=persons, sensitivePersons=sensitive_persons)


HANDLERS: Final[dict[str, Callable[[Connection, Event, dict[str, Any]], None]]] = {
    "AgreementProposed": _proposed,
    "AgreementSigned": _signed,
    "AgreementEnded": _ended,
    "BorderAccessSet": _access_set,
    "ClearanceIssued": _issued,
    "ClearanceWithdrawn": _withdrawn,
    "ThresholdsSet": _thresholds_set,
}
