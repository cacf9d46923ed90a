"""
What the pages say of datasets, versions, and what is owed, as values.

Plain functions over the ledger's own values; nothing here asks the service.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from api.pages import commands
from api.pages.graph import (
    Known,
    dataset_link,
    dataset_states,
    due_state,
    retention_is_over,
    version_link,
    version_states,
    version_title,
)
from api.pages.presenters import (
    Answer,
    Command,
    Consent,
    Moment,
    categories_in_words,
    counted,
    moment,
    purposes_in_words,
)
from api.schemas.lineage import custody_out
from ledger.domain.lineage import NO_END, NOBODY, Dataset, Version
from ledger.domain.records import Member
from ledger.domain.vocabulary import Check, DatasetStatus, Label, ModelStatus, Role, VersionKind
from ledger.domain.wording import (
    dataset_told,
    model_told,
    others_told,
    time_in_words,
    withdrawal_told,
)
from ledger.encoding.hexadecimal import to_hex
from ledger.ports import (
    AnswerRecord,
    DatasetRecord,
    InclusionRecord,
    Obligation,
    ShareRecord,
    StepEntry,
    VersionRecord,
)
from ledger.service.datasets import Description
from ledger.service.lineage import answer_sentence, obligation_sentence, step_sentence
from ledger.service.walks import Blame, CustodyEntry, Impact, Round

_MILLION: Final = 1_000_000
#: What a lineage is written in, by the format that the REST route takes.
_STANDARDS: Final = {
    "prov-json": "W3C PROV-JSON",
    "fhir": "FHIR R4 Provenance",
    "openlineage": "OpenLineage",
    "card": "Data & Trust Alliance card",
}


@dataclass(frozen=True, slots=True)
class DatasetLine:
    """A dataset in a list."""

    number: int
    link: str
    title: str
    owner: str
    states: tuple[Answer, ...]
    included: int
    retain_until: Moment
    budget: str


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A consent that ended with somebody's data in a dataset."""

    when: Moment
    excused: bool


@dataclass(frozen=True, slots=True)
class DatasetPage:
    """
    A dataset in full, and what its reader can do about it.

    Attributes:
        words: What it is, each aspect with what was declared; empty if this service does not keep it.
        overdue: Whether it should have been destroyed.
        refused: How often its owner was refused to include somebody, in words.
    """

    line: DatasetLine
    words: tuple[tuple[str, str], ...]
    purposes: str
    categories: str
    declared: Moment
    overdue: bool
    usable_until: Moment | None
    no_relink: bool
    refused: str
    withdrawals: tuple[Withdrawal, ...]
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class InclusionLine:
    """Somebody in a dataset."""

    passport_id: str
    seq: int
    when: Moment
    grant_id: str
    withdrawn: Moment | None


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version in a list."""

    name: str
    title: str
    link: str
    owner: str
    purposes: str
    states: tuple[Answer, ...]
    exports: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ObligationLine:
    """An answer that is owed, and how to give it."""

    title: str
    link: str
    sentence: str
    state: Answer
    route: str
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class PartLine:
    """A member that took part in a joint step, and the commitment to what it contributed."""

    member: str
    contribution: str


@dataclass(frozen=True, slots=True)
class RoundLine:
    """One round of a joint training: what it made, when, and who took part."""

    number: int
    title: str
    link: str
    when: Moment
    team: str


@dataclass(frozen=True, slots=True)
class VersionPage:
    """
    A version in full, and what its reader can do about it.

    Attributes:
        made: The step that made it, or who brought it in from outside, in words.
        statement: Of a version from outside: what its owner says of it, if this service keeps it.
        quarantine: What it waits for in quarantine, in words; empty if it is in none.
        parts: Who took part in the step that made it, and signed.
        rounds: Of a model that was trained on from another or by several: the rounds up to it, the first one first.
        rounds_whole: Whether these are all.
        bound: To whom it may go, in words.
        check: What the verifier found, in words; report: the verifier's own words, if this service keeps them.
        shared: With whom it was shared.
        answers: What its owner answered to withdrawals.
        blame: Who is to blame for what went wrong on the way to it, in words.
    """

    line: VersionLine
    kind: str
    made: str
    statement: str | None
    quarantine: str
    parts: tuple[PartLine, ...]
    rounds: tuple[RoundLine, ...]
    rounds_whole: bool
    bound: str
    check: str
    report: str | None
    shared: tuple[str, ...]
    owed: ObligationLine | None
    answers: tuple[str, ...]
    blame: str
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class CustodyLine:
    """One link of a custody chain."""

    when: Moment
    title: str
    link: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """
    Where a patient's data went under one consent, or without one.

    Attributes:
        consent: The consent; None if the law asks for none.
        datasets: Where it is, each in words.
        models: What was made of it, each in words; each sentence in both languages.
        withdrawal: What a withdrawal asks, or would ask.
        ended: Whether the consent has ended.
    """

    consent: Consent | None
    datasets: tuple[Label, ...]
    models: tuple[Label, ...]
    others: Label | None
    withdrawal: Label | None
    ended: bool


def dataset_line(record: DatasetRecord, known: Known) -> DatasetLine:
    """Tell a dataset in a list."""
    dataset = record.dataset
    return DatasetLine(
        number=dataset.dataset_id,
        link=dataset_link(dataset.dataset_id),
        title=known.titles.get(dataset.dataset_id) or "not kept here",
        owner=known.member(dataset.owner),
        states=dataset_states(dataset, known.at),
        included=dataset.included,
        retain_until=moment(dataset.retain_until),
        budget=budget_in_words(dataset),
    )


def dataset_page(
    record: DatasetRecord,
    known: Known,
    *,
    description: Description | None,
    refused: tuple[int, bool],
    reader: Member,
    origin: str,
) -> DatasetPage:
    """
    Tell a dataset in full.

    Args:
        record: The dataset.
        known: What it is told with.
        description: What it is, in words, if this service keeps it.
        refused: How often its owner was refused to include somebody, and whether all requests were looked at.
        reader: Who reads.
        origin: Where this service is reached.
    """
    dataset = record.dataset
    number, whole = refused
    return DatasetPage(
        line=dataset_line(record, known),
        words=_described(description) if description else (),
        purposes=purposes_in_words(dataset.purposes),
        categories=categories_in_words(dataset.categories),
        declared=moment(record.position.time),
        overdue=retention_is_over(dataset, known.at),
        usable_until=None if dataset.usable_until == NO_END else moment(dataset.usable_until),
        no_relink=dataset.no_relink,
        refused=counted(number, "request", "requests") + ("" if whole else " of those looked at"),
        withdrawals=tuple(
            Withdrawal(moment(at), place < dataset.excused) for place, at in enumerate(dataset.withdrawals)
        ),
        commands=tuple(_dataset_commands(dataset, known.at, reader, origin)),
    )


def budget_in_words(dataset: Dataset) -> str:
    """Tell how much privacy was spent and is left."""
    if not dataset.budget:
        return "none is kept" if not dataset.spent else f"none is kept; {_epsilon(dataset.spent)} spent"
    left = max(dataset.budget - dataset.spent, 0)
    return f"{_epsilon(dataset.spent)} of {_epsilon(dataset.budget)} spent, {_epsilon(left)} left"


def inclusion_line(record: InclusionRecord) -> InclusionLine:
    """Tell an inclusion to who may see it."""
    return InclusionLine(
        passport_id=to_hex(record.passport_id),
        seq=record.seq,
        when=moment(record.position.time),
        grant_id=to_hex(record.rests_on) if any(record.rests_on) else "",
        withdrawn=moment(record.withdrawn_at) if record.withdrawn_at else None,
    )


def version_line(version: Version, known: Known) -> VersionLine:
    """Tell a version in a list."""
    name = to_hex(version.version_id)
    return VersionLine(
        name=name,
        title=version_title(version),
        link=version_link(version.version_id),
        owner=known.member(version.owner),
        purposes=purposes_in_words(version.purposes),
        states=version_states(version, known),
        exports=tuple(
            (label, f"/v1/versions/{name}/lineage?format={standard}")
            for standard, label in _STANDARDS.items()
        ),
    )


def version_page(
    record: VersionRecord,
    known: Known,
    *,
    made: StepEntry | None,
    statement: str | None = None,
    rounds: tuple[Sequence[Round], bool] = ((), True),
    report: str | None,
    shares: Iterable[ShareRecord],
    owed: Obligation | None,
    answers: Iterable[AnswerRecord],
    blame: tuple[Blame | None, bool],
    reader: Member,
    origin: str,
) -> VersionPage:
    """
    Tell a version in full.

    Args:
        record: The version.
        known: What it is told with.
        made: The step that made it; None if it is from outside.
        statement: Of one from outside: its owner's words, if this service keeps them.
        rounds: The chain of models that it ends, and whether that is all of it.
        report: The verifier's report, if this service keeps it.
        shares: With whom it was shared.
        owed: What its owner owes.
        answers: What its owner answered.
        blame: What went wrong first on the way to it, and whether all of the way was searched.
        reader: Who reads.
        origin: Where this service is reached.
    """
    version = record.version
    chain, whole = rounds
    parts = made.record.parts if made else ()
    return VersionPage(
        line=version_line(version, known),
        kind=version.kind.name.lower(),
        made=f"{_made(record, made, known)}.",
        statement=statement,
        quarantine=_quarantine(version),
        parts=tuple(PartLine(known.member(part.member_id), to_hex(part.contribution)) for part in parts),
        rounds=tuple(round_line(link, known) for link in chain) if len(chain) > 1 or parts else (),
        rounds_whole=whole,
        bound=_bound(version, known),
        check=_check(record, known),
        report=report,
        shared=tuple(known.member(share.recipient) for share in shares),
        owed=obligation_line(owed, version, known, reader=reader, origin=origin) if owed else None,
        answers=tuple(
            f"{answer_sentence(answer.answer, known.member(answer.owner), answer.position.time)}."
            for answer in answers
        ),
        blame=_blame(blame, known),
        commands=tuple(_version_commands(version, known, reader, origin)),
    )


def round_line(link: Round, known: Known) -> RoundLine:
    """Tell one round of a training."""
    made, step = link.model.version, link.step.record
    return RoundLine(
        number=link.number,
        title=version_title(made),
        link=version_link(made.version_id),
        when=moment(link.step.position.time),
        team=known.team(step.member_id, step.parts),
    )


def obligation_line(
    owed: Obligation, version: Version, known: Known, *, reader: Member, origin: str
) -> ObligationLine:
    """Tell what is owed, and to its owner how to give it; to others, once it is overdue, what they can do."""
    name = to_hex(owed.version_id)
    own, late = owed.owner == reader.member_id, known.at > owed.due
    found: tuple[Command, ...] = ()
    if own:
        found = (
            Command(
                "If a new model without the data takes its place", commands.answer(origin, name, "RETRAINED")
            ),
            Command("If the model was made to forget it", commands.answer(origin, name, "UNLEARNED")),
            Command("If it is taken out of service", commands.answer(origin, name, "RETIRED")),
            Command("If it serves on, with reasons", commands.answer(origin, name, "JUSTIFIED")),
        )
    elif late and version.status is ModelStatus.ACTIVE:
        found = (Command("To suspend the model", commands.suspend(origin, name)),)
    verb = "answers" if own else "suspension"
    return ObligationLine(
        title=version_title(version),
        link=version_link(owed.version_id),
        sentence=f"{obligation_sentence(owed, known.member(owed.owner), known.at)}.",
        state=due_state(owed.due, known.at),
        route=f"POST /v1/versions/{name}/{verb}" if found else "",
        commands=found,
    )


def custody_line(link: CustodyEntry, version: Version | None, known: Known) -> CustodyLine:
    """Tell one link of a custody chain; *version* is the one that it is about."""
    return CustodyLine(
        when=moment(link.position.time),
        title=version_title(version) if version else "Version",
        link=version_link(link.version_id),
        sentence=f"{custody_out(link, known.members).sentence}{_joined(link.step, known)}.",
    )


def whereabouts_of(impact: Impact, known: Known, *, consent: Consent | None) -> Whereabouts:
    """Tell a patient where the data of a consent, or without one, went, and what a withdrawal asks of whom."""
    ended = any(inclusion.withdrawal for inclusion in impact.inclusions)
    models = [record.version for record in impact.models]
    others = len(impact.versions)
    return Whereabouts(
        consent=consent,
        datasets=tuple(_dataset_told(record, impact.inclusions, known) for record in impact.datasets),
        models=tuple(_model_told(version, impact, known) for version in models),
        others=others_told(others, more=impact.next_cursor is not None) if others else None,
        withdrawal=withdrawal_told(ended=ended, models=len(models))
        if ended or (consent is not None and (consent.in_force or consent.frozen))
        else None,
        ended=ended,
    )


def _dataset_told(record: DatasetRecord, inclusions: Sequence[InclusionRecord], known: Known) -> Label:
    number = record.dataset.dataset_id
    mine = [inclusion for inclusion in inclusions if inclusion.dataset_id == number]
    ends = [inclusion.withdrawn_at for inclusion in mine]
    return dataset_told(
        number,
        owner=known.member(record.dataset.owner),
        title=known.titles.get(number, ""),
        since=mine[0].position.time,
        withdrawn=max(ends) if all(ends) else 0,
        destroyed=record.dataset.status is DatasetStatus.DESTROYED,
    )


def _model_told(version: Version, impact: Impact, known: Known) -> Label:
    owed = impact.obligations.get(version.version_id)
    last = [answer for answer in impact.answers if answer.version_id == version.version_id][-1:]
    return model_told(
        version.version_id.hex()[:8],
        owner=known.member(version.owner),
        status=version.status,
        deployed=version.deployed,
        due=owed.due if owed else 0,
        answer=(last[0].answer, last[0].position.time) if last and owed is None else None,
        at=known.at,
    )


def _described(words: Description) -> tuple[tuple[str, str], ...]:
    return (
        ("Where the data is from", words.source),
        ("How it is collected", words.method),
        ("How it is de-identified", words.standard),
        ("How it is stored", words.storage),
    )


def _epsilon(millionths: int) -> str:
    return f"{millionths / _MILLION:.6f}".rstrip("0").rstrip(".")


def _dataset_commands(dataset: Dataset, at: int, reader: Member, origin: str) -> Iterable[Command]:
    own = dataset.owner == reader.member_id
    if own and retention_is_over(dataset, at):
        yield Command("To state that it was destroyed", commands.destroy(origin, dataset.dataset_id))
    if not own and Role.ETHICS in reader.roles and len(dataset.withdrawals) > dataset.excused:
        yield Command(
            "To excuse the withdrawals so far",
            commands.excuse_withdrawals(origin, dataset.dataset_id, len(dataset.withdrawals)),
        )


def _version_commands(version: Version, known: Known, reader: Member, origin: str) -> Iterable[Command]:
    name, own = to_hex(version.version_id), version.owner == reader.member_id
    if not own and Role.VERIFIER in reader.roles and version.check is Check.PENDING:
        yield Command("To state what you found in a check of it", commands.check(origin, name))
    only = _only_recipient(version, known)
    if own and version.check is Check.PASSED and only != NOBODY:
        recipient = only or "NUMBER"
        yield Command("To let another member use it", commands.share(origin, name, recipient=recipient))
        abroad = commands.share(origin, name, recipient=recipient, options="--project NUMBER")
        yield Command("To do so abroad, for its project that is cleared for the border", abroad)


def _made(record: VersionRecord, made: StepEntry | None, known: Known) -> str:
    if made is not None:
        return f"{step_sentence(made, known.member(made.record.member_id))}{_joined(made, known)}"
    owner = known.member(record.version.owner)
    when = f" on {time_in_words(record.registered.time)}" if record.registered else ""
    return f"{owner} brought it in from outside{when} and vouches for it"


def _joined(made: StepEntry | None, known: Known) -> str:
    others = [known.member(part.member_id) for part in made.record.parts] if made else []
    return f"; {', '.join(others)} took part and signed" if others else ""


def _quarantine(version: Version) -> str:
    if not version.is_quarantined:
        return ""
    if version.check is Check.FAILED:
        return "It failed its check: it stays in quarantine, and no step takes it."
    return "It is in quarantine: no step takes it until a verifier has passed it."


def _only_recipient(version: Version, known: Known) -> int:
    """Return the only member that a version may be shared with; 0 if any, `NOBODY` if none."""
    found = {version.only_to}
    if version.kind is VersionKind.DATA:
        datasets = (known.datasets[origin.dataset_id] for origin in version.origins)
        found |= {dataset.owner for dataset in datasets if dataset.no_onward}
    found -= {0}
    if len(found) > 1 or version.owner in found:
        return NOBODY
    return next(iter(found), 0)


def _bound(version: Version, known: Known) -> str:
    only = _only_recipient(version, known)
    if only == NOBODY:
        return "nobody: an agreement or a consent behind it forbids to pass it on"
    if only:
        return f"{known.member(only)} alone, under an agreement: it may go back only"
    return "any member, under an agreement"


def _check(record: VersionRecord, known: Known) -> str:
    version = record.version
    if record.checked is None:
        return "Nobody has checked yet how it was made."
    found = "passed" if version.check is Check.PASSED else "failed"
    return f"{known.member(version.verifier)} checked on {moment(record.checked.time).text} how it was made: {found}."


def _blame(blame: tuple[Blame | None, bool], known: Known) -> str:
    found, whole = blame
    if found is not None:
        what = f"what step {found.step.record.step_id} made" if found.step else "what it vouches for"
        return f"{known.member(found.member_id)} is responsible: {what} failed its check."
    where = "On the way to it" if whole else "On as much of the way to it as was searched"
    return f"{where} nothing failed its check."
