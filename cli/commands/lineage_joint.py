"""`passport lineage name`, `draft`, `sign-part` and `joint`: steps that several members take part in."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from cli import options
from cli.access import member_client
from cli.output import REFUSED, emit
from ledger.encoding.hexadecimal import bytes32
from ledger.errors import InvalidInput

PASSPHRASE_VARIABLE: Final = "PASSPORT_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable

StepFile = Annotated[
    Path, typer.Argument(help="JSON file of the drafted step, which all sign.", show_default=False)
]


def add_to(app: typer.Typer) -> None:
    """Add the commands to `passport lineage`."""
    app.command("name")(name)
    app.command("draft")(draft)
    app.command("sign-part")(sign_part)
    app.command("joint")(joint)


def name(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="What a step makes, or what you contribute to one.", metavar="FILE...", show_default=False
        ),
    ],
    keep: Annotated[
        Path,
        typer.Option(
            help="File that names, digests and salts are appended to; yours alone: it proves what a name stands for, and "
            "`audit trace --kept` reads it."
        ),
    ] = Path("made.jsonl"),
    as_json: options.Json = False,
) -> None:
    """Name files by salted commitments to their content: the names of versions, and of contributions. Needs no network."""
    from ledger.client import steps

    try:
        made = [(str(file), steps.Made.of(file)) for file in files]
        steps.keep(keep, [item for _, item in made])
    except OSError as error:
        raise InvalidInput(f"{error.filename}: {error.strerror}", field="file") from None
    found = [{"file": file, "version": item.version_id, "sha256": item.digest} for file, item in made]

    def render(out: Console) -> None:
        for item in found:
            out.print(
                item["version"] if len(found) == 1 else f"{item['version']}  {item['file']}",
                markup=False,
                soft_wrap=True,
            )

    emit(found, as_json=as_json, render=render)


def draft(
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON file: the body of a step as `POST /v1/steps` takes it.", show_default=False
        ),
    ],
    recorder: Annotated[int, typer.Option(min=1, help="Number of the member that will record it: yours.")],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
) -> None:
    """Print a draft of a joint step, JSON on standard output: what you send to all who take part."""
    from ledger.client.joint import draft as drafted

    with member_client(url, key) as client:
        typer.echo(
            json.dumps(drafted(client, _object(file), recorder=recorder), indent=1, ensure_ascii=False)
        )


def sign_part(
    file: StepFile,
    contribution: Annotated[
        str,
        typer.Option(
            help="Commitment to what you contribute, your update of the model for example: `lineage name` makes it."
        ),
    ],
    member: Annotated[
        int, typer.Option(min=0, help="Your number, if you sign with a key of your own (--signer).")
    ] = 0,
    signer: Annotated[
        Path | None,
        typer.Option(
            help="Key file of the account that signs your transactions; without it your service signs. An encrypted one "
            "needs PASSPORT_KEY_PASSPHRASE.",
            show_default=False,
        ),
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
) -> None:
    """Take part in a drafted step: print your signed part, JSON on standard output. With --signer needs no network."""
    from ledger.chain.keystore import read_key_file
    from ledger.client.joint import body_of
    from ledger.client.joint import sign_part as signed

    drafted = _object(file)
    if signer is not None:
        if not member:
            raise InvalidInput("a part says whose it is", field="member", fix="Give your number: --member 3.")
        private_key = read_key_file(signer, passphrase=os.environ.get(PASSPHRASE_VARIABLE))
        part = signed(drafted, member_id=member, contribution=bytes32(contribution), private_key=private_key)
    else:
        step = body_of(drafted)
        with member_client(url, key) as client:
            part = client.sign_part(step, recorder=drafted.get("recorder", 0), contribution=contribution)
    typer.echo(json.dumps(part, indent=1))


def joint(
    file: StepFile,
    parts: Annotated[list[Path], typer.Argument(help="JSON files of the signed parts.", show_default=False)],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Record a joint step. Ends with 0 if it stands and with 1 if it broke a rule; both are on record."""
    from ledger.client.joint import body_of

    try:
        body = body_of(_object(file), [_object(part) for part in parts])
    except (KeyError, ValueError) as error:
        raise InvalidInput(f"a part is none that was signed: {error}", field="parts") from None
    with member_client(url, key) as client:
        found = client.record_step(body, idempotency_key=idempotency_key)
    emit(
        found, as_json=as_json, render=lambda out: out.print(f"Step {found['stepId']}: {found['sentence']}.")
    )
    if found["outcome"] != "PERMIT":
        raise typer.Exit(REFUSED)


def _object(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{file} is no JSON: {error}", field="file") from None
    if not isinstance(found, dict):
        raise InvalidInput(f"{file} holds no JSON object", field="file")
    return found
