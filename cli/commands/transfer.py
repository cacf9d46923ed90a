"""`passport transfer`: copies of one record or of many that move between institutions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from cli import options
from cli.access import any_client, member_client, member_keys
from cli.output import REFUSED, emit, note, table
from cli.private_files import write_private
from ledger.client import MemberKeys, PassportClient, content_received, open_release, root_received
from ledger.encoding.hexadecimal import bytes32, to_hex
from ledger.errors import InvalidInput, VerificationError

app = typer.Typer(
    name="transfer", help="Copies of records that move between institutions.", no_args_is_help=True
)

#: How many records one request loads.
_BATCH: Final = 100

Transfer = Annotated[
    str, typer.Argument(help="Transfer id, 0x and 64 hexadecimal digits.", show_default=False)
]
Reasons = Annotated[str, typer.Option(help="Why, in words; stays off the chain.", show_default=False)]
Change = Callable[[PassportClient], dict[str, Any]]


@app.command()
def ship(
    passport: options.Passport,
    seq: Annotated[
        int, typer.Argument(min=0, help="The decision that permits the transfer.", show_default=False)
    ],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Ship a record under a permit to transfer (its custodian)."""
    _change(url, key, lambda client: client.ship(passport, seq, idempotency_key=idempotency_key), as_json)


@app.command()
def declare(
    description: Annotated[str, typer.Argument(help="What it is; stays off the chain.", show_default=False)],
    agreement: Annotated[
        int, typer.Option(min=1, help="The agreement that it is under.", show_default=False)
    ],
    count: Annotated[int, typer.Option(min=1, help="How many records.", show_default=False)],
    purpose: options.Purposes,
    category: options.Categories,
    place: Annotated[
        list[int],
        typer.Option(
            min=1,
            max=999,
            help="A country in which they will be stored, ISO 3166-1 numeric; repeat for more.",
            show_default=False,
        ),
    ],
    route: Annotated[
        list[int] | None,
        typer.Option(min=1, max=999, help="A country that they pass; repeat for more.", show_default=False),
    ] = None,
    project: Annotated[
        int, typer.Option(min=0, help="The recipient's project that is cleared for the border.")
    ] = 0,
    parent: Annotated[
        str | None, typer.Option(help="The transfer by which you received them.", show_default=False)
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Declare a transfer of many records. Ends with 1 if it breaks a rule; that is on record too."""
    body = {
        "agreementId": agreement,
        "projectId": project,
        "count": count,
        "purposes": purpose,
        "categories": category,
        "parent": parent,
        "route": route or [],
        "places": place,
        "description": description,
    }
    found = _change(
        url,
        key,
        lambda client: client.declare_transfer(body, idempotency_key=idempotency_key),
        as_json,
    )
    if found.get("status") == "REFUSED":
        raise typer.Exit(REFUSED)


@app.command()
def inspect(
    transfer: Transfer,
    report: Annotated[
        str, typer.Option(help="What you found, in words; stays off the chain.", show_default=False)
    ],
    *,
    released: Annotated[
        bool, typer.Option("--release/--refuse", help="Whether it may go on; refused, it is over.")
    ],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Release a transfer at the border, or refuse it (regulator of the sender's country)."""
    _change(
        url,
        key,
        lambda client: client.inspect_transfer(
            transfer, report, released=released, idempotency_key=idempotency_key
        ),
        as_json,
    )


@app.command()
def load(
    transfer: Transfer,
    item: Annotated[
        list[str] | None,
        typer.Option(
            help="A record: PASSPORT:DECISION, the decision that permits it; repeat for more.",
            show_default=False,
        ),
    ] = None,
    items: Annotated[
        Path | None,
        typer.Option(help="A file with a passport and a decision in each line.", show_default=False),
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Load records, each under a permit of the recipient's, which is used up (sender)."""
    lines = items.read_text().splitlines() if items else []
    permits = [_read_permit(text) for text in (*(item or []), *(line for line in lines if line.strip()))]
    if not permits:
        raise InvalidInput("no record is named", field="item", fix="Give --item or --items.")
    found: dict[str, Any] = {}
    with member_client(url, key) as client:
        for start in range(0, len(permits), _BATCH):
            # One key for the whole: each batch is named after it, so that the same command loads everything once.
            name = f"{idempotency_key}-{start}" if idempotency_key else None
            found = client.load_transfer(transfer, permits[start : start + _BATCH], idempotency_key=name)
    emit(found, as_json=as_json, render=lambda out: _told(out, found))


@app.command("ship-all")
def ship_all(
    transfer: Transfer,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Ship what was loaded, all that was declared (sender)."""
    _change(url, key, lambda client: client.ship_many(transfer, idempotency_key=idempotency_key), as_json)


@app.command()
def collect(
    transfer: Transfer,
    out: Annotated[Path, typer.Option("--out", help="File for the records, as JSON by category.")],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    as_json: options.Json = False,
) -> None:
    """
    Fetch what was shipped to your institution, decrypt it and check it; of many records by passport.

    Tells the commitment or the root over what came, which `receive --content` states: first this, then that. The service
    hands over within an hour of the permits, and nothing once `receive` has been answered.
    """
    keys = member_keys(key)
    opened: dict[str, Any]
    with PassportClient(url, keys) as client:
        content, releases, many = _collected(client, transfer, keys)
    try:
        found = {release["passportId"]: open_release(release, keys) for release in releases}
    except VerificationError:
        note(f"It is not what was committed to. To state so: {_statement(transfer, content)}")
        raise
    if many:
        opened = found
        counts = {passport: sum(map(len, records.values())) for passport, records in found.items()}
    else:
        (opened,) = found.values()
        counts = {category: len(resources) for category, resources in opened.items()}
    write_private(out, json.dumps(opened, ensure_ascii=False) + "\n")

    def render(console: Console) -> None:
        console.print(table(str(out), ("of", "resources"), counts.items()))
        console.print(f"To state that this was received: {_statement(transfer, content)}", markup=False)

    emit({"content": content, "resources": counts}, as_json=as_json, render=render)


@app.command()
def receive(
    transfer: Transfer,
    content: Annotated[
        str | None,
        typer.Option(
            help="What `collect` told: the commitment to the record, the root of many. Without it everything is fetched "
            "again to work it out, and kept nowhere.",
            show_default=False,
        ),
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """
    State on the ledger what was received; ends with 1 if it is not what was shipped.

    Collect first: afterwards nothing is handed over any more.
    """
    keys = member_keys(key)
    if content is not None:
        content = to_hex(bytes32(content, field="content"))
    with PassportClient(url, keys) as client:
        if content is None:
            content, _, _ = _collected(client, transfer, keys)
        answer = client.receive(transfer, content, idempotency_key=idempotency_key)
    emit(answer, as_json=as_json, render=lambda out: _told(out, answer))
    if answer["status"] != "RECEIVED" or bytes32(content) != bytes32(answer["content"]):
        note("What was received is not what was shipped; the ledger records a dispute.")
        raise typer.Exit(REFUSED)


@app.command()
def halt(
    transfer: Transfer,
    reasons: Reasons,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Stop a transfer of many records for the time being (sender, regulator)."""
    _change(
        url,
        key,
        lambda client: client.halt_transfer(transfer, reasons, idempotency_key=idempotency_key),
        as_json,
    )


@app.command()
def resume(
    transfer: Transfer,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Let a halted transfer go on (whoever halted it, regulator)."""
    _change(
        url, key, lambda client: client.resume_transfer(transfer, idempotency_key=idempotency_key), as_json
    )


@app.command()
def terminate(
    transfer: Transfer,
    reasons: Reasons,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Stop a transfer of many records for good (a side, regulator; anybody once it has lapsed)."""
    _change(
        url,
        key,
        lambda client: client.terminate_transfer(transfer, reasons, idempotency_key=idempotency_key),
        as_json,
    )


@app.command()
def report(
    transfer: Transfer,
    text: Annotated[
        str, typer.Option(help="What you report, in words; stays off the chain.", show_default=False)
    ],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Report on data from abroad; the next report is due 90 days later (recipient)."""
    _change(
        url,
        key,
        lambda client: client.report_on_transfer(transfer, text, idempotency_key=idempotency_key),
        as_json,
    )


@app.command("end-access")
def end_access(
    transfer: Transfer,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Take a recipient whose report is overdue off the list of those that may receive data from abroad."""
    _change(
        url, key, lambda client: client.end_border_access(transfer, idempotency_key=idempotency_key), as_json
    )


@app.command()
def close(
    transfer: Transfer,
    evidence: Annotated[
        str, typer.Option(help="What shows it, in words; stays off the chain.", show_default=False)
    ],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """State that your institution destroyed or returned what it received (recipient)."""
    _change(
        url,
        key,
        lambda client: client.close_transfer(transfer, evidence, idempotency_key=idempotency_key),
        as_json,
    )


@app.command("list")
def list_transfers(
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Only those that wait for your inspection, oldest first.")
    ] = False,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    as_json: options.Json = False,
) -> None:
    """List what your institution sent and received, newest first; a regulator what it is to inspect, with --waiting."""
    with member_client(url, key) as client:
        transfers = client.waiting_transfers() if waiting else client.transfers()
    columns = ("transfer", "of", "sender", "recipient", "status", "shipped")
    rows = [
        (
            item["transferId"],
            item["passportId"] or f"{item['consignment']['count']} records",
            item["sender"],
            item["recipient"],
            item["status"],
            item["shipped"]["time"] if item["shipped"] else "",
        )
        for item in transfers
    ]
    emit(transfers, as_json=as_json, render=lambda out: out.print(table("Transfers", columns, rows)))


@app.command()
def show(
    transfer: Transfer,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    as_json: options.Json = False,
) -> None:
    """Show a transfer, and of many records which they are (sender, recipient, regulator, auditor)."""
    with member_client(url, key) as client:
        found = client.transfer(transfer)
        items = client.transfer_items(transfer)
    document = {**found, "items": items}
    columns = ("place", "passport", "decision", "content")
    rows = [(item["place"], item["passportId"], item["decision"], item["content"]) for item in items]

    def render(out: Console) -> None:
        _told(out, found)
        for said in (found["consignment"] or {}).get("notes", []):
            words = f"  {said['position']['time']}  {said['event']} by member {said['memberId']}"
            out.print(f"{words}: {said['words']}" if said["words"] else words, markup=False)
        if rows:
            out.print(table("Records", columns, rows))

    emit(document, as_json=as_json, render=render)


@app.command()
def proof(
    passport: options.Passport,
    transfer: Annotated[
        str | None,
        typer.Option(help="Which transfer; left out, the last one of many records.", show_default=False),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File for the proof.", show_default=False)] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Fetch the proof that a record was sent among many: for its holder, its custodian, auditors."""
    with any_client(url, key, wallet=wallet, custodian=custodian, session=session) as client:
        proofs = client.transfers_of(passport)["amongMany"]
    wanted = [item for item in proofs if transfer is None or bytes32(item["transferId"]) == bytes32(transfer)]
    if not wanted:
        raise InvalidInput(
            "the record was in no such transfer", field="transfer", fix="See `passport transfer list`."
        )
    found = wanted[-1]
    if out is not None:
        out.write_text(json.dumps(found) + "\n")
    words = f"{found['transferId']}  {found['status']}: leaf {found['item']['place']} of {found['size']}, root {found['root']}"
    emit(found, as_json=as_json, render=lambda console: console.print(words, markup=False))


@app.command()
def verify(
    proof_file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A proof, as `transfer proof` wrote it.", show_default=False),
    ],
    rpc: options.Rpc = None,
    ledger: options.Ledger = None,
    as_json: options.Json = False,
) -> None:
    """Check a proof against the root on the chain: needs a node and no service. Ends with 1 if it does not hold."""
    from cli.verification import LedgerReader, check_proof

    if rpc is None or ledger is None:
        raise InvalidInput("this needs a node and a ledger", fix="Give --rpc URL and --ledger ADDRESS.")
    try:
        document = json.loads(proof_file.read_text())
    except ValueError:
        raise InvalidInput(f"{proof_file} is no JSON", field="FILE") from None
    problems = check_proof(LedgerReader(rpc, ledger), document)
    result = {"isTrue": not problems, "problems": problems}
    words = problems or ["The record was sent in this transfer, as the proof says."]
    emit(result, as_json=as_json, render=lambda out: out.print("\n".join(words), markup=False))
    if problems:
        raise typer.Exit(REFUSED)


def _collected(
    client: PassportClient, transfer: str, keys: MemberKeys
) -> tuple[str, list[dict[str, Any]], bool]:
    """Return the commitment or the root over what came, the releases, and whether it is a transfer of many records."""
    if client.transfer(transfer)["consignment"] is None:
        release = client.collect(transfer)
        return to_hex(content_received(release, keys)), [release], False
    contents = list(client.collect_many(transfer))
    return to_hex(root_received(contents, keys)), [item["release"] for item in contents], True


def _statement(transfer: str, content: str) -> str:
    return f"passport transfer receive {transfer} --content {content}"


def _change(url: str, key: Path | None, change: Change, as_json: bool) -> dict[str, Any]:
    """Do something to a transfer as a member, and tell it as it is afterwards."""
    with member_client(url, key) as client:
        found = change(client)
    emit(found, as_json=as_json, render=lambda out: _told(out, found))
    return found


def _read_permit(text: str) -> tuple[str, int]:
    passport, _, seq = text.strip().replace(" ", ":").partition(":")
    if not seq.strip(": ").isdecimal():
        raise InvalidInput(
            f"{text!r} is no passport with a decision", field="item", fix="Write PASSPORT:DECISION."
        )
    return passport, int(seq.strip(": "))


def _told(out: Console, transfer: dict[str, Any]) -> None:
    words = f"{transfer['transferId']}  {transfer['status']}: member {transfer['sender']} to {transfer['recipient']}"
    out.print(words, markup=False)
    many = transfer.get("consignment")
    if many is None:
        return
    out.print(f"  {many['loaded']} of {many['count']} records loaded", markup=False)
    for reason in many["reasons"]:
        out.print(f"  refused: {reason}", markup=False)
    if many["reportDue"]:
        out.print(f"  the next report is due by {many['reportDue']}", markup=False)
