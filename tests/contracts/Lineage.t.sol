// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "../../contracts/interfaces/IAttestations.sol";
import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IDatasets} from "../../contracts/interfaces/IDatasets.sol";
import {ILineage} from "../../contracts/interfaces/ILineage.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {IPolicy} from "../../contracts/interfaces/IPolicy.sol";
import {IProjects} from "../../contracts/interfaces/IProjects.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {Facts} from "../../contracts/libraries/Facts.sol";
import {StepFacts} from "../../contracts/libraries/StepFacts.sol";
import {LedgerTest} from "./Base.t.sol";

/// @notice A world in which a step of each kind stands. The lab has collected a dataset from PASSPORT, under CONSENT,
/// and shared it with a team abroad, which has a dataset of its own, a project, a licence and clearance.
abstract contract LineageWorld is LedgerTest {
    uint32 internal constant TEAM = FOUNDED + 1; // abroad
    uint32 internal constant TEAM_PROJECT = 2;
    uint32 internal constant LABS = 1; // the lab's dataset
    uint32 internal constant TEAMS = 2; // the team's
    uint64 internal constant BUDGET = 10; // of the lab's dataset, of which the team's split has spent one
    uint16 internal constant AI = uint16((1 << 7) | (1 << 8) | (1 << 9));
    uint32 internal constant ANSWER_TIME = 30 * DAY;
    bytes32 internal constant CONSENT = keccak256("consent of the one in the dataset");

    // Versions, by their numbers in Base.
    uint256 internal constant COLLECTED = 0; // the lab's, verified, shared with the team
    uint256 internal constant RAW = 1; // the team's, cleaned, verified by nobody
    uint256 internal constant TRAINING = 2; // parts of it, all verified but the last
    uint256 internal constant VALIDATION = 3;
    uint256 internal constant TEST = 4;
    uint256 internal constant MODEL = 5; // trained, evaluated, deployed
    uint256 internal constant OTHER_RAW = 6; // of the team's dataset
    uint256 internal constant RESULT = 7;
    uint256 internal constant NEW = 8; // and the two after it

    function setUp() public virtual override {
        super.setUp();
        IMembers.Admission memory team = _admission(TEAM, Codes.ROLE_PROCESSOR);
        team.jurisdiction = ABROAD;
        _admit(team);
        IProjects.Filing memory filing = _projectDraft();
        filing.purposes = AI;
        _approve(_file(TEAM, filing));
        _attest(ALLIANCE, TOOL, IAttestations.AttestationKind.TOOL, MEMBERSHIP_END);
        _attestProject(IAttestations.AttestationKind.LICENCE, MEMBERSHIP_END);
        _attestProject(IAttestations.AttestationKind.CLEARANCE, MEMBERSHIP_END);

        IDatasets.Plan memory plan = _plan();
        plan.purposes = AI;
        plan.budget = BUDGET;
        _declareDataset(LAB, plan);
        plan.budget = 0;
        _declareDataset(TEAM, plan);
        _includeUnder(CONSENT, 0);
        _mustStand(LAB, _collection(LABS, _versionId(COLLECTED)));
        _verify(COLLECTED, true);
        _share(LAB, COLLECTED, TEAM);
        _mustStand(TEAM, _make(ILineage.StepKind.CLEAN, COLLECTED, RAW));
        _mustStand(TEAM, _splitOf(RAW, TRAINING));
        _verify(TRAINING, true);
        _verify(VALIDATION, true);
        _mustStand(TEAM, _collection(TEAMS, _versionId(OTHER_RAW)));
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, TRAINING, MODEL));
        _mustStand(TEAM, _evaluation(MODEL, TEST));
        _mustStand(TEAM, _stepOn(ILineage.StepKind.DEPLOY, MODEL));
        ILineage.Step memory inference = _good(ILineage.StepKind.INFER);
        inference.outputs = _list(_versionId(RESULT));
        _mustStand(TEAM, inference);
    }

    /* STEPS */

    /// @dev A step of this kind by the team that stands.
    function _good(ILineage.StepKind kind) internal pure returns (ILineage.Step memory step) {
        if (kind == ILineage.StepKind.COLLECT) step = _collection(TEAMS, _versionId(NEW));
        else if (kind == ILineage.StepKind.DESTROY) step = _destruction(TEAMS);
        else if (kind == ILineage.StepKind.SPLIT) step = _splitOf(RAW, NEW);
        else if (kind == ILineage.StepKind.MERGE) step = _merge(RAW, OTHER_RAW, NEW);
        else if (kind == ILineage.StepKind.TRAIN) step = _make(kind, TRAINING, NEW);
        else if (kind == ILineage.StepKind.EVALUATE) step = _evaluation(MODEL, TEST);
        else if (kind == ILineage.StepKind.DEPLOY) step = _stepOn(kind, MODEL);
        else if (kind == ILineage.StepKind.INFER) {
            step = _make(kind, MODEL, NEW);
            step.inputs = _list(_versionId(MODEL), _versionId(OTHER_RAW));
            step.epsilon = 1;
        } else if (kind == ILineage.StepKind.RELEASE) {
            step = _make(kind, TRAINING, NEW);
            step.epsilon = 1;
        } else step = _make(kind, RAW, NEW);
        step.projectId = TEAM_PROJECT;
    }

    function _stepOn(
        ILineage.StepKind kind,
        uint256 input
    ) internal pure returns (ILineage.Step memory step) {
        step = _stepOf(kind);
        step.projectId = TEAM_PROJECT;
        step.inputs = _list(_versionId(input));
    }

    function _make(
        ILineage.StepKind kind,
        uint256 input,
        uint256 output
    ) internal pure returns (ILineage.Step memory step) {
        step = _stepOn(kind, input);
        step.outputs = _list(_versionId(output));
        if (kind == ILineage.StepKind.TRAIN) step.purposes = AI;
    }

    /// @dev Into this version and the two after it.
    function _splitOf(uint256 input, uint256 output) internal pure returns (ILineage.Step memory step) {
        step = _stepOn(ILineage.StepKind.SPLIT, input);
        step.outputs = _list(_versionId(output), _versionId(output + 1), _versionId(output + 2));
        step.epsilon = 1;
    }

    function _merge(
        uint256 one,
        uint256 two,
        uint256 output
    ) internal pure returns (ILineage.Step memory step) {
        step = _make(ILineage.StepKind.MERGE, one, output);
        step.inputs = _list(_versionId(one), _versionId(two));
    }

    function _evaluation(uint256 model, uint256 data) internal pure returns (ILineage.Step memory step) {
        step = _stepOn(ILineage.StepKind.EVALUATE, model);
        step.inputs = _list(_versionId(model), _versionId(data));
    }

    function _mustStand(uint32 memberId, ILineage.Step memory step) internal {
        vm.assertEq(0, _record(memberId, step), "missing");
    }

    /// @dev It stands and, being data, is verified.
    function _mustStandVerified(ILineage.Step memory step) internal {
        _mustStand(TEAM, step);
        _as(VERIFIER);
        ledger.verifyVersion(step.outputs[0], true, COMMITMENT);
    }

    function _mustMiss(uint32 missing, ILineage.Step memory step) internal {
        vm.assertEq(missing, _record(TEAM, step), "missing");
    }

    /* OTHER ACTS */

    function _verify(uint256 number, bool passed) internal {
        _as(VERIFIER);
        ledger.verifyVersion(_versionId(number), passed, COMMITMENT);
    }

    function _share(uint32 owner, uint256 number, uint32 recipient) internal {
        _as(owner);
        ledger.shareVersion(_versionId(number), recipient, COMMITMENT);
    }

    function _attestProject(IAttestations.AttestationKind kind, uint32 validTo) internal {
        _attest(REGULATOR, bytes32(uint256(TEAM_PROJECT)), kind, validTo);
    }

    /// @dev The holder of PASSPORT consents, and the lab includes it into its dataset.
    function _includeUnder(bytes32 grantId, uint8 flags) internal {
        IConsents.Grant memory given = _grantOf(grantId, PASSPORT);
        given.purposes = AI;
        given.flags = flags;
        _give(given);
        uint32 missing = _decide(LAB, _request(PASSPORT, grantId, _inclusionTerms(LABS))).missing();
        vm.assertEq(0, missing, "included");
    }

    function _withdraw() internal {
        _revoke(PASSPORT, CONSENT);
    }

    /// @dev One more is included, and withdrawn at once.
    function _withdrawAnother(bytes32 grantId) internal {
        _includeUnder(grantId, 0);
        _revoke(PASSPORT, grantId);
    }

    function _dataset(uint32 datasetId) internal view returns (IDatasets.Dataset memory) {
        return ledger.datasetOf(datasetId);
    }

    function _version(uint256 number) internal view returns (ILineage.Version memory) {
        return ledger.versionOf(_versionId(number));
    }

    function _origins(uint256 number) internal view returns (ILineage.Origin[] memory) {
        return ledger.originsOf(_versionId(number));
    }

    function _assertUnmade(uint256 number) internal view {
        ILineage.Version memory nothing;
        vm.assertEq(abi.encode(nothing), abi.encode(_version(number)), "no version");
        vm.assertEq(0, _origins(number).length, "no origins");
    }

    function _assertOrigin(uint256 number, uint256 place, ILineage.Origin memory expected) internal view {
        vm.assertEq(abi.encode(expected), abi.encode(_origins(number)[place]), "origin");
    }
}

/// @notice Each rule is broken once, alone, by a step of each kind that otherwise stands.
contract StepRulesTest is LineageWorld {
    uint256 private constant DISJOINT = 11;

    /// @dev The rules that a kind of step is under, in words of the test's own.
    function _rulesOf(ILineage.StepKind kind) private pure returns (uint32) {
        return
            [
                uint32(0x0009), // collect: member, availability
                0x51BD, // clean: all about data
                0x51BD, // label
                0x53BD, // split: three parts
                0x59BD, // merge: relinking
                0x51BD, // de-identify
                0x75FF, // train: project, verified, unseen, protected
                0x55AF, // evaluate: whether current or not
                0x912F, // deploy: project, model
                0x912F, // infer
                0x71FF, // release
                0x0009 // destroy
            ][uint8(kind)];
    }

    function test_WhenNoRuleIsBroken_EveryKindOfStepStands() external {
        for (uint8 kind = 0; kind < 12; ++kind) {
            uint256 snapshot = vm.snapshotState();
            ILineage.Step memory step = _good(ILineage.StepKind(kind));
            uint32 count = ledger.stepCount();
            vm.expectEmit(address(ledger));
            emit ILineage.StepRecorded(count + 1, TEAM, step.kind, 0, step);
            _mustStand(TEAM, step);
            vm.assertEq(count + 1, ledger.stepCount(), "steps");
            vm.revertToState(snapshot);
        }
    }

    function test_WhenMemberIsNotActive() external {
        _suspend(TEAM);
        _assertBrokenByAll(StepFacts.MEMBER_ACTIVE);
    }

    function test_WhenProjectIsNotApproved() external {
        uint256 snapshot = vm.snapshotState();
        _as(TEAM);
        ledger.withdrawProject(TEAM_PROJECT);
        _assertBrokenByAll(StepFacts.PROJECT_APPROVED);
        vm.revertToState(snapshot);

        _reviewProject(ETHICS, TEAM_PROJECT, IProjects.Approval.ETHICS, false);
        _assertBrokenByAll(StepFacts.PROJECT_APPROVED);
    }

    function test_WhenThereIsNoProject() external {
        ILineage.Step memory step = _good(ILineage.StepKind.EVALUATE);
        step.projectId = 0;
        _assertBroken(StepFacts.PROJECT_APPROVED | StepFacts.BORDER_CLEARED, step); // it was cleared
        step.projectId = PROJECT; // the lab's
        _assertBroken(StepFacts.PROJECT_APPROVED | StepFacts.BORDER_CLEARED, step);
    }

    function test_WhenProjectDoesNotCoverThePurpose() external {
        uint16[4] memory purposes = [
            _bit(Codes.AI_TRAINING),
            _bit(Codes.AI_VALIDATION),
            _bit(Codes.AI_INFERENCE),
            _bit(Codes.AI_INFERENCE)
        ];
        for (uint8 index = 0; index < 4; ++index) {
            uint256 snapshot = vm.snapshotState();
            IProjects.Filing memory filing = _projectDraft();
            filing.purposes = AI & ~purposes[index];
            uint32 projectId = _file(TEAM, filing);
            _approve(projectId);
            _attest(
                REGULATOR,
                bytes32(uint256(projectId)),
                IAttestations.AttestationKind.LICENCE,
                MEMBERSHIP_END
            );
            _attest(
                REGULATOR,
                bytes32(uint256(projectId)),
                IAttestations.AttestationKind.CLEARANCE,
                MEMBERSHIP_END
            );
            ILineage.Step memory step = _good(ILineage.StepKind(6 + index));
            step.projectId = projectId;
            _assertBroken(StepFacts.PROJECT_APPROVED, step);
            vm.revertToState(snapshot);
        }
    }

    function test_WhenInputIsOfAnotherKind() external {
        for (uint8 kind = 1; kind < 10; ++kind) {
            ILineage.Step memory step = _good(ILineage.StepKind(kind));
            bool usesModel = kind == 7 || kind == 8 || kind == 9;
            step.inputs[0] = _versionId(usesModel ? OTHER_RAW : RESULT);
            if (kind == 4) step.inputs[1] = _versionId(RESULT);
            step.epsilon = 1; // a result has the budget of its data
            _assertBroken(StepFacts.INPUTS_KNOWN, step);
        }
    }

    /// @dev A model stands first, and alone.
    function test_WhenModelStandsInAnotherPlace() external {
        ILineage.Step memory step = _good(ILineage.StepKind.TRAIN);
        step.inputs = _list(_versionId(MODEL), _versionId(TRAINING));
        _assertStands(step);
        step.inputs = _list(_versionId(TRAINING), _versionId(MODEL));
        _assertBroken(StepFacts.INPUTS_KNOWN, step);
        step = _good(ILineage.StepKind.INFER);
        step.inputs = _list(_versionId(MODEL), _versionId(MODEL));
        _assertBroken(StepFacts.INPUTS_KNOWN, step);
        step = _good(ILineage.StepKind.MERGE);
        step.inputs[1] = _versionId(MODEL);
        _assertBroken(StepFacts.INPUTS_KNOWN, step);
    }

    function test_WhenInputIsUnknown() external {
        for (uint8 kind = 1; kind < 11; ++kind) {
            ILineage.Step memory step = _good(ILineage.StepKind(kind));
            step.inputs[0] = COMMITMENT;
            _assertBroken(
                StepFacts.INPUTS_KNOWN | StepFacts.INPUTS_AVAILABLE | StepFacts.PURPOSE_ALLOWED,
                step
            );
        }
    }

    function test_WhenDatasetIsSealed() external {
        _sealDataset(LAB, LABS);
        _sealDataset(TEAM, TEAMS);
        for (uint8 kind = 0; kind < 11; ++kind) {
            _assertBroken(StepFacts.INPUTS_AVAILABLE, _good(ILineage.StepKind(kind)));
        }
        _assertStands(_good(ILineage.StepKind.DESTROY));
        _unsealDataset(REGULATOR, LABS);
        _unsealDataset(REGULATOR, TEAMS);
        for (uint8 kind = 0; kind < 12; ++kind) _assertStands(_good(ILineage.StepKind(kind)));
    }

    /// @dev One of two inputs is enough.
    function test_WhenOneOfTwoDatasetsIsSealed() external {
        _sealDataset(TEAM, TEAMS);
        _assertBroken(StepFacts.INPUTS_AVAILABLE, _good(ILineage.StepKind.MERGE));
        _assertBroken(StepFacts.INPUTS_AVAILABLE, _good(ILineage.StepKind.INFER));
        _assertStands(_good(ILineage.StepKind.TRAIN));
    }

    function test_WhenDatasetIsDestroyed() external {
        _mustStand(LAB, _destruction(LABS));
        _mustStand(TEAM, _destruction(TEAMS));
        _assertBrokenByAll(StepFacts.INPUTS_AVAILABLE);
    }

    function test_WhenInputIsNeitherOwnedNorShared() external {
        IAttestations.AttestationKind clearance = IAttestations.AttestationKind.CLEARANCE;
        _admit(TEAM + 1, Codes.ROLE_PROCESSOR);
        IProjects.Filing memory filing = _projectDraft();
        filing.purposes = AI;
        uint32 projectId = _file(TEAM + 1, filing);
        _approve(projectId);
        _attest(
            REGULATOR,
            bytes32(uint256(projectId)),
            IAttestations.AttestationKind.LICENCE,
            MEMBERSHIP_END
        );
        _attest(REGULATOR, bytes32(uint256(projectId)), clearance, MEMBERSHIP_END);
        for (uint8 kind = 0; kind < 12; ++kind) {
            ILineage.Step memory step = _good(ILineage.StepKind(kind));
            step.projectId = projectId;
            vm.assertEq(StepFacts.INPUTS_AVAILABLE, _record(TEAM + 1, step), "missing");
        }
        _verify(MODEL, true);
        _share(TEAM, MODEL, TEAM + 1);
        ILineage.Step memory deployment = _good(ILineage.StepKind.DEPLOY);
        deployment.projectId = projectId;
        _mustStand(TEAM + 1, deployment);
    }

    function test_WhenAWithdrawalWaits() external {
        _withdraw();
        _assertBrokenByAll(StepFacts.INPUTS_CURRENT);
    }

    function test_WhenInputFailedItsCheck() external {
        _verify(RAW, false);
        _verify(MODEL, false);
        for (uint8 kind = 1; kind < 11; ++kind) {
            ILineage.Step memory step = _good(ILineage.StepKind(kind));
            if (kind == 6) step.inputs = _list(_versionId(MODEL), _versionId(TRAINING));
            if (kind == 10) step.inputs = _list(_versionId(MODEL));
            _assertBroken(StepFacts.INPUTS_SOUND, step);
        }
    }

    function test_WhenDataIsNotVerified() external {
        ILineage.Step memory step = _good(ILineage.StepKind.TRAIN);
        step.inputs = _list(_versionId(TRAINING), _versionId(OTHER_RAW));
        _assertBroken(StepFacts.INPUTS_VERIFIED, step);
        step = _good(ILineage.StepKind.RELEASE);
        step.inputs = _list(_versionId(RAW));
        _assertBroken(StepFacts.INPUTS_VERIFIED, step);
        step.inputs = _list(_versionId(MODEL)); // a model need not be
        _assertStands(step);
        step.inputs = _list(_versionId(RESULT));
        _assertStands(step);
    }

    function test_WhenToolIsNotCertified() external {
        _attest(ALLIANCE, TOOL, IAttestations.AttestationKind.TOOL, 0);
        _assertBrokenByAll(StepFacts.TOOL_CERTIFIED);
        ILineage.Step memory step = _good(ILineage.StepKind.CLEAN);
        step.tool = 0;
        _assertBroken(StepFacts.TOOL_CERTIFIED, step);
    }

    function test_WhenLicenceDoesNotCoverThePurpose() external {
        _asCommittee();
        ledger.license(TEAM, type(uint16).max & ~AI, MEMBERSHIP_END);
        for (uint8 kind = 0; kind < 12; ++kind) {
            bool has = kind >= 6 && kind <= 9;
            ILineage.Step memory step = _good(ILineage.StepKind(kind));
            if (has) _assertBroken(StepFacts.PURPOSE_ALLOWED, step);
            else _assertStands(step);
        }
    }

    /// @dev Each kind needs its own purpose, and no other, of the inputs.
    function test_WhenDataMayNotServeThePurpose() external {
        uint8[3] memory purposes = [Codes.AI_TRAINING, Codes.AI_VALIDATION, Codes.AI_INFERENCE];
        for (uint8 index = 0; index < 3; ++index) {
            uint256 snapshot = vm.snapshotState();
            _collectFor(type(uint16).max & ~BANNED & ~_bit(purposes[index]));
            ILineage.Step memory step = _good(ILineage.StepKind.TRAIN);
            step.inputs = _list(_versionId(DISJOINT));
            step.purposes = _bit(Codes.RESEARCH);
            index == 0 ? _assertBroken(StepFacts.PURPOSE_ALLOWED, step) : _assertStands(step);
            step = _evaluation(MODEL, DISJOINT);
            index == 1 ? _assertBroken(StepFacts.PURPOSE_ALLOWED, step) : _assertStands(step);
            step = _good(ILineage.StepKind.INFER);
            step.inputs[1] = _versionId(DISJOINT);
            index == 2 ? _assertBroken(StepFacts.PURPOSE_ALLOWED, step) : _assertStands(step);
            vm.revertToState(snapshot);
        }
    }

    function test_WhenModelIsForMoreThanItsData() external {
        ILineage.Step memory step = _good(ILineage.StepKind.TRAIN);
        step.purposes = AI | _bit(Codes.RESEARCH);
        _assertBroken(StepFacts.PURPOSE_ALLOWED, step);
        // A model is an input like any other: the next one is for no more than it.
        step.purposes = _bit(Codes.AI_TRAINING);
        _mustStand(TEAM, step);
        step.inputs = _list(_versionId(NEW), _versionId(TRAINING));
        step.outputs = _list(_versionId(NEW + 1));
        _assertStands(step);
        step.purposes = AI;
        _assertBroken(StepFacts.PURPOSE_ALLOWED, step);
    }

    function test_WhenModelIsNotForWhatItIsUsedFor() external {
        ILineage.Step memory step = _good(ILineage.StepKind.TRAIN);
        step.purposes = _bit(Codes.AI_VALIDATION);
        _mustStand(TEAM, step);
        _mustStand(TEAM, _evaluation(NEW, TEST));
        _assertBroken(StepFacts.PURPOSE_ALLOWED, _stepOn(ILineage.StepKind.DEPLOY, NEW));
        step.outputs = _list(_versionId(NEW + 1));
        step.purposes = _bit(Codes.AI_INFERENCE);
        _mustStand(TEAM, step);
        _assertBroken(StepFacts.PURPOSE_ALLOWED, _evaluation(NEW + 1, TEST));
    }

    function test_WhenMergedDataServesNothingTogether() external {
        _collectFor(_bit(Codes.RESEARCH));
        _assertBroken(StepFacts.PURPOSE_ALLOWED, _merge(RAW, DISJOINT, NEW));
    }

    function test_WhenSplitMakesNotThree() external {
        ILineage.Step memory step = _good(ILineage.StepKind.SPLIT);
        step.outputs = _list(_versionId(NEW));
        _assertBroken(StepFacts.THREE_PARTS, step);
        step.outputs = _list(_versionId(NEW), _versionId(NEW + 1));
        _assertBroken(StepFacts.THREE_PARTS, step);
        step.outputs = new bytes32[](4);
        for (uint256 index = 0; index < 4; ++index) step.outputs[index] = _versionId(NEW + index);
        _assertBroken(StepFacts.THREE_PARTS, step);
    }

    function test_WhenTestDataTrainsOrWasTrainedOn() external {
        _verify(TEST, true);
        ILineage.Step memory step = _good(ILineage.StepKind.TRAIN);
        step.inputs = _list(_versionId(TEST));
        _assertBroken(StepFacts.TEST_UNSEEN, step);
        _assertBroken(StepFacts.TEST_UNSEEN, _evaluation(MODEL, TRAINING));
    }

    function test_WhenSomebodyForbadeRelinking() external {
        _includeUnder(OTHER_GRANT, Codes.FLAG_NO_RELINK);
        _assertBrokenByAll(StepFacts.RELINK_ALLOWED);
    }

    function test_WhenOtherDatasetForbidsRelinking() external {
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        (given.recipient, given.purposes, given.flags) = (TEAM, AI, Codes.FLAG_NO_RELINK);
        _give(given);
        uint32 missing = _decide(TEAM, _request(PASSPORT, OTHER_GRANT, _inclusionTerms(TEAMS, TEAM_PROJECT)))
            .missing();
        vm.assertEq(0, missing, "included");
        _assertBroken(StepFacts.RELINK_ALLOWED, _good(ILineage.StepKind.MERGE));
    }

    /// @dev Parts of one dataset, of whatever split, are no other data.
    function test_WhenPartsOfOneDatasetAreMerged_NothingIsRelinked() external {
        _includeUnder(OTHER_GRANT, Codes.FLAG_NO_RELINK);
        _mustStand(TEAM, _splitOf(RAW, NEW));
        _assertStands(_merge(TRAINING, VALIDATION, 11)); // of one split
        _assertStands(_merge(TRAINING, NEW, 11)); // of two
        _assertStands(_merge(TRAINING, RAW, 11)); // and of none
    }

    function test_WhenBudgetIsSpent() external {
        for (uint8 kind = 1; kind < 11; ++kind) {
            ILineage.Step memory step = _good(ILineage.StepKind(kind));
            uint64 left = BUDGET - _dataset(LABS).spent;
            step.epsilon = left;
            _assertStands(step);
            step.epsilon = left + 1;
            _assertBroken(StepFacts.BUDGET_LEFT, step);
            step.epsilon = type(uint64).max;
            _assertBroken(StepFacts.BUDGET_LEFT, step);
        }
    }

    /// @dev To split, infer and release spends some privacy.
    function test_WhenNothingIsSpent() external {
        for (uint8 kind = 1; kind < 11; ++kind) {
            ILineage.Step memory step = _good(ILineage.StepKind(kind));
            step.epsilon = 0;
            bool spends = kind == 3 || kind == 9 || kind == 10;
            if (spends) _assertBroken(StepFacts.BUDGET_LEFT, step);
            else _assertStands(step);
        }
    }

    function test_WhenDatasetKeepsNoBudget_AnythingIsLeft() external {
        ILineage.Step memory step = _good(ILineage.StepKind.SPLIT);
        step.inputs = _list(_versionId(OTHER_RAW));
        step.epsilon = 0;
        _assertStands(step);
        step.epsilon = type(uint64).max;
        _mustStand(TEAM, step);
        vm.assertEq(0, _dataset(TEAMS).spent, "spent");
    }

    function test_WhenCorePrivacyIsNotProtected() external {
        _classAsCore();
        for (uint8 kind = 0; kind < 12; ++kind) {
            ILineage.Step memory step = _good(ILineage.StepKind(kind));
            if (kind == 6 || kind == 10) _assertBroken(StepFacts.PROTECTED, step);
            else _assertStands(step);
        }
    }

    function test_WhenCorePrivacyIsEncryptedOrNoisyAlone_ItIsNotProtected() external {
        _classAsCore();
        ILineage.Step memory step = _good(ILineage.StepKind.TRAIN);
        step.epsilon = 1;
        _assertBroken(StepFacts.PROTECTED, step);
        _encrypt(TRAINING, START + DAY);
        _assertStands(step);
        step.epsilon = 0;
        _assertBroken(StepFacts.PROTECTED, step);
        // Every input.
        step.epsilon = 1;
        step.inputs = _list(_versionId(MODEL), _versionId(TRAINING));
        _assertBroken(StepFacts.PROTECTED, step);
        _encrypt(MODEL, START + DAY);
        _assertStands(step);
        vm.warp(START + DAY - 1);
        _assertStands(step);
        vm.warp(START + DAY);
        _assertBroken(StepFacts.PROTECTED, step);
    }

    function test_WhenBorderIsNotCleared() external {
        _attestProject(IAttestations.AttestationKind.CLEARANCE, 0);
        for (uint8 kind = 0; kind < 12; ++kind) {
            _assertBroken(StepFacts.BORDER_CLEARED, _good(ILineage.StepKind(kind)));
        }
        // Its own dataset is at home.
        _assertStands(_make(ILineage.StepKind.CLEAN, OTHER_RAW, NEW));
    }

    function test_WhenModelIsNotLicensed() external {
        _attestProject(IAttestations.AttestationKind.LICENCE, 0);
        _assertBrokenByAll(StepFacts.MODEL_READY);
    }

    function test_WhenModelIsNeitherEvaluatedNorDeployed() external {
        _mustStand(TEAM, _good(ILineage.StepKind.TRAIN));
        ILineage.Step memory inference = _good(ILineage.StepKind.INFER);
        inference.inputs[0] = _versionId(NEW);
        inference.outputs[0] = _versionId(NEW + 1);
        ILineage.Step memory deployment = _stepOn(ILineage.StepKind.DEPLOY, NEW);
        _assertBroken(StepFacts.MODEL_READY, deployment);
        _assertBroken(StepFacts.MODEL_READY, inference);
        _mustStand(TEAM, _evaluation(NEW, TEST));
        _assertBroken(StepFacts.MODEL_READY, inference);
        _mustStand(TEAM, deployment);
        _mustStand(TEAM, inference);
    }

    function test_WhenSeveralRulesAreBroken_EachIsNamed() external {
        ILineage.Step memory step = _good(ILineage.StepKind.TRAIN);
        _verify(TEST, false);
        step.inputs = _list(_versionId(TEST));
        step.epsilon = BUDGET;
        step.tool = 0;
        _assertBroken(
            StepFacts.INPUTS_SOUND |
                StepFacts.INPUTS_VERIFIED |
                StepFacts.TEST_UNSEEN |
                StepFacts.BUDGET_LEFT |
                StepFacts.TOOL_CERTIFIED,
            step
        );
    }

    /* TIME */

    function test_WhenRetentionEnds_EndItselfIsOut() external {
        ILineage.Step memory step = _make(ILineage.StepKind.CLEAN, OTHER_RAW, NEW);
        _assertEnd(StepFacts.INPUTS_AVAILABLE, step, RETENTION_END);
        _assertBroken(StepFacts.INPUTS_AVAILABLE, _good(ILineage.StepKind.COLLECT));
        _assertStands(_good(ILineage.StepKind.DESTROY));
    }

    function test_WhenTheFirstConsentEnds_EndItselfIsOut() external {
        _assertEnd(StepFacts.INPUTS_AVAILABLE, _good(ILineage.StepKind.TRAIN), GRANT_END);
        // The model's own data included.
        _assertBroken(StepFacts.INPUTS_AVAILABLE, _good(ILineage.StepKind.DEPLOY));
        vm.assertEq(StepFacts.INPUTS_AVAILABLE, _record(LAB, _collection(LABS, _versionId(NEW))), "missing");
    }

    function test_WhenAnswerIsDue_DeadlineItselfIsIn() external {
        vm.warp(START + DAY);
        _withdraw();
        ILineage.StepKind[2] memory kinds = [ILineage.StepKind.DEPLOY, ILineage.StepKind.INFER];
        uint32 due = START + DAY + ANSWER_TIME;
        for (uint256 index = 0; index < 2; ++index) {
            ILineage.Step memory step = _good(kinds[index]);
            vm.warp(due - 1);
            _assertStands(step);
            vm.warp(due);
            _assertStands(step);
            vm.warp(due + 1);
            _assertBroken(StepFacts.MODEL_READY, step);
        }
    }

    function test_WhenProjectBeginsAndEnds() external {
        IProjects.Filing memory filing = _projectDraft();
        filing.purposes = AI;
        filing.validFrom = START + DAY;
        filing.validTo = START + 2 * DAY;
        uint32 projectId = _file(TEAM, filing);
        _approve(projectId);
        _attest(
            REGULATOR,
            bytes32(uint256(projectId)),
            IAttestations.AttestationKind.CLEARANCE,
            MEMBERSHIP_END
        );
        ILineage.Step memory step = _good(ILineage.StepKind.TRAIN);
        step.projectId = projectId;
        vm.warp(filing.validFrom - 1);
        _assertBroken(StepFacts.PROJECT_APPROVED, step);
        vm.warp(filing.validFrom);
        _assertStands(step);
        _assertEnd(StepFacts.PROJECT_APPROVED, step, filing.validTo);
    }

    function test_WhenAttestationsEnd_EndItselfIsOut() external {
        _attest(ALLIANCE, TOOL, IAttestations.AttestationKind.TOOL, START + DAY);
        _assertEnd(StepFacts.TOOL_CERTIFIED, _good(ILineage.StepKind.CLEAN), START + DAY);
        _attestProject(IAttestations.AttestationKind.LICENCE, START + 2 * DAY);
        _assertEnd(StepFacts.MODEL_READY, _good(ILineage.StepKind.DEPLOY), START + 2 * DAY);
        _attest(ALLIANCE, TOOL, IAttestations.AttestationKind.TOOL, MEMBERSHIP_END);
        _attestProject(IAttestations.AttestationKind.CLEARANCE, START + 3 * DAY);
        _assertEnd(StepFacts.BORDER_CLEARED, _good(ILineage.StepKind.CLEAN), START + 3 * DAY);
    }

    function test_WhenMembershipEnds_EndItselfIsOut() external {
        _asCommittee();
        ledger.license(TEAM, type(uint16).max, START + DAY);
        _assertEnd(StepFacts.MEMBER_ACTIVE, _good(ILineage.StepKind.TRAIN), START + DAY);
    }

    /* HELPERS */

    function _collectFor(uint16 purposes) private {
        IDatasets.Plan memory plan = _plan();
        plan.purposes = purposes;
        ILineage.Step memory step = _collection(_declareDataset(TEAM, plan), _versionId(DISJOINT));
        _mustStandVerified(step);
    }

    function _classAsCore() private {
        IPolicy.Table memory law = ledger.policy();
        law.coreCategories |= Codes.DIAGNOSIS;
        law.sensitiveCategories &= ~Codes.DIAGNOSIS;
        _asCommittee();
        ledger.setPolicy(law);
    }

    function _encrypt(uint256 number, uint32 validTo) private {
        _attest(VERIFIER, _versionId(number), IAttestations.AttestationKind.ENCRYPTION, validTo);
    }

    /* ASSERTIONS */

    /// @dev Whatever is under this rule breaks it, and nothing else; what is not under it stands.
    function _assertBrokenByAll(uint32 fact) private {
        for (uint8 kind = 0; kind < 12; ++kind) {
            ILineage.Step memory step = _good(ILineage.StepKind(kind));
            if (_rulesOf(step.kind) & fact != 0) _assertBroken(fact, step);
            else _assertStands(step);
        }
    }

    /// @dev It is recorded with what it lacks, and makes and changes nothing. A step is under its own rules alone.
    function _assertBroken(uint32 facts, ILineage.Step memory step) private {
        uint32 missing = facts & _rulesOf(step.kind);
        if (missing == 0) {
            _assertStands(step);
            return;
        }
        bytes32 before = _print(step);
        uint32 count = ledger.stepCount();
        vm.expectEmit(address(ledger));
        emit ILineage.StepRecorded(count + 1, TEAM, step.kind, missing, step);
        _as(TEAM);
        (uint32 stepId, uint32 lacking) = ledger.recordStep(step);
        vm.assertEq(count + 1, stepId, "number");
        vm.assertEq(missing, lacking, "missing");
        vm.assertEq(count + 1, ledger.stepCount(), "steps");
        vm.assertEq(before, _print(step), "versions and datasets");
    }

    function _assertStands(ILineage.Step memory step) private {
        uint256 snapshot = vm.snapshotState();
        _mustStand(TEAM, step);
        vm.revertToState(snapshot);
    }

    function _assertEnd(uint32 fact, ILineage.Step memory step, uint256 end) private {
        vm.warp(end - 1);
        _assertStands(step);
        vm.warp(end);
        _assertBroken(fact, step);
        vm.warp(end + 1);
        _assertBroken(fact, step);
    }

    function _print(ILineage.Step memory step) private view returns (bytes32 print) {
        print = keccak256(abi.encode(ledger.datasetOf(LABS), ledger.datasetOf(TEAMS)));
        for (uint256 index = 0; index < step.outputs.length; ++index)
            print = _printOf(print, step.outputs[index]);
        for (uint256 index = 0; index < step.inputs.length; ++index)
            print = _printOf(print, step.inputs[index]);
    }

    function _printOf(bytes32 print, bytes32 versionId) private view returns (bytes32) {
        return keccak256(abi.encode(print, ledger.versionOf(versionId), ledger.originsOf(versionId)));
    }
}
