"""
The checks of `passport doctor`: each says in words what it found and, if that is not well, what to do.

A check that cannot be made, for want of a node or a directory, is left out and says so.
"""

from __future__ import annotations

import shutil
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from eth_utils.crypto import keccak

from ledger.chain import artifacts
from ledger.chain.rpc import Node
from ledger.client import MemberKeys, PassportClient
from ledger.domain.records import Address
from ledger.errors import LedgerError
from ledger.ports import MAX_LAG_BLOCKS

State = Literal["well", "wrong", "left out"]

#: What one transaction may use at most (EIP-7825); the service fills transactions up to it.
_TRANSACTION_GAS: Final = 2**24
_MAX_SKEW_SECONDS: Final = 30
_MIN_FREE_BYTES: Final = 1024**3
#: Asks a contract of the ledger for the one behind it.
_OFFICE: Final = keccak(text="OFFICE()")[:4]
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. `fix` is empty if all is well."""

    check: str
    state: State
    detail: str
    fix: str = ""


class LeftOut(Exception):
    """The check cannot be made here; the message says why."""


class Wrong(Exception):
    """Something is not well; says what and what to do."""

    def __init__(self, detail: str, fix: str) -> None:
        """Keep both."""
        super().__init__(detail)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, and what makes it. `run` returns what is well, or raises `Wrong` or `LeftOut`."""

    name: str
    run: Callable[[], str]


class Subject:
    """What is examined: a service and, as far as they are named, a node, a ledger, a key file and a directory."""

    def __init__(
        self, url: str, rpc: str | None, ledger: str | None, key: Path | None, directory: Path | None
    ) -> None:
        """Name everything; the service fills in node and ledger if it answers."""
        self.url, self.key, self.directory = url, key, directory
        self.client = PassportClient(url)
        self.told = self._ask()
        self._rpc = rpc or self.told.get("rpcUrl")
        self._ledger = ledger or self.told.get("ledger")

    @property
    def node(self) -> Node:
        """Return the node."""
        if not self._rpc:
            raise LeftOut("no node is known: name one with --rpc")
        return Node(self._rpc)

    @property
    def ledger(self) -> str:
        """Return the ledger's address."""
        if not self._ledger:
            raise LeftOut("no ledger is known: name it with --ledger")
        return self._ledger

    @property
    def folder(self) -> Path:
        """Return the service's data directory."""
        if self.directory is None:
            raise LeftOut("no data directory is named: --dir DIR, on the service's machine")
        return self.directory

    def _ask(self) -> dict[str, Any]:
        try:
            return self.client.ledger()
        except LedgerError:
            return {}


def checks(subject: Subject) -> list[Check]:
    """Return all checks, in the order in which one rests on the other."""
    return [
        Check("service", lambda: _service(subject)),
        Check("service is ready", lambda: _ready(subject)),
        Check("node", lambda: _node(subject)),
        Check("chain", lambda: _chain(subject)),
        Check("ledger code", lambda: _code(subject)),
        Check("gas cap", lambda: _gas(subject)),
        Check("clock", lambda: _clock(subject)),
        Check("index", lambda: _index(subject)),
        Check("key file", lambda: _key(subject)),
        Check("private files", lambda: _modes(subject)),
        Check("database", lambda: _database(subject)),
        Check("disk", lambda: _disk(subject)),
    ]


def examine(check: Check) -> Finding:
    """Make one check; whatever goes wrong in it is its finding."""
    try:
        return Finding(check.name, "well", check.run())
    except LeftOut as error:
        return Finding(check.name, "left out", str(error))
    except Wrong as error:
        return Finding(check.name, "wrong", str(error), error.fix)
    except LedgerError as error:
        return Finding(check.name, "wrong", error.message, error.advice)
    except OSError as error:
        return Finding(check.name, "wrong", str(error), "Check the path and its permissions.")


def _service(subject: Subject) -> str:
    told = subject.client.ledger()
    return f"{subject.url} serves ledger {told['ledger']} on chain {told['chainId']}"


def _ready(subject: Subject) -> str:
    subject.client.ready()
    return "it takes requests"


def _node(subject: Subject) -> str:
    node = subject.node
    head = node.head()
    return f"{node.name} answers; newest block {head.number}"


def _chain(subject: Subject) -> str:
    found = subject.node.chain_id()
    expected = subject.told.get("chainId")
    if expected is not None and found != expected:
        raise Wrong(
            f"the node is on chain {found}, the service on chain {expected}",
            "Name a node of the service's chain.",
        )
    return f"chain {found}"


def _code(subject: Subject) -> str:
    """Compare the ledger's code, and that of the offices behind it, with this version's."""
    address, total = subject.ledger, 0
    for name in reversed(artifacts.CONTRACTS):
        found = subject.node.code(address)
        if not found:
            raise Wrong(
                f"there is no contract at {address}",
                "Check the address and the chain; a devnet may have been reset.",
            )
        if not artifacts.load().contracts[name].is_at(found):
            raise Wrong(
                f"the contract at {address} is not the {name} of this version",
                "Use the version of this program that the ledger was deployed with, or run `make setup` again.",
            )
        total += len(found)
        if name != artifacts.CONTRACTS[0]:
            address = Address("0x" + subject.node.call(address, _OFFICE)[-20:].hex())
    return f"{total} bytes in {len(artifacts.CONTRACTS)} contracts, those of this version"


def _gas(subject: Subject) -> str:
    limit = subject.node.block_gas_limit()
    if limit < _TRANSACTION_GAS:
        raise Wrong(
            f"a block takes {limit} gas, less than one full transaction of {_TRANSACTION_GAS}",
            "Raise the block gas limit of the network, or make batches smaller.",
        )
    return f"a block takes {limit} gas"


def _clock(subject: Subject) -> str:
    skew = subject.node.head().time - time.time()
    if skew > _MAX_SKEW_SECONDS:
        raise Wrong(
            f"the newest block is {skew:.0f} s ahead of this clock",
            "Set this machine's clock (NTP). On a devnet that was busy this passes by itself.",
        )
    return f"the newest block is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this clock"


def _index(subject: Subject) -> str:
    if not subject.told:
        raise LeftOut("the service does not answer")
    lag = int(subject.told["chainHead"]) - int(subject.told["indexedBlock"])
    if lag > MAX_LAG_BLOCKS:
        raise Wrong(
            f"the index is {lag} blocks behind", "Wait; if it does not catch up, restart the service."
        )
    return f"{lag} blocks behind"


def _key(subject: Subject) -> str:
    if subject.key is None:
        raise LeftOut("no key file is named: --key FILE")
    keys = MemberKeys.load(subject.key)
    with PassportClient(subject.url, keys) as client:
        client.members()
    return f"the service knows {keys.name} by it"


def _modes(subject: Subject) -> str:
    private = list(_private(subject.folder))
    open_to_others = [path for path in private if path.stat().st_mode & _OTHERS]
    if open_to_others:
        names = " ".join(str(path) for path in open_to_others)
        raise Wrong(f"others can read {len(open_to_others)} private files", f"Run: chmod go= {names}")
    return f"{len(private)} keys and secrets, readable by their owner alone"


def _private(folder: Path) -> Iterator[Path]:
    for name in ("keystore", "secrets"):
        yield from (path for path in sorted((folder / name).rglob("*")) if path.is_file())
    yield from (path for path in (folder / "vault.db",) if path.exists())


def _database(subject: Subject) -> str:
    missing = [name for name in ("ledger.db", "vault.db") if not (subject.folder / name).is_file()]
    if missing:
        raise Wrong(
            f"{' and '.join(missing)} missing in {subject.folder}",
            "Name the data directory that the service was started with; a database elsewhere is named by its URL.",
        )
    return "both files are there"


def _disk(subject: Subject) -> str:
    free = shutil.disk_usage(subject.folder).free
    if free < _MIN_FREE_BYTES:
        raise Wrong(f"{free // 1024**2} MiB are free in {subject.folder}", "Make room, at least 1 GiB.")
    return f"{free // 1024**3} GiB free"
