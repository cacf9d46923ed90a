"""`passport member`: institutions on the ledger, and their keys."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from cli import options
from cli.access import any_client, member_client, member_keys
from cli.commands.committee import Reason, tell_act
from cli.output import advise, emit, facts, note, table
from cli.times import read_time
from ledger.client import MemberKeys, sign_headers
from ledger.errors import InvalidInput
from ledger.interop.fhir import parse_json

app = typer.Typer(name="member", help="Institutions on the ledger, and their keys.", no_args_is_help=True)

_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})

Member = Annotated[int, typer.Argument(min=1, help="Number of the member.", show_default=False)]


@app.command("list")
def list_members(
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """List the members in the order of admission."""
    with any_client(url, key, session=session) as client:
        members = client.members()
    columns = ("member", "name", "roles", "purposes", "valid to", "status")
    rows = [
        (item["memberId"], item["name"], item["roles"], item["purposes"], item["validTo"], item["status"])
        for item in members
    ]
    emit(members, as_json=as_json, render=lambda out: out.print(table("Members", columns, rows)))


@app.command()
def show(
    member: Member,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Show one member."""
    with any_client(url, key, session=session) as client:
        found = client.member(member)
    emit(found, as_json=as_json, render=lambda out: out.print(facts(found["name"], found)))


@app.command()
def admit(
    public: Annotated[
        Path,
        typer.Argument(
            help="What `member new-keys --json` printed: name and public keys.", show_default=False
        ),
    ],
    role: Annotated[
        list[str], typer.Option(help="CUSTODIAN, PROCESSOR, AUDITOR, ETHICS, ...; repeat for more.")
    ],
    purpose: Annotated[list[str], typer.Option(help="What its licence covers; repeat for more.")],
    jurisdiction: Annotated[int, typer.Option(help="ISO 3166-1 numeric code of its country.")],
    valid_to: Annotated[str, typer.Option(help="End of the membership: a date, or a span such as 1y.")],
    kind: Annotated[
        str, typer.Option(help="What it is: HOSPITAL, RESEARCH, COMPANY, AUTHORITY, INSURER or OTHER.")
    ] = "OTHER",
    name: Annotated[str | None, typer.Option(help="Another name than in the file.")] = None,
    signer: Annotated[
        str | None, typer.Option(help="Its chain account; without one the service makes it.")
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Admit an institution, or propose it to the committee (committee, alliance)."""
    told = _public_keys(public)
    admission: dict[str, Any] = {
        "name": name or told["name"],
        "roles": role,
        "kind": kind,
        "purposes": purpose,
        "jurisdiction": jurisdiction,
        "validTo": read_time(valid_to, field="valid-to"),
        "signingKey": told["signingKey"],
        "sealingKey": told["sealingKey"],
    }
    if signer:
        admission["signer"] = signer
    with member_client(url, key) as client:
        member = client.admit(admission, idempotency_key=idempotency_key)
    emit(member, as_json=as_json, render=lambda out: _told(out, member, "admitted"))


@app.command()
def suspend(
    member: Member,
    reason: Annotated[str, typer.Option(help="Why; stays with the committee, the chain holds a commitment.")],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Suspend a member: its requests are denied (regulators and the alliance if it has no seat; committee)."""
    with member_client(url, key) as client:
        found = client.suspend(member, reason, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _told(out, found, "suspended"))


@app.command()
def reinstate(
    member: Member,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Let a suspended member act again (committee)."""
    with member_client(url, key) as client:
        found = client.reinstate(member, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _told(out, found, "reinstated"))


@app.command()
def expel(
    member: Member,
    reason: Reason,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Propose to expel a member, for good: what was granted to it never permits again (committee)."""
    with member_client(url, key) as client:
        found = client.expel(member, reason, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: tell_act(out, found, "Expelled"))


@app.command("license")
def license_member(
    member: Member,
    valid_to: Annotated[str, typer.Option(help="End of the membership: a date, or a span such as 1y.")],
    reason: Reason,
    purpose: Annotated[
        list[str] | None, typer.Option(help="What the licence covers; repeat for more, none for nothing.")
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Propose another licence scope and end of a membership (committee)."""
    licence = {
        "purposes": purpose or [],
        "validTo": read_time(valid_to, field="valid-to"),
        "reason": reason,
    }
    with member_client(url, key) as client:
        found = client.license(member, licence, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: tell_act(out, found, "Licence"))


@app.command()
def control(
    member: Member,
    reason: Reason,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Record that control of a member changed hands: consents that name it are frozen (committee, alliance)."""
    with member_client(url, key) as client:
        found = client.change_control(member, reason, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: tell_act(out, found, "Control changed"))


@app.command()
def caps(
    member: Member,
    reason: Reason,
    cap: Annotated[
        list[str] | None,
        typer.Option(help="PURPOSE=PERMITS a day; repeat for more, none to lift all caps."),
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Propose how many permits a member may get in a day, by purpose (committee)."""
    wanted = dict(_cap(text) for text in cap or [])
    with member_client(url, key) as client:
        found = client.set_caps(member, wanted, reason, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: tell_act(out, found, "Caps"))


@app.command()
def rotate(
    member: Member,
    public: Annotated[
        Path,
        typer.Argument(help="What `member new-keys --json` printed: public keys.", show_default=False),
    ],
    reason: Reason,
    signer: Annotated[
        str | None, typer.Option(help="Its new chain account; without one the service makes it.")
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Propose to replace a member's keys; the old ones are dead at once (committee)."""
    told = _public_keys(public)
    keys = {"signingKey": told["signingKey"], "sealingKey": told["sealingKey"], "reason": reason}
    if signer:
        keys["signer"] = signer
    with member_client(url, key) as client:
        found = client.rotate_keys(member, keys, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: tell_act(out, found, "Keys replaced"))


@app.command()
def entrust(
    member: Member,
    purpose: Annotated[
        list[str] | None, typer.Option(help="What for; repeat for more.", show_default=False)
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Its end: a date, or a span such as 1y.", show_default=False)
    ] = None,
    agreement: Annotated[
        Path | None, typer.Option(help="File with the agreement; stays off the chain.", show_default=False)
    ] = None,
    end: Annotated[bool, typer.Option("--end", help="End what you entrusted the member with.")] = False,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Entrust a member with acting for your institution, or end it."""
    with member_client(url, key) as client:
        if end:
            found = client.end_entrustment(member, idempotency_key=idempotency_key)
        elif not purpose or not until or agreement is None:
            raise InvalidInput(
                "an entrustment needs purposes, an end and an agreement",
                field="purpose",
                fix="Give --purpose, --until and --agreement, or --end.",
            )
        else:
            order = {
                "purposes": purpose,
                "validTo": read_time(until, field="until"),
                "agreement": agreement.read_text(),
            }
            found = client.entrust(member, order, idempotency_key=idempotency_key)
    title = f"Entrustments of {found['name']}" if "name" in found else "Entrustments"
    emit(found, as_json=as_json, render=lambda out: tell_act(out, found, title))


@app.command("new-keys")
def new_keys(
    name: Annotated[str, typer.Argument(help="Name of the institution.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="The new key file; never overwrites.")],
    as_json: options.Json = False,
) -> None:
    """Make a member's keys. What is printed is public: send it to the committee."""
    keys = MemberKeys.new(name)
    keys.save(out)
    public = keys.public()
    emit(public, as_json=as_json, render=lambda console: console.print(facts("Public keys", public)))
    note(f"The private keys are in {out}; nobody else can read it. Keep a copy in a safe place.")


@app.command()
def sign(
    method: Annotated[str, typer.Argument(help="GET, POST, PUT or DELETE.", show_default=False)],
    target: Annotated[
        str, typer.Argument(metavar="URL", help="Whole address of the request.", show_default=False)
    ],
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", help="The body, or @FILE; line breaks are left out as curl -d does."),
    ] = None,
    data_binary: Annotated[
        str | None,
        typer.Option("--data-binary", help="The body, or @FILE, as it is, as for curl --data-binary."),
    ] = None,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """
    Sign one request for curl.

    As in: curl --config <(passport member sign POST URL -d @FILE) URL -d @FILE

    The signature is good for one request within five minutes.
    """
    verb = method.upper()
    body = _body(data, as_it_is=False) if data_binary is None else _body(data_binary, as_it_is=True)
    headers = dict(sign_headers(member_keys(key), verb, target, body))
    if body:
        headers["Content-Type"] = "application/json"
    if verb in _WRITES:
        headers["Idempotency-Key"] = idempotency_key or secrets.token_hex(16)
    emit(
        {"method": verb, "url": target, "headers": headers},
        as_json=as_json,
        render=lambda _: _curl(verb, headers),
    )


@app.command("sign-in")
def sign_in(
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    as_json: options.Json = False,
) -> None:
    """Get a sign-in code for the pages; it is good for reading."""
    with member_client(url, key) as client:
        session = client.open_member_session()
    emit(session, as_json=as_json, render=lambda out: out.print(facts("Sign-in code", session)))


def _public_keys(public: Path) -> dict[str, Any]:
    told = parse_json(public.read_bytes(), what=str(public))
    if not isinstance(told, dict) or not {"name", "signingKey", "sealingKey"} <= told.keys():
        raise InvalidInput(f"{public} does not hold name, signingKey and sealingKey", field="public")
    return told


def _cap(text: str) -> tuple[str, int]:
    purpose, _, number = text.partition("=")
    if not number.isdecimal():
        raise InvalidInput(f"{text!r} is not PURPOSE=PERMITS, as in AI_TRAINING=500", field="cap")
    return purpose, int(number)


def _told(out: Console, member: dict[str, Any], verb: str) -> None:
    if advise(out, member):
        return
    out.print(
        f"{member['name']} is {verb}: member {member['memberId']}, status {member['status']}.", markup=False
    )


def _body(data: str | None, *, as_it_is: bool) -> bytes | None:
    if data is None:
        return None
    if not data.startswith("@"):
        return data.encode()
    text = Path(data[1:]).read_bytes()
    return text if as_it_is else text.replace(b"\r", b"").replace(b"\n", b"")


def _curl(verb: str, headers: dict[str, str]) -> None:
    """Print a curl config: in its quotes a backslash and a quote need a backslash."""
    print(f'request = "{verb}"')
    for name, value in headers.items():
        quoted = f"{name}: {value}".replace("\\", "\\\\").replace('"', '\\"')
        print(f'header = "{quoted}"')
