"""`passport lineage export` and `import`: lineage in the words of W3C PROV, FHIR, OpenLineage, and the dataset card."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from cli import options
from cli.access import any_client, member_client
from cli.output import REFUSED, emit
from ledger.client import PassportClient
from ledger.domain.records import Address
from ledger.domain.vocabulary import StepKind
from ledger.encoding.typed_data import LedgerDomain
from ledger.errors import InvalidInput, NotFound, TooLarge
from ledger.interop.lineage.document import ForeignStep, kind_of, ledger_urn, step_of

if TYPE_CHECKING:
    from ledger.client.imports import Import, Names

_MAX_BYTES = 16 * 1024 * 1024


Version = Annotated[
    str,
    typer.Argument(help="Name of the version: the commitment to its content.", show_default=False),
]


class Standard(StrEnum):
    """What a lineage is written in."""

    PROV_JSON = "prov-json"
    FHIR = "fhir"
    OPENLINEAGE = "openlineage"
    CARD = "card"


class Readable(StrEnum):
    """What a lineage is read in: the card tells of no steps."""

    PROV_JSON = "prov-json"
    FHIR = "fhir"
    OPENLINEAGE = "openlineage"


def add_to(app: typer.Typer) -> None:
    """Add both commands to `passport lineage`."""
    app.command("export")(export)
    app.command("import")(import_)


def export(
    version: Version,
    standard: Annotated[
        Standard, typer.Option("--format", help="The standard that it is written in.")
    ] = Standard.PROV_JSON,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
) -> None:
    """Print the whole lineage of a version as a document of a standard, JSON on standard output."""
    with any_client(url, key, session=session) as client:
        typer.echo(json.dumps(client.lineage(version, standard.value), indent=1, ensure_ascii=False))


def import_(
    file: Annotated[
        Path, typer.Argument(help="The document; OpenLineage events also one a line.", show_default=False)
    ],
    standard: Annotated[Readable, typer.Option("--format", help="The standard that it is written in.")],
    names: Annotated[
        Path,
        typer.Option(help="JSON file: which versions the document's names are for; grows by what is made."),
    ] = Path("lineage-names.json"),
    kind: Annotated[
        str | None,
        typer.Option("--as", help="What activities are that name no kind of step.", show_default=False),
    ] = None,
    dataset: Annotated[int, typer.Option(min=0, help="The dataset that COLLECT fills.")] = 0,
    project: Annotated[int, typer.Option(min=0, help="The project that the steps are part of.")] = 0,
    purpose: Annotated[
        list[str] | None, typer.Option(help="What models are for; repeat.", show_default=False)
    ] = None,
    tool: Annotated[
        str | None,
        typer.Option(help="Digest of the tool, unless the document names it.", show_default=False),
    ] = None,
    external: Annotated[
        list[str] | None,
        typer.Option(
            help="Vouch for what nothing is known of: bring it in from outside, for this purpose; repeat. A step that uses "
            "it is left until a verifier has passed it: import again then.",
            show_default=False,
        ),
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    as_json: options.Json = False,
) -> None:
    """
    Record the steps that somebody else's document tells of, in its order.

    Those that are on the ledger already are left out, so the same document may be given again. Ends with 1 if a
    step broke a rule; it is on record, and so are those before it.
    """
    from ledger.client.imports import READERS, Import, Names

    steps = READERS[standard.value](_text(file))
    known = Names.read(names)
    with member_client(url, key) as client:
        told = Import(
            ledger=_urn(client),
            kind=_kind(kind),
            dataset_id=dataset,
            project_id=project,
            purposes=tuple(purpose or ()),
            tool=tool,
            external=tuple(external) if external else None,
        )
        recorded = [_record(client, step, known, told) for step in steps]
    emit(recorded, as_json=as_json, render=lambda out: _tell(out, recorded))
    if any(item["outcome"] == "DENY" for item in recorded):
        raise typer.Exit(REFUSED)


def _record(client: PassportClient, step: ForeignStep, names: Names, told: Import) -> dict[str, Any]:
    from ledger.client.imports import plan

    if _is_known(client, step, names, told.ledger):
        return {"activity": step.activity, "outcome": "KNOWN", "stepId": None, "reasons": []}
    waiting = _bring_in(client, step, names, told)
    if waiting:
        return {"activity": step.activity, "outcome": "WAITS", "stepId": None, "reasons": waiting}
    planned = plan(step, names, told)
    answer = client.record_step(planned.body)
    if answer["outcome"] == "PERMIT":
        names.known |= {name: made.version_id for name, made in planned.outputs.items()}
        if step.name:
            names.known[_remembered(step)] = str(answer["stepId"])
        names.save()
    return {"activity": step.activity, **answer}


def _bring_in(client: PassportClient, step: ForeignStep, names: Names, told: Import) -> list[str]:
    """Register what a step uses that nothing is known of, if that is wished; returns what it waits for."""
    from ledger.client.imports import externals

    for name, body in externals(step, names, told).items():
        names.known[name] = client.register_external(body)["versionId"]
        names.save()
    if told.external is None:
        return []
    used = {name: names.known[name] for name in step.inputs if name in names.known}
    return [
        f"{name} is from outside and waits for a verifier: {version}"
        for name, version in used.items()
        if client.version(version)["quarantined"]
    ]


def _is_known(client: PassportClient, step: ForeignStep, names: Names, ledger: str) -> bool:
    """Tell whether a step, or all that it made, is on the ledger: by its own name, or as an import recorded it."""
    from ledger.client.imports import ours

    if step_of(step.name, ledger) is not None or _remembered(step) in names.known:
        return True
    made = ours(step, ledger) or [names.known[name] for name in step.outputs if name in names.known]
    if not made or len(made) != len(step.outputs):
        return False
    try:
        for version in made:
            client.version(version)
    except NotFound:
        return False
    return True


def _remembered(step: ForeignStep) -> str:
    return f"step {step.name}"


def _kind(words: str | None) -> StepKind | None:
    found = kind_of(words) if words else None
    if words and found is None:
        raise InvalidInput(
            f"{words!r} is no kind of step", field="as", fix=f"One of {', '.join(StepKind.__members__)}."
        )
    return found


def _urn(client: PassportClient) -> str:
    spec = client.ledger()
    return ledger_urn(LedgerDomain(int(spec["chainId"]), Address(spec["ledger"])))


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise TooLarge(f"{file} is over {_MAX_BYTES} bytes", fix="Split it.")
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}", field="file") from None


def _tell(out: Console, recorded: list[dict[str, Any]]) -> None:
    for item in recorded:
        if item["outcome"] == "KNOWN":
            out.print(f"{item['activity']}: on the ledger already", markup=False)
            continue
        if item["outcome"] == "WAITS":
            out.print(f"{item['activity']}: waits", markup=False)
            for reason in item["reasons"]:
                out.print(f"  - {reason}", markup=False)
            continue
        out.print(f"Step {item['stepId']}: {item['sentence']}.", markup=False)
        for reason in item["reasons"]:
            out.print(f"  - {reason}", markup=False)
