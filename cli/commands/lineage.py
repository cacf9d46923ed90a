"""`passport lineage`: record steps, check and share versions, answer withdrawals, and follow data both ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli import options
from cli.access import any_client, member_client
from cli.commands import lineage_files, lineage_joint
from cli.commands.lineage_files import Version
from cli.output import REFUSED, emit, facts, short, table
from ledger.errors import InvalidInput

app = typer.Typer(
    name="lineage", help="Steps and versions: where data came from and went.", no_args_is_help=True
)

Depth = Annotated[int | None, typer.Option(min=1, max=64, help="Most hops.", show_default=False)]
Report = Annotated[str, typer.Option(help="Your report; stays off the chain.")]


@app.command()
def step(
    kind: Annotated[
        str,
        typer.Argument(
            help="COLLECT, CLEAN, LABEL, SPLIT, MERGE, DEIDENTIFY, TRAIN, EVALUATE, DEPLOY, INFER, RELEASE or "
            "DESTROY.",
            show_default=False,
        ),
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", help="A version it used; a model before data; repeat.", show_default=False),
    ] = None,
    outputs: Annotated[
        list[str] | None,
        typer.Option("--output", help="Commitment to what it made; repeat.", show_default=False),
    ] = None,
    dataset: Annotated[int, typer.Option(min=0, help="The dataset, of COLLECT and DESTROY.")] = 0,
    project: Annotated[int, typer.Option(min=0, help="The project it is part of.")] = 0,
    purpose: Annotated[
        list[str] | None,
        typer.Option(help="What the model of TRAIN is for; repeat.", show_default=False),
    ] = None,
    epsilon: Annotated[int, typer.Option(min=0, help="Privacy it spends, in millionths of epsilon.")] = 0,
    tool: Annotated[str | None, typer.Option(help="Digest of the tool.", show_default=False)] = None,
    parameters: Annotated[
        Path | None,
        typer.Option(help="JSON file: how it was done; stays off the chain.", show_default=False),
    ] = None,
    environment: Annotated[
        Path | None,
        typer.Option(help="JSON file: where it was done; stays off the chain.", show_default=False),
    ] = None,
    evidence: Annotated[str, typer.Option(help="What shows it; stays off the chain.")] = "",
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Record a step. Ends with 0 if it stands and with 1 if it broke a rule; both are on record."""
    body: dict[str, Any] = {
        "kind": kind,
        "inputs": inputs or [],
        "outputs": outputs or [],
        "datasetId": dataset,
        "projectId": project,
        "purposes": purpose or [],
        "epsilon": epsilon,
        "parameters": _json(parameters, "parameters"),
        "environment": _json(environment, "environment"),
        "evidence": evidence,
    }
    if tool:
        body["tool"] = tool
    with member_client(url, key) as client:
        found = client.record_step(body, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _tell_step(out, found))
    if found["outcome"] != "PERMIT":
        raise typer.Exit(REFUSED)


@app.command()
def steps(
    member: Annotated[
        int | None, typer.Option(min=1, help="Only of this member.", show_default=False)
    ] = None,
    dataset: Annotated[
        int | None, typer.Option(min=1, help="Only those that name this dataset.", show_default=False)
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """List steps, those against the rules too, oldest first."""
    with any_client(url, key, session=session) as client:
        found = client.steps(member_id=member, dataset_id=dataset)
    emit(found, as_json=as_json, render=lambda out: out.print(_steps("Steps", found)))


@app.command()
def show(
    version: Version,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Show one version."""
    with any_client(url, key, session=session) as client:
        found = client.version(version)
    emit(found, as_json=as_json, render=lambda out: _tell_version(out, found))


@app.command()
def verify(
    version: Version,
    report: Report,
    passed: Annotated[bool, typer.Option("--passed/--failed", help="What you found.")],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Say whether a version was made as it should, as a verifier that had no part in it."""
    with member_client(url, key) as client:
        found = client.check_version(version, passed=passed, report=report, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _tell_version(out, found))


@app.command()
def share(
    version: Version,
    recipient: Annotated[int, typer.Option("--with", min=1, help="Number of the member.")],
    agreement: Annotated[int, typer.Option(min=1, help="Number of the agreement by which you give.")],
    project: Annotated[
        int,
        typer.Option(min=0, help="The recipient's project that is cleared for the border, if it is abroad."),
    ] = 0,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Let another member use a version of yours that passed its check, within an agreement."""
    with member_client(url, key) as client:
        found = client.share_version(version, recipient, agreement, project, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _tell_version(out, found))


@app.command()
def external(
    content: Annotated[str, typer.Argument(help="Commitment to its content.", show_default=False)],
    kind: Annotated[str, typer.Argument(help="DATA or MODEL.", show_default=False)],
    purpose: options.Purposes,
    statement: Annotated[
        str, typer.Option(help="Where it is from, and what allows its use; stays off the chain.")
    ],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Vouch for data or a model from outside. No step takes it before a verifier has passed it; the answer names it."""
    body = {"content": content, "kind": kind, "purposes": purpose, "statement": statement}
    with member_client(url, key) as client:
        found = client.register_external(body, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _tell_version(out, found))


@app.command()
def rounds(
    version: Version,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Show the chain of models that a model was trained on from, and who took part in each round."""
    with any_client(url, key, session=session) as client:
        found = client.rounds(version)
    rows = [
        (
            item["number"],
            item["step"]["position"]["time"],
            item["model"]["versionId"],
            item["step"]["member"]["name"],
            [part["member"]["name"] for part in item["step"]["parts"]],
        )
        for item in found["items"]
    ]
    columns = ("round", "when", "model", "recorded by", "took part")
    emit(found, as_json=as_json, render=lambda out: out.print(table("Rounds", columns, rows)))


@app.command()
def answer(
    version: Version,
    what: Annotated[
        str, typer.Argument(help="RETRAINED, UNLEARNED, RETIRED or JUSTIFIED.", show_default=False)
    ],
    evidence: Annotated[str, typer.Option(help="What shows it; stays off the chain.")],
    successor: Annotated[
        str | None,
        typer.Option(help="The model in its place, of RETRAINED and UNLEARNED.", show_default=False),
    ] = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Answer the withdrawals that have reached a model of yours."""
    body: dict[str, Any] = {"answer": what, "evidence": evidence}
    if successor:
        body["successor"] = successor
    with member_client(url, key) as client:
        found = client.answer_withdrawal(version, body, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _tell_version(out, found))


@app.command()
def suspend(
    version: Version,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    idempotency_key: options.IdempotencyKey = None,
    as_json: options.Json = False,
) -> None:
    """Suspend a model whose owner owes an answer for too long. Any member may."""
    with member_client(url, key) as client:
        found = client.suspend_model(version, idempotency_key=idempotency_key)
    emit(found, as_json=as_json, render=lambda out: _tell_version(out, found))


@app.command()
def forward(
    version: Annotated[str | None, typer.Argument(help="Name of the version.", show_default=False)] = None,
    dataset: Annotated[
        int | None, typer.Option(min=1, help="A dataset in its place.", show_default=False)
    ] = None,
    passport: Annotated[str | None, typer.Option(help="A passport in its place.", show_default=False)] = None,
    depth: Depth = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Show where a version, a dataset or a patient's data went."""
    if sum(subject is not None for subject in (version, dataset, passport)) != 1:
        raise InvalidInput(
            "one thing is followed at a time", field="version", fix="Give a version, --dataset or --passport."
        )
    with any_client(url, key, wallet=wallet, custodian=custodian, session=session) as client:
        found = client.forward(version, dataset_id=dataset, passport_id=passport, depth=depth)
    emit(found, as_json=as_json, render=lambda out: _tell_walk(out, found))


@app.command()
def back(
    version: Version,
    depth: Depth = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Show what a version was made of, down to the datasets and, for their owner, the consents."""
    with any_client(url, key, session=session) as client:
        found = client.back(version, depth=depth)
    emit(found, as_json=as_json, render=lambda out: _tell_walk(out, found))


@app.command()
def trace(
    version: Version,
    depth: Depth = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Show the custody chain of a version: who made, checked, got and used it."""
    with any_client(url, key, session=session) as client:
        found = client.trace(version, depth=depth)
    rows = [
        (item["position"]["time"], item["act"], item["versionId"], item["sentence"])
        for item in found["items"]
    ]
    columns = ("when", "act", "version", "what")
    emit(found, as_json=as_json, render=lambda out: out.print(table("Custody", columns, rows)))


@app.command()
def blame(
    version: Version,
    depth: Depth = None,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Name the first step in a version's ancestry that went wrong. Ends with 1 if there is one."""
    with any_client(url, key, session=session) as client:
        found = client.blame(version, depth=depth)
    emit(found, as_json=as_json, render=lambda out: out.print(f"{found['sentence']}.", markup=False))
    if found["step"] is not None:
        raise typer.Exit(REFUSED)


@app.command()
def obligations(
    owner: Annotated[int | None, typer.Option(min=1, help="Only of this member.", show_default=False)] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what was due and is missing.")] = False,
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """List the answers that owners of models owe to those who withdrew, the one due first first."""
    with any_client(url, key, session=session) as client:
        found = client.obligations(owner=owner, overdue=overdue)
    emit(found, as_json=as_json, render=lambda out: _tell_all(out, found))


@app.command()
def impact(
    grant: Annotated[str, typer.Argument(help="The consent.", show_default=False)],
    url: options.Url = options.DEFAULT_URL,
    key: options.Key = None,
    wallet: options.Wallet = None,
    custodian: options.Custodian = None,
    session: options.Session = None,
    as_json: options.Json = False,
) -> None:
    """Show what a consent's data is in, and what its withdrawal asks, or would ask."""
    with any_client(url, key, wallet=wallet, custodian=custodian, session=session) as client:
        found = client.impact(grant)
    emit(found, as_json=as_json, render=lambda out: _tell_impact(out, found))


lineage_files.add_to(app)
lineage_joint.add_to(app)


def _json(path: Path | None, field: str) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise InvalidInput(f"{path} is no JSON: {error}", field=field) from None
    if not isinstance(found, dict):
        raise InvalidInput(f"{path} holds no JSON object", field=field)
    return found


def _tell_step(out: Console, found: dict[str, Any]) -> None:
    out.print(f"Step {found['stepId']}: {found['sentence']}.", markup=False)
    for reason in found["reasons"]:
        out.print(f"  - {reason}", markup=False)


def _tell_version(out: Console, found: dict[str, Any]) -> None:
    out.print(facts(f"{found['kind'].capitalize()} of {found['owner']['name']}", found))
    if found["obligation"]:
        _tell_all(out, [found["obligation"]])


def _tell_all(out: Console, found: list[dict[str, Any]]) -> None:
    if not found:
        out.print("Nothing is owed.")
    for item in found:
        out.print(f"{short(item['versionId'])}: {item['sentence']}.", markup=False)


def _tell_walk(out: Console, found: dict[str, Any]) -> None:
    for item in found["datasets"]:
        out.print(
            f"Dataset {item['datasetId']} of {item['owner']['name']}, {item['said']}: {item['included']} included.",
            markup=False,
        )
    out.print(_steps("Steps", found["steps"]))
    if not found["complete"]:
        out.print("There is more than was shown.")


def _tell_impact(out: Console, found: dict[str, Any]) -> None:
    out.print(f"{found['sentence']}.", markup=False)
    rows = [
        (item["versionId"], item["kind"], item["owner"]["name"], item["status"])
        for item in (*found["models"], *found["versions"])
    ]
    out.print(table("Reached", ("version", "kind", "owner", "status"), rows))
    for item in (*found["obligations"], *found["answers"]):
        out.print(f"{short(item['versionId'])}: {item['sentence']}.", markup=False)


def _steps(title: str, found: list[dict[str, Any]]) -> Any:
    columns = ("no.", "when", "what", "by", "makes", "stands", "reasons")
    rows = [
        (
            item["stepId"],
            item["position"]["time"],
            item["kind"],
            item["member"]["name"],
            [short(name) for name in item["outputs"]],
            item["outcome"] == "PERMIT",
            item["reasons"],
        )
        for item in found
    ]
    return table(title, columns, rows)
