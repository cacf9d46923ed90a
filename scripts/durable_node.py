"""
A durable one-machine chain: geth on a genesis of its own, with the flags that keep it through `kill -9`.

    python -m scripts.durable_node FOLDER --port 8545

The first start makes FOLDER/operator.key (a funded account, mode 600) and the genesis; later starts take up the same
chain. geth must be on PATH: `go install github.com/ethereum/go-ethereum/cmd/geth@v1.17.10`.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from eth_account import Account

_GAS_LIMIT = 10**9
_FUNDS_WEI = 10**30


def genesis(chain_id: int, operator: str, geth: str) -> dict[str, Any]:
    """Return geth's own development genesis with our chain id, gas limit and funds, and without what breaks it."""
    dumped = subprocess.run([geth, "--dev", "dumpgenesis"], check=True, capture_output=True, text=True).stdout
    document: dict[str, Any] = json.loads(dumped)
    config = document["config"]
    config["chainId"] = chain_id
    config.pop("bogotaTime", None)
    config["blobSchedule"]["osaka"] = config["blobSchedule"]["prague"]
    document["gasLimit"] = hex(_GAS_LIMIT)
    document["alloc"][operator.removeprefix("0x")] = {"balance": hex(_FUNDS_WEI)}
    return document


def prepare(folder: Path, geth: str) -> None:
    """Make key, genesis and database, unless an earlier start did."""
    if (folder / "geth").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    account = Account.create()
    with os.fdopen(
        os.open(folder / "operator.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
    ) as file:
        file.write(account.key.hex())
    chain_id = secrets.randbelow(2**31 - 10**6) + 10**6
    (folder / "genesis.json").write_text(json.dumps(genesis(chain_id, account.address, geth)))
    subprocess.run(
        [geth, "init", "--state.scheme", "hash", "--datadir", str(folder), str(folder / "genesis.json")],
        check=True,
        capture_output=True,
    )


def arguments(folder: Path, port: int, geth: str) -> list[str]:
    """Return the command line: archive of every state, all logs and transactions kept, no cap on fees."""
    return [
        *(geth, "--dev", "--datadir", str(folder)),
        *(
            "--state.scheme",
            "hash",
            "--gcmode",
            "archive",
            "--history.logs",
            "0",
            "--history.transactions",
            "0",
        ),
        *("--rpc.txfeecap", "0", "--miner.gaslimit", str(_GAS_LIMIT)),
        *("--http", "--http.addr", "127.0.0.1", "--http.port", str(port), "--http.api", "eth,net,web3,debug"),
        *("--http.corsdomain", "*", "--ipcdisable", "--verbosity", "2"),
    ]


def main() -> None:
    """Prepare and become geth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8545)
    given = parser.parse_args()
    geth = shutil.which("geth")
    if geth is None:
        sys.exit("geth is not on PATH; go install github.com/ethereum/go-ethereum/cmd/geth@v1.17.10")
    prepare(given.folder, geth)
    print(f"node http://127.0.0.1:{given.port}, funded key {given.folder / 'operator.key'}", flush=True)
    command = arguments(given.folder, given.port, geth)
    os.execv(geth, command)  # noqa: S606 - geth takes the place of this process


if __name__ == "__main__":
    main()
