// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreements} from "../../contracts/interfaces/IAgreements.sol";
import {IAttestations} from "../../contracts/interfaces/IAttestations.sol";
import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IDatasets} from "../../contracts/interfaces/IDatasets.sol";
import {ILineage} from "../../contracts/interfaces/ILineage.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPolicy} from "../../contracts/interfaces/IPolicy.sol";
import {IProjects} from "../../contracts/interfaces/IProjects.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {StepFacts} from "../../contracts/libraries/StepFacts.sol";
import {LedgerTest} from "./Base.t.sol";

/// @notice The lab aggregates what two sites train, one of them abroad. Each site keeps a dataset of its own.
contract JointTest is LedgerTest {
    uint32 private constant HOME_SITE = FOUNDED + 1;
    uint32 private constant FAR_SITE = FOUNDED + 2;
    uint32 private constant OUTSIDER = FOUNDED + 3; // has no data; a verifier too
    uint32 private constant HOME_DATA = 1;
    uint32 private constant FAR_DATA = 2;
    uint256 private constant HOME = 0; // versions
    uint256 private constant FAR = 1;
    uint256 private constant GLOBAL = 2; // the first global model
    uint256 private constant NEXT = 3;
    uint256 private constant NEW = 4;
    uint16 private constant AI = uint16((1 << 7) | (1 << 8) | (1 << 9));

    function setUp() public override {
        super.setUp();
        _admitSite(HOME_SITE, CHINA);
        _admitSite(FAR_SITE, ABROAD);
        _admitSite(OUTSIDER, CHINA);
        _attest(ALLIANCE, TOOL, IAttestations.AttestationKind.TOOL, MEMBERSHIP_END);
        _keep(HOME_SITE, HOME_DATA, HOME);
        _keep(FAR_SITE, FAR_DATA, FAR);
    }

    /* ROUNDS */

    function test_WhenSitesSigned_TheRecorderOwnsTheModel() external {
        ILineage.Step memory step = _round(GLOBAL);
        ILineage.Part[] memory parts = _signedBy(step, HOME_SITE, FAR_SITE);
        uint32 stepId = ledger.stepCount() + 1;
        vm.expectEmit(address(ledger));
        emit ILineage.PartSigned(stepId, HOME_SITE, parts[0].contribution);
        vm.expectEmit(address(ledger));
        emit ILineage.PartSigned(stepId, FAR_SITE, parts[1].contribution);
        vm.expectEmit(address(ledger));
        emit ILineage.StepRecorded(stepId, LAB, ILineage.StepKind.TRAIN, 0, step);
        _mustStand(step, parts);
        ILineage.Version memory model = _version(GLOBAL);
        vm.assertEq(LAB, model.owner, "owner");
        vm.assertEq(stepId, model.stepId, "step");
        vm.assertTrue(model.kind == ILineage.VersionKind.MODEL, "kind");
        vm.assertEq(2, ledger.originsOf(_versionId(GLOBAL)).length, "origins of both sites");
        vm.assertEq(parts[0].contribution, ledger.contributionOf(stepId, HOME_SITE), "contribution");
        vm.assertEq(parts[1].contribution, ledger.contributionOf(stepId, FAR_SITE), "contribution");
        vm.assertEq(bytes32(0), ledger.contributionOf(stepId, LAB), "the recorder's");
    }

    /// @dev Alone the lab may use neither.
    function test_WhenRecordedAlone_InputsAreNotAvailable() external {
        _as(LAB);
        (, uint32 missing) = ledger.recordStep(_round(GLOBAL));
        vm.assertEq(StepFacts.INPUTS_AVAILABLE | StepFacts.BORDER_CLEARED, missing, "missing");
    }

    function test_WhenASiteDidNotSign_ItsDataIsNotAvailable() external {
        ILineage.Step memory step = _round(GLOBAL);
        _mustMiss(
            StepFacts.INPUTS_AVAILABLE | StepFacts.BORDER_CLEARED,
            step,
            _signedBy(step, HOME_SITE, OUTSIDER)
        );
    }

    function test_WhenRoundsFollow_TheChainOfModelsGoesOn() external {
        _mustStand(_round(GLOBAL));
        ILineage.Step memory step = _round(NEXT);
        step.inputs = _list(_versionId(GLOBAL), _versionId(HOME), _versionId(FAR));
        _mustStand(step, _signedBy(step, HOME_SITE, FAR_SITE));
        vm.assertEq(2, ledger.originsOf(_versionId(NEXT)).length, "origins");
        // A round without the site abroad: its data is in the model, which is at home now.
        step = _round(NEW);
        step.inputs = _list(_versionId(NEXT), _versionId(HOME));
        ILineage.Part[] memory parts = new ILineage.Part[](1);
        parts[0] = _sign(step, HOME_SITE);
        _mustMiss(StepFacts.BORDER_CLEARED, step, parts);
    }

    function test_WhenSiteIsShared_ItContributesWhileTheAgreementLasts() external {
        IAgreements.Limits memory limits = _limitsFor(OUTSIDER);
        vm.prank(_siteOf(HOME_SITE));
        uint32 agreementId = ledger.proposeAgreement(limits, COMMITMENT);
        vm.prank(_siteOf(OUTSIDER));
        ledger.signAgreement(agreementId, COMMITMENT);
        vm.prank(_siteOf(HOME_SITE));
        ledger.shareVersion(_versionId(HOME), OUTSIDER, agreementId, 0);
        ILineage.Step memory step = _round(GLOBAL);
        uint256 snapshot = vm.snapshotState();
        _mustStand(step, _signedBy(step, FAR_SITE, OUTSIDER));
        vm.assertEq(0, _version(GLOBAL).onlyTo, "a model of data is bound to nobody");
        vm.revertToState(snapshot);
        vm.prank(_siteOf(OUTSIDER));
        ledger.endAgreement(agreementId, COMMITMENT);
        _mustMiss(StepFacts.INPUTS_AVAILABLE, step, _signedBy(step, FAR_SITE, OUTSIDER));
    }

    function test_WhenAMemberOfTheTeamIsNotActive_NothingIsMade() external {
        _suspend(FAR_SITE);
        ILineage.Step memory step = _round(GLOBAL);
        _mustMiss(StepFacts.MEMBER_ACTIVE, step, _signedBy(step, HOME_SITE, FAR_SITE));
        vm.assertTrue(_version(GLOBAL).kind == ILineage.VersionKind.NONE, "no model");
    }

    function test_WhenAMemberOfTheTeamIsNotLicensed_NothingIsMade() external {
        _asCommittee();
        ledger.license(HOME_SITE, type(uint16).max & ~_bit(Codes.AI_TRAINING), MEMBERSHIP_END);
        ILineage.Step memory step = _round(GLOBAL);
        _mustMiss(StepFacts.PURPOSE_ALLOWED, step, _signedBy(step, HOME_SITE, FAR_SITE));
    }

    /* JOINT TREATMENT OF DATA */

    /// @dev Otherwise data would change hands without an agreement.
    function test_WhenDataIsTreatedJointly_TheRecorderMustHaveIt() external {
        ILineage.Step memory step = _stepOf(ILineage.StepKind.CLEAN);
        step.inputs = _list(_versionId(HOME));
        step.outputs = _list(_versionId(NEW));
        _mustMiss(StepFacts.INPUTS_AVAILABLE, step, _signedBy(step, HOME_SITE, FAR_SITE));
        ILineage.Part[] memory parts = new ILineage.Part[](1);
        parts[0] = _part(_keyOf(OUTSIDER), HOME_SITE, OUTSIDER, step);
        vm.prank(_siteOf(HOME_SITE));
        (uint32 stepId, uint32 missing) = ledger.recordJointStep(step, parts);
        vm.assertEq(0, missing, "missing");
        vm.assertEq(HOME_SITE, _version(NEW).owner, "owner");
        vm.assertEq(parts[0].contribution, ledger.contributionOf(stepId, OUTSIDER), "contribution");
    }

    function test_RevertWhen_VerifierTookPart() external {
        ILineage.Step memory step = _stepOf(ILineage.StepKind.CLEAN);
        step.inputs = _list(_versionId(HOME));
        step.outputs = _list(_versionId(NEW));
        ILineage.Part[] memory parts = new ILineage.Part[](1);
        parts[0] = _part(_keyOf(OUTSIDER), HOME_SITE, OUTSIDER, step);
        vm.prank(_siteOf(HOME_SITE));
        ledger.recordJointStep(step, parts);
        _expectRevert(ILineage.Lineage_NotQualified.selector, _versionId(NEW), OUTSIDER);
        vm.prank(_siteOf(OUTSIDER));
        ledger.verifyVersion(_versionId(NEW), true, COMMITMENT);
    }

    /* SIGNATURES */

    function test_RevertWhen_AnythingSignedIsChanged() external {
        for (uint256 change = 0; change < 11; ++change) {
            ILineage.Step memory step = _round(GLOBAL);
            ILineage.Part[] memory parts = _signedBy(step, HOME_SITE, FAR_SITE);
            uint32 bad = HOME_SITE;
            if (change == 0) step.projectId = 0;
            else if (change == 1) step.purposes = AI;
            else if (change == 2) step.epsilon = 1;
            else if (change == 3) step.inputs = _list(_versionId(FAR), _versionId(HOME));
            else if (change == 4) step.outputs = _list(_versionId(NEXT));
            else if (change == 5) step.tool = COMMITMENT;
            else if (change == 6) step.parameters = TOOL;
            else if (change == 7) parts[0].contribution = COMMITMENT;
            else if (change == 8) parts[0].memberId = COMMITTEE;
            else if (change == 9) step.datasetId = 1;
            else (parts[1].signature, bad) = (parts[0].signature, FAR_SITE);
            if (change == 8) bad = COMMITTEE;
            _expectRevert(ILineage.Lineage_BadPart.selector, bad);
            _record(step, parts);
        }
    }

    /// @dev Who sees the signatures cannot make the model its own.
    function test_RevertWhen_AnotherMemberRecordsIt() external {
        ILineage.Step memory step = _round(GLOBAL);
        ILineage.Part[] memory parts = _signedBy(step, HOME_SITE, FAR_SITE);
        _expectRevert(ILineage.Lineage_BadPart.selector, HOME_SITE);
        _as(CLINIC);
        ledger.recordJointStep(step, parts);
        _expectRevert(IMembers.Members_NotMember.selector, STRANGER);
        vm.prank(STRANGER);
        ledger.recordJointStep(step, parts);
    }

    function test_RevertWhen_PartsAreDoubleUnorderedOrEmpty() external {
        ILineage.Step memory step = _round(GLOBAL);
        _expectRevert(ILineage.Lineage_BadPart.selector, HOME_SITE);
        _record(step, _signedBy(step, FAR_SITE, HOME_SITE));
        _expectRevert(ILineage.Lineage_BadPart.selector, HOME_SITE);
        _record(step, _signedBy(step, HOME_SITE, HOME_SITE));
        ILineage.Part[] memory parts = new ILineage.Part[](1);
        parts[0].memberId = HOME_SITE;
        parts[0].signature = _signedHash(_keyOf(HOME_SITE), _partHash(LAB, parts[0], step));
        _expectRevert(ILineage.Lineage_BadPart.selector, HOME_SITE); // it contributes nothing
        _record(step, parts);
        parts[0] = _part(_keyOf(HOME_SITE), LAB, 0, step); // no member
        _expectRevert(ILineage.Lineage_BadPart.selector, uint256(0));
        _record(step, parts);
        parts[0] = _part(_keyOf(HOME_SITE), LAB, NOBODY, step);
        _expectRevert(ILineage.Lineage_BadPart.selector, NOBODY);
        _record(step, parts);
    }

    function test_RevertWhen_NobodyOrTooManyTakePart() external {
        ILineage.Step memory step = _round(GLOBAL);
        _expectRevert(ILineage.Lineage_Malformed.selector, step.kind);
        _record(step, new ILineage.Part[](0));
        _expectRevert(ILineage.Lineage_Malformed.selector, step.kind);
        _record(step, new ILineage.Part[](17));
    }

    function test_RevertWhen_NothingIsMade() external {
        ILineage.StepKind[3] memory kinds = [
            ILineage.StepKind.EVALUATE,
            ILineage.StepKind.DEPLOY,
            ILineage.StepKind.DESTROY
        ];
        for (uint256 index = 0; index < kinds.length; ++index) {
            ILineage.Step memory step = _stepOf(kinds[index]);
            step.inputs = _list(_versionId(HOME), _versionId(FAR));
            _expectRevert(ILineage.Lineage_Malformed.selector, step.kind);
            _record(step, _signedBy(step, HOME_SITE, FAR_SITE));
        }
    }

    function test_RevertWhen_SignaturesAreUsedAgain() external {
        ILineage.Step memory step = _round(GLOBAL);
        ILineage.Part[] memory parts = _signedBy(step, HOME_SITE, FAR_SITE);
        _mustStand(step, parts);
        _expectRevert(ILineage.Lineage_Repeated.selector);
        _record(step, parts);
    }

    /// @dev Else the recorder could wait until the rules let it pass.
    function test_RevertWhen_SignaturesOfARefusedStepAreUsedAgain() external {
        ILineage.Step memory step = _round(GLOBAL);
        ILineage.Part[] memory parts = _signedBy(step, HOME_SITE, FAR_SITE);
        _sealData();
        _mustMiss(StepFacts.INPUTS_AVAILABLE, step, parts);
        _as(REGULATOR);
        ledger.unsealDataset(HOME_DATA);
        _expectRevert(ILineage.Lineage_Repeated.selector);
        _record(step, parts);
        ILineage.Part[] memory fewer = new ILineage.Part[](1);
        fewer[0] = parts[1];
        _expectRevert(ILineage.Lineage_Repeated.selector);
        _record(step, fewer);
        // With other words, signed anew; and of another recorder the words are its own.
        step.parameters = TOOL;
        _mustStand(step);
        step = _round(NEXT);
        parts = new ILineage.Part[](1);
        parts[0] = _sign(step, HOME_SITE);
        _record(step, parts);
        parts[0] = _part(_keyOf(HOME_SITE), CLINIC, HOME_SITE, step);
        _as(CLINIC);
        ledger.recordJointStep(step, parts);
    }

    /// @dev What reverts used nothing up.
    function test_WhenSubmissionReverts_SignaturesAreStillGood() external {
        ILineage.Step memory step = _round(GLOBAL);
        _expectRevert(ILineage.Lineage_BadPart.selector, HOME_SITE);
        _record(step, _signedBy(step, FAR_SITE, HOME_SITE));
        _mustStand(step);
    }

    /// @dev The recorder may contribute too.
    function test_WhenRecorderIsASite_ItSignsItsPart() external {
        IProjects.Filing memory filing = _projectDraft();
        vm.prank(_siteOf(HOME_SITE));
        uint32 projectId = ledger.fileProject(filing, COMMITMENT);
        _approve(projectId);
        ILineage.Step memory step = _round(GLOBAL);
        step.projectId = projectId;
        ILineage.Part[] memory parts = new ILineage.Part[](2);
        parts[0] = _part(_keyOf(HOME_SITE), HOME_SITE, HOME_SITE, step);
        parts[1] = _part(_keyOf(FAR_SITE), HOME_SITE, FAR_SITE, step);
        vm.prank(_siteOf(HOME_SITE));
        (uint32 stepId, uint32 missing) = ledger.recordJointStep(step, parts);
        vm.assertEq(0, missing, "missing");
        vm.assertEq(parts[0].contribution, ledger.contributionOf(stepId, HOME_SITE), "contribution");
    }

    /* FROM OUTSIDE */

    function test_WhenRegistered_ItIsInQuarantineUntilItPasses() external {
        bytes32 versionId = _externalId(LAB, NEW);
        ILineage.Version memory expected;
        (expected.owner, expected.kind, expected.purposes) = (LAB, ILineage.VersionKind.MODEL, AI);
        vm.expectEmit(address(ledger));
        emit ILineage.ExternalRegistered(versionId, LAB, ILineage.VersionKind.MODEL, AI, COMMITMENT);
        _register(LAB, NEW, ILineage.VersionKind.MODEL);
        vm.assertEq(abi.encode(expected), abi.encode(ledger.versionOf(versionId)), "version");
        vm.assertEq(0, ledger.originsOf(versionId).length, "origins");

        ILineage.Step memory step = _round(GLOBAL);
        step.inputs = _list(versionId, _versionId(HOME), _versionId(FAR));
        ILineage.Part[] memory parts = _signedBy(step, HOME_SITE, FAR_SITE);
        uint256 snapshot = vm.snapshotState();
        _mustMiss(StepFacts.INPUTS_SOUND, step, parts);
        vm.revertToState(snapshot);
        _verify(versionId, false);
        _mustMiss(StepFacts.INPUTS_SOUND, step, parts);
        vm.revertToState(snapshot);
        _verify(versionId, true);
        _mustStand(step, parts);
        vm.assertEq(2, ledger.originsOf(_versionId(GLOBAL)).length, "origins of the model");
    }

    function test_WhenDataIsFromOutside_ItIsTreatedOnceItPassed() external {
        _register(LAB, NEW, ILineage.VersionKind.DATA);
        ILineage.Step memory step = _stepOf(ILineage.StepKind.CLEAN);
        step.inputs = _list(_externalId(LAB, NEW));
        step.outputs = _list(_versionId(NEW + 1));
        vm.assertEq(StepFacts.INPUTS_SOUND, _record(LAB, step), "missing");
        _verify(_externalId(LAB, NEW), true);
        vm.assertEq(0, _record(LAB, step), "missing");
        vm.assertEq(AI, _version(NEW + 1).purposes, "purposes");
        vm.assertTrue(
            _version(NEW + 1).check == ILineage.Check.PENDING,
            "what is made of it is checked anew"
        );
    }

    /// @dev It counts as somebody's data: who forbade relinking is not merged with it.
    function test_WhenMergedWithWhatForbidsIt_RelinkingIsMissing() external {
        _register(LAB, NEW, ILineage.VersionKind.DATA);
        _verify(_externalId(LAB, NEW), true);
        IDatasets.Plan memory plan = _plan();
        plan.purposes = AI;
        uint32 datasetId = _declareDataset(LAB, plan);
        vm.assertEq(0, _record(LAB, _collection(datasetId, _versionId(NEW + 1))), "missing");
        ILineage.Step memory step = _stepOf(ILineage.StepKind.MERGE);
        step.inputs = _list(_externalId(LAB, NEW), _versionId(NEW + 1));
        step.outputs = _list(_versionId(NEW + 2));
        uint256 snapshot = vm.snapshotState();
        vm.assertEq(0, _record(LAB, step), "missing");
        vm.revertToState(snapshot);
        _includeAs(Codes.FLAG_NO_RELINK, datasetId);
        vm.assertEq(StepFacts.RELINK_ALLOWED, _record(LAB, step), "missing");
    }

    function test_RevertWhen_WhatIsRegisteredIsIncompleteOrKnown() external {
        bytes32 versionId = _externalId(LAB, NEW);
        ILineage.VersionKind data = ILineage.VersionKind.DATA;
        bytes4 incomplete = ILineage.Lineage_Incomplete.selector;
        _expectRevert(incomplete, versionId);
        _register(LAB, NEW, ILineage.VersionKind.RESULT);
        _expectRevert(incomplete, versionId);
        _register(LAB, NEW, ILineage.VersionKind.NONE);
        _expectRevert(incomplete, versionId);
        _as(LAB);
        ledger.registerExternal(_versionId(NEW), data, 0, COMMITMENT);
        _expectRevert(incomplete, versionId);
        _as(LAB);
        ledger.registerExternal(_versionId(NEW), data, BANNED | AI, COMMITMENT);
        _expectRevert(incomplete, versionId);
        _as(LAB);
        ledger.registerExternal(_versionId(NEW), data, AI, 0);
        _expectRevert(incomplete, keccak256(abi.encode(LAB, bytes32(0))));
        _as(LAB);
        ledger.registerExternal(0, data, AI, COMMITMENT);
        // And its name is taken then.
        _register(LAB, NEW, data);
        _expectRevert(ILineage.Lineage_Exists.selector, versionId);
        _register(LAB, NEW, data);
        ILineage.Step memory step = _collection(HOME_DATA, versionId);
        _expectRevert(ILineage.Lineage_Exists.selector, versionId);
        vm.prank(_siteOf(HOME_SITE));
        ledger.recordStep(step);
        _expectRevert(ILineage.Lineage_NotQualified.selector, versionId, VERIFIER);
        _as(VERIFIER);
        ledger.verifyVersion(versionId, true, 0);
    }

    /// @dev Whoever sees the name of a passport, or of what another is about to make, does not take it by vouching for it.
    function test_WhenRegistered_NobodyElsesNameIsTaken() external {
        ILineage.VersionKind data = ILineage.VersionKind.DATA;
        bytes32[2] memory contents = [PASSPORT, _versionId(NEW)];
        for (uint256 index = 0; index < contents.length; ++index) {
            _as(CLINIC);
            bytes32 versionId = ledger.registerExternal(contents[index], data, AI, COMMITMENT);
            vm.assertEq(keccak256(abi.encode(CLINIC, contents[index])), versionId, "name");
            vm.assertEq(CLINIC, ledger.versionOf(versionId).owner, "owner");
            vm.assertEq(0, ledger.versionOf(contents[index]).owner, "and nothing under the content");
        }
        vm.prank(_siteOf(HOME_SITE));
        (, uint32 missing) = ledger.recordStep(_collection(HOME_DATA, _versionId(NEW)));
        vm.assertEq(0, missing, "missing");
        // The same content, vouched for by another.
        _register(LAB, NEW, data);
    }

    /* WHAT THE LAW BANNED SINCE */

    function test_WhenLawBansAPurposeLater_DataServesItNoMore() external {
        ILineage.Step memory step = _round(GLOBAL);
        ILineage.Part[] memory parts = _signedBy(step, HOME_SITE, FAR_SITE);
        uint256 snapshot = vm.snapshotState();
        _ban(_bit(Codes.AI_INFERENCE));
        _mustStand(step, parts);
        vm.revertToState(snapshot);
        _ban(_bit(Codes.AI_TRAINING));
        _mustMiss(StepFacts.PURPOSE_ALLOWED, step, parts);
    }

    /* HELPERS */

    function _keyOf(uint32 memberId) private pure returns (uint256) {
        return 0x517E00 + memberId;
    }

    function _siteOf(uint32 memberId) private pure returns (address) {
        return vm.addr(_keyOf(memberId));
    }

    function _admitSite(uint32 memberId, uint16 jurisdiction) private {
        IMembers.Admission memory admission = _admission(memberId, Codes.ROLE_VERIFIER);
        admission.signer = _siteOf(memberId);
        admission.jurisdiction = jurisdiction;
        _admit(admission);
    }

    /// @dev A site collects a dataset of its own, which passes.
    function _keep(uint32 memberId, uint32 datasetId, uint256 number) private {
        IDatasets.Plan memory plan = _plan();
        plan.purposes = AI;
        vm.prank(_siteOf(memberId));
        ledger.declareDataset(plan, COMMITMENT);
        vm.prank(_siteOf(memberId));
        ledger.recordStep(_collection(datasetId, _versionId(number)));
        _verify(_versionId(number), true);
    }

    function _includeAs(uint8 flags, uint32 datasetId) private {
        _revoke(PASSPORT, GRANT);
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        (given.purposes, given.flags) = (AI, flags);
        _give(given);
        uint32 missing = _decide(LAB, _request(PASSPORT, OTHER_GRANT, _inclusionTerms(datasetId))).missing();
        vm.assertEq(0, missing, "included");
    }

    /// @dev Both sites' data trains a model of the lab's.
    function _round(uint256 number) private pure returns (ILineage.Step memory step) {
        step = _stepOf(ILineage.StepKind.TRAIN);
        step.projectId = PROJECT;
        step.purposes = _bit(Codes.AI_TRAINING);
        step.inputs = _list(_versionId(HOME), _versionId(FAR));
        step.outputs = _list(_versionId(number));
    }

    function _sign(ILineage.Step memory step, uint32 memberId) private view returns (ILineage.Part memory) {
        return _part(_keyOf(memberId), LAB, memberId, step);
    }

    function _sealData() private {
        vm.prank(_siteOf(HOME_SITE));
        ledger.sealDataset(HOME_DATA, COMMITMENT);
    }

    function _signedBy(
        ILineage.Step memory step,
        uint32 one,
        uint32 other
    ) private view returns (ILineage.Part[] memory parts) {
        parts = new ILineage.Part[](2);
        (parts[0], parts[1]) = (_sign(step, one), _sign(step, other));
    }

    function _record(
        ILineage.Step memory step,
        ILineage.Part[] memory parts
    ) private returns (uint32 missing) {
        _as(LAB);
        (, missing) = ledger.recordJointStep(step, parts);
    }

    function _mustStand(ILineage.Step memory step) private {
        _mustStand(step, _signedBy(step, HOME_SITE, FAR_SITE));
    }

    function _mustStand(ILineage.Step memory step, ILineage.Part[] memory parts) private {
        vm.assertEq(0, _record(step, parts), "missing");
    }

    function _mustMiss(uint32 missing, ILineage.Step memory step, ILineage.Part[] memory parts) private {
        vm.assertEq(missing, _record(step, parts), "missing");
    }

    function _register(uint32 memberId, uint256 number, ILineage.VersionKind kind) private {
        _as(memberId);
        ledger.registerExternal(_versionId(number), kind, AI, COMMITMENT);
    }

    function _externalId(uint32 memberId, uint256 number) private pure returns (bytes32) {
        return keccak256(abi.encode(memberId, _versionId(number)));
    }

    function _verify(bytes32 versionId, bool passed) private {
        _as(VERIFIER);
        ledger.verifyVersion(versionId, passed, COMMITMENT);
    }

    function _version(uint256 number) private view returns (ILineage.Version memory) {
        return ledger.versionOf(_versionId(number));
    }

    /// @dev A new law bans these purposes too.
    function _ban(uint16 purposes) private {
        IPolicy.Table memory law = ledger.policy();
        law.bannedPurposes |= purposes;
        _asCommittee();
        ledger.setPolicy(law);
    }
}
