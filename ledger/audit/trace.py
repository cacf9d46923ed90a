"""
A trace: the custody chain of something, what first went wrong with it, and who is responsible, from the chain alone.

Works on an audit that is done; reads nothing. What is wrong, the audit's findings say; this module adds what is not wrong
with the ledger but with what somebody did: requests that were refused, steps against the rules, failed checks, late use.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Final

from ledger.audit.findings import Finding, Limits, Rule, Use, use_findings
from ledger.audit.link import Link, LinkAct, Name
from ledger.audit.links import READINGS
from ledger.audit.report import AuditReport
from ledger.audit.state import DecisionEntry, GrantEntry, LedgerState
from ledger.audit.subjects import Subject, SubjectKind, Subjects
from ledger.domain.lineage import VersionId
from ledger.domain.records import ZERO32, Commitment, Event, GrantId, PassportId, Position
from ledger.domain.vocabulary import Category, Check, Level, StepKind
from ledger.domain.wording import time_in_words
from ledger.encoding.hexadecimal import bytes32, to_hex
from ledger.encoding.inclusions import InclusionList, inclusion_list
from ledger.errors import InvalidInput, VerificationError
from ledger.policy import PERMIT_SECONDS


class Misuse(StrEnum):
    """What a trace calls wrong that is no finding of the audit: the ledger itself is in order."""

    REQUEST_REFUSED = "request-refused"
    STEP_AGAINST_RULES = "step-against-rules"
    CHECK_FAILED = "check-failed"
    PERMIT_USED_LATE = "permit-used-late"
    RELEASE_AFTER_CONSENT = "release-after-consent"


class Gravity(IntEnum):
    """How much a violation weighs, the gravest first. A gap needs no wrong-doing; nobody is held responsible for it."""

    BREACH = 0
    ATTEMPT = 1
    GAP = 2


#: Findings that say that the evidence itself does not hold: they accuse the chain, the node or the index, no member.
_UNRELIABLE: Final = frozenset(
    {
        Rule.DECISION_MISMATCH,
        Rule.STEP_MISMATCH,
        Rule.HEAD_MISMATCH,
        Rule.SIZE_MISMATCH,
        Rule.WITHDRAWAL_MISMATCH,
        Rule.INDEX_ALTERED,
    }
)
#: Kinds of names that bear on a trace if somebody or something in it has them: they are followed afterwards.
_CONTEXT: Final = frozenset({"standing", "project"})


@dataclass(frozen=True, slots=True)
class Form:
    """In which form a file is: its level of de-identification, and the kinds of data in it."""

    level: Level
    categories: Category


@dataclass(frozen=True, slots=True)
class Violation:
    """
    One thing that somebody did, or left undone, against a rule.

    Attributes:
        rule: The rule: a finding's of the audit, or one of `Misuse`.
        detail: One sentence in plain words.
        member_id: Whose it is; None if nobody on the ledger is known.
        time: When, seconds since the Unix epoch.
        evidence: Where on the chain to look, in the order of the chain.
    """

    rule: Rule | Misuse
    gravity: Gravity
    detail: str
    member_id: int | None
    member_name: str | None
    time: int
    passport: str | None = None
    seq: int | None = None
    evidence: tuple[Position, ...] = ()


@dataclass(frozen=True, slots=True)
class Responsible:
    """Who is held responsible, and why: one sentence with the rule and the evidence."""

    member_id: int | None
    member_name: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Holder:
    """
    Somebody who has, or had, what is traced.

    Attributes:
        reason: How it came by it.
        since: Where that is recorded.
        until: When its right ended or ends, seconds since the Unix epoch; None if it has no end.
        allowed: Whether it was allowed to have it at the time asked about.
        link: The link by which it has it.
    """

    member_id: int
    member_name: str
    reason: str
    since: Position | None
    until: int | None
    allowed: bool
    link: Link


@dataclass(frozen=True, slots=True)
class Trace:
    """
    The answer to a trace.

    Attributes:
        at: The time that the holders are judged at: of the violation, unless another one was asked about.
        chain: The links, in the order of the chain.
        holders: Everybody who has, or had it, in the order in which they got it.
        violations: What went wrong: the gravest first, among those alike the first one.
        unreliable: Findings that say that the evidence itself does not hold.
        responsible: Who is held responsible for the first violation; None if nobody broke a rule on record.
    """

    subject: Subject
    at: int
    chain: tuple[Link, ...]
    holders: tuple[Holder, ...]
    violations: tuple[Violation, ...]
    unreliable: tuple[Finding, ...]
    responsible: Responsible | None

    @property
    def violation(self) -> Violation | None:
        """Return the first of the gravest; None if nothing but gaps is on record."""
        return next((item for item in self.violations if item.gravity is not Gravity.GAP), None)

    @property
    def gaps(self) -> tuple[Violation, ...]:
        """Return what is not on record and need not be wrong."""
        return tuple(item for item in self.violations if item.gravity is Gravity.GAP)

    @property
    def conclusion(self) -> str:
        """Return the answer in plain words."""
        if self.responsible is not None and self.violation is not None:
            name = self.responsible.member_name
            if self.violation.gravity is Gravity.ATTEMPT:
                return f"Nothing on record moved against the rules; {name} is responsible for trying. {self.responsible.reason}"
            return f"{name} is responsible. {self.responsible.reason}"
        allowed = dict.fromkeys(holder.member_name for holder in self.holders if holder.allowed)
        accountable = f" Accountable: {', '.join(allowed)}." if allowed else ""
        return f"Nobody broke a rule on record.{accountable}"


def trace(
    report: AuditReport,
    asked: str,
    *,
    uses: Iterable[Use] = (),
    at: int | None = None,
    form: Form | None = None,
    limits: Limits | None = None,
) -> Trace:
    """
    Trace something to who is responsible for it.

    Args:
        report: An audit of the ledger, with its events.
        asked: A commitment or an id, `PASSPORT:SEQ`, `dataset:N`, `step:N`, `member:N`, or a member's name.
        uses: Entries of access logs; those about other data are left out.
        at: When the holders are asked for, seconds since the Unix epoch; the time of the violation if None.
        form: In which form the data was found: who got another form is left out.
        limits: How far clocks may be off.

    Raises:
        InvalidInput: The words name nothing that can be traced, or several members; or the audit kept no events.
        NotFound: The chain knows nothing of it; says what to try.
    """
    if report.index_block is not None:
        raise InvalidInput(
            "this audit compared an index and kept no events", fix="Audit the chain alone, then trace."
        )
    return _Tracing(report, asked, limits or Limits()).run(list(uses), at, form)


@dataclass(slots=True)
class _Standing:
    """When memberships were interrupted: by member, times from which on it was in force or not, oldest first."""

    changes: defaultdict[int, list[tuple[int, bool]]] = field(default_factory=lambda: defaultdict(list))

    def take(self, event: Event) -> None:
        """Take an event about a member."""
        if event.name in _STANDING:
            self.changes[event.arguments["memberId"]].append((event.position.time, _STANDING[event.name]))

    def is_active(self, state: LedgerState, member_id: int, at: int) -> bool:
        """Tell whether a membership was in force at a time."""
        member = state.members.get(member_id)
        if member is None:
            return False
        active = [found for time, found in self.changes.get(member_id, ()) if time <= at]
        return at < member.valid_to and (active[-1] if active else True)


_STANDING: Final[Mapping[str, bool]] = {
    "MemberSuspended": False,
    "MemberReinstated": True,
    "MemberExpelled": False,
}


class _Tracing:
    """One trace in the making."""

    def __init__(self, report: AuditReport, asked: str, limits: Limits) -> None:
        self.report, self.state, self.limits = report, report.replay.state, limits
        self.subjects = Subjects(self.state, report.events)
        self.subject = self.subjects.find(asked)
        self.standing = _Standing()
        self._ends: dict[int, int] | None = None

    def run(self, uses: list[Use], at: int | None, form: Form | None) -> Trace:
        chain = self._chain()
        used, convicted = self._uses(uses)
        found = [*self._findings(chain), *convicted, *self._misuses(chain)]
        violations = tuple(sorted(found, key=_weight))
        first = next((item for item in violations if item.gravity is not Gravity.GAP), None)
        moment = at if at is not None else first.time if first else self.report.time
        return Trace(
            subject=self.subject,
            at=moment,
            chain=tuple(sorted((*chain, *used), key=lambda link: link.order)),
            holders=tuple(self._holders(chain, moment, form)),
            violations=violations,
            unreliable=tuple(self._unreliable(chain)),
            responsible=_responsible(first),
        )

    # The chain

    def _chain(self) -> list[Link]:
        """Return the links of the subject, and what bears on the standing of who and the projects that are in them."""
        scope, chain = self.subject.scope, list[Link]()
        context: defaultdict[Name, list[Event]] = defaultdict(list)
        for event in self.report.events():
            self.standing.take(event)
            reading = READINGS.get(event.name)
            if reading is None:
                continue
            names = list(reading.names(event.arguments))
            if any(name in scope for name in names):
                chain.append(self._link(event))
                continue
            for name in names:
                if name[0] in _CONTEXT:
                    context[name].append(event)
        chain = self._with_inclusions(chain)
        told: set[Name] = set()
        for link in chain:
            told |= {("standing", link.member_id), ("standing", link.recipient), ("project", link.project_id)}
        chain += [self._link(event) for name in told for event in context.get(name, ())]
        return _with_agreements(chain)

    def _link(self, event: Event) -> Link:
        try:
            return READINGS[event.name].tell(self.state, event)
        except (VerificationError, ValueError) as error:
            # The replay's findings say what is wrong with it.
            sentence = f"{event.name} says what no ledger says: {error}"
            return Link(
                LinkAct.STATED, sentence, event.position.time, position=event.position, permitted=False
            )

    def _with_inclusions(self, chain: list[Link]) -> list[Link]:
        """Name the decisions behind each dataset that was collected."""
        collected = {
            link.step_id
            for link in chain
            if link.act is LinkAct.STEP
            and self.state.steps[link.step_id].record.step.kind is StepKind.COLLECT
        }
        if not collected:
            return chain
        return [
            replace(link, inclusions=self._behind(link)) if _is_step(link, collected) else link
            for link in chain
        ]

    def _behind(self, link: Link) -> InclusionList:
        """Return who was in what a step collected, in the order of the chain, each with the consent it was included under."""
        collected = self.state.steps[link.step_id].position
        return inclusion_list(
            (item.decision.passport_id, item.decision.seq, item.grant_id)
            for item in self.subjects.inclusions
            if item.dataset_id == link.dataset_id and item.is_in(collected)
        )

    # What went wrong

    def _uses(self, uses: list[Use]) -> tuple[list[Link], list[Violation]]:
        """Return what access logs say of the subject, and which of that no permit covers."""
        links, found = list[Link](), list[Violation]()
        for use in uses:
            finding = next(use_findings(self.state, [use], limits=self.limits), None)
            if not self._is_about(use, finding):
                continue
            link = self._use(use, finding)
            links.append(link)
            if finding is not None:
                found.append(replace(_violation(finding), time=link.time))
        return links, found

    def _is_about(self, use: Use, finding: Finding | None) -> bool:
        if self.subject.kind is SubjectKind.MEMBER:
            return self.subject.member_id == self._user(use, finding)
        if _record_of(use) not in self.subject.passports:
            return False
        named = use.decision if use.decision is not None or finding is None else finding.seq
        return self.subject.decision is None or self.subject.decision == named

    def _user(self, use: Use, finding: Finding | None) -> int | None:
        if finding is not None:
            return finding.member_id
        named = [member.member_id for member in self.state.members.values() if member.name == use.member]
        return use.member_id if use.member_id is not None else named[0]

    def _use(self, use: Use, finding: Finding | None) -> Link:
        member_id = self._user(use, finding)
        name = use.member if member_id is None else self.state.member_name(member_id)
        covered = f"The access log of {name} shows a use that a permit covers"
        known = member_id if member_id in self.state.members else None
        return Link(
            LinkAct.USED,
            finding.detail.rstrip(".") if finding else covered,
            int(use.recorded.timestamp()),
            member_id=known,
            passport_id=_record_of(use),
            seq=finding.seq if finding else use.decision,
            permitted=finding is None,
        )

    def _findings(self, chain: list[Link]) -> Iterator[Violation]:
        """Yield the findings of the audit that are about the subject."""
        places = _places(chain)
        for finding in self.report.findings:
            if finding.rule not in _UNRELIABLE and self._concerns(finding, places):
                yield _violation(finding)

    def _unreliable(self, chain: list[Link]) -> Iterator[Finding]:
        places = _places(chain)
        for finding in self.report.findings:
            if finding.rule in _UNRELIABLE and (not finding.evidence or self._concerns(finding, places)):
                yield finding

    def _concerns(self, finding: Finding, places: frozenset[tuple[int, int]]) -> bool:
        if self.subject.kind is SubjectKind.MEMBER and finding.rule not in _UNRELIABLE:
            return finding.member_id == self.subject.member_id
        return any(position.order in places for position in finding.evidence)

    def _misuses(self, chain: list[Link]) -> Iterator[Violation]:
        """Yield what somebody did that the ledger recorded as it should, and that was against the rules."""
        for link in chain:
            for violation in self._misuse(link):
                if (
                    self.subject.kind is not SubjectKind.MEMBER
                    or violation.member_id == self.subject.member_id
                ):
                    yield violation

    def _misuse(self, link: Link) -> Iterator[Violation]:
        match link.act:
            case LinkAct.ASKED if link.permitted is False:
                yield self._of(link, Misuse.REQUEST_REFUSED, Gravity.ATTEMPT, link.sentence)
            case LinkAct.STEP if link.permitted is False:
                yield self._of(link, Misuse.STEP_AGAINST_RULES, Gravity.BREACH, link.sentence)
            case LinkAct.CHECKED if link.permitted is False:
                yield from self._failed(link)
            case LinkAct.HANDED_OVER if link.permitted:
                yield from self._late(link)

    def _failed(self, link: Link) -> Iterator[Violation]:
        """A version that failed its check, and has not passed since: who made it is responsible."""
        version = self.state.versions[link.versions[0]]
        if version.check is Check.FAILED:
            owner = self.state.member_name(version.owner)
            if version.is_external:
                made = self.state.externals[version.version_id].position
                what = f"{owner} vouches for"
            else:
                made = self.state.steps[version.step_id].position
                what = f"{owner} made in step {version.step_id}"
            detail = f"What {what} failed its check: {link.sentence}"
            yield replace(
                self._of(link, Misuse.CHECK_FAILED, Gravity.BREACH, detail, made),
                member_id=version.owner,
                member_name=owner,
            )

    def _late(self, link: Link) -> Iterator[Violation]:
        """Data that was handed over when the permit was too old, or when the consent behind it had ended."""
        entry = self._decision(link)
        if entry is None or link.position is None:
            return
        age = link.position.time - entry.position.time
        if age > PERMIT_SECONDS:
            detail = f"{link.sentence}, {age} seconds after the permit, which was good for {PERMIT_SECONDS}"
            yield self._of(link, Misuse.PERMIT_USED_LATE, Gravity.BREACH, detail, entry.position)
        grant = self._grant(entry)
        if grant is not None and grant.ended is not None and grant.ended.order < link.position.order:
            ended = time_in_words(grant.ended.time)
            detail = f"{link.sentence}, after the consent behind it had ended on {ended}"
            yield self._of(
                link, Misuse.RELEASE_AFTER_CONSENT, Gravity.BREACH, detail, entry.position, grant.ended
            )

    def _of(self, link: Link, rule: Misuse, gravity: Gravity, detail: str, *evidence: Position) -> Violation:
        positions = (*evidence, link.position) if link.position else evidence
        return Violation(
            rule,
            gravity,
            f"{detail}.",
            member_id=link.member_id,
            member_name=None if link.member_id is None else self.state.member_name(link.member_id),
            time=link.time,
            passport=to_hex(link.passport_id) if link.passport_id else None,
            seq=link.seq,
            evidence=tuple(sorted(positions, key=lambda position: position.order)),
        )

    def _decision(self, link: Link) -> DecisionEntry | None:
        if link.passport_id is None or link.seq is None:
            return None
        return self.state.decisions.get(link.passport_id, {}).get(link.seq)

    def _grant(self, entry: DecisionEntry) -> GrantEntry | None:
        if not entry.rests_on_consent:
            return None
        return self.state.grants.get((entry.passport_id, GrantId(entry.grant_id)))

    # Who has it

    def _holders(self, chain: list[Link], at: int, form: Form | None) -> list[Holder]:
        """Return who came by it, each member once for each way in which it did."""
        found: dict[tuple[int, LinkAct], Holder] = {}
        for link in sorted(chain, key=lambda link: link.order):
            for holder in self._holder(link, at, form):
                key = holder.member_id, link.act
                first = found.setdefault(key, holder)
                if holder.allowed and not first.allowed:
                    found[key] = holder
        return list(found.values())

    def _holder(self, link: Link, at: int, form: Form | None) -> Iterator[Holder]:
        of_record = link.passport_id in self.subject.passports
        of_version = bool(set(link.versions) & self.subject.versions)
        match link.act:
            case LinkAct.KEPT if of_record and link.member_id is not None:
                yield self._having(link, link.member_id, "keeps the record", at)
            case LinkAct.HANDED_OVER | LinkAct.SHIPPED if (
                of_record and link.recipient and self._is_in(link, form)
            ):
                how = "was sent a copy" if link.act is LinkAct.SHIPPED else "got the data"
                yield self._having(link, link.recipient, f"{how} under decision {link.seq}", at)
            case LinkAct.STEP if of_version and link.permitted and link.member_id is not None:
                yield self._having(link, link.member_id, f"made it in step {link.step_id}", at)
            case LinkAct.KEPT if of_version and link.member_id is not None:
                yield self._having(link, link.member_id, "vouches for it as from outside", at)
            case LinkAct.SHARED if of_version:
                owner = self.state.member_name(link.member_id)
                yield self._having(link, link.recipient, f"{owner} shared it with it", at)

    def _is_in(self, link: Link, form: Form | None) -> bool:
        """Tell whether what was handed over can be in a form."""
        entry = self._decision(link)
        if form is None or entry is None:
            return True
        return entry.terms.level == form.level and bool(entry.terms.categories & form.categories)

    def _having(self, link: Link, member_id: int, reason: str, at: int) -> Holder:
        until = self._end(link)
        stands = link.time <= at and (until is None or at < until) and link.permitted is not False
        return Holder(
            member_id,
            self.state.member_name(member_id),
            reason,
            link.position,
            until,
            allowed=stands and self.standing.is_active(self.state, member_id, at),
            link=link,
        )

    def _end(self, link: Link) -> int | None:
        """Return when a right to have it ended or ends: with the consent, or with the destruction of the datasets."""
        if link.versions:
            return self._destroyed(link.versions)
        entry = self._decision(link)
        grant = self._grant(entry) if entry else None
        if grant is None:
            return None
        return min(grant.ended.time, grant.state.use_to) if grant.ended else grant.state.use_to

    def _destroyed(self, versions: Iterable[VersionId]) -> int | None:
        """Return when the first of the datasets that versions are from was destroyed."""
        if self._ends is None:
            self._ends = {
                entry.record.step.dataset_id: entry.position.time
                for entry in self.state.steps.values()
                if entry.record.step.kind is StepKind.DESTROY and not entry.record.missing
            }
        known = (self.state.versions[name] for name in versions if name in self.state.versions)
        numbers = (origin.dataset_id for version in known for origin in version.origins)
        return min((self._ends[number] for number in numbers if number in self._ends), default=None)


def _record_of(use: Use) -> PassportId | None:
    """Return the passport that a line of an access log is about; None if it names none."""
    try:
        return PassportId(bytes32(use.passport))
    except InvalidInput:
        return None


def _violation(finding: Finding) -> Violation:
    """Return a finding of the audit as a violation."""
    return Violation(
        finding.rule,
        Gravity.GAP if finding.rule.is_informational else Gravity.BREACH,
        finding.detail,
        member_id=finding.member_id,
        member_name=finding.member_name,
        time=finding.evidence[-1].time if finding.evidence else 0,
        passport=finding.passport,
        seq=finding.seq,
        evidence=finding.evidence,
    )


def _responsible(violation: Violation | None) -> Responsible | None:
    if violation is None:
        return None
    where = "; ".join(in_words(position) for position in violation.evidence)
    decision = f"decision {violation.passport}/{violation.seq}" if violation.seq is not None else ""
    evidence = "; ".join(part for part in (decision, where) if part) or "the access log alone"
    return Responsible(
        violation.member_id,
        violation.member_name or "somebody who is not a member",
        violation.rule.value,
        f"By the rule {violation.rule.value}: {violation.detail} Evidence: {evidence}.",
    )


def in_words(position: Position) -> str:
    """Return where something stands on the chain, in words."""
    return f"block {position.block_number}, transaction {to_hex(position.transaction_hash)}"


def _with_agreements(chain: list[Link]) -> list[Link]:
    """Name the agreement of the project that something was done in, where it has none of its own."""
    agreements: dict[int, Commitment] = {
        link.project_id: link.agreement
        for link in chain
        if link.act is LinkAct.PROJECT and link.agreement is not None and link.agreement != ZERO32
    }
    return [
        replace(link, agreement=agreements[link.project_id])
        if link.agreement is None and link.project_id in agreements
        else link
        for link in chain
    ]


def _is_step(link: Link, numbers: set[int]) -> bool:
    return link.act is LinkAct.STEP and link.step_id in numbers


def _places(chain: Iterable[Link]) -> frozenset[tuple[int, int]]:
    return frozenset(link.position.order for link in chain if link.position is not None)


def _weight(violation: Violation) -> tuple[int, int, tuple[int, int]]:
    order = violation.evidence[-1].order if violation.evidence else (0, 0)
    return violation.gravity, violation.time, order
