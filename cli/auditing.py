"""The auditor's replay from the command line: a node's URL and the ledger's address are all it needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from cli.progress import Report, silent
from cli.times import rfc3339
from ledger.audit.auditor import audit
from ledger.audit.index import IndexReader
from ledger.audit.lineage import LineageGraph
from ledger.audit.point_in_time import Question, was_permitted
from ledger.audit.report import AuditReport, position_as_json
from ledger.audit.source import read_events
from ledger.audit.trace import Form, trace
from ledger.audit.trace_report import trace_as_json
from ledger.chain import artifacts
from ledger.chain.rpc import Node
from ledger.client.leaks import FoundFile
from ledger.domain.days import day_of
from ledger.domain.lineage import VersionId
from ledger.domain.records import NO_GRANT, Address, GrantId, PassportId, Terms
from ledger.domain.vocabulary import (
    MISSING_LABELS,
    Basis,
    Category,
    Fact,
    Level,
    Operation,
    Outcome,
    Purpose,
    code,
    flags,
    names,
)
from ledger.encoding.events import EventDecoder
from ledger.encoding.hexadecimal import address, bytes32, to_hex
from ledger.encoding.typed_data import LedgerDomain
from ledger.errors import InvalidInput
from ledger.interop.fhir import AccessLogEntry, access_log, parse_json, passport_system

_READING: Final = "reading the chain"


def replay(
    rpc_url: str,
    ledger: str,
    *,
    from_block: int = 0,
    access_logs: Sequence[Path] = (),
    index_url: str | None = None,
    report: Report = silent,
) -> AuditReport:
    """
    Decide every decision again and say what is wrong.

    Args:
        rpc_url: The node to believe.
        ledger: The contract's address.
        from_block: A block before or at which the ledger was deployed.
        access_logs: Files of FHIR AuditEvents.
        index_url: The service's database, to hold its index against the chain.
        report: Told how far the reading has come.

    Raises:
        InvalidInput: *ledger* is no address.
        MalformedRecord: An access log cannot be read.
        NotFound: There is no contract at the address.
        ChainError: The node does not answer.
    """
    contract = Address(address(ledger, field="ledger"))
    node = Node(rpc_url)
    system = passport_system(LedgerDomain(node.chain_id(), contract))
    return audit(
        node,
        artifacts.load().abi,
        contract,
        from_block=from_block,
        uses=_uses(access_logs, system),
        index=_index(index_url) if index_url else None,
        progress=lambda block, last, _: report(_READING, block, last),
    )


def traced(
    rpc_url: str,
    ledger: str,
    subject: str,
    *,
    from_block: int = 0,
    access_logs: Sequence[Path] = (),
    at: int | None = None,
    found: FoundFile | None = None,
    report: Report = silent,
) -> dict[str, Any]:
    """
    Trace something to who is responsible for it, from a node alone.

    Args:
        rpc_url: The node to believe.
        ledger: The contract's address.
        subject: What is traced, see `ledger.audit.trace.trace`.
        from_block: A block before or at which the ledger was deployed.
        access_logs: Files of FHIR AuditEvents; what is about other data is left out.
        at: When the holders are asked for, seconds since the Unix epoch; the time of the violation if None.
        found: The file that the subject is the commitment of: who got another form of the data is left out.
        report: Told how far the reading has come.

    Returns:
        The trace as JSON.

    Raises:
        InvalidInput: *ledger* is no address, or the subject names nothing that can be traced.
        MalformedRecord: An access log cannot be read.
        NotFound: There is no contract at the address, or the chain knows nothing of the subject.
        ChainError: The node does not answer.
    """
    audited = replay(rpc_url, ledger, from_block=from_block, report=report)
    uses = _uses(access_logs, passport_system(LedgerDomain(audited.chain_id, audited.ledger)))
    form = Form(found.level, found.categories) if found and found.level is not None else None
    return trace_as_json(audited, trace(audited, subject, uses=uses, at=at, form=form))


def blamed(
    rpc_url: str, ledger: str, version: str, *, from_block: int = 0, report: Report = silent
) -> dict[str, Any]:
    """
    Name the first step in a version's ancestry that went wrong, from a node alone.

    Args:
        rpc_url: The node to believe.
        ledger: The contract's address.
        version: The version, `0x` and 64 digits.
        from_block: A block before or at which the ledger was deployed.
        report: Told how far the reading has come.

    Returns:
        The answer as JSON; `member` is null if nothing went wrong, `step` also if it was a version from outside.

    Raises:
        InvalidInput: *ledger* is no address, or *version* no id.
        NotFound: There is no contract at the address, or no step names the version.
        ChainError: The node does not answer.
    """
    audited = replay(rpc_url, ledger, from_block=from_block, report=report)
    state = audited.replay.state
    blame = LineageGraph(state).blame(VersionId(bytes32(version, field="version")))
    if blame is None:
        sentence = "Nothing in the ancestry of this version went wrong"
        return {"versionId": version, "step": None, "member": None, "memberName": None, "sentence": sentence}
    record = blame.step.record if blame.step else None
    name = state.member_name(blame.member_id)
    return {
        "versionId": version,
        "step": record.step_id if record else None,
        "kind": record.step.kind.name if record else None,
        "failed": to_hex(blame.failed.version_id) if blame.failed else None,
        "missing": names(record.missing) if record else [],
        "member": blame.member_id,
        "memberName": name,
        "position": position_as_json(blame.position),
        "sentence": f"{name} is responsible: {blame.reason}",
    }


def asked_about(
    passport: str,
    member: int,
    *,
    purpose: str,
    basis: str,
    operation: str,
    categories: Sequence[str],
    level: str,
    grant: str | None = None,
    numbers: tuple[int, int, int] = (0, 0, 0),
    days: tuple[str | None, str | None] = (None, None),
) -> Question:
    """
    Put a question about the past.

    Args:
        passport: The passport's id.
        member: Who would have asked.
        purpose: Name of a purpose; the others likewise.
        basis: On what legal ground.
        operation: What would have been done.
        categories: Kinds of data.
        level: Level of de-identification.
        grant: A grant's id; None for the best there was.
        numbers: Project, emergency and controller; 0 for none.
        days: First and last day of the data; None for no limit.

    Raises:
        InvalidInput: Something is not what it should be.
    """
    project, emergency, controller = numbers
    first, last = (day_of(_day(day)) for day in days)
    return Question(
        passport_id=PassportId(bytes32(passport, field="passport")),
        member_id=member,
        terms=Terms(
            purpose=code(Purpose, purpose),
            basis=code(Basis, basis),
            operation=code(Operation, operation),
            categories=flags(Category, tuple(categories)),
            level=code(Level, level),
            project_id=project,
            emergency_id=emergency,
            controller_id=controller,
            first_day=first,
            last_day=last,
        ),
        grant_id=GrantId(bytes32(grant, field="grant")) if grant else None,
    )


def permitted(
    rpc_url: str,
    ledger: str,
    question: Question,
    at: int | None,
    *,
    from_block: int = 0,
    report: Report = silent,
) -> dict[str, Any]:
    """
    Tell from a node alone whether something was permitted at a time.

    Args:
        rpc_url: The node to believe.
        ledger: The contract's address.
        question: What is asked.
        at: Seconds since the Unix epoch; None for the newest block.
        from_block: A block before or at which the ledger was deployed.
        report: Told how far the reading has come.

    Returns:
        The answer as JSON, with the names of `GET /v1/permissions`.

    Raises:
        InvalidInput: *ledger* is no address, or the time is after the newest block.
        NotFound: There was no such passport or member then.
        ChainError: The node does not answer.
    """
    contract = Address(address(ledger, field="ledger"))
    node = Node(rpc_url)
    head = node.head()
    moment = head.time if at is None else at
    if moment > head.time:
        raise InvalidInput("the chain has no block of that time yet", field="at", fix="Ask about the past.")
    events = read_events(
        node,
        EventDecoder(artifacts.load().abi),
        contract,
        from_block=from_block,
        to_block=head.number,
        progress=lambda block, last, _: report(_READING, block, last),
    )
    answer = was_permitted(events, question, moment)
    verdict = answer.verdict
    return {
        "passportId": to_hex(question.passport_id),
        "memberId": question.member_id,
        "at": rfc3339(answer.at),
        "permitted": verdict.outcome is Outcome.PERMIT,
        "outcome": verdict.outcome.name,
        "grantId": to_hex(answer.grant_id) if answer.grant_id != NO_GRANT else None,
        "policyVersion": verdict.policy_version,
        "dataClass": verdict.data_class.name,
        "facts": names(verdict.facts),
        "missing": names(verdict.missing),
        "reasons": [MISSING_LABELS[Fact[name]] for name in names(verdict.missing)],
        "block": answer.last.block_number if answer.last else None,
    }


def _uses(paths: Iterable[Path], system: str) -> list[AccessLogEntry]:
    return [
        entry
        for path in paths
        for entry in access_log(parse_json(path.read_bytes(), what=str(path)), passport_system=system)
    ]


def _index(url: str) -> IndexReader:
    from ledger.bootstrap import index_reader

    reader: IndexReader = index_reader(url)
    return reader


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput(f"{text!r} is not a day, as in 2027-01-31", field="day") from None
