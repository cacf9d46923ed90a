"""
The sentences that people read and sign. Pure: a wallet says the same words as the service that prepared them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from ledger.domain.vocabulary import CATEGORY_LABELS, PURPOSE_LABELS, Category, GrantFlag, Purpose, names

#: Number of this wording. Other words get another number.
TEMPLATE: Final = 1


def terms_record(text: str) -> dict[str, Any]:
    """Return the record that the terms of a grant commit to: the sentence, its language and its template."""
    return {"language": "en", "template": TEMPLATE, "text": text}


def consent_text(
    recipient: str,
    purposes: list[Purpose],
    categories: Category,
    use_from: int,
    use_to: int,
    max_uses: int,
    flags: GrantFlag,
) -> str:
    """Return a grant as the sentence a patient reads before signing."""
    kinds = ", ".join(CATEGORY_LABELS[Category[name]].en for name in names(categories))
    reasons = ", ".join(PURPOSE_LABELS[purpose].en for purpose in purposes)
    sentence = f"{recipient} may use my {kinds} for {reasons}, from {time_in_words(use_from)} until {time_in_words(use_to)}"
    if max_uses:
        sentence += f", at most {max_uses} times"
    limits = {
        GrantFlag.SEPARATE: "this consent stands by itself, for this purpose alone",
        GrantFlag.NO_RELINK: "it may not link them with other data",
        GrantFlag.NO_REIDENTIFY: "it may not find out who I am",
        GrantFlag.ONWARD: "it may pass them on for the same purposes",
    }
    spoken = [words for flag, words in limits.items() if flag in flags]
    return sentence + "".join(f"; {words}" for words in spoken) + ". I can withdraw this at any time."


def time_in_words(seconds: int) -> str:
    """Return a moment to the minute, with its zone; *seconds* since the Unix epoch."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
