"""
Measure what the ledger costs in gas: `python -m scripts.bench_gas [--json]`.

Deploys a ledger on a devnet of its own and takes `gasUsed` of whole transactions, 21,000 and calldata included. A
transaction of its own begins with nothing warm, so `cold_100` is a batch of 100 requests for 100 passports under 100
grants, by consent of class 2 with everything that the default law requires; `repeat_100` is 10 passports with 10
requests each. The first decision of a passport is not special and is not measured. Figures are gas per item; gas does
not depend on the machine.
"""

from __future__ import annotations

import argparse
import json
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_account import Account

from ledger.chain import artifacts
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
    revocation_typed_data,
    sign,
)
from ledger.encoding.words import pack_terms
from ledger.ports import Call
from ledger.service.committee import as_act

BATCH: Final = 100
_FAR: Final = 2**32 - 1
_YEAR: Final = 365 * 86_400
_ASKED: Final = Category.DIAGNOSIS | Category.LABORATORY
_COMMITMENT: Final = Commitment(bytes.fromhex("c0" * 32))
_FOUNDER, _HOSPITAL, _LAB, _ETHICS, _COMPLIANCE = (f"0x{number:040x}" for number in range(0x1001, 0x1006))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure what the ledger costs in gas.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    with fresh_ledger() as world:
        figures = measure(world)
    if given.json:
        print(json.dumps(figures, indent=1))
        return
    for name, value in figures.items():
        print(f"{name:12} {json.dumps(value)}")


def measure(world: World) -> dict[str, Any]:
    """Return the figures: gas per item, and bytes of code by contract."""
    passports = [PassportId(secrets.token_bytes(32)) for _ in range(BATCH)]
    holder = Account.create()
    issued = world.send(_HOSPITAL, Call("issue", ([_issue(item, holder.address) for item in passports],)))
    grants = [world.grant(passport) for passport in passports]
    given = world.send(_LAB, world.grant_call(grants, holder.key))
    world.decide(passports, grants, repeats=1)
    cold = world.decide(passports, grants, repeats=1)
    repeated = world.decide(passports[:10], grants[:10], repeats=10)
    single = world.decide(passports[:1], grants[:1], repeats=1)
    typed = revocation_typed_data(world.domain, passport_id=passports[0], grant_id=grants[0].grant_id)
    proof = ["0x", to_hex(sign(typed, private_key=holder.key))]
    revoked = world.send(_LAB, Call("revoke", (to_hex(passports[0]), to_hex(grants[0].grant_id), proof)))
    return {
        "cold_100": cold // BATCH,
        "repeat_100": repeated // BATCH,
        "single": single,
        "issue": issued // BATCH,
        "grant": given // BATCH,
        "revoke": revoked,
        "code_bytes": {
            name: len(code.deployed_bytecode) for name, code in artifacts.load().contracts.items()
        },
    }


@dataclass(frozen=True, slots=True)
class World:
    """A ledger with a hospital, a lab and its reviewed project."""

    node: Node
    domain: LedgerDomain
    project: int
    lab: int

    def send(self, sender: str, call: Call) -> int:
        """Send one transaction; returns the gas it used."""
        return int(_send(self.node, sender, calldata(call), self.domain.ledger)["gasUsed"], 16)

    def grant(self, passport: PassportId) -> Grant:
        """Return a consent to AI training for the lab."""
        now = self.node.head().time
        return Grant(
            grant_id=GrantId(secrets.token_bytes(32)),
            passport_id=passport,
            recipient=self.lab,
            recipient_kinds=0,
            purposes=1 << Purpose.AI_TRAINING,
            categories=_ASKED,
            use_from=now,
            use_to=now + _YEAR,
            data_from=0,
            data_to=0,
            max_uses=0,
            level=Level.PSEUDONYMISED,
            flags=GrantFlag(0),
            template=FIRST_TEMPLATE,
            terms=_COMMITMENT,
            supersedes=NO_GRANT,
            deadline=_FAR,
        )

    def grant_call(self, grants: list[Grant], key: bytes) -> Call:
        """Return the call that gives these consents, each signed."""
        proofs = [
            ["0x", to_hex(sign(grant_typed_data(self.domain, grant), private_key=key))] for grant in grants
        ]
        return Call("grant", ([list(grant_message(grant).values()) for grant in grants], proofs))

    def decide(self, passports: list[PassportId], grants: list[Grant], *, repeats: int) -> int:
        """Ask for each passport *repeats* times in one transaction; returns its gas. All must be permitted."""
        terms = pack_terms(
            Terms(
                purpose=Purpose.AI_TRAINING,
                basis=Basis.CONSENT,
                operation=Operation.READ,
                categories=_ASKED,
                level=Level.PSEUDONYMISED,
                project_id=self.project,
            )
        )
        targets = [
            [to_hex(passport), to_hex(grant.grant_id)]
            for _ in range(repeats)
            for passport, grant in zip(passports, grants, strict=True)
        ]
        call = Call("decide", ([[terms, to_hex(_COMMITMENT), targets]],))
        receipt = _send(self.node, _LAB, calldata(call), self.domain.ledger)
        outcomes = {int(log["data"][66:130], 16) >> 80 & 0xFF for log in receipt["logs"]}
        if outcomes != {1} or len(receipt["logs"]) != len(targets):
            raise SystemExit("a request of the benchmark was not permitted")
        return int(receipt["gasUsed"], 16)


@contextmanager
def fresh_ledger() -> Iterator[World]:
    """Deploy a ledger on a devnet of its own, with members whose accounts nobody holds."""
    with tempfile.TemporaryDirectory() as folder:
        devnet = Devnet(Path(folder))
        devnet.start()
        try:
            yield _found(Node(devnet.spec.url))
        finally:
            devnet.stop()


def _found(node: Node) -> World:
    for account in (_FOUNDER, _HOSPITAL, _LAB, _ETHICS, _COMPLIANCE):
        node.request("hardhat_impersonateAccount", account)
    office: list[Any] = []
    receipt: dict[str, Any] = {}
    for name in CONTRACTS:
        founding = [_admission(_FOUNDER, Role.COMMITTEE), to_hex(NOTICE_HASH)] if name == LEDGER else []
        receipt = _send(node, _FOUNDER, calldata(Call(f"{DEPLOY}{name}", (*office, *founding))), None)
        office = [receipt["contractAddress"]]
    ledger = Address(receipt["contractAddress"].lower())
    newcomers = {
        _HOSPITAL: Role.CUSTODIAN,
        _LAB: Role.PROCESSOR,
        _ETHICS: Role.ETHICS,
        _COMPLIANCE: Role.COMPLIANCE,
    }
    for account, roles in newcomers.items():
        act = as_act(Call("admit", (_admission(account, roles),)), _COMMITMENT)
        _send(node, _FOUNDER, calldata(act), ledger)
    now = node.head().time
    filing = [
        1 << Purpose.AI_TRAINING,
        int(_ASKED),
        int(Technique.FEDERATED_LEARNING),
        int(DataClass.SENSITIVE),
        now,
        now + _YEAR,
        to_hex(_COMMITMENT),
    ]
    _send(node, _LAB, calldata(Call("fileProject", (filing, to_hex(_COMMITMENT)))), ledger)
    for account, approval in ((_ETHICS, Approval.ETHICS), (_COMPLIANCE, Approval.COMPLIANCE)):
        review = Call("reviewProject", (1, int(approval), True, to_hex(_COMMITMENT)))
        _send(node, account, calldata(review), ledger)
    return World(node, LedgerDomain(node.chain_id(), ledger), project=1, lab=3)


def _admission(account: str, roles: Role) -> list[Any]:
    key = "0x" + account[2:].rjust(64, "0")
    return [account, int(roles), 0xFFFF, 156, _FAR, int(MemberKind.OTHER), key, key, "Member of a benchmark"]


def _issue(passport: PassportId, holder: str) -> list[Any]:
    return [to_hex(passport), holder, 0, 0x0FFF, int(Level.IDENTIFIED), 0, to_hex(_COMMITMENT)]


def _send(node: Node, sender: str, data: bytes, to: str | None) -> dict[str, Any]:
    transaction = {"from": sender, "data": to_hex(data), "gasPrice": "0x0", "gas": hex(16_000_000)}
    if to is not None:
        transaction["to"] = to
    digest = node.request("eth_sendTransaction", transaction)
    receipt: dict[str, Any] = node.request("eth_getTransactionReceipt", digest)
    if receipt["status"] != "0x1":
        raise SystemExit("a transaction of the benchmark was reverted")
    return receipt


if __name__ == "__main__":
    main()
