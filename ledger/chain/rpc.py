"""
Ethereum JSON-RPC, as little of it as the ledger needs.

web3.py carries the calls; this module types the answers and translates what goes wrong. No answer of a node is
trusted for its shape: what cannot be read is an error, not a guess.
"""

from __future__ import annotations

import re
import time
import weakref
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from web3 import HTTPProvider
from web3.exceptions import Web3Exception

from ledger.chain.reverts import error_for_revert
from ledger.domain.records import Address, BlockHeader, Position
from ledger.encoding.events import RawLog
from ledger.errors import ChainError, LedgerError, NodeUnreachable

_TIMEOUT_SECONDS: Final = 30.0
_HEADER_ONLY: Final = False
_CONNECTIONS: Final = 64
_SELECTOR_DIGITS: Final = 10
_QUANTITY: Final = re.compile(r"\A0x[0-9a-fA-F]{1,64}\Z")
#: How much of what cannot be read an error quotes, in characters.
_QUOTED: Final = 40
#: Largest range of blocks asked for at once; halved when a node finds it too large.
_LOG_RANGE_BLOCKS: Final = 2_000
#: Errors of nodes that mean that the transaction is known already.
_KNOWN_TRANSACTION: Final = ("already known", "known transaction", "already imported", "already in mempool")
#: Errors of nodes that mean that the nonce is used: the transaction, or another one with its nonce, was mined.
_USED_NONCE: Final = ("nonce too low", "nonce is too low", "expected nonce to be")
#: Not yet is not failed: geth says this for some seconds after a start.
_NOT_YET_INDEXED: Final = "transaction indexing is in progress"


class RpcError(ChainError):
    """A node answered with an error."""

    code = "node-error"
    fix = "Read the node's words; `passport doctor` checks the node."

    def __init__(self, message: str, *, data: str | None = None) -> None:
        """Keep the node's message and the revert data, if there is any."""
        super().__init__(message)
        self.data = data


class UsedNonce(ChainError):
    """The nonce of a sent transaction is used on the chain."""

    code = "nonce-used"


class Node:
    """One Ethereum node. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        """Name the node; nothing is sent yet."""
        parts = urlsplit(url)
        #: The node's address without credentials, path or query: what errors and logs may name.
        self.name = (
            f"{parts.scheme}://{parts.hostname}:{parts.port}"
            if parts.port
            else f"{parts.scheme}://{parts.hostname}"
        )
        self._session = requests.Session()
        self._session.mount("http://", HTTPAdapter(pool_maxsize=_CONNECTIONS))
        self._session.mount("https://", HTTPAdapter(pool_maxsize=_CONNECTIONS))
        self._provider = HTTPProvider(
            url,
            request_kwargs={"timeout": _TIMEOUT_SECONDS},
            session=self._session,
            exception_retry_configuration=None,
        )
        weakref.finalize(self, self._session.close)

    def request(self, method: str, *parameters: Any) -> Any:
        """
        Call one method.

        Raises:
            NodeUnreachable: No answer.
            RpcError: The node answered with an error.
        """
        try:
            answer = self._provider.make_request(method, list(parameters))
        except (Web3Exception, OSError, ValueError) as error:
            raise NodeUnreachable(
                f"the node at {self.name} does not answer: {type(error).__name__}"
            ) from error
        problem: Any = answer.get("error")
        if problem is not None:
            message = problem.get("message", "") if isinstance(problem, dict) else str(problem)
            raise RpcError(message, data=_revert_data(problem))
        return answer.get("result")

    def chain_id(self) -> int:
        """Return the chain's id."""
        return quantity(self.request("eth_chainId"))

    def block(self, number: int | str = "latest") -> BlockHeader | None:
        """Return the header of a block by its number or tag; None if the node has no such block."""
        name = hex(number) if isinstance(number, int) else number
        block = self.request("eth_getBlockByNumber", name, _HEADER_ONLY)
        return _header(block) if block else None

    def head(self) -> BlockHeader:
        """Return the newest block."""
        block = self.block("latest")
        if block is None:
            raise RpcError("the node has no block at all")
        return block

    def genesis_hash(self) -> bytes:
        """Return the hash of block 0."""
        block = self.block(0)
        if block is None:
            raise RpcError("the node has no block 0")
        return block.block_hash

    def block_gas_limit(self) -> int:
        """Return the gas limit of the newest block."""
        return quantity(self.request("eth_getBlockByNumber", "latest", _HEADER_ONLY)["gasLimit"])

    def code(self, address: str) -> bytes:
        """Return the code at an address; empty if there is no contract."""
        return bytes.fromhex(self.request("eth_getCode", address, "latest")[2:])

    def nonce(self, address: str) -> int:
        """Return how many transactions of an account are mined."""
        return quantity(self.request("eth_getTransactionCount", address, "latest"))

    def balance(self, address: str) -> int:
        """Return an account's balance in wei."""
        return quantity(self.request("eth_getBalance", address, "latest"))

    def fees(self) -> tuple[int, int]:
        """
        Return `(max fee, priority fee)` per gas in wei for a transaction now.

        The maximum leaves room for six full blocks; a chain without a fee market gets its gas price as both.
        """
        base = self.request("eth_getBlockByNumber", "latest", _HEADER_ONLY).get("baseFeePerGas")
        price = quantity(self.request("eth_gasPrice"))
        if base is None:
            return price, price
        base_fee = quantity(base)
        tip = max(price - base_fee, 0)
        return 2 * base_fee + tip, tip

    def call(self, to: str, data: bytes, block: int | str = "latest", *, gas: int | None = None) -> bytes:
        """
        Call a view of a contract, with at most *gas* if it is given.

        Raises:
            LedgerError: The contract reverted; translated.
        """
        name = hex(block) if isinstance(block, int) else block
        asked = {"to": to, "data": "0x" + data.hex()} | ({"gas": hex(gas)} if gas else {})
        answer = self._translated("eth_call", asked, name)
        return bytes.fromhex(answer[2:])

    def estimate_gas(self, transaction: dict[str, Any]) -> int:
        """
        Return the gas a transaction would use: the check before it is signed.

        Raises:
            LedgerError: It would revert; translated.
        """
        return quantity(self._translated("eth_estimateGas", transaction))

    def send_raw(self, raw: bytes) -> None:
        """
        Send a signed transaction. Sending it again is no error.

        Raises:
            UsedNonce: Its nonce is used on the chain, by this very transaction or by another.
        """
        try:
            self.request("eth_sendRawTransaction", "0x" + raw.hex())
        except RpcError as error:
            words = error.message.lower()
            if any(known in words for known in _KNOWN_TRANSACTION):
                return
            if any(used in words for used in _USED_NONCE):
                raise UsedNonce(error.message) from error
            raise

    def receipt(self, transaction_hash: bytes) -> dict[str, Any] | None:
        """Return the receipt of a transaction; None if it is not mined, or the node has not indexed it yet."""
        try:
            receipt: dict[str, Any] | None = self.request(
                "eth_getTransactionReceipt", "0x" + transaction_hash.hex()
            )
        except RpcError as error:
            if _NOT_YET_INDEXED in error.message.lower():
                return None
            raise
        return receipt

    def logs(
        self, address: str, from_block: int, to_block: int, topics: list[str | None] | None = None
    ) -> Iterator[RawLog]:
        """
        Yield the logs of a contract in the order of the chain.

        The range is asked for in parts; a part that a node finds too large is halved. Nothing is skipped.
        Positions carry time 0 where the node does not send the block's time; see `with_times`.
        """
        start, width = from_block, _LOG_RANGE_BLOCKS
        while start <= to_block:
            end = min(start + width - 1, to_block)
            query: dict[str, Any] = {"address": address, "fromBlock": hex(start), "toBlock": hex(end)}
            if topics:
                query["topics"] = topics
            try:
                found = self.request("eth_getLogs", query)
            except RpcError:
                if width == 1:
                    raise
                width = max(1, width // 2)
                continue
            yield from sorted((_log(entry) for entry in found), key=lambda log: _order(log.position))
            start, width = end + 1, min(width * 2, _LOG_RANGE_BLOCKS)

    def with_times(self, logs: Iterable[RawLog]) -> Iterator[RawLog]:
        """Yield logs with the time of their block in their position."""
        number, seconds = -1, 0
        for log in logs:
            if log.position.block_number != number:
                header = self.block(log.position.block_number)
                if header is None or header.block_hash != log.position.block_hash:
                    raise RpcError(f"block {log.position.block_number} changed while it was read")
                number, seconds = header.number, header.time
            position = log.position
            timed = Position(
                position.block_number,
                position.block_hash,
                position.transaction_hash,
                position.log_index,
                seconds,
            )
            yield RawLog(log.topics, log.data, timed)

    def wait_until_up(self, *, timeout: float) -> None:
        """
        Wait for the node to answer.

        Raises:
            NodeUnreachable: It did not within *timeout* seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.chain_id()
            except NodeUnreachable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def _translated(self, method: str, *parameters: Any) -> str:
        try:
            return str(self.request(method, *parameters))
        except RpcError as error:
            translated: LedgerError = error_for_revert(error.data, error.message) if error.data else error
            raise translated from error


def raw_log(entry: dict[str, Any], *, block_time: int = 0) -> RawLog:
    """Read one log of a receipt or of eth_getLogs."""
    log = _log(entry)
    position = log.position
    return RawLog(
        log.topics,
        log.data,
        Position(
            position.block_number,
            position.block_hash,
            position.transaction_hash,
            position.log_index,
            block_time,
        ),
    )


def quantity(value: Any) -> int:
    """
    Read a number of a node's: `0x` and hexadecimal digits, of at most 256 bits and never negative.

    Raises:
        RpcError: It is none.
    """
    if not isinstance(value, str) or not _QUANTITY.match(value):
        raise RpcError(f"the node sent {str(value)[:_QUOTED]!r} where a number belongs")
    return int(value, 16)


def contract_address(receipt: dict[str, Any]) -> Address | None:
    """Return the contract that a transaction created."""
    address = receipt.get("contractAddress")
    return Address(address.lower()) if address else None


def _log(entry: dict[str, Any]) -> RawLog:
    try:
        return RawLog(
            topics=tuple(bytes.fromhex(topic[2:]) for topic in entry["topics"]),
            data=bytes.fromhex(entry["data"][2:]),
            position=Position(
                block_number=quantity(entry["blockNumber"]),
                block_hash=bytes.fromhex(entry["blockHash"][2:]),
                transaction_hash=bytes.fromhex(entry["transactionHash"][2:]),
                log_index=quantity(entry["logIndex"]),
                time=0,
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RpcError(f"the node sent a log that cannot be read: {error!r}") from None


def _header(block: dict[str, Any]) -> BlockHeader:
    try:
        return BlockHeader(
            number=quantity(block["number"]),
            block_hash=bytes.fromhex(block["hash"][2:]),
            parent_hash=bytes.fromhex(block["parentHash"][2:]),
            time=quantity(block["timestamp"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RpcError(f"the node sent a block that cannot be read: {error!r}") from None


def _order(position: Position) -> tuple[int, int]:
    return position.block_number, position.log_index


def _revert_data(problem: Any) -> str | None:
    """Find the revert data: geth puts it into `data`, Hardhat into `data.data`."""
    data = problem.get("data") if isinstance(problem, dict) else None
    if isinstance(data, dict):
        data = data.get("data") or data.get("result")
    return data if isinstance(data, str) and data.startswith("0x") and len(data) >= _SELECTOR_DIGITS else None
