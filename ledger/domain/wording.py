"""
The sentences that people read and sign. Pure: a wallet says the same words as the service that prepared them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from eth_utils.crypto import keccak

from ledger.domain.days import date_of
from ledger.domain.records import Grant, GrantState
from ledger.domain.vocabulary import (
    CATEGORY_LABELS,
    LEVEL_LABELS,
    MEMBER_KIND_LABELS,
    PURPOSE_LABELS,
    Category,
    GrantFlag,
    Level,
    kinds_of,
    names,
    purposes_of,
)

#: Number of this wording. Other words get another number.
WORDING: Final = 1

#: The notice of a new ledger's first template, number 1. The chain holds its hash.
NOTICE: Final = (
    "Your data stays where it is until you allow a use. Each consent names who may use which kinds of data, for what, "
    "until when. Every request, permitted or refused, is written down where nobody can change it, and you can read it. "
    "You can withdraw a consent at any time; from then on it permits nothing.\n"
    "未经您同意，您的数据不会被使用。每份同意均写明使用者、数据类别、用途和期限。"
    "每次请求，无论准许或拒绝，都会记录在任何人都无法更改之处，供您查阅。"
    "您可随时撤回同意，撤回后即不再准许任何使用。\n"
)
NOTICE_HASH: Final = keccak(text=NOTICE)
#: The number of the first template.
FIRST_TEMPLATE: Final = 1

_LIMITS: Final = {
    GrantFlag.SEPARATE: "this consent stands by itself, for this purpose alone",
    GrantFlag.NO_RELINK: "it may not link them with other data",
    GrantFlag.NO_REIDENTIFY: "it may not find out who I am",
    GrantFlag.ONWARD: "it may pass them on for the same purposes",
}


def terms_record(text: str) -> dict[str, Any]:
    """Return the record that the terms of a grant commit to: the sentence, its language and its wording."""
    return {"language": "en", "text": text, "wording": WORDING}


def consent_text(recipient: str, grant: Grant | GrantState) -> str:
    """
    Return a grant as the sentence a patient reads before signing.

    Args:
        recipient: What the recipient is called; passed over if the grant names kinds of members instead.
        grant: The grant.
    """
    kinds_of_data = ", ".join(CATEGORY_LABELS[Category[name]].en for name in names(grant.categories))
    reasons = ", ".join(PURPOSE_LABELS[purpose].en for purpose in purposes_of(grant.purposes))
    period = f"from {time_in_words(grant.use_from)} until {time_in_words(grant.use_to)}"
    days = days_in_words(grant.data_from, grant.data_to)
    sentence = f"{_who(recipient, grant)} may use my {kinds_of_data}{days} for {reasons}, {period}"
    if grant.max_uses:
        sentence += f", at most {grant.max_uses} times"
    if grant.level is not Level.IDENTIFIED:
        sentence += f", {LEVEL_LABELS[Level(grant.level)].en} or better"
    spoken = [words for flag, words in _LIMITS.items() if flag in grant.flags]
    return sentence + "".join(f"; {words}" for words in spoken) + ". I can withdraw this at any time."


def time_in_words(seconds: int) -> str:
    """Return a moment to the minute, with its zone; *seconds* since the Unix epoch."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def days_in_words(first_day: int, last_day: int) -> str:
    """Return which days data is of, to be put after what data it is; the empty string without a limit."""
    first, last = date_of(first_day), date_of(last_day)
    if first and last:
        return f" of {first} to {last}"
    if first:
        return f" since {first}"
    return f" up to {last}" if last else ""


def _who(recipient: str, grant: Grant | GrantState) -> str:
    if not grant.recipient_kinds:
        return recipient
    return "All " + ", ".join(MEMBER_KIND_LABELS[kind].en for kind in kinds_of(grant.recipient_kinds))
