"""A trace as JSON values."""

from __future__ import annotations

from typing import Any

from ledger.audit.link import Link, LinkAct
from ledger.audit.report import AuditReport, finding_as_json, position_as_json
from ledger.audit.trace import Holder, Trace, Violation
from ledger.domain.records import NO_GRANT
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.inclusions import InclusionList

Json = dict[str, Any]


def trace_as_json(report: AuditReport, found: Trace) -> Json:
    """Return a trace as JSON values: bytes as hexadecimal, times in seconds since the Unix epoch."""
    state = report.replay.state
    chain = [_link(link, state.member_name) for link in found.chain]
    acts = [link.act for link in found.chain]
    return {
        "chainId": report.chain_id,
        "ledger": report.ledger,
        "fromBlock": report.from_block,
        "toBlock": report.to_block,
        "subject": {
            "kind": found.subject.kind.value,
            "name": found.subject.name,
            "words": found.subject.words,
        },
        "at": found.at,
        "conclusion": found.conclusion,
        "responsible": None
        if found.responsible is None
        else {
            "member": found.responsible.member_id,
            "memberName": found.responsible.member_name,
            "rule": found.responsible.rule,
            "reason": found.responsible.reason,
        },
        "violation": None if found.violation is None else _violation(found.violation),
        "violations": [_violation(item) for item in found.violations if item not in found.gaps],
        "gaps": [_violation(item) for item in found.gaps],
        "unreliable": [finding_as_json(finding) for finding in found.unreliable],
        "holders": [_holder(holder) for holder in found.holders],
        "transfers": _of(chain, acts, LinkAct.SHIPPED, LinkAct.RECEIVED),
        "shares": _of(chain, acts, LinkAct.SHARED),
        "chain": chain,
    }


def _of(chain: list[Json], acts: list[LinkAct], *wanted: LinkAct) -> list[Json]:
    return [told for told, act in zip(chain, acts, strict=True) if act in wanted]


def _link(link: Link, called: Any) -> Json:
    return {
        "act": link.act.value,
        "sentence": link.sentence,
        "time": link.time,
        "position": position_as_json(link.position) if link.position else None,
        "member": link.member_id,
        "memberName": None if link.member_id is None else called(link.member_id),
        "recipient": link.recipient or None,
        "recipientName": called(link.recipient) if link.recipient else None,
        "passport": to_hex(link.passport_id) if link.passport_id else None,
        "seq": link.seq,
        "grant": to_hex(link.grant_id) if link.grant_id else None,
        "basis": link.basis,
        "policyVersion": link.policy_version or None,
        "project": link.project_id or None,
        "agreement": to_hex(link.agreement) if link.agreement else None,
        "dataset": link.dataset_id or None,
        "step": link.step_id or None,
        "versions": [to_hex(name) for name in link.versions],
        "transfer": to_hex(link.transfer_id) if link.transfer_id else None,
        "permitted": link.permitted,
        "missing": list(link.missing),
        "reasons": list(link.reasons),
        "inclusions": inclusions_as_json(link.inclusions) if link.inclusions else None,
    }


def inclusions_as_json(found: InclusionList) -> Json:
    """Return decisions told in short as JSON values."""
    return {
        "count": found.count,
        "digest": to_hex(found.digest),
        "decisions": [
            {
                "passport": to_hex(passport_id),
                "seq": seq,
                "grant": None if grant_id == NO_GRANT else to_hex(grant_id),
            }
            for passport_id, seq, grant_id in found.named
        ],
    }


def _violation(item: Violation) -> Json:
    return {
        "rule": item.rule.value,
        "gravity": item.gravity.name,
        "detail": item.detail,
        "member": item.member_id,
        "memberName": item.member_name,
        "time": item.time,
        "passport": item.passport,
        "seq": item.seq,
        "evidence": [position_as_json(position) for position in item.evidence],
    }


def _holder(holder: Holder) -> Json:
    link = holder.link
    return {
        "member": holder.member_id,
        "memberName": holder.member_name,
        "reason": holder.reason,
        "since": position_as_json(holder.since) if holder.since else None,
        "until": holder.until,
        "allowed": holder.allowed,
        "passport": to_hex(link.passport_id) if link.passport_id else None,
        "seq": link.seq,
        "grant": to_hex(link.grant_id) if link.grant_id else None,
    }
