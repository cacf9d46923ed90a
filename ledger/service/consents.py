"""
Consent: asked for, prepared in plain words, signed by the holder, amended, confirmed, refused and withdrawn.

Whatever a holder says is relayed by anyone; what a custodian files from paper is of the lowest assurance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
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
    Passport,
    PassportId,
    Salt,
)
from ledger.domain.vocabulary import (
    Assurance,
    Category,
    Custody,
    GrantFlag,
    GrantStatus,
    Language,
    Level,
    MemberKind,
    Purpose,
    kind_set,
    kinds_of,
    names,
    purpose_set,
    purposes_of,
)
from ledger.domain.wording import (
    FIRST_TEMPLATE,
    changes_in_words,
    consent_text,
    request_text,
    terms_record,
    time_in_words,
)
from ledger.encoding.commitments import commit_record, new_id, new_salt
from ledger.encoding.hexadecimal import to_hex
from ledger.encoding.typed_data import (
    confirmation_typed_data,
    grant_message,
    grant_typed_data,
    refusal_typed_data,
    repudiation_typed_data,
    revocation_typed_data,
    sign,
)
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted, SignatureExpired
from ledger.policy import grant_is_live
from ledger.ports import NO_OWNER, Call, Chain, GrantRecord, Index, Operation, Vault, Writer
from ledger.service.authority import (
    require_active,
    require_custodian,
    require_member,
    require_passport,
    signer_of,
)
from ledger.service.signatures import Signatures
from ledger.service.statements import keep, recall
from ledger.service.templates import Templates

#: How long a prepared grant waits for its signature, in seconds.
SIGNATURE_SECONDS: Final = 3600
#: How long a signed grant must still be good when it is relayed, in seconds: it waits for a block, and may be sent twice.
RELAY_SECONDS: Final = 60
NO_FLAGS: Final = GrantFlag(0)
_MAX_USES: Final = 2**16 - 1
_NO_TERMS: Final = Commitment(ZERO32)
#: The status of a member to whom no grant of a passport was ever given, nor asked for.
NEVER_ASKED: Final = "never-asked"
#: What a consent means for a member, the strongest first.
_STRENGTH: Final = ("active", "frozen", "pending", "requested")


@dataclass(frozen=True, slots=True)
class Words:
    """
    What a consent says, besides whose it is: what is prepared, asked for, and amended.

    Attributes:
        purposes: At least one.
        categories: At least one.
        use_from: Start of the use period, seconds since the Unix epoch; None for the moment it is written down.
        use_to: Its end, exclusive.
        recipient: Number of the member that may use it; 0 if `recipient_kinds` says which kinds of members may.
        recipient_kinds: Kinds of members that may use it, if no member is named.
        data_from: First day of the data, days since 1900-01-01; 0 for no limit.
        data_to: Last day of the data; 0 for no limit.
        max_uses: Number of permits it is good for; 0 for as many as the use period holds.
        level: Least level of de-identification at which the data may be handed over.
        flags: Limits.
        template: The committee's template that it fits inside.
        language: The language that its holder reads.
    """

    purposes: tuple[Purpose, ...]
    categories: Category
    use_from: int | None
    use_to: int
    recipient: int = 0
    recipient_kinds: tuple[MemberKind, ...] = ()
    data_from: int = 0
    data_to: int = 0
    max_uses: int = 0
    level: Level = Level.IDENTIFIED
    flags: GrantFlag = NO_FLAGS
    template: int = FIRST_TEMPLATE
    language: Language = Language.EN

    def but(self, changes: Mapping[str, Any]) -> Words:
        """Return these words with some of them changed; a recipient takes the place of kinds of them, and so."""
        known = {item.name for item in fields(self)}
        if unknown := changes.keys() - known:
            raise InvalidInput(f"a consent has no {', '.join(sorted(unknown))}")
        changed = dict(changes)
        if changed.get("recipient"):
            changed.setdefault("recipient_kinds", ())
        if changed.get("recipient_kinds"):
            changed.setdefault("recipient", 0)
        return replace(self, **changed)

    def record(self) -> dict[str, Any]:
        """Return the words as JSON, as the vault keeps what was proposed."""
        return {**asdict(self), "language": self.language.value}

    @classmethod
    def read(cls, record: dict[str, Any]) -> Words:
        """Read what `record` wrote."""
        return cls(
            **{
                **record,
                "purposes": tuple(Purpose(number) for number in record["purposes"]),
                "categories": Category(record["categories"]),
                "recipient_kinds": tuple(MemberKind(number) for number in record["recipient_kinds"]),
                "level": Level(record["level"]),
                "flags": GrantFlag(record["flags"]),
                "language": Language(record["language"]),
            }
        )


@dataclass(frozen=True, slots=True)
class PreparedGrant:
    """
    A grant ready to be signed: its words on chain, the sentence, and the typed data for the holder's key.

    With `terms_salt` the holder can check that the terms that are signed commit to the very sentence that was read, its
    language, and the notice.

    Attributes:
        notice: The text of the notice that goes with the template.
        changes: What it changes in the grant that it replaces, or in what was asked for; in words.
    """

    grant: Grant
    text: str
    terms_salt: Salt
    holder: HolderKey
    typed_data: dict[str, Any]
    language: Language
    notice: str
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consents:
    """Consents of patients."""

    chain: Chain
    index: Index
    writer: Writer
    vault: Vault
    signatures: Signatures
    templates: Templates

    # Written down

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
        language: Language = Language.EN,
        supersedes: GrantId = NO_GRANT,
        grant_id: GrantId | None = None,
    ) -> PreparedGrant:
        """
        Write a grant down for the holder to read and sign. Nothing is granted yet.

        Args:
            passport_id: The data.
            purposes: At least one.
            categories: At least one.
            use_from: Start of the use period, seconds since the Unix epoch; None for now.
            use_to: Its end, exclusive.
            recipient: Number of the member that may use it; 0 if `recipient_kinds` says which kinds of members may.
            recipient_kinds: Kinds of members that may use it, if no member is named.
            data_from: First day of the data, days since 1900-01-01; 0 for no limit.
            data_to: Last day of the data; 0 for no limit.
            max_uses: Number of permits it is good for; 0 for as many as the use period holds.
            level: Least level of de-identification at which the data may be handed over.
            flags: Limits.
            template: The committee's template that it fits inside.
            language: The language that the holder reads.
            supersedes: An active grant that this one replaces, or zero.
            grant_id: The id under which a member asked for it; None for a new one.

        Raises:
            NotFound: The passport, the member, or what is named by its id does not exist.
            InvalidInput: Something is missing or out of range; says what.
            Conflict: What is named by its id waits for no answer, or can no longer be replaced.
        """
        words = Words(
            purposes=tuple(purposes),
            categories=categories,
            use_from=use_from,
            use_to=use_to,
            recipient=recipient,
            recipient_kinds=tuple(recipient_kinds or ()),
            data_from=data_from,
            data_to=data_to,
            max_uses=max_uses,
            level=level,
            flags=flags,
            template=template,
            language=language,
        )
        asked = self._of_passport(grant_id, passport_id, GrantStatus.REQUESTED) if grant_id else None
        former = (
            self._of_passport(supersedes, passport_id, GrantStatus.ACTIVE) if supersedes != NO_GRANT else None
        )
        return self._write_down(passport_id, words, asked=asked, former=former)

    def amend(self, grant_id: GrantId, changes: Mapping[str, Any]) -> PreparedGrant:
        """
        Write down what a grant would be with some of its words changed, for the holder to read and sign.

        Of what was asked for this is the grant itself, under the id it was asked for: with no changes exactly it. Of a
        grant in force it is a new one that replaces it.

        Args:
            grant_id: The grant.
            changes: New values by the names of `Words`.

        Raises:
            NotFound: There is no such grant, or this service does not know what was asked for.
            InvalidInput: Something is out of range; says what.
            Conflict: The grant has ended.
        """
        record = self.get(grant_id)
        status = record.state.status
        if status not in (GrantStatus.REQUESTED, GrantStatus.ACTIVE):
            raise Conflict(
                f"grant {to_hex(grant_id)} has ended ({status.name.lower()})",
                fix="Give a new consent instead.",
            )
        words = self.words(record).but(changes)
        asked, former = (record, None) if status is GrantStatus.REQUESTED else (None, record)
        return self._write_down(record.passport_id, words, asked=asked, former=former)

    def words(self, record: GrantRecord) -> Words:
        """
        Return the words of a grant; of one that was asked for, those proposed.

        Raises:
            NotFound: This service does not keep what was proposed.
        """
        if record.state.status is not GrantStatus.REQUESTED:
            return _words_of(record.state, record.template, self.language(record))
        proposal = self._proposal(record)
        if proposal is None:
            raise NotFound(
                f"this service does not know what was asked for as {to_hex(record.grant_id)}",
                fix="Ask the service of the institution that asked, or refuse.",
            )
        return Words.read(proposal["words"])

    def knows(self, record: GrantRecord) -> bool:
        """Tell whether a grant waits for an answer and this service knows what was asked for."""
        return record.state.status is GrantStatus.REQUESTED and self._proposal(record) is not None

    # Asked for

    def ask(
        self,
        actor: Member,
        passport_id: PassportId,
        words: Words,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Ask a holder for consent. Nothing is granted; the terms proposed stay in the vault.

        Args:
            actor: Who asks, and would be the recipient.
            passport_id: The data.
            words: What the consent would say.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such passport.
            NotPermitted: *actor* is suspended, or asks for somebody else.
            InvalidInput: Something is missing or out of range; says what.
        """
        require_passport(self.index, passport_id)
        require_active(actor, self.chain.now())
        words = words.but({"recipient": words.recipient or actor.member_id})
        if words.recipient != actor.member_id:
            raise NotPermitted("a member asks for itself", fix="Leave out the recipient.")
        grant = self._grant(passport_id, words)
        terms = keep(
            self.vault,
            "proposal",
            {
                "grantId": to_hex(grant.grant_id),
                "passportId": to_hex(passport_id),
                "text": consent_text(actor.name, grant, words.language),
                "words": words.record(),
            },
            owner=actor.member_id,
        )
        call = Call("requestConsent", (to_hex(passport_id), to_hex(grant.grant_id), to_hex(terms)))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    def refusal(self, grant_id: GrantId) -> dict[str, Any]:
        """Return the typed data that refuses what was asked for, for the holder's key."""
        record = self.get(grant_id)
        return refusal_typed_data(self.chain.domain(), passport_id=record.passport_id, grant_id=grant_id)

    def refuse(
        self,
        relayer: Member,
        grant_id: GrantId,
        signature: bytes | None,
        *,
        signer: HolderKey = "",
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Refuse what was asked for; arguments and errors as for `revoke`.

        Raises:
            Conflict: The grant does not wait for an answer.
        """
        record = self._in_status(grant_id, GrantStatus.REQUESTED, "does not wait for an answer")
        return self._say(relayer, record, "refuse", self.refusal(grant_id), signature, signer, idempotency)

    # Given

    def relay(
        self,
        relayer: Member,
        grant: Grant,
        signature: bytes,
        *,
        signer: HolderKey = "",
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Bring a signed grant to the ledger. Who relays does not matter; the holder's signature does.

        Args:
            relayer: Who brings it.
            grant: What was signed.
            signature: The signature.
            signer: The key of a delegate that signed; the empty string for the holder itself.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: The passport does not exist.
            SignatureRejected: Not the holder's or that delegate's signature over exactly these words on this ledger
                and chain.
            SignatureExpired: Past its deadline, or less than `RELAY_SECONDS` before it.
            Conflict: The grant exists already.
        """
        passport = require_passport(self.index, grant.passport_id).passport
        if grant.deadline < self.chain.now() + RELAY_SECONDS:
            raise SignatureExpired(
                f"the grant had to be signed and sent {RELAY_SECONDS} seconds before {time_in_words(grant.deadline)}"
            )
        typed_data = grant_typed_data(self.chain.domain(), grant)
        self.signatures.check_voice(passport, typed_data, signature, signer=signer)
        if self._is_taken(grant):
            raise Conflict(
                f"grant {to_hex(grant.grant_id)} exists already: a signature is good for one grant"
            )
        call = Call("grant", ([list(grant_message(grant).values())], [proof(signature, signer or "0x")]))
        return self.writer.submit(signer_of(self.writer, relayer), call, idempotency=idempotency)

    def assist(
        self, actor: Member, prepared: PreparedGrant, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Sign and relay a grant for a patient whose holder key the custodian keeps.

        Raises:
            NotPermitted: *actor* does not keep this passport, or the patient keeps the key.
        """
        return self.sign_for(actor, prepared.grant, idempotency=idempotency)

    def sign_for(
        self, actor: Member, grant: Grant, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Sign and relay what was prepared here for a patient whose holder key the custodian keeps.

        Raises:
            NotPermitted: *actor* does not keep this passport, or the patient keeps the key.
            InvalidInput: These words were not prepared here: nobody could have read them.
        """
        key = self.assisted_key(actor, grant.passport_id)
        if self._written_down(grant.terms, grant) is None:
            raise InvalidInput(
                "these words were not prepared here", fix="POST /v1/grants/preparations first."
            )
        typed_data = grant_typed_data(self.chain.domain(), grant)
        return self.relay(actor, grant, sign(typed_data, private_key=key), idempotency=idempotency)

    def file(
        self,
        actor: Member,
        prepared: PreparedGrant,
        evidence: str | Commitment,
        *,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        File a consent that the patient gave on paper. It is of the lowest assurance.

        Args:
            actor: The passport's custodian.
            prepared: What the paper says.
            evidence: Where the paper is, in words that stay in the vault; or a commitment to it.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotPermitted: *actor* does not keep this passport, or is suspended.
            InvalidInput: Paper cannot replace what a key signed, nor be a separate consent.
        """
        grant = prepared.grant
        require_custodian(self.index, actor, grant.passport_id)
        require_active(actor, self.chain.now())
        if grant.supersedes != NO_GRANT:
            raise InvalidInput("paper does not replace what a key has signed", field="supersedes")
        if GrantFlag.SEPARATE in grant.flags:
            raise InvalidInput(
                "a separate consent is signed by the patient's own key, not filed from paper", field="flags"
            )
        filed = (
            keep(self.vault, "evidence", {"evidence": evidence}, owner=actor.member_id)
            if isinstance(evidence, str)
            else evidence
        )
        if filed == _NO_TERMS:
            raise InvalidInput("the evidence is missing", field="evidence")
        call = Call("fileConsent", (list(grant_message(grant).values()), to_hex(filed)))
        return self.writer.submit(signer_of(self.writer, actor), call, idempotency=idempotency)

    # Stood by, or not

    def confirmation(self, grant_id: GrantId) -> dict[str, Any]:
        """Return the typed data that stands by a grant, for the holder's key."""
        record = self.get(grant_id)
        recipient = self.index.member(record.state.recipient)
        return confirmation_typed_data(
            self.chain.domain(),
            passport_id=record.passport_id,
            grant_id=grant_id,
            control=recipient.control if recipient else 0,
        )

    def confirm(
        self,
        relayer: Member,
        grant_id: GrantId,
        signature: bytes | None,
        *,
        signer: HolderKey = "",
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Stand by a grant: it lifts a freeze, and what was filed from paper is then signed. As for `revoke`.

        Raises:
            Conflict: The grant has ended.
        """
        record = self._in_status(grant_id, GrantStatus.ACTIVE, "is not in force")
        return self._say(
            relayer, record, "confirm", self.confirmation(grant_id), signature, signer, idempotency
        )

    def repudiation(self, grant_id: GrantId) -> dict[str, Any]:
        """Return the typed data that declares a grant never given, for the holder's key."""
        record = self.get(grant_id)
        return repudiation_typed_data(self.chain.domain(), passport_id=record.passport_id, grant_id=grant_id)

    def repudiate(
        self,
        relayer: Member,
        grant_id: GrantId,
        signature: bytes | None,
        *,
        signer: HolderKey = "",
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Declare that a consent which the custodian filed or signed was never given. As for `revoke`.

        Raises:
            Conflict: The grant has ended, or the patient's side signed it: that can be withdrawn only.
        """
        record = self._in_status(grant_id, GrantStatus.ACTIVE, "is not in force")
        if record.state.assurance not in (Assurance.PAPER, Assurance.ASSISTED):
            raise Conflict(
                "your own side signed this consent: what was given can be withdrawn, not declared never given",
                fix="Withdraw it: passport grant revoke.",
            )
        return self._say(
            relayer, record, "repudiate", self.repudiation(grant_id), signature, signer, idempotency
        )

    # Withdrawn

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
        signer: HolderKey = "",
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Withdraw a grant. From the next transaction on it permits nothing.

        Args:
            relayer: Who brings it.
            grant_id: The grant.
            signature: The holder's signature over `revocation`; None if the custodian keeps the holder key.
            signer: The key of a delegate that signed; the empty string for the holder itself.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotFound: There is no such grant.
            NotPermitted: Without a signature: *relayer* does not keep the holder's key.
            SignatureRejected: Not the holder's or that delegate's signature.
        """
        record = self.get(grant_id)
        return self._say(relayer, record, "revoke", self.revocation(grant_id), signature, signer, idempotency)

    # Read

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
        """Return the sentence the holder agreed to, rebuilt from the chain's own words; or what was asked for."""
        language = self.language(record)
        if not record.state.purposes:  # it was asked for, and never given
            proposal = self._proposal(record)
            said = proposal["text"] if proposal else "what this service does not know."
            return request_text(self._called(record.requested_by), said, language)
        return consent_text(self._called(record.state.recipient), record.state, language)

    def language(self, record: GrantRecord) -> Language:
        """Return the language that a grant was read in, as far as this service knows."""
        if record.state.purposes:
            return self._written_down(record.terms, record.state) or Language.EN
        proposal = self._proposal(record)
        return Language(proposal["words"]["language"]) if proposal else Language.EN

    def status(self, record: GrantRecord, at: int) -> str:
        """Return a grant's status at a time in one word, see `grant_status`."""
        return grant_status(record.state, at, recipient=self.index.member(record.state.recipient))

    def standing(self, passport_id: PassportId, member: Member, at: int) -> tuple[str, list[GrantRecord]]:
        """
        Tell where a member stands with a passport's holder.

        Returns:
            The status of the strongest grant to the member, by name or by its kind, or `never-asked`; and all of them,
            oldest first.
        """
        found, cursor = self.index.grants(passport_id=passport_id, recipient=member, limit=500)
        while cursor is not None:
            more, cursor = self.index.grants(
                passport_id=passport_id, recipient=member, after=cursor, limit=500
            )
            found += more
        statuses = [self.status(record, at) for record in found]
        for status in _STRENGTH:
            if status in statuses:
                return status, found
        return (statuses[-1] if statuses else NEVER_ASKED), found

    # Inside

    def assisted_key(self, actor: Member, passport_id: PassportId) -> bytes:
        """
        Return the key of a holder that its custodian keeps.

        Raises:
            NotPermitted: *actor* does not keep this passport or is suspended, or the patient keeps the key.
        """
        passport = require_custodian(self.index, actor, passport_id).passport
        require_active(actor, self.chain.now())
        assisted = passport.custody is Custody.ASSISTED
        key = self.vault.holder_key(passport_id, passport.holder) if assisted else None
        if key is None:
            raise NotPermitted(
                "the patient keeps this passport's holder key",
                fix="Let the patient sign: passport grant --wallet FILE, or send the signature.",
            )
        return key

    def _say(
        self,
        relayer: Member,
        record: GrantRecord,
        function: str,
        typed_data: dict[str, Any],
        signature: bytes | None,
        signer: HolderKey,
        idempotency: tuple[str, str, str] | None,
    ) -> Operation:
        """Relay what the holder says about a grant."""
        if signature is None:
            signature = sign(typed_data, private_key=self.assisted_key(relayer, record.passport_id))
        passport = require_passport(self.index, record.passport_id).passport
        self.signatures.check_voice(passport, typed_data, signature, signer=signer)
        said = (to_hex(record.passport_id), to_hex(record.grant_id), proof(signature, signer or "0x"))
        return self.writer.submit(
            signer_of(self.writer, relayer), Call(function, said), idempotency=idempotency
        )

    def _write_down(
        self,
        passport_id: PassportId,
        words: Words,
        *,
        asked: GrantRecord | None,
        former: GrantRecord | None,
    ) -> PreparedGrant:
        passport: Passport = require_passport(self.index, passport_id).passport
        worded = self._grant(
            passport_id,
            words,
            grant_id=asked.grant_id if asked else None,
            supersedes=former.grant_id if former else NO_GRANT,
        )
        notice = self.templates.notice(words.template)
        text = consent_text(self._called(words.recipient), worded, words.language)
        salt = new_salt()
        record = terms_record(text, language=words.language, notice=self.templates.get(words.template).notice)
        terms = commit_record("terms", record, salt=salt)
        # Anybody may prepare a grant: what is kept is told after it was compared with the grant on chain.
        self.vault.remember(terms, domain="terms", salt=salt, record=record, owner=NO_OWNER)
        grant = replace(worded, terms=terms)
        return PreparedGrant(
            grant=grant,
            text=text,
            terms_salt=salt,
            holder=passport.holder,
            typed_data=grant_typed_data(self.chain.domain(), grant),
            language=words.language,
            notice=notice,
            changes=self._changes(grant, words.language, asked=asked, former=former),
        )

    def _changes(
        self, grant: Grant, language: Language, *, asked: GrantRecord | None, former: GrantRecord | None
    ) -> tuple[str, ...]:
        if former is not None:
            return tuple(changes_in_words(former.state, grant, language))
        if asked is not None and self._proposal(asked) is not None:
            proposed = self.words(asked)
            start = grant.use_from if proposed.use_from is None else proposed.use_from
            return tuple(
                changes_in_words(_grant_of(grant.passport_id, proposed, use_from=start), grant, language)
            )
        return ()

    def _grant(
        self,
        passport_id: PassportId,
        words: Words,
        *,
        grant_id: GrantId | None = None,
        supersedes: GrantId = NO_GRANT,
    ) -> Grant:
        """Check words and put them as they go on the chain, without terms."""
        if bool(words.recipient) == bool(words.recipient_kinds):
            raise InvalidInput("name either a recipient or kinds of recipients", field="recipient")
        now = self.chain.now()
        # "From now on" means from the newest block: the next one, which may run behind our clock, comes after it.
        start = self.chain.head().time if words.use_from is None else words.use_from
        self._check(words, start, now)
        self._check_template(words, start)
        return replace(
            _grant_of(passport_id, words, use_from=start),
            grant_id=grant_id or GrantId(new_id()),
            supersedes=supersedes,
            deadline=now + SIGNATURE_SECONDS,
        )

    def _proposal(self, record: GrantRecord) -> dict[str, Any] | None:
        """Return what was asked for under this very id: a commitment to something else, copied, says nothing."""
        named = {"grantId": to_hex(record.grant_id), "passportId": to_hex(record.passport_id)}
        return recall(
            self.vault,
            self.index,
            record.terms,
            domain="proposal",
            owner=record.requested_by,
            named=named,
        )

    def _written_down(self, terms: Commitment, words: Grant | GrantState) -> Language | None:
        """Return the language in which terms say just what a grant says; None if they were not written down here so."""
        kept = recall(self.vault, self.index, terms, domain="terms", owner=NO_OWNER) or {}
        called = self._called(words.recipient)
        spoken = (language for language in Language if language == kept.get("language"))
        return next((each for each in spoken if consent_text(called, words, each) == kept.get("text")), None)

    def _in_status(self, grant_id: GrantId, status: GrantStatus, otherwise: str) -> GrantRecord:
        return _require_status(self.get(grant_id), status, otherwise)

    def _of_passport(self, grant_id: GrantId, passport_id: PassportId, status: GrantStatus) -> GrantRecord:
        what = "waits for no answer" if status is GrantStatus.REQUESTED else "can not be replaced"
        record = self.index.grant(grant_id, passport_id=passport_id)
        if record is None:
            raise NotFound(f"passport {to_hex(passport_id)} has no grant {to_hex(grant_id)}")
        return _require_status(record, status, what)

    def _is_taken(self, grant: Grant) -> bool:
        """Tell whether a grant's id was given before. To have asked under it does not take it."""
        former = self.index.grant(grant.grant_id)
        if former is None:
            return False
        if former.state.assurance is not Assurance.NONE:
            return True
        return former.passport_id == grant.passport_id and former.state.status is not GrantStatus.REQUESTED

    def _called(self, member_id: int) -> str:
        member = self.index.member(member_id) if member_id else None
        return member.name if member else f"member {member_id}"

    def _check_template(self, words: Words, use_from: int) -> None:
        template = self.index.template(words.template)
        if template is None or template.withdrawn:
            raise InvalidInput(f"template {words.template} is not in force", field="template")
        outside = [purpose.name for purpose in words.purposes if not template.purposes >> purpose & 1]
        outside += names(words.categories & ~template.categories)
        kinds = (
            [require_member(self.index, words.recipient).kind]
            if words.recipient
            else list(words.recipient_kinds)
        )
        outside += [kind.name for kind in kinds if not template.recipient_kinds >> kind & 1]
        if outside:
            raise InvalidInput(
                f"template {words.template} does not allow {', '.join(outside)}", field="template"
            )
        if words.use_to - use_from > template.max_seconds:
            raise InvalidInput(
                f"template {words.template} allows {template.max_seconds // 86_400} days at most",
                field="useTo",
            )

    def _check(self, words: Words, use_from: int, now: int) -> None:
        law = self.index.policy()
        purposes = words.purposes
        if not purposes:
            raise InvalidInput(
                "purposes must name at least one purpose: there is no blanket consent", field="purposes"
            )
        if not words.categories:
            raise InvalidInput("categories must name at least one category", field="categories")
        if law is not None and (banned := [p.name for p in purposes if law.banned_purposes >> p & 1]):
            raise InvalidInput(f"the law bans {', '.join(banned)}; no consent can allow it", field="purposes")
        if GrantFlag.SEPARATE in words.flags and len(set(purposes)) != 1:
            raise InvalidInput("a separate consent names exactly one purpose", field="purposes")
        if GrantFlag.SEPARATE in words.flags and not words.recipient:
            raise InvalidInput("a separate consent names one recipient, not kinds of them", field="recipient")
        if 0 < words.data_to < words.data_from:
            raise InvalidInput("dataTo is before dataFrom", field="dataTo")
        if words.use_to <= max(use_from, now):
            raise InvalidInput("useTo must be after useFrom and in the future", field="useTo")
        if law is not None and words.use_to > now + law.max_grant_seconds:
            days = law.max_grant_seconds // 86_400
            raise InvalidInput(f"a consent may last {days} days at most", field="useTo")
        if not 0 <= words.max_uses <= _MAX_USES:
            raise InvalidInput(f"maxUses must be 0 to {_MAX_USES}", field="maxUses")


def _require_status(record: GrantRecord, status: GrantStatus, otherwise: str) -> GrantRecord:
    if record.state.status is not status:
        raise Conflict(
            f"grant {to_hex(record.grant_id)} {otherwise}: it is {record.state.status.name.lower()}"
        )
    return record


def proof(signature: bytes, signer: HolderKey = "0x") -> list[str]:
    """Return whose signature it is as the contract takes it; an empty signer is the holder itself."""
    return [signer, to_hex(signature)]


def grant_status(state: GrantState, at: int, *, recipient: Member | None = None) -> str:
    """
    Return a grant's status at a time in one word.

    Args:
        state: The grant.
        at: Seconds since the Unix epoch.
        recipient: The member it names; if control of that changed since the holder signed or confirmed, it is frozen.

    Returns:
        That of the chain, in lower case; for an active one `pending`, `active`, `frozen` or `expired`.
    """
    if state.status is not GrantStatus.ACTIVE:
        return state.status.name.lower()
    if at >= state.use_to:
        return "expired"
    if (
        recipient is not None
        and state.recipient == recipient.member_id
        and state.control != recipient.control
    ):
        return "frozen"
    return "active" if grant_is_live(state, at) else "pending"


def _words_of(state: GrantState, template: int, language: Language) -> Words:
    return Words(
        purposes=tuple(purposes_of(state.purposes)),
        categories=state.categories,
        use_from=state.use_from,
        use_to=state.use_to,
        recipient=state.recipient,
        recipient_kinds=tuple(kinds_of(state.recipient_kinds)),
        data_from=state.data_from,
        data_to=state.data_to,
        max_uses=state.max_uses,
        level=state.level,
        flags=state.flags,
        template=template,
        language=language,
    )


def _grant_of(passport_id: PassportId, words: Words, *, use_from: int) -> Grant:
    """Put words as they go on the chain; id, terms and deadline are still missing."""
    return Grant(
        grant_id=NO_GRANT,
        passport_id=passport_id,
        recipient=words.recipient,
        recipient_kinds=kind_set(list(words.recipient_kinds)),
        purposes=purpose_set(list(words.purposes)),
        categories=words.categories,
        use_from=use_from,
        use_to=words.use_to,
        data_from=words.data_from,
        data_to=words.data_to,
        max_uses=words.max_uses,
        level=words.level,
        flags=words.flags,
        template=words.template,
        terms=_NO_TERMS,
        supersedes=NO_GRANT,
        deadline=0,
    )
