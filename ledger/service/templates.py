"""Templates: what a consent may contain at most, and the notice that goes with it. The committee issues them."""

from __future__ import annotations

from dataclasses import dataclass

from eth_utils.crypto import keccak

from ledger.domain.records import Commitment, Member, Salt, Template
from ledger.domain.vocabulary import Category, MemberKind, Purpose, kind_set, purpose_set
from ledger.domain.wording import NOTICE, NOTICE_HASH
from ledger.errors import Conflict, InvalidInput, NotFound
from ledger.ports import NO_OWNER, Call, Index, Operation, Vault, Writer
from ledger.service.committee import Committee, require_seat
from ledger.service.statements import words_of

#: Longest use period that a template can name, in seconds: what 32 bits hold.
MAX_SECONDS = 2**32 - 1
#: A notice is public: it needs no secret.
_NO_SALT = Salt(bytes(32))


@dataclass(frozen=True, slots=True)
class Templates:
    """What consents may contain."""

    index: Index
    writer: Writer
    vault: Vault
    committee: Committee

    def all(self) -> list[Template]:
        """Return all templates in the order of issue, the withdrawn ones too."""
        return self.index.templates()

    def get(self, number: int) -> Template:
        """
        Return a template.

        Raises:
            NotFound: There is no such template.
        """
        template = self.index.template(number)
        if template is None:
            raise NotFound(f"there is no template {number}", fix="GET /v1/templates lists the templates.")
        return template

    def known_notice(self, template: Template) -> str | None:
        """Return the text of a template's notice; None if this service does not have it."""
        if template.notice == NOTICE_HASH:
            return NOTICE
        notice = Commitment(template.notice)
        return words_of(self.vault, self.index, notice, "notice", domain="notice", owner=NO_OWNER)

    def notice(self, number: int) -> str:
        """
        Return the text of the notice that a holder reads with a consent.

        Raises:
            NotFound: There is no such template.
            Conflict: This service does not have the text, so nobody can read it here.
        """
        text = self.known_notice(self.get(number))
        if text is None:
            raise Conflict(
                f"this service does not have the notice of template {number}",
                fix="Use the service through which the committee issued it, or another template.",
            )
        return text

    def issue(
        self,
        actor: Member,
        *,
        purposes: list[Purpose],
        categories: Category,
        recipient_kinds: list[MemberKind],
        max_seconds: int,
        notice: str,
        reason: str,
        idempotency: tuple[str, str, str] | None = None,
    ) -> Operation:
        """
        Propose that the committee issue a template.

        Args:
            actor: A member with a seat.
            purposes: What consents under it may serve.
            categories: What they may cover.
            recipient_kinds: To whom they may be given.
            max_seconds: Longest use period.
            notice: The text that goes with it; the chain holds its hash.
            reason: Why; stays in the vault.
            idempotency: Scope, key and fingerprint of the request.

        Raises:
            NotPermitted: *actor* has no seat.
            InvalidInput: It would allow nothing.
        """
        require_seat(self.index, actor)
        given = {
            "purposes": purposes,
            "categories": categories,
            "recipientKinds": recipient_kinds,
            "notice": notice.strip(),
        }
        for field, value in given.items():
            if not value:
                raise InvalidInput(f"{field} must not be empty", field=field)
        if not 0 < max_seconds <= MAX_SECONDS:
            raise InvalidInput(f"maxSeconds must be 1 to {MAX_SECONDS}", field="maxSeconds")
        hashed = Commitment(keccak(text=notice))
        if hashed != NOTICE_HASH:
            record = {"notice": notice}
            self.vault.remember(hashed, domain="notice", salt=_NO_SALT, record=record, owner=NO_OWNER)
        content = [
            purpose_set(purposes),
            int(categories),
            kind_set(recipient_kinds),
            max_seconds,
            False,
            "0x" + hashed.hex(),
        ]
        return self.committee.propose(
            actor, Call("issueTemplate", (content,)), reason, idempotency=idempotency
        )

    def withdraw(
        self, actor: Member, number: int, reason: str, *, idempotency: tuple[str, str, str] | None = None
    ) -> Operation:
        """
        Propose that the committee withdraw a template: grants under it stay, no new one can use it.

        Raises:
            NotPermitted: *actor* has no seat.
            NotFound: There is no such template.
            Conflict: It was withdrawn before.
        """
        if self.get(number).withdrawn:
            raise Conflict(f"template {number} was withdrawn before")
        return self.committee.propose(
            actor, Call("withdrawTemplate", (number,)), reason, idempotency=idempotency
        )
