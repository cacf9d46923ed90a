"""The twin of transfers of many records: each rule by itself, and the boundaries in time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.domain.records import (
    Address,
    Agreement,
    Clearance,
    Commitment,
    Consignment,
    Limits,
    Member,
    PassportId,
    Transfer,
    TransferId,
)
from ledger.domain.vocabulary import (
    AgreementStatus,
    Category,
    MemberStatus,
    Path,
    Purpose,
    Role,
    TransferFact,
    TransferStatus,
    purpose_set,
)
from ledger.encoding.structs import consignment, consignment_values
from ledger.policy import Crossing
from ledger.transfers import Parent, TransferSituation, crosses, missing_of

NOW = 1_800_000_000
HOME, ABROAD = 156, 840
SENDER, RECIPIENT = 2, 3
STUDY = Category.DIAGNOSIS | Category.LABORATORY
AI = purpose_set([Purpose.AI_TRAINING])
PARENT = TransferId(b"\x07" * 32)


def member(number: int, **changes: object) -> Member:
    """Return an active member at home."""
    words: dict[str, object] = {
        "member_id": number,
        "name": f"member {number}",
        "signer": Address("0x" + "00" * 20),
        "roles": Role.CUSTODIAN,
        "purposes": 0xFFFF,
        "jurisdiction": HOME,
        "valid_to": NOW + 100,
        "status": MemberStatus.ACTIVE,
        "signing_key": bytes(32),
        "sealing_key": bytes(32),
        **changes,
    }
    return Member(**words)  # type: ignore[arg-type]


AGREEMENT = Agreement(
    1,
    SENDER,
    Limits(RECIPIENT, AI | purpose_set([Purpose.RESEARCH]), STUDY, NOW + 100, 50, onward=True),
    AgreementStatus.SIGNED,
)
DECLARED = Consignment(
    agreement_id=1, project_id=5, count=9, purposes=AI, categories=STUDY, route=(HOME,), places=(HOME,)
)
SITUATION = TransferSituation(
    at=NOW,
    sender=member(SENDER),
    recipient=member(RECIPIENT),
    agreement=AGREEMENT,
    agreement_in_force=True,
    banned_purposes=purpose_set([Purpose.MARKETING]),
)
CLEARED = Crossing(
    access_until=NOW + 1,
    clearance=Clearance(1, 5, SENDER, 7, Path.ASSESSMENT, NOW, NOW + 1, 10),
)
RECEIVED = Parent(
    transfer=Transfer(
        PARENT,
        PassportId(bytes(32)),
        1,
        SENDER,
        0,
        TransferStatus.RECEIVED,
        Commitment(b"\x01" * 32),
        consignment=replace(DECLARED, purposes=AI),
    ),
    received_at=NOW - 49,
    agreement=AGREEMENT,
    agreement_in_force=True,
)


def test_what_breaks_no_rule_stands() -> None:
    assert missing_of(DECLARED, SITUATION) == TransferFact(0)


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"sender": member(SENDER, valid_to=NOW)}, TransferFact.SENDER_ACTIVE),
        ({"sender": member(SENDER, status=MemberStatus.SUSPENDED)}, TransferFact.SENDER_ACTIVE),
        ({"recipient": member(RECIPIENT, valid_to=NOW)}, TransferFact.RECIPIENT_ACTIVE),
        ({"agreement_in_force": False}, TransferFact.AGREEMENT_IN_FORCE),
        ({"banned_purposes": AI}, TransferFact.WITHIN_LIMITS),
        ({"recipient": member(RECIPIENT, jurisdiction=ABROAD)}, TransferFact.BORDER_CLEARED),
    ],
)
def test_each_side_of_the_situation_is_a_rule(changes: dict[str, object], missing: TransferFact) -> None:
    assert missing_of(DECLARED, replace(SITUATION, **changes)) is missing  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"purposes": AI | purpose_set([Purpose.RESEARCH])}, TransferFact(0)),
        ({"purposes": AI | purpose_set([Purpose.AI_VALIDATION])}, TransferFact.WITHIN_LIMITS),
        ({"categories": STUDY | Category.IMAGING}, TransferFact.WITHIN_LIMITS),
        ({"route": (HOME, ABROAD)}, TransferFact.BORDER_CLEARED),
        ({"places": (ABROAD, HOME)}, TransferFact.BORDER_CLEARED),
        ({"parent": PARENT}, TransferFact.ONWARD_ALLOWED),
    ],
)
def test_each_part_of_what_is_declared_is_a_rule(changes: dict[str, object], missing: TransferFact) -> None:
    assert missing_of(replace(DECLARED, **changes), SITUATION) == missing  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "stands"),
    [
        ({}, True),
        ({"project_owner": SENDER}, False),
        ({"project_owner": 0}, False),
        ({"at": NOW - 1}, False),
        ({"at": NOW + 1}, False),
        ({"crossing": Crossing(access_until=NOW + 1)}, False),
        ({"crossing": replace(CLEARED, access_until=NOW)}, False),
    ],
)
def test_a_border_needs_the_recipients_project_cleared(changes: dict[str, object], stands: bool) -> None:
    situation = replace(SITUATION, crossing=CLEARED, project_owner=RECIPIENT)
    missing = missing_of(
        replace(DECLARED, places=(ABROAD,)),
        replace(situation, **changes),  # type: ignore[arg-type]
    )
    assert missing == (TransferFact(0) if stands else TransferFact.BORDER_CLEARED)


@pytest.mark.parametrize(
    ("parent", "stands"),
    [
        (RECEIVED, True),
        (None, False),
        (replace(RECEIVED, received_at=NOW - 50), False),
        (replace(RECEIVED, agreement_in_force=False), False),
        (replace(RECEIVED, agreement=None), False),
        (
            replace(RECEIVED, agreement=replace(AGREEMENT, limits=replace(AGREEMENT.limits, onward=False))),
            False,
        ),
        (replace(RECEIVED, transfer=replace(RECEIVED.transfer, status=TransferStatus.DISPUTED)), False),
        (replace(RECEIVED, transfer=replace(RECEIVED.transfer, status=TransferStatus.CLOSED)), False),
        (replace(RECEIVED, transfer=replace(RECEIVED.transfer, recipient=RECIPIENT)), False),
        (replace(RECEIVED, transfer=replace(RECEIVED.transfer, consignment=None)), False),
    ],
)
def test_what_was_received_is_passed_on_only_as_agreed(parent: Parent | None, stands: bool) -> None:
    missing = missing_of(replace(DECLARED, parent=PARENT), replace(SITUATION, parent=parent))
    assert missing == (TransferFact(0) if stands else TransferFact.ONWARD_ALLOWED)


def test_a_child_is_no_wider_than_its_parent() -> None:
    wide = replace(DECLARED, parent=PARENT, purposes=AI | purpose_set([Purpose.RESEARCH]))
    narrow = replace(
        RECEIVED,
        transfer=replace(RECEIVED.transfer, consignment=replace(DECLARED, categories=Category.DIAGNOSIS)),
    )

    assert missing_of(wide, replace(SITUATION, parent=RECEIVED)) is TransferFact.ONWARD_ALLOWED
    child = replace(DECLARED, parent=PARENT)
    assert missing_of(child, replace(SITUATION, parent=narrow)) is TransferFact.ONWARD_ALLOWED


def test_it_crosses_if_anything_is_elsewhere() -> None:
    home, abroad = member(SENDER), member(RECIPIENT, jurisdiction=ABROAD)

    assert not crosses(replace(DECLARED, route=()), home, home)
    assert crosses(DECLARED, home, abroad)
    assert crosses(DECLARED, abroad, abroad)


def test_the_struct_is_read_as_it_is_written() -> None:
    for declared in (DECLARED, replace(DECLARED, parent=PARENT, route=(1, 2))):
        assert consignment(consignment_values(declared)) == declared
