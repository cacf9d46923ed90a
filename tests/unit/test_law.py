"""The law as a page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.audit.law import ESTABLISHED, render
from ledger.domain.vocabulary import PURPOSE_LABELS, Basis, Category, DataClass, Fact, Purpose
from tests.support.data import ROOT
from tests.unit.chronicle import default_law

LAW = default_law()


def section(page: str, title: str) -> str:
    """Return one section of a page."""
    return next(part for part in page.split("\n## ") if part.startswith(title))


def test_the_page_in_the_docs_is_the_default_law():
    """Write it anew with `python -m scripts.policy_page > docs/policy.md`."""
    assert (ROOT / "docs" / "policy.md").read_text() == render(LAW)


@pytest.mark.parametrize("data_class", list(DataClass))
def test_every_lawful_use_has_a_row(data_class):
    """And nothing that is banned or without an entry."""
    titles = {1: "Class 1", 2: "Class 2", 3: "Class 3"}
    text = section(render(LAW), titles[data_class])
    for purpose in Purpose:
        lawful = any(LAW.required_for(data_class, purpose, basis) for basis in Basis)
        assert (PURPOSE_LABELS[purpose].zh in text) == lawful


def test_every_row_cites_a_requirement():
    """Its last cell has numbers like R099."""
    for title in ("Class 1", "Class 2", "Class 3"):
        rows = [row for row in section(render(LAW), title).splitlines() if row.startswith("| ")][2:]
        assert rows
        assert all(row.split("|")[-2].strip().startswith("R") for row in rows)


def test_class_1_research_asks_for_three_things_more():
    """R098: separate consent, emergency, encryption; what cannot be established is marked."""
    [row] = [
        row for row in section(render(LAW), "Class 1").splitlines() if row.startswith("| health research")
    ]
    assert (
        "the consent is separate: for this purpose alone, by the patient's own key 本人密钥作出的单独同意;"
        in row
    )
    assert "an emergency is in force 紧急状态有效*;" in row
    assert "protection by encryption is attested 已证明全程加密*" in row
    assert "R098" in row


def test_a_basis_that_needs_the_impossible_is_marked():
    """Nothing more, but what comes before is not there yet."""
    [row] = [
        row for row in section(render(LAW), "Class 2").splitlines() if row.startswith("| emergency care")
    ]
    assert "nothing more 无额外条件*" in row
    assert "nothing more 无额外条件 |" in row


def test_banned_purposes_are_listed():
    """All four."""
    text = section(render(LAW), "Banned")
    assert [line[2:] for line in text.splitlines() if line.startswith("- ")] == [
        "rating insurance 保险定价",
        "deciding on employment 雇佣决定",
        "marketing 营销",
        "resale 转售",
    ]


def test_another_law_is_another_page():
    """Version, bans, classes, masks and limits are the table's."""
    other = replace(
        LAW,
        version=7,
        required=(0,) * 48,
        banned_purposes=0,
        core_categories=Category(0),
        necessary=0xFFFF,
        max_grant_seconds=86_400,
    )
    page = render(other)
    assert page.startswith("# The law in force: version 7\n")
    assert page.count("No use is lawful.") == 3
    assert "None. 无。" in page
    assert "| class 1, core privacy 一级：核心隐私数据 | none 无 |" in page
    assert "| your care 诊疗 | all 全部 |" in page
    assert "at most 1 days" in page


def test_the_common_conditions_are_those_of_every_entry():
    """One entry that asks for less moves a condition into the tables."""
    words = list(LAW.required)
    words[(DataClass.SENSITIVE - 1) * 16] &= ~(int(Fact.MEMBER_SCOPE) << (32 * Basis.CUSTODIAN_CARE))
    page = render(replace(LAW, required=tuple(words)))
    common = section(page, "What every use requires").partition("Besides")[0]
    assert "the purpose is within the institution's licence" not in common
    assert "the purpose is within the institution's licence" in section(page, "Class 2")


def test_what_cannot_be_established_is_known():
    """The marks are those of the facts that no module establishes."""
    missing = [fact.name for fact in Fact if fact not in ESTABLISHED]
    assert missing == [
        "PROJECT_ETHICS",
        "EMERGENCY_IN_FORCE",
        "ENCRYPTED",
        "DEIDENTIFIED",
        "SOURCE_DECLARED",
        "DATASET_CURRENT",
        "MODEL_LICENSED",
        "BUDGET_LEFT",
        "BORDER_CLEARED",
        "REVIEWS_CURRENT",
        "HUMAN_REVIEWED",
    ]
