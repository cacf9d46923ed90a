"""Presenters of datasets, versions and lineages as plain functions."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from api.pages import commands, lineage
from api.pages.graph import Known, dataset_states, graph_of, used_elsewhere, version_states, version_title
from cli.main import command_line
from ledger.domain.lineage import (
    ANSWER_SECONDS,
    NOBODY,
    Dataset,
    JointPart,
    Origin,
    Step,
    StepRecord,
    Version,
    VersionId,
)
from ledger.domain.records import Commitment, GrantId, Member, PassportId, Position
from ledger.domain.vocabulary import (
    Answer,
    Category,
    Check,
    DatasetStatus,
    MemberStatus,
    ModelStatus,
    Part,
    Purpose,
    Role,
    StepFact,
    StepKind,
    VersionKind,
)
from ledger.errors import LedgerError
from ledger.ports import AnswerRecord, DatasetRecord, InclusionRecord, Obligation, StepEntry, VersionRecord
from ledger.service.walks import Impact, Round, Walk

NOW = 1_800_000_000
DAY = 86_400
POSITION = Position(7, b"\1" * 32, b"\2" * 32, 3, NOW)
DATASET = Dataset(
    dataset_id=1,
    owner=4,
    purposes=1 << Purpose.AI_TRAINING,
    categories=Category.DIAGNOSIS,
    status=DatasetStatus.IN_USE,
    retain_until=NOW + DAY,
)
NO_PURPOSE = 0


def name(digit: int) -> VersionId:
    return VersionId(bytes([digit]) * 32)


def version(digit: int, step: int, kind: VersionKind = VersionKind.DATA, **changes) -> Version:
    words = {"purposes": NO_PURPOSE, "origins": (Origin(1),), "owner": 4, **changes}
    return Version(name(digit), step, kind=kind, **words)


def entry(step_id: int, kind: StepKind, inputs=(), outputs=(), dataset: int = 0) -> StepEntry:
    step = Step(kind, Commitment(b"\7" * 32), tuple(inputs), tuple(outputs), dataset)
    return StepEntry(StepRecord(step_id, 4, step, StepFact(0)), POSITION)


def record(found: Version) -> VersionRecord:
    return VersionRecord(found, None, None)


def known(dataset: Dataset = DATASET, at: int = NOW) -> Known:
    return Known(members={4: "North Star"}, datasets={1: dataset}, titles={1: "Cohort"}, at=at)


def member(member_id: int = 4, roles: Role = Role.PROCESSOR) -> Member:
    return Member(
        member_id=member_id,
        name="Somebody",
        signer="0x" + "00" * 20,
        roles=roles,
        purposes=0,
        jurisdiction=840,
        kind=6,
        status=MemberStatus.ACTIVE,
        valid_to=NOW + DAY,
        signing_key=b"\1" * 32,
        sealing_key=b"\2" * 32,
    )


RAW, LEFT, RIGHT, MODEL = (
    version(1, 1),
    version(2, 2, origins=(Origin(1, parts=Part.TRAINING),)),
    version(3, 2, origins=(Origin(1, parts=Part.TEST),)),
    version(4, 3, VersionKind.MODEL),
)
COLLECT = entry(1, StepKind.COLLECT, outputs=[name(1)], dataset=1)
SPLIT = entry(2, StepKind.SPLIT, [name(1)], [name(2), name(9), name(3)])
TRAIN = entry(3, StepKind.TRAIN, [name(2)], [name(4)])
EVALUATE = entry(4, StepKind.EVALUATE, [name(4), name(3)])
BACK = Walk(
    (DatasetRecord(DATASET, Commitment(b"\5" * 32), POSITION),),
    (),
    (COLLECT, SPLIT, TRAIN),
    tuple(map(record, (RAW, LEFT, MODEL))),
    complete=True,
)
FORWARD = Walk((), (), (EVALUATE,), (record(MODEL),), complete=True)


def texts(states) -> list[str]:
    return [state.text for state in states]


class TestGraph:
    """A lineage as rows."""

    def test_two_walks_become_one_graph_in_the_order_of_the_chain(self):
        graph = graph_of([BACK, FORWARD], [record(RIGHT)], known(), subject=name(4))

        assert [node.title for node in graph.nodes] == [
            "Dataset 1",
            "Step 1: collect",
            "Data 01010101",
            "Step 2: split",
            "Training data 02020202",
            "Test data 03030303",
            "Step 3: train",
            "Model 04040404",
            "Step 4: evaluate",
        ]
        assert [node.anchor for node in graph.nodes if node.subject] == ["version-" + "04" * 32]
        assert graph.complete

    def test_edges_lead_from_what_was_there_to_what_came_of_it(self):
        graph = graph_of([BACK, FORWARD], [record(RIGHT)], known(), subject=name(4))
        data = {digit: f"version-{name(digit).hex()}" for digit in range(1, 5)}

        assert graph.edges == {
            ("dataset-1", "step-1"),
            ("step-1", data[1]),
            (data[1], "step-2"),
            ("step-2", data[2]),
            ("step-2", data[3]),
            (data[2], "step-3"),
            ("step-3", data[4]),
            (data[4], "step-4"),
            (data[3], "step-4"),
        }
        back = {(node.anchor, tie.anchor) for node in graph.nodes for tie in node.targets}
        assert back == graph.edges

    def test_what_no_walk_followed_is_asked_for(self):
        assert used_elsewhere([BACK, FORWARD]) == [name(3)]
        assert used_elsewhere([BACK]) == []

    def test_a_walk_that_was_cut_short_makes_the_graph_incomplete(self):
        assert not graph_of([replace(BACK, complete=False)], [], known(), subject=name(4)).complete

    def test_a_node_looks_as_the_gravest_of_its_states_and_says_them_all(self):
        late = replace(DATASET, retain_until=NOW - 1)
        node, *_ = graph_of([BACK], [], known(late), subject=1).nodes

        assert (node.kind, node.style, node.subject) == ("dataset", "deny", True)
        assert node.label.splitlines()[0] == "Dataset 1"
        assert node.label.splitlines()[-1] == "✕ To be destroyed since 2027-01-15"

    def test_a_step_looks_plain_and_leads_to_its_row(self):
        nodes = {node.anchor: node for node in graph_of([BACK], [], known(), subject=1).nodes}

        assert (nodes["step-3"].style, nodes["step-3"].link) == ("plain", "#step-3")
        assert nodes["version-" + "04" * 32].link == "/versions/0x" + "04" * 32


class TestStates:
    """How things stand, in words."""

    @pytest.mark.parametrize(
        ("check", "withdrawals", "expected"),
        [
            (Check.PENDING, (), ["Not checked", "Current"]),
            (Check.PASSED, (), ["Check passed", "Current"]),
            (Check.FAILED, (NOW,), ["Check failed", "Stale: a consent in it ended"]),
        ],
    )
    def test_data(self, check, withdrawals, expected):
        found = version_states(replace(RAW, check=check), known(replace(DATASET, withdrawals=withdrawals)))

        assert expected == texts(found)

    def test_data_is_current_again_when_the_withdrawal_is_excused(self):
        excused = replace(DATASET, withdrawals=(NOW,), excused=1)

        assert texts(version_states(RAW, known(excused))) == ["Not checked", "Current"]

    def test_a_model_owes_an_answer_and_then_an_overdue_one(self):
        reached = replace(DATASET, withdrawals=(NOW,))
        soon, late = (
            texts(version_states(MODEL, known(reached, at))) for at in (NOW, NOW + ANSWER_SECONDS + 1)
        )

        assert soon[0] == late[0] == "In service"
        assert soon[-1] == "Answer due by 2027-02-14"
        assert late[-1] == "Answer overdue since 2027-02-14"

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"status": ModelStatus.RETIRED}, ["Retired", "Stale: a consent in it ended"]),
            ({"origins": (Origin(1, answered=1),)}, ["In service", "Stale: a consent in it ended"]),
            ({"origins": (Origin(1, withdrawals=1),)}, ["In service", "Current"]),
        ],
    )
    def test_a_model_that_owes_nothing(self, changes, expected):
        found = version_states(replace(MODEL, **changes), known(replace(DATASET, withdrawals=(NOW,))))

        assert expected == texts(found)

    def test_a_deployed_model_that_was_checked(self):
        found = replace(MODEL, deployed=True, check=Check.PASSED)

        assert texts(version_states(found, known())) == ["In service", "Deployed", "Check passed", "Current"]

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, ["In use"]),
            ({"withdrawals": (1, 2), "excused": 1}, ["In use", "1 withdrawal"]),
            ({"status": DatasetStatus.SEALED}, ["Sealed"]),
            ({"retain_until": NOW}, ["In use", "To be destroyed since 2027-01-15"]),
            ({"retain_until": NOW, "status": DatasetStatus.DESTROYED}, ["Destroyed"]),
        ],
    )
    def test_a_dataset(self, changes, expected):
        assert expected == texts(dataset_states(replace(DATASET, **changes), NOW))

    def test_parts_of_a_split_are_called_so_and_what_was_merged_is_not(self):
        mixed = replace(LEFT, origins=(Origin(1, parts=Part.TRAINING), Origin(1, parts=Part.TEST)))

        assert version_title(LEFT) == "Training data 02020202"
        assert version_title(mixed) == "Data 02020202"


class TestDatasets:
    """A dataset in full."""

    @pytest.mark.parametrize(
        ("budget", "spent", "expected"),
        [
            (0, 0, "none is kept"),
            (0, 10, "none is kept; 0.00001 spent"),
            (2_000_000, 600_000, "0.6 of 2 spent, 1.4 left"),
            (2_000_000, 2_000_000, "2 of 2 spent, 0 left"),
            (1_000_000, 10, "0.00001 of 1 spent, 0.99999 left"),
        ],
    )
    def test_the_budget_in_words(self, budget, spent, expected):
        assert expected == lineage.budget_in_words(replace(DATASET, budget=budget, spent=spent))

    @pytest.mark.parametrize(
        ("changes", "reader", "expected"),
        [
            ({}, member(), []),
            ({"retain_until": NOW}, member(), ["passport lineage step DESTROY"]),
            ({"retain_until": NOW}, member(5), []),
            ({"withdrawals": (1,)}, member(5, Role.ETHICS), ["passport dataset excuse"]),
            ({"withdrawals": (1,), "excused": 1}, member(5, Role.ETHICS), []),
            ({"withdrawals": (1,)}, member(4, Role.ETHICS), []),
        ],
    )
    def test_what_its_reader_can_do(self, changes, reader, expected):
        dataset = replace(DATASET, **changes)
        page = lineage.dataset_page(
            DatasetRecord(dataset, Commitment(b"\5" * 32), POSITION),
            known(dataset),
            description=None,
            refused=(3, False),
            reader=reader,
            origin="http://here",
        )

        assert expected == [
            " ".join(command.text.split()[: len(expected[0].split())]) for command in page.commands
        ]
        assert page.refused == "3 requests of those looked at"

    def test_withdrawals_say_which_are_excused(self):
        dataset = replace(DATASET, withdrawals=(NOW, NOW + 1), excused=1)
        page = lineage.dataset_page(
            DatasetRecord(dataset, Commitment(b"\5" * 32), POSITION),
            known(dataset),
            description=None,
            refused=(0, True),
            reader=member(),
            origin="http://here",
        )

        assert [item.excused for item in page.withdrawals] == [True, False]
        assert page.refused == "no requests"


class TestVersions:
    """A version in full."""

    def page(self, found: Version, *, reader: Member | None = None, made=None, rounds=((), True), **changes):
        return lineage.version_page(
            VersionRecord(found, None, None, registered=None if made else POSITION),
            known(replace(DATASET, **changes)),
            made=made,
            rounds=rounds,
            report=None,
            shares=[],
            owed=None,
            answers=[],
            blame=(None, True),
            reader=reader or member(),
            origin="http://here",
        )

    @pytest.mark.parametrize(
        ("found", "changes", "recipient", "told"),
        [
            (RAW, {}, "NUMBER", "any member"),
            (replace(RAW, kind=VersionKind.RESULT), {}, "NUMBER", "any member"),
            (replace(RAW, only_to=6), {}, "6", "member 6 alone"),
            (replace(RAW, only_to=NOBODY), {}, None, "nobody"),
            (RAW, {"owner": 6, "no_onward": True}, "6", "member 6 alone"),
            (RAW, {"no_onward": True}, None, "nobody"),
            (replace(RAW, only_to=7), {"owner": 6, "no_onward": True}, None, "nobody"),
            (MODEL, {"no_onward": True}, "NUMBER", "any member"),
        ],
    )
    def test_its_owner_reads_with_whom_it_may_be_shared(self, found, changes, recipient, told):
        page = self.page(replace(found, check=Check.PASSED), made=COLLECT, **changes)
        shares = [item.text for item in page.commands if "lineage share" in item.text]

        assert page.bound.startswith(told)
        assert [f"--with {recipient} " in text for text in shares] == ([True, True] if recipient else [])
        assert not self.page(found, made=COLLECT, **changes).commands, "nobody has checked it"

    @pytest.mark.parametrize(
        ("check", "told"),
        [
            (Check.PENDING, "It is in quarantine"),
            (Check.FAILED, "It failed its check"),
            (Check.PASSED, ""),
        ],
    )
    def test_from_outside_it_is_in_quarantine_until_it_passes(self, check, told):
        page = self.page(version(5, 0, VersionKind.MODEL, origins=(), check=check))

        assert (
            page.made == "North Star brought it in from outside on 2027-01-15 08:00 UTC and vouches for it."
        )
        assert page.quarantine[: len(told)] == told
        assert bool(page.quarantine) == bool(told)
        assert ("In quarantine" in " ".join(texts(page.line.states))) == bool(told)

    def test_a_round_says_who_took_part(self):
        parts = (JointPart(6, Commitment(b"\x0c" * 32)),)
        joint = replace(TRAIN, record=replace(TRAIN.record, parts=parts))
        page = self.page(MODEL, made=joint, rounds=([Round(1, record(MODEL), joint, None)], True))

        assert page.made.endswith("; member 6 took part and signed.")
        assert [(part.member, part.contribution) for part in page.parts] == [("member 6", "0x" + "0c" * 32)]
        assert [(line.number, line.team) for line in page.rounds] == [(1, "North Star, with member 6")]

    def test_a_model_that_one_member_trained_at_once_has_no_rounds(self):
        page = self.page(MODEL, made=TRAIN, rounds=([Round(1, record(MODEL), TRAIN, None)], True))

        assert (page.parts, page.rounds) == ((), ())


class TestWhereabouts:
    """What a patient reads."""

    def impact(self, *, withdrawal: int = 0, models=(MODEL,), owed=None, answers=()) -> Impact:
        inclusion = InclusionRecord(
            1,
            PassportId(b"\3" * 32),
            0,
            GrantId(b"\4" * 32),
            4,
            POSITION,
            GrantId(b"\4" * 32),
            withdrawal,
            NOW + 5 * DAY if withdrawal else 0,
        )
        return Impact(
            inclusions=(inclusion,),
            datasets=(DatasetRecord(DATASET, Commitment(b"\5" * 32), POSITION),),
            versions=(record(RAW), record(LEFT)),
            models=tuple(map(record, models)),
            obligations={name(4): owed} if owed else {},
            answers=tuple(answers),
            next_cursor=None,
            complete=True,
        )

    def test_after_a_withdrawal_the_owner_owes_an_answer(self):
        owed = Obligation(name(4), 4, NOW + 30 * DAY, 1)
        told = lineage.whereabouts_of(self.impact(withdrawal=1, owed=owed), known(), consent=None)

        assert "your consent to it ended on 2027-01-20" in told.datasets[0].en
        assert "North Star must answer the withdrawals by 2027-02-14" in told.models[0].en
        assert "North Star须于 2027-02-14" in told.models[0].zh
        assert told.withdrawal.en.startswith("This consent has ended")
        assert told.others.en == "2 versions of data and results."

    def test_an_overdue_answer_is_told_as_missing(self):
        owed = Obligation(name(4), 4, NOW - 1, 1)
        told = lineage.whereabouts_of(self.impact(withdrawal=1, owed=owed), known(), consent=None)

        assert told.models[0].en.endswith("and has not.")
        assert "逾期未答复" in told.models[0].zh

    def test_an_answer_is_told(self):
        answer = AnswerRecord(name(4), 4, Answer.RETIRED, name(0), Commitment(b"\6" * 32), POSITION)
        retired = replace(MODEL, status=ModelStatus.RETIRED)
        told = lineage.whereabouts_of(
            self.impact(withdrawal=1, models=[retired], answers=[answer]), known(), consent=None
        )

        assert told.models[0].en == (
            "Model 04040404 of North Star: taken out of service; North Star answered on 2027-01-15 08:00 UTC: "
            "taken out of service."
        )

    def test_without_a_consent_there_is_nothing_to_withdraw(self):
        told = lineage.whereabouts_of(self.impact(), known(), consent=None)

        assert told.withdrawal is None
        assert "consent" not in told.datasets[0].en


COMMANDS = [
    *(
        commands.answer("http://here", "0x12", what)
        for what in ("RETRAINED", "UNLEARNED", "RETIRED", "JUSTIFIED")
    ),
    commands.suspend("http://here", "0x12"),
    commands.check("http://here", "0x12"),
    commands.share("http://here", "0x12"),
    commands.share("http://here", "0x12", recipient=5, options="--project NUMBER"),
    commands.destroy("http://here", 7),
    commands.excuse_withdrawals("http://here", 7, 2),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_that_pages_name_exist_with_their_options(command):
    """Run against a key file that is not there: what is complained of is the file, not the command."""
    words = shlex.split(command.replace("NUMBER", "3"))[1:]
    result = CliRunner().invoke(command_line(words), words)

    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, LedgerError)
    assert "FILE" in str(result.exception)
