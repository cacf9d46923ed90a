"""`passport demo`: the whole story on a ledger of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli import options
from cli.output import emit, note, table
from cli.progress import progress
from ledger.errors import InvalidInput


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    data: options.Data,
    keep: Annotated[
        Path | None,
        typer.Option(
            help="Keep everything in this folder; one that exists is gone on with.", show_default=False
        ),
    ] = None,
    rpc: Annotated[
        str | None, typer.Option(help="Another Ethereum node than a devnet of its own.", show_default=False)
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            help="Key of a funded account there: an encrypted keystore, or hexadecimal.", show_default=False
        ),
    ] = None,
    key_passphrase_file: Annotated[
        Path | None, typer.Option(help="File with the passphrase of an encrypted key.", show_default=False)
    ] = None,
    as_json: options.Json = False,
) -> None:
    """
    Run the whole story: consortium, records, consents, requests, transfer, withdrawal, log, audit.

    It starts a devnet and a service of its own in a throw-away folder. Ends with one JSON object if --json is given.
    """
    if rpc is not None and key is None:
        raise InvalidInput(
            "another node needs a funded account", field="key", fix="Name its key file: --key FILE."
        )
    if key is not None and not key.is_file():
        raise InvalidInput(f"there is no key file {key}", field="key", fix="Name a file of your own.")
    data_folder = data.resolve()
    with _folder(keep) as folder:
        result = _tell(folder, data_folder, rpc, key, key_passphrase_file, quiet=as_json)
    if keep is not None:
        result["directory"] = str(keep.resolve())
    emit(result, as_json=as_json, render=lambda out: _summary(out, result))


def _tell(
    folder: Path, data: Path, rpc: str | None, key: Path | None, passphrase: Path | None, *, quiet: bool
) -> dict[str, Any]:
    """Start a sandbox, run the story in it, and stop it whatever happens."""
    from cli.sandbox import Sandbox, stop_when_told
    from cli.story import seed
    from cli.story.cast import Cast

    Cast.of(data)  # Says what is wrong with the data before anything is started.
    stop_when_told()
    sandbox = Sandbox(folder, rpc=rpc, key_file=key, key_passphrase_file=passphrase)
    with progress(quiet=quiet) as report:
        try:
            report("starting node and service", 0, 1)
            sandbox.start()
            report("starting node and service", 1, 1)
            return seed(sandbox, data, report)
        finally:
            sandbox.stop()


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True, mode=0o700)
        yield keep.resolve()
        note(
            f"Everything is kept in {keep}: keys, wallets, databases, the access log and the story's notebook."
        )
        return
    with tempfile.TemporaryDirectory(prefix="passport-demo-") as name:
        yield Path(name)


def _summary(out: Console, result: dict[str, Any]) -> None:
    out.print(
        f"{result['patients']} patients, {result['passports']} passports, {result['resources']} resources sealed by "
        f"category; {result['grants']} consents.",
        markup=False,
    )
    out.print(
        f"{result['permits']} requests permitted, {result['denied']} refused; {result['released']} resources opened "
        f"and equal to the hospitals' own; {result['transfers']} transfer received in full; "
        f"{result['outsiderRefused']} outsider turned away.",
        markup=False,
    )
    out.print(
        f"{result['included']} people included into a dataset, {result['steps']} steps to a model in service and on "
        f"record. Then one withdraws: {result['owed']}.",
        markup=False,
    )
    out.print(table("Why requests were refused", ("missing", "requests"), result["denials"].items()))
    out.print("\nWhat the patient who withdrew reads, each line checked against the chain:")
    for line in result["log"]["lines"]:
        out.print(f"  {line}", markup=False)
    replay, chain = result["replay"], result["chain"]
    out.print(
        f"\nThe auditor decided {replay['decisions']} decisions again: {replay['mismatches']} differ "
        f"(chain {chain['chainId']}, ledger {chain['ledger']}).",
        markup=False,
    )
    for found in result["findings"]:
        out.print(f"  found: {found['rule']} by {found['memberName']}: {found['detail']}", markup=False)
