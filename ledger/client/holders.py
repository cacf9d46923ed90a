"""
The holder's side: what is signed is first built again from its own fields, so that no service can slip in another.

Private keys come as bytes and stay here; only signatures go out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from eth_account import Account
from eth_utils.crypto import keccak

from ledger.client.rest import PassportClient
from ledger.domain.days import day_of
from ledger.domain.records import NO_GRANT, Address, Commitment, Grant, GrantId, HolderKey, PassportId, Salt
from ledger.domain.vocabulary import (
    Category,
    Custody,
    GrantFlag,
    Language,
    Level,
    MemberKind,
    Purpose,
    code,
    flags,
    kind_set,
    purpose_set,
)
from ledger.domain.wording import FIRST_TEMPLATE, NOTICE_HASH, consent_text, terms_record
from ledger.encoding.commitments import commit_record
from ledger.encoding.hexadecimal import address, bytes32, to_hex
from ledger.encoding.typed_data import (
    LedgerDomain,
    confirmation_typed_data,
    delegation_typed_data,
    grant_typed_data,
    guardians_commitment,
    guardians_typed_data,
    objection_typed_data,
    recovery_typed_data,
    refusal_typed_data,
    repudiation_typed_data,
    revocation_typed_data,
    rotation_typed_data,
    sign,
    sign_in_typed_data,
)
from ledger.errors import InvalidInput, SignatureRejected

Json = dict[str, Any]

#: How far the ledger's clock may run ahead of ours, and how long a signature may wait to be brought, in seconds.
_CLOCK_SECONDS: Final = 3600
_MAX_DEADLINE_SECONDS: Final = 86_400
_MAX_NAME_BYTES: Final = 64
_STRANGE = "Do not sign; the service may be another one than you think, or work for somebody else."


def domain_of(ledger: Json) -> LedgerDomain:
    """Return the signing domain of the answer of `PassportClient.ledger`."""
    return LedgerDomain(int(ledger["chainId"]), Address(address(ledger["ledger"], field="ledger")))


def sign_in(client: PassportClient, private_key: bytes) -> Json:
    """
    Sign in as a holder.

    Args:
        client: The service; any credentials.
        private_key: The holder key towards one custodian, 32 bytes.

    Returns:
        `{"code", "expiresAt"}`; a `PassportClient` takes the code as its credentials.

    Raises:
        SignatureRejected: The challenge is not one for this service, ledger and holder; nothing was signed.
    """
    holder = str(Account.from_key(private_key).address).lower()
    answer = client.challenge(holder)
    message = _message(answer["typedData"], "SignIn")
    expected = sign_in_typed_data(
        domain_of(client.ledger()),
        holder=holder,
        origin=_origin(client.base_url),
        challenge=bytes32(answer["challenge"], field="challenge"),
        expires_at=int(message.get("expiresAt", 0)),
    )
    if not _same(message, expected["message"]) or not _same(
        answer["typedData"]["domain"], expected["domain"]
    ):
        raise SignatureRejected(
            f"the challenge of {client.base_url} is not for signing in there as {holder}",
            fix=f"Use the service's own address: it says {message.get('origin')!r}. If that is strange: {_STRANGE}",
        )
    return client.open_session(holder, answer["challenge"], to_hex(sign(expected, private_key=private_key)))


def check_grant(prepared: Json, wanted: Json) -> Grant:
    """
    Check that a prepared grant says what its holder decided, no more and no less, in words and in numbers.

    The sentence is said again from the numbers, in its language, and the terms must commit to it and to the notice that
    came along: nobody signs what was not read. The first template's notice is known here; another one's is what it is.

    Args:
        prepared: The answer of `PassportClient.prepare_grant`.
        wanted: The fields that were sent to it.

    Returns:
        The grant to sign.

    Raises:
        SignatureRejected: A field differs; says which.
    """
    grant = grant_of(prepared["grant"])
    decided = {
        "passportId": (to_hex(grant.passport_id), str(wanted["passportId"]).lower()),
        "recipient": (grant.recipient, int(wanted.get("recipient") or 0)),
        "recipientKinds": (
            grant.recipient_kinds,
            kind_set([code(MemberKind, name) for name in wanted.get("recipientKinds") or []]),
        ),
        "purposes": (grant.purposes, purpose_set([code(Purpose, name) for name in wanted["purposes"]])),
        "categories": (grant.categories, flags(Category, wanted["categories"])),
        "useTo": (grant.use_to, seconds(wanted["useTo"])),
        "dataFrom": (grant.data_from, _day(wanted.get("dataFrom"))),
        "dataTo": (grant.data_to, _day(wanted.get("dataTo"))),
        "level": (grant.level, code(Level, wanted.get("level") or Level.IDENTIFIED.name)),
        "template": (grant.template, int(wanted.get("template") or FIRST_TEMPLATE)),
        "maxUses": (grant.max_uses, int(wanted.get("maxUses") or 0)),
        "flags": (grant.flags, flags(GrantFlag, wanted.get("flags") or [])),
        "supersedes": (to_hex(grant.supersedes), str(wanted.get("supersedes") or to_hex(NO_GRANT)).lower()),
        "language": (prepared["language"], str(wanted.get("language") or Language.EN.value)),
    }
    if wanted.get("grantId"):
        decided["grantId"] = (to_hex(grant.grant_id), str(wanted["grantId"]).lower())
    if wanted.get("useFrom"):
        decided["useFrom"] = (grant.use_from, seconds(wanted["useFrom"]))
    else:
        decided["useFrom"] = (grant.use_from <= time.time() + _CLOCK_SECONDS, True)
    decided["deadline"] = (grant.deadline <= time.time() + _MAX_DEADLINE_SECONDS, True)
    language = _language(prepared["language"])
    decided["text"] = (_says(prepared["text"], grant, language), True)
    notice = keccak(text=str(prepared["notice"]))
    decided["notice"] = (grant.template != FIRST_TEMPLATE or notice == NOTICE_HASH, True)
    salt = Salt(bytes32(prepared["termsSalt"], field="termsSalt"))
    record = terms_record(prepared["text"], language=language, notice=notice)
    decided["terms"] = (grant.terms, commit_record("terms", record, salt=salt))
    for name, (found, expected) in decided.items():
        if found != expected:
            raise SignatureRejected(f"the prepared grant has another {name} than was decided", fix=_STRANGE)
    return grant


def sign_grant(ledger: Json, grant: Grant, private_key: bytes) -> str:
    """Sign a grant for the ledger that `PassportClient.ledger` names; returns 65 bytes as hexadecimal."""
    return to_hex(sign(grant_typed_data(domain_of(ledger), grant), private_key=private_key))


def sign_revocation(ledger: Json, *, passport_id: str, grant_id: str, private_key: bytes) -> str:
    """Sign the withdrawal of a grant; returns 65 bytes as hexadecimal."""
    return _sign_about_grant(revocation_typed_data, ledger, passport_id, grant_id, private_key)


def check_amendment(prepared: Json, former: Json, changes: Json) -> Grant:
    """
    Check that a grant prepared from another one is that one with the changes its holder decided, and nothing else.

    Args:
        prepared: The answer of `PassportClient.amend_grant`.
        former: The grant it is made from, as `PassportClient.grant` returned it: in force, or asked for (then as
            proposed, in `words`).
        changes: The fields that were sent.

    Returns:
        The grant to sign.

    Raises:
        SignatureRejected: Something differs; says what.
    """
    asked = former["status"] == "requested"
    if asked and not former.get("words"):
        raise SignatureRejected("the service does not say what was asked for", fix=_STRANGE)
    wanted: Json = {**(former["words"] if asked else former), **changes}
    wanted["passportId"] = former["passportId"]
    if changes.get("recipient"):
        wanted.setdefault("recipientKinds", [])
        wanted["recipientKinds"] = changes.get("recipientKinds") or []
    if changes.get("recipientKinds"):
        wanted["recipient"] = None
    wanted["grantId"] = former["grantId"] if asked else None
    wanted["supersedes"] = None if asked else former["grantId"]
    return check_grant(prepared, wanted)


def sign_refusal(ledger: Json, *, passport_id: str, grant_id: str, private_key: bytes) -> str:
    """Sign the refusal of what was asked for; returns 65 bytes as hexadecimal."""
    return _sign_about_grant(refusal_typed_data, ledger, passport_id, grant_id, private_key)


def sign_repudiation(ledger: Json, *, passport_id: str, grant_id: str, private_key: bytes) -> str:
    """Sign that a grant was never given; returns 65 bytes as hexadecimal."""
    return _sign_about_grant(repudiation_typed_data, ledger, passport_id, grant_id, private_key)


def sign_confirmation(
    ledger: Json, *, passport_id: str, grant_id: str, control: int, private_key: bytes
) -> str:
    """
    Sign that one stands by a grant; returns 65 bytes as hexadecimal.

    Args:
        ledger: The answer of `PassportClient.ledger`.
        passport_id: The passport.
        grant_id: The grant.
        control: How often control of the recipient has changed hands, as the service says: another number is refused
            by the ledger.
        private_key: The holder's or a delegate's, 32 bytes.
    """
    typed_data = confirmation_typed_data(
        domain_of(ledger),
        passport_id=bytes32(passport_id, field="passportId"),
        grant_id=bytes32(grant_id, field="grantId"),
        control=control,
    )
    return to_hex(sign(typed_data, private_key=private_key))


def sign_rotation(
    ledger: Json, *, passport_id: str, holder: HolderKey, epoch: int, private_key: bytes
) -> str:
    """Sign with the present key that *holder*, a key of the patient's own, replaces it."""
    typed_data = rotation_typed_data(
        domain_of(ledger),
        passport_id=bytes32(passport_id, field="passportId"),
        holder=bytes.fromhex(holder[2:]),
        custody=int(Custody.SELF),
        epoch=epoch,
    )
    return to_hex(sign(typed_data, private_key=private_key))


def sign_delegation(
    ledger: Json,
    *,
    passport_id: str,
    delegate: HolderKey,
    valid_to: int,
    epoch: int,
    nonce: int,
    private_key: bytes,
) -> str:
    """Sign that *delegate* may speak for the holder until *valid_to* (seconds, Unix epoch; 0 ends it)."""
    typed_data = delegation_typed_data(
        domain_of(ledger),
        passport_id=bytes32(passport_id, field="passportId"),
        delegate=bytes.fromhex(delegate[2:]),
        valid_to=valid_to,
        epoch=epoch,
        nonce=nonce,
    )
    return to_hex(sign(typed_data, private_key=private_key))


def sign_guardians(
    ledger: Json,
    *,
    passport_id: str,
    threshold: int,
    keys: list[HolderKey],
    epoch: int,
    nonce: int,
    private_key: bytes,
) -> str:
    """Sign who can replace a lost key together; no keys for nobody."""
    typed_data = guardians_typed_data(
        domain_of(ledger),
        passport_id=bytes32(passport_id, field="passportId"),
        guardians=guardians_commitment(threshold, [key.lower() for key in keys]),
        epoch=epoch,
        nonce=nonce,
    )
    return to_hex(sign(typed_data, private_key=private_key))


def sign_recovery(
    ledger: Json, *, passport_id: str, holder: HolderKey, epoch: int, nonce: int, private_key: bytes
) -> str:
    """Sign, as a guardian, that *holder* is to replace a lost key."""
    typed_data = recovery_typed_data(
        domain_of(ledger),
        passport_id=bytes32(passport_id, field="passportId"),
        holder=bytes.fromhex(holder[2:]),
        epoch=epoch,
        nonce=nonce,
    )
    return to_hex(sign(typed_data, private_key=private_key))


def sign_objection(ledger: Json, *, passport_id: str, ready_at: int, epoch: int, private_key: bytes) -> str:
    """Sign that the key is not lost; *ready_at* is that of the recovery under way (seconds, Unix epoch)."""
    typed_data = objection_typed_data(
        domain_of(ledger),
        passport_id=bytes32(passport_id, field="passportId"),
        ready_at=ready_at,
        epoch=epoch,
    )
    return to_hex(sign(typed_data, private_key=private_key))


def signer_beside(holder: HolderKey, private_key: bytes) -> HolderKey | None:
    """Return the key to send as `signer`: a delegate's own if it is not the holder's, else None."""
    own = str(Account.from_key(private_key).address).lower()
    return None if own == holder.lower() else own


def _sign_about_grant(
    typed_data_of: Callable[..., Json], ledger: Json, passport_id: str, grant_id: str, private_key: bytes
) -> str:
    typed_data = typed_data_of(
        domain_of(ledger),
        passport_id=bytes32(passport_id, field="passportId"),
        grant_id=bytes32(grant_id, field="grantId"),
    )
    return to_hex(sign(typed_data, private_key=private_key))


def grant_of(fields: Json) -> Grant:
    """
    Read a grant as the API writes it for signing.

    Raises:
        InvalidInput: A field is missing or is not what it should be.
    """
    try:
        return Grant(
            grant_id=GrantId(bytes32(fields["grantId"], field="grantId")),
            passport_id=PassportId(bytes32(fields["passportId"], field="passportId")),
            recipient=int(fields["recipient"]),
            recipient_kinds=int(fields["recipientKinds"]),
            purposes=int(fields["purposes"]),
            categories=Category(int(fields["categories"])),
            use_from=int(fields["useFrom"]),
            use_to=int(fields["useTo"]),
            data_from=int(fields["dataFrom"]),
            data_to=int(fields["dataTo"]),
            max_uses=int(fields["maxUses"]),
            level=Level(int(fields["level"])),
            flags=GrantFlag(int(fields["flags"])),
            template=int(fields["template"]),
            terms=Commitment(bytes32(fields["terms"], field="terms")),
            supersedes=GrantId(bytes32(fields["supersedes"], field="supersedes")),
            deadline=int(fields["deadline"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"this is not a grant ready for signing: {error}", field="grant") from None


def seconds(time: str) -> int:
    """
    Read a time (RFC 3339) as seconds since the Unix epoch.

    Raises:
        InvalidInput: Not a time, or one without a zone.
    """
    try:
        moment = datetime.fromisoformat(time)
    except (ValueError, TypeError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInput(f"{time!r} is not a time with a zone, as in 2027-01-31T00:00:00Z", field="time")
    return int(moment.timestamp())


def _language(name: Any) -> Language:
    try:
        return Language(name)
    except ValueError:
        raise SignatureRejected(f"the prepared grant is in a language nobody speaks here: {name!r}") from None


def _says(text: str, grant: Grant, language: Language) -> bool:
    """Tell whether a sentence is what the numbers say. Only the recipient's name is the service's own word."""
    said = consent_text("", grant, language)
    if grant.recipient_kinds:
        return text == said
    return text.endswith(said) and 0 < len(text.removesuffix(said).encode()) <= _MAX_NAME_BYTES


def _day(text: str | None) -> int:
    try:
        return day_of(date.fromisoformat(text) if text else None)
    except ValueError:
        raise InvalidInput(f"{text!r} is not a day, as in 2027-01-31", field="day") from None


def _message(typed_data: Json, primary: str) -> Json:
    if typed_data.get("primaryType") != primary or not isinstance(typed_data.get("message"), dict):
        raise SignatureRejected(f"the service asks to sign something else than {primary}", fix=_STRANGE)
    message: Json = typed_data["message"]
    return message


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _same(found: Json, expected: Json) -> bool:
    """Compare with hexadecimal in any case and numbers also as text: services differ in both."""
    return {name: str(value).lower() for name, value in found.items()} == {
        name: str(value).lower() for name, value in expected.items()
    }
