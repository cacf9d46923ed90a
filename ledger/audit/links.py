"""
The links of a custody chain: what each kind of event says of who held, got or used data, and under which right.

One row of `READINGS` for each kind of event. An event that has none is no link; a new one needs a row and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from ledger.audit.exchange_links import EXCHANGE
from ledger.audit.folds import decision_entry
from ledger.audit.link import (
    Link,
    LinkAct,
    Name,
    Reading,
    decision_of,
    link,
    of_passport,
    request_names,
    under,
)
from ledger.audit.state import LedgerState
from ledger.domain.lineage import StepRecord, VersionId
from ledger.domain.records import Commitment, Event, GrantId, PassportId
from ledger.domain.vocabulary import (
    ANSWER_LABELS,
    ASSURANCE_LABELS,
    ATTESTATION_LABELS,
    EMERGENCY_REASON_LABELS,
    FINDING_LABELS,
    MISSING_LABELS,
    PURPOSE_LABELS,
    STEP_KIND_LABELS,
    Answer,
    Assurance,
    AttestationKind,
    Check,
    EmergencyFinding,
    EmergencyReason,
    Outcome,
    StepKind,
    names,
    purposes_of,
)
from ledger.domain.wording import asked_in_words, broken_rules, time_in_words, told_of
from ledger.encoding.structs import grant_state

# Data


def _issued(state: LedgerState, event: Event) -> Link:
    custodian = event.arguments["custodian"]
    return of_passport(
        event, LinkAct.KEPT, f"{state.member_name(custodian)} registered the record and keeps it", custodian
    )


def _kept(what: str) -> Callable[[LedgerState, Event], Link]:
    def tell(state: LedgerState, event: Event) -> Link:
        custodian = state.passports[PassportId(event.arguments["passportId"])].custodian
        return of_passport(
            event, LinkAct.KEPT, f"The record that {state.member_name(custodian)} keeps {what}"
        )

    return tell


def _passport(given: dict[str, Any]) -> Iterable[Name]:
    return (("passport", given["passportId"]),)


def _origin(given: dict[str, Any]) -> Iterable[Name]:
    passport_id = given["passportId"]
    return ("passport", passport_id), ("origin", passport_id), ("member", given.get("custodian"))


# Consents and emergencies


def _granted(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    grant = grant_state(given["state"])
    who = state.member_name(grant.recipient) if grant.recipient else "all members of the kinds named"
    reasons = ", ".join(PURPOSE_LABELS[purpose].en for purpose in purposes_of(grant.purposes))
    signed = ASSURANCE_LABELS[Assurance(grant.assurance)].en
    sentence = f"Consent was given to {who} for {reasons} until {time_in_words(grant.use_to)} ({signed})"
    return of_passport(
        event, LinkAct.CONSENT, sentence, recipient=grant.recipient, grant_id=GrantId(given["grantId"])
    )


def _consent(what: str) -> Callable[[LedgerState, Event], Link]:
    def tell(state: LedgerState, event: Event) -> Link:
        grant_id = GrantId(event.arguments["grantId"])
        entry = state.grants.get((PassportId(event.arguments["passportId"]), grant_id))
        recipient = entry.state.recipient if entry else 0
        to_whom = f" to {state.member_name(recipient)}" if recipient else ""
        return of_passport(
            event, LinkAct.CONSENT, f"The consent{to_whom} {what}", recipient=recipient, grant_id=grant_id
        )

    return tell


def _consent_requested(state: LedgerState, event: Event) -> Link:
    member_id, grant_id = event.arguments["memberId"], GrantId(event.arguments["grantId"])
    sentence = f"{state.member_name(member_id)} asked the patient for consent"
    return of_passport(event, LinkAct.CONSENT, sentence, member_id, grant_id=grant_id)


def _grant(given: dict[str, Any]) -> Iterable[Name]:
    return ("grant", given["grantId"]), ("passport", given["passportId"])


def _emergency_opened(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    reason = EMERGENCY_REASON_LABELS[EmergencyReason(given["reason"])].en
    sentence = f"{state.member_name(given['memberId'])} opened emergency {given['emergencyId']}: {reason}"
    return of_passport(event, LinkAct.EMERGENCY, sentence, given["memberId"])


def _emergency_declared(_: LedgerState, event: Event) -> Link:
    until = time_in_words(event.arguments["declaration"][3])
    sentence = f"The committee declared public emergency {event.arguments['emergencyId']} until {until}"
    return link(event, LinkAct.EMERGENCY, sentence)


def _emergency_ended(_: LedgerState, event: Event) -> Link:
    until = time_in_words(event.arguments["until"])
    return link(event, LinkAct.EMERGENCY, f"Emergency {event.arguments['emergencyId']} was ended on {until}")


def _emergency_reviewed(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    finding = FINDING_LABELS[EmergencyFinding(given["finding"])].en
    sentence = f"{state.member_name(given['reviewer'])} reviewed emergency {given['emergencyId']}: {finding}"
    return link(event, LinkAct.EMERGENCY, sentence, given["reviewer"])


def _emergency(given: dict[str, Any]) -> Iterable[Name]:
    yield "emergency", given["emergencyId"]
    if "passportId" in given:
        yield "passport", given["passportId"]
        yield "member", given["memberId"]


# Decisions, and what is done under them


def _decided(state: LedgerState, event: Event) -> Link:
    entry = decision_entry(event.arguments, event.position)
    terms, verdict = entry.terms, entry.verdict
    controller = state.member_name(terms.controller_id) if terms.controller_id else None
    asked = asked_in_words(terms, state.member_name(entry.member_id), controller=controller)
    consent = (entry.passport_id, entry.grant_id) in state.grants
    reasons = tuple(MISSING_LABELS[fact] for fact in told_of(verdict.missing, terms, consent=consent))
    answers = {
        Outcome.PERMIT: "permitted",
        Outcome.REVIEW: "waits for a human review",
        Outcome.DENY: f"refused: {'; '.join(reasons)}",
    }
    return under(
        entry,
        event,
        LinkAct.ASKED,
        f"{asked}: {answers[verdict.outcome]}",
        entry.member_id,
        dataset_id=terms.dataset_id,
        permitted=None if verdict.outcome is Outcome.REVIEW else verdict.outcome is Outcome.PERMIT,
        missing=tuple(names(verdict.missing)),
        reasons=reasons,
    )


def _decision(given: dict[str, Any]) -> Iterable[Name]:
    asked, passport_id = given["terms"], given["passportId"]
    yield "decision", (passport_id, given["verdict"] & 0xFFFFFFFFFF)
    yield "passport", passport_id
    if any(given["grantId"]):
        yield "asked-under", given["grantId"]
    yield "member", given["memberId"]
    if controller := asked >> 112 & 0xFFFFFFFF:
        yield "member", controller


def _reviewed(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    until = given["approvedUntil"]
    found = f"approved it until {time_in_words(until)}" if until else "did not approve it"
    sentence = f"{state.member_name(given['reviewer'])} reviewed request {given['seq']} and {found}"
    return under(decision_of(state, given), event, LinkAct.REVIEWED, sentence, given["reviewer"])


def _released(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    entry = decision_of(state, given)
    recipient = entry.member_id if entry else 0
    to_whom = state.member_name(recipient) if entry else "nobody on record"
    sentence = f"{state.member_name(given['custodian'])} handed the data over to {to_whom} under decision {given['seq']}"
    release = state.releases[PassportId(given["passportId"]), given["seq"]]
    return under(
        entry,
        event,
        LinkAct.HANDED_OVER,
        sentence,
        given["custodian"],
        recipient=recipient,
        permitted=not release.unfounded,
    )


def _release(given: dict[str, Any]) -> Iterable[Name]:
    return *request_names(given), ("member", given["custodian"])


# Datasets and lineage


def _dataset_declared(state: LedgerState, event: Event) -> Link:
    owner, number = event.arguments["owner"], event.arguments["datasetId"]
    sentence = f"{state.member_name(owner)} declared dataset {number}"
    return link(event, LinkAct.DATASET, sentence, owner, dataset_id=number)


def _dataset_ended(_: LedgerState, event: Event) -> Link:
    given = event.arguments
    number = given["datasetId"]
    sentence = f"A consent behind dataset {number} ended (withdrawal {given['withdrawals']})"
    return link(event, LinkAct.WITHDRAWN, sentence, grant_id=GrantId(given["grantId"]), dataset_id=number)


def _dataset_excused(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    sentence = (
        f"{state.member_name(given['reviewer'])} excused the first {given['withdrawals']} withdrawals "
        f"from dataset {given['datasetId']}"
    )
    return link(event, LinkAct.DATASET, sentence, given["reviewer"], dataset_id=given["datasetId"])


def _dataset_by(what: str) -> Callable[[LedgerState, Event], Link]:
    def tell(state: LedgerState, event: Event) -> Link:
        member_id, number = event.arguments["memberId"], event.arguments["datasetId"]
        sentence = f"{state.member_name(member_id)} {what} dataset {number}"
        return link(event, LinkAct.DATASET, sentence, member_id, dataset_id=number)

    return tell


def _dataset(given: dict[str, Any]) -> Iterable[Name]:
    yield "dataset", given["datasetId"]
    if "grantId" in given:
        yield "grant", given["grantId"]
    for field in ("owner", "reviewer", "memberId"):
        if field in given:
            yield "member", given[field]


def _stepped(state: LedgerState, event: Event) -> Link:
    record = state.steps[event.arguments["stepId"]].record
    step = record.step
    about = f" dataset {step.dataset_id}" if step.dataset_id else ""
    broken = tuple(broken_rules(record.missing))
    versions = "a version" if len(step.outputs) == 1 else f"{len(step.outputs)} versions"
    made = f", which made {versions}" if step.outputs else ""
    outcome = f": against the rules, so that it made nothing: {'; '.join(broken)}" if broken else made
    sentence = (
        f"{state.member_name(record.member_id)} recorded step {record.step_id}, "
        f"{STEP_KIND_LABELS[step.kind].en}{about}{_with_others(state, record)}{outcome}"
    )
    return link(
        event,
        LinkAct.STEP,
        sentence,
        record.member_id,
        project_id=step.project_id,
        dataset_id=step.dataset_id,
        step_id=record.step_id,
        versions=step.outputs,
        permitted=not broken,
        missing=tuple(names(record.missing)),
        reasons=broken,
    )


def _with_others(state: LedgerState, record: StepRecord) -> str:
    others = ", ".join(state.member_name(part.member_id) for part in record.parts)
    return f" together with {others}" if others else ""


def _took_part(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    name, number = state.member_name(given["memberId"]), given["stepId"]
    sentence = f"{name} signed its part in step {number}"
    return link(event, LinkAct.STEP, sentence, given["memberId"], step_id=number)


def _part(given: dict[str, Any]) -> Iterable[Name]:
    return ("step", given["stepId"]), ("member", given["memberId"])


def _vouched(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    sentence = f"{state.member_name(given['owner'])} registered a version from outside and vouches for it"
    return link(event, LinkAct.KEPT, sentence, given["owner"], versions=(VersionId(given["versionId"]),))


def _step(given: dict[str, Any]) -> Iterable[Name]:
    yield "step", given["stepId"]
    yield "member", given["memberId"]
    if given["kind"] in (StepKind.COLLECT, StepKind.DESTROY):
        yield "dataset", given["step"][1]


def _checked(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    passed = given["check"] == Check.PASSED
    sentence = f"{state.member_name(given['verifier'])} checked a version: {'passed' if passed else 'failed'}"
    name = VersionId(given["versionId"])
    return _of_version(
        state, event, LinkAct.CHECKED, sentence, given["verifier"], versions=(name,), permitted=passed
    )


def _shared(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    owner, recipient = state.member_name(given["owner"]), state.member_name(given["recipient"])
    return _of_version(
        state,
        event,
        LinkAct.SHARED,
        f"{owner} shared a version with {recipient}",
        given["owner"],
        recipient=given["recipient"],
        agreement=state.agreements[given["agreementId"]].text,
        versions=(VersionId(given["versionId"]),),
        permitted=True,
    )


def _answered(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    answer = ANSWER_LABELS[Answer(given["answer"])].en
    sentence = f"{state.member_name(given['owner'])} answered a withdrawal: {answer}"
    name = VersionId(given["versionId"])
    return _of_version(state, event, LinkAct.ANSWERED, sentence, given["owner"], versions=(name,))


def _model_suspended(state: LedgerState, event: Event) -> Link:
    member_id, name = event.arguments["memberId"], VersionId(event.arguments["versionId"])
    sentence = f"{state.member_name(member_id)} suspended a model"
    return _of_version(state, event, LinkAct.ANSWERED, sentence, member_id, versions=(name,))


def _of_version(
    state: LedgerState, event: Event, act: LinkAct, sentence: str, member_id: int, **words: Any
) -> Link:
    """Return a link about a version; the step is the one that made it."""
    version = state.versions[VersionId(event.arguments["versionId"])]
    return link(
        event,
        act,
        f"{sentence} ({'from outside' if version.is_external else f'made by step {version.step_id}'})",
        member_id,
        step_id=version.step_id,
        **words,
    )


def _version(given: dict[str, Any]) -> Iterable[Name]:
    yield "version", given["versionId"]
    for field in ("verifier", "owner", "recipient", "memberId"):
        if field in given:
            yield "member", given[field]


def _attested(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    stated = ATTESTATION_LABELS[AttestationKind(given["kind"])].en
    sentence = (
        f"{state.member_name(given['issuer'])} stated until {time_in_words(given['validTo'])}: {stated}"
    )
    return link(event, LinkAct.STATED, sentence, given["issuer"])


def _attestation(given: dict[str, Any]) -> Iterable[Name]:
    subject = given["subject"]
    return ("attested", subject), ("passport", subject), ("version", subject), ("member", given["issuer"])


# Members and projects


def _admitted(_: LedgerState, event: Event) -> Link:
    given = event.arguments
    return link(event, LinkAct.MEMBER, f"{given['name']} was admitted", given["memberId"])


def _standing(what: str) -> Callable[[LedgerState, Event], Link]:
    def tell(state: LedgerState, event: Event) -> Link:
        member_id = event.arguments["memberId"]
        return link(event, LinkAct.MEMBER, f"{state.member_name(member_id)} {what}", member_id)

    return tell


def _member(given: dict[str, Any]) -> Iterable[Name]:
    return (("member", given["memberId"]),)


def _of_standing(given: dict[str, Any]) -> Iterable[Name]:
    return ("member", given["memberId"]), ("standing", given["memberId"])


def _entrusted(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    controller, processor = state.member_name(given["controller"]), state.member_name(given["processor"])
    sentence = f"{controller} entrusted {processor} until {time_in_words(given['validTo'])}"
    return link(
        event,
        LinkAct.MEMBER,
        sentence,
        given["controller"],
        recipient=given["processor"],
        agreement=Commitment(given["agreement"]),
    )


def _parties(given: dict[str, Any]) -> Iterable[Name]:
    return ("member", given["controller"]), ("member", given["processor"])


def _project(what: str) -> Callable[[LedgerState, Event], Link]:
    def tell(state: LedgerState, event: Event) -> Link:
        number = event.arguments["projectId"]
        member_id = event.arguments.get("memberId", state.projects[number].member_id)
        approved = event.arguments.get("approved", True)
        done = what if approved else "did not approve"
        sentence = f"{state.member_name(member_id)} {done} project {number}"
        return link(
            event, LinkAct.PROJECT, sentence, member_id, project_id=number, agreement=_agreement_of(event)
        )

    return tell


def _agreement_of(event: Event) -> Commitment | None:
    """Return the agreement that a project was filed with, if it has one."""
    agreement = event.arguments["filing"][-1] if "filing" in event.arguments else b""
    return Commitment(agreement) if any(agreement) else None


def _of_project(given: dict[str, Any]) -> Iterable[Name]:
    yield "project", given["projectId"]
    if "memberId" in given:
        yield "member", given["memberId"]


#: Which events are links, by name.
READINGS: Final[dict[str, Reading]] = {
    "PassportIssued": Reading(_origin, _issued),
    "PassportContentCommitted": Reading(_origin, _kept("was written anew")),
    "PassportNarrowed": Reading(_passport, _kept("may serve fewer purposes")),
    "PassportSealed": Reading(_passport, _kept("was sealed")),
    "PassportUnsealed": Reading(_passport, _kept("was unsealed")),
    "PassportDestroyed": Reading(_passport, _kept("was destroyed")),
    "ConsentRequested": Reading(_grant, _consent_requested),
    "ConsentGranted": Reading(_grant, _granted),
    "ConsentFiled": Reading(_grant, _consent("was filed from paper")),
    "ConsentConfirmed": Reading(_grant, _consent("was confirmed")),
    "ConsentRefused": Reading(_grant, _consent("was refused")),
    "ConsentRepudiated": Reading(_grant, _consent("was declared never given")),
    "ConsentWithdrawn": Reading(_grant, _consent("was withdrawn")),
    "ConsentSuperseded": Reading(_grant, _consent("was replaced by a newer one")),
    "EmergencyOpened": Reading(_emergency, _emergency_opened),
    "EmergencyDeclared": Reading(_emergency, _emergency_declared),
    "EmergencyEnded": Reading(_emergency, _emergency_ended),
    "EmergencyReviewed": Reading(_emergency, _emergency_reviewed),
    "DecisionRecorded": Reading(_decision, _decided),
    "RequestReviewed": Reading(request_names, _reviewed),
    "ReleaseRecorded": Reading(_release, _released),
    "DatasetDeclared": Reading(_dataset, _dataset_declared),
    "DatasetWithdrawn": Reading(_dataset, _dataset_ended),
    "DatasetExcused": Reading(_dataset, _dataset_excused),
    "DatasetSealed": Reading(_dataset, _dataset_by("sealed")),
    "DatasetUnsealed": Reading(_dataset, _dataset_by("unsealed")),
    "StepRecorded": Reading(_step, _stepped),
    "PartSigned": Reading(_part, _took_part),
    "ExternalRegistered": Reading(_version, _vouched),
    "VersionVerified": Reading(_version, _checked),
    "VersionShared": Reading(_version, _shared),
    "WithdrawalAnswered": Reading(_version, _answered),
    "ModelSuspended": Reading(_version, _model_suspended),
    "Attested": Reading(_attestation, _attested),
    "MemberAdmitted": Reading(_member, _admitted),
    "MemberSuspended": Reading(_of_standing, _standing("was suspended")),
    "MemberReinstated": Reading(_of_standing, _standing("was reinstated")),
    "MemberExpelled": Reading(_of_standing, _standing("was expelled")),
    "MemberControlChanged": Reading(_of_standing, _standing("changed hands")),
    "MemberCapsSet": Reading(_of_standing, _standing("got other daily caps")),
    "MemberLicensed": Reading(_of_standing, _standing("got another licence")),
    "MemberEntrusted": Reading(_parties, _entrusted),
    "ProjectFiled": Reading(_of_project, _project("filed")),
    "ProjectReviewed": Reading(_of_project, _project("approved")),
    "ProjectWithdrawn": Reading(_of_project, _project("withdrew")),
    **EXCHANGE,
}
#: Events that say nothing of who held, got or used data, or might. A test compares both with the ABI.
NO_LINKS: Final = frozenset(
    {
        "ActApproved",
        "ActExecuted",
        "ActProposed",
        "DelegateNamed",
        "EIP712DomainChanged",
        "EmergencyRightRestored",
        "GuardiansNamed",
        "HolderRotated",
        "MemberKeysRotated",
        "PolicySet",
        "RecoveryCancelled",
        "RecoveryStarted",
        "RuleSet",
        "SeatSet",
        "TemplateIssued",
        "TemplateWithdrawn",
        "ThresholdsSet",
    }
)
