"""The sentences that people sign, in both languages, and what a change is called."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from ledger.domain.days import day_of
from ledger.domain.records import Commitment, Grant, GrantId, PassportId
from ledger.domain.vocabulary import Category, GrantFlag, GrantStatus, Language, Level, MemberKind, Purpose
from ledger.domain.wording import (
    NOTICE_HASH,
    STATUS_LABELS,
    changes_in_words,
    consent_text,
    dataset_told,
    others_told,
    request_text,
    terms_record,
    withdrawal_told,
)
from ledger.encoding.commitments import commit_record, new_salt

GRANT = Grant(
    grant_id=GrantId(b"\1" * 32),
    passport_id=PassportId(b"\2" * 32),
    recipient=4,
    recipient_kinds=0,
    purposes=1 << Purpose.AI_TRAINING,
    categories=Category.DIAGNOSIS | Category.LABORATORY,
    use_from=1_800_000_000,
    use_to=1_831_536_000,
    data_from=0,
    data_to=0,
    max_uses=0,
    level=Level.IDENTIFIED,
    flags=GrantFlag(0),
    template=1,
    terms=Commitment(b"\3" * 32),
    supersedes=GrantId(bytes(32)),
    deadline=1_800_003_600,
)
RICH = replace(
    GRANT,
    data_from=day_of(date(2020, 1, 1)),
    max_uses=3,
    level=Level.PSEUDONYMISED,
    flags=GrantFlag.SEPARATE | GrantFlag.NO_REIDENTIFY,
)


def test_the_sentence_is_said_in_english_and_chinese():
    """Word for word: whoever changes them gives the wording another number."""
    assert consent_text("North Laboratory", RICH) == (
        "North Laboratory may use my diagnoses, laboratory results since 2020-01-01 for training an AI model, from "
        "2027-01-15 08:00 UTC until 2028-01-15 08:00 UTC, at most 3 times, under a pseudonym or better; this consent "
        "stands by itself, for this purpose alone; it may not find out who I am. I can withdraw this at any time."
    )
    assert consent_text("北方实验室", RICH, Language.ZH) == (
        "北方实验室可将我的诊断、检验（2020-01-01 起）用于训练人工智能模型，自 2027-01-15 08:00 UTC 起至 "
        "2028-01-15 08:00 UTC 止，最多 3 次，去标识程度不低于“假名化”；本同意为仅针对此用途的单独同意；"
        "不得识别我的身份。我可以随时撤回。"
    )


def test_kinds_of_recipients_are_said_in_both_languages():
    kinds = replace(GRANT, recipient=0, recipient_kinds=1 << MemberKind.HOSPITAL | 1 << MemberKind.RESEARCH)
    assert consent_text("", kinds).startswith("All hospitals, research institutions may use")
    assert consent_text("", kinds, Language.ZH).startswith("所有医院、研究机构可将我的")


def test_who_asks_is_said_before_what_is_asked():
    assert request_text("North", "It may.") == "North asks for your consent to this: It may."
    assert request_text("北方", "可。", Language.ZH) == "北方请求您同意：可。"


@pytest.mark.parametrize(
    ("changes", "english", "chinese"),
    [
        ({}, [], []),
        (
            {"categories": Category.DIAGNOSIS | Category.IMAGING},
            ["Wider: also my images.", "Narrower: no longer my laboratory results."],
            ["扩大：另包括影像。", "缩小：不再包括检验。"],
        ),
        (
            {"purposes": 1 << Purpose.RESEARCH},
            ["Wider: also for health research.", "Narrower: no longer for training an AI model."],
            ["扩大：另用于健康研究。", "缩小：不再用于训练人工智能模型。"],
        ),
        (
            {"use_to": GRANT.use_to - 86_400},
            ["Shorter: ends on 2028-01-14 08:00 UTC instead of 2028-01-15 08:00 UTC."],
            ["缩短：终止时间由 2028-01-15 08:00 UTC 改为 2028-01-14 08:00 UTC。"],
        ),
        (
            {"use_to": GRANT.use_to + 86_400},
            ["Longer: ends on 2028-01-16 08:00 UTC instead of 2028-01-15 08:00 UTC."],
            ["延长：终止时间由 2028-01-15 08:00 UTC 改为 2028-01-16 08:00 UTC。"],
        ),
        (
            {"use_from": GRANT.use_from + 60},
            ["Starts on 2027-01-15 08:01 UTC instead of 2027-01-15 08:00 UTC."],
            ["起始时间由 2027-01-15 08:00 UTC 改为 2027-01-15 08:01 UTC。"],
        ),
        (
            {"max_uses": 1},
            ["Uses: 1 instead of any number."],
            ["使用次数由“不限”改为“1 次”。"],
        ),
        (
            {"level": Level.DEIDENTIFIED},
            ["Narrower: the data de-identified instead of as recorded."],
            ["去标识程度由“原始记录”改为“去标识化”。"],
        ),
        (
            {"flags": GrantFlag.NO_RELINK},
            ["Now: it may not link them with other data."],
            ["新增：不得与其他数据关联。"],
        ),
        ({"recipient": 5}, ["Other recipients."], ["接收方变更。"]),
        (
            {"data_to": 43_830},
            ["Other days of the data: up to 2020-01-01 instead of all days."],
            ["数据日期由“全部”改为“（截至 2020-01-01）”。"],
        ),
    ],
)
def test_what_changes_is_said_in_words(changes, english, chinese):
    """Each part of a grant that can differ has its sentence in both languages, and nothing else is said."""
    after = replace(GRANT, **changes)
    assert changes_in_words(GRANT, after) == english
    assert changes_in_words(GRANT, after, Language.ZH) == chinese


def test_no_difference_between_two_grants_goes_unsaid():
    """Whatever a holder signs, but ids, terms and deadline, is either the same or told."""
    unsaid = {"grant_id", "passport_id", "terms", "supersedes", "deadline", "template"}
    others = {
        "recipient": 9,
        "recipient_kinds": 2,
        "purposes": 1,
        "categories": Category.VITALS,
        "use_from": 5,
        "use_to": 6,
        "data_from": 7,
        "data_to": 8,
        "max_uses": 9,
        "level": Level.AGGREGATE,
        "flags": GrantFlag.ONWARD,
    }
    assert set(Grant.__dataclass_fields__) == unsaid | others.keys()
    for name, value in others.items():
        assert changes_in_words(GRANT, replace(GRANT, **{name: value})), name


def test_terms_commit_to_sentence_language_and_notice():
    """Another language or notice is another commitment, with the same sentence and salt."""
    salt = new_salt()
    commitments = {
        commit_record("terms", terms_record(text, language=language, notice=notice), salt=salt)
        for text in ("a", "b")
        for language in Language
        for notice in (NOTICE_HASH, bytes(32))
    }
    assert len(commitments) == 8


def test_each_status_has_its_words():
    """All of the chain's statuses, those of time, and that nobody ever asked; none said twice."""
    of_chain = {status.name.lower() for status in GrantStatus if status is not GrantStatus.NONE}
    assert STATUS_LABELS.keys() == of_chain | {"never-asked", "pending", "frozen", "expired"}
    assert len({label.en for label in STATUS_LABELS.values()}) == len(STATUS_LABELS)
    assert len({label.zh for label in STATUS_LABELS.values()}) == len(STATUS_LABELS)


class TestWhereDataWent:
    """What a patient reads of datasets and models, in both languages."""

    def test_a_dataset_with_and_without_its_title(self):
        titled = dataset_told(1, owner="North Star", title="Cohort", since=1_800_000_000)
        plain = dataset_told(1, owner="North Star", title="", since=1_800_000_000, destroyed=True)

        assert titled.en == "Dataset 1 of North Star, “Cohort”, since 2027-01-15 08:00 UTC."
        assert titled.zh == "North Star的数据集 1“Cohort”，自 2027-01-15 08:00 UTC 起。"
        assert plain.en == "Dataset 1 of North Star, since 2027-01-15 08:00 UTC; it was destroyed."
        assert plain.zh == "North Star的数据集 1，自 2027-01-15 08:00 UTC 起；该数据集已销毁。"

    def test_how_much_else_there_is(self):
        assert others_told(1, more=False).en == "1 version of data and results."
        assert others_told(100, more=True).en == "More than 100 versions of data and results."
        assert others_told(100, more=True).zh == "超过 100 个数据版本和结果。"

    def test_a_withdrawal_asks_the_owners_of_models_if_there_are_any(self):
        before, after, none = (
            withdrawal_told(ended=ended, models=models)
            for ended, models in ((False, 1), (True, 1), (False, 0))
        )

        assert before.en.startswith("If you withdraw this consent, nothing more may be trained on")
        assert "must then answer within 30 days" in before.en
        assert "must answer within 30 days" in after.en
        assert "30" not in none.en + none.zh
        assert "如您撤回本同意" in before.zh
        assert "本同意已终止" in after.zh
