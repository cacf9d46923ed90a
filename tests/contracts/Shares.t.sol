// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreements} from "../../contracts/interfaces/IAgreements.sol";
import {IBorders} from "../../contracts/interfaces/IBorders.sol";
import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IDatasets} from "../../contracts/interfaces/IDatasets.sol";
import {ILineage} from "../../contracts/interfaces/ILineage.sol";
import {IShares} from "../../contracts/interfaces/IShares.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {StepFacts} from "../../contracts/libraries/StepFacts.sol";
import {LineageWorld} from "./Lineage.t.sol";

/// @notice The lab shares what it collected: with a clinic at home, and with the team abroad.
contract SharesTest is LineageWorld {
    uint256 private constant YEAR = 2027; // of START
    /// @dev Midnight in Beijing before 1 January 2028.
    uint32 private constant NEW_YEAR = 1_830_268_800;

    /* AGREEMENTS */

    function test_RevertWhen_NoAgreementCoversIt() external {
        IAgreements.Limits memory limits = _limitsFor(CLINIC);
        _expectNotCovered(0);
        _expectNotCovered(_agreementOf[LAB][TEAM]); // with another
        _expectNotCovered(_propose(LAB, limits)); // that nobody signed
        _expectNotCovered(_agree(HOSPITAL, limits)); // of another
        limits.recipient = LAB;
        _expectNotCovered(_agree(CLINIC, limits)); // the other way
        limits.recipient = CLINIC;
        limits.purposes = _bit(Codes.RESEARCH);
        _expectNotCovered(_agree(LAB, limits)); // for nothing that the data may serve
        limits.purposes = AI;
        limits.categories = Codes.DIAGNOSIS;
        _expectNotCovered(_agree(LAB, limits)); // of less than is in it
        limits.categories = ASKED;
        limits.validTo = START + DAY;
        uint32 agreementId = _agree(LAB, limits);
        uint256 snapshot = vm.snapshotState();
        vm.warp(START + DAY);
        _expectNotCovered(agreementId);
        vm.revertToState(snapshot);
        _end(agreementId);
        _expectNotCovered(agreementId);
        _shareUnder(LAB, COLLECTED, CLINIC, _agree(LAB, limits));
    }

    function test_WhenAgreementEnds_RecipientMayUseItNoMore() external {
        uint256 snapshot = vm.snapshotState();
        uint32 agreementId = _agreementOf[LAB][TEAM];
        ILineage.Step memory step = _make(ILineage.StepKind.CLEAN, COLLECTED, NEW);
        _end(agreementId);
        _mustMiss(StepFacts.INPUTS_AVAILABLE, step);
        // What was made before is the team's own.
        _mustStand(TEAM, _make(ILineage.StepKind.CLEAN, RAW, NEW));
        vm.revertToState(snapshot);
        _suspend(LAB);
        _mustMiss(StepFacts.INPUTS_AVAILABLE, step);
    }

    function test_WhenRetentionEnds_RecipientMayUseItNoMore() external {
        IAgreements.Limits memory limits = _limitsFor(CLINIC);
        limits.retentionSeconds = 2 * DAY;
        ILineage.Step memory step = _clinics(ILineage.StepKind.CLEAN, COLLECTED, NEW);
        _shareUnder(LAB, COLLECTED, CLINIC, _agree(LAB, limits));
        vm.warp(START + 2 * DAY - 1);
        uint256 snapshot = vm.snapshotState();
        _mustStand(CLINIC, step);
        vm.revertToState(snapshot);
        vm.warp(START + 2 * DAY);
        vm.assertEq(StepFacts.INPUTS_AVAILABLE, _record(CLINIC, step), "missing");
        // Received anew.
        _shareUnder(LAB, COLLECTED, CLINIC, _agree(LAB, limits));
        _mustStand(CLINIC, step);
    }

    function test_WhenRetentionIsLongerThanTime_ItLasts() external {
        IAgreements.Limits memory limits = _limitsFor(CLINIC);
        limits.retentionSeconds = type(uint32).max;
        _shareUnder(LAB, COLLECTED, CLINIC, _agree(LAB, limits));
        vm.assertEq(
            type(uint32).max,
            ledger.shareOf(_versionId(COLLECTED), CLINIC).keepUntil,
            "kept until the end of time"
        );
    }

    function test_WhenAgreementIsForLess_SoIsWhatIsMade() external {
        IAgreements.Limits memory limits = _limitsFor(CLINIC);
        limits.purposes = _bit(Codes.AI_VALIDATION) | _bit(Codes.RESEARCH);
        _shareUnder(LAB, COLLECTED, CLINIC, _agree(LAB, limits));
        _mustStand(CLINIC, _clinics(ILineage.StepKind.CLEAN, COLLECTED, NEW));
        vm.assertEq(_bit(Codes.AI_VALIDATION), _version(NEW).purposes, "purposes");
        ILineage.Step memory training = _clinics(ILineage.StepKind.TRAIN, COLLECTED, NEW + 1);
        vm.assertTrue(
            _record(CLINIC, training) & StepFacts.PURPOSE_ALLOWED != 0,
            "training is not what they agreed on"
        );
    }

    function test_WhenAgreementForbidsLinkage_ItIsMergedWithItselfAlone() external {
        IAgreements.Limits memory limits = _limitsFor(TEAM);
        limits.onward = true;
        _shareUnder(LAB, COLLECTED, TEAM, _agree(LAB, limits));
        _mustMiss(StepFacts.RELINK_ALLOWED, _merge(COLLECTED, OTHER_RAW, NEW));
        _mustStand(TEAM, _merge(COLLECTED, RAW, NEW)); // of one dataset
        limits.linkage = true;
        _shareUnder(LAB, COLLECTED, TEAM, _agree(LAB, limits));
        _mustStand(TEAM, _merge(COLLECTED, OTHER_RAW, NEW + 1));
    }

    /* ONWARD */

    function test_WhenAgreementForbidsOnward_WhatIsMadeGoesBackOnly() external {
        _shareUnder(LAB, COLLECTED, CLINIC, _agree(LAB, _linkage(CLINIC)));
        _mustStand(CLINIC, _clinics(ILineage.StepKind.LABEL, COLLECTED, NEW));
        _mustStand(CLINIC, _clinics(ILineage.StepKind.CLEAN, NEW, NEW + 1));
        vm.assertEq(LAB, _version(NEW).onlyTo, "bound");
        vm.assertEq(LAB, _version(NEW + 1).onlyTo, "and what is made of that");
        _verify(NEW + 1, true);
        _agreeOn(CLINIC, HOSPITAL);
        _agreeOn(CLINIC, LAB);
        _expectRevert(IShares.Shares_OnwardForbidden.selector, _versionId(NEW + 1));
        _share(CLINIC, NEW + 1, HOSPITAL);
        _share(CLINIC, NEW + 1, LAB);
        // Who gave it is free.
        _mustStand(LAB, _ofLab(ILineage.StepKind.CLEAN, NEW + 1, NEW + 2));
        vm.assertEq(0, _version(NEW + 2).onlyTo, "bound");
    }

    function test_WhenTwoForbidOnward_WhatIsMadeGoesToNobody() external {
        _shareUnder(LAB, COLLECTED, CLINIC, _agree(LAB, _linkage(CLINIC)));
        uint32 other = _declareDataset(HOSPITAL, _plan());
        _mustStand(HOSPITAL, _collection(other, _versionId(NEW)));
        _verify(NEW, true);
        _shareUnder(HOSPITAL, NEW, CLINIC, _agree(HOSPITAL, _linkage(CLINIC)));
        ILineage.Step memory step = _merge(COLLECTED, NEW, NEW + 1);
        step.projectId = 0;
        _mustStand(CLINIC, step);
        vm.assertEq(type(uint32).max, _version(NEW + 1).onlyTo, "bound");
        _verify(NEW + 1, true);
        _agreeOn(CLINIC, LAB);
        _expectRevert(IShares.Shares_OnwardForbidden.selector, _versionId(NEW + 1));
        _share(CLINIC, NEW + 1, LAB);
    }

    function test_WhenOnwardIsAllowed_NothingIsBound() external {
        _share(LAB, COLLECTED, CLINIC);
        _mustStand(CLINIC, _clinics(ILineage.StepKind.LABEL, COLLECTED, NEW));
        vm.assertEq(0, _version(NEW).onlyTo, "bound");
        _verify(NEW, true);
        _agreeOn(CLINIC, HOSPITAL);
        _share(CLINIC, NEW, HOSPITAL);
    }

    /// @dev A model does not pass on the data that it learned from; a model that learned from a model may not go further.
    function test_WhenModelLearnsFromSharedData_ItIsFree() external {
        IAgreements.Limits memory limits = _limitsFor(TEAM);
        _shareUnder(LAB, COLLECTED, TEAM, _agree(LAB, limits));
        _mustStand(TEAM, _make(ILineage.StepKind.TRAIN, COLLECTED, NEW));
        vm.assertEq(0, _version(NEW).onlyTo, "bound");
        ILineage.Step memory release = _make(ILineage.StepKind.RELEASE, COLLECTED, NEW + 1);
        release.epsilon = 1;
        _mustStand(TEAM, release);
        vm.assertEq(LAB, _version(NEW + 1).onlyTo, "a result is bound");
    }

    function test_WhenModelIsSharedWithoutOnward_WhatLearnsFromItIsBound() external {
        _letTeamExport(LAB);
        IAgreements.Limits memory limits = _limitsFor(LAB);
        _verify(MODEL, true);
        _shareUnder(TEAM, MODEL, LAB, _agree(TEAM, limits));
        ILineage.Step memory step = _make(ILineage.StepKind.TRAIN, MODEL, NEW);
        step.inputs = _list(_versionId(MODEL), _versionId(COLLECTED));
        step.purposes = _bit(Codes.AI_TRAINING);
        step.projectId = PROJECT;
        _mustStand(LAB, step);
        vm.assertEq(TEAM, _version(NEW).onlyTo, "bound");
    }

    function test_RevertGiven_SomebodyInItDidNotConsentToOnward() external {
        _share(LAB, COLLECTED, CLINIC);
        _includeWith(OTHER_GRANT, 0);
        vm.assertTrue(_dataset(LABS).noOnward, "forbidden");
        _expectRevert(IShares.Shares_OnwardForbidden.selector, _versionId(COLLECTED));
        _share(LAB, COLLECTED, CLINIC);
        // Back to whose dataset it is.
        _letTeamExport(LAB);
        _share(TEAM, TRAINING, LAB);
        _letTeamExport(CLINIC);
        _expectRevert(IShares.Shares_OnwardForbidden.selector, _versionId(TRAINING));
        _share(TEAM, TRAINING, CLINIC);
        _verify(MODEL, true);
        _share(TEAM, MODEL, CLINIC); // a model is nobody's data
    }

    /* WITHDRAWALS AND TIME */

    function test_RevertGiven_SomebodyInItWithdrew() external {
        _share(LAB, COLLECTED, CLINIC);
        _withdraw();
        _expectNotCurrent();
        _excuse(ETHICS, LABS);
        _share(LAB, COLLECTED, CLINIC);
        _withdrawAnother(OTHER_GRANT);
        _expectNotCurrent(); // one more than was excused
        // Collected since.
        _mustStand(LAB, _collection(LABS, _versionId(NEW)));
        _verify(NEW, true);
        _share(LAB, NEW, CLINIC);
        // A model is nobody's data.
        _letTeamExport(CLINIC);
        _verify(MODEL, true);
        _share(TEAM, MODEL, CLINIC);
    }

    function test_RevertGiven_AnyDatasetBehindItIsNotCurrent() external {
        _mustStand(TEAM, _merge(OTHER_RAW, RAW, NEW));
        _verify(NEW, true);
        _letTeamExport(CLINIC);
        _share(TEAM, NEW, CLINIC);
        _withdraw();
        _expectRevert(IShares.Shares_NotCurrent.selector, _versionId(NEW));
        _share(TEAM, NEW, CLINIC);
    }

    function test_WhenRetentionOfTheDatasetEnds_EndItselfIsOut() external {
        _collectUntil(START + DAY, GRANT_END);
        _assertSharedUntil(START + DAY);
    }

    function test_WhenConsentsInTheDatasetEnd_EndItselfIsOut() external {
        _collectUntil(RETENTION_END, START + DAY);
        _assertSharedUntil(START + DAY);
    }

    /* BORDERS */

    function test_RevertWhen_NothingClearsItForTheBorder() external {
        uint32 agreementId = _agreementOf[LAB][TEAM];
        uint256 snapshot = vm.snapshotState();
        _expectNotCleared(0);
        _expectNotCleared(PROJECT); // the lab's own
        _openBorder(TEAM, 0);
        _expectNotCleared(TEAM_PROJECT);
        vm.revertToState(snapshot);
        _as(REGULATOR);
        ledger.withdrawClearance(1, COMMITMENT);
        _expectNotCleared(TEAM_PROJECT);
        vm.revertToState(snapshot);
        _clear(TEAM_PROJECT, HOSPITAL, MEMBERSHIP_END); // another exporter's
        _shareUnder(LAB, COLLECTED, TEAM, agreementId);
        // At home no project is read.
        _as(LAB);
        ledger.shareVersion(_versionId(COLLECTED), CLINIC, _agreementOf[LAB][CLINIC], 77);
    }

    function test_RevertWhen_ProjectIsOfAnotherMember() external {
        uint32 projectId = _file(HOSPITAL, _projectDraft());
        _clear(projectId, LAB, MEMBERSHIP_END);
        _expectNotCleared(projectId);
    }

    function test_WhenSharedAbroad_PersonsCountOnce() external {
        _assertExports(YEAR, 1, 1); // shared in the set-up
        vm.assertEq(1, ledger.clearanceOf(1).persons, "under the clearance");
        _share(LAB, COLLECTED, TEAM);
        _assertExports(YEAR, 1, 1);
        _includeWith(OTHER_GRANT, Codes.FLAG_ONWARD);
        vm.expectEmit(address(ledger));
        emit IShares.DatasetExported(LABS, LAB, 1, 1, 1, true);
        _share(LAB, COLLECTED, TEAM);
        _assertExports(YEAR, 2, 2);
        _share(LAB, COLLECTED, CLINIC); // at home
        _assertExports(YEAR, 2, 2);
        // Another clearance counts anew.
        uint32 clearanceId = _clear(TEAM_PROJECT, LAB, MEMBERSHIP_END);
        vm.expectEmit(address(ledger));
        emit IShares.DatasetExported(LABS, LAB, clearanceId, 0, 2, true);
        _share(LAB, COLLECTED, TEAM);
        _assertExports(YEAR, 2, 2);
        vm.assertEq(2, ledger.clearanceOf(clearanceId).persons, "under the clearance");
    }

    function test_WhenYearTurns_PersonsCountAnew() external {
        uint32 datasetId = _collectUntil(MEMBERSHIP_END, NEW_YEAR + DAY);
        _share(LAB, NEW, TEAM);
        _assertExports(YEAR, 2, 2); // with the dataset that was shared in the set-up
        vm.warp(NEW_YEAR - 1);
        _share(LAB, NEW, TEAM);
        _assertExports(YEAR, 2, 2);
        _assertExports(YEAR + 1, 0, 0);
        vm.warp(NEW_YEAR);
        vm.expectEmit(address(ledger));
        emit IShares.DatasetExported(datasetId, LAB, 1, 1, 0, true);
        _share(LAB, NEW, TEAM);
        _assertExports(YEAR, 2, 2);
        _assertExports(YEAR + 1, 1, 1);
    }

    function test_RevertWhen_ClearanceIsForFewerPersons() external {
        IBorders.Clearance memory clearance = _clearanceOf(TEAM_PROJECT, LAB, MEMBERSHIP_END);
        clearance.maxPersons = 1;
        uint32 clearanceId = _clear(REGULATOR, clearance);
        _includeWith(OTHER_GRANT, Codes.FLAG_ONWARD);
        _expectNotCleared(TEAM_PROJECT);
        vm.assertEq(0, ledger.clearanceOf(clearanceId).persons, "nobody crossed");
        clearance.maxPersons = 2;
        clearanceId = _clear(REGULATOR, clearance);
        _share(LAB, COLLECTED, TEAM);
        vm.assertEq(2, ledger.clearanceOf(clearanceId).persons, "under the clearance");
    }

    function test_RevertWhen_ThresholdIsReached_UnlessAssessed() external {
        IBorders.Clearance memory clearance = _clearanceOf(TEAM_PROJECT, LAB, MEMBERSHIP_END);
        clearance.path = IBorders.Path.CONTRACT;
        clearance.agreement = _agreementOf[LAB][TEAM];
        _clear(REGULATOR, clearance);
        _includeWith(OTHER_GRANT, Codes.FLAG_ONWARD);
        uint256 snapshot = vm.snapshotState();
        IBorders.Thresholds[3] memory limits = [
            IBorders.Thresholds(1, 2),
            IBorders.Thresholds(2, 1),
            IBorders.Thresholds(2, 2)
        ];
        for (uint256 index = 0; index < 3; ++index) {
            _asCommittee();
            ledger.setThresholds(limits[index]);
            if (index == 2) _share(LAB, COLLECTED, TEAM);
            else _expectNotCleared(TEAM_PROJECT);
        }
        vm.revertToState(snapshot);
        _asCommittee();
        ledger.setThresholds(limits[0]);
        _clear(TEAM_PROJECT, LAB, MEMBERSHIP_END); // by assessment
        _share(LAB, COLLECTED, TEAM);
        _assertExports(YEAR, 2, 2);
    }

    function test_WhenModelIsSharedAbroad_ItNeedsClearanceAndCountsNobody() external {
        _letTeamExport(LAB);
        _verify(MODEL, true);
        uint32 clearanceId = ledger.clearanceCount();
        _share(TEAM, MODEL, LAB);
        vm.assertEq(0, ledger.clearanceOf(clearanceId).persons, "under the clearance");
        vm.assertEq(0, ledger.exportsOf(TEAM, YEAR).persons, "exports");
        _openBorder(LAB, 0);
        _expectRevert(IBorders.Borders_NotCleared.selector, _importOf[LAB], TEAM);
        _share(TEAM, MODEL, LAB);
    }

    /* HELPERS */

    function _end(uint32 agreementId) private {
        _as(LAB);
        ledger.endAgreement(agreementId, COMMITMENT);
    }

    function _linkage(uint32 recipient) private pure returns (IAgreements.Limits memory limits) {
        limits = _limitsFor(recipient);
        limits.linkage = true;
    }

    function _clinics(
        ILineage.StepKind kind,
        uint256 input,
        uint256 output
    ) private pure returns (ILineage.Step memory step) {
        step = _make(kind, input, output);
        step.projectId = 0;
    }

    function _ofLab(
        ILineage.StepKind kind,
        uint256 input,
        uint256 output
    ) private pure returns (ILineage.Step memory) {
        return _clinics(kind, input, output);
    }

    function _includeWith(bytes32 grantId, uint8 flags) private {
        IConsents.Grant memory given = _grantOf(grantId, PASSPORT);
        (given.purposes, given.flags) = (AI, flags);
        _give(given);
        uint32 missing = _decide(LAB, _request(PASSPORT, grantId, _inclusionTerms(LABS))).missing();
        vm.assertEq(0, missing, "included");
    }

    function _expectNotCovered(uint32 agreementId) private {
        _expectRevert(IAgreements.Agreements_NotCovered.selector, agreementId);
        _shareUnder(LAB, COLLECTED, CLINIC, agreementId);
    }

    function _expectNotCurrent() private {
        _expectRevert(IShares.Shares_NotCurrent.selector, _versionId(COLLECTED));
        _share(LAB, COLLECTED, CLINIC);
    }

    /// @dev The lab has NEW of another dataset, which is kept for this long with a consent that lasts for this long.
    function _collectUntil(uint32 retainUntil, uint32 useTo) private returns (uint32 datasetId) {
        IDatasets.Plan memory plan = _plan();
        (plan.purposes, plan.retainUntil) = (AI, retainUntil);
        datasetId = _declareDataset(LAB, plan);
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        (given.purposes, given.flags, given.useTo) = (AI, Codes.FLAG_ONWARD, useTo);
        _give(given);
        uint32 missing = _decide(LAB, _request(PASSPORT, OTHER_GRANT, _inclusionTerms(datasetId))).missing();
        vm.assertEq(0, missing, "included");
        _mustStand(LAB, _collection(datasetId, _versionId(NEW)));
        _verify(NEW, true);
    }

    function _assertSharedUntil(uint32 end) private {
        vm.warp(end - 1);
        _share(LAB, NEW, CLINIC);
        vm.warp(end);
        _expectRevert(IShares.Shares_NotCurrent.selector, _versionId(NEW));
        _share(LAB, NEW, CLINIC);
    }

    function _expectNotCleared(uint32 projectId) private {
        _expectRevert(IBorders.Borders_NotCleared.selector, projectId, LAB);
        _as(LAB);
        ledger.shareVersion(_versionId(COLLECTED), TEAM, _agreementOf[LAB][TEAM], projectId);
    }

    function _assertExports(uint256 year, uint32 persons, uint32 sensitive) private view {
        IBorders.Exports memory exports = ledger.exportsOf(LAB, year);
        vm.assertEq(persons, exports.persons, "persons");
        vm.assertEq(sensitive, exports.sensitivePersons, "with sensitive data");
    }
}
