"""The numbers of the requirements behind the law, and what it says of kinds of data."""

from __future__ import annotations

from typing import Final

from ledger.domain.records import PolicyTable
from ledger.domain.vocabulary import ALL_CATEGORIES, Basis, Category, DataClass, Fact, Purpose

_CARE: Final = (Purpose.PRIMARY_CARE, Purpose.EMERGENCY_CARE, Purpose.PAYMENT, Purpose.OPERATIONS)
_SECONDARY: Final = tuple(
    purpose for purpose in Purpose if Purpose.RESEARCH <= purpose <= Purpose.PUBLIC_HEALTH
)
CLASS_RULE: Final = {
    DataClass.CORE_PRIVACY: "R098",
    DataClass.SENSITIVE: "R099",
    DataClass.NON_SENSITIVE: "R100",
}
BASIS_RULE: Final = {
    Basis.CONSENT: "R029",
    Basis.CUSTODIAN_CARE: "R032",
    Basis.INDIVIDUAL_EMERGENCY: "R086",
    Basis.PUBLIC_EMERGENCY: "R083",
    Basis.LEGAL_DUTY: "R100",
    Basis.COMPELLED: "R002",
    Basis.SUBJECT_REQUEST: "R137",
}
FACT_RULE: Final[dict[Fact, str]] = {
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
    Fact.DATASET_FITS: "R034",
    Fact.MODEL_LICENSED: "R059",
    Fact.BUDGET_LEFT: "R093",
    Fact.BORDER_CLEARED: "R003",
    Fact.REQUESTER_IS_CUSTODIAN: "R032",
    Fact.REVIEWS_CURRENT: "R086",
    Fact.HUMAN_REVIEWED: "R142",
    Fact.WITHIN_CAP: "R021",
    Fact.GRANT_PERIOD: "R038",
    Fact.PROJECT_COMPLIANCE: "R111",
    Fact.LEVEL_SUFFICIENT: "R023",
    Fact.UNLOCKED: "R080",
    Fact.LAWFUL: "R032",
}


def requirements_of(data_class: DataClass, purpose: Purpose, basis: Basis, required: Fact) -> list[str]:
    """Return the numbers of the requirements behind an entry, ascending, for the facts given of those it requires."""
    found = {FACT_RULE[fact] for fact in Fact if fact in required} | {BASIS_RULE.get(basis, "R032")}
    if purpose in _CARE:
        found.add("R032")
    elif purpose is Purpose.PATIENT_REQUEST:
        found.add("R137")
    if purpose in _SECONDARY or Fact.GRANT_SEPARATE in required:
        found.add(CLASS_RULE[data_class])
    return sorted(found)


def categories_of(table: PolicyTable, data_class: DataClass) -> Category:
    """Return the kinds of data of a class."""
    masks = {
        DataClass.CORE_PRIVACY: table.core_categories,
        DataClass.SENSITIVE: table.sensitive_categories,
        DataClass.NON_SENSITIVE: ALL_CATEGORIES & ~table.core_categories & ~table.sensitive_categories,
    }
    return masks[data_class]


def class_of(table: PolicyTable, category: Category) -> DataClass:
    """Return the class of a kind of data."""
    return next(data_class for data_class in DataClass if category in categories_of(table, data_class))
