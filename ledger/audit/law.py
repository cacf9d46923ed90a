"""
The law as a page that a lawyer can read: Markdown from a policy table. Pure.

Source: docs/policy.md is this page for the law that a new ledger starts with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ledger.domain.records import PolicyTable
from ledger.domain.vocabulary import (
    ALL_CATEGORIES,
    BASIS_LABELS,
    CATEGORY_LABELS,
    CLASS_LABELS,
    FACT_LABELS,
    PURPOSE_LABELS,
    Basis,
    Category,
    DataClass,
    Fact,
    Label,
    Purpose,
    purposes_of,
)

#: Facts that this version can establish. Another fact never holds, so what requires it is denied.
ESTABLISHED: Final = (
    Fact.MEMBER_ACTIVE
    | Fact.MEMBER_SCOPE
    | Fact.PASSPORT_OPEN
    | Fact.PURPOSE_ALLOWED
    | Fact.CATEGORIES_NECESSARY
    | Fact.PROJECT_FILED
    | Fact.PROJECT_TECHNIQUE
    | Fact.PROJECT_AGREEMENT
    | Fact.GRANT_LIVE
    | Fact.GRANT_RECIPIENT
    | Fact.GRANT_PURPOSE
    | Fact.GRANT_CATEGORIES
    | Fact.GRANT_SEPARATE
    | Fact.GRANT_QUOTA
    | Fact.REQUESTER_IS_CUSTODIAN
    | Fact.LAWFUL
)

_CARE: Final = (Purpose.PRIMARY_CARE, Purpose.EMERGENCY_CARE, Purpose.PAYMENT, Purpose.OPERATIONS)
_CLASS_RULE: Final = {
    DataClass.CORE_PRIVACY: "R098",
    DataClass.SENSITIVE: "R099",
    DataClass.NON_SENSITIVE: "R100",
}
_PURPOSE_RULE: Final = {Purpose.PATIENT_REQUEST: "R137", Purpose.PUBLIC_HEALTH: "R083"}
_FACT_RULE: Final[dict[Fact, str]] = {
    Fact.MEMBER_ACTIVE: "R119",
    Fact.MEMBER_SCOPE: "R139",
    Fact.PASSPORT_OPEN: "R158",
    Fact.PURPOSE_ALLOWED: "R101",
    Fact.CATEGORIES_NECESSARY: "R049",
    Fact.PROJECT_FILED: "R099",
    Fact.PROJECT_ETHICS: "R091",
    Fact.PROJECT_TECHNIQUE: "R066",
    Fact.PROJECT_AGREEMENT: "R050",
    Fact.GRANT_LIVE: "R029",
    Fact.GRANT_RECIPIENT: "R030",
    Fact.GRANT_PURPOSE: "R030",
    Fact.GRANT_CATEGORIES: "R036",
    Fact.GRANT_SEPARATE: "R136",
    Fact.GRANT_QUOTA: "R035",
    Fact.EMERGENCY_IN_FORCE: "R083",
    Fact.ENCRYPTED: "R081",
    Fact.DEIDENTIFIED: "R118",
    Fact.SOURCE_DECLARED: "R100",
    Fact.DATASET_CURRENT: "R034",
    Fact.MODEL_LICENSED: "R059",
    Fact.BUDGET_LEFT: "R093",
    Fact.BORDER_CLEARED: "R003",
    Fact.REQUESTER_IS_CUSTODIAN: "R032",
    Fact.REVIEWS_CURRENT: "R086",
    Fact.HUMAN_REVIEWED: "R142",
}
_DAY_SECONDS: Final = 24 * 3600


def render(table: PolicyTable) -> str:
    """
    Write a version of the law as Markdown: tables of what each use requires, in English and Chinese.

    Returns:
        Text that ends with a newline. Requirement numbers are those of the project's list of what its two source
        papers ask for; they name the subject of a rule, also after the committee has changed it.
    """
    parts = [_opening(table), _common(table)]
    parts += [_class_section(table, data_class) for data_class in DataClass]
    parts += [_banned(table), _necessary(table), _classes(table), _limits(table)]
    return "\n\n".join(parts) + "\n"


def requirements_of(data_class: DataClass, purpose: Purpose, required: Fact) -> list[str]:
    """Return the numbers of the requirements behind a use, ascending, for the facts it requires besides the common ones."""
    rule = "R032" if purpose in _CARE else _PURPOSE_RULE.get(purpose)
    found = {_FACT_RULE[fact] for fact in Fact if fact in required and fact in _FACT_RULE}
    if rule:
        found.add(rule)
    if rule is None or purpose is Purpose.PUBLIC_HEALTH or Fact.GRANT_SEPARATE in required:
        found.add(_CLASS_RULE[data_class])
    return sorted(found)


def _opening(table: PolicyTable) -> str:
    return (
        f"# The law in force: version {table.version}\n\n"
        "Whether data may be used is looked up here and nowhere else. A request names the kinds of data, a purpose "
        "and a legal basis. It is permitted if and only if everything that the entry requires holds at that moment; "
        "if one thing is missing it is denied, and the denial is recorded with what was missing. "
        "A dash means that this basis can never justify this purpose.\n\n"
        "请求须指明数据类别、用途和法律依据。仅当表中所列条件在当时全部成立时方可使用；"
        "缺少任何一项即被拒绝，拒绝及所缺条件均记录在链上。短横表示该依据不得用于该用途。\n\n"
        "Things marked with * cannot be established by this version of the ledger: a use that requires one is denied "
        "for now. Numbers with R are those of the project's list of what its two source papers ask for. 标 * 的条件在当前版本中尚无法确认，要求该条件的使用一律拒绝。R 编号为两篇来源论文的需求编号。"
    )


def _common(table: PolicyTable) -> str:
    always = _shared(table, Basis) & ~Fact.LAWFUL
    lines = ["## What every use requires 一切使用的共同条件", "", *_bullets(always)]
    for basis in _bases(table, DataClass):
        more = _shared(table, [basis]) & ~always
        if more:
            lines += ["", f"Besides, on the basis of {_both(BASIS_LABELS[basis])}:", "", *_bullets(more)]
    lines += ["", "The tables below list what comes on top of this. 下表仅列出额外条件。"]
    return "\n".join(lines)


def _class_section(table: PolicyTable, data_class: DataClass) -> str:
    label = CLASS_LABELS[data_class]
    bases = _bases(table, [data_class])
    head = [f"{_both(BASIS_LABELS[basis])}" for basis in bases]
    lines = [
        f"## {label.en[0].upper()}{label.en[1:]} {label.zh}",
        "",
        _row(["Purpose 用途", *head, "Requirements"]),
        _row(["---"] * (len(bases) + 2)),
    ]
    rows: dict[tuple[str, ...], list[str]] = {}
    for purpose in Purpose:
        entries = {basis: table.required_for(data_class, purpose, basis) for basis in bases}
        if any(entries.values()) and not table.banned_purposes >> purpose & 1:
            more = Fact(0)
            for basis, required in entries.items():
                more |= _besides(table, basis, required)
            cited = ", ".join(requirements_of(data_class, purpose, more))
            cells = (*(_cell(table, basis, required) for basis, required in entries.items()), cited)
            rows.setdefault(cells, []).append(_both(PURPOSE_LABELS[purpose]))
    lines += [_row([", ".join(purposes), *cells]) for cells, purposes in rows.items()]
    if not bases:
        return f"{lines[0]}\n\nNo use is lawful. 不得使用。"
    return "\n".join(lines)


def _cell(table: PolicyTable, basis: Basis, required: Fact) -> str:
    if not required:
        return "–"
    more = "; ".join(_named(_besides(table, basis, required)))
    star = "*" if required & ~ESTABLISHED else ""
    return more or f"nothing more 无额外条件{star}"


def _besides(table: PolicyTable, basis: Basis, required: Fact) -> Fact:
    """Return what an entry requires besides what every entry and every entry on this basis requires."""
    return required & ~_shared(table, Basis) & ~_shared(table, [basis])


def _banned(table: PolicyTable) -> str:
    banned = [_both(PURPOSE_LABELS[purpose]) for purpose in purposes_of(table.banned_purposes)]
    body = "\n".join(f"- {name}" for name in banned) or "None. 无。"
    return (
        f"## Banned purposes 禁止的用途\n\nNothing can justify these (R051). 任何依据均不得使用。\n\n{body}"
    )


def _necessary(table: PolicyTable) -> str:
    lines = [
        "## Kinds of data each purpose may touch 各用途可涉及的数据类别",
        "",
        "A request that asks for more is denied (R049, R078). 超出范围的请求一律拒绝。",
        "",
        _row(["Purpose 用途", "Kinds of data 数据类别"]),
        _row(["---", "---"]),
    ]
    for purpose in Purpose:
        necessary = table.necessary_for(purpose)
        if necessary:
            lines.append(_row([_both(PURPOSE_LABELS[purpose]), _categories(necessary)]))
    return "\n".join(lines)


def _classes(table: PolicyTable) -> str:
    core, sensitive = table.core_categories, table.sensitive_categories
    masks = {
        DataClass.CORE_PRIVACY: core,
        DataClass.SENSITIVE: sensitive,
        DataClass.NON_SENSITIVE: ALL_CATEGORIES & ~core & ~sensitive,
    }
    lines = [
        "## Kinds of data by class 数据分级",
        "",
        "A request is of the most sensitive class among the kinds of data it asks for. 请求的等级取所请求类别中最敏感者。",
        "",
        _row(["Class 等级", "Kinds of data 数据类别", "Requirements"]),
        _row(["---", "---", "---"]),
    ]
    lines += [
        _row([_both(CLASS_LABELS[data_class]), _categories(mask), _CLASS_RULE[data_class]])
        for data_class, mask in masks.items()
    ]
    return "\n".join(lines)


def _limits(table: PolicyTable) -> str:
    days = table.max_grant_seconds / _DAY_SECONDS
    return (
        f"## Longest consent 同意的最长期限\n\nA consent lasts at most {days:g} days from the moment it is given (R030). "
        f"同意自作出之时起最长 {days:g} 天。"
    )


def _shared(table: PolicyTable, bases: Iterable[Basis]) -> Fact:
    """Return what every lawful entry on these bases requires."""
    entries = [
        table.required_for(data_class, purpose, basis)
        for basis in bases
        for data_class in DataClass
        for purpose in Purpose
    ]
    shared = None
    for entry in entries:
        if entry:
            shared = entry if shared is None else shared & entry
    return Fact(0) if shared is None else shared


def _bases(table: PolicyTable, classes: Iterable[DataClass]) -> list[Basis]:
    """Return the bases on which anything is lawful in these classes."""
    found = set()
    for data_class in classes:
        for purpose in Purpose:
            found |= {basis for basis in Basis if table.required_for(data_class, purpose, basis)}
    return sorted(found)


def _bullets(facts: Fact) -> Iterator[str]:
    return (f"- {_named(fact)[0]} ({_FACT_RULE[fact]})" for fact in Fact if fact in facts)


def _named(facts: Fact) -> list[str]:
    stars = {fact: "" if fact in ESTABLISHED else "*" for fact in Fact}
    return [f"{_both(FACT_LABELS[fact])}{stars[fact]}" for fact in Fact if fact in facts]


def _categories(categories: Category) -> str:
    if categories == ALL_CATEGORIES:
        return "all 全部"
    missing = ALL_CATEGORIES & ~categories
    labels = [_both(CATEGORY_LABELS[category]) for category in Category if category in categories]
    if len(labels) > len(Category) // 2:
        return "all but 除外：" + ", ".join(
            _both(CATEGORY_LABELS[item]) for item in Category if item in missing
        )
    return ", ".join(labels) or "none 无"


def _both(label: Label) -> str:
    return f"{label.en} {label.zh}"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
