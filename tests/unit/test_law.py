"""The law as a page, and what a new version of it changed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ledger.audit.law import Change, ChangeKind, changes, render, render_changes, requirements_of
from ledger.audit.law.page import OF_INCLUSIONS
from ledger.audit.law.rules import FACT_RULE
from ledger.domain.lineage import ANSWER_SECONDS
from ledger.domain.records import PolicyTable
from ledger.domain.vocabulary import (
    BASIS_LABELS,
    CONSENT_FLOOR,
    EMERGENCY_FLOOR,
    EMERGENCY_REASON_LABELS,
    FACT_LABELS,
    FLOOR,
    OTHERS_FLOOR,
    PURPOSE_LABELS,
    Basis,
    Category,
    DataClass,
    Fact,
    Level,
    Purpose,
    floor_of,
)
from ledger.policy import PERMIT_SECONDS
from tests.support.data import ROOT
from tests.unit.chronicle import DAY, HOUR, default_law

LAW = default_law()
LANGUAGES = ("en", "zh", "both")
CLASS_TITLES = {
    DataClass.CORE_PRIVACY: "Class 1",
    DataClass.SENSITIVE: "Class 2",
    DataClass.NON_SENSITIVE: "Class 3",
}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
#: A sentence has words; requirement numbers, marks of Markdown and names that are the same everywhere are none.
ENGLISH = re.compile(r"[a-z]{4,}")


def section(page: str, title: str) -> str:
    """Return one section of a page."""
    return next(part for part in page.split("\n## ") if part.startswith(title))


def rows_of(page: str, title: str) -> list[list[str]]:
    """Return the cells of the rows of a section's table, without its head."""
    rows = [line for line in section(page, title).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def with_entry(
    table: PolicyTable, data_class: DataClass, purpose: Purpose, basis: Basis, required: Fact
) -> PolicyTable:
    """Return a law with another entry."""
    words = list(table.required)
    place, shift = (data_class - 1) * 16 + purpose, 32 * basis
    words[place] = words[place] & ~(0xFFFFFFFF << shift) | int(required) << shift
    return replace(table, version=table.version + 1, required=tuple(words))


class TestPage:
    def test_the_page_in_the_docs_is_the_default_law(self):
        """Write it anew with `python -m scripts.policy_page > docs/policy.md`."""
        assert (ROOT / "docs" / "policy.md").read_text() == render(LAW)

    @pytest.mark.parametrize("data_class", list(DataClass))
    def test_every_lawful_use_has_a_row(self, data_class):
        """For its purpose and its basis, once; and nothing that is banned or without an entry has one."""
        found = {
            (purpose, basis)
            for purposes, basis, _, _ in rows_of(render(LAW, "zh"), CLASS_ZH[data_class])
            for purpose in purposes.split("、")
        }
        expected = {
            (PURPOSE_LABELS[purpose].zh, BASIS_LABELS[basis].zh)
            for purpose in Purpose
            for basis in Basis
            if LAW.required_for(data_class, purpose, basis)
        }
        assert found == expected

    @pytest.mark.parametrize("data_class", list(DataClass))
    def test_common_conditions_and_row_together_are_the_entry(self, data_class):
        """Read as a lawyer reads it, the page says exactly what the table says."""
        page = render(LAW, "en")
        always, by_others, by_basis = common_conditions(page)
        for purposes, basis_name, more, _ in rows_of(page, CLASS_TITLES[data_class]):
            [basis] = [basis for basis in Basis if BASIS_LABELS[basis].en == basis_name]
            said = always | by_basis.get(basis, Fact(0)) | facts_called(more)
            if basis is not Basis.SUBJECT_REQUEST:
                said |= by_others
            for purpose in purposes_called(purposes):
                assert said == LAW.required_for(data_class, purpose, basis) & ~Fact.LAWFUL

    @pytest.mark.parametrize("data_class", list(DataClass))
    def test_every_row_cites_its_requirements(self, data_class):
        """Its last cell has numbers like R099 and nothing else."""
        rows = rows_of(render(LAW), CLASS_TITLES[data_class])
        assert rows
        for row in rows:
            assert re.fullmatch(r"R\d{3}(, R\d{3})*", row[-1]), row

    def test_class_1_research_asks_for_three_things_more(self):
        """R098: separate consent, an emergency, encryption."""
        [row] = [row for row in rows_of(render(LAW), "Class 1") if row[0].startswith("health research")]
        for fact in (Fact.GRANT_SEPARATE, Fact.EMERGENCY_IN_FORCE, Fact.ENCRYPTED):
            assert FACT_LABELS[fact].en in row[2]
            assert FACT_LABELS[fact].zh in row[2]
        assert {"R098", "R136", "R083", "R081"} <= set(row[3].split(", "))

    def test_what_no_version_can_drop_is_marked(self):
        """Each condition of a floor, and no other."""
        common = section(render(LAW, "en"), "What every use requires")
        marked = {line.partition("†")[0].removeprefix("- ") for line in common.splitlines() if "† (" in line}
        floors = FLOOR | OTHERS_FLOOR | CONSENT_FLOOR | EMERGENCY_FLOOR
        floors |= Fact.REQUESTER_IS_CUSTODIAN | Fact.HUMAN_REVIEWED | OF_INCLUSIONS
        assert marked == {FACT_LABELS[fact].en for fact in Fact if fact in floors}
        own = common.rpartition("*the patient's own request*")[2]
        assert "the institution itself keeps the data (R032)" in own

    @pytest.mark.parametrize("table", [LAW, replace(LAW, required=(0,) * 48)])
    def test_what_every_inclusion_requires_is_told(self, table):
        """Whatever the law is: no version of it can leave that out."""
        common = section(render(table, "en"), "What every use requires")
        inclusion = common.partition("for data to be put into a dataset")[2].splitlines()
        assert [line for line in inclusion if line.startswith("- ")] == [
            f"- {FACT_LABELS[Fact.DATASET_FITS].en}† (R034)"
        ]

    def test_banned_purposes_are_listed(self):
        """All four."""
        text = section(render(LAW), "Banned")
        assert [line[2:] for line in text.splitlines() if line.startswith("- ")] == [
            "rating insurance 保险定价",
            "deciding on employment 雇佣决定",
            "marketing 营销",
            "resale 转售",
        ]

    def test_levels_are_told_by_class_and_purpose(self):
        """R023, R095: and a dash where no use is lawful."""
        rows = {row[0]: row[1:] for row in rows_of(render(LAW, "en"), "How far data is de-identified")}
        assert rows["public health"] == ["–", "under a pseudonym", "under a pseudonym"]
        assert rows["running the hospital"] == ["–", "as recorded", "as recorded"]
        [research] = [cells for purposes, cells in rows.items() if "training an AI model" in purposes]
        assert research == ["under a pseudonym"] * 3

    def test_the_limits_of_emergencies_are_told(self):
        """How long, which kinds of data, how many, reviewed by whom and when."""
        text = section(render(LAW, "en"), "Emergencies")
        assert "It ends by itself after 4 hours (R085)." in text
        assert "at most 20 in 30 days (R087)" in text
        assert "Within 72 hours somebody else reviews it: an ethics body or a regulator" in text
        assert "all but notes and plans, claims, genetic data" in text
        assert "It lasts at most 90 days, and ends by itself (R085)." in text
        changed = replace(
            LAW,
            emergencies=replace(
                LAW.emergencies,
                seconds=90 * 60,
                categories=Category.DIAGNOSIS,
                monthly_quota=3,
                review_seconds=3600,
                max_declaration_seconds=45,
            ),
        )
        text = section(render(changed, "en"), "Emergencies")
        assert "after 90 minutes" in text
        assert "(R084): diagnoses." in text
        assert "at most 3 in 30 days" in text
        assert "Within 1 hour somebody" in text
        assert "at most 45 seconds" in text

    def test_what_an_order_is_asked_for_as_is_told(self):
        """The purpose is the table's; nothing is said where nothing is compelled."""
        assert "under the purpose *running the hospital*, whatever the order is for" in render(LAW, "en")
        assert "whatever the order is for" not in render(replace(LAW, required=(0,) * 48), "en")

    def test_what_is_fixed_in_code_is_told_with_its_number(self):
        """How long a permit is good for, and how long a model's owner has to answer a withdrawal."""
        page = render(LAW, "en")
        assert PERMIT_SECONDS == 3600
        assert "A permit to read or to receive a copy is good for 1 hour." in page
        assert ANSWER_SECONDS == 30 * 86_400
        assert "must answer within 30 days" in section(page, "Consent")

    def test_the_first_thresholds_are_told(self):
        """They stand in the contract, beside the table."""
        source = (ROOT / "contracts" / "libraries" / "DefaultPolicy.sol").read_text()
        assert "persons: 1_000_000, sensitivePersons: 10_000" in source
        assert "begins with 1,000,000 and 10,000" in section(render(LAW, "en"), "Who reviews what")

    def test_the_reasons_of_emergencies_are_the_ones_there_are(self):
        """As the form offers them."""
        text = section(render(LAW), "Emergencies")
        for label in EMERGENCY_REASON_LABELS.values():
            assert label.en in text
            assert label.zh in text

    def test_who_reviews_what_is_told(self):
        """An ethics body; what is compelled a regulator."""
        text = section(render(LAW, "en"), "Who reviews what")
        assert "by an ethics body; if an authority compels it, by a regulator" in text
        assert "two different institutions" in text
        assert FACT_LABELS[Fact.BUDGET_LEFT].en in text

    def test_another_law_is_another_page(self):
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
        page = render(other, "en")
        assert page.startswith("# The law on the use of medical data: version 7\n")
        assert page.count("No use is permitted.") == 3
        assert "\nNone." in section(page, "Banned")
        assert ["class 1, core privacy", "none", "R098"] in rows_of(page, "Classes of data")
        assert rows_of(page, "Kinds of data that each purpose may touch") == [["your care", "all"]]
        assert "at most 24 hours" in section(page, "Consent")

    def test_the_common_conditions_are_those_of_every_entry(self):
        """One entry that asks for less moves a condition into the tables."""
        entry = (DataClass.SENSITIVE, Purpose.PRIMARY_CARE, Basis.CUSTODIAN_CARE)
        page = render(with_entry(LAW, *entry, LAW.required_for(*entry) & ~Fact.MEMBER_SCOPE), "en")
        words = FACT_LABELS[Fact.MEMBER_SCOPE].en
        assert words not in section(page, "What every use requires").partition("*consent*")[0]
        assert words in section(page, "Class 2")

    @pytest.mark.parametrize("fact", list(Fact))
    def test_every_fact_has_a_requirement(self, fact):
        """None is without one, so none can be missing from a page."""
        assert re.fullmatch(r"R\d{3}", FACT_RULE[fact])


class TestLanguages:
    def test_each_can_be_had_alone(self):
        """No Chinese in the English page, no English in the Chinese one."""
        assert not CHINESE.search(render(LAW, "en"))
        assert not ENGLISH.search(render(LAW, "zh"))

    def test_both_is_the_default(self):
        """What each of the two says about a condition or a use is in it."""
        both = render(LAW)
        assert both == render(LAW, "both")
        for labels in (PURPOSE_LABELS, BASIS_LABELS):
            for label in labels.values():
                assert (f"{label.en} {label.zh}" in both) == (label.en in render(LAW, "en"))

    def test_the_pages_have_the_same_form(self):
        """As many headings, bullets and rows."""
        forms = [
            [line[:2] for line in render(LAW, language).splitlines() if line[:2] in {"# ", "##", "- ", "| "}]
            for language in LANGUAGES
        ]
        assert forms[0] == forms[1] == forms[2]

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_they_cite_the_same_requirements(self, language):
        """In the same order, each as often; twice as often in both where a sentence is said twice."""
        cited = re.findall(r"R\d{3}", render(LAW, language))
        assert set(cited) == set(re.findall(r"R\d{3}", render(LAW, "en")))
        if language != "both":
            assert cited == re.findall(r"R\d{3}", render(LAW, "en"))


class TestFloors:
    @pytest.mark.parametrize("basis", list(Basis))
    def test_the_floor_is_the_contracts(self, basis):
        """Written out here once more, after `Policy._checkFloor`."""
        expected = FLOOR if basis is Basis.SUBJECT_REQUEST else FLOOR | OTHERS_FLOOR
        if basis is Basis.CONSENT:
            expected |= CONSENT_FLOOR
        elif basis is Basis.CUSTODIAN_CARE:
            expected |= Fact.REQUESTER_IS_CUSTODIAN
        elif basis is Basis.INDIVIDUAL_EMERGENCY:
            expected |= EMERGENCY_FLOOR
        elif basis is Basis.PUBLIC_EMERGENCY:
            expected |= Fact.EMERGENCY_IN_FORCE
        elif basis is Basis.COMPELLED:
            expected |= Fact.HUMAN_REVIEWED
        assert floor_of(basis) == expected


class TestChanges:
    ENTRY = (DataClass.SENSITIVE, Purpose.AI_TRAINING, Basis.CONSENT)

    def only(self, after: PolicyTable) -> Change:
        """Return the one thing that a law changes in the default law."""
        [change] = changes(LAW, after)
        return change

    def test_a_law_changes_nothing_of_itself(self):
        """Also under another number."""
        assert changes(LAW, replace(LAW, version=9)) == []
        assert "Nothing: the two versions say the same." in render_changes(LAW, replace(LAW, version=9))

    def test_a_requirement_more(self):
        """Stricter; with the fact and its requirement."""
        required = LAW.required_for(*self.ENTRY)
        change = self.only(with_entry(LAW, *self.ENTRY, required | Fact.ENCRYPTED))
        assert (change.kind, change.stricter, change.facts) == (
            ChangeKind.REQUIRES_MORE,
            True,
            Fact.ENCRYPTED,
        )
        assert (change.data_class, change.purpose, change.basis) == self.ENTRY
        assert "R081" in change.requirements
        assert change.text.en == (
            "Class 2, sensitive health data, for training an AI model, on the basis of consent: "
            "also requires that a verifier other than the hospital attests that the data is encrypted throughout."
        )
        assert change.text.zh == (
            "二级：敏感健康数据，用于训练人工智能模型，依据个人同意：另须满足：已由保管机构以外的核验机构证明数据全程加密。"
        )

    def test_a_requirement_less(self):
        """Less strict."""
        required = LAW.required_for(*self.ENTRY)
        change = self.only(with_entry(LAW, *self.ENTRY, required & ~Fact.PROJECT_AGREEMENT))
        assert (change.kind, change.stricter) == (ChangeKind.REQUIRES_LESS, False)
        assert "no longer requires that the project names an agreement" in change.text.en
        assert "R050" in change.requirements

    def test_one_entry_can_be_both(self):
        """One thing more and another one less are two changes."""
        required = LAW.required_for(*self.ENTRY) & ~Fact.PROJECT_AGREEMENT | Fact.ENCRYPTED
        found = changes(LAW, with_entry(LAW, *self.ENTRY, required))
        assert [change.kind for change in found] == [ChangeKind.REQUIRES_MORE, ChangeKind.REQUIRES_LESS]

    def test_a_use_added_and_dropped(self):
        """And the other way round when the versions are."""
        dropped = with_entry(LAW, *self.ENTRY, Fact(0))
        change = self.only(dropped)
        assert (change.kind, change.stricter) == (ChangeKind.USE_DROPPED, True)
        assert "no longer lawful, whatever holds" in change.text.en
        [added] = changes(dropped, LAW)
        assert (added.kind, added.stricter, added.facts) == (
            ChangeKind.USE_ADDED,
            False,
            LAW.required_for(*self.ENTRY),
        )
        assert (
            "now lawful. Required: the membership of the institution that asks is in force; " in added.text.en
        )

    @pytest.mark.parametrize(("level", "stricter"), [(Level.DEIDENTIFIED, True), (Level.IDENTIFIED, False)])
    def test_a_level(self, level, stricter):
        """Higher is stricter."""
        place = 2 * ((DataClass.SENSITIVE - 1) * 16 + Purpose.AI_TRAINING)
        change = self.only(replace(LAW, levels=LAW.levels & ~(3 << place) | level << place))
        assert (change.kind, change.stricter, change.purpose) == (
            ChangeKind.LEVEL,
            stricter,
            Purpose.AI_TRAINING,
        )
        assert "or better, instead of under a pseudonym." in change.text.en

    def test_a_ban(self):
        """And its end."""
        change = self.only(replace(LAW, banned_purposes=LAW.banned_purposes | 1 << Purpose.RESEARCH))
        assert (change.stricter, change.text.en) == (True, "Banned: health research.")
        change = self.only(replace(LAW, banned_purposes=LAW.banned_purposes & ~(1 << Purpose.MARKETING)))
        assert (change.stricter, change.text.en) == (False, "No longer banned: marketing.")

    def test_kinds_of_data(self):
        """More and fewer that a purpose may touch; another class."""
        less = LAW.necessary & ~(int(Category.IMAGING) << (16 * Purpose.RESEARCH))
        change = self.only(replace(LAW, necessary=less))
        assert (change.stricter, change.text.en) == (True, "Health research may no longer touch images.")
        [change] = changes(replace(LAW, necessary=less), LAW)
        assert (change.stricter, change.text.en) == (False, "Health research may also touch images.")
        change = self.only(replace(LAW, sensitive_categories=LAW.sensitive_categories | Category.VITALS))
        assert (change.kind, change.stricter) == (ChangeKind.CLASSES, None)
        assert change.text.en == (
            "Vital signs: now of class 2, sensitive health data, instead of class 3, non-sensitive."
        )

    @pytest.mark.parametrize(
        ("limit", "value", "words", "requirement"),
        [
            ("seconds", HOUR, "An emergency of one patient lasts: 1 hour, instead of 4 hours.", "R085"),
            ("monthly_quota", 5, "30 days: 5, instead of 20.", "R087"),
            ("review_seconds", 24 * HOUR, "stays approved: 24 hours, instead of 72 hours.", "R086"),
            ("max_declaration_seconds", 30 * DAY, "at most: 30 days, instead of 90 days.", "R085"),
        ],
    )
    def test_a_limit_of_emergencies(self, limit, value, words, requirement):
        """Less is stricter."""
        after = replace(LAW, emergencies=replace(LAW.emergencies, **{limit: value}))
        change = self.only(after)
        assert change.text.en.endswith(words)
        assert (change.kind, change.stricter, change.requirements) == (ChangeKind.LIMIT, True, (requirement,))
        [back] = changes(after, LAW)
        assert back.stricter is False

    def test_what_an_emergency_may_touch(self):
        """Kind by kind."""
        fewer = replace(LAW.emergencies, categories=LAW.emergencies.categories & ~Category.IMAGING)
        change = self.only(replace(LAW, emergencies=fewer))
        assert change.text.en == "An emergency of one patient may no longer touch images."
        assert (change.stricter, change.requirements) == (True, ("R084",))

    def test_the_longest_consent_and_the_recovery_of_keys(self):
        """A longer wait is safer for one patient and slower for another."""
        change = self.only(replace(LAW, max_grant_seconds=365 * DAY))
        assert change.text.en == "A consent lasts at most: 365 days, instead of 3650 days."
        after = replace(LAW, emergencies=replace(LAW.emergencies, recovery_seconds=14 * DAY))
        change = self.only(after)
        assert (change.stricter, change.requirements) == (None, ("R043",))

    def test_every_change_has_words_in_both_languages(self):
        """From one law to a wholly different one."""
        other = PolicyTable(
            version=2,
            required=tuple(2**256 - 1 - word for word in LAW.required),
            necessary=2**256 - 1 - LAW.necessary,
            levels=2**96 - 1 - LAW.levels,
            core_categories=LAW.sensitive_categories,
            sensitive_categories=LAW.core_categories,
            banned_purposes=0xFFFF - LAW.banned_purposes,
            max_grant_seconds=1,
            emergencies=replace(LAW.emergencies, seconds=1, categories=~LAW.emergencies.categories & 0xFFFF),
        )
        found = [*changes(LAW, other), *changes(other, LAW)]
        assert {change.kind for change in found} == set(ChangeKind)
        for change in found:
            assert change.requirements
            assert not CHINESE.search(change.text.en)
            assert not ENGLISH.search(change.text.zh)
            assert change.text.en.endswith(".")
            assert change.text.zh.endswith("。")

    def test_the_page_sorts_by_direction(self):
        """What is stricter, what is less strict, what is otherwise changed; each with its requirements."""
        after = replace(
            with_entry(LAW, *self.ENTRY, LAW.required_for(*self.ENTRY) | Fact.ENCRYPTED),
            banned_purposes=0,
            sensitive_categories=LAW.sensitive_categories | Category.VITALS,
        )
        page = render_changes(LAW, after, "en")
        assert page.startswith(
            "# What version 2 of the law changed since version 1\n\n## Stricter\n\n- Class 2"
        )
        assert "(R029, R081, R099)" in section(page, "Stricter")
        assert section(page, "Less strict").count("- No longer banned") == 4
        assert "- Vital signs" in section(page, "Otherwise changed")
        assert not ENGLISH.search(render_changes(LAW, after, "zh"))
        assert "No longer banned: marketing. 不再禁止：营销。 (R051)" in render_changes(LAW, after)


@pytest.mark.parametrize(
    ("data_class", "purpose", "basis", "required", "cited"),
    [
        (DataClass.SENSITIVE, Purpose.PRIMARY_CARE, Basis.CONSENT, Fact(0), ["R029", "R032"]),
        (
            DataClass.CORE_PRIVACY,
            Purpose.PRIMARY_CARE,
            Basis.CONSENT,
            Fact.GRANT_SEPARATE,
            ["R029", "R032", "R098", "R136"],
        ),
        (DataClass.SENSITIVE, Purpose.OPERATIONS, Basis.COMPELLED, Fact(0), ["R002", "R032"]),
        (DataClass.NON_SENSITIVE, Purpose.PUBLIC_HEALTH, Basis.LEGAL_DUTY, Fact(0), ["R100"]),
        (DataClass.SENSITIVE, Purpose.PATIENT_REQUEST, Basis.SUBJECT_REQUEST, Fact(0), ["R137"]),
    ],
)
def test_requirements_follow_from_basis_purpose_class_and_facts(data_class, purpose, basis, required, cited):
    """Ascending, each once."""
    assert requirements_of(data_class, purpose, basis, required) == cited


#: How the sections of the classes begin in Chinese.
CLASS_ZH = {
    DataClass.CORE_PRIVACY: "一级",
    DataClass.SENSITIVE: "二级",
    DataClass.NON_SENSITIVE: "三级",
}


def facts_called(text: str) -> Fact:
    """Read conditions as a page lists them."""
    found = Fact(0)
    for words in text.split("; "):
        found |= next((fact for fact in Fact if FACT_LABELS[fact].en == words), Fact(0))
    return found


def purposes_called(text: str) -> list[Purpose]:
    """Read purposes as a page lists them."""
    return [purpose for purpose in Purpose if PURPOSE_LABELS[purpose].en in text.split(", ")]


def common_conditions(page: str) -> tuple[Fact, Fact, dict[Basis, Fact]]:
    """Read what every use requires, what those of others do, and what those on each basis do."""
    always, by_others, by_basis = Fact(0), Fact(0), dict[Basis, Fact]()
    place: Basis | str = "always"
    for line in section(page, "What every use requires").splitlines():
        if line.startswith("Besides, unless"):
            place = "others"
        elif line.startswith("Besides, on the basis *"):
            name = line.split("*")[1]
            [place] = [basis for basis in Basis if BASIS_LABELS[basis].en == name]
        elif line.startswith("Besides, for data to be put into a dataset"):
            place = "inclusion"
        elif line.startswith("- "):
            fact = facts_called(re.sub(r"†? \(R\d{3}\)$", "", line[2:]))
            assert fact, line
            if place == "always":
                always |= fact
            elif place == "others":
                by_others |= fact
            elif place == "inclusion":
                assert fact in OF_INCLUSIONS
            else:
                by_basis[Basis(place)] = by_basis.get(Basis(place), Fact(0)) | fact
    return always, by_others, by_basis
