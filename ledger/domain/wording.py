"""
The sentences that people read and sign, in English and Chinese.

Pure: a wallet says the same words as the service that prepared them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from eth_utils.crypto import keccak

from ledger.domain.days import date_of
from ledger.domain.records import Grant, GrantState, Terms
from ledger.domain.vocabulary import (
    ANSWER_LABELS,
    BASIS_LABELS,
    CATEGORY_LABELS,
    LEVEL_LABELS,
    MEMBER_KIND_LABELS,
    OPERATION_LABELS,
    PURPOSE_LABELS,
    STEP_MISSING_LABELS,
    TRANSFER_STATUS_LABELS,
    Answer,
    Basis,
    Category,
    Fact,
    GrantFlag,
    Label,
    Language,
    Level,
    ModelStatus,
    Outcome,
    StepFact,
    TransferStatus,
    kinds_of,
    names,
    purposes_of,
)

#: Number of this wording. Other words get another number.
WORDING: Final = 2

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
    GrantFlag.SEPARATE: Label(
        "this consent stands by itself, for this purpose alone", "本同意为仅针对此用途的单独同意"
    ),
    GrantFlag.NO_RELINK: Label("it may not link them with other data", "不得与其他数据关联"),
    GrantFlag.NO_REIDENTIFY: Label("it may not find out who I am", "不得识别我的身份"),
    GrantFlag.ONWARD: Label("it may pass them on for the same purposes", "可为相同用途转交他方"),
}
#: What a request was answered with.
OUTCOME_WORDS: Final = {
    Outcome.PERMIT: "permitted",
    Outcome.DENY: "refused",
    Outcome.REVIEW: "waits for a human review",
}
#: What the state of a consent means to its giver.
STATUS_LABELS: Final[dict[str, Label]] = {
    "never-asked": Label("never asked", "未曾征求"),
    "requested": Label("waits for your answer", "等待您答复"),
    "pending": Label("not yet in force", "尚未生效"),
    "active": Label("in force", "有效"),
    "frozen": Label(
        "on hold: the institution has changed hands since you gave it, and may use nothing until you confirm it",
        "已暂停：该机构的控制权在您同意后发生变更，经您确认前不得使用",
    ),
    "expired": Label("expired", "已到期"),
    "refused": Label("refused", "已拒绝"),
    "withdrawn": Label("withdrawn", "已撤回"),
    "superseded": Label("replaced by a newer one", "已被新的同意取代"),
    "repudiated": Label("declared never given", "已声明从未给出"),
}
_COMMA: Final = Label(", ", "、")
_MODEL_LABELS: Final = {
    ModelStatus.ACTIVE: Label("in service", "使用中"),
    ModelStatus.SUSPENDED: Label("suspended", "已暂停使用"),
    ModelStatus.RETIRED: Label("taken out of service", "已停止使用"),
}


def terms_record(text: str, *, language: Language, notice: bytes) -> dict[str, Any]:
    """
    Return the record that the terms of a grant commit to.

    Args:
        text: The sentence.
        language: The language it was read in.
        notice: keccak256 of the notice that goes with its template, as the chain has it.
    """
    return {
        "language": language.value,
        "notice": "0x" + notice.hex(),
        "text": text,
        "wording": WORDING,
    }


def consent_text(recipient: str, grant: Grant | GrantState, language: Language = Language.EN) -> str:
    """
    Return a grant as the sentence a patient reads before signing.

    Args:
        recipient: What the recipient is called; passed over if the grant names kinds of members instead.
        grant: The grant.
        language: The language.
    """
    kinds_of_data = _categories(grant.categories, language)
    reasons = _purposes(grant.purposes, language)
    start, end = time_in_words(grant.use_from), time_in_words(grant.use_to)
    who = _who(recipient, grant, language)
    spoken = [words.said(language) for flag, words in _LIMITS.items() if flag in grant.flags]
    if language is Language.ZH:
        sentence = (
            f"{who}可将我的{kinds_of_data}{_days(grant, language)}用于{reasons}，自 {start} 起至 {end} 止"
        )
        if grant.max_uses:
            sentence += f"，最多 {grant.max_uses} 次"
        if grant.level is not Level.IDENTIFIED:
            sentence += f"，去标识程度不低于“{LEVEL_LABELS[Level(grant.level)].zh}”"
        return sentence + "".join(f"；{words}" for words in spoken) + "。我可以随时撤回。"
    sentence = (
        f"{who} may use my {kinds_of_data}{_days(grant, language)} for {reasons}, from {start} until {end}"
    )
    if grant.max_uses:
        sentence += f", at most {grant.max_uses} times"
    if grant.level is not Level.IDENTIFIED:
        sentence += f", {LEVEL_LABELS[Level(grant.level)].en} or better"
    return sentence + "".join(f"; {words}" for words in spoken) + ". I can withdraw this at any time."


def request_text(member: str, sentence: str, language: Language = Language.EN) -> str:
    """Return what a patient reads when *member* asks for consent to what *sentence* says."""
    if language is Language.ZH:
        return f"{member}请求您同意：{sentence}"
    return f"{member} asks for your consent to this: {sentence}"


def changes_in_words(
    former: Grant | GrantState, grant: Grant | GrantState, language: Language = Language.EN
) -> list[str]:
    """
    Tell what changes if *grant* takes the place of *former*: what it widens, what it narrows, what else differs.

    Recipients go by number here: who they are the sentences say.
    """
    return [label.said(language) for label in _changes(former, grant)]


def time_in_words(seconds: int) -> str:
    """Return a moment to the minute, with its zone; *seconds* since the Unix epoch."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def days_in_words(first_day: int, last_day: int, language: Language = Language.EN) -> str:
    """Return which days data is of, to be put after what data it is; the empty string without a limit."""
    first, last = date_of(first_day), date_of(last_day)
    if language is Language.ZH:
        if first and last:
            return f"（{first} 至 {last}）"
        if first:
            return f"（{first} 起）"
        return f"（截至 {last}）" if last else ""
    if first and last:
        return f" of {first} to {last}"
    if first:
        return f" since {first}"
    return f" up to {last}" if last else ""


def asked_in_words(terms: Terms, member: str, *, controller: str | None = None) -> str:
    """
    Return a request in plain words: who asked to do what with which data, for what, on what basis.

    Args:
        terms: What was asked.
        member: What the requester is called.
        controller: What the member is called on whose behalf it asked, if it did.
    """
    behalf = f", on behalf of {controller}," if controller else ""
    into = f" (number {terms.dataset_id})" if terms.dataset_id else ""
    kinds = ", ".join(CATEGORY_LABELS[Category[word]].en for word in names(terms.categories))
    days = days_in_words(terms.first_day, terms.last_day)
    form = "" if terms.level is Level.IDENTIFIED else f" {LEVEL_LABELS[terms.level].en}"
    return (
        f"{member}{behalf} asked to {OPERATION_LABELS[terms.operation].en}{into} {kinds}{days}{form} "
        f"for {PURPOSE_LABELS[terms.purpose].en}, on the basis of {BASIS_LABELS[terms.basis].en}"
    )


def told_of(missing: Fact, terms: Terms, *, consent: bool) -> list[Fact]:
    """
    Return which of the facts missing to tell people of, lowest first.

    Without a consent there is one reason, not seven: that there is none; without a project likewise.

    Args:
        missing: What was missing for a request.
        terms: What was asked.
        consent: Whether the passport has a consent of the name that the request gave.
    """
    if terms.basis is Basis.CONSENT and not consent:
        missing &= ~(Fact.GRANT_RECIPIENT | Fact.GRANT_PURPOSE | Fact.GRANT_CATEGORIES | Fact.GRANT_SEPARATE)
        missing &= ~(Fact.GRANT_QUOTA | Fact.GRANT_PERIOD | Fact.DATASET_FITS)
    if not terms.project_id and Fact.PROJECT_FILED in missing:
        missing &= ~(Fact.PROJECT_ETHICS | Fact.PROJECT_COMPLIANCE)
        missing &= ~(Fact.PROJECT_TECHNIQUE | Fact.PROJECT_AGREEMENT)
    return [Fact[name] for name in names(missing)]


def broken_rules(missing: StepFact) -> list[str]:
    """Return the rules that a step broke, each a clause in plain words."""
    return [STEP_MISSING_LABELS[StepFact[name]] for name in names(missing)]


def dataset_told(
    number: int, *, owner: str, title: str, since: int, withdrawn: int = 0, destroyed: bool = False
) -> Label:
    """
    Tell a patient of a dataset that the data is in.

    Args:
        number: The dataset.
        owner: What its owner is called.
        title: What it is called; the empty string if that is not known.
        since: When the data was first included, seconds since the Unix epoch.
        withdrawn: When the last consent to that ended; 0 while one stands.
        destroyed: Whether the dataset was destroyed since.
    """
    start, end = time_in_words(since), time_in_words(withdrawn)
    en = f"Dataset {number} of {owner}{f', “{title}”' if title else ''}, since {start}"
    zh = f"{owner}的数据集 {number}{f'“{title}”' if title else ''}，自 {start} 起"
    if withdrawn:
        en += f"; your consent to it ended on {end}"
        zh += f"；您对此的同意已于 {end} 终止"
    return Label(
        f"{en}{'; it was destroyed' if destroyed else ''}.",
        f"{zh}{'；该数据集已销毁' if destroyed else ''}。",
    )


def model_told(
    name: str,
    *,
    owner: str,
    status: ModelStatus,
    deployed: bool,
    due: int,
    answer: tuple[Answer, int] | None,
    at: int,
) -> Label:
    """
    Tell a patient of a model that was made of a dataset that the data is in.

    Args:
        name: The first digits of its name.
        owner: What its owner is called.
        status: Whether it may serve.
        deployed: Whether it was deployed.
        due: Until when its owner owes an answer to withdrawals; 0 if none is owed.
        answer: What its owner answered last, and when; None if nothing.
        at: The time of reading; times are seconds since the Unix epoch.
    """
    said = _MODEL_LABELS[status]
    serving = deployed and status is ModelStatus.ACTIVE
    en = f"Model {name} of {owner}: {said.en}{', deployed' if serving else ''}"
    zh = f"{owner}的模型 {name}：{said.zh}{'，已部署' if serving else ''}"
    if due:
        end, late = time_in_words(due), at > due
        en += f"; {owner} {'had to' if late else 'must'} answer the withdrawals by {end}"
        zh += f"；{owner}{'本应' if late else '须'}于 {end} 前答复撤回"
        if late:
            en, zh = f"{en} and has not", f"{zh}，但逾期未答复"
    elif answer is not None:
        en += f"; {owner} answered on {time_in_words(answer[1])}: {ANSWER_LABELS[answer[0]].en}"
        zh += f"；{owner}已于 {time_in_words(answer[1])} 答复：{ANSWER_LABELS[answer[0]].zh}"
    return Label(f"{en}.", f"{zh}。")


def others_told(number: int, *, more: bool) -> Label:
    """Tell a patient how much else was made of datasets that the data is in; *more* if there is more than that."""
    en = "1 version" if number == 1 else f"{number} versions"
    return Label(
        f"{'More than ' if more else ''}{en} of data and results.",
        f"{'超过 ' if more else ''}{number} 个数据版本和结果。",
    )


def withdrawal_told(*, ended: bool, models: int) -> Label:
    """Tell a patient what a withdrawal asks, or would ask, and of whom; *models* is how many it reaches."""
    if ended:
        en, zh = (
            "This consent has ended. Nothing more may be trained on",
            "本同意已终止。此前采集的数据不得再用于训练",
        )
    else:
        en, zh = (
            "If you withdraw this consent, nothing more may be trained on",
            "如您撤回本同意，此前采集的数据不得再用于训练",
        )
    en += " what was collected before, unless an ethics body excuses it"
    zh += "，经伦理委员会豁免的除外"
    if models:
        must, owner = "must" if ended else "must then", "the owner of each model"
        en += (
            f"; {owner} {must} answer within 30 days: train it anew without the data, make it forget the data, take "
            "it out of service, or keep it in service with reasons"
        )
        zh += (
            "；每个模型的所有者须在 30 天内答复：剔除数据重新训练、遗忘该数据、停止使用，或说明理由后继续使用"
        )
    return Label(f"{en}.", f"{zh}。")


def copy_told(
    recipient: str, *, status: TransferStatus, seq: int, shipped: int, answered: int, others: int
) -> Label:
    """
    Tell a patient of a copy of the data that went to an institution.

    Args:
        recipient: What the institution is called.
        status: Where the transfer stands.
        seq: The request that was permitted.
        shipped: When it was shipped, seconds since the Unix epoch; 0 if it is not.
        answered: When the recipient stated what it received; 0 before.
        others: How many other records went with it.
    """
    said, request = TRANSFER_STATUS_LABELS[status], f"under the permit of request {seq}"
    if shipped:
        en = f"A copy was sent to {recipient} on {time_in_words(shipped)}, {request}"
        zh = f"一份副本已于 {time_in_words(shipped)} 依据第 {seq} 号请求所获许可发往{recipient}"
    else:
        en = f"A copy was made ready for {recipient}, {request}, and not sent"
        zh = f"一份副本已依据第 {seq} 号请求所获许可为{recipient}备妥，未发出"
    if others:
        en += f", together with {others} other {'record' if others == 1 else 'records'}"
        zh += f"，与其他 {others} 份记录一起"
    en, zh = f"{en}: {said.en}", f"{zh}：{said.zh}"
    if answered:
        en += f"; the recipient answered on {time_in_words(answered)}"
        zh += f"；接收方于 {time_in_words(answered)} 作出答复"
    return Label(f"{en}.", f"{zh}。")


def _changes(former: Grant | GrantState, grant: Grant | GrantState) -> Iterator[Label]:
    if (former.recipient, former.recipient_kinds) != (grant.recipient, grant.recipient_kinds):
        yield Label("Other recipients.", "接收方变更。")
    yield from _set_changes(former, grant)
    if former.use_from != grant.use_from:
        start, was = time_in_words(grant.use_from), time_in_words(former.use_from)
        yield Label(f"Starts on {start} instead of {was}.", f"起始时间由 {was} 改为 {start}。")
    if former.use_to != grant.use_to:
        end, was = time_in_words(grant.use_to), time_in_words(former.use_to)
        longer = grant.use_to > former.use_to
        yield Label(
            f"{'Longer' if longer else 'Shorter'}: ends on {end} instead of {was}.",
            f"{'延长' if longer else '缩短'}：终止时间由 {was} 改为 {end}。",
        )
    if (former.data_from, former.data_to) != (grant.data_from, grant.data_to):
        days = [_days(item, language).strip() for item in (grant, former) for language in Language]
        now_en, now_zh, was_en, was_zh = days
        yield Label(
            f"Other days of the data: {now_en or 'all days'} instead of {was_en or 'all days'}.",
            f"数据日期由“{was_zh or '全部'}”改为“{now_zh or '全部'}”。",
        )
    if former.max_uses != grant.max_uses:
        new, old = _times(grant.max_uses), _times(former.max_uses)
        yield Label(f"Uses: {new.en} instead of {old.en}.", f"使用次数由“{old.zh}”改为“{new.zh}”。")
    if former.level != grant.level:
        level, was_level = LEVEL_LABELS[Level(grant.level)], LEVEL_LABELS[Level(former.level)]
        yield Label(
            f"{'Wider' if grant.level < former.level else 'Narrower'}: the data {level.en} instead of {was_level.en}.",
            f"去标识程度由“{was_level.zh}”改为“{level.zh}”。",
        )
    for flag, words in _LIMITS.items():
        if (flag in grant.flags) != (flag in former.flags):
            mark = Label("Now", "新增") if flag in grant.flags else Label("No longer", "取消")
            yield Label(f"{mark.en}: {words.en}.", f"{mark.zh}：{words.zh}。")


def _set_changes(former: Grant | GrantState, grant: Grant | GrantState) -> Iterator[Label]:
    """Tell what is added to and taken from kinds of data and purposes."""
    added, gone = grant.categories & ~former.categories, former.categories & ~grant.categories
    if added:
        yield Label(
            f"Wider: also my {_categories(added)}.", f"扩大：另包括{_categories(added, Language.ZH)}。"
        )
    if gone:
        yield Label(
            f"Narrower: no longer my {_categories(gone)}.",
            f"缩小：不再包括{_categories(gone, Language.ZH)}。",
        )
    more, fewer = grant.purposes & ~former.purposes, former.purposes & ~grant.purposes
    if more:
        yield Label(f"Wider: also for {_purposes(more)}.", f"扩大：另用于{_purposes(more, Language.ZH)}。")
    if fewer:
        yield Label(
            f"Narrower: no longer for {_purposes(fewer)}.", f"缩小：不再用于{_purposes(fewer, Language.ZH)}。"
        )


def _times(number: int) -> Label:
    return Label(str(number), f"{number} 次") if number else Label("any number", "不限")


def _categories(categories: Category, language: Language = Language.EN) -> str:
    return _COMMA.said(language).join(
        CATEGORY_LABELS[Category[name]].said(language) for name in names(categories)
    )


def _purposes(purposes: int, language: Language = Language.EN) -> str:
    return _COMMA.said(language).join(
        PURPOSE_LABELS[purpose].said(language) for purpose in purposes_of(purposes)
    )


def _who(recipient: str, grant: Grant | GrantState, language: Language) -> str:
    if not grant.recipient_kinds:
        return recipient
    kinds = [MEMBER_KIND_LABELS[kind].said(language) for kind in kinds_of(grant.recipient_kinds)]
    return Label("All ", "所有").said(language) + _COMMA.said(language).join(kinds)


def _days(grant: Grant | GrantState, language: Language) -> str:
    return days_in_words(grant.data_from, grant.data_to, language)
