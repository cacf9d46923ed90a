"""A small ledger on a devnet of its own: a hospital, a lab and its reviewed project, to measure and check with."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger.chain.artifacts import CONTRACTS, LEDGER
from ledger.chain.contract import DEPLOY, calldata
from ledger.chain.devnet import Devnet
from ledger.chain.rpc import Node
from ledger.domain.records import (
    NO_GRANT,
    Address,
    Commitment,
    Grant,
    GrantId,
    PassportId,
    Terms,
)
from ledger.domain.vocabulary import (
    Approval,
    Basis,
    Category,
    DataClass,
    GrantFlag,
    Level,
    MemberKind,
    Operation,
    Outcome,
    Purpose,
    Role,
    Technique,
)
from ledger.domain.wording import FIRST_TEMPLATE, NOTICE_HASH
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.typed_data import (
    LedgerDomain,
    grant_message,
    grant_typed_data,
    sign,
)
from ledger.encoding.words import pack_terms
from ledger.ports import Call
from ledger.service.committee import as_act

FAR: Final = 2**32 - 1
_YEAR: Final = 365 * 86_400
ASKED: Final = Category.DIAGNOSIS | Category.LABORATORY
COMMITMENT: Final = Commitment(bytes.fromhex("c0" * 32))
FOUNDER, HOSPITAL, LAB, _ETHICS, _COMPLIANCE = (f"0x{number:040x}" for number in range(0x1001, 0x1006))


@dataclass(frozen=True, slots=True)
class World:
    """A ledger with a hospital, a lab and its reviewed project."""

    url: str
    node: Node
    domain: LedgerDomain
    project: int
    lab: int

    def send(self, sender: str, call: Call, *, node: Node | None = None) -> int:
        """Send one transaction, by a connection of its own if *node* is one; returns the gas it used."""
        return int(send(node or self.node, sender, calldata(call), self.domain.ledger)["gasUsed"], 16)

    def grant(self, passport: PassportId) -> Grant:
        """Return a consent to AI training for the lab."""
        now = self.node.head().time
        return Grant(
            grant_id=GrantId(secrets.token_bytes(32)),
            passport_id=passport,
            recipient=self.lab,
            recipient_kinds=0,
            purposes=1 << Purpose.AI_TRAINING,
            categories=ASKED,
            use_from=now,
            use_to=now + _YEAR,
            data_from=0,
            data_to=0,
            max_uses=0,
            level=Level.PSEUDONYMISED,
            flags=GrantFlag(0),
            template=FIRST_TEMPLATE,
            terms=COMMITMENT,
            supersedes=NO_GRANT,
            deadline=FAR,
        )

    def grant_call(self, grants: list[Grant], key: bytes) -> Call:
        """Return the call that gives these consents, each signed."""
        proofs = [
            ["0x", to_hex(sign(grant_typed_data(self.domain, grant), private_key=key))] for grant in grants
        ]
        return Call("grant", ([list(grant_message(grant).values()) for grant in grants], proofs))

    def decide(self, passports: list[PassportId], grants: list[Grant], *, repeats: int) -> int:
        """Ask for each passport *repeats* times in one transaction; returns its gas. All must be permitted."""
        receipt = self.ask(passports, [grant.grant_id for grant in grants], repeats=repeats)
        outcomes = {int(log["data"][66:130], 16) >> 80 & 0xFF for log in receipt["logs"]}
        if outcomes != {Outcome.PERMIT} or len(receipt["logs"]) != repeats * len(passports):
            raise SystemExit("a request was not permitted")
        return int(receipt["gasUsed"], 16)

    def ask(
        self,
        passports: list[PassportId],
        grants: list[GrantId],
        *,
        repeats: int,
        node: Node | None = None,
        dataset: int = 0,
    ) -> dict[str, Any]:
        """Ask for each passport under its grant *repeats* times in one transaction, or to put it into a dataset."""
        terms = pack_terms(
            Terms(
                purpose=Purpose.AI_TRAINING,
                basis=Basis.CONSENT,
                operation=Operation.INCLUDE if dataset else Operation.READ,
                categories=ASKED,
                level=Level.PSEUDONYMISED,
                project_id=self.project,
                dataset_id=dataset,
            )
        )
        targets = [
            [to_hex(passport), to_hex(grant)]
            for _ in range(repeats)
            for passport, grant in zip(passports, grants, strict=True)
        ]
        call = Call("decide", ([[terms, to_hex(COMMITMENT), targets]],))
        return send(node or self.node, LAB, calldata(call), self.domain.ledger)


@contextmanager
def fresh_ledger() -> Iterator[World]:
    """Deploy a ledger on a devnet of its own, with members whose accounts nobody holds."""
    with tempfile.TemporaryDirectory() as folder:
        devnet = Devnet(Path(folder))
        devnet.start()
        try:
            yield _found(devnet.spec.url)
        finally:
            devnet.stop()


def impersonated(node: Node, number: int) -> str:
    """Return an account from which the devnet lets anybody send."""
    account = f"0x{number:040x}"
    node.request("hardhat_impersonateAccount", account)
    return account


def _found(url: str) -> World:
    node = Node(url)
    for account in (FOUNDER, HOSPITAL, LAB, _ETHICS, _COMPLIANCE):
        node.request("hardhat_impersonateAccount", account)
    office: list[Any] = []
    receipt: dict[str, Any] = {}
    for name in CONTRACTS:
        founding = [admission(FOUNDER, Role.COMMITTEE), to_hex(NOTICE_HASH)] if name == LEDGER else []
        receipt = send(node, FOUNDER, calldata(Call(f"{DEPLOY}{name}", (*office, *founding))), None)
        office = [receipt["contractAddress"]]
    ledger = Address(receipt["contractAddress"].lower())
    newcomers = {
        HOSPITAL: Role.CUSTODIAN,
        LAB: Role.PROCESSOR,
        _ETHICS: Role.ETHICS,
        _COMPLIANCE: Role.COMPLIANCE,
    }
    for account, roles in newcomers.items():
        act = as_act(Call("admit", (admission(account, roles),)), COMMITMENT)
        send(node, FOUNDER, calldata(act), ledger)
    now = node.head().time
    filing = [
        1 << Purpose.AI_TRAINING,
        int(ASKED),
        int(Technique.FEDERATED_LEARNING),
        int(DataClass.SENSITIVE),
        now,
        now + _YEAR,
        to_hex(COMMITMENT),
    ]
    send(node, LAB, calldata(Call("fileProject", (filing, to_hex(COMMITMENT)))), ledger)
    for account, approval in ((_ETHICS, Approval.ETHICS), (_COMPLIANCE, Approval.COMPLIANCE)):
        review = Call("reviewProject", (1, int(approval), True, to_hex(COMMITMENT)))
        send(node, account, calldata(review), ledger)
    return World(url, node, LedgerDomain(node.chain_id(), ledger), project=1, lab=3)


def admission(account: str, roles: Role) -> list[Any]:
    """Return the admission of an account as the contract's struct."""
    key = "0x" + account[2:].rjust(64, "0")
    return [account, int(roles), 0xFFFF, 156, FAR, int(MemberKind.OTHER), key, key, "Member of a benchmark"]


def issue_item(passport: PassportId, holder: str) -> list[Any]:
    """Return a passport to be issued as the contract's struct."""
    return [to_hex(passport), holder, 0, 0x0FFF, int(Level.IDENTIFIED), 0, to_hex(COMMITMENT)]


def send(node: Node, sender: str, data: bytes, to: str | None) -> dict[str, Any]:
    """
    Send one transaction from an impersonated account.

    Returns:
        Its receipt.

    Raises:
        SystemExit: It was reverted.
    """
    transaction = {"from": sender, "data": to_hex(data), "gasPrice": "0x0", "gas": hex(16_000_000)}
    if to is not None:
        transaction["to"] = to
    digest = node.request("eth_sendTransaction", transaction)
    receipt: dict[str, Any] = node.request("eth_getTransactionReceipt", digest)
    if receipt["status"] != "0x1":
        raise SystemExit("a transaction was reverted")
    return receipt
