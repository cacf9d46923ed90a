"""`passport grant`: consent, asked for, given, changed, filed from paper, confirmed, refused and withdrawn."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli import options
from cli.access import any_client, holder_client, holder_key, member_client
from cli.output import emit, facts, note, table
from cli.times import read_time
from ledger.client import (
    PassportClient,
    check_amendment,
    check_grant,
    sign_confirmation,
    sign_grant,
    sign_refusal,
    sign_repudiation,
    sign_revocation,
    signer_beside,
)
from ledger.domain.records import Grant
from ledger.errors import InvalidInput
from ledger.interop.fhir import parse_json

_HASH = re.compile(r"\A0x[0-9a-fA-F]{64}\Z")

app = typer.Typer(
    name="grant", help="Consent: asked for, given, changed, refused and withdrawn.", no_args_is_help=True
)

GrantId = Annotated[str, typer.Argument(help="Grant id, 0x and 64 hexadecimal digits.", show_default=False)]
Until = Annotated[
    str,
    typer.Option(help="End of the use period: a date, a time, or a span such as 90d.", show_default=False),
]
Recipient = Annotated[
    int | None,
    typer.Option("--to", min=1, help="Number of the member that may use the data.", show_default=False),
]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--to-all", help="Instead: a kind of members that may, as in RESEARCH; repeat."),
]
Since = Annotated[str | None, typer.Option("--from", help="Its start; now without it.")]
FirstDay = Annotated[str | None, typer.Option("--from-day", help="First day of the data.")]
LastDay = Annotated[str | None, typer.Option("--to-day", help="Last day of the data.")]
Level = Annotated[str, typer.Option(help="Least level of de-identification.")]
Template = Annotated[int, typer.Option(min=1, help="The template that it fits inside.")]
MaxUses = Annotated[int, typer.Option(min=0, help="For how many permits it is good; 0 for any number.")]
Flags = Annotated[
    list[str] | None, typer.Option("--flag", help="SEPARATE, NO_RELINK, NO_REIDENTIFY, ONWARD.")
]
Language = Annotated[str, typer.Option(help="The language that is read and signed: en or zh.")]
# The same words where each may be left out: what is not said stays as it is.
SomePurposes = Annotated[
    list[str] | None, typer.Option("--purpose", help="Instead of those there are; repeat for more.")
]
SomeCategories = Annotated[
    list[str] | None, typer.Option("--category", help="Instead of those there are; repeat for more.")
]
NewUntil = Annotated[str | None, typer.Option("--until", help="Another end of the use period.")]
NewLevel = Annotated[str | None, typer.Option("--level", help="Another least level of de-identification.")]
NewTemplate = Annotated[int | None, typer.Option("--template", min=1, help="Another template.")]
NewMaxUses = Annotated[
    int | None, typer.Option("--max-uses", min=0, help="Another number of permits; 0 for any number.")
]
NewLanguage = Annotated[
    str | None, typer.Option("--language", help="The language to read and sign: en or zh.")
]


@app.command()
def give(
    passport: options.Passport,
    purpose: options.Purposes,
    category: options.Categories,
    until: Until,
    recipient: Recipient = None,
    kind: Kinds = None,
    since: Since = None,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    level: Level = "IDENTIFIED",
    template: Template = 1,
    max_uses: MaxUses = 0,
    flag: Flags = None,
    language: Language = "en",
    supersedes: Annotated[str | None, typer.Option(help="A grant that this one replaces.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the signed grant to this file instead of sending it.")
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Give a consent: with the patient's or a delegate's wallet, or as the hospital that keeps the patient's key."""
    fields = _words(
        passport,
        purpose,
        category,
        until,
        recipient,
        kind,
        since,
        first_day,
        last_day,
        level,
        template,
        max_uses,
        flag,
        language,
    )
    if supersedes:
        fields["supersedes"] = supersedes
    if wallet is None:
        with member_client(url, key) as client:
            given = client.assist_grant(fields, idempotency_key=idempotency_key)
        emit(given, as_json=as_json, render=lambda console: _told(console, given))
        return
    private_key = holder_key(wallet, custodian)
    with holder_client(url, private_key) as client:
        prepared = client.prepare_grant(fields)
        signed = _signed(client, prepared, check_grant(prepared, fields), private_key)
        if out is not None:
            out.write_text(json.dumps(signed, indent=1) + "\n")
            emit(
                signed,
                as_json=as_json,
                render=lambda _: note(f"Signed. Any member can bring {out} to the ledger."),
            )
            return
        given = client.relay_grant(**signed, idempotency_key=idempotency_key)
    emit(given, as_json=as_json, render=lambda console: _told(console, given))


@app.command()
def relay(
    signed: Annotated[Path, typer.Argument(help="A signed grant, made with give --out.", show_default=False)],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Bring a signed grant to the ledger."""
    document = parse_json(signed.read_bytes(), what=str(signed))
    if not isinstance(document, dict) or not {"grant", "signature"} <= document.keys():
        raise InvalidInput(
            f"{signed} is not a signed grant", field="signed", fix="Make one with: grant give --out."
        )
    with member_client(url, key) as client:
        given = client.relay_grant(
            document["grant"],
            document["signature"],
            signer=document.get("signer"),
            idempotency_key=idempotency_key,
        )
    emit(given, as_json=as_json, render=lambda console: _told(console, given))


@app.command()
def ask(
    passport: options.Passport,
    purpose: options.Purposes,
    category: options.Categories,
    until: Until,
    since: Since = None,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    level: Level = "IDENTIFIED",
    template: Template = 1,
    max_uses: MaxUses = 0,
    flag: Flags = None,
    language: Language = "en",
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Ask a patient for consent, for your institution. Nothing is allowed until the patient says so."""
    fields = _words(
        passport,
        purpose,
        category,
        until,
        None,
        None,
        since,
        first_day,
        last_day,
        level,
        template,
        max_uses,
        flag,
        language,
    )
    del fields["recipientKinds"]
    with member_client(url, key) as client:
        asked = client.ask_consent(fields, idempotency_key=idempotency_key)
    emit(asked, as_json=as_json, render=lambda console: _told(console, asked))


@app.command()
def requests(
    passport: Annotated[str | None, typer.Argument(help="Of this passport.", show_default=False)] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """List the consents that somebody asks for and that wait for an answer."""
    with any_client(url, key, wallet=wallet, custodian=custodian, session=session) as client:
        waiting = client.grants(passport, status="requested")
    rows = [(item["grantId"], item["text"]) for item in waiting]
    emit(
        waiting,
        as_json=as_json,
        render=lambda out: out.print(table("Waiting for an answer", ("grant", "text"), rows)),
    )


@app.command()
def accept(
    grant: GrantId,
    purpose: SomePurposes = None,
    category: SomeCategories = None,
    until: NewUntil = None,
    since: Since = None,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    level: NewLevel = None,
    max_uses: NewMaxUses = None,
    flag: Flags = None,
    language: NewLanguage = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Give what was asked for: exactly it, or less with the options."""
    changes = _changes(
        purpose,
        category,
        until,
        None,
        None,
        since,
        first_day,
        last_day,
        level,
        None,
        max_uses,
        flag,
        language,
    )
    _amended(grant, changes, "requested", url, key, wallet, custodian, idempotency_key, as_json)


@app.command()
def amend(
    grant: GrantId,
    purpose: SomePurposes = None,
    category: SomeCategories = None,
    until: NewUntil = None,
    recipient: Recipient = None,
    kind: Kinds = None,
    since: Since = None,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    level: NewLevel = None,
    template: NewTemplate = None,
    max_uses: NewMaxUses = None,
    flag: Flags = None,
    language: NewLanguage = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Change a consent: a new one takes its place. What changes is said before it is signed."""
    changes = _changes(
        purpose,
        category,
        until,
        recipient,
        kind,
        since,
        first_day,
        last_day,
        level,
        template,
        max_uses,
        flag,
        language,
    )
    if not changes:
        raise InvalidInput("nothing is to be different", fix="Say what: --category, --until, ...")
    _amended(grant, changes, None, url, key, wallet, custodian, idempotency_key, as_json)


@app.command()
def file(
    passport: options.Passport,
    purpose: options.Purposes,
    category: options.Categories,
    until: Until,
    evidence: Annotated[
        str,
        typer.Option(
            help="Where the paper is, in words that stay with the service; or its 32-byte hash, 0x….",
            show_default=False,
        ),
    ],
    recipient: Recipient = None,
    kind: Kinds = None,
    since: Since = None,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    level: Level = "IDENTIFIED",
    template: Template = 1,
    max_uses: MaxUses = 0,
    flag: Flags = None,
    language: Language = "en",
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """File a consent that a patient gave on paper, as the hospital that keeps the data. It is of the lowest assurance."""
    fields = _words(
        passport,
        purpose,
        category,
        until,
        recipient,
        kind,
        since,
        first_day,
        last_day,
        level,
        template,
        max_uses,
        flag,
        language,
    )
    kept = {"hash": evidence} if _HASH.match(evidence) else {"evidence": evidence}
    with member_client(url, key) as client:
        filed = client.file_paper(fields, kept, idempotency_key=idempotency_key)
    emit(filed, as_json=as_json, render=lambda console: _told(console, filed))


@app.command()
def revoke(
    grant: GrantId,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Withdraw a consent: from then on it permits nothing."""
    _say("revoke", sign_revocation, grant, url, key, wallet, custodian, idempotency_key, as_json)


@app.command()
def refuse(
    grant: GrantId,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Refuse what was asked for."""
    _say("refuse", sign_refusal, grant, url, key, wallet, custodian, idempotency_key, as_json)


@app.command()
def confirm(
    grant: GrantId,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Stand by a consent: one from paper, or one on hold because the institution has changed hands."""
    _say("confirm", _sign_confirmation, grant, url, key, wallet, custodian, idempotency_key, as_json)


@app.command()
def repudiate(
    grant: GrantId,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Declare that a consent which the hospital filed or signed was never given."""
    _say("repudiate", sign_repudiation, grant, url, key, wallet, custodian, idempotency_key, as_json)


@app.command()
def status(
    passport: options.Passport,
    member: Annotated[int, typer.Argument(min=1, help="Number of the member.", show_default=False)],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Tell where a member stands: never asked, asked, refused, or with which consents."""
    with any_client(url, key, wallet=wallet, custodian=custodian, session=session) as client:
        found = client.standing(passport, member)
    rows = [(item["grantId"], item["status"], item["text"]) for item in found["grants"]]

    def render(out: Console) -> None:
        out.print(f"Member {member}: {found['statusText']}", markup=False)
        if rows:
            out.print(table("Consents", ("grant", "status", "text"), rows))

    emit(found, as_json=as_json, render=render)


@app.command("list")
def list_grants(
    passport: Annotated[str | None, typer.Argument(help="Of this passport.", show_default=False)] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """List consents: of a passport, or all that were given to your institution."""
    with any_client(url, key, wallet=wallet, custodian=custodian, session=session) as client:
        grants = client.grants(passport)
    rows = [(item["grantId"], item["status"], item["text"]) for item in grants]
    emit(
        grants,
        as_json=as_json,
        render=lambda out: out.print(table("Consents", ("grant", "status", "text"), rows)),
    )


@app.command()
def show(
    grant: GrantId,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Show one consent."""
    with any_client(url, key, wallet=wallet, custodian=custodian, session=session) as client:
        found = client.grant(grant)
    emit(found, as_json=as_json, render=lambda out: out.print(facts("Consent", found)))


def _words(
    passport: str,
    purposes: list[str],
    categories: list[str],
    until: str,
    recipient: int | None,
    kinds: list[str] | None,
    since: str | None,
    first_day: str | None,
    last_day: str | None,
    level: str,
    template: int,
    max_uses: int,
    flags: list[str] | None,
    language: str,
) -> dict[str, Any]:
    """Put what was said on the command line as the fields of a preparation."""
    fields: dict[str, Any] = {
        "passportId": passport,
        "recipientKinds": kinds or [],
        "level": level,
        "template": template,
        "purposes": purposes,
        "categories": categories,
        "useTo": read_time(until, field="until"),
        "maxUses": max_uses,
        "flags": flags or [],
        "language": language,
    }
    optional = {
        "recipient": recipient,
        "dataFrom": first_day,
        "dataTo": last_day,
        "useFrom": read_time(since, field="from") if since else None,
    }
    return fields | {name: value for name, value in optional.items() if value is not None}


def _changes(
    purposes: list[str] | None,
    categories: list[str] | None,
    until: str | None,
    recipient: int | None,
    kinds: list[str] | None,
    since: str | None,
    first_day: str | None,
    last_day: str | None,
    level: str | None,
    template: int | None,
    max_uses: int | None,
    flags: list[str] | None,
    language: str | None,
) -> dict[str, Any]:
    """Put what was said on the command line as the fields of an amendment: only what was said."""
    said = {
        "purposes": purposes,
        "categories": categories,
        "useTo": read_time(until, field="until") if until else None,
        "recipient": recipient,
        "recipientKinds": kinds,
        "useFrom": read_time(since, field="from") if since else None,
        "dataFrom": first_day,
        "dataTo": last_day,
        "level": level,
        "template": template,
        "maxUses": max_uses,
        "flags": flags,
        "language": language,
    }
    return {name: value for name, value in said.items() if value is not None and value != []}


def _amended(
    grant_id: str,
    changes: dict[str, Any],
    status: str | None,
    url: str,
    key: Path | None,
    wallet: Path | None,
    custodian: int | None,
    idempotency_key: str | None,
    as_json: bool,
) -> None:
    """Let the service write a grant down with changes, say what changes, sign it, and bring it."""
    private_key = holder_key(wallet, custodian) if wallet else None
    with holder_client(url, private_key) if private_key else member_client(url, key) as client:
        former = client.grant(grant_id)
        if status and former["status"] != status:
            raise InvalidInput(
                f"grant {grant_id} is {former['status']}, it does not wait for an answer",
                field="grant",
                fix="Change a consent in force with: passport grant amend.",
            )
        prepared = client.amend_grant(grant_id, changes)
        checked = check_amendment(prepared, former, changes)
        for line in prepared["changes"]:
            note(line)
        if private_key:
            signed = _signed(client, prepared, checked, private_key)
            given = client.relay_grant(**signed, idempotency_key=idempotency_key)
        else:
            given = client.sign_grant_for(prepared["grant"], idempotency_key=idempotency_key)
    emit(given, as_json=as_json, render=lambda console: _told(console, given))


def _say(
    act: str,
    signing: Callable[..., str],
    grant_id: str,
    url: str,
    key: Path | None,
    wallet: Path | None,
    custodian: int | None,
    idempotency_key: str | None,
    as_json: bool,
) -> None:
    """Say something about a grant: signed with a wallet, or as the hospital that keeps the patient's key."""
    if wallet is None:
        with member_client(url, key) as client:
            after = getattr(client, act)(grant_id, idempotency_key=idempotency_key)
    else:
        private_key = holder_key(wallet, custodian)
        with holder_client(url, private_key) as client:
            found, ledger = client.grant(grant_id), client.ledger()
            more = {"control": _control(client, found)} if signing is _sign_confirmation else {}
            signature = signing(
                ledger,
                passport_id=found["passportId"],
                grant_id=found["grantId"],
                private_key=private_key,
                **more,
            )
            signer = signer_beside(client.passport(found["passportId"])["holder"], private_key)
            after = getattr(client, act)(grant_id, signature, signer=signer, idempotency_key=idempotency_key)
    emit(after, as_json=as_json, render=lambda console: _told(console, after))


def _sign_confirmation(ledger: dict[str, Any], **words: Any) -> str:
    return sign_confirmation(ledger, **words)


def _control(client: PassportClient, grant: dict[str, Any]) -> int:
    """Return how often control of a grant's recipient has changed hands, and say so."""
    if not grant["recipient"]:
        return 0
    member = client.member(grant["recipient"])
    note(f"You stand by your consent to {member['name']} as it is now: {grant['text']}")
    return int(member["control"])


def _signed(
    client: PassportClient, prepared: dict[str, Any], grant: Grant, private_key: bytes
) -> dict[str, Any]:
    """Sign a grant that was checked; returns what is sent."""
    note(f"{prepared['notice'].strip()}\n\nYou sign: {prepared['text']}")
    signed: dict[str, Any] = {
        "grant": prepared["grant"],
        "signature": sign_grant(client.ledger(), grant, private_key),
    }
    signer = signer_beside(prepared["holder"], private_key)
    return signed | ({"signer": signer} if signer else {})


def _told(out: Console, grant: dict[str, Any]) -> None:
    out.print(f"{grant['grantId']}  {grant['statusText']}\n{grant['text']}", markup=False)
