"""
Wiring: the only module that knows the adapters.

Nothing is created at import time. `build` makes the parts, `Runtime.start` starts them in order, `Runtime.stop` stops
them in reverse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog
from eth_utils.crypto import keccak
from sqlalchemy.engine import make_url

from ledger.audit.index import KEYS, IndexReader, Row, key_of
from ledger.chain.artifacts import CONTRACTS, LEDGER
from ledger.chain.contract import DEPLOY, LedgerContract
from ledger.chain.guard import ChainGuard
from ledger.chain.indexer import Indexer
from ledger.chain.keystore import Keystore, read_key_file
from ledger.chain.rpc import Node, contract_address, quantity
from ledger.chain.submitter import JournalWriter
from ledger.domain.records import Address, Admission
from ledger.domain.vocabulary import MemberKind, Role
from ledger.domain.wording import NOTICE_HASH
from ledger.encoding.hexadecimal import bytes32, to_hex
from ledger.errors import ChainError, ConfigurationError, LedgerError
from ledger.ports import MAX_LAG_BLOCKS, Call, Deployment, OperationStatus, Receipt
from ledger.service import Service
from ledger.service.members import admission_argument
from ledger.service.signatures import Passkeys
from ledger.settings import Settings, keystore_passphrase, operator_key_passphrase, read_founder, vault_key
from ledger.store.database import Database
from ledger.store.index import SqlIndex
from ledger.store.journal import SqlJournal
from ledger.store.lease import WriteLease
from ledger.store.reader import SqlIndexReader
from ledger.store.sessions import SessionStore
from ledger.store.vault_rows import SqlVaultRows
from ledger.vault import SealedVault

_NODE_SECONDS: Final = 60.0
_DEPLOY_SECONDS: Final = 120.0
#: The committee's membership has no natural end; this is the last second that the ledger can name, in 2106.
_FOUNDER_VALID_TO: Final = 2**32 - 1

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Late:
    """What the first parts need of the last ones, which do not exist yet when they are made."""

    deployment: Deployment | None = None
    indexer: Indexer | None = None

    def ledger(self) -> Address | None:
        return self.deployment.ledger if self.deployment else None

    def mined(self, _receipt: Receipt) -> None:
        self.wake()

    def wake(self) -> None:
        if self.indexer:
            self.indexer.wake()


@dataclass(slots=True)
class Runtime:
    """The running parts of one service."""

    settings: Settings
    node: Node
    keystore: Keystore
    journal: SqlJournal
    index: SqlIndex
    vault: SealedVault
    sessions: SessionStore
    lease: WriteLease
    writer: JournalWriter
    guard: ChainGuard
    operator: Address
    service: Service | None = None
    _databases: list[Database] = field(default_factory=list)
    _late: _Late = field(default_factory=_Late)

    @property
    def deployment(self) -> Deployment | None:
        """Return which chain and contract this is, once the ledger is deployed."""
        return self._late.deployment

    @property
    def indexer(self) -> Indexer | None:
        """Return the indexer, once it runs."""
        return self._late.indexer

    def start(self) -> Service:
        """
        Take the write lease, meet the chain, deploy the ledger if there is none, and begin to work.

        Raises:
            ConfigurationError: Another service holds the database, or the chain is not this database's.
            NodeUnreachable: The node does not answer within a minute, and the ledger was never deployed.
        """
        self.lease.acquire()
        deployment = self._late.deployment = self.journal.deployment()
        if deployment is None:
            self.node.wait_until_up(timeout=_NODE_SECONDS)
            self.guard.check()
            self.writer.start()
            deployment = self._late.deployment = self._deploy()
        else:
            self._meet_chain()
            self.writer.start()
        contract = LedgerContract(self.node, deployment, guard=self.guard.check)
        self.service = Service.over(
            chain=contract,
            index=self.index,
            writer=self.writer,
            vault=self.vault,
            passkeys=Passkeys(self.settings.rp_ids(), self.settings.origins_for_passkeys()),
        )
        indexer = self._late.indexer = Indexer(
            self.node,
            contract,
            deployment,
            self.index,
            guard=self.guard.check,
            erase=self.service.records.erase_all_destroyed,
        )
        indexer.start()
        return self.service

    def stop(self) -> None:
        """Stop everything; what is in flight is seen through at the next start."""
        self.writer.stop()
        if self.indexer:
            self.indexer.stop()
        self.lease.release()
        for database in self._databases:
            database.close()

    def checks(self) -> dict[str, str | None]:
        """Return, for each thing that readiness depends on, what is wrong with it; None if nothing is."""
        return {
            "database": _reason(self.journal.deployment),
            "node": _reason(self.node.chain_id),
            "chain": _reason(self.guard.identify),
            "lease": None if self.lease.held() else "another process has taken the write lease",
            "index": _reason(self._check_index),
            "signers": self.writer.trouble(),
        }

    def _meet_chain(self) -> None:
        """A node that is away is waited for in the background; a wrong one stops the start."""
        try:
            self.guard.check()
            self.guard.identify()
        except ConfigurationError:
            raise
        except ChainError as error:
            log.warning("starting without the chain", code=error.kind, reason=error.message)

    def _deploy(self) -> Deployment:
        """Create the ledger's contracts, each with the address of the one before it; what exists is not made again."""
        office: list[object] = []
        receipt: dict[str, Any] = {}
        for name in CONTRACTS:
            founding = [admission_argument(self._founder()), to_hex(NOTICE_HASH)] if name == LEDGER else []
            receipt = self._create(Call(f"{DEPLOY}{name}", (*office, *founding)))
            office = [contract_address(receipt)]
        address = Address(str(office[0]))
        deployment = Deployment(
            chain_id=self.node.chain_id(),
            genesis_hash=self.node.genesis_hash(),
            ledger=address,
            block_number=quantity(receipt["blockNumber"]),
            code_hash=keccak(self.node.code(address)),
        )
        self.journal.record_deployment(deployment)
        log.info("ledger deployed", ledger=address, chain_id=deployment.chain_id)
        return deployment

    def _create(self, call: Call) -> dict[str, Any]:
        """Create one contract; returns its receipt."""
        operation = self.writer.submit(self.operator, call, idempotency=("bootstrap", call.function, "1"))
        operation = self.writer.wait(operation.operation_id, timeout=_DEPLOY_SECONDS)
        if operation.status is not OperationStatus.MINED or operation.transaction_hash is None:
            raise ConfigurationError(
                f"the ledger could not be deployed: {(operation.error or {}).get('message', 'not mined in time')}",
                fix=f"Make sure that account {self.operator} has funds on this chain, then start again.",
            )
        receipt = self.node.receipt(operation.transaction_hash) or {}
        if contract_address(receipt) is None:
            raise ConfigurationError("the node does not tell where the ledger was deployed")
        return receipt

    def _founder(self) -> Admission:
        founder = read_founder(self.settings)
        return Admission(
            name=founder.name,
            signer=self.operator,
            roles=Role.COMMITTEE | Role.AUDITOR,
            purposes=0,
            jurisdiction=founder.jurisdiction,
            valid_to=_FOUNDER_VALID_TO,
            kind=MemberKind.AUTHORITY,
            signing_key=bytes32(founder.signing_key, field="signingKey"),
            sealing_key=bytes32(founder.sealing_key, field="sealingKey"),
        )

    def _check_index(self) -> None:
        state = self.index.state()
        if not state.consistent:
            raise LedgerError(state.error or "the index is not consistent")
        if state.chain_head - state.block_number > MAX_LAG_BLOCKS:
            raise LedgerError(f"the index is {state.chain_head - state.block_number} blocks behind")


def build(settings: Settings) -> Runtime:
    """
    Make the parts of a service.

    Raises:
        ConfigurationError: A secret is missing in production, or a file cannot be read.
    """
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    ledger_database = Database(settings.database_url(), migrations="ledger")
    vault_database = Database(settings.vault_database_url(), migrations="vault")
    ledger_database.migrate()
    vault_database.migrate()
    node, journal, index = Node(settings.rpc), SqlJournal(ledger_database), SqlIndex(ledger_database)
    keystore = Keystore(settings.data / "keystore", passphrase=keystore_passphrase(settings))
    vault = SealedVault(SqlVaultRows(vault_database), key=vault_key(settings))
    operator = _operator(settings, keystore, journal)
    late = _Late()
    lease = WriteLease(ledger_database)
    guard = ChainGuard(node, journal, operator=operator, embedded=settings.embedded, lost=late.wake)
    writer = JournalWriter(
        node=node,
        journal=journal,
        keystore=keystore,
        ledger=late.ledger,
        guard=lambda: _may_sign(lease, guard),
        mined=late.mined,
    )
    return Runtime(
        settings=settings,
        node=node,
        keystore=keystore,
        journal=journal,
        index=index,
        vault=vault,
        sessions=SessionStore(ledger_database),
        lease=lease,
        writer=writer,
        guard=guard,
        operator=operator,
        _databases=[ledger_database, vault_database],
        _late=late,
    )


def clear_index(settings: Settings) -> None:
    """
    Empty the index of a service that is stopped; its next start makes it again from the chain.

    Args:
        settings: Those of the service; only its database is opened, no secret is read.

    Raises:
        ConfigurationError: The service runs, or there is no database of a service that ran.
    """
    url = make_url(settings.database_url())
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        raise ConfigurationError(
            f"there is no database {url.database}", fix="Name the service's data folder: --dir FOLDER."
        )
    database = Database(settings.database_url(), migrations="ledger")
    try:
        database.migrate()
        if SqlJournal(database).deployment() is None:
            raise ConfigurationError(
                "this database belongs to no ledger yet", fix="Name the data folder of a service that ran."
            )
        lease = WriteLease(database)
        lease.acquire()
        try:
            SqlIndex(database).clear()
        finally:
            lease.release()
    finally:
        database.close()


def _operator(settings: Settings, keystore: Keystore, journal: SqlJournal) -> Address:
    """Return the account that deployed the ledger, or the one that will."""
    known = journal.find("bootstrap", f"{DEPLOY}{CONTRACTS[0]}")
    if known is not None:
        return known[0].signer
    if settings.operator_key_file is None:
        return keystore.new()
    passphrase = operator_key_passphrase(settings)
    return keystore.add(read_key_file(settings.operator_key_file, passphrase=passphrase))


def _may_sign(lease: WriteLease, guard: ChainGuard) -> None:
    """
    Say whether anything may be signed now: only by who holds the lease, and only on the journal's chain.

    Raises:
        ConfigurationError: Another process holds the lease, or it is another chain.
    """
    if not lease.held():
        raise ConfigurationError(
            "another process has taken the write lease",
            fix="Stop one of the two services, then start this one anew.",
        )
    guard.check()


def _reason(check: Callable[[], Any]) -> str | None:
    try:
        check()
    except LedgerError as error:
        return error.message
    return None


class _AuditedIndex(SqlIndexReader):
    """The index as the audit reads it: rows under the keys that the audit names them by."""

    def rows(self) -> Iterator[Row]:
        """Yield every row of the compared tables."""
        for table, row in self.tables():
            if table in KEYS:
                yield table, key_of(table, row), row


def index_reader(url: str) -> IndexReader:
    """
    Return a service's index for comparison with the chain.

    Args:
        url: SQLAlchemy URL of the service's database.

    Raises:
        ConfigurationError: There is no such database, or nothing is indexed in it.
    """
    return _AuditedIndex(url)
