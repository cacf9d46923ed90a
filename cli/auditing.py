"""The auditor's replay from the command line: a node's URL and the ledger's address are all it needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from cli.progress import Report, silent
from ledger.audit.auditor import audit
from ledger.audit.index import IndexReader
from ledger.audit.report import AuditReport
from ledger.chain import artifacts
from ledger.chain.rpc import Node
from ledger.domain.records import Address
from ledger.encoding.hexadecimal import address
from ledger.interop.fhir import AccessLogEntry, access_log, parse_json

_READING: Final = "reading the chain"


def replay(
    rpc_url: str,
    ledger: str,
    *,
    from_block: int = 0,
    access_logs: Sequence[Path] = (),
    index_url: str | None = None,
    report: Report = silent,
) -> AuditReport:
    """
    Decide every decision again and say what is wrong.

    Args:
        rpc_url: The node to believe.
        ledger: The contract's address.
        from_block: A block before or at which the ledger was deployed.
        access_logs: Files of FHIR AuditEvents.
        index_url: The service's database, to hold its index against the chain.
        report: Told how far the reading has come.

    Raises:
        InvalidInput: *ledger* is no address.
        MalformedRecord: An access log cannot be read.
        NotFound: There is no contract at the address.
        ChainError: The node does not answer.
    """
    contract = Address(address(ledger, field="ledger"))
    node = Node(rpc_url)
    system = passport_system(node.chain_id(), contract)
    return audit(
        node,
        artifacts.load().abi,
        contract,
        from_block=from_block,
        uses=_uses(access_logs, system),
        index=_index(index_url) if index_url else None,
        progress=lambda block, last, _: report(_READING, block, last),
    )


def passport_system(chain_id: int, ledger: str) -> str:
    """Return the identifier system that names passports of a ledger, see docs/spec.md."""
    return f"urn:passport:eip155:{chain_id}:{ledger.lower()}"


def _uses(paths: Iterable[Path], system: str) -> list[AccessLogEntry]:
    return [
        entry
        for path in paths
        for entry in access_log(parse_json(path.read_bytes(), what=str(path)), passport_system=system)
    ]


def _index(url: str) -> IndexReader:
    from ledger.bootstrap import index_reader

    reader: IndexReader = index_reader(url)
    return reader
