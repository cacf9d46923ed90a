"""Transfers of many records, in a few words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from api.schemas.base import utc as at
from ledger.client import PassportClient, sign_grant
from ledger.client.holders import grant_of
from ledger.domain.records import Commitment, Limits, PassportId, TransferId
from ledger.domain.vocabulary import Category, Operation, Path, Purpose, Role
from ledger.encoding import merkle
from ledger.encoding.structs import limits_values
from ledger.ports import Call, TransferRecord
from ledger.ports import Operation as WriteOperation
from ledger.service.transfers import TransferPlan
from tests.support.world import ALL_PURPOSES, STUDY, Actor, World, event_named

HOME, ABROAD = 840, 156
_TEXT = "0x" + "7e" * 32
Permit = tuple[PassportId, int]


class Exchange:
    """A hospital that sends records to a laboratory at home, which may pass them on to a company; and their regulators."""

    def __init__(self, world: World) -> None:
        """Admit them."""
        self.world = world
        self.hospital = world.admit("Riverside Hospital", Role.CUSTODIAN)
        self.lab = world.admit("Northern Laboratory", Role.PROCESSOR)
        self.company = world.admit("Model Company", Role.PROCESSOR)
        self.regulator = world.admit("Data Regulator", Role.REGULATOR)
        self.foreign = world.admit("Regulator abroad", Role.REGULATOR, jurisdiction=ABROAD)
        self.project = world.project(self.lab)
        self.other_project = world.project(self.company)
        self.agreement = self.agree(self.hospital, self.lab, onward=True)

    def submit(self, actor: Actor, function: str, *arguments: Any) -> WriteOperation:
        """Call the ledger in the name of a member."""
        operation = self.world.service.writer.submit(actor.member.signer, Call(function, arguments))
        return self.world.done(operation)

    def agree(self, provider: Actor, recipient: Actor, **changes: Any) -> int:
        """Make an agreement that both sign; as wide as the law unless *changes* say otherwise."""
        table = self.world.service.index.policy(None)
        assert table is not None
        limits = Limits(
            recipient=recipient.member.member_id,
            purposes=ALL_PURPOSES & ~table.banned_purposes,
            categories=~Category(0),
            valid_to=self.world.now() + 10**8,
            retention_seconds=10**7,
        )
        values = limits_values(replace(limits, **changes))
        proposed = self.submit(provider, "proposeAgreement", values, _TEXT)
        number = int(event_named(proposed, "AgreementProposed").arguments["agreementId"])
        self.submit(recipient, "signAgreement", number, _TEXT)
        return number

    def end(self, agreement: int) -> None:
        """End an agreement, as its provider."""
        self.submit(self.hospital, "endAgreement", agreement, _TEXT)

    def clear(
        self,
        *,
        seconds: int = 10**7,
        persons: int = 1000,
        importer: Actor | None = None,
        project: int | None = None,
    ) -> None:
        """Clear the hospital's data for a project, the laboratory's at home unless told, and let its owner receive it."""
        now = self.world.now()
        recipient = (importer or self.lab).member.member_id
        self.submit(self.regulator, "setBorderAccess", recipient, now + 10**8)
        cleared = (
            self.hospital.member.member_id,
            0,
            0,
            now,
            now + seconds,
            persons,
            0,
            Path.ASSESSMENT,
            project or self.project,
        )
        self.submit(self.regulator, "clear", cleared, _TEXT)

    def records(self, count: int, *recipients: Actor) -> list[PassportId]:
        """Register records, each with a consent for every recipient; for the laboratory if none is named."""
        found = []
        for index in range(count):
            passport = self.world.register(self.hospital, index)
            found.append(passport)
        return found

    def permits(
        self, passports: list[PassportId], recipient: Actor | None = None, **changes: Any
    ) -> list[Permit]:
        """Let the patients consent, and the recipient be permitted to receive copies."""
        wanted = recipient or self.lab
        project = self.project if wanted is self.lab else self.other_project
        found = []
        for passport in passports:
            grant = self.world.grant(self.hospital, passport, wanted)
            verdict = self.world.ask(
                wanted, passport, grant_id=grant, project_id=project, operation=Operation.TRANSFER, **changes
            )
            found.append((passport, verdict.seq))
        return found

    def plan(self, count: int, **changes: Any) -> TransferPlan:
        """Return what is declared of records from the hospital to the laboratory at home."""
        words: dict[str, Any] = {
            "agreement_id": self.agreement,
            "count": count,
            "purposes": [Purpose.AI_TRAINING],
            "categories": STUDY,
            "places": [HOME],
            "description": "The cohort of the year",
            **changes,
        }
        return TransferPlan(**words)

    def declare(self, plan: TransferPlan, sender: Actor | None = None) -> TransferId:
        """Declare a transfer."""
        actor = sender or self.hospital
        name, operation = self.world.service.transfers.declare(actor.member, plan)
        self.world.done(operation)
        return name

    def loaded(self, permits: list[Permit], **changes: Any) -> TransferId:
        """Declare a transfer and load it."""
        name = self.declare(self.plan(len(permits), **changes))
        self.world.done(self.world.service.transfers.load(self.hospital.member, name, permits))
        return name

    def shipped(self, permits: list[Permit], **changes: Any) -> TransferId:
        """Declare a transfer, load it and ship it."""
        name = self.loaded(permits, **changes)
        self.world.done(self.world.service.transfers.ship_all(self.hospital.member, name))
        return name

    def received(self, permits: list[Permit], **changes: Any) -> TransferId:
        """Do all that, and let the laboratory state that it received it."""
        name = self.shipped(permits, **changes)
        self.receive(name, self.root(name))
        return name

    def receive(self, name: TransferId, root: bytes) -> None:
        """Let the laboratory state what it received."""
        operation = self.world.service.transfers.receive(self.lab.member, name, Commitment(root))
        self.world.done(operation)

    def root(self, name: TransferId) -> bytes:
        """Return the root over what the index says was loaded."""
        items = self.world.service.index.transfer_items(name)
        return merkle.root([merkle.leaf_of(item) for item in items])

    def get(self, name: TransferId) -> TransferRecord:
        """Return a transfer."""
        return self.world.service.transfers.get(name)


def consented(client: PassportClient, holder_key: bytes, passport: str, exchange: Exchange) -> str:
    """Let a patient sign a consent for the laboratory."""
    prepared = client.prepare_grant(
        {
            "passportId": passport,
            "recipient": exchange.lab.member.member_id,
            "purposes": ["AI_TRAINING"],
            "categories": ["DIAGNOSIS", "LABORATORY"],
            "useTo": at(exchange.world.now() + 300 * 86_400),
        }
    )
    signature = sign_grant(client.ledger(), grant_of(prepared["grant"]), holder_key)
    return str(client.relay_grant(prepared["grant"], signature)["grantId"])


def asked(client: PassportClient, passport: str, grant: str, project: int) -> int:
    """Let the laboratory be permitted to receive a copy."""
    (answer,) = client.decide(
        [
            {
                "passportId": passport,
                "grantId": grant,
                "purpose": "AI_TRAINING",
                "basis": "CONSENT",
                "operation": "TRANSFER",
                "categories": ["DIAGNOSIS"],
                "level": "PSEUDONYMISED",
                "projectId": project,
            }
        ]
    )
    assert answer["outcome"] == "PERMIT"
    return int(answer["seq"])
