"""What the law is written with: two languages, lists, and times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from ledger.domain.vocabulary import FACT_LABELS, Fact, Label

#: What a page is written in: English, Chinese, or each followed by the other.
PageLanguage = Literal["en", "zh", "both"]

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_WEEK: Final = 7 * _DAY


@dataclass(frozen=True, slots=True)
class Voice:
    """A language, and how it says things."""

    language: PageLanguage

    def say(self, label: Label) -> str:
        """Say something within a line."""
        if self.language == "both":
            return label.en if label.en == label.zh else f"{label.en} {label.zh}"
        return label.zh if self.language == "zh" else label.en

    def paragraphs(self, label: Label) -> str:
        """Say something in paragraphs of its own."""
        if self.language == "both":
            return f"{label.en}\n\n{label.zh}"
        return self.say(label)

    def items(self, labels: Iterable[Label]) -> str:
        """List things within a line."""
        return ("、" if self.language == "zh" else ", ").join(self.say(label) for label in labels)

    def conditions(self, labels: Iterable[Label]) -> str:
        """List conditions within a line."""
        return ("；" if self.language == "zh" else "; ").join(self.say(label) for label in labels)


def conditions_of(facts: Fact) -> Label:
    """Return conditions, each after a semicolon."""
    labels = [FACT_LABELS[fact] for fact in Fact if fact in facts]
    return Label("; ".join(label.en for label in labels), "；".join(label.zh for label in labels))


def joined(labels: Iterable[Label]) -> Label:
    """Return words, each after a comma."""
    found = list(labels)
    return Label(", ".join(label.en for label in found), "、".join(label.zh for label in found))


def duration(seconds: int) -> Label:
    """Return a time in the largest unit that it is a whole number of; days from a week on."""
    for unit, en, zh in ((_DAY, "day", "天"), (_HOUR, "hour", "小时"), (_MINUTE, "minute", "分钟")):
        if seconds and seconds % unit == 0 and (unit != _DAY or seconds >= _WEEK):
            number = seconds // unit
            return Label(f"{number} {en}{'' if number == 1 else 's'}", f"{number} {zh}")
    return Label(f"{seconds} second{'' if seconds == 1 else 's'}", f"{seconds} 秒")


def capital(words: str) -> str:
    """Return words that begin a sentence."""
    return words[0].upper() + words[1:]
