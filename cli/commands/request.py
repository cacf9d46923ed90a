"""`passport request`: ask for data, and get what was permitted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from cli import options
from cli.access import any_client, member_client, member_keys
from cli.output import REFUSED, emit, facts, note, table
from cli.private_files import write_private
from ledger.client import PassportClient, open_release
from ledger.domain.days import day_of
from ledger.domain.vocabulary import Level
from ledger.domain.wording import days_in_words
from ledger.encoding.hexadecimal import bytes32
from ledger.errors import VerificationError

app = typer.Typer(name="request", help="Ask for data, and get what was permitted.", no_args_is_help=True)

#: How long a receipt is waited for.
_RECEIPT_SECONDS: Final = 60

Seq = Annotated[
    int, typer.Argument(min=0, help="Number of the decision within the passport.", show_default=False)
]


@app.command()
def ask(
    passport: options.Passport,
    purpose: Annotated[str, typer.Option(help="What for.")],
    category: options.Categories,
    basis: Annotated[str, typer.Option(help="On what legal ground.")] = "CONSENT",
    operation: Annotated[str, typer.Option(help="READ or TRANSFER.")] = "READ",
    grant: Annotated[str | None, typer.Option(help="The consent you rely on.", show_default=False)] = None,
    project: Annotated[int, typer.Option(min=0, help="The project of yours that covers it.")] = 0,
    level: Annotated[
        str, typer.Option(help="How far de-identified the data is to be handed over.")
    ] = "IDENTIFIED",
    emergency: Annotated[int, typer.Option(min=0, help="The emergency that you ask under.")] = 0,
    controller: Annotated[int, typer.Option(min=0, help="The member on whose behalf you ask.")] = 0,
    first_day: Annotated[str | None, typer.Option("--from-day", help="First day of the data.")] = None,
    last_day: Annotated[str | None, typer.Option("--to-day", help="Last day of the data.")] = None,
    statement: Annotated[str, typer.Option(help="Your own words; they stay off the chain.")] = "",
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Ask for access. Ends with 0 if permitted and 1 if refused; both are on record."""
    asked: dict[str, Any] = {
        "passportId": passport,
        "purpose": purpose,
        "basis": basis,
        "operation": operation,
        "categories": category,
        "projectId": project,
        "level": level,
        "emergencyId": emergency,
        "controllerId": controller,
        "statement": statement,
    }
    if first_day:
        asked["dataFrom"] = first_day
    if last_day:
        asked["dataTo"] = last_day
    if grant:
        asked["grantId"] = grant
    with member_client(url, key) as client:
        (decision,) = client.decide([asked], idempotency_key=idempotency_key)
    emit(decision, as_json=as_json, render=lambda out: tell(out, decision))
    if decision["outcome"] != "PERMIT":
        raise typer.Exit(REFUSED)


@app.command()
def show(
    passport: options.Passport,
    seq: Seq,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Show one decision with its reasons."""
    with any_client(url, key, wallet=wallet, custodian=custodian, session=session) as client:
        decision = client.decision(passport, seq)
    emit(decision, as_json=as_json, render=lambda out: out.print(facts(decision["sentence"], decision)))


@app.command("list")
def list_requests(
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """List what your institution asked for, newest first."""
    with any_client(url, key, session=session) as client:
        decisions = client.decisions()
    columns = ("passport", "no.", "purpose", "categories", "answer", "reasons")
    rows = [
        (
            item["passportId"],
            item["seq"],
            item["purpose"],
            item["categories"],
            item["answer"],
            item["reasons"],
        )
        for item in decisions
    ]
    emit(decisions, as_json=as_json, render=lambda out: out.print(table("Requests", columns, rows)))


@app.command()
def records(
    passport: options.Passport,
    seq: Seq,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for one NDJSON file per category.", show_default=False),
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    rpc: options.Rpc = None,
    ledger: options.Ledger = None,
    as_json: options.Json = False,
) -> None:
    """
    Fetch what a decision permitted, decrypt it, and check it against the ledger's commitments.

    If the decision names days, an excerpt of each category comes: what is wholly from these days. No manifest has it; it is
    checked against the receipt of the hand-over, which --rpc and --ledger read from a node.
    """
    opened, excerpted = _opened(url, key, passport, seq, _Node.of(rpc, ledger))
    if out is None:
        emit(opened, as_json=as_json, render=lambda _: print(json.dumps(opened, ensure_ascii=False)))
        return
    files = [_write(out, category, resources) for category, resources in opened.items()]
    excerpt = {"excerpt": {name: excerpted[name] for name in ("firstDay", "lastDay")}} if excerpted else {}
    written = [
        {"category": category, "file": str(path), "resources": number, **excerpt}
        for category, path, number in files
    ]
    rows = [(item["category"], item["resources"], item["file"]) for item in written]
    columns = ("category", "resources", "file")
    title = f"Released, of each category what is{_days(excerpted)}" if excerpted else "Released"
    emit(written, as_json=as_json, render=lambda console: console.print(table(title, columns, rows)))


@app.command()
def waiting(
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """List what waits for a human and that you may answer, as an ethics body or a regulator."""
    with any_client(url, key, session=session) as client:
        found = client.waiting_reviews()
    emit(found, as_json=as_json, render=lambda out: _tell_waiting(out, found))


@app.command()
def review(
    passport: options.Passport,
    seq: Seq,
    opinion: Annotated[str, typer.Option(help="Your opinion; stays off the chain.")],
    approve: Annotated[bool, typer.Option("--approve/--refuse", help="Your answer.")],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Answer a request that waits for a human, as an ethics body or a regulator."""
    with member_client(url, key) as client:
        decision = client.review_request(
            passport, seq, approved=approve, opinion=opinion, idempotency_key=idempotency_key
        )
    emit(decision, as_json=as_json, render=lambda out: tell(out, decision))


@app.command()
def repeat(
    passport: options.Passport,
    seq: Seq,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Ask again, word for word, as after an approval. Ends with 0 if permitted and 1 if not."""
    with member_client(url, key) as client:
        decision = client.repeat_request(passport, seq, idempotency_key=idempotency_key)
    emit(decision, as_json=as_json, render=lambda out: tell(out, decision))
    if decision["outcome"] != "PERMIT":
        raise typer.Exit(REFUSED)


def tell(out: Console, decision: dict[str, Any]) -> None:
    """Print a decision in plain words."""
    out.print(f"{decision['position']['time']}  {decision['sentence']}: {decision['answer']}.", markup=False)
    for reason in decision["reasons"]:
        out.print(f"  because {reason}", markup=False)
    if decision.get("review"):
        out.print(f"  {decision['review']}", markup=False)
    out.print(f"  decision {decision['passportId']} {decision['seq']}", markup=False)


def _tell_waiting(out: Console, found: list[dict[str, Any]]) -> None:
    if not found:
        out.print("Nothing waits for you.")
    for item in found:
        if item["kind"] == "EMERGENCY":
            late = " (overdue)" if item["overdue"] else ""
            told = f"emergency {item['emergency']['emergencyId']}{late}: {item['emergency']['sentence']}"
            out.print(told, markup=False)
        else:
            tell(out, item["decision"])
            if item["statement"]:
                out.print(f"  in its own words: {item['statement']}", markup=False)


@dataclass(frozen=True, slots=True)
class _Node:
    """Where the chain is read without the service."""

    rpc: str
    ledger: str

    @classmethod
    def of(cls, rpc: str | None, ledger: str | None) -> _Node | None:
        """Return it if both are known."""
        return cls(rpc, ledger) if rpc and ledger else None

    def receipt(self, passport: str, seq: int) -> bytes:
        """
        Return the receipt of a hand-over; waits for it, for the service only promised to write it.

        Raises:
            VerificationError: It does not come.
        """
        from cli.verification import LedgerReader

        reader = LedgerReader(self.rpc, self.ledger)
        found = reader.receipt_of(bytes32(passport), seq, timeout=_RECEIPT_SECONDS)
        if found is None:
            raise VerificationError(
                "the ledger has no receipt of this hand-over",
                fix="Try again in a moment; if there is none, do not use the data, and tell the custodian.",
            )
        return found


def _opened(
    url: str, key: Path | None, passport: str, seq: int, node: _Node | None
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Any] | None]:
    """Return what was permitted, and, if it is of excerpts, what the release says of them."""
    keys = member_keys(key)
    with PassportClient(url, keys) as client:
        content = bytes32(client.passport(passport)["content"], field="content")
        decision = client.decision(passport, seq)
        level, days = Level[decision["level"]], (decision["dataFrom"], decision["dataTo"])
        release = client.release(passport, seq)
    excerpted: dict[str, Any] | None = release.get("excerpted")
    receipt = node.receipt(passport, seq) if node and excerpted else None
    opened = open_release(release, keys, level=level, content=content, days=days, receipt=receipt)
    if excerpted:
        checked = (
            "checked against the receipt of this hand-over on the ledger"
            if receipt
            else "checked against the receipt that the service tells; --rpc URL --ledger ADDRESS checks that the ledger has it"
        )
        note(
            f"An excerpt: only what is wholly{_days(excerpted)}, {checked}. That nothing of these days is missing is the "
            "custodian's word."
        )
    return opened, excerpted


def _days(excerpted: dict[str, Any]) -> str:
    first, last = (
        day_of(date.fromisoformat(day)) if day else 0 for day in (excerpted["firstDay"], excerpted["lastDay"])
    )
    return days_in_words(first, last)


def _write(folder: Path, category: str, resources: list[dict[str, Any]]) -> tuple[str, Path, int]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{category.lower()}.ndjson"
    write_private(path, "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in resources))
    return category, path, len(resources)
