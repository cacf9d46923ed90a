"""Consent: prepared in plain words, signed by the holder, relayed, and withdrawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from ledger.domain.records import (
    NO_GRANT,
    ZERO32,
    Commitment,
    Grant,
    GrantId,
    GrantState,
    HolderKey,
    Member,
    PassportId,
    Salt,
    Template,
)
from ledger.domain.vocabulary import (
    Assurance,
    Category,
    Custody,
    GrantFlag,
    GrantStatus,
    Level,
    MemberKind,
    Purpose,
    kind_set,
    kinds_of,
    names,
    purpose_set,
)
from ledger.domain.wording import FIRST_TEMPLATE, consent_text, terms_record, time_in_words
from ledger.encoding.commitments import commit_record, new_id, new_salt
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.typed_data import grant_message, grant_typed_data, recover, revocation_typed_data, sign
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted, SignatureExpired, SignatureRejected
from ledger.policy import grant_is_live
from ledger.ports import Call, Chain, GrantRecord, Index, Operation, Vault, Writer
from ledger.service.authority import require_active, require_custodian, require_passport, signer_of

#: How long a prepared grant waits for its signature, in seconds.
SIGNATURE_SECONDS: Final = 3600
NO_FLAGS: Final = GrantFlag(0)
_MAX_USES: Final = 2**16 - 1


@dataclass(frozen=True, slots=True)
class PreparedGrant:
    """
    A grant ready to be signed: its words on chain, the sentence, and the typed data for the holder's key.

    With `terms_salt` the holder can check that the terms that are signed commit to the very sentence that was read.
    """

    grant: Grant
    text: str
    terms_salt: Salt
    holder: HolderKey
    typed_data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Consents:
    """Consents of patients."""

    chain: Chain
    index: Index
    writer: Writer
    vault: Vault

    def prepare(
        self,
        passport_id: PassportId,
        *,
        purposes: list[Purpose],
        categories: Category,
        use_from: int | None,
        use_to: int,
        recipient: int = 0,
        recipient_kinds: list[MemberKind] | None = None,
        data_from: int = 0,
        data_to: int = 0,
        max_uses: int = 0,
        level: Level = Level.IDENTIFIED,
        flags: GrantFlag = NO_FLAGS,
        template: int = FIRST_TEMPLATE,
        supersedes: GrantId = NO_GRANT,
        grant_id: GrantId | None = None,
    ) -> PreparedGrant:
        """
        Write a grant down for the holder to read and sign. Nothing is granted yet.

        Args:
            passport_id: The data.
            recipient: Number of the member that may use it; 0 if `recipient_kinds` says which kinds of members may.
            recipient_kinds: Kinds of members that may use it, if no member is named.
            purposes: At least one.
            categories: At least one.
            use_from: Start of the use period, seconds since the Unix epoch; None for now.
            use_to: Its end, exclusive.
            data_from: First day of the data, days since 1900-01-01; 0 for no limit.
            data_to: Last day of the data; 0 for no limit.
            max_uses: Number of permits it is good for; 0 for as many as the use period holds.
            level: Least level of de-identification at which the data may be handed over.
            flags: Limits.
            template: The committee's template that it fits inside.
            supersedes: An active grant that this one replaces, or zero.
            grant_id: The id under which a member asked for it; None for a new one.

        Raises:
            NotFound: The passport or the member does not exist.
            InvalidInput: Something is missing or out of range; says what.
        """
        passport = require_passport(self.index, passport_id).passport
        kinds = kind_set(recipient_kinds or [])
        if bool(recipient) == bool(kinds):
            raise InvalidInput("name either a recipient or kinds of recipients", field="recipient")
        name = self._name(recipient) if recipient else ""
        now = self.chain.now()
        # "From now on" means from the newest block: the next one, which may run behind our clock, comes after it.
        start = self.chain.head().time if use_from is None else use_from
        self._check(purposes, categories, start, use_to, max_uses, flags, now)
        if 0 < data_to < data_from:
            raise InvalidInput("dataTo is before dataFrom", field="dataTo")
        if GrantFlag.SEPARATE in flags and not recipient:
            raise InvalidInput("a separate consent names one recipient, not kinds of them", field="recipient")
        allowed = self._template(template)
        _check_template(allowed, purposes, categories, kinds or kind_set([self._member(recipient).kind]))
        if use_to - start > allowed.max_seconds:
            raise InvalidInput(
                f"template {template} allows {allowed.max_seconds // 86_400} days at most", field="useTo"
            )
        worded = Grant(
            grant_id=grant_id or GrantId(new_id()),
            passport_id=passport_id,
            recipient=recipient,
            recipient_kinds=kinds,
            purposes=purpose_set(purposes),
            categories=categories,
            use_from=start,
            use_to=use_to,
            data_from=data_from,
            data_to=data_to,
            max_uses=max_uses,
            level=level,
            flags=flags,
            template=template,
            terms=Commitment(ZERO32),
            supersedes=supersedes,
            deadline=now + SIGNATURE_SECONDS,
        )
        text = consent_text(name, worded)
        salt, record = new_salt(), terms_record(text)
        terms = commit_record("terms", record, salt=salt)
        self.vault.remember(terms, domain="terms", salt=salt, record=record)
        grant = replace(worded, terms=terms)
        return PreparedGrant(grant, text, salt, passport.holder, grant_typed_data(self.chain.domain(), grant))

    def relay(
        self,
        relayer: Member,
        grant: Grant,
        signature: bytes,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Bring a signed grant to the ledger. Who relays does not matter; the holder's signature does.

        Raises:
            NotFound: The passport does not exist.
            SignatureRejected: Not the holder's signature over exactly these words on this ledger and chain.
            SignatureExpired: Past its deadline.
            Conflict: The grant exists already.
        """
        passport = require_passport(self.index, grant.passport_id).passport
        if grant.deadline < self.chain.now():
            raise SignatureExpired(
                f"the grant had to be signed and sent before {time_in_words(grant.deadline)}"
            )
        self._require_holder(
            passport.holder, recover(grant_typed_data(self.chain.domain(), grant), signature)
        )
        if self._is_taken(grant):
            raise Conflict(
                f"grant {to_hex(grant.grant_id)} exists already: a signature is good for one grant"
            )
        call = Call("grant", ([list(grant_message(grant).values())], [proof(signature)]))
        return self.writer.submit(signer_of(self.writer, relayer), call, idempotency=idempotency)

    def assist(
        self, actor: Member, prepared: PreparedGrant, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Sign and relay a grant for a patient whose holder key the custodian keeps.

        Raises:
            NotPermitted: *actor* does not keep this passport, or the patient keeps the key.
        """
        key = self._assisted_key(actor, prepared.grant.passport_id)
        return self.relay(
            actor, prepared.grant, sign(prepared.typed_data, private_key=key), idempotency=idempotency
        )

    def revocation(self, grant_id: GrantId) -> dict[str, Any]:
        """Return the typed data that withdraws a grant, for the holder's key."""
        record = self.get(grant_id)
        return revocation_typed_data(self.chain.domain(), passport_id=record.passport_id, grant_id=grant_id)

    def revoke(
        self,
        relayer: Member,
        grant_id: GrantId,
        signature: bytes | None,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Withdraw a grant. From the next transaction on it permits nothing.

        Args:
            relayer: Who brings it.
            grant_id: The grant.
            signature: The holder's signature over `revocation`; None if the custodian keeps the holder key.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such grant.
            SignatureRejected: Not the holder's signature.
        """
        record = self.get(grant_id)
        typed_data = self.revocation(grant_id)
        if signature is None:
            signature = sign(typed_data, private_key=self._assisted_key(relayer, record.passport_id))
        holder = require_passport(self.index, record.passport_id).passport.holder
        self._require_holder(holder, recover(typed_data, signature))
        call = Call("revoke", (to_hex(record.passport_id), to_hex(grant_id), proof(signature)))
        return self.writer.submit(signer_of(self.writer, relayer), call, idempotency=idempotency)

    def get(self, grant_id: GrantId) -> GrantRecord:
        """
        Return a grant.

        Raises:
            NotFound: There is no such grant.
        """
        record = self.index.grant(grant_id)
        if record is None:
            raise NotFound(f"there is no grant {to_hex(grant_id)}")
        return record

    def text(self, record: GrantRecord) -> str:
        """Return the sentence the holder agreed to, rebuilt from the chain's own words; who asked, if none was given."""
        if record.state.assurance is Assurance.NONE:
            return f"{self._name(record.requested_by)} asks for your consent."
        recipient = self.index.member(record.state.recipient)
        return consent_text(recipient.name if recipient else f"member {record.state.recipient}", record.state)

    def _is_taken(self, grant: Grant) -> bool:
        """Tell whether a grant's id was given before. To have asked under it does not take it."""
        former = self.index.grant(grant.grant_id)
        if former is None:
            return False
        if former.state.assurance is not Assurance.NONE:
            return True
        return former.passport_id == grant.passport_id and former.state.status is not GrantStatus.REQUESTED

    def _name(self, member_id: int) -> str:
        return self._member(member_id).name

    def _member(self, member_id: int) -> Member:
        member = self.index.member(member_id)
        if member is None:
            raise NotFound(f"there is no member {member_id}", fix="GET /v1/members lists the members.")
        return member

    def _template(self, number: int) -> Template:
        template = self.index.template(number)
        if template is None or template.withdrawn:
            raise InvalidInput(f"template {number} is not in force", field="template")
        return template

    def _check(
        self,
        purposes: list[Purpose],
        categories: Category,
        use_from: int,
        use_to: int,
        max_uses: int,
        flags: GrantFlag,
        now: int,
    ) -> None:
        law = self.index.policy()
        if not purposes:
            raise InvalidInput(
                "purposes must name at least one purpose: there is no blanket consent", field="purposes"
            )
        if not categories:
            raise InvalidInput("categories must name at least one category", field="categories")
        if law is not None and (banned := [p.name for p in purposes if law.banned_purposes >> p & 1]):
            raise InvalidInput(f"the law bans {', '.join(banned)}; no consent can allow it", field="purposes")
        if GrantFlag.SEPARATE in flags and len(set(purposes)) != 1:
            raise InvalidInput("a separate consent names exactly one purpose", field="purposes")
        if use_to <= max(use_from, now):
            raise InvalidInput("useTo must be after useFrom and in the future", field="useTo")
        if law is not None and use_to > now + law.max_grant_seconds:
            days = law.max_grant_seconds // 86_400
            raise InvalidInput(f"a consent may last {days} days at most", field="useTo")
        if not 0 <= max_uses <= _MAX_USES:
            raise InvalidInput(f"maxUses must be 0 to {_MAX_USES}", field="maxUses")

    def _assisted_key(self, actor: Member, passport_id: PassportId) -> bytes:
        passport = require_custodian(self.index, actor, passport_id).passport
        require_active(actor, self.chain.now())
        key = self.vault.holder_key(passport_id) if passport.custody is Custody.ASSISTED else None
        if key is None:
            raise NotPermitted(
                "the patient keeps this passport's holder key",
                fix="Let the patient sign: passport grant --wallet FILE, or send the signature.",
            )
        return key

    @staticmethod
    def _require_holder(holder: str, signer: str) -> None:
        if signer.lower() != holder.lower():
            raise SignatureRejected(
                f"signed by {signer}, but the holder is {holder}",
                fix="Sign with the holder key of this passport, for this ledger's chain and address.",
            )


def _check_template(template: Template, purposes: list[Purpose], categories: Category, kinds: int) -> None:
    outside = [purpose.name for purpose in purposes if not template.purposes >> purpose & 1]
    outside += names(categories & ~template.categories)
    outside += [kind.name for kind in kinds_of(kinds & ~template.recipient_kinds)]
    if outside:
        raise InvalidInput(
            f"template {template.template} does not allow {', '.join(outside)}", field="template"
        )


def proof(signature: bytes, signer: str = "0x") -> list[str]:
    """Return whose signature it is as the contract takes it; an empty signer is the holder itself."""
    return [signer, to_hex(signature)]


def grant_status(state: GrantState, at: int) -> str:
    """Return a grant's status at a time in one word: that of the chain, or pending or expired for an active one."""
    if state.status is not GrantStatus.ACTIVE:
        return state.status.name.lower()
    if grant_is_live(state, at):
        return "active"
    return "pending" if at < state.use_from else "expired"
