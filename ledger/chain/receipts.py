"""Receipts: what a node says of a mined transaction, shared out to the operations it carried."""

from __future__ import annotations

from typing import Any, Final

from ledger.chain.contract import ITEM_EVENT, decoder, item_count
from ledger.chain.rpc import Node, contract_address, quantity, raw_log
from ledger.domain.records import Event
from ledger.ports import Journal, QueuedCall, Receipt, SignedTransaction

_REVERTED: Final = {
    "code": "conflict",
    "message": "the ledger refused the transaction when it was mined: the state had changed meanwhile",
    "fix": "Read the current state, then decide whether the change is still wanted.",
}


def record_receipt(
    node: Node, journal: Journal, transaction: SignedTransaction, raw: dict[str, Any]
) -> Receipt:
    """Write down in the journal that a transaction was mined and what each of its operations did."""
    receipt = read_receipt(node, raw)
    if receipt.succeeded:
        operations = journal.operations_of(transaction.transaction_hash)
        journal.confirm(receipt, share_events(operations, receipt.events), None)
    else:
        journal.confirm(receipt, {}, _REVERTED)
    return receipt


def share_events(operations: list[QueuedCall], events: tuple[Event, ...]) -> dict[str, tuple[Event, ...]]:
    """Give each operation of a transaction the events that answer its items."""
    if not operations:
        return {}
    function = operations[0].call.function
    if function not in ITEM_EVENT:
        return {operations[0].operation_id: events}
    answers = [event for event in events if event.name == ITEM_EVENT[function]]
    if len(answers) != sum(item_count(operation.call) for operation in operations):
        # It was reverted once, some operations went on alone, and another branch of the chain took it after all: whose
        # events these are cannot be told.
        return {}
    if len(operations) == 1:
        return {operations[0].operation_id: events}
    shared, start = {}, 0
    for operation in operations:
        end = start + item_count(operation.call)
        shared[operation.operation_id] = tuple(answers[start:end])
        start = end
    return shared


def read_receipt(node: Node, raw: dict[str, Any]) -> Receipt:
    """Read a node's receipt, with the time of its block and the decoded events."""
    block_number = quantity(raw["blockNumber"])
    header = node.block(block_number)
    block_time = header.time if header else 0
    events = (decoder().decode(raw_log(entry, block_time=block_time)) for entry in raw["logs"])
    return Receipt(
        transaction_hash=bytes.fromhex(raw["transactionHash"][2:]),
        block_number=block_number,
        block_hash=bytes.fromhex(raw["blockHash"][2:]),
        transaction_index=quantity(raw["transactionIndex"]),
        time=block_time,
        succeeded=quantity(raw["status"]) == 1,
        gas_used=quantity(raw["gasUsed"]),
        contract=contract_address(raw),
        events=tuple(event for event in events if event is not None),
    )
