"""The ledger contract: calls encoded, views read. Implements `ledger.ports.Chain`."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from eth_abi.abi import encode
from eth_abi.exceptions import DecodingError, EncodingError

from ledger.chain import artifacts
from ledger.chain.rpc import Node, RpcError
from ledger.domain.records import (
    Address,
    BlockHeader,
    Commitment,
    Entrustment,
    Event,
    Exports,
    GrantId,
    GrantState,
    HolderKey,
    Member,
    Passport,
    PassportId,
    Position,
    TransferId,
)
from ledger.domain.vocabulary import (
    Custody,
    GrantStatus,
    Level,
    MemberKind,
    MemberStatus,
    PassportStatus,
    Role,
    TransferStatus,
)
from ledger.encoding.abi import decode
from ledger.encoding.events import EventDecoder, canonical_type, event_topic, selector
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.structs import grant_state
from ledger.encoding.typed_data import LedgerDomain
from ledger.encoding.words import unpack_terms, unpack_verdict
from ledger.errors import InvalidInput, LedgerError, NodeUnreachable
from ledger.ports import Call, DecisionRecord, Deployment

#: Functions whose calls are merged into one transaction: the number of list arguments that grow together.
BATCHED: Final[dict[str, int]] = {"issue": 1, "grant": 2, "decide": 1}
#: The event that answers one item of a batched function.
ITEM_EVENT: Final[dict[str, str]] = {
    "issue": "PassportIssued",
    "grant": "ConsentGranted",
    "decide": "DecisionRecorded",
}
#: First bytes of `isValidSignature(bytes32,bytes)` (ERC-1271) and `verify(bytes,bytes32,bytes)` (ERC-7913): what is
#: called, and what is answered by who stands by a signature.
_ERC1271: Final = bytes.fromhex("1626ba7e")
_ERC7913: Final = bytes.fromhex("024ad318")
_ACCOUNT_BYTES: Final = 20
#: Gas for somebody else's code to check a signature: it may be written to never end.
_CHECK_GAS: Final = 3_000_000
#: Where the status stands in `ITransfers.Transfer`.
_TRANSFER_STATUS: Final = 5
#: How many blocks of decisions are read at once: as many as a node gives, see `Node.logs`.
_DECISION_BLOCKS: Final = 2_000
#: `deploy NAME` creates one of the ledger's contracts.
DEPLOY: Final = "deploy "


def _decision(event: Event, position: Position) -> DecisionRecord:
    given = event.arguments
    return DecisionRecord(
        passport_id=PassportId(given["passportId"]),
        grant_id=given["grantId"],
        member_id=given["memberId"],
        terms=unpack_terms(given["terms"]),
        verdict=unpack_verdict(given["verdict"]),
        commitment=given["commitment"],
        position=position,
    )


@cache
def decoder() -> EventDecoder:
    """Return the decoder of the ledger's events."""
    return EventDecoder(artifacts.load().abi)


@cache
def topic_of(event: str) -> str:
    """Return the first topic of an event by its name, `0x` and 64 digits."""
    entry = next(
        entry for entry in artifacts.load().abi if entry["type"] == "event" and entry["name"] == event
    )
    return "0x" + event_topic(entry).hex()


def calldata(call: Call) -> bytes:
    """
    Encode a call.

    Raises:
        InvalidInput: The function does not exist or the arguments do not fit it.
    """
    if call.function == "":
        return b""
    if call.function.startswith(DEPLOY):
        code = artifacts.load().contracts[call.function.removeprefix(DEPLOY)]
        return code.bytecode + _encode(code.constructor, call.arguments)
    entry = _function(call.function)
    return selector(entry) + _encode(entry["inputs"], call.arguments)


def merged(calls: list[Call]) -> Call:
    """Merge calls of one batched function into one call, in their order; a single call stays as it is."""
    if len(calls) == 1:
        return calls[0]
    width = BATCHED[calls[0].function]
    arguments = tuple([item for call in calls for item in call.arguments[place]] for place in range(width))
    return Call(calls[0].function, arguments)


def item_count(call: Call) -> int:
    """Return how many items a call of a batched function has: each leaves one event."""
    items = call.arguments[0]
    return sum(len(batch[2]) for batch in items) if call.function == "decide" else len(items)


class LedgerContract:
    """The deployed contract on a node."""

    def __init__(self, node: Node, deployment: Deployment, *, guard: Callable[[], None]) -> None:
        """
        Bind the contract at its address to a node.

        Args:
            node: The node.
            deployment: Where the contract is.
            guard: Called before each read; fills a chain that lost blocks again, and raises if it is another chain.
                Without it "not there" could mean "not there yet".
        """
        self._node = node
        self._deployment = deployment
        self._guard = guard

    def domain(self) -> LedgerDomain:
        """Return which ledger on which chain this is."""
        return LedgerDomain(self._deployment.chain_id, self._deployment.ledger)

    def now(self) -> int:
        """Return the time a transaction would see: the later of the head block's time and the clock, in seconds."""
        return max(self._node.head().time, int(time.time()))

    def head(self) -> BlockHeader:
        """Return the newest block."""
        return self._node.head()

    def member(self, member_id: int) -> Member | None:
        """Return a member as the contract holds it, without its name."""
        values = self._view("memberOf", member_id)[0]
        signer, roles, purposes, jurisdiction, valid_to, status, kind, control, signing_key, sealing_key = (
            values
        )
        if status == MemberStatus.NONE:
            return None
        return Member(
            member_id=member_id,
            name="",
            signer=Address(signer.lower()),
            roles=Role(roles),
            purposes=purposes,
            jurisdiction=jurisdiction,
            valid_to=valid_to,
            status=MemberStatus(status),
            signing_key=signing_key,
            sealing_key=sealing_key,
            kind=MemberKind(kind),
            control=control,
        )

    def passport(self, passport_id: PassportId) -> Passport | None:
        """Return a passport as the contract holds it."""
        values = self._view("passportOf", passport_id)[0]
        size, custodian, purposes, status, custody, level, lock, epoch, content, holder = values
        if status == PassportStatus.NONE:
            return None
        return Passport(
            passport_id=passport_id,
            custodian=custodian,
            purposes=purposes,
            status=PassportStatus(status),
            custody=Custody(custody),
            holder=to_hex(holder),
            content=Commitment(content),
            size=size,
            level=Level(level),
            lock=lock,
            epoch=epoch,
        )

    def grant(self, passport_id: PassportId, grant_id: GrantId) -> GrantState | None:
        """Return a grant as the contract holds it."""
        state = grant_state(self._view("grantOf", passport_id, grant_id)[0])
        return None if state.status is GrantStatus.NONE else state

    def entrustment(self, controller: int, processor: int) -> Entrustment:
        """Return what a controller entrusted a processor with; no purpose if nothing."""
        purposes, valid_to = self._view("entrustmentOf", controller, processor)[0]
        return Entrustment(purposes, valid_to)

    def emergency_until(self, emergency_id: int) -> int:
        """Return when an emergency ends, seconds since the Unix epoch, exclusive; 0 if there is none."""
        _kind, _finding, _member, _purposes, _categories, _from, until, *_ = self._view(
            "emergencyOf", emergency_id
        )[0]
        return int(until)

    def decision(self, passport_id: PassportId, seq: int, *, newer_than: int = 0) -> DecisionRecord | None:
        """Return a decision from the node's own log; see `ledger.ports.Chain`."""
        self._guard()
        topics: list[str | None] = [topic_of("DecisionRecorded"), "0x" + passport_id.hex()]
        first, end = self._deployment.block_number, self._node.head().number
        while end >= first:
            start = max(first, end - _DECISION_BLOCKS + 1)
            for log in self._node.logs(self._deployment.ledger, start, end, topics):
                event = decoder().decode(log)
                if event is not None and unpack_verdict(event.arguments["verdict"]).seq == seq:
                    return _decision(event, next(self._node.with_times([log])).position)
            header = self._node.block(start) if newer_than else None
            if header is not None and header.time < newer_than:
                return None
            end = start - 1
        return None

    def transfer_permit(self, passport_id: PassportId, seq: int) -> int:
        """Return the member that an unused permit to transfer names; 0 if there is none that still stands."""
        return int(self._view("transferPermit", passport_id, seq)[0])

    def transfer_status(self, transfer_id: TransferId) -> TransferStatus:
        """Return where a transfer stands as the contract holds it; NONE if there is none."""
        return TransferStatus(self._view("transferOf", transfer_id)[0][_TRANSFER_STATUS])

    def transfer_stands(self, transfer_id: TransferId) -> bool:
        """Tell whether what a transfer of many records rests on is in force."""
        return bool(self._view("transferStands", transfer_id)[0])

    def holder_nonce(self, passport_id: PassportId) -> int:
        """Return the number that the next signature names which is good once: on delegates, guardians, a recovery."""
        return int(self._view("nonceOf", passport_id)[0])

    def stands_by(self, key: HolderKey, digest: bytes, signature: bytes) -> bool:
        """Tell whether a key that is not a bare account stands by a digest now: by ERC-1271 or ERC-7913."""
        self._guard()
        raw = bytes.fromhex(key[2:])
        account, rest = raw[:_ACCOUNT_BYTES], raw[_ACCOUNT_BYTES:]
        if not self._node.code(to_hex(account)):
            return False
        expected = _ERC7913 if rest else _ERC1271
        kinds, values = (
            (["bytes", "bytes32", "bytes"], [rest, digest, signature])
            if rest
            else (["bytes32", "bytes"], [digest, signature])
        )
        try:
            answer = self._node.call(to_hex(account), expected + encode(kinds, values), gas=_CHECK_GAS)
        except (NodeUnreachable, RpcError):
            raise
        except LedgerError:
            return False  # it reverted: whoever it is, it does not stand by this
        return answer[:32] == expected.ljust(32, b"\0")

    def reading_of(self, call: bytes) -> tuple[str, dict[str, Any]]:
        """
        Return the name of the ledger's function that calldata calls, and its arguments by name as JSON values.

        The ledger lets a seat propose whatever begins with the name of a function: what cannot be read has no arguments.

        Raises:
            InvalidInput: It calls no function of the ledger.
        """
        entry = _functions().get(call[:4])
        if entry is None:
            raise InvalidInput(f"{to_hex(call[:4])} is no function of the ledger")
        try:
            values = decode([canonical_type(item) for item in entry["inputs"]], call[4:])
        except (DecodingError, OverflowError):
            return entry["name"], {}
        return entry["name"], _named(entry["inputs"], values)

    def act_approved_at(self, act_id: int) -> int:
        """Return when an act of the committee had what its rule needs, seconds since the Unix epoch; 0 before."""
        _kind, _executed, _proposed_at, approved_at, *_ = self._view("actOf", act_id)[0]
        return int(approved_at)

    def exports(self, exporter: int, year: int) -> Exports:
        """Return how many persons' data a member has exported in a calendar year (UTC+8)."""
        return Exports(*self._view("exportsOf", exporter, year)[0])

    def allowance(self, payer: Address) -> int:
        """Return what *payer* gives a new signer for its transactions, in wei: a thousandth of what it has."""
        return self._node.balance(payer) // 1000

    def decisions_head(self, block: int) -> bytes:
        """Return the running head of all decisions at a block."""
        return bytes(self._view("head", block=block)[0])

    def _view(self, function: str, *arguments: Any, block: int | str = "latest") -> tuple[Any, ...]:
        self._guard()
        entry = _function(function)
        data = selector(entry) + encode([canonical_type(item) for item in entry["inputs"]], arguments)
        answer = self._node.call(self._deployment.ledger, data, block)
        return tuple(decode([canonical_type(item) for item in entry["outputs"]], answer))


@cache
def _functions() -> dict[bytes, dict[str, Any]]:
    return {selector(entry): entry for entry in artifacts.load().abi if entry["type"] == "function"}


@cache
def _function(name: str) -> dict[str, Any]:
    for entry in artifacts.load().abi:
        if entry["type"] == "function" and entry["name"] == name:
            return entry
    raise InvalidInput(f"the contract has no function {name}")


def _encode(inputs: list[dict[str, Any]], arguments: tuple[Any, ...]) -> bytes:
    kinds = [canonical_type(item) for item in inputs]
    try:
        return encode(
            kinds, [_value(item, argument) for item, argument in zip(inputs, arguments, strict=True)]
        )
    except (EncodingError, ValueError, TypeError, OverflowError) as error:
        raise InvalidInput(f"the arguments do not fit the contract: {error}") from None


def _named(inputs: list[dict[str, Any]], values: Any) -> dict[str, Any]:
    """Turn decoded arguments into JSON values by name."""
    return {item["name"]: _json(item, value) for item, value in zip(inputs, values, strict=True)}


def _json(item: dict[str, Any], value: Any) -> Any:
    kind: str = item["type"]
    if kind.endswith("]"):
        inner = {**item, "type": kind[: kind.rindex("[")]}
        return [_json(inner, part) for part in value]
    if kind == "tuple":
        return _named(item["components"], value)
    return to_hex(value) if isinstance(value, bytes) else value


def _value(item: dict[str, Any], argument: Any) -> Any:
    """Turn a JSON value into what the ABI encoder takes."""
    kind: str = item["type"]
    if kind.endswith("]"):
        inner = {**item, "type": kind[: kind.rindex("[")]}
        return [_value(inner, part) for part in argument]
    if kind == "tuple":
        return tuple(_value(part, value) for part, value in zip(item["components"], argument, strict=True))
    if kind.startswith("bytes") and isinstance(argument, str):
        return bytes.fromhex(argument.removeprefix("0x"))
    if kind == "bytes" and isinstance(argument, dict):
        # A call within a call: an act of the committee.
        return calldata(Call(argument["function"], tuple(argument["arguments"])))
    return argument
