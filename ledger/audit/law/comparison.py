"""What a new version of the law changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from ledger.audit.law.rules import CLASS_RULE, class_of, requirements_of
from ledger.audit.law.words import PageLanguage, Voice, capital, conditions_of, duration, joined
from ledger.domain.records import PolicyTable
from ledger.domain.vocabulary import (
    BASIS_LABELS,
    CATEGORY_LABELS,
    CLASS_LABELS,
    LEVEL_LABELS,
    PURPOSE_LABELS,
    Basis,
    Category,
    DataClass,
    Fact,
    Label,
    Purpose,
)

_NOTHING: Final = Fact(0)


class ChangeKind(StrEnum):
    """What a change of the law is about."""

    USE_ADDED = "use-added"
    USE_DROPPED = "use-dropped"
    REQUIRES_MORE = "requires-more"
    REQUIRES_LESS = "requires-less"
    LEVEL = "level"
    BAN = "ban"
    NECESSARY = "necessary"
    CLASSES = "classes"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Change:
    """
    One thing that a version of the law changed.

    Attributes:
        kind: What it is about.
        stricter: Whether less is allowed than before; None where that depends on the case.
        text: A sentence that stands by itself.
        requirements: Numbers of the requirements behind it.
        data_class: Of which class of data; None for all. `purpose` and `basis` likewise.
        facts: What is required more, or less, for changes of an entry.
    """

    kind: ChangeKind
    stricter: bool | None
    text: Label
    requirements: tuple[str, ...]
    data_class: DataClass | None = None
    purpose: Purpose | None = None
    basis: Basis | None = None
    facts: Fact = field(default=_NOTHING)


def changes(before: PolicyTable, after: PolicyTable) -> list[Change]:
    """
    Tell what a version of the law changed, entry by entry.

    Args:
        before: The version to compare with.
        after: The version asked about.

    Returns:
        Uses added, dropped, and that require more or less; levels, bans, kinds of data by purpose and class; limits.
        Empty if the two say the same.
    """
    return [
        *_entry_changes(before, after),
        *_level_changes(before, after),
        *_ban_changes(before, after),
        *_necessary_changes(before, after),
        *_class_changes(before, after),
        *_limit_changes(before, after),
    ]


def render_changes(before: PolicyTable, after: PolicyTable, language: PageLanguage = "both") -> str:
    """Write what a version of the law changed as Markdown that ends with a newline."""
    voice = Voice(language)
    title = Label(
        f"What version {after.version} of the law changed since version {before.version}",
        f"第 {after.version} 版规则相对第 {before.version} 版的变更",
    )
    found = changes(before, after)
    parts = [f"# {voice.say(title)}"]
    if not found:
        parts.append(
            voice.paragraphs(Label("Nothing: the two versions say the same.", "无变更：两版内容相同。"))
        )
    for heading, stricter in DIRECTIONS:
        lines = [
            f"- {voice.say(change.text)} ({', '.join(change.requirements)})"
            for change in found
            if change.stricter is stricter
        ]
        if lines:
            parts += [f"## {voice.say(heading)}", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


#: How changes are told apart, in the order in which they are read: a heading, and `Change.stricter`.
DIRECTIONS: Final = (
    (Label("Stricter", "更严格"), True),
    (Label("Less strict", "更宽松"), False),
    (Label("Otherwise changed", "其他变更"), None),
)


def _entry_changes(before: PolicyTable, after: PolicyTable) -> Iterator[Change]:
    for data_class in DataClass:
        for purpose in Purpose:
            for basis in Basis:
                was = before.required_for(data_class, purpose, basis)
                now = after.required_for(data_class, purpose, basis)
                yield from _entry_change(data_class, purpose, basis, was, now)


def _entry_change(
    data_class: DataClass, purpose: Purpose, basis: Basis, was: Fact, now: Fact
) -> Iterator[Change]:
    use = Label(
        f"{capital(CLASS_LABELS[data_class].en)}, for {PURPOSE_LABELS[purpose].en}, on the basis of "
        f"{BASIS_LABELS[basis].en}",
        f"{CLASS_LABELS[data_class].zh}，用于{PURPOSE_LABELS[purpose].zh}，依据{BASIS_LABELS[basis].zh}",
    )

    def change(kind: ChangeKind, words: Label, facts: Fact, *, stricter: bool) -> Change:
        text = Label(f"{use.en}: {words.en}.", f"{use.zh}：{words.zh}。")
        cited = tuple(requirements_of(data_class, purpose, basis, facts))
        return Change(kind, stricter, text, cited, data_class, purpose, basis, facts)

    if now and not was:
        required = conditions_of(now)
        words = Label(f"now lawful. Required: {required.en}", f"新增为合法用途，须满足：{required.zh}")
        yield change(ChangeKind.USE_ADDED, words, now, stricter=False)
    elif was and not now:
        words = Label("no longer lawful, whatever holds", "不再合法，不论满足何种条件")
        yield change(ChangeKind.USE_DROPPED, words, was, stricter=True)
    else:
        if more := now & ~was:
            listed = conditions_of(more)
            words = Label(f"also requires that {listed.en}", f"另须满足：{listed.zh}")
            yield change(ChangeKind.REQUIRES_MORE, words, more, stricter=True)
        if less := was & ~now:
            listed = conditions_of(less)
            words = Label(f"no longer requires that {listed.en}", f"不再要求：{listed.zh}")
            yield change(ChangeKind.REQUIRES_LESS, words, less, stricter=False)


def _level_changes(before: PolicyTable, after: PolicyTable) -> Iterator[Change]:
    for data_class in DataClass:
        for purpose in Purpose:
            was, now = before.level_for(data_class, purpose), after.level_for(data_class, purpose)
            if was is not now:
                text = Label(
                    f"{capital(CLASS_LABELS[data_class].en)}, for {PURPOSE_LABELS[purpose].en}: handed over "
                    f"{LEVEL_LABELS[now].en} or better, instead of {LEVEL_LABELS[was].en}.",
                    f"{CLASS_LABELS[data_class].zh}，用于{PURPOSE_LABELS[purpose].zh}："
                    f"提供时的去标识程度至少为“{LEVEL_LABELS[now].zh}”，原为“{LEVEL_LABELS[was].zh}”。",
                )
                yield Change(ChangeKind.LEVEL, now > was, text, ("R023", "R095"), data_class, purpose)


def _ban_changes(before: PolicyTable, after: PolicyTable) -> Iterator[Change]:
    for purpose in Purpose:
        was, now = before.banned_purposes >> purpose & 1, after.banned_purposes >> purpose & 1
        if was != now:
            name = PURPOSE_LABELS[purpose]
            text = (
                Label(f"Banned: {name.en}.", f"禁止：{name.zh}。")
                if now
                else Label(f"No longer banned: {name.en}.", f"不再禁止：{name.zh}。")
            )
            yield Change(ChangeKind.BAN, bool(now), text, ("R051",), purpose=purpose)


def _necessary_changes(before: PolicyTable, after: PolicyTable) -> Iterator[Change]:
    for purpose in Purpose:
        was, now = before.necessary_for(purpose), after.necessary_for(purpose)
        name = PURPOSE_LABELS[purpose]
        for text, stricter in _kinds_changed(Label(capital(name.en), name.zh), was, now):
            yield Change(ChangeKind.NECESSARY, stricter, text, ("R049", "R078"), purpose=purpose)


def _kinds_changed(who: Label, was: Category, now: Category) -> Iterator[tuple[Label, bool]]:
    """Tell which kinds of data something may touch besides, and may touch no longer, and whether that is stricter."""
    for kinds, stricter in ((now & ~was, False), (was & ~now, True)):
        if kinds:
            listed = joined(CATEGORY_LABELS[kind] for kind in Category if kind in kinds)
            how = Label("no longer", "不再") if stricter else Label("also", "另")
            text = Label(f"{who.en} may {how.en} touch {listed.en}.", f"{who.zh}{how.zh}可涉及{listed.zh}。")
            yield text, stricter


def _class_changes(before: PolicyTable, after: PolicyTable) -> Iterator[Change]:
    for category in Category:
        was, now = class_of(before, category), class_of(after, category)
        if was is not now:
            name, former, present = CATEGORY_LABELS[category], CLASS_LABELS[was], CLASS_LABELS[now]
            text = Label(
                f"{capital(name.en)}: now of {present.en}, instead of {former.en}.",
                f"{name.zh}：现为{present.zh}，原为{former.zh}。",
            )
            cited = tuple(sorted({CLASS_RULE[was], CLASS_RULE[now]}))
            # A more sensitive class usually asks for more; what it asks for, its entries say.
            yield Change(ChangeKind.CLASSES, None, text, cited, data_class=now)


def _limit_changes(before: PolicyTable, after: PolicyTable) -> Iterator[Change]:
    for limit in _limits_of(before, after):
        if limit.was != limit.now:
            shorter = limit.now < limit.was
            text = Label(
                f"{capital(limit.name.en)}: {limit.written(limit.now).en}, instead of "
                f"{limit.written(limit.was).en}.",
                f"{limit.name.zh}：{limit.written(limit.now).zh}，原为{limit.written(limit.was).zh}。",
            )
            stricter = None if limit.either_way else shorter
            yield Change(ChangeKind.LIMIT, stricter, text, limit.requirements)
    urgent = Label("An emergency of one patient", "个体紧急事件")
    was, now = before.emergencies.categories, after.emergencies.categories
    for text, stricter in _kinds_changed(urgent, was, now):
        yield Change(ChangeKind.LIMIT, stricter, text, ("R084",))


@dataclass(frozen=True, slots=True)
class _Limit:
    """A limit in both versions. `either_way`: neither less nor more of it is stricter for everybody."""

    name: Label
    was: int
    now: int
    requirements: tuple[str, ...]
    is_time: bool = True
    either_way: bool = False

    def written(self, value: int) -> Label:
        return duration(value) if self.is_time else Label(str(value), str(value))


def _limits_of(before: PolicyTable, after: PolicyTable) -> list[_Limit]:
    was, now = before.emergencies, after.emergencies
    return [
        _Limit(
            Label("a consent lasts at most", "同意的最长期限"),
            before.max_grant_seconds,
            after.max_grant_seconds,
            ("R030",),
        ),
        _Limit(
            Label("an emergency of one patient lasts", "个体紧急事件持续"),
            was.seconds,
            now.seconds,
            ("R085",),
        ),
        _Limit(
            Label(
                "emergencies that an institution may open in 30 days", "机构 30 天内可启动的个体紧急事件次数"
            ),
            was.monthly_quota,
            now.monthly_quota,
            ("R087",),
            is_time=False,
        ),
        _Limit(
            Label(
                "time for the review of an emergency, and for which an approved request stays approved",
                "紧急事件的审查期限，亦即请求获批后的有效时间",
            ),
            was.review_seconds,
            now.review_seconds,
            ("R086",),
        ),
        _Limit(
            Label("a public-health emergency lasts at most", "公共卫生紧急事件的最长期限"),
            was.max_declaration_seconds,
            now.max_declaration_seconds,
            ("R085",),
        ),
        _Limit(
            Label("time to object to the recovery of a lost key", "对密钥恢复提出异议的时间"),
            was.recovery_seconds,
            now.recovery_seconds,
            ("R043",),
            either_way=True,
        ),
    ]
