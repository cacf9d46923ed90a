"""
A devnet driven as fast as it goes: raw JSON-RPC over one connection, transactions signed here, many views in one call.

Nothing here knows the law.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import coincurve
import rlp
from eth_abi.abi import decode
from eth_utils.crypto import keccak

from ledger.chain import artifacts
from ledger.chain.artifacts import CONTRACTS, LEDGER
from ledger.chain.contract import DEPLOY, calldata, decoder
from ledger.chain.rpc import raw_log
from ledger.domain.records import Event
from ledger.encoding.events import RawLog, canonical_type, selector
from ledger.ports import Call

#: More than any history spends.
_GAS: Final = 16_000_000
_GAS_PRICE: Final = 10**9
_WEALTH: Final = hex(10**27)
_WORD: Final = 32
#: A connection unused for longer is made anew: after five seconds the node closes it.
_IDLE_SECONDS: Final = 2.0
_LATEST: Final = "latest"
_HEADER_ONLY: Final = False
_BY_HAND: Final = False
_OUT_OF_GAS: Final = "out of gas"
_MINED_SECONDS: Final = 10.0


class Key:
    """A secp256k1 key, the same for the same name in every run."""

    def __init__(self, name: str) -> None:
        self.secret = keccak(text=f"key of {name}")
        self._key = coincurve.PrivateKey(self.secret)
        self.account = keccak(self._key.public_key.format(compressed=False)[1:])[12:]
        self.address = "0x" + self.account.hex()

    def sign(self, digest: bytes) -> bytes:
        """Return r, s, v in 65 bytes."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([27 + signature[64]])


@dataclass(frozen=True)
class Answer:
    """What became of a transaction: its events, or the name of the error that it reverted with."""

    time: int
    error: str | None
    events: tuple[Event, ...]


class Chain:
    """One devnet with one ledger on it."""

    def __init__(self, url: str, chain_id: int) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        self._used = time.monotonic()
        self.chain_id = chain_id
        self.ledger = b""
        self.deployed_at = 0
        self._nonces: dict[bytes, int] = {}
        self._reader = ""
        self._errors = {
            selector(entry): entry["name"] for entry in artifacts.load().abi if entry["type"] == "error"
        }

    def close(self) -> None:
        self._connection.close()

    def rpc(self, method: str, *parameters: Any) -> Any:
        """Call one method; an error of the node's is an AssertionError but for reverts, which `send` asks for."""
        answer = self._post({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)})
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def _post(self, body: Any) -> Any:
        if time.monotonic() - self._used > _IDLE_SECONDS:
            self._connection.close()
        self._used = time.monotonic()
        self._connection.request(
            "POST", "/", body=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
        )
        return json.loads(self._connection.getresponse().read())

    def time(self) -> int:
        """Return the time of the newest block."""
        return int(self.rpc("eth_getBlockByNumber", _LATEST, _HEADER_ONLY)["timestamp"], 16)

    def fund(self, *keys: Key) -> None:
        """Give accounts all they will ever need."""
        for key in keys:
            self.rpc("hardhat_setBalance", key.address, _WEALTH)

    def found(self, founder: Key, admission: Sequence[Any], notice: bytes, at: int) -> None:
        """Deploy the ledger, and what reads many of its views at once."""
        self.fund(founder)
        office: list[Any] = []
        for name in CONTRACTS:
            words = [list(admission), notice] if name == LEDGER else []
            office = [self._create(founder, calldata(Call(f"{DEPLOY}{name}", (*office, *words))), at)]
        self.ledger = bytes.fromhex(office[0][2:])
        self.deployed_at = int(self.rpc("eth_blockNumber"), 16)
        self._reader = self._create(founder, _reader_code(self.ledger), at)

    def snapshot(self) -> tuple[str, dict[bytes, int]]:
        """Remember the chain as it is."""
        return self.rpc("evm_snapshot"), dict(self._nonces)

    def revert(self, snapshot: tuple[str, dict[bytes, int]]) -> tuple[str, dict[bytes, int]]:
        """Go back to a snapshot, and remember it anew: going back uses it up."""
        number, nonces = snapshot
        assert self.rpc("evm_revert", number)
        self._nonces = dict(nonces)
        return self.rpc("evm_snapshot"), nonces

    def send(self, key: Key, data: bytes, at: int) -> Answer:
        """Send a call of the ledger in a block of its own with this time, seconds since the Unix epoch."""
        self.rpc("evm_setNextBlockTimestamp", at)
        receipt = self._receipt(self._submit(key, self.ledger, data))
        if receipt["status"] == "0x1":
            return Answer(at, None, _events(receipt, at))
        # The block of the failed transaction changed nothing, so at its end the call fails for the same reason.
        return Answer(at, self.why(key, data), ())

    def send_together(self, key: Key, calls: Sequence[bytes], at: int, *, gas: int) -> Iterator[Answer]:
        """Send calls that all succeed, each of at most so much gas, in one block with this time."""
        self.rpc("evm_setAutomine", _BY_HAND)
        hashes = [self._submit(key, self.ledger, data, gas=gas) for data in calls]
        self.mine(at)
        self.rpc("evm_setAutomine", not _BY_HAND)
        for transaction in hashes:
            receipt = self._receipt(transaction)
            assert receipt["status"] == "0x1"
            yield Answer(at, None, _events(receipt, at))

    def mine(self, at: int) -> None:
        """Let time pass: an empty block with this time."""
        self.rpc("evm_setNextBlockTimestamp", at)
        self.rpc("evm_mine")

    def why(self, key: Key, data: bytes) -> str:
        """Return the name of the error that a call reverts with in the newest block."""
        answer = self._call({"from": key.address, "to": "0x" + self.ledger.hex(), "data": "0x" + data.hex()})
        assert "error" in answer, "a call that reverted in its block does not revert at the end of it"
        found = answer["error"].get("data")
        found = found.get("data") if isinstance(found, dict) else found
        assert isinstance(found, str), answer
        return self._errors.get(bytes.fromhex(found[2:10]), found)

    def call(self, key: Key, data: bytes) -> bytes:
        """Ask what a call would answer in the newest block."""
        answer = self._call({"from": key.address, "to": "0x" + self.ledger.hex(), "data": "0x" + data.hex()})
        assert "error" not in answer, answer
        return bytes.fromhex(answer["result"][2:])

    def call_if_gas(self, key: Key, data: bytes) -> bytes | None:
        """As `call`, but None if the call takes more gas than one has."""
        answer = self._call({"from": key.address, "to": "0x" + self.ledger.hex(), "data": "0x" + data.hex()})
        if _OUT_OF_GAS in answer.get("error", {}).get("message", ""):
            return None
        assert "error" not in answer, answer
        return bytes.fromhex(answer["result"][2:])

    def views(self, calls: Sequence[bytes]) -> Iterator[bytes]:
        """Ask many views in one call, at the newest block."""
        packed = b"".join(len(call).to_bytes(2, "big") + call for call in calls)
        answer = self._call({"to": self._reader, "data": "0x" + packed.hex()})
        assert "error" not in answer, answer
        rest = memoryview(bytes.fromhex(answer["result"][2:]))
        for call in calls:
            head = int.from_bytes(rest[:_WORD], "big")
            assert head >> 128 == 1, f"view {call.hex()} reverted"
            size = head & (2**128 - 1)
            yield bytes(rest[_WORD : _WORD + size])
            rest = rest[_WORD + size :]

    def logs(self) -> list[dict[str, Any]]:
        """Return all logs of the ledger as the node gives them."""
        query = {"address": "0x" + self.ledger.hex(), "fromBlock": hex(self.deployed_at), "toBlock": _LATEST}
        found: list[dict[str, Any]] = self.rpc("eth_getLogs", query)
        return found

    def raw_logs(self) -> list[RawLog]:
        """Return all logs of the ledger with the times of their blocks, as an auditor reads them."""
        times: dict[str, int] = {}
        found = []
        for entry in self.logs():
            number = entry["blockNumber"]
            if number not in times and "blockTimestamp" in entry:
                times[number] = int(entry["blockTimestamp"], 16)
            elif number not in times:
                block = self.rpc("eth_getBlockByNumber", number, _HEADER_ONLY)
                times[number] = int(block["timestamp"], 16)
            found.append(raw_log(entry, block_time=times[number]))
        return found

    def history(self) -> list[Event]:
        """Return all events of the ledger."""
        found = (decoder().decode(log) for log in self.raw_logs())
        return [event for event in found if event is not None]

    def _call(self, transaction: dict[str, Any]) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [transaction, _LATEST]}
        return self._post(body)

    def _create(self, key: Key, code: bytes, at: int) -> str:
        self.rpc("evm_setNextBlockTimestamp", at)
        receipt = self._receipt(self._submit(key, b"", code))
        assert receipt["status"] == "0x1"
        return str(receipt["contractAddress"])

    def _submit(self, key: Key, to: bytes, data: bytes, *, gas: int = _GAS) -> str:
        nonce = self._nonces.get(key.account, 0)
        self._nonces[key.account] = nonce + 1
        words = [nonce, _GAS_PRICE, gas, to, 0, data]
        digest = keccak(rlp.encode([*words, self.chain_id, 0, 0]))
        signature = key.sign(digest)
        v = self.chain_id * 2 + 8 + signature[64]
        raw = rlp.encode(
            [*words, v, int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")]
        )
        return str(self.rpc("eth_sendRawTransaction", "0x" + raw.hex()))

    def _receipt(self, transaction: str) -> dict[str, Any]:
        deadline = time.monotonic() + _MINED_SECONDS
        while time.monotonic() < deadline:
            receipt: dict[str, Any] | None = self.rpc("eth_getTransactionReceipt", transaction)
            if receipt is not None:
                return receipt
            time.sleep(0.001)  # Hardhat mines before it answers, anvil while it does.
        raise AssertionError("the transaction was not mined")


class View:
    """One view of the ledger: encodes its question and decodes its answer."""

    def __init__(self, name: str) -> None:
        entry = next(
            item for item in artifacts.load().abi if item["type"] == "function" and item["name"] == name
        )
        self._selector = selector(entry)
        self._kinds = [canonical_type(item) for item in entry["outputs"]]

    def ask(self, arguments: bytes) -> bytes:
        """Return calldata; *arguments* are encoded already."""
        return self._selector + arguments

    def read(self, answer: bytes) -> Any:
        """Return the one value that the view answers, or all of them."""
        values = decode(self._kinds, answer)
        return values[0] if len(values) == 1 else values


def _events(receipt: dict[str, Any], at: int) -> tuple[Event, ...]:
    found = (decoder().decode(raw_log(entry, block_time=at)) for entry in receipt["logs"])
    return tuple(event for event in found if event is not None)


def word(value: int | bytes) -> bytes:
    """Return one word of calldata."""
    return value.to_bytes(_WORD, "big") if isinstance(value, int) else value.rjust(_WORD, b"\0")


def _reader_code(ledger: bytes) -> bytes:
    """
    Return creation code of a contract that asks the ledger what its calldata says.

    Calldata: for each question two bytes of length and the question. Answer: for each a word, 2^128 if it did not
    revert plus the length, and the answer.
    """
    assembly = [
        *("36", "80", "5f", "5f", "37"),  # size; calldatacopy(0, 0, size)
        *("80", "5f"),  # end, out = size, in = 0
        *("5b", "82", "81", "10", "15", "60DD", "57"),  # loop: done if in >= end
        *("80", "51", "60f0", "1c"),  # length = mload(in) >> 240
        *("90", "6002", "01"),  # in += 2
        *("5f", "5f", "83", "83", "73" + ledger.hex(), "5a", "fa"),  # staticcall
        *("6080", "1b", "3d", "17", "83", "52"),  # mstore(out, ok << 128 | returndatasize)
        *("3d", "5f", "84", "6020", "01", "3e"),  # returndatacopy(out + 32, 0, returndatasize)
        *("01", "90", "3d", "01", "6020", "01", "90"),  # in += length; out += 32 + returndatasize
        *("60LL", "56"),
        *("5b", "50", "81", "90", "03", "90", "f3"),  # done: return(end, out - end)
    ]
    text = "".join(assembly)
    loop = "".join(assembly[:7])
    done = "".join(assembly[:-7])
    text = text.replace("LL", f"{len(loop) // 2:02x}").replace("DD", f"{len(done) // 2:02x}")
    runtime = bytes.fromhex(text)
    return bytes([0x60, len(runtime), 0x80, 0x60, 0x09, 0x5F, 0x39, 0x5F, 0xF3]) + runtime
