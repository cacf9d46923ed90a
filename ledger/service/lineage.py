"""
Lineage: what members do with data on its way to a model, who checks it, who is let use it, and what withdrawals ask.

A step that breaks a rule is an answer, not an error: it is recorded with what was missing, and makes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from ledger.domain.lineage import MAKES_NOTHING, MAX_LINKS, OF_DATASETS, JointPart, Step, Version, VersionId
from ledger.domain.records import ZERO32, Commitment, Member, PassportId, Salt
from ledger.domain.vocabulary import (
    ANSWER_LABELS,
    STEP_KIND_LABELS,
    Answer,
    Check,
    DatasetStatus,
    ModelStatus,
    Purpose,
    Role,
    StepKind,
    VersionKind,
    purpose_set,
)
from ledger.domain.wording import time_in_words
from ledger.encoding.commitments import STEP_DOMAIN, commit_record, external_id, step_record
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.typed_data import digest, part_typed_data, recover
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted, SignatureRejected
from ledger.lineage import is_stale, is_usable
from ledger.policy import agreement_is_in_force
from ledger.ports import (
    AnswerRecord,
    Call,
    Chain,
    Index,
    Obligation,
    Operation,
    StepEntry,
    Vault,
    VersionRecord,
    Writer,
)
from ledger.service.authority import (
    require_active,
    require_dataset,
    require_member,
    require_role,
    require_version,
    signer_of,
)
from ledger.service.statements import keep, recall, require_words, words_of

#: The least and the most inputs that a step of a kind has, as the contract has it.
_INPUTS: Final = {
    StepKind.COLLECT: (0, 0),
    StepKind.DESTROY: (0, 0),
    StepKind.MERGE: (2, MAX_LINKS),
    StepKind.TRAIN: (1, MAX_LINKS),
    StepKind.INFER: (1, MAX_LINKS),
    StepKind.EVALUATE: (2, MAX_LINKS),
}
_ONE: Final = (1, 1)
#: The answers that put another model in the place of one.
REPLACING: Final = frozenset({Answer.RETRAINED, Answer.UNLEARNED})


@dataclass(frozen=True, slots=True)
class StepReport:
    """
    What a member reports of a step.

    Attributes:
        inputs: Versions that it used; a model before data.
        outputs: Commitments to the content of what it makes; of SPLIT training, validation, test.
        dataset_id: Of COLLECT and DESTROY; else 0.
        project_id: Project it is part of, or 0.
        purposes: What the model of TRAIN is for; else none.
        epsilon: Privacy it spends, in millionths of epsilon.
        tool: Digest of the tool; zero if none.
        parameters: How it was done, as JSON; with environment and evidence it stays in the vault, the chain holds a
            commitment.
        environment: Where it was done.
        evidence: What shows it, in words.
        salt: Of the commitment to parameters, environment and evidence. A joint step is signed before it is recorded:
            there it is agreed on before; else None, and a fresh one is taken.
        parts: Of a joint step, of those who took part and signed.
    """

    kind: StepKind
    inputs: tuple[VersionId, ...] = ()
    outputs: tuple[VersionId, ...] = ()
    dataset_id: int = 0
    project_id: int = 0
    purposes: tuple[Purpose, ...] = ()
    epsilon: int = 0
    tool: bytes = ZERO32
    parameters: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    evidence: str = ""
    salt: Salt | None = None
    parts: tuple[JointPart, ...] = ()

    @property
    def kept(self) -> dict[str, Any]:
        """Return what the step's commitment is to."""
        return step_record(self.kind.name, self.parameters, self.environment, self.evidence)

    def step(self) -> Step:
        """
        Return the step as those who take part sign it.

        Raises:
            InvalidInput: No salt was agreed on.
        """
        if self.salt is None:
            raise InvalidInput(
                "a joint step needs the salt of its commitment",
                field="salt",
                fix="passport lineage draft writes one into the file of the step; all sign that file.",
            )
        return Step(
            kind=self.kind,
            parameters=commit_record(STEP_DOMAIN, self.kept, salt=self.salt),
            inputs=self.inputs,
            outputs=self.outputs,
            dataset_id=self.dataset_id,
            project_id=self.project_id,
            purposes=purpose_set(self.purposes),
            epsilon=self.epsilon,
            tool=self.tool,
        )


@dataclass(frozen=True, slots=True)
class Lineage:
    """Steps, versions, and what withdrawals ask of models."""

    chain: Chain
    index: Index
    writer: Writer
    vault: Vault

    def record(
        self, actor: Member, report: StepReport, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Record a step of the caller's.

        Returns:
            The operation; once mined, its event says which rules the step broke, and by that whether it stands.

        Raises:
            InvalidInput: The step has not the dataset, inputs, outputs or purposes that its kind has; says what. Of a
                joint step: it makes nothing, has no salt, or its parts are not in order.
            NotFound: There is no such dataset, project or member.
            Conflict: A commitment that it would make is taken, or this very joint step was recorded before.
            SignatureRejected: Somebody who takes part did not sign this step for this recorder.
        """
        _check_form(report)
        self._check_names(report)
        if report.parts:
            self._check_parts(actor, report)
        fields = [
            int(report.kind),
            report.dataset_id,
            report.project_id,
            purpose_set(report.purposes),
            report.epsilon,
            [to_hex(version) for version in report.inputs],
            [to_hex(version) for version in report.outputs],
            to_hex(report.tool),
            to_hex(keep(self.vault, STEP_DOMAIN, report.kept, owner=actor.member_id, salt=report.salt)),
        ]
        parts = [(part.member_id, to_hex(part.contribution), to_hex(part.signature)) for part in report.parts]
        call = Call("recordJointStep", (fields, parts)) if parts else Call("recordStep", (fields,))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def sign_part(
        self, actor: Member, report: StepReport, *, recorder: int, contribution: Commitment
    ) -> JointPart:
        """
        Take part in a step that another member will record: sign it with the caller's key, which this service holds.

        Args:
            actor: Who takes part.
            report: The step, with its salt.
            recorder: The member that will record it.
            contribution: Commitment to what the caller contributes.

        Raises:
            InvalidInput: The step is not in order or has no salt, or the contribution is zero.
            NotFound: There is no such recorder, dataset or project.
            NotPermitted: The service does not hold the caller's key: sign where that is.
        """
        _check_form(report)
        self._check_names(report)
        require_member(self.index, recorder)
        if not any(contribution):
            raise InvalidInput("the contribution must be a commitment", field="contribution")
        typed = part_typed_data(
            self.chain.domain(),
            report.step(),
            recorder=recorder,
            member_id=actor.member_id,
            contribution=contribution,
        )
        signer = signer_of(self.writer, actor)
        return JointPart(actor.member_id, contribution, self.writer.sign_words(signer, typed))

    def register(
        self,
        actor: Member,
        content: Commitment,
        kind: VersionKind,
        purposes: tuple[Purpose, ...],
        statement: str,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Vouch for data or a model from outside. No step takes it before an independent verifier has checked it.

        Its name is `external_id` of the member and the content.

        Args:
            actor: The member that vouches; it owns the version.
            content: Commitment to its content.
            kind: DATA or MODEL.
            purposes: What it may serve.
            statement: Where it is from, and what allows its use; stays in the vault.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            InvalidInput: It is neither data nor a model, or content, purposes or statement are missing.
            Conflict: The caller vouched for it before, or a purpose is banned.
            NotPermitted: *actor* is no active member.
        """
        require_active(actor, self.chain.now())
        if kind not in (VersionKind.DATA, VersionKind.MODEL):
            raise InvalidInput("what is registered is DATA or a MODEL", field="kind")
        if not purposes:
            raise InvalidInput("purposes must say what it may serve", field="purposes")
        if not any(content):
            raise InvalidInput("the content must be a commitment", field="content")
        version_id = VersionId(external_id(actor.member_id, content))
        self._check_free(version_id)
        commitment = self._keep(actor, "external", version_id, "statement", statement)
        call = Call(
            "registerExternal",
            (to_hex(content), int(kind), purpose_set(purposes), to_hex(commitment)),
        )
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def verify(
        self,
        actor: Member,
        version_id: VersionId,
        *,
        passed: bool,
        report: str,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Say whether a version was made as it should.

        Args:
            actor: A member with the role VERIFIER that neither owns the version nor was shared it.
            version_id: The version.
            passed: Whether.
            report: The report in words; stays in the vault.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such version.
            NotPermitted: *actor* lacks the role, or had a part in it.
            Conflict: It was checked before.
            InvalidInput: The report is empty.
        """
        version = self.get(version_id).version
        require_role(actor, Role.VERIFIER)
        require_active(actor, self.chain.now())
        if self._has_part(actor, version):
            raise NotPermitted(
                f"{actor.name} owns or uses version {to_hex(version_id)}, or took part in making it",
                fix="Let another verifier check it.",
            )
        if version.check is not Check.PENDING:
            raise Conflict(f"version {to_hex(version_id)} was checked before")
        commitment = self._keep(actor, "report", version_id, "report", report)
        call = Call("verifyVersion", (to_hex(version_id), passed, to_hex(commitment)))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def share(
        self,
        actor: Member,
        version_id: VersionId,
        recipient: int,
        agreement_id: int,
        project_id: int = 0,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Let another member use a version in its own steps, under an agreement in force.

        Args:
            actor: The version's owner.
            version_id: The version; it passed its check.
            recipient: The member; not the one that checked it.
            agreement_id: The agreement by which *actor* gives and the recipient receives.
            project_id: The recipient's project that is cleared for the border, if it is abroad; else 0.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such version, member or agreement.
            NotPermitted: *actor* does not own it.
            Conflict: Nobody has checked it, it failed, the recipient checked it, it is data that was sealed, that a
                withdrawal has reached or whose time is over, it may not be passed on, the agreement is not in force or does not cover it, or nothing clears it for the border.
            InvalidInput: The recipient is the caller.
        """
        record = self.get(version_id)
        version = record.version
        require_active(actor, self.chain.now())
        self._require_owner(actor, version_id, version.owner)
        require_member(self.index, recipient)
        if recipient == actor.member_id:
            raise InvalidInput("a version is shared with another member", field="recipient")
        if version.check is not Check.PASSED:
            raise Conflict(
                f"nobody has checked version {to_hex(version_id)}, or it failed",
                fix="Let a verifier check it first.",
            )
        if recipient == version.verifier:
            raise Conflict(f"member {recipient} checked version {to_hex(version_id)} and does not use it")
        if version.kind is VersionKind.DATA:
            self._require_usable(record)
        self._require_agreement(version, recipient, agreement_id)
        self._require_onward(version, recipient)
        call = Call("shareVersion", (to_hex(version_id), recipient, agreement_id, project_id))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def answer(
        self,
        actor: Member,
        version_id: VersionId,
        answer: Answer,
        *,
        evidence: str,
        successor: VersionId | None = None,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Answer the withdrawals that have reached a model. All but JUSTIFIED take it out of service.

        Args:
            actor: The model's owner.
            version_id: The model.
            answer: The answer.
            evidence: What shows it, in words; stays in the vault.
            successor: Of RETRAINED and UNLEARNED the model that takes its place, which no withdrawal has reached.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such model.
            NotPermitted: *actor* does not own it.
            Conflict: Nothing is owed, and the model is not suspended.
            InvalidInput: The evidence is empty, or the successor is missing, superfluous or no such model.
        """
        version = self._model(version_id).version
        self._require_owner(actor, version_id, version.owner)
        suspended = version.status is ModelStatus.SUSPENDED
        if self.index.obligation(version_id) is None and not suspended:
            raise Conflict(f"no withdrawal waits for an answer in {to_hex(version_id)}")
        if answer is Answer.NONE:
            raise InvalidInput("answer must say what was done", field="answer")
        if (answer in REPLACING) != (successor is not None):
            raise InvalidInput(
                "a model that was trained anew or unlearned has a successor, any other answer has none",
                field="successor",
            )
        if successor is not None:
            self._check_successor(actor, successor)
        commitment = self._keep(actor, "evidence", version_id, "evidence", evidence)
        call = Call(
            "answerWithdrawal",
            (to_hex(version_id), int(answer), to_hex(successor or ZERO32), to_hex(commitment)),
        )
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def suspend(
        self, actor: Member, version_id: VersionId, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Suspend a model whose owner owes an answer for too long. Any member may.

        Raises:
            NotFound: There is no such model.
            Conflict: No answer is overdue, or it is suspended already.
        """
        version = self._model(version_id).version
        owed = self.index.obligation(version_id)
        if version.status is not ModelStatus.ACTIVE or owed is None or self.chain.now() <= owed.due:
            raise Conflict(f"no answer of {to_hex(version_id)} is overdue, or it is suspended already")
        call = Call("suspendOverdue", (to_hex(version_id),))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def step(self, step_id: int) -> StepEntry:
        """
        Return a step.

        Raises:
            NotFound: There is no such step.
        """
        entry = self.index.step(step_id)
        if entry is None:
            raise NotFound(f"there is no step {step_id}", fix="GET /v1/steps lists the steps.")
        return entry

    def get(self, version_id: VersionId) -> VersionRecord:
        """
        Return a version.

        Raises:
            NotFound: There is no such version.
        """
        return require_version(self.index, version_id)

    def reported(self, entry: StepEntry) -> dict[str, Any] | None:
        """Return how a step was done: parameters, environment, evidence; None if this service does not keep it."""
        record = entry.record
        return recall(
            self.vault, self.index, record.step.parameters, domain=STEP_DOMAIN, owner=record.member_id
        )

    def statement(self, record: VersionRecord) -> str | None:
        """Return what the owner of a version from outside said of it; None if this service does not keep it."""
        version = record.version
        return self._words(record.statement, "external", version.version_id, "statement", version.owner)

    def verdict(self, record: VersionRecord) -> str | None:
        """Return the report of who checked a version; None if this service does not keep it."""
        version = record.version
        return self._words(record.report, "report", version.version_id, "report", version.verifier)

    def evidence(self, answer: AnswerRecord) -> str | None:
        """Return what shows an answer to withdrawals; None if this service does not keep it."""
        return self._words(answer.evidence, "evidence", answer.version_id, "evidence", answer.owner)

    def _words(
        self, commitment: Commitment | None, domain: str, version_id: VersionId, field: str, owner: int
    ) -> str | None:
        named = {"version": to_hex(version_id)}
        return words_of(self.vault, self.index, commitment, field, domain=domain, owner=owner, named=named)

    def _check_names(self, report: StepReport) -> None:
        if report.dataset_id:
            require_dataset(self.index, report.dataset_id)
        if report.project_id and self.index.project(report.project_id) is None:
            raise NotFound(
                f"there is no project {report.project_id}", fix="GET /v1/projects lists the projects."
            )
        for name in report.outputs:
            self._check_free(name)

    def _check_free(self, name: VersionId) -> None:
        if self.index.version(name) is not None or self.index.passport(PassportId(name)) is not None:
            raise Conflict(
                f"{to_hex(name)} names a version or a passport already",
                fix="Commit to the content with a fresh salt.",
            )

    def _check_parts(self, actor: Member, report: StepReport) -> None:
        step, numbers = report.step(), [part.member_id for part in report.parts]
        if report.kind in MAKES_NOTHING:
            raise InvalidInput(
                f"a {report.kind.name} makes nothing, and signatures for it could be used again", field="kind"
            )
        if numbers != sorted(set(numbers)):
            raise InvalidInput(
                "parts stand in the order of their members' numbers, each member once", field="parts"
            )
        for part in report.parts:
            member = require_member(self.index, part.member_id)
            typed = part_typed_data(
                self.chain.domain(),
                step,
                recorder=actor.member_id,
                member_id=part.member_id,
                contribution=part.contribution,
            )
            if not any(part.contribution) or not self._is_signed(member, typed, part.signature):
                raise SignatureRejected(
                    f"{member.name} did not sign this step for {actor.name} to record",
                    fix="Let it sign the very file that is recorded: passport lineage sign-part.",
                )
        for entry in self.index.steps_naming(step.outputs):
            record = entry.record
            if record.parts and (record.member_id, record.step) == (actor.member_id, step):
                raise Conflict(
                    "this joint step was recorded before, refused or not: its signatures are good once",
                    fix="Draft it anew, with another salt, and have it signed again.",
                )

    def _is_signed(self, member: Member, typed: dict[str, Any], signature: bytes) -> bool:
        try:
            if recover(typed, signature) == member.signer.lower():
                return True
        except SignatureRejected:
            pass  # of a contract that stands for the member, perhaps
        return self.chain.stands_by(member.signer, digest(typed), signature)

    def _require_agreement(self, version: Version, recipient: int, agreement_id: int) -> None:
        record = self.index.agreement(agreement_id)
        if record is None:
            raise NotFound(
                f"there is no agreement {agreement_id}", fix="GET /v1/agreements lists the agreements."
            )
        agreement = record.agreement
        sides = (agreement.provider, agreement.recipient)
        if sides != (version.owner, recipient):
            raise Conflict(
                f"agreement {agreement_id} is not one by which member {version.owner} gives to member {recipient}"
            )
        provider, receiver = require_member(self.index, version.owner), require_member(self.index, recipient)
        if not agreement_is_in_force(agreement, provider, receiver, self.chain.now()):
            raise Conflict(
                f"agreement {agreement_id} is not in force",
                fix="The recipient signs it: passport agreement sign.",
            )
        if not agreement.limits.purposes & version.purposes:
            raise Conflict(f"agreement {agreement_id} is for nothing that the version may serve")

    def _require_onward(self, version: Version, recipient: int) -> None:
        fix = "Ask those who gave it for an agreement that allows onward transfer."
        if version.only_to not in (0, recipient):
            raise Conflict(
                f"version {to_hex(version.version_id)} was made under an agreement that forbids to pass it on",
                fix=fix,
            )
        for origin in version.origins if version.kind is VersionKind.DATA else ():
            found = self.index.dataset(origin.dataset_id)
            if found is not None and found.dataset.no_onward and found.dataset.owner != recipient:
                raise Conflict(
                    f"somebody in dataset {origin.dataset_id} did not consent to its being passed on",
                    fix="Include with consents that have the flag ONWARD alone.",
                )

    def _check_successor(self, actor: Member, successor: VersionId) -> None:
        record = self.index.version(successor)
        fits = (
            record is not None
            and record.version.kind is VersionKind.MODEL
            and record.version.owner == actor.member_id
            and record.version.status is ModelStatus.ACTIVE
            and not record.version.is_quarantined
        )
        if not fits or (record is not None and self._is_stale(record)):
            raise InvalidInput(
                f"{to_hex(successor)} is no active model of {actor.name} that no withdrawal has reached",
                field="successor",
            )

    def _is_stale(self, record: VersionRecord) -> bool:
        """Tell whether a withdrawal has reached a version, justified or not."""
        return any(
            is_stale(origin, found.dataset)
            for origin in record.version.origins
            if (found := self.index.dataset(origin.dataset_id)) is not None
        )

    def _require_usable(self, record: VersionRecord) -> None:
        for origin in record.version.origins:
            found = self.index.dataset(origin.dataset_id)
            if found is None:
                continue
            dataset, which = found.dataset, f"dataset {origin.dataset_id}, which it is from,"
            if dataset.status >= DatasetStatus.SEALED:
                raise Conflict(f"{which} is {dataset.status.name.lower()}")
            if not is_usable(dataset, self.chain.now()):
                raise Conflict(f"the time of {which} is over: its retention, or a consent in it, has ended")
            if is_stale(origin, dataset):
                raise Conflict(
                    f"somebody withdrew from {which} after it was collected",
                    fix="Collect it anew, or have an ethics body excuse the withdrawals.",
                )

    def _model(self, version_id: VersionId) -> VersionRecord:
        record = self.get(version_id)
        if record.version.kind is not VersionKind.MODEL:
            raise NotFound(f"version {to_hex(version_id)} is no model")
        return record

    def _has_part(self, member: Member, version: Version) -> bool:
        """Tell whether a member owns a version, was shared it, or took part in making it."""
        made = self.index.step(version.step_id)
        users = {share.recipient for share in self.index.shares([version.version_id])}
        signed = {part.member_id for part in made.record.parts} if made else set()
        return member.member_id in {version.owner} | users | signed

    def _require_owner(self, actor: Member, version_id: VersionId, owner: int) -> None:
        if owner != actor.member_id:
            raise NotPermitted(
                f"{actor.name} does not own version {to_hex(version_id)}", fix="Only its owner can do this."
            )

    def _keep(self, actor: Member, domain: str, version_id: VersionId, field: str, words: str) -> Commitment:
        require_words(words, field)
        return keep(self.vault, domain, {"version": to_hex(version_id), field: words}, owner=actor.member_id)


def step_sentence(entry: StepEntry, member: str) -> str:
    """Return a step in plain words: who did what, when, and whether it stands."""
    step = entry.record.step
    about = f" dataset {step.dataset_id}" if step.dataset_id else f" from {_count(len(step.inputs))}"
    said = f"{member} recorded on {time_in_words(entry.position.time)} to {STEP_KIND_LABELS[step.kind].en}{about}"
    return said if entry.stands else f"{said}; it broke a rule and made nothing"


def obligation_sentence(owed: Obligation, owner: str, at: int) -> str:
    """Return what an owner owes in plain words."""
    late = "was due" if at > owed.due else "is due"
    several = "a consent that was" if owed.withdrawals == 1 else f"{owed.withdrawals} consents that were"
    return f"{owner} owes an answer to {several} withdrawn; it {late} {time_in_words(owed.due)}"


def answer_sentence(answer: Answer, owner: str, time: int) -> str:
    """Return an owner's answer in plain words."""
    return f"{owner} answered on {time_in_words(time)}: {ANSWER_LABELS[answer].en}"


def _count(versions: int) -> str:
    return "one version" if versions == 1 else f"{versions} versions"


def _check_form(report: StepReport) -> None:
    """A step has what its kind has. That a split makes three is a rule, not a form."""
    kind, inputs, outputs = report.kind, len(report.inputs), len(report.outputs)
    least, most = _INPUTS.get(kind, _ONE)
    if not least <= inputs <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        noun = "input" if most == 1 else "inputs"
        raise InvalidInput(f"{kind.name} takes {wanted} {noun}, not {inputs}", field="inputs")
    if bool(outputs) == (kind in MAKES_NOTHING):
        raise InvalidInput(f"{kind.name} makes {'something' if not outputs else 'nothing'}", field="outputs")
    if outputs > (MAX_LINKS if kind is StepKind.SPLIT else 1):
        raise InvalidInput(f"{kind.name} makes no {outputs} versions at once", field="outputs")
    if len(set(report.outputs)) < outputs or ZERO32 in report.outputs:
        raise InvalidInput("each output is another commitment, and none is zero", field="outputs")
    if bool(report.dataset_id) != (kind in OF_DATASETS):
        raise InvalidInput("COLLECT and DESTROY name a dataset, no other step does", field="datasetId")
    if report.epsilon and kind in OF_DATASETS:
        raise InvalidInput("to collect and to destroy spends no privacy", field="epsilon")
    if bool(report.purposes) != (kind is StepKind.TRAIN):
        raise InvalidInput("TRAIN says what the model is for, no other step has purposes", field="purposes")
