"""The links of what members give each other: agreements, clearances, and transfers of one record or of many."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from ledger.audit.folds import declaration_entry
from ledger.audit.link import Link, LinkAct, Name, Reading, decision_of, link, request_names, under
from ledger.audit.state import LedgerState
from ledger.domain.records import ZERO32, Commitment, Event, PassportId, TransferId
from ledger.domain.vocabulary import MISSING_TRANSFER_LABELS, TransferFact, names
from ledger.domain.wording import time_in_words

# Transfers


def _shipped(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    transfer_id = TransferId(given["transferId"])
    sender, recipient = state.member_name(given["sender"]), state.member_name(given["recipient"])
    return under(
        decision_of(state, given),
        event,
        LinkAct.SHIPPED,
        f"{sender} shipped a copy to {recipient} under decision {given['seq']}",
        given["sender"],
        recipient=given["recipient"],
        transfer_id=transfer_id,
        permitted=not state.transfers[transfer_id].unfounded,
    )


def _shipping(given: dict[str, Any]) -> Iterable[Name]:
    yield "transfer", given["transferId"]
    yield from request_names(given)
    yield "member", given["sender"]
    yield "member", given["recipient"]


def _received(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    transfer_id = TransferId(given["transferId"])
    transfer = state.transfers[transfer_id].transfer
    matched = transfer.content == given["content"]
    what = "what was sent" if matched else "something else than was sent"
    sender, recipient = state.member_name(transfer.sender), state.member_name(given["recipient"])
    of_one = given["passportId"] != ZERO32
    return link(
        event,
        LinkAct.RECEIVED,
        f"{recipient} stated that it received {what} from {sender}",
        given["recipient"],
        recipient=given["recipient"],
        passport_id=PassportId(given["passportId"]) if of_one else None,
        seq=transfer.seq if of_one else None,
        transfer_id=transfer_id,
        permitted=matched,
    )


def _receipt(given: dict[str, Any]) -> Iterable[Name]:
    yield "transfer", given["transferId"]
    if given["passportId"] != ZERO32:
        yield "passport", given["passportId"]
    yield "member", given["recipient"]


def _declared(state: LedgerState, event: Event) -> Link:
    transfer = declaration_entry(event.arguments, event.position).transfer
    consignment = transfer.consignment
    assert consignment is not None  # noqa: S101 -- what is declared is of many
    sender, recipient = state.member_name(transfer.sender), state.member_name(transfer.recipient)
    missing = tuple(names(transfer.missing))
    reasons = tuple(MISSING_TRANSFER_LABELS[TransferFact[name]] for name in missing)
    refused = f": refused: {'; '.join(reasons)}" if reasons else ""
    agreement = state.agreements[consignment.agreement_id]
    return link(
        event,
        LinkAct.SHIPPED,
        f"{sender} declared a transfer of {consignment.count} records to {recipient} under agreement "
        f"{consignment.agreement_id}{refused}",
        transfer.sender,
        recipient=transfer.recipient,
        project_id=consignment.project_id,
        agreement=agreement.text,
        transfer_id=transfer.transfer_id,
        permitted=not missing,
        missing=missing,
        reasons=reasons,
    )


def _declaration(given: dict[str, Any]) -> Iterable[Name]:
    yield "transfer", given["transferId"]
    yield "agreement", given["consignment"][0]
    yield "member", given["sender"]
    yield "member", given["recipient"]


def _loaded(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    transfer_id = TransferId(given["transferId"])
    entry = state.transfers[transfer_id]
    transfer = entry.transfer
    load = state.loads[transfer_id][given["index"]]
    sender, recipient = state.member_name(transfer.sender), state.member_name(transfer.recipient)
    return under(
        decision_of(state, given),
        event,
        LinkAct.SHIPPED,
        f"{sender} loaded it for {recipient} under decision {given['seq']}",
        transfer.sender,
        recipient=transfer.recipient if entry.shipped else 0,
        transfer_id=transfer_id,
        permitted=not load.unfounded,
    )


def _load(given: dict[str, Any]) -> Iterable[Name]:
    return ("transfer", given["transferId"]), *request_names(given)


def _dispatched(state: LedgerState, event: Event) -> Link:
    transfer_id = TransferId(event.arguments["transferId"])
    entry = state.transfers[transfer_id]
    sender, recipient = state.member_name(entry.transfer.sender), state.member_name(entry.transfer.recipient)
    return link(
        event,
        LinkAct.SHIPPED,
        f"{sender} shipped {event.arguments['count']} records to {recipient}",
        entry.transfer.sender,
        recipient=entry.transfer.recipient,
        transfer_id=transfer_id,
        permitted=not entry.unfounded,
    )


def _noted(what: str) -> Callable[[LedgerState, Event], Link]:
    def tell(state: LedgerState, event: Event) -> Link:
        given = event.arguments
        member_id = given["memberId"]
        sentence = f"{state.member_name(member_id)} {what}"
        return link(event, LinkAct.TRANSFER, sentence, member_id, transfer_id=TransferId(given["transferId"]))

    return tell


def _inspected(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    found = "released" if given["released"] else "did not release"
    sentence = f"{state.member_name(given['regulator'])} inspected the transfer and {found} it"
    return link(
        event,
        LinkAct.TRANSFER,
        sentence,
        given["regulator"],
        transfer_id=TransferId(given["transferId"]),
        permitted=given["released"],
    )


def _note(given: dict[str, Any]) -> Iterable[Name]:
    yield "transfer", given["transferId"]
    yield "member", given["regulator"] if "regulator" in given else given["memberId"]


def _of_transfer(given: dict[str, Any]) -> Iterable[Name]:
    return (("transfer", given["transferId"]),)


# Agreements and borders


def _proposed(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    provider, recipient = state.member_name(given["provider"]), state.member_name(given["recipient"])
    return link(
        event,
        LinkAct.AGREEMENT,
        f"{provider} proposed agreement {given['agreementId']} to {recipient}",
        given["provider"],
        recipient=given["recipient"],
        agreement=Commitment(given["text"]),
    )


def _agreed(what: str) -> Callable[[LedgerState, Event], Link]:
    def tell(state: LedgerState, event: Event) -> Link:
        given = event.arguments
        number = given["agreementId"]
        member_id = given.get("recipient", given.get("memberId"))
        return link(
            event,
            LinkAct.AGREEMENT,
            f"{state.member_name(member_id)} {what} agreement {number}",
            member_id,
            agreement=state.agreements[number].text,
        )

    return tell


def _agreement(given: dict[str, Any]) -> Iterable[Name]:
    yield "agreement", given["agreementId"]
    for field in ("provider", "recipient", "memberId"):
        if field in given:
            yield "member", given[field]


def _let_in(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    until = given["validTo"]
    may = (
        f"may receive data from abroad until {time_in_words(until)}"
        if until
        else "may receive none from abroad"
    )
    return link(
        event,
        LinkAct.BORDER,
        f"{state.member_name(given['memberId'])} {may}, by {state.member_name(given['regulator'])}",
        given["regulator"],
        recipient=given["memberId"],
        permitted=until != 0,
    )


def _listed(given: dict[str, Any]) -> Iterable[Name]:
    return ("member", given["memberId"]), ("member", given["regulator"])


def _cleared(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    clearance = state.clearances[given["clearanceId"]].clearance
    issuer, exporter = state.member_name(clearance.issuer), state.member_name(clearance.exporter)
    sentence = (
        f"{issuer} cleared data of {exporter} for project {clearance.project_id} abroad, for "
        f"{clearance.max_persons} persons at most"
    )
    return link(
        event, LinkAct.BORDER, sentence, clearance.issuer, project_id=clearance.project_id, permitted=True
    )


def _clearing(given: dict[str, Any]) -> Iterable[Name]:
    return ("project", given["projectId"]), ("member", given["exporter"])


def _uncleared(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    project_id = state.clearances[given["clearanceId"]].clearance.project_id
    sentence = f"{state.member_name(given['memberId'])} took clearance {given['clearanceId']} back"
    return link(event, LinkAct.BORDER, sentence, given["memberId"], project_id=project_id, permitted=False)


def _unclearing(given: dict[str, Any]) -> Iterable[Name]:
    return (("member", given["memberId"]),)


def _exported(state: LedgerState, event: Event) -> Link:
    given = event.arguments
    number, exporter = given["datasetId"], given["exporter"]
    sentence = (
        f"{state.member_name(exporter)} let dataset {number} go abroad under clearance {given['clearanceId']}: "
        f"{given['persons']} persons more in this year"
    )
    return link(event, LinkAct.BORDER, sentence, exporter, dataset_id=number, permitted=True)


def _export(given: dict[str, Any]) -> Iterable[Name]:
    return ("dataset", given["datasetId"]), ("member", given["exporter"])


#: Which of these events are links, by name.
EXCHANGE: Final[dict[str, Reading]] = {
    "TransferShipped": Reading(_shipping, _shipped),
    "TransferReceived": Reading(_receipt, _received),
    "TransferDeclared": Reading(_declaration, _declared),
    "TransferInspected": Reading(_note, _inspected),
    "TransferLoaded": Reading(_load, _loaded),
    "TransferDispatched": Reading(_of_transfer, _dispatched),
    "TransferHalted": Reading(_note, _noted("halted the transfer")),
    "TransferResumed": Reading(_note, _noted("let the transfer go on")),
    "TransferTerminated": Reading(_note, _noted("ended the transfer")),
    "TransferReported": Reading(_note, _noted("reported on what it received")),
    "TransferClosed": Reading(_note, _noted("destroyed or returned what it received")),
    "AgreementProposed": Reading(_agreement, _proposed),
    "AgreementSigned": Reading(_agreement, _agreed("signed")),
    "AgreementEnded": Reading(_agreement, _agreed("ended")),
    "BorderAccessSet": Reading(_listed, _let_in),
    "ClearanceIssued": Reading(_clearing, _cleared),
    "ClearanceWithdrawn": Reading(_unclearing, _uncleared),
    "DatasetExported": Reading(_export, _exported),
}
