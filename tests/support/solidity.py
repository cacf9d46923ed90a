"""Contracts that are not ours, compiled and deployed for a test: wallets, and OpenZeppelin's verifiers."""

from __future__ import annotations

import json
import time

from eth_account import Account
from solcx import compile_standard

from ledger.chain.devnet import endow
from ledger.chain.rpc import Node, contract_address
from ledger.domain.records import Address
from tests.support.data import ROOT

_COMPILER = ROOT / "scripts" / "solc"
_GAS = 5_000_000
_SECONDS = 20


def compiled(name: str, source: str | None = None) -> bytes:
    """
    Compile a contract.

    Args:
        name: Its name; without *source* the path below `@openzeppelin/contracts`, without `.sol`.
        source: Its Solidity.

    Returns:
        The creation code.
    """
    path = "Test.sol" if source else f"@openzeppelin/contracts/{name}.sol"
    contract = name.rpartition("/")[2]
    text = source or (ROOT / "node_modules" / path).read_text()
    settings = json.loads((ROOT / "contracts" / "solc.settings.json").read_text())["settings"]
    request = {
        "language": "Solidity",
        "sources": {path: {"content": text}},
        "settings": {**settings, "outputSelection": {path: {contract: ["evm.bytecode.object"]}}},
    }
    output = compile_standard(request, solc_binary=str(_COMPILER), allow_empty=True)
    return bytes.fromhex(output["contracts"][path][contract]["evm"]["bytecode"]["object"])


class Deployer:
    """An account of the devnet that the service knows nothing of."""

    def __init__(self, node: Node) -> None:
        self._node, self._account = node, Account.create()
        endow(node, Address(self._account.address.lower()))

    def deploy(self, code: bytes) -> Address:
        """Create a contract; returns its address."""
        found = contract_address(self._send({"data": code}))
        assert found is not None
        return found

    def call(self, to: Address, data: bytes) -> bool:
        """Send a transaction; returns whether it succeeded."""
        return int(self._send({"to": bytes.fromhex(to[2:]), "data": data})["status"], 16) == 1

    def _send(self, fields: dict[str, object]) -> dict[str, str]:
        max_fee, tip = self._node.fees()
        signed = self._account.sign_transaction(
            {
                "type": 2,
                "chainId": self._node.chain_id(),
                "nonce": self._node.nonce(self._account.address),
                "value": 0,
                "gas": _GAS,
                "maxFeePerGas": max_fee,
                "maxPriorityFeePerGas": tip,
                **fields,
            }
        )
        self._node.send_raw(bytes(signed.raw_transaction))
        deadline = time.monotonic() + _SECONDS
        while (receipt := self._node.receipt(bytes(signed.hash))) is None:
            assert time.monotonic() < deadline, "not mined in time"
        return receipt
