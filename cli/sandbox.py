"""
A service and its devnet as child processes in one folder.

What `passport up --sandbox` and `passport demo` run. Everything is in the folder: the same folder started again is
the same sandbox, whatever was killed before.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import httpx2

from ledger.chain.devnet import Devnet, free_port
from ledger.client import MemberKeys
from ledger.errors import ConfigurationError
from ledger.settings import write_founder

COMMITTEE_NAME: Final = "Data passport committee"
_COMMAND: Final = "from cli.main import main; main()"
_START_SECONDS: Final = 90.0
_STOP_SECONDS: Final = 15.0
#: ISO 3166-1 numeric for "user-assigned": a sandbox is in no country.
_NOWHERE: Final = 900


def stop_when_told() -> None:
    """Make SIGTERM, and SIGINT even where the shell ignores it, end the command as Ctrl-C does: children first."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)


class Sandbox:
    """One sandbox by its folder."""

    def __init__(
        self,
        folder: Path,
        *,
        rpc: str | None = None,
        key_file: Path | None = None,
        key_passphrase_file: Path | None = None,
        port: int | None = None,
    ) -> None:
        """
        Name the sandbox; `start` begins.

        Args:
            folder: Where everything is kept.
            rpc: URL of an Ethereum node; a devnet of the sandbox's own by default.
            key_file: Key of a funded account on that node, an encrypted keystore or hexadecimal digits.
            key_passphrase_file: Passphrase of an encrypted key file.
            port: Port of the service on loopback; the one of an earlier start, or a free one, by default.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder.resolve()
        self.devnet = None if rpc else Devnet(self.folder / "devnet")
        self.rpc = rpc or self._devnet_url()
        self._key_file = key_file
        self._key_passphrase_file = key_passphrase_file
        self.port = port or self._known_port() or free_port()
        self._service: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return where the service answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def committee_keys(self) -> Path:
        """Return the key file of the founding member."""
        return self.folder / "keys" / "committee.json"

    @property
    def database_file(self) -> Path:
        """Return the file of the service's database."""
        return self.folder / "data" / "ledger.db"

    @property
    def database(self) -> str:
        """Return the SQLAlchemy URL of the service's database."""
        return f"sqlite:///{self.database_file}"

    def start(self) -> None:
        """
        Start the devnet and the service, and wait until the service is ready.

        Raises:
            ConfigurationError: One of them does not start; the message quotes the end of its log.
        """
        self._found()
        if self.devnet:
            self.devnet.start()
        self.start_service()

    def stop(self) -> None:
        """Stop the service, then the devnet."""
        self.stop_service()
        if self.devnet:
            self.devnet.stop()

    def start_service(self) -> None:
        """Start the service and wait until it is ready. One that outlived its parent is stopped first."""
        self._stop_orphan()
        log = (self.folder / "service.log").open("ab")
        self._service = subprocess.Popen(
            [sys.executable, "-c", _COMMAND, "up"],
            env=self._environment(),
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        self._pid_file.write_text(str(self._service.pid))
        self._wait()

    def stop_service(self) -> None:
        """Stop the service, letting it finish what it does."""
        if self._service is None:
            return
        self._service.terminate()
        try:
            self._service.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._service.kill()
            self._service.wait()
        self._close_pipe()

    def kill_service(self) -> None:
        """Kill the service as a crash would."""
        if self._service:
            self._service.kill()
            self._service.wait()
            self._close_pipe()

    def restart_devnet(self) -> None:
        """Start a devnet that died; done when the service has filled it again from its journal."""
        if self.devnet:
            self.devnet.start()
        if self._service and self._service.poll() is None:
            self._wait()

    def revive(self) -> list[str]:
        """Start again what has died; returns the names of what had."""
        died = []
        if self.devnet and not self.devnet.alive():
            self.restart_devnet()
            died.append("devnet")
        if self._service and self._service.poll() is not None:
            self._close_pipe()
            self.start_service()
            died.append("service")
        return died

    def facts(self) -> dict[str, Any]:
        """Return what the service tells about its ledger: chain id, address, blocks."""
        answer = httpx2.get(f"{self.url}/v1/ledger", timeout=10)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def _found(self) -> None:
        """Make the committee's keys and file, and remember the port."""
        self.committee_keys.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.committee_keys.exists():
            MemberKeys.new(COMMITTEE_NAME).as_member(1).save(self.committee_keys)
        keys = MemberKeys.load(self.committee_keys)
        write_founder(
            self.folder / "founder.json",
            name=COMMITTEE_NAME,
            jurisdiction=_NOWHERE,
            signing_key=keys.signing_public,
            sealing_key=keys.sealing_public,
        )
        (self.folder / "sandbox.json").write_text(json.dumps({"port": self.port}))

    def _environment(self) -> dict[str, str]:
        settings = {
            "ENVIRONMENT": "sandbox",
            "DATA": str(self.folder / "data"),
            "RPC": self.rpc,
            "PUBLIC_RPC": self.rpc,
            "EMBEDDED": "true" if self.devnet else "false",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "FOUNDER": str(self.folder / "founder.json"),
        }
        if self._key_file:
            settings["OPERATOR_KEY_FILE"] = str(self._key_file.resolve())
        if self._key_passphrase_file:
            settings["OPERATOR_KEY_PASSPHRASE_FILE"] = str(self._key_passphrase_file.resolve())
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PASSPORT_")}
        root = str(Path(__file__).resolve().parent.parent)
        return {
            **inherited,
            "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")])),
            **{f"PASSPORT_{name}": value for name, value in settings.items()},
        }

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._service is None or self._service.poll() is not None:
                raise ConfigurationError(
                    f"the service stopped at once: {self._log_end()}", fix="See service.log."
                )
            try:
                if httpx2.get(f"{self.url}/readyz", timeout=5).status_code == 200:  # noqa: PLR2004 - OK
                    return
            except httpx2.HTTPError:
                pass
            time.sleep(0.1)
        raise ConfigurationError(f"the service is not ready: {self._log_end()}", fix="See service.log.")

    @property
    def _pid_file(self) -> Path:
        return self.folder / "service.pid"

    def _stop_orphan(self) -> None:
        if not self._pid_file.exists():
            return
        pid = int(self._pid_file.read_text())
        self._pid_file.unlink()
        command = Path(f"/proc/{pid}/cmdline")
        if not command.exists() or _COMMAND.encode() not in command.read_bytes():
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while command.exists() and time.monotonic() < deadline:
            time.sleep(0.1)

    def _log_end(self) -> str:
        log = self.folder / "service.log"
        return log.read_text(errors="replace")[-600:] if log.exists() else "no log"

    def _close_pipe(self) -> None:
        if self._service and self._service.stdin:
            self._service.stdin.close()

    def _devnet_url(self) -> str:
        return self.devnet.spec.url if self.devnet else ""

    def _known_port(self) -> int | None:
        path = self.folder / "sandbox.json"
        return int(json.loads(path.read_text())["port"]) if path.exists() else None
