// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreements} from "../../contracts/interfaces/IAgreements.sol";
import {IAttestations} from "../../contracts/interfaces/IAttestations.sol";
import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IDatasets} from "../../contracts/interfaces/IDatasets.sol";
import {ILineage} from "../../contracts/interfaces/ILineage.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {IPolicy} from "../../contracts/interfaces/IPolicy.sol";
import {IProjects} from "../../contracts/interfaces/IProjects.sol";
import {IShares} from "../../contracts/interfaces/IShares.sol";
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

    /// @dev Agreements and projects under which versions are shared.
    mapping(uint32 owner => mapping(uint32 recipient => uint32 agreementId)) internal _agreementOf;
    mapping(uint32 recipient => uint32 projectId) internal _importOf;

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
        _openBorder(TEAM, MEMBERSHIP_END);
        _clear(TEAM_PROJECT, LAB, MEMBERSHIP_END);
        _importOf[TEAM] = TEAM_PROJECT;
        _agreeOn(LAB, TEAM);
        _agreeOn(LAB, CLINIC);

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
        _shareUnder(owner, number, recipient, _agreementOf[owner][recipient]);
    }

    function _shareUnder(uint32 owner, uint256 number, uint32 recipient, uint32 agreementId) internal {
        _as(owner);
        ledger.shareVersion(_versionId(number), recipient, agreementId, _importOf[recipient]);
    }

    /// @dev What the owner shares with the recipient may be used for anything, merged, and passed on.
    function _agreeOn(uint32 owner, uint32 recipient) internal {
        IAgreements.Limits memory limits = _limitsFor(recipient);
        limits.onward = limits.linkage = true;
        _agreementOf[owner][recipient] = _agree(owner, limits);
    }

    /// @dev The team may share with this member, which is where the lab is: their next member is a regulator for it.
    function _letTeamExport(uint32 recipient) internal {
        _agreeOn(TEAM, recipient);
        _importOf[recipient] = _file(recipient, _projectDraft());
        _openBorder(recipient, MEMBERSHIP_END);
        _clear(_guard(ledger.memberCount() + 1), _clearanceOf(_importOf[recipient], TEAM, MEMBERSHIP_END));
    }

    /// @dev A regulator where the team is.
    function _guard(uint32 memberId) internal returns (uint32) {
        IMembers.Admission memory regulator = _admission(memberId, Codes.ROLE_REGULATOR);
        regulator.jurisdiction = ABROAD;
        return _admit(regulator);
    }

    function _attestProject(IAttestations.AttestationKind kind, uint32 validTo) internal {
        _attest(REGULATOR, bytes32(uint256(TEAM_PROJECT)), kind, validTo);
    }

    /// @dev The holder of PASSPORT consents, and the lab includes it into its dataset.
    function _includeUnder(bytes32 grantId, uint8 flags) internal {
        IConsents.Grant memory given = _grantOf(grantId, PASSPORT);
        given.purposes = AI;
        given.flags = flags | Codes.FLAG_ONWARD;
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
            _clear(projectId, LAB, MEMBERSHIP_END);
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
        _clear(_guard(TEAM + 2), _clearanceOf(projectId, TEAM, MEMBERSHIP_END));
        _openBorder(TEAM + 1, MEMBERSHIP_END);
        for (uint8 kind = 0; kind < 12; ++kind) {
            ILineage.Step memory step = _good(ILineage.StepKind(kind));
            step.projectId = projectId;
            vm.assertEq(StepFacts.INPUTS_AVAILABLE, _record(TEAM + 1, step), "missing");
        }
        _verify(MODEL, true);
        _agreeOn(TEAM, TEAM + 1);
        _importOf[TEAM + 1] = projectId;
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
        _clear(TEAM_PROJECT, HOSPITAL, MEMBERSHIP_END);
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
        _as(REGULATOR);
        ledger.withdrawClearance(1, COMMITMENT);
        for (uint8 kind = 0; kind < 12; ++kind) {
            _assertBroken(StepFacts.BORDER_CLEARED, _good(ILineage.StepKind(kind)));
        }
        // Its own dataset is at home.
        _assertStands(_make(ILineage.StepKind.CLEAN, OTHER_RAW, NEW));
    }

    /// @dev What another member's project is cleared for is not the recorder's.
    function test_WhenBorderIsClearedForAnothersProject() external {
        uint32 projectId = _file(HOSPITAL, _projectDraft());
        _clear(projectId, LAB, MEMBERSHIP_END);
        ILineage.Step memory step = _good(ILineage.StepKind.CLEAN);
        step.projectId = projectId;
        _assertBroken(StepFacts.BORDER_CLEARED, step);
        step.projectId = _file(TEAM, _projectDraft());
        _assertBroken(StepFacts.BORDER_CLEARED, step);
        _clear(step.projectId, LAB, MEMBERSHIP_END);
        _assertStands(step);
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
        _clear(projectId, LAB, MEMBERSHIP_END);
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
        _clear(TEAM_PROJECT, LAB, START + 3 * DAY);
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

/// @notice What steps make, who checks and shares it, and what becomes of it when consent is withdrawn.
contract LineageTest is LineageWorld {
    /* WHAT A STEP MAKES */

    function test_WhenCollected_VersionIsOfTheDatasetAsItIs() external onlyChanges(LINEAGE) {
        _mustStand(TEAM, _good(ILineage.StepKind.COLLECT));
        _assertMade(NEW, ILineage.VersionKind.DATA, AI);
        vm.assertEq(1, _origins(NEW).length, "origins");
        _assertOrigin(NEW, 0, ILineage.Origin(TEAMS, 0, 0, 0, 0));
    }

    function test_WhenCollectedAfterWithdrawals_TheyCameBefore() external {
        _withdraw();
        _withdrawAnother(OTHER_GRANT);
        _mustStand(LAB, _collection(LABS, _versionId(NEW)));
        _assertOrigin(NEW, 0, ILineage.Origin(LABS, 2, 0, 0, 0));
        vm.assertEq(LAB, _version(NEW).owner, "owner");
    }

    function test_WhenTreated_OriginsStay() external onlyChanges(LINEAGE) {
        ILineage.StepKind[3] memory kinds = [
            ILineage.StepKind.CLEAN,
            ILineage.StepKind.LABEL,
            ILineage.StepKind.DEIDENTIFY
        ];
        for (uint256 index = 0; index < kinds.length; ++index) {
            uint256 snapshot = vm.snapshotState();
            _mustStand(TEAM, _make(kinds[index], TRAINING, NEW));
            _assertMade(NEW, ILineage.VersionKind.DATA, AI);
            vm.assertEq(abi.encode(_origins(TRAINING)), abi.encode(_origins(NEW)), "origins");
            vm.revertToState(snapshot);
        }
        _mustStand(TEAM, _good(ILineage.StepKind.CLEAN));
    }

    function test_WhenSplit_EachPartIsKnown() external onlyChanges(LINEAGE | DATASETS) {
        _mustStand(TEAM, _good(ILineage.StepKind.SPLIT));
        uint32 stepId = ledger.stepCount();
        for (uint256 part = 0; part < 3; ++part) {
            _assertMade(NEW + part, ILineage.VersionKind.DATA, AI);
            _assertOrigin(NEW + part, 0, ILineage.Origin(LABS, 0, 0, stepId, uint8(1 << part)));
        }
    }

    function test_WhenMerged_VersionIsOfBothAndForWhatBothMayServe() external {
        IDatasets.Plan memory plan = _plan();
        plan.purposes = _bit(Codes.AI_TRAINING) | _bit(Codes.RESEARCH);
        _mustStand(TEAM, _collection(_declareDataset(TEAM, plan), _versionId(NEW)));
        ILineage.Step memory step = _merge(TRAINING, NEW, NEW + 1);
        step.inputs = _list(_versionId(TRAINING), _versionId(NEW), _versionId(OTHER_RAW));
        _mustStand(TEAM, step);
        _assertMade(NEW + 1, ILineage.VersionKind.DATA, _bit(Codes.AI_TRAINING));
        vm.assertEq(3, _origins(NEW + 1).length, "origins");
        vm.assertEq(abi.encode(_origins(TRAINING)[0]), abi.encode(_origins(NEW + 1)[0]), "first");
        _assertOrigin(NEW + 1, 1, ILineage.Origin(3, 0, 0, 0, 0));
        _assertOrigin(NEW + 1, 2, ILineage.Origin(TEAMS, 0, 0, 0, 0));
    }

    function test_WhenPartsOfOneSplitAreMerged_BothAreRemembered() external {
        uint32 splitId = _origins(TEST)[0].splitId;
        _mustStand(TEAM, _merge(TRAINING, TEST, NEW));
        vm.assertEq(1, _origins(NEW).length, "origins");
        _assertOrigin(NEW, 0, ILineage.Origin(LABS, 0, 0, splitId, 5));
    }

    function test_WhenTrained_ModelIsForWhatWasSaid() external onlyChanges(LINEAGE) {
        ILineage.Step memory step = _good(ILineage.StepKind.TRAIN);
        step.purposes = _bit(Codes.AI_INFERENCE);
        _mustStand(TEAM, step);
        _assertMade(NEW, ILineage.VersionKind.MODEL, _bit(Codes.AI_INFERENCE));
        vm.assertEq(abi.encode(_origins(TRAINING)), abi.encode(_origins(NEW)), "origins");
    }

    function test_WhenInferredOrReleased_ResultIsOfAllThatWentIn() external {
        ILineage.Step memory step = _good(ILineage.StepKind.INFER);
        _mustStand(TEAM, step);
        _assertMade(NEW, ILineage.VersionKind.RESULT, AI);
        vm.assertEq(2, _origins(NEW).length, "origins");
        vm.assertEq(abi.encode(_origins(MODEL)[0]), abi.encode(_origins(NEW)[0]), "the model's");
        _assertOrigin(NEW, 1, ILineage.Origin(TEAMS, 0, 0, 0, 0));

        step = _make(ILineage.StepKind.RELEASE, NEW, NEW + 1);
        step.epsilon = 1;
        _mustStand(TEAM, step);
        _assertMade(NEW + 1, ILineage.VersionKind.RESULT, AI);
        vm.assertEq(abi.encode(_origins(NEW)), abi.encode(_origins(NEW + 1)), "origins");
    }

    function test_WhenEvaluatedAndDeployed_ModelSaysSo() external {
        _mustStand(TEAM, _good(ILineage.StepKind.TRAIN));
        ILineage.Version memory expected = _version(NEW);
        vm.assertTrue(!expected.evaluated && !expected.deployed, "neither");
        expected.evaluated = true;
        _mustStand(TEAM, _evaluation(NEW, TEST));
        vm.assertEq(abi.encode(expected), abi.encode(_version(NEW)), "evaluated");
        expected.deployed = true;
        _mustStand(TEAM, _stepOn(ILineage.StepKind.DEPLOY, NEW));
        vm.assertEq(abi.encode(expected), abi.encode(_version(NEW)), "deployed");
    }

    function test_WhenDestroyed_NothingIsMade() external onlyChanges(LINEAGE | DATASETS) {
        IDatasets.Dataset memory expected = _dataset(TEAMS);
        expected.status = IDatasets.DatasetStatus.DESTROYED;
        _mustStand(TEAM, _good(ILineage.StepKind.DESTROY));
        vm.assertEq(abi.encode(expected), abi.encode(_dataset(TEAMS)), "dataset");
    }

    function test_WhenStepDoesNotStand_ItsNamesAreStillFree() external onlyChanges(LINEAGE) {
        ILineage.Step memory step = _good(ILineage.StepKind.CLEAN);
        step.tool = 0;
        _mustMiss(StepFacts.TOOL_CERTIFIED, step);
        _assertUnmade(NEW);
        step.tool = TOOL;
        _mustStand(TEAM, step);
        _assertMade(NEW, ILineage.VersionKind.DATA, AI);
    }

    function test_WhenUnknown_ViewsAreEmpty() external view {
        _assertUnmade(NEW);
        vm.assertEq(0, ledger.obligationOf(_versionId(NEW)), "obligation");
        vm.assertEq(0, ledger.shareOf(_versionId(NEW), TEAM).agreementId, "shared");
    }

    /* STATUS OF A DATASET */

    function test_WhenItsDataMovesOn_DatasetDoes() external {
        IDatasets.Plan memory plan = _plan();
        plan.purposes = AI;
        uint32 datasetId = _declareDataset(TEAM, plan);
        _assertStatus(datasetId, IDatasets.DatasetStatus.DECLARED);
        _mustStand(TEAM, _collection(datasetId, _versionId(NEW)));
        _assertStatus(datasetId, IDatasets.DatasetStatus.COLLECTED);
        _mustStand(TEAM, _make(ILineage.StepKind.LABEL, NEW, NEW + 1));
        _assertStatus(datasetId, IDatasets.DatasetStatus.PROCESSED);
        _verify(NEW + 1, true);
        _assertStatus(datasetId, IDatasets.DatasetStatus.VERIFIED);
        _letTeamExport(LAB);
        _share(TEAM, NEW + 1, LAB);
        _assertStatus(datasetId, IDatasets.DatasetStatus.SHARED);
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, NEW + 1, NEW + 2));
        _assertStatus(datasetId, IDatasets.DatasetStatus.IN_USE);
        // And never back.
        _mustStand(TEAM, _collection(datasetId, _versionId(NEW + 3)));
        _mustStand(TEAM, _make(ILineage.StepKind.CLEAN, NEW + 3, NEW + 4));
        _verify(NEW + 4, true);
        _share(TEAM, NEW + 4, LAB);
        _assertStatus(datasetId, IDatasets.DatasetStatus.IN_USE);
        _verify(NEW + 2, true); // a model is no data
        _share(TEAM, NEW + 2, LAB);
        _assertStatus(datasetId, IDatasets.DatasetStatus.IN_USE);
    }

    function test_WhenCheckFails_DatasetIsNotVerified() external {
        IDatasets.DatasetStatus status = _dataset(TEAMS).status;
        _mustStand(TEAM, _make(ILineage.StepKind.CLEAN, OTHER_RAW, NEW));
        _verify(NEW, false);
        _assertStatus(TEAMS, status);
    }

    function test_WhenMergedDataIsUsed_EachDatasetIs() external {
        _mustStand(TEAM, _good(ILineage.StepKind.MERGE));
        _verify(NEW, true);
        IDatasets.Plan memory plan = _plan();
        plan.purposes = AI;
        uint32 third = _declareDataset(TEAM, plan);
        _mustStand(TEAM, _collection(third, _versionId(NEW + 1)));
        _mustStand(TEAM, _merge(NEW, NEW + 1, NEW + 2));
        _assertStatus(third, IDatasets.DatasetStatus.PROCESSED);
        _mustStandVerified(_make(ILineage.StepKind.CLEAN, NEW + 2, NEW + 3));
        _assertStatus(third, IDatasets.DatasetStatus.VERIFIED);
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, NEW + 3, 20));
        _assertStatus(third, IDatasets.DatasetStatus.IN_USE);
    }

    /* BUDGET */

    function test_WhenBudgetIsSpentExactly_NothingIsLeft() external {
        uint64 spent = _dataset(LABS).spent;
        vm.assertEq(2, spent, "split and inference"); // of the set-up
        ILineage.Step memory step = _good(ILineage.StepKind.RELEASE);
        step.epsilon = BUDGET - spent;
        _mustStand(TEAM, step);
        vm.assertEq(BUDGET, _dataset(LABS).spent, "spent");
        step.outputs = _list(_versionId(NEW + 1));
        step.epsilon = 1;
        _mustMiss(StepFacts.BUDGET_LEFT, step);
        vm.assertEq(BUDGET, _dataset(LABS).spent, "spent");
        _mustStand(TEAM, _make(ILineage.StepKind.CLEAN, RAW, NEW + 1)); // what spends nothing
    }

    function test_WhenTwoDatasetsAreUsed_EachSpends() external {
        IDatasets.Plan memory plan = _plan();
        (plan.purposes, plan.budget) = (AI, 4);
        uint32 third = _declareDataset(TEAM, plan);
        _mustStand(TEAM, _collection(third, _versionId(NEW)));
        ILineage.Step memory step = _merge(RAW, NEW, NEW + 1);
        step.epsilon = 5; // too much for one of them
        _mustMiss(StepFacts.BUDGET_LEFT, step);
        step.epsilon = 4;
        _mustStand(TEAM, step);
        vm.assertEq(4, _dataset(third).spent, "the new one's");
        vm.assertEq(6, _dataset(LABS).spent, "the lab's");
    }

    /// @dev Charged once for each split, a budget was overspent, and every later step of the dataset's reverted.
    function test_WhenPartsOfTwoSplitsAreUsed_TheirDatasetIsChargedOnce() external {
        _mustStand(TEAM, _splitOf(RAW, NEW));
        ILineage.Step memory step = _merge(TRAINING, NEW, 11);
        step.epsilon = 7; // all that is left
        _mustStand(TEAM, step);
        vm.assertEq(2, _origins(11).length, "origins");
        vm.assertEq(BUDGET, _dataset(LABS).spent, "spent");
        step = _make(ILineage.StepKind.CLEAN, 11, 12);
        step.epsilon = 1;
        _mustMiss(StepFacts.BUDGET_LEFT, step);
        step.epsilon = 0;
        _mustStand(TEAM, step);
    }

    /// @dev A collection's budget is checked by no rule, so it spends nothing.
    function test_RevertWhen_CollectionOrDestructionSpends() external {
        ILineage.Step memory step = _collection(LABS, _versionId(NEW));
        step.epsilon = 1;
        _assertMalformed(step);
        step = _destruction(LABS);
        step.epsilon = 1;
        _assertMalformed(step);
    }

    /* MALFORMED */

    function test_RevertWhen_InputsAreTooFewOrTooMany() external {
        // Collect, clean, label, split, merge, de-identify, train, evaluate, deploy, infer, release, destroy.
        uint8[12] memory least = [0, 1, 1, 1, 2, 1, 1, 2, 1, 1, 1, 0];
        uint8[12] memory most = [0, 1, 1, 1, 16, 1, 16, 16, 1, 16, 1, 0];
        for (uint8 kind = 0; kind < 12; ++kind) {
            ILineage.Step memory step = _good(ILineage.StepKind(kind));
            if (least[kind] > 0) {
                step.inputs = _repeated(OTHER_RAW, least[kind] - 1);
                _assertMalformed(step);
                step.inputs = _repeated(OTHER_RAW, least[kind]);
                _assertFormed(step);
            }
            step.inputs = _repeated(OTHER_RAW, most[kind]);
            _assertFormed(step);
            step.inputs = _repeated(OTHER_RAW, uint256(most[kind]) + 1);
            _assertMalformed(step);
        }
    }

    function test_RevertWhen_OutputsAreTooFewOrTooMany() external {
        for (uint8 kind = 0; kind < 12; ++kind) {
            ILineage.Step memory step = _good(ILineage.StepKind(kind));
            bool makesNothing = kind == 7 || kind == 8 || kind == 11;
            uint256 most =
                kind == 3
                    ? 16
                    : makesNothing
                        ? 0
                        : 1;
            if (!makesNothing) {
                step.outputs = new bytes32[](0);
                _assertMalformed(step);
            }
            step.outputs = _fresh(most);
            _assertFormed(step);
            step.outputs = _fresh(most + 1);
            _assertMalformed(step);
        }
    }

    function test_RevertWhen_DatasetIsMissingOrSuperfluous() external {
        for (uint8 kind = 0; kind < 12; ++kind) {
            ILineage.Step memory step = _good(ILineage.StepKind(kind));
            step.datasetId = step.datasetId == 0 ? TEAMS : 0;
            _assertMalformed(step);
        }
    }

    function test_RevertWhen_DatasetOfAStepIsUnknown() external {
        _expectRevert(IDatasets.Datasets_Unknown.selector, 99);
        _record(TEAM, _collection(99, _versionId(NEW)));
        _expectRevert(IDatasets.Datasets_Unknown.selector, TEAMS + 1);
        _record(TEAM, _destruction(TEAMS + 1));
    }

    function test_RevertWhen_PurposesAreMissingOrSuperfluous() external {
        for (uint8 kind = 0; kind < 12; ++kind) {
            ILineage.Step memory step = _good(ILineage.StepKind(kind));
            step.purposes = step.purposes == 0 ? AI : 0;
            _assertMalformed(step);
        }
    }

    function test_RevertWhen_ProjectOfAStepIsUnknownOrParametersAreMissing() external {
        for (uint8 kind = 0; kind < 12; ++kind) {
            ILineage.Step memory step = _good(ILineage.StepKind(kind));
            step.projectId = TEAM_PROJECT + 1;
            _assertMalformed(step);
            step.projectId = TEAM_PROJECT;
            step.parameters = 0;
            _assertMalformed(step);
        }
    }

    function test_RevertWhen_KindOfStepDoesNotExist() external {
        bytes memory call_ = abi.encodeCall(ledger.recordStep, (_good(ILineage.StepKind.CLEAN)));
        assembly ("memory-safe") {
            mstore(add(call_, 0x44), 12) // the first word of the step
        }
        _as(TEAM);
        (bool done, ) = address(ledger).call(call_);
        vm.assertTrue(!done, "recorded");
    }

    function test_RevertWhen_NameIsZeroOrTaken() external {
        ILineage.Step memory step = _good(ILineage.StepKind.CLEAN);
        step.outputs[0] = 0;
        _expectRevert(ILineage.Lineage_Exists.selector, uint256(0));
        _record(TEAM, step);
        step.outputs[0] = _versionId(MODEL);
        _expectRevert(ILineage.Lineage_Exists.selector, step.outputs[0]);
        _record(TEAM, step);
        step.tool = 0; // not even if it would not stand
        _expectRevert(ILineage.Lineage_Exists.selector, step.outputs[0]);
        _record(TEAM, step);
        step = _good(ILineage.StepKind.SPLIT);
        step.outputs[2] = step.outputs[0];
        _expectRevert(ILineage.Lineage_Exists.selector, step.outputs[0]);
        _record(TEAM, step);
    }

    function test_RevertWhen_DatasetsAreTooMany() external {
        uint256 next = 100;
        for (uint256 group = 0; group < 2; ++group) {
            bytes32[] memory inputs = new bytes32[](16);
            for (uint256 index = 0; index < 16; ++index) {
                inputs[index] = _versionId(next++);
                _mustStand(TEAM, _collection(_declareDataset(TEAM, _plan()), inputs[index]));
            }
            ILineage.Step memory merge = _merge(0, 0, NEW + group);
            merge.inputs = inputs;
            _mustStand(TEAM, merge);
        }
        _mustStand(TEAM, _merge(NEW, NEW + 1, NEW + 2)); // of 32
        vm.assertEq(32, _origins(NEW + 2).length, "origins");
        _assertMalformed(_merge(NEW + 2, OTHER_RAW, NEW + 3));
    }

    function test_RevertGiven_RecorderIsNotAMember() external {
        _expectRevert(IMembers.Members_NotMember.selector, STRANGER);
        vm.prank(STRANGER);
        ledger.recordStep(_good(ILineage.StepKind.CLEAN));
    }

    /* SPLITS */

    function test_WhenTestDataIsTreatedOrMerged_ItStillDoesNotTrain() external {
        _mustStandVerified(_make(ILineage.StepKind.CLEAN, TEST, NEW));
        _mustMiss(StepFacts.TEST_UNSEEN, _make(ILineage.StepKind.TRAIN, NEW, 20));
        _mustStandVerified(_merge(TRAINING, TEST, NEW + 1));
        _mustMiss(StepFacts.TEST_UNSEEN, _make(ILineage.StepKind.TRAIN, NEW + 1, 20));
        ILineage.Step memory step = _make(ILineage.StepKind.TRAIN, TRAINING, 20);
        step.inputs = _list(_versionId(TRAINING), _versionId(NEW));
        _mustMiss(StepFacts.TEST_UNSEEN, step);
        step.inputs = _list(_versionId(TRAINING), _versionId(VALIDATION));
        _mustStand(TEAM, step);
    }

    /// @dev A test part split again had a training part, which trained.
    function test_WhenTestDataIsSplit_NoPartOfItTrains() external {
        _mustStand(TEAM, _splitOf(TEST, NEW));
        for (uint256 part = 0; part < 3; ++part) {
            _verify(NEW + part, true);
            vm.assertEq(abi.encode(_origins(TEST)), abi.encode(_origins(NEW + part)), "origins");
            _mustMiss(StepFacts.TEST_UNSEEN, _make(ILineage.StepKind.TRAIN, NEW + part, 20));
            _mustStand(TEAM, _evaluation(MODEL, NEW + part)); // it tests as before
        }
    }

    function test_WhenMergeWithTestDataIsSplit_NoPartOfItTrains() external {
        _mustStand(TEAM, _merge(TRAINING, TEST, NEW));
        _mustStand(TEAM, _splitOf(NEW, NEW + 1));
        _verify(NEW + 1, true);
        _mustMiss(StepFacts.TEST_UNSEEN, _make(ILineage.StepKind.TRAIN, NEW + 1, 20));
    }

    function test_WhenTrainingDataIsSplit_ItsPartsAreApart() external {
        _mustStand(TEAM, _splitOf(TRAINING, NEW));
        _verify(NEW, true);
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, NEW, 20));
        _mustStand(TEAM, _evaluation(20, NEW + 1));
        _mustStand(TEAM, _evaluation(20, NEW + 2));
        _mustMiss(StepFacts.TEST_UNSEEN, _evaluation(20, NEW));
        // What is of another split may overlap: nobody can tell.
        _mustMiss(StepFacts.TEST_UNSEEN, _evaluation(20, TRAINING));
        _mustMiss(StepFacts.TEST_UNSEEN, _evaluation(20, TEST));
        _mustMiss(StepFacts.TEST_UNSEEN, _evaluation(MODEL, NEW + 2));
        _verify(NEW + 2, true);
        _mustMiss(StepFacts.TEST_UNSEEN, _make(ILineage.StepKind.TRAIN, NEW + 2, 21));
    }

    function test_WhenModelIsTested_OnlyDataThatItHasNotSeenCounts() external {
        _mustStand(TEAM, _evaluation(MODEL, TEST));
        _mustStand(TEAM, _evaluation(MODEL, VALIDATION));
        _mustStand(TEAM, _evaluation(MODEL, OTHER_RAW)); // of another dataset
        _mustMiss(StepFacts.TEST_UNSEEN, _evaluation(MODEL, TRAINING));
        _mustMiss(StepFacts.TEST_UNSEEN, _evaluation(MODEL, RAW));
        _mustMiss(StepFacts.TEST_UNSEEN, _evaluation(MODEL, COLLECTED));
        _mustStand(TEAM, _make(ILineage.StepKind.CLEAN, TEST, NEW));
        _mustStand(TEAM, _evaluation(MODEL, NEW));
        _mustStand(TEAM, _merge(TEST, OTHER_RAW, NEW + 1));
        _mustStand(TEAM, _evaluation(MODEL, NEW + 1));
        _mustStand(TEAM, _merge(TEST, TRAINING, NEW + 2));
        _mustMiss(StepFacts.TEST_UNSEEN, _evaluation(MODEL, NEW + 2));
        // Each of several.
        ILineage.Step memory step = _evaluation(MODEL, TEST);
        step.inputs = _list(_versionId(MODEL), _versionId(TEST), _versionId(RAW));
        _mustMiss(StepFacts.TEST_UNSEEN, step);
    }

    function test_WhenModelTrainedOnAllData_NoneOfItTests() external {
        _verify(OTHER_RAW, true);
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, OTHER_RAW, NEW));
        _mustMiss(StepFacts.TEST_UNSEEN, _evaluation(NEW, OTHER_RAW));
        _mustStand(TEAM, _collection(TEAMS, _versionId(NEW + 1)));
        _mustMiss(StepFacts.TEST_UNSEEN, _evaluation(NEW, NEW + 1)); // collected again
        ILineage.Step memory step = _splitOf(OTHER_RAW, 20);
        _mustStand(TEAM, step);
        _mustMiss(StepFacts.TEST_UNSEEN, _evaluation(NEW, 22));
        _mustStand(TEAM, _evaluation(NEW, TEST));
    }

    function test_WhenModelHasABase_WhatTheBaseSawWasSeen() external {
        _verify(OTHER_RAW, true);
        ILineage.Step memory step = _make(ILineage.StepKind.TRAIN, MODEL, NEW);
        step.inputs = _list(_versionId(MODEL), _versionId(OTHER_RAW));
        _mustStand(TEAM, step);
        vm.assertEq(2, _origins(NEW).length, "origins");
        _mustMiss(StepFacts.TEST_UNSEEN, _evaluation(NEW, TRAINING));
        _mustMiss(StepFacts.TEST_UNSEEN, _evaluation(NEW, OTHER_RAW));
        _mustStand(TEAM, _evaluation(NEW, TEST));
        // A base alone.
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, NEW, NEW + 1));
        vm.assertEq(abi.encode(_origins(NEW)), abi.encode(_origins(NEW + 1)), "origins");
        _mustMiss(StepFacts.TEST_UNSEEN, _evaluation(NEW + 1, TRAINING));
    }

    function test_WhenMergedDataIsSplit_PartsAreApartInEachDataset() external {
        _mustStand(TEAM, _merge(RAW, OTHER_RAW, NEW));
        _mustStand(TEAM, _splitOf(NEW, 20));
        uint32 splitId = ledger.stepCount();
        _assertOrigin(22, 0, ILineage.Origin(LABS, 0, 0, splitId, 4));
        _assertOrigin(22, 1, ILineage.Origin(TEAMS, 0, 0, splitId, 4));
        _verify(20, true);
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, 20, 23));
        _mustStand(TEAM, _evaluation(23, 22));
        _mustMiss(StepFacts.TEST_UNSEEN, _evaluation(23, OTHER_RAW));
    }

    /* VERIFY, SHARE */

    function test_WhenVerified_FindingIsStored() external onlyChanges(LINEAGE) {
        ILineage.Version memory expected = _version(OTHER_RAW);
        expected.check = ILineage.Check.PASSED;
        expected.verifier = VERIFIER;
        _mustStand(TEAM, _make(ILineage.StepKind.CLEAN, OTHER_RAW, NEW));
        bytes32 versionId = _versionId(OTHER_RAW);
        vm.expectEmit(address(ledger));
        emit ILineage.VersionVerified(versionId, VERIFIER, ILineage.Check.PASSED, COMMITMENT);
        _verify(OTHER_RAW, true);
        vm.assertEq(abi.encode(expected), abi.encode(_version(OTHER_RAW)), "version");
        expected = _version(NEW);
        expected.check = ILineage.Check.FAILED;
        expected.verifier = VERIFIER;
        _verify(NEW, false);
        vm.assertEq(abi.encode(expected), abi.encode(_version(NEW)), "version");
    }

    function test_RevertWhen_VerifierMayNot() external {
        bytes32 versionId = _versionId(RAW);
        _expectRevert(IMembers.Members_MissingRole.selector, TEAM, Codes.ROLE_VERIFIER);
        _as(TEAM);
        ledger.verifyVersion(versionId, true, COMMITMENT);
        _expectRevert(ILineage.Lineage_NotQualified.selector, versionId, VERIFIER);
        _as(VERIFIER);
        ledger.verifyVersion(versionId, true, 0);
        _expectRevert(ILineage.Lineage_Unknown.selector, _versionId(NEW));
        _verify(NEW, true);
        _expectRevert(ILineage.Lineage_AlreadyVerified.selector, _versionId(TRAINING));
        _verify(TRAINING, false);
        _suspend(VERIFIER);
        _expectRevert(IMembers.Members_NotActive.selector, VERIFIER);
        _verify(RAW, true);
    }

    function test_RevertWhen_VerifierHasAPartInIt() external {
        _mustStand(VERIFIER, _collection(_declareDataset(VERIFIER, _plan()), _versionId(NEW)));
        _expectRevert(ILineage.Lineage_NotQualified.selector, _versionId(NEW), VERIFIER);
        _verify(NEW, true);

        uint32 other = _admit(_admission(TEAM + 1, Codes.ROLE_VERIFIER));
        _letTeamExport(other);
        _share(TEAM, TRAINING, other);
        _expectRevert(ILineage.Lineage_NotQualified.selector, _versionId(TRAINING), other);
        _as(other);
        ledger.verifyVersion(_versionId(TRAINING), true, COMMITMENT);
    }

    function test_WhenShared_RecipientMayUseIt() external {
        ILineage.Step memory step = _make(ILineage.StepKind.CLEAN, COLLECTED, NEW);
        step.projectId = 0;
        vm.assertEq(StepFacts.INPUTS_AVAILABLE, _record(CLINIC, step), "missing");
        uint32 agreementId = _agreementOf[LAB][CLINIC];
        uint32 keepUntil = START + 365 * DAY;
        vm.expectEmit(address(ledger));
        emit IShares.VersionShared(_versionId(COLLECTED), LAB, CLINIC, agreementId, 0, keepUntil);
        _share(LAB, COLLECTED, CLINIC);
        IShares.Share memory share = IShares.Share(agreementId, keepUntil);
        vm.assertEq(abi.encode(share), abi.encode(ledger.shareOf(_versionId(COLLECTED), CLINIC)), "share");
        vm.assertEq(0, ledger.shareOf(_versionId(COLLECTED), HOSPITAL).agreementId, "with nobody else");
        _mustStand(CLINIC, step);
        vm.assertEq(CLINIC, _version(NEW).owner, "who makes it owns it");
        // What is made of it is not shared with it.
        _verify(NEW, true);
        vm.assertEq(
            StepFacts.INPUTS_AVAILABLE | StepFacts.BORDER_CLEARED,
            _record(TEAM, _uncleared(_make(ILineage.StepKind.CLEAN, NEW, NEW + 1))),
            "missing"
        );
    }

    function test_RevertWhen_ItMayNotBeShared() external {
        bytes32 versionId = _versionId(TRAINING);
        _expectRevert(ILineage.Lineage_Unknown.selector, _versionId(NEW));
        _share(TEAM, NEW, LAB);
        _expectRevert(IShares.Shares_NotVerified.selector, _versionId(RAW));
        _share(TEAM, RAW, LAB);
        _verify(RAW, false);
        _expectRevert(IShares.Shares_NotVerified.selector, _versionId(RAW));
        _share(TEAM, RAW, LAB);
        _expectRevert(IShares.Shares_NotQualified.selector, versionId, LAB);
        _share(LAB, TRAINING, CLINIC);
        _expectRevert(IShares.Shares_NotQualified.selector, versionId, TEAM);
        _share(TEAM, TRAINING, TEAM);
        _expectRevert(IShares.Shares_NotQualified.selector, versionId, TEAM);
        _share(TEAM, TRAINING, VERIFIER); // would have checked its own
        // Whom it was shared with does not pass it on.
        _expectRevert(IShares.Shares_NotQualified.selector, _versionId(COLLECTED), TEAM);
        _share(TEAM, COLLECTED, CLINIC);
    }

    function test_RevertGiven_SharerOrRecipientIsNotActive() external {
        _expectRevert(IMembers.Members_Unknown.selector, NOBODY);
        _share(TEAM, TRAINING, NOBODY);
        _suspend(LAB);
        _expectRevert(IMembers.Members_NotActive.selector, LAB);
        _share(TEAM, TRAINING, LAB);
        _suspend(TEAM);
        _expectRevert(IMembers.Members_NotActive.selector, TEAM);
        _share(TEAM, TRAINING, CLINIC);
    }

    function test_RevertGiven_SharedDataIsOfASealedDataset() external {
        bytes4 wrong = IDatasets.Datasets_WrongStatus.selector;
        _letTeamExport(CLINIC);
        _letTeamExport(HOSPITAL);
        _sealDataset(LAB, LABS);
        _expectRevert(wrong, LABS, IDatasets.DatasetStatus.SEALED);
        _share(TEAM, TRAINING, CLINIC);
        _verify(MODEL, true);
        _share(TEAM, MODEL, CLINIC); // a model is no data
        _unsealDataset(REGULATOR, LABS);
        _share(TEAM, TRAINING, CLINIC);
        _mustStand(LAB, _destruction(LABS));
        _expectRevert(wrong, LABS, IDatasets.DatasetStatus.DESTROYED);
        _share(TEAM, TRAINING, HOSPITAL);
    }

    function test_WhenVerifiedWhileSealed_DatasetStaysSealed() external {
        _sealDataset(LAB, LABS);
        _verify(RAW, true);
        _assertStatus(LABS, IDatasets.DatasetStatus.SEALED);
        _mustStand(LAB, _destruction(LABS));
        _verify(TEST, true);
        _assertStatus(LABS, IDatasets.DatasetStatus.DESTROYED);
    }

    /* ATTESTATIONS ABOUT VERSIONS AND TOOLS */

    function test_WhenVersionIsEncrypted_AVerifierSaysSo() external {
        IAttestations.AttestationKind encryption = IAttestations.AttestationKind.ENCRYPTION;
        bytes32 versionId = _versionId(RAW);
        _attest(VERIFIER, versionId, encryption, START + DAY);
        vm.assertEq(VERIFIER, ledger.attestationOf(versionId, encryption).issuer, "issuer");
        _expectRevert(IAttestations.Attestations_NotQualified.selector, uint256(encryption), TEAM);
        _attest(TEAM, versionId, encryption, START + DAY);
        _expectRevert(IPassports.Passports_Unknown.selector, _versionId(NEW));
        _attest(VERIFIER, _versionId(NEW), encryption, START + DAY);
        _mustStand(VERIFIER, _collection(_declareDataset(VERIFIER, _plan()), _versionId(NEW)));
        _expectRevert(IAttestations.Attestations_NotQualified.selector, uint256(encryption), VERIFIER);
        _attest(VERIFIER, _versionId(NEW), encryption, START + DAY);
        _attest(VERIFIER, PASSPORT, encryption, START + DAY); // of passports it is told as before
    }

    function test_RevertWhen_VersionIsAttestedToAsAPassportIs() external {
        _expectRevert(IPassports.Passports_Unknown.selector, _versionId(RAW));
        _attest(VERIFIER, _versionId(RAW), IAttestations.AttestationKind.DEIDENTIFICATION, START + DAY);
        _expectRevert(IPassports.Passports_Unknown.selector, _versionId(RAW));
        _attest(TEAM, _versionId(RAW), IAttestations.AttestationKind.SOURCE, START + DAY);
    }

    function test_RevertWhen_ToolIsNotCertifiedByTheAlliance() external {
        IAttestations.AttestationKind tool = IAttestations.AttestationKind.TOOL;
        uint32[3] memory others = [VERIFIER, REGULATOR, COMMITTEE];
        for (uint256 index = 0; index < others.length; ++index) {
            _expectRevert(IAttestations.Attestations_NotQualified.selector, uint256(tool), others[index]);
            _attest(others[index], COMMITMENT, tool, START + DAY);
        }
        _expectRevert(IAttestations.Attestations_NotQualified.selector, uint256(tool), ALLIANCE);
        _attest(ALLIANCE, 0, tool, START + DAY);
    }

    /// @dev Otherwise what a verifier says of one would be said of the other.
    function test_RevertWhen_VersionIsNamedAsAPassportIs() external {
        ILineage.Step memory step = _good(ILineage.StepKind.CLEAN);
        step.outputs = _list(PASSPORT);
        _expectRevert(ILineage.Lineage_Exists.selector, PASSPORT);
        _record(TEAM, step);
        _destroy(HOSPITAL, PASSPORT);
        _expectRevert(ILineage.Lineage_Exists.selector, PASSPORT);
        _record(TEAM, step);

        _expectRevert(IPassports.Passports_Exists.selector, _versionId(RAW));
        _issue(HOSPITAL, _issueOf(_versionId(RAW), holder));
    }

    /* WITHDRAWN DATA */

    /// @dev Whatever was done with it before, and whatever is done with that.
    function test_WhenWithdrawn_NothingThatWasMadeBeforeTrains() external {
        _mustStand(TEAM, _make(ILineage.StepKind.LABEL, RAW, 20));
        _mustStand(TEAM, _make(ILineage.StepKind.DEIDENTIFY, 20, 21));
        _mustStandVerified(_merge(21, OTHER_RAW, 22));
        _mustStand(TEAM, _splitOf(22, 23));
        _verify(23, true);
        ILineage.Step memory step = _make(ILineage.StepKind.TRAIN, MODEL, 26);
        _verify(OTHER_RAW, true);
        step.inputs = _list(_versionId(MODEL), _versionId(OTHER_RAW));
        _mustStand(TEAM, step);
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, 26, 27));
        _withdraw();

        uint256[8] memory bases = [COLLECTED, TRAINING, VALIDATION, 22, 23, MODEL, 26, 27];
        for (uint256 index = 0; index < bases.length; ++index) {
            _mustMiss(StepFacts.INPUTS_CURRENT, _make(ILineage.StepKind.TRAIN, bases[index], 30));
        }
        uint256[5] memory data = [RAW, 20, 21, 22, TEST];
        for (uint256 index = 0; index < data.length; ++index) {
            uint256 input = data[index];
            _mustMiss(StepFacts.INPUTS_CURRENT, _make(ILineage.StepKind.CLEAN, input, 30));
            _mustMiss(StepFacts.INPUTS_CURRENT, _make(ILineage.StepKind.LABEL, input, 30));
            _mustMiss(StepFacts.INPUTS_CURRENT, _make(ILineage.StepKind.DEIDENTIFY, input, 30));
            _mustMiss(StepFacts.INPUTS_CURRENT, _splitOf(input, 30));
            _mustMiss(StepFacts.INPUTS_CURRENT, _merge(input, OTHER_RAW, 30));
        }
        // One of several is enough; without it, it stands.
        step = _make(ILineage.StepKind.TRAIN, OTHER_RAW, 30);
        step.inputs = _list(_versionId(OTHER_RAW), _versionId(TRAINING));
        _mustMiss(StepFacts.INPUTS_CURRENT, step);
        step.inputs = _list(_versionId(OTHER_RAW));
        _mustStand(TEAM, step);
    }

    function test_WhenCollectedAgain_TheNewDataTrains() external {
        _withdraw();
        _collectAnew(20);
        _mustStandVerified(_make(ILineage.StepKind.CLEAN, 20, 21));
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, 21, 22));
        vm.assertEq(0, ledger.obligationOf(_versionId(22)), "owes nothing");
        // What was made before is none the better for it.
        _mustMiss(StepFacts.INPUTS_CURRENT, _make(ILineage.StepKind.TRAIN, TRAINING, 23));
        _mustMiss(StepFacts.INPUTS_CURRENT, _merge(21, RAW, 23));
        // Until the next withdrawal.
        _withdrawAnother(OTHER_GRANT);
        _mustMiss(StepFacts.INPUTS_CURRENT, _make(ILineage.StepKind.TRAIN, 21, 23));
    }

    function test_WhenExcused_WhatWasMadeBeforeIsCurrentAgain() external {
        _withdraw();
        _excuse(ETHICS, LABS);
        vm.assertEq(0, ledger.obligationOf(_versionId(MODEL)), "owes nothing");
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, TRAINING, 20));
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, MODEL, 21));
        // The next withdrawal is another matter.
        vm.warp(START + DAY);
        _withdrawAnother(OTHER_GRANT);
        _mustMiss(StepFacts.INPUTS_CURRENT, _make(ILineage.StepKind.TRAIN, TRAINING, 22));
        vm.assertEq(START + DAY + ANSWER_TIME, ledger.obligationOf(_versionId(MODEL)), "due");
        vm.assertEq(START + DAY + ANSWER_TIME, ledger.obligationOf(_versionId(20)), "due");
    }

    /// @dev Old data may be merged with new once it is excused; the merge is as old as the older.
    function test_WhenOldAndNewDataAreMerged_TheOlderCounts() external {
        _withdraw();
        _collectAnew(20);
        _excuse(ETHICS, LABS);
        _mustStandVerified(_merge(20, RAW, 21));
        vm.assertEq(1, _origins(21).length, "origins");
        _assertOrigin(21, 0, ILineage.Origin(LABS, 0, 0, 0, 0));
        _mustStandVerified(_merge(RAW, 20, 22));
        _assertOrigin(22, 0, ILineage.Origin(LABS, 0, 0, 0, 0));
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, 21, 23));
    }

    function test_WhenWithdrawn_DataOfOtherDatasetsIsCurrent() external {
        _withdraw();
        _verify(OTHER_RAW, true);
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, OTHER_RAW, 20));
        vm.assertEq(0, ledger.obligationOf(_versionId(20)), "owes nothing");
    }

    /* OBLIGATIONS */

    function test_WhenWithdrawn_EveryModelMadeOfItOwesAnAnswer() external {
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, MODEL, 20));
        vm.assertEq(0, ledger.obligationOf(_versionId(MODEL)), "nothing yet");
        vm.warp(START + 5);
        _withdraw();
        vm.warp(START + 9);
        _withdrawAnother(OTHER_GRANT);
        vm.assertEq(START + 5 + ANSWER_TIME, ledger.obligationOf(_versionId(MODEL)), "the first counts");
        vm.assertEq(START + 5 + ANSWER_TIME, ledger.obligationOf(_versionId(20)), "and reaches it too");
        vm.assertEq(0, ledger.obligationOf(_versionId(TRAINING)), "data owes no answer");
        vm.assertEq(0, ledger.obligationOf(_versionId(RESULT)), "nor does a result");
    }

    function test_WhenModelIsOfTwoDatasets_TheEarlierWithdrawalCounts() external {
        _verify(OTHER_RAW, true);
        ILineage.Step memory step = _make(ILineage.StepKind.TRAIN, TRAINING, 20);
        step.inputs = _list(_versionId(OTHER_RAW), _versionId(TRAINING));
        _mustStand(TEAM, step);
        vm.warp(START + DAY);
        _withdraw();
        vm.assertEq(START + DAY + ANSWER_TIME, ledger.obligationOf(_versionId(20)), "due");
        _answer(20, ILineage.Answer.JUSTIFIED, 0);
        vm.assertEq(0, ledger.obligationOf(_versionId(20)), "answered");
        vm.assertTrue(ledger.obligationOf(_versionId(MODEL)) != 0, "each model for itself");
    }

    function test_WhenBothOfTwoDatasetsAreWithdrawnFrom_TheEarlierWithdrawalCounts() external {
        _verify(OTHER_RAW, true);
        ILineage.Step memory step = _make(ILineage.StepKind.TRAIN, TRAINING, 20);
        step.inputs = _list(_versionId(TRAINING), _versionId(OTHER_RAW));
        _mustStand(TEAM, step);
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        (given.recipient, given.purposes) = (TEAM, AI);
        _give(given);
        _clear(TEAM_PROJECT, HOSPITAL, MEMBERSHIP_END);
        _decide(TEAM, _request(PASSPORT, OTHER_GRANT, _inclusionTerms(TEAMS, TEAM_PROJECT)));
        bytes32[2] memory grants = [CONSENT, OTHER_GRANT];
        for (uint256 first = 0; first < 2; ++first) {
            uint256 snapshot = vm.snapshotState();
            vm.warp(START + 5);
            _revoke(PASSPORT, grants[first]);
            vm.warp(START + 9);
            _revoke(PASSPORT, grants[1 - first]);
            vm.assertEq(START + 5 + ANSWER_TIME, ledger.obligationOf(_versionId(20)), "due");
            vm.revertToState(snapshot);
            vm.warp(START);
        }
    }

    function test_WhenRetired_ModelServesNoMore() external {
        _withdraw();
        vm.expectEmit(address(ledger));
        emit ILineage.WithdrawalAnswered(_versionId(MODEL), TEAM, ILineage.Answer.RETIRED, 0, COMMITMENT);
        _answer(MODEL, ILineage.Answer.RETIRED, 0);
        _assertRetired();
    }

    function test_WhenReplaced_ModelServesNoMore() external {
        _withdraw();
        _collectAnew(20);
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, 20, 21));
        ILineage.Answer[2] memory answers = [ILineage.Answer.RETRAINED, ILineage.Answer.UNLEARNED];
        for (uint256 index = 0; index < 2; ++index) {
            uint256 snapshot = vm.snapshotState();
            vm.expectEmit(address(ledger));
            emit ILineage.WithdrawalAnswered(
                _versionId(MODEL),
                TEAM,
                answers[index],
                _versionId(21),
                COMMITMENT
            );
            _answer(MODEL, answers[index], 21);
            _assertRetired();
            vm.revertToState(snapshot);
        }
    }

    function test_WhenJustified_ModelServesOnButTrainsNoOther() external {
        _withdraw();
        _answer(MODEL, ILineage.Answer.JUSTIFIED, 0);
        vm.assertEq(0, ledger.obligationOf(_versionId(MODEL)), "owes nothing");
        _assertOrigin(MODEL, 0, ILineage.Origin(LABS, 0, 1, _origins(TRAINING)[0].splitId, 1));
        vm.warp(START + ANSWER_TIME + 1);
        _mustStand(TEAM, _good(ILineage.StepKind.DEPLOY));
        _mustStand(TEAM, _good(ILineage.StepKind.INFER));
        _mustMiss(StepFacts.INPUTS_CURRENT, _make(ILineage.StepKind.TRAIN, MODEL, 20));

        // The next withdrawal is to be answered again.
        _withdrawAnother(OTHER_GRANT);
        uint32 due = START + ANSWER_TIME + 1 + ANSWER_TIME;
        vm.assertEq(due, ledger.obligationOf(_versionId(MODEL)), "due");
    }

    function test_WhenOverdue_ModelIsSuspendedUntilItIsAnswered() external {
        _withdraw();
        uint32 due = START + ANSWER_TIME;
        bytes4 nothing = ILineage.Lineage_NothingOwed.selector;
        uint32[2] memory early = [due - 1, due];
        for (uint256 index = 0; index < 2; ++index) {
            vm.warp(early[index]);
            _expectRevert(nothing, _versionId(MODEL));
            _suspendOverdue();
        }
        vm.warp(due + 1);
        vm.expectEmit(address(ledger));
        emit ILineage.ModelSuspended(_versionId(MODEL), CLINIC);
        _suspendOverdue();
        vm.assertTrue(_version(MODEL).status == ILineage.ModelStatus.SUSPENDED, "suspended");
        vm.assertEq(due, ledger.obligationOf(_versionId(MODEL)), "still due");
        uint32 unready = StepFacts.MODEL_READY | StepFacts.INPUTS_AVAILABLE;
        _mustMiss(unready, _good(ILineage.StepKind.DEPLOY));
        _mustMiss(unready, _good(ILineage.StepKind.INFER));
        _mustMiss(StepFacts.INPUTS_AVAILABLE, _good(ILineage.StepKind.EVALUATE));
        _expectRevert(nothing, _versionId(MODEL));
        _suspendOverdue();

        _answer(MODEL, ILineage.Answer.JUSTIFIED, 0);
        vm.assertTrue(_version(MODEL).status == ILineage.ModelStatus.ACTIVE, "active");
        _mustStand(TEAM, _good(ILineage.StepKind.INFER));
    }

    function test_WhenSuspendedModelIsRetired_ItStaysSo() external {
        _withdraw();
        vm.warp(START + ANSWER_TIME + 1);
        _suspendOverdue();
        _answer(MODEL, ILineage.Answer.RETIRED, 0);
        _assertRetired();
    }

    /// @dev Nothing is owed then, but without an answer it would stay suspended for good.
    function test_WhenExcusedAfterItsSuspension_ModelIsAnsweredFor() external {
        _withdraw();
        vm.warp(START + ANSWER_TIME + 1);
        _suspendOverdue();
        _excuse(ETHICS, LABS);
        vm.assertEq(0, ledger.obligationOf(_versionId(MODEL)), "owes nothing");
        _answer(MODEL, ILineage.Answer.JUSTIFIED, 0);
        vm.assertTrue(_version(MODEL).status == ILineage.ModelStatus.ACTIVE, "active");
        _mustStand(TEAM, _good(ILineage.StepKind.INFER));
        _expectNothingOwed();
    }

    function test_RevertWhen_NothingIsOwed() external {
        _expectNothingOwed();
        _expectRevert(ILineage.Lineage_NothingOwed.selector, _versionId(MODEL));
        _suspendOverdue();
        _withdraw();
        _excuse(ETHICS, LABS);
        _expectNothingOwed();
        _withdrawAnother(OTHER_GRANT);
        _answer(MODEL, ILineage.Answer.JUSTIFIED, 0);
        _expectNothingOwed();
        vm.warp(START + 2 * ANSWER_TIME);
        _expectRevert(ILineage.Lineage_NothingOwed.selector, _versionId(MODEL));
        _suspendOverdue();
    }

    function test_RevertWhen_AnswerIsIncomplete() external {
        _withdraw();
        _expectNoAnswer(ILineage.Answer.NONE, 0, COMMITMENT);
        _expectNoAnswer(ILineage.Answer.RETIRED, 0, 0);
        _expectNoAnswer(ILineage.Answer.JUSTIFIED, 0, 0);
        _expectNoAnswer(ILineage.Answer.RETIRED, _versionId(MODEL), COMMITMENT);
        _expectNoAnswer(ILineage.Answer.JUSTIFIED, _versionId(MODEL), COMMITMENT);
        _expectNoAnswer(ILineage.Answer.RETRAINED, 0, COMMITMENT);
        _expectNoAnswer(ILineage.Answer.UNLEARNED, 0, COMMITMENT);
    }

    function test_RevertWhen_SuccessorIsNotFreeOfWhatWasWithdrawn() external {
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, TRAINING, 20));
        _withdraw();
        ILineage.Answer[2] memory answers = [ILineage.Answer.RETRAINED, ILineage.Answer.UNLEARNED];
        for (uint256 index = 0; index < 2; ++index) {
            uint256 snapshot = vm.snapshotState();
            _expectNoAnswer(answers[index], _versionId(MODEL), COMMITMENT); // itself
            _expectNoAnswer(answers[index], _versionId(OTHER_RAW), COMMITMENT); // no model
            _expectNoAnswer(answers[index], _versionId(99), COMMITMENT);
            _expectNoAnswer(answers[index], _versionId(20), COMMITMENT); // reached too
            _answer(20, ILineage.Answer.JUSTIFIED, 0);
            _expectNoAnswer(answers[index], _versionId(20), COMMITMENT); // justified, not free
            _collectAnew(21);
            _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, 21, 22));
            _withdrawAnother(OTHER_GRANT);
            _expectNoAnswer(answers[index], _versionId(22), COMMITMENT); // no longer free
            vm.revertToState(snapshot);
        }
    }

    function test_RevertWhen_SuccessorIsRetiredOrAnothers() external {
        _verify(OTHER_RAW, true);
        _letTeamExport(LAB);
        _share(TEAM, OTHER_RAW, LAB);
        IProjects.Filing memory filing = _projectDraft();
        filing.purposes = AI;
        uint32 projectId = _file(LAB, filing);
        _approve(projectId);
        _openBorder(LAB, MEMBERSHIP_END);
        _clear(TEAM + 1, _clearanceOf(projectId, TEAM, MEMBERSHIP_END));
        ILineage.Step memory step = _make(ILineage.StepKind.TRAIN, OTHER_RAW, 20);
        step.projectId = projectId;
        _mustStand(LAB, step);
        _withdraw();
        _expectNoAnswer(ILineage.Answer.RETRAINED, _versionId(20), COMMITMENT); // the lab's
        _collectAnew(21);
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, 21, 22));
        _withdrawAnother(OTHER_GRANT);
        _answer(22, ILineage.Answer.RETIRED, 0);
        _excuse(ETHICS, LABS);
        _withdrawAnother(keccak256("third grant"));
        _expectNoAnswer(ILineage.Answer.RETRAINED, _versionId(22), COMMITMENT);
    }

    function test_RevertWhen_AnswererIsNotTheOwner() external {
        _withdraw();
        _expectRevert(ILineage.Lineage_NotQualified.selector, _versionId(MODEL), LAB);
        _as(LAB);
        ledger.answerWithdrawal(_versionId(MODEL), ILineage.Answer.RETIRED, 0, COMMITMENT);
        _expectRevert(ILineage.Lineage_Unknown.selector, _versionId(TRAINING)); // data
        _answer(TRAINING, ILineage.Answer.RETIRED, 0);
        _expectRevert(ILineage.Lineage_Unknown.selector, _versionId(TRAINING));
        _as(CLINIC);
        ledger.suspendOverdue(_versionId(TRAINING));
        _expectRevert(IMembers.Members_NotMember.selector, STRANGER);
        vm.prank(STRANGER);
        ledger.suspendOverdue(_versionId(MODEL));
        // An owner that may do nothing else may still answer.
        _suspend(TEAM);
        _answer(MODEL, ILineage.Answer.RETIRED, 0);
    }

    /* HELPERS */

    /// @dev The lab collects its dataset anew, and the team gets it.
    function _collectAnew(uint256 number) private {
        _mustStand(LAB, _collection(LABS, _versionId(number)));
        _verify(number, true);
        _share(LAB, number, TEAM);
    }

    function _uncleared(ILineage.Step memory step) private pure returns (ILineage.Step memory) {
        step.projectId = 0;
        return step;
    }

    function _answer(uint256 number, ILineage.Answer answer, uint256 successor) private {
        _as(TEAM);
        ledger.answerWithdrawal(
            _versionId(number),
            answer,
            successor == 0 ? bytes32(0) : _versionId(successor),
            COMMITMENT
        );
    }

    function _suspendOverdue() private {
        _as(CLINIC);
        ledger.suspendOverdue(_versionId(MODEL));
    }

    function _repeated(uint256 number, uint256 count) private pure returns (bytes32[] memory list) {
        list = new bytes32[](count);
        for (uint256 index = 0; index < count; ++index) list[index] = _versionId(number);
    }

    function _fresh(uint256 count) private pure returns (bytes32[] memory list) {
        list = new bytes32[](count);
        for (uint256 index = 0; index < count; ++index) list[index] = _versionId(100 + index);
    }

    /* ASSERTIONS */

    function _assertMalformed(ILineage.Step memory step) private {
        _expectRevert(ILineage.Lineage_Malformed.selector, step.kind);
        _record(TEAM, step);
    }

    /// @dev It is recorded, whether it stands or not.
    function _assertFormed(ILineage.Step memory step) private {
        uint256 snapshot = vm.snapshotState();
        uint32 count = ledger.stepCount();
        _record(TEAM, step);
        vm.assertEq(count + 1, ledger.stepCount(), "steps");
        vm.revertToState(snapshot);
    }

    /// @dev The team made it, in the latest step.
    function _assertMade(uint256 number, ILineage.VersionKind kind, uint16 purposes) private view {
        ILineage.Version memory expected;
        expected.stepId = ledger.stepCount();
        expected.owner = TEAM;
        expected.kind = kind;
        expected.purposes = purposes;
        vm.assertEq(abi.encode(expected), abi.encode(_version(number)), "version");
    }

    function _assertStatus(uint32 datasetId, IDatasets.DatasetStatus expected) private view {
        vm.assertEq(uint256(expected), uint256(_dataset(datasetId).status), "status of the dataset");
    }

    function _assertRetired() private {
        vm.assertTrue(_version(MODEL).status == ILineage.ModelStatus.RETIRED, "retired");
        vm.assertEq(0, ledger.obligationOf(_versionId(MODEL)), "owes nothing");
        _expectNothingOwed();
        uint32 missing = StepFacts.MODEL_READY | StepFacts.INPUTS_AVAILABLE;
        ILineage.Step memory inference = _good(ILineage.StepKind.INFER);
        inference.outputs = _list(_versionId(90));
        _mustMiss(missing, inference);
        _mustMiss(missing, _good(ILineage.StepKind.DEPLOY));
    }

    function _expectNothingOwed() private {
        _expectRevert(ILineage.Lineage_NothingOwed.selector, _versionId(MODEL));
        _answer(MODEL, ILineage.Answer.RETIRED, 0);
    }

    function _expectNoAnswer(ILineage.Answer answer, bytes32 successor, bytes32 evidence) private {
        _expectRevert(ILineage.Lineage_NoAnswer.selector, _versionId(MODEL));
        _as(TEAM);
        ledger.answerWithdrawal(_versionId(MODEL), answer, successor, evidence);
    }
}
