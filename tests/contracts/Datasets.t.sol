// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IDatasets} from "../../contracts/interfaces/IDatasets.sol";
import {IDecisions} from "../../contracts/interfaces/IDecisions.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {IProjects} from "../../contracts/interfaces/IProjects.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {Facts} from "../../contracts/libraries/Facts.sol";
import {Terms, TermsLib} from "../../contracts/libraries/Terms.sol";
import {Verdict} from "../../contracts/libraries/Verdict.sol";
import {LedgerTest} from "./Base.t.sol";

/// @notice Datasets, who is included into them, and the withdrawals that reach them. The lab has declared one.
contract DatasetsTest is LedgerTest {
    uint32 private constant DATASET = 1;
    uint32 private constant NEXT = 2;
    uint32 private constant UNKNOWN = 99;
    uint32 private constant GUEST = FOUNDED + 1;
    bytes32 private constant FORMER = keccak256("former grant");
    bytes32 private constant LAST_GRANT = keccak256("last grant");
    uint16 private constant WIDE = uint16((1 << 7) | (1 << 8)); // training and validation

    function setUp() public override {
        super.setUp();
        _declareDataset(LAB, _plan());
    }

    /* DECLARE */

    function test_WhenDeclared_DatasetIsStored() external onlyChanges(DATASETS) {
        IDatasets.Plan memory plan = _plan();
        plan.purposes = WIDE;
        plan.budget = 3_000_000;
        vm.expectEmit(address(ledger));
        emit IDatasets.DatasetDeclared(NEXT, CLINIC, plan, COMMITMENT);
        vm.assertEq(NEXT, _declareDataset(CLINIC, plan), "number");

        vm.assertEq(NEXT, ledger.datasetCount(), "count");
        IDatasets.Dataset memory expected;
        expected.owner = CLINIC;
        expected.purposes = WIDE;
        expected.categories = ASKED;
        expected.status = IDatasets.DatasetStatus.DECLARED;
        expected.retainUntil = RETENTION_END;
        expected.usableUntil = type(uint32).max;
        expected.budget = 3_000_000;
        _assertDataset(expected, NEXT);
        vm.assertEq(0, ledger.withdrawalsOf(NEXT).length, "withdrawals");
    }

    function test_WhenNumberIsUnknown_ViewsAreEmpty() external view {
        IDatasets.Dataset memory nothing;
        _assertDataset(nothing, 0);
        _assertDataset(nothing, NEXT);
        vm.assertEq(0, ledger.withdrawalsOf(NEXT).length, "withdrawals");
        vm.assertEq(0, ledger.inclusionsOf(GRANT).length, "inclusions");
        vm.assertEq(0, ledger.inclusionsOf(0).length, "inclusions without a grant");
    }

    function test_RevertWhen_PlanIsIncomplete() external {
        IDatasets.Plan memory plan = _plan();
        plan.purposes = 0;
        _assertIncomplete(plan, COMMITMENT);
        for (uint8 purpose = Codes.INSURANCE_RATING; purpose <= Codes.RESALE; ++purpose) {
            plan.purposes = _bit(Codes.AI_TRAINING) | _bit(purpose); // banned
            _assertIncomplete(plan, COMMITMENT);
        }
        plan = _plan();
        plan.categories = 0;
        _assertIncomplete(plan, COMMITMENT);
        _assertIncomplete(_plan(), 0);
    }

    function test_WhenRetentionEndsAfterTheDeclaration_ItIsDeclared() external {
        IDatasets.Plan memory plan = _plan();
        plan.retainUntil = START;
        _assertIncomplete(plan, COMMITMENT);
        plan.retainUntil = START + 1;
        _declareDataset(LAB, plan);
    }

    function test_RevertGiven_DeclarerIsNotAnActiveMember() external {
        _expectRevert(IMembers.Members_NotMember.selector, STRANGER);
        vm.prank(STRANGER);
        ledger.declareDataset(_plan(), COMMITMENT);
        _suspend(LAB);
        _expectRevert(IMembers.Members_NotActive.selector, LAB);
        _declareDataset(LAB, _plan());
    }

    /* SEAL, UNSEAL */

    function test_WhenSealed_OnlyItsStatusChanges() external onlyChanges(DATASETS) {
        IDatasets.Dataset memory expected = ledger.datasetOf(DATASET);
        expected.status = IDatasets.DatasetStatus.SEALED;
        uint32[2] memory members = [LAB, REGULATOR];
        for (uint256 index = 0; index < members.length; ++index) {
            uint256 snapshot = vm.snapshotState();
            vm.expectEmit(address(ledger));
            emit IDatasets.DatasetSealed(DATASET, members[index], COMMITMENT);
            _sealDataset(members[index], DATASET);
            _assertDataset(expected, DATASET);
            vm.revertToState(snapshot);
        }
        _sealDataset(LAB, DATASET);
    }

    function test_WhenUnsealed_ItIsAsFarAsItHadCome() external {
        IDatasets.Dataset memory declared = ledger.datasetOf(DATASET);
        _sealDataset(LAB, DATASET);
        vm.expectEmit(address(ledger));
        emit IDatasets.DatasetUnsealed(DATASET, REGULATOR);
        _unsealDataset(REGULATOR, DATASET);
        _assertDataset(declared, DATASET);

        vm.assertEq(0, _record(LAB, _collection(DATASET, _versionId(0))), "collected");
        IDatasets.Dataset memory collected = ledger.datasetOf(DATASET);
        _sealDataset(REGULATOR, DATASET);
        _unsealDataset(REGULATOR, DATASET);
        _assertDataset(collected, DATASET);
    }

    function test_RevertWhen_SealerMayNot() external {
        _expectRevert(IDatasets.Datasets_NotQualified.selector, DATASET, CLINIC);
        _sealDataset(CLINIC, DATASET);
        _suspend(LAB);
        _expectRevert(IMembers.Members_NotActive.selector, LAB);
        _sealDataset(LAB, DATASET);
    }

    function test_RevertWhen_SealedDatasetIsUnknown() external {
        _expectRevert(IDatasets.Datasets_Unknown.selector, UNKNOWN);
        _sealDataset(LAB, UNKNOWN);
        _expectRevert(IDatasets.Datasets_Unknown.selector, uint256(0));
        _sealDataset(REGULATOR, 0);
        _expectRevert(IDatasets.Datasets_Unknown.selector, UNKNOWN);
        _unsealDataset(REGULATOR, UNKNOWN);
    }

    function test_RevertGiven_DatasetIsSealedOrDestroyed() external {
        bytes4 wrong = IDatasets.Datasets_WrongStatus.selector;
        _sealDataset(LAB, DATASET);
        _expectRevert(wrong, DATASET, IDatasets.DatasetStatus.SEALED);
        _sealDataset(LAB, DATASET);
        vm.assertEq(0, _record(LAB, _destruction(DATASET)), "destroyed");
        _expectRevert(wrong, DATASET, IDatasets.DatasetStatus.DESTROYED);
        _sealDataset(LAB, DATASET);
        _expectRevert(wrong, DATASET, IDatasets.DatasetStatus.DESTROYED);
        _unsealDataset(REGULATOR, DATASET);
    }

    function test_RevertWhen_UnsealerMayNot() external {
        _sealDataset(LAB, DATASET);
        _expectRevert(IMembers.Members_MissingRole.selector, LAB, Codes.ROLE_REGULATOR);
        _unsealDataset(LAB, DATASET);

        _sealDataset(REGULATOR, _declareDataset(REGULATOR, _plan()));
        _expectRevert(IDatasets.Datasets_NotQualified.selector, NEXT, REGULATOR);
        _unsealDataset(REGULATOR, NEXT);
    }

    function test_RevertWhen_DatasetIsNotSealed() external {
        _expectRevert(IDatasets.Datasets_WrongStatus.selector, DATASET, IDatasets.DatasetStatus.DECLARED);
        _unsealDataset(REGULATOR, DATASET);
    }

    /* EXCUSE */

    function test_WhenExcused_WithdrawalsSoFarAre()
        external
        onlyChanges(GRANTS | PASSPORTS | HEAD | DATASETS)
    {
        _include();
        _revoke(PASSPORT, GRANT);
        IDatasets.Dataset memory expected = ledger.datasetOf(DATASET);
        expected.excused = 1;
        vm.expectEmit(address(ledger));
        emit IDatasets.DatasetExcused(DATASET, ETHICS, 1, COMMITMENT);
        _excuse(ETHICS, DATASET);
        _assertDataset(expected, DATASET);
    }

    function test_RevertWhen_NothingIsToBeExcused() external {
        bytes4 wrong = IDatasets.Datasets_WrongStatus.selector;
        _expectRevert(wrong, DATASET, IDatasets.DatasetStatus.DECLARED);
        _excuse(ETHICS, DATASET, 0);
        _include();
        _revoke(PASSPORT, GRANT);
        _excuse(ETHICS, DATASET);
        _expectRevert(wrong, DATASET, IDatasets.DatasetStatus.DECLARED);
        _excuse(ETHICS, DATASET, 1);

        // Until the next one comes.
        _includeOther();
        _revokeOther();
        _excuse(ETHICS, DATASET);
        vm.assertEq(2, ledger.datasetOf(DATASET).excused, "excused");
    }

    function test_RevertWhen_ExcuserMayNot() external {
        _include();
        _revoke(PASSPORT, GRANT);
        _expectRevert(IMembers.Members_MissingRole.selector, LAB, Codes.ROLE_ETHICS);
        _excuse(LAB, DATASET, 1);
        _expectRevert(IDatasets.Datasets_Unknown.selector, UNKNOWN);
        _excuse(ETHICS, UNKNOWN, 0);
        _declareDataset(ETHICS, _plan());
        _expectRevert(IDatasets.Datasets_NotQualified.selector, NEXT, ETHICS);
        _excuse(ETHICS, NEXT, 0);
        _expectRevert(IDatasets.Datasets_NotQualified.selector, DATASET, ETHICS);
        _as(ETHICS);
        ledger.excuseWithdrawals(DATASET, 1, 0);
    }

    /// @dev A withdrawal that comes just before the opinion is not excused unseen.
    function test_RevertWhen_ExcuserMeansAnotherNumber() external {
        _include();
        _revoke(PASSPORT, GRANT);
        uint32[2] memory others = [uint32(0), 2];
        for (uint256 index = 0; index < others.length; ++index) {
            _expectRevert(IDatasets.Datasets_OtherWithdrawals.selector, DATASET, 1);
            _as(ETHICS);
            ledger.excuseWithdrawals(DATASET, others[index], COMMITMENT);
        }
        _includeOther();
        _revokeOther();
        _expectRevert(IDatasets.Datasets_OtherWithdrawals.selector, DATASET, 2);
        _as(ETHICS);
        ledger.excuseWithdrawals(DATASET, 1, COMMITMENT);
        vm.assertEq(0, ledger.datasetOf(DATASET).excused, "excused");
    }

    /* INCLUDE */

    function test_WhenIncludedByConsent_GrantRemembersTheDataset()
        external
        onlyChanges(PASSPORTS | HEAD | DATASETS)
    {
        IDatasets.Dataset memory expected = ledger.datasetOf(DATASET);
        expected.included = 1;
        expected.usableUntil = GRANT_END;
        expected.noOnward = true;
        Verdict verdict = _decide(_inclusionTerms(DATASET));
        _assertVerdict(0, verdict);
        vm.assertTrue(verdict.facts() & Facts.DATASET_FITS != 0, "fits");
        _assertDataset(expected, DATASET);
        _assertInclusions(DATASET, GRANT);
        vm.assertEq(0, ledger.transferPermit(PASSPORT, 0), "nothing may be sent");
    }

    function test_WhenNothingIsIncluded_EveryDatasetFits() external {
        _assertVerdict(0, _decide(_trainingTerms()));
        Verdict verdict = _askTransfer();
        vm.assertTrue(verdict.facts() & Facts.DATASET_FITS != 0, "fits");
        vm.assertEq(0, ledger.datasetOf(DATASET).included, "included");
    }

    function test_WhenSameGrantIsUsedAgain_ItRemembersTheDatasetOnce() external {
        _include();
        _include();
        IDecisions.Request[] memory requests = new IDecisions.Request[](2);
        requests[0] = requests[1] = _request(PASSPORT, GRANT, _inclusionTerms(DATASET));
        _as(LAB);
        ledger.decide(_each(requests));
        vm.assertEq(4, ledger.datasetOf(DATASET).included, "included");
        _assertInclusions(DATASET, GRANT);
        _revoke(PASSPORT, GRANT);
        vm.assertEq(1, ledger.withdrawalsOf(DATASET).length, "withdrawals");
    }

    function test_WhenGrantHasUses_EachInclusionIsOne() external {
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        given.maxUses = 1;
        _give(given);
        IDecisions.Request memory request = _request(PASSPORT, OTHER_GRANT, _inclusionTerms(DATASET));
        _assertVerdict(0, _decide(LAB, request));
        _assertVerdict(Facts.GRANT_QUOTA, _decide(LAB, request));
        vm.assertEq(1, ledger.datasetOf(DATASET).included, "included");
    }

    function test_WhenSevenDatasetsAreFull_TheEighthDoesNotFit() external {
        for (uint32 datasetId = NEXT; datasetId <= 8; ++datasetId) _declareDataset(LAB, _plan());
        for (uint32 datasetId = DATASET; datasetId <= 7; ++datasetId) {
            _assertVerdict(0, _decide(_inclusionTerms(datasetId)));
        }
        _assertVerdict(Facts.DATASET_FITS, _decide(_inclusionTerms(8)));
        vm.assertEq(0, ledger.datasetOf(8).included, "included into the eighth");
        for (uint32 datasetId = DATASET; datasetId <= 7; ++datasetId) {
            _assertVerdict(0, _decide(_inclusionTerms(datasetId))); // known already
        }
        uint32[] memory datasets = ledger.inclusionsOf(GRANT);
        vm.assertEq(7, datasets.length, "datasets");
        _revoke(PASSPORT, GRANT);
        for (uint32 datasetId = DATASET; datasetId <= 7; ++datasetId) {
            vm.assertEq(datasetId, datasets[datasetId - 1], "remembered");
            vm.assertEq(1, ledger.withdrawalsOf(datasetId).length, "told");
        }
        vm.assertEq(0, ledger.withdrawalsOf(8).length, "the eighth is not told");
    }

    function test_WhenGrantsEndAtDifferentTimes_TheEarliestCounts() external {
        _include();
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, OTHER_PASSPORT);
        given.useTo = GRANT_END + 1;
        _give(given, _signed(OTHER_HOLDER_KEY, given));
        _includeAs(OTHER_PASSPORT, OTHER_GRANT);
        vm.assertEq(GRANT_END, ledger.datasetOf(DATASET).usableUntil, "a later end changes nothing");

        given.grantId = LAST_GRANT;
        given.useTo = GRANT_END - 1;
        _give(given, _signed(OTHER_HOLDER_KEY, given));
        _includeAs(OTHER_PASSPORT, LAST_GRANT);
        vm.assertEq(GRANT_END - 1, ledger.datasetOf(DATASET).usableUntil, "an earlier one does");
    }

    function test_WhenOneForbidsRelinking_DatasetRemembers() external {
        _include();
        vm.assertTrue(!ledger.datasetOf(DATASET).noRelink, "nobody forbade");
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, OTHER_PASSPORT);
        given.flags = Codes.FLAG_NO_RELINK | Codes.FLAG_ONWARD;
        _give(given, _signed(OTHER_HOLDER_KEY, given));
        _includeAs(OTHER_PASSPORT, OTHER_GRANT);
        vm.assertTrue(ledger.datasetOf(DATASET).noRelink, "one did");
        _include();
        vm.assertTrue(ledger.datasetOf(DATASET).noRelink, "and it stays so");
    }

    function test_WhenOneDoesNotAllowPassingOn_DatasetRemembers() external {
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, OTHER_PASSPORT);
        given.flags = Codes.FLAG_ONWARD | Codes.FLAG_NO_REIDENTIFY;
        _give(given, _signed(OTHER_HOLDER_KEY, given));
        _includeAs(OTHER_PASSPORT, OTHER_GRANT);
        vm.assertTrue(!ledger.datasetOf(DATASET).noOnward, "everybody allows it");
        _include();
        vm.assertTrue(ledger.datasetOf(DATASET).noOnward, "one does not");
        _includeAs(OTHER_PASSPORT, OTHER_GRANT);
        vm.assertTrue(ledger.datasetOf(DATASET).noOnward, "and it stays so");
    }

    function test_WhenProcessorIsEntrusted_ControllersDatasetFits() external {
        _admit(GUEST, Codes.ROLE_PROCESSOR);
        _entrust(LAB, GUEST, MEMBERSHIP_END);
        Terms terms = _inclusionTerms(DATASET).onBehalfOf(LAB);
        _assertVerdict(0, _decide(GUEST, _request(PASSPORT, GRANT, terms)));
        uint32 own = _declareDataset(GUEST, _plan());
        terms = _inclusionTerms(own).onBehalfOf(LAB);
        _assertVerdict(Facts.DATASET_FITS, _decide(GUEST, _request(PASSPORT, GRANT, terms)));
    }

    /* INCLUDE: each reason for which a dataset does not fit, alone */

    function test_WhenDatasetIsAnothers_ItDoesNotFit() external {
        _assertUnfit(_declareDataset(CLINIC, _plan()));
    }

    function test_WhenDatasetIsSealed_ItDoesNotFit() external {
        _sealDataset(LAB, DATASET);
        _assertUnfit(DATASET);
        _unsealDataset(REGULATOR, DATASET);
        _include();
    }

    function test_WhenDatasetIsDestroyed_ItDoesNotFit() external {
        _record(LAB, _destruction(DATASET));
        _assertUnfit(DATASET);
    }

    function test_WhenDatasetIsForFewerCategories_ItDoesNotFit() external {
        IDatasets.Plan memory plan = _plan();
        plan.categories = Codes.DIAGNOSIS;
        _assertUnfit(_declareDataset(LAB, plan));
        plan.categories = type(uint16).max;
        _assertVerdict(0, _decide(_inclusionTerms(_declareDataset(LAB, plan))));
    }

    function test_WhenDatasetIsForAnotherPurpose_ItDoesNotFit() external {
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        given.purposes = WIDE;
        _give(given);
        IDatasets.Plan memory plan = _plan();
        plan.purposes = _bit(Codes.AI_VALIDATION);
        Terms terms = _inclusionTerms(_declareDataset(LAB, plan));
        _assertVerdict(Facts.DATASET_FITS, _decide(LAB, _request(PASSPORT, OTHER_GRANT, terms)));
        plan.purposes = WIDE;
        terms = _inclusionTerms(_declareDataset(LAB, plan));
        _assertVerdict(0, _decide(LAB, _request(PASSPORT, OTHER_GRANT, terms)));
    }

    function test_WhenDatasetIsForMoreThanWasConsentedTo_ItDoesNotFit() external {
        IDatasets.Plan memory plan = _plan();
        plan.purposes = WIDE;
        _assertUnfit(_declareDataset(LAB, plan));
    }

    function test_WhenDatasetFitsButNothingElseDoes_ItIsNotTheReason() external {
        _revoke(PASSPORT, GRANT);
        _assertVerdict(Facts.GRANT_LIVE, _decide(_inclusionTerms(DATASET)));
        vm.assertEq(0, ledger.datasetOf(DATASET).included, "included");
        _assertNoInclusions(GRANT);
        _suspend(LAB);
        _assertVerdict(Facts.GRANT_LIVE | Facts.MEMBER_ACTIVE, _decide(_inclusionTerms(DATASET)));
    }

    function test_WhenGrantIsOmitted_DatasetDoesNotFit() external {
        Verdict verdict = _decide(LAB, _request(PASSPORT, 0, _inclusionTerms(DATASET)));
        _assertVerdict(Facts.CONSENT_FLOOR | Facts.DATASET_FITS, verdict);
    }

    /* INCLUDE: on another basis than consent */

    function test_WhenIncludedOnAnotherBasis_GrantRemembersNothing()
        external
        onlyChanges(PASSPORTS | HEAD | DATASETS)
    {
        IDatasets.Dataset memory expected = ledger.datasetOf(_declareCare(_bit(Codes.PRIMARY_CARE)));
        expected.included = 2;
        expected.noOnward = true;
        _assertVerdict(0, _decide(HOSPITAL, _request(PASSPORT, 0, _careTerms())));
        _assertVerdict(0, _decide(HOSPITAL, _request(PASSPORT, GRANT, _careTerms())));
        _assertDataset(expected, NEXT);
        _assertNoInclusions(GRANT);
        _assertNoInclusions(0);
    }

    /// @dev Otherwise a hospital could train on everybody that it cares for: care needs no consent.
    function test_WhenIncludedWithoutConsent_DatasetIsForNothingElse() external {
        _declareCare(_bit(Codes.PRIMARY_CARE) | _bit(Codes.AI_TRAINING));
        IDecisions.Request memory request = _request(PASSPORT, 0, _careTerms());
        _assertVerdict(Facts.DATASET_FITS, _decide(HOSPITAL, request));
        vm.assertEq(0, ledger.datasetOf(NEXT).included, "included");
        // Nor does a grant help that is not relied on.
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        given.purposes = type(uint16).max & ~BANNED;
        _give(given);
        request.grantId = OTHER_GRANT;
        _assertVerdict(Facts.DATASET_FITS, _decide(HOSPITAL, request));
    }

    function test_WhenIncludedWithoutConsent_NoWithdrawalReachesTheDataset() external {
        _declareCare(_bit(Codes.PRIMARY_CARE));
        _decide(HOSPITAL, _request(PASSPORT, GRANT, _careTerms()));
        _revoke(PASSPORT, GRANT);
        vm.assertEq(0, ledger.withdrawalsOf(NEXT).length, "withdrawals");
    }

    function test_WhenIncludedInAnEmergency_DatasetIsUsableNoLonger() external {
        IProjects.Filing memory filing = _projectDraft();
        filing.purposes = _bit(Codes.PUBLIC_HEALTH);
        uint32 filed = _file(LAB, filing);
        IDatasets.Plan memory plan = _plan();
        plan.purposes = filing.purposes;
        uint32 datasetId = _declareDataset(LAB, plan);
        uint32 emergency = _declare(_declaration());
        Terms terms = TermsLib.pack(Codes.PUBLIC_HEALTH, Codes.PUBLIC_EMERGENCY, Codes.INCLUDE, ASKED, filed);
        terms = terms.atLevel(Codes.DEIDENTIFIED).under(emergency).into(datasetId);
        _assertVerdict(0, _decide(LAB, _request(PASSPORT, 0, terms)));
        vm.assertEq(START + 10 * DAY, ledger.datasetOf(datasetId).usableUntil, "end");
        vm.assertTrue(ledger.datasetOf(datasetId).noOnward, "nobody allowed it");
    }

    /// @dev Care needs no emergency, so that one it names limits nothing.
    function test_WhenNothingRestsOnTheEmergency_DatasetIsUsableOn() external {
        _declareCare(_bit(Codes.PRIMARY_CARE));
        Terms terms = _careTerms().under(_declare(_declaration()));
        _assertVerdict(0, _decide(HOSPITAL, _request(PASSPORT, 0, terms)));
        vm.assertEq(type(uint32).max, ledger.datasetOf(NEXT).usableUntil, "end");
    }

    /* INCLUDE: malformed */

    function test_RevertWhen_InclusionNamesNoDataset() external {
        _assertMalformed(_inclusionTerms(0));
    }

    function test_RevertWhen_DatasetIsUnknown() external {
        _assertMalformed(_inclusionTerms(NEXT));
        _assertMalformed(_inclusionTerms(type(uint32).max));
        _declareDataset(LAB, _plan());
        _assertVerdict(0, _decide(_inclusionTerms(NEXT)));
    }

    function test_RevertWhen_DatasetIsNamedWithoutInclusion() external {
        _assertMalformed(_trainingTerms().into(DATASET));
        _assertMalformed(_transferTerms().into(DATASET));
    }

    /* WITHDRAWAL */

    function test_WhenGrantIsWithdrawn_EachOfItsDatasetsIsTold()
        external
        onlyChanges(GRANTS | PASSPORTS | HEAD | DATASETS)
    {
        _declareDataset(LAB, _plan());
        _declareDataset(LAB, _plan());
        _include();
        _decide(_inclusionTerms(3));
        vm.warp(START + DAY);
        vm.expectEmit(address(ledger));
        emit IConsents.ConsentWithdrawn(GRANT, PASSPORT);
        vm.expectEmit(address(ledger));
        emit IDatasets.DatasetWithdrawn(DATASET, GRANT, 1);
        vm.expectEmit(address(ledger));
        emit IDatasets.DatasetWithdrawn(3, GRANT, 1);
        _revoke(PASSPORT, GRANT);
        _assertWithdrawals(DATASET, START + DAY);
        _assertWithdrawals(3, START + DAY);
        vm.assertEq(0, ledger.withdrawalsOf(NEXT).length, "the one that it is not in");
        vm.assertEq(1, ledger.datasetOf(DATASET).included, "included"); // what was done is not undone
    }

    function test_WhenGrantsAreWithdrawn_TimesAreInOrder() external {
        _include();
        _includeOther();
        vm.warp(START + 5);
        _revokeOther();
        vm.warp(START + 9);
        vm.expectEmit(address(ledger));
        emit IDatasets.DatasetWithdrawn(DATASET, GRANT, 2);
        _revoke(PASSPORT, GRANT);
        uint32[] memory times = ledger.withdrawalsOf(DATASET);
        vm.assertEq(2, times.length, "withdrawals");
        vm.assertEq(START + 5, times[0], "first");
        vm.assertEq(START + 9, times[1], "second");
    }

    function test_WhenWithdrawnAgain_DatasetsAreToldOnce() external {
        _include();
        _revoke(PASSPORT, GRANT);
        vm.warp(START + DAY);
        _revoke(PASSPORT, GRANT);
        _assertWithdrawals(DATASET, START);
    }

    function test_WhenNobodyWasIncludedUnderAGrant_NobodyIsTold() external onlyChanges(GRANTS) {
        vm.recordLogs();
        _revoke(PASSPORT, GRANT);
        vm.assertEq(1, vm.getRecordedLogs().length, "events");
    }

    function test_WhenSealedOrDestroyed_DatasetIsToldAllTheSame() external {
        _include();
        _includeOther();
        _sealDataset(LAB, DATASET);
        _revoke(PASSPORT, GRANT);
        _record(LAB, _destruction(DATASET));
        _revokeOther();
        vm.assertEq(2, ledger.withdrawalsOf(DATASET).length, "withdrawals");
    }

    function test_WhenGrantExpired_WithdrawalIsToldAllTheSame() external {
        _include();
        vm.warp(GRANT_END);
        _revoke(PASSPORT, GRANT);
        _assertWithdrawals(DATASET, GRANT_END);
    }

    /// @dev Another passport's holder cannot end what is not its own, nor tell a dataset so.
    function test_WhenAStrangerWithdrawsTheId_NobodyIsTold() external {
        _include();
        bytes memory signature = _signedRevocation(OTHER_HOLDER_KEY, OTHER_PASSPORT, GRANT);
        _expectRevert(IConsents.Consents_Unknown.selector, GRANT);
        ledger.revoke(OTHER_PASSPORT, GRANT, _own(signature));
        vm.assertEq(0, ledger.withdrawalsOf(DATASET).length, "withdrawals");
    }

    /* REPUDIATION */

    function test_WhenGrantIsRepudiated_ItsDatasetsAreTold() external {
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        _as(HOSPITAL);
        ledger.fileConsent(given, COMMITMENT);
        _includeAs(PASSPORT, OTHER_GRANT);
        vm.warp(START + 7);
        vm.expectEmit(address(ledger));
        emit IConsents.ConsentRepudiated(OTHER_GRANT, PASSPORT);
        vm.expectEmit(address(ledger));
        emit IDatasets.DatasetWithdrawn(DATASET, OTHER_GRANT, 1);
        _repudiate(OTHER_GRANT);
        _assertWithdrawals(DATASET, START + 7);
    }

    function test_WhenRepudiatedGrantIncludedNobody_NobodyIsTold() external {
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        _as(HOSPITAL);
        ledger.fileConsent(given, COMMITMENT);
        vm.recordLogs();
        _repudiate(OTHER_GRANT);
        vm.assertEq(1, vm.getRecordedLogs().length, "events");
    }

    /* SUPERSEDING */

    function test_WhenSuccessorCoversAll_DatasetsStayWithIt() external {
        IConsents.Grant memory given = _includeUnderFormer();
        vm.recordLogs();
        _give(given);
        vm.assertEq(2, vm.getRecordedLogs().length, "events: superseded, granted");
        vm.assertEq(0, ledger.withdrawalsOf(DATASET).length, "nobody is told");
        _assertInclusions(DATASET, OTHER_GRANT);

        // Taking back the old grant takes back the new one.
        vm.expectEmit(address(ledger));
        emit IConsents.ConsentWithdrawn(OTHER_GRANT, PASSPORT);
        vm.expectEmit(address(ledger));
        emit IDatasets.DatasetWithdrawn(DATASET, OTHER_GRANT, 1);
        _revoke(PASSPORT, FORMER);
        _assertWithdrawals(DATASET, START);
    }

    function test_WhenSuccessorCoversMore_DatasetsStayWithIt() external {
        for (uint256 dimension = 0; dimension < 12; ++dimension) {
            uint256 snapshot = vm.snapshotState();
            IConsents.Grant memory given = _includeUnderFormer();
            if (dimension == 0) given.purposes = WIDE | _bit(Codes.RESEARCH);
            else if (dimension == 1) given.categories = type(uint16).max;
            else if (dimension == 2) given.useTo = GRANT_END + 1;
            else if (dimension == 3) given.dataFrom = 99;
            else if (dimension == 4) given.dataTo = 201;
            else if (dimension == 5) given.dataTo = 0;
            else if (dimension == 6) given.dataFrom = 0;
            else if (dimension == 7) given.level = Codes.IDENTIFIED;
            else if (dimension == 8) given.flags = Codes.FLAG_ONWARD;
            else if (dimension == 9) given.flags = Codes.FLAG_ONWARD | Codes.FLAG_NO_REIDENTIFY;
            else if (dimension == 10) given.useFrom = START - 1;
            else given.maxUses = 1; // counts what comes, not what was done
            _give(given);
            vm.assertEq(0, ledger.withdrawalsOf(DATASET).length, _name("withdrawals", dimension));
            _assertInclusions(DATASET, OTHER_GRANT);
            vm.revertToState(snapshot);
        }
    }

    function test_WhenSuccessorIsNarrower_DatasetsAreTold() external {
        for (uint256 dimension = 0; dimension < 13; ++dimension) {
            uint256 snapshot = vm.snapshotState();
            IConsents.Grant memory given = _includeUnderFormer();
            if (dimension == 0) given.recipient = CLINIC;
            else if (dimension == 1) (given.recipient, given.recipientKinds) = (0, 63);
            else if (dimension == 2) given.purposes = _bit(Codes.AI_TRAINING);
            else if (dimension == 3) given.categories = ASKED;
            else if (dimension == 4) given.useTo = GRANT_END - 1;
            else if (dimension == 5) given.dataFrom = 101;
            else if (dimension == 6) given.dataTo = 199;
            else if (dimension == 7) given.level = Codes.DEIDENTIFIED;
            else if (dimension == 8) given.flags |= Codes.FLAG_NO_RELINK;
            else if (dimension == 9) given.purposes = _bit(Codes.AI_VALIDATION) | _bit(Codes.RESEARCH);
            else if (dimension == 10) given.flags &= ~Codes.FLAG_ONWARD;
            else if (dimension == 11)
                given.useFrom = START + 1; // a gap
            else given.categories = type(uint16).max & ~Codes.VITALS;
            vm.recordLogs();
            _give(given);
            vm.assertEq(3, vm.getRecordedLogs().length, _name("events", dimension));
            vm.assertEq(1, ledger.withdrawalsOf(DATASET).length, _name("withdrawals", dimension));
            _assertNoInclusions(OTHER_GRANT);
            _revoke(PASSPORT, OTHER_GRANT); // nothing was included under this one
            vm.assertEq(1, ledger.withdrawalsOf(DATASET).length, _name("told once", dimension));
            vm.revertToState(snapshot);
        }
    }

    function test_WhenSuccessorLimitsDaysThatWereOpen_DatasetsAreTold() external {
        _include(); // under a grant that limits no day
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        given.supersedes = GRANT;
        given.dataTo = type(uint16).max;
        vm.expectEmit(address(ledger));
        emit IConsents.ConsentSuperseded(GRANT, PASSPORT, OTHER_GRANT);
        vm.expectEmit(address(ledger));
        emit IDatasets.DatasetWithdrawn(DATASET, GRANT, 1);
        _give(given);
    }

    /// @dev What rests on separate consent does not stand on another.
    function test_WhenSuccessorIsNoLongerSeparate_DatasetsAreTold() external {
        IConsents.Grant memory given = _grantOf(FORMER, PASSPORT);
        given.flags = Codes.FLAG_SEPARATE;
        _give(given);
        _includeAs(PASSPORT, FORMER);
        (given.grantId, given.supersedes) = (OTHER_GRANT, FORMER);
        _give(given); // separate too
        vm.assertEq(0, ledger.withdrawalsOf(DATASET).length, "still separate");
        (given.grantId, given.supersedes) = (LAST_GRANT, OTHER_GRANT);
        given.flags = 0;
        _give(given);
        vm.assertEq(1, ledger.withdrawalsOf(DATASET).length, "no longer");
    }

    /// @dev A custodian that keeps the key cannot sign separate consent.
    function test_WhenSuccessorIsSignedByTheCustodian_SeparateConsentIsGone() external {
        uint8[2] memory flags = [0, Codes.FLAG_SEPARATE];
        for (uint256 index = 0; index < flags.length; ++index) {
            uint256 snapshot = vm.snapshotState();
            IConsents.Grant memory given = _grantOf(FORMER, PASSPORT);
            given.flags = flags[index];
            _give(given);
            _includeAs(PASSPORT, FORMER);
            IPassports.Custody assisted = IPassports.Custody.ASSISTED;
            bytes memory same = abi.encodePacked(holder);
            bytes memory signature = _signedHash(HOLDER_KEY, _rotationHash(PASSPORT, same, assisted));
            ledger.rotateHolder(PASSPORT, same, assisted, signature);
            (given.grantId, given.supersedes) = (OTHER_GRANT, FORMER);
            _give(given);
            vm.assertEq(index, ledger.withdrawalsOf(DATASET).length, "withdrawals");
            vm.revertToState(snapshot);
        }
    }

    function test_WhenKindsAreFewer_DatasetsAreTold() external {
        IConsents.Grant memory given = _grantOf(FORMER, PASSPORT);
        (given.recipient, given.recipientKinds) = (0, 63);
        _give(given);
        _includeAs(PASSPORT, FORMER);
        (given.grantId, given.supersedes) = (OTHER_GRANT, FORMER);
        _give(given);
        vm.assertEq(0, ledger.withdrawalsOf(DATASET).length, "the same kinds");
        (given.grantId, given.supersedes) = (LAST_GRANT, OTHER_GRANT);
        given.recipientKinds = uint16(1 << uint8(IMembers.MemberKind.RESEARCH));
        _give(given);
        vm.assertEq(1, ledger.withdrawalsOf(DATASET).length, "fewer");
    }

    function test_WhenSuccessorOfASuccessorIsNarrower_DatasetsAreToldOfThatOne() external {
        IConsents.Grant memory given = _includeUnderFormer();
        _give(given);
        (given.grantId, given.supersedes) = (LAST_GRANT, OTHER_GRANT);
        given.level = Codes.AGGREGATE;
        vm.expectEmit(address(ledger));
        emit IConsents.ConsentSuperseded(OTHER_GRANT, PASSPORT, LAST_GRANT);
        vm.expectEmit(address(ledger));
        emit IDatasets.DatasetWithdrawn(DATASET, OTHER_GRANT, 1);
        _give(given);
        _assertNoInclusions(LAST_GRANT);
        vm.recordLogs();
        _revoke(PASSPORT, FORMER); // ends the last one
        vm.assertEq(1, vm.getRecordedLogs().length, "events");
    }

    function test_WhenSupersededGrantIncludedNobody_NobodyIsTold() external {
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        given.supersedes = GRANT;
        given.categories = Codes.DIAGNOSIS;
        vm.recordLogs();
        _give(given);
        vm.assertEq(2, vm.getRecordedLogs().length, "events");
    }

    /* HELPERS */

    function _include() private {
        _assertVerdict(0, _decide(_inclusionTerms(DATASET)));
    }

    function _includeAs(bytes32 passportId, bytes32 grantId) private {
        Terms terms = _inclusionTerms(DATASET).between(150, 160);
        _assertVerdict(0, _decide(LAB, _request(passportId, grantId, terms)));
    }

    /// @dev The other patient.
    function _includeOther() private {
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, OTHER_PASSPORT);
        _give(given, _signed(OTHER_HOLDER_KEY, given));
        _includeAs(OTHER_PASSPORT, OTHER_GRANT);
    }

    function _revokeOther() private {
        bytes memory signature = _signedRevocation(OTHER_HOLDER_KEY, OTHER_PASSPORT, OTHER_GRANT);
        ledger.revoke(OTHER_PASSPORT, OTHER_GRANT, _own(signature));
    }

    function _repudiate(bytes32 grantId) private {
        bytes memory signature = _signedHash(HOLDER_KEY, _repudiationHash(PASSPORT, grantId));
        ledger.repudiate(PASSPORT, grantId, _own(signature));
    }

    /// @dev Includes PASSPORT under a grant that limits everything; returns a successor that covers it exactly.
    function _includeUnderFormer() private returns (IConsents.Grant memory given) {
        given = _grantOf(FORMER, PASSPORT);
        given.purposes = WIDE;
        given.categories = ASKED | Codes.VITALS;
        (given.dataFrom, given.dataTo) = (100, 200);
        given.level = Codes.PSEUDONYMISED;
        given.flags = Codes.FLAG_NO_REIDENTIFY | Codes.FLAG_ONWARD;
        _give(given);
        _includeAs(PASSPORT, FORMER);
        (given.grantId, given.supersedes) = (OTHER_GRANT, FORMER);
    }

    /// @dev A dataset of the hospital's.
    function _declareCare(uint16 purposes) private returns (uint32 datasetId) {
        IDatasets.Plan memory plan = _plan();
        plan.purposes = purposes;
        datasetId = _declareDataset(HOSPITAL, plan);
        vm.assertEq(NEXT, datasetId, "number");
    }

    function _careTerms() private pure returns (Terms) {
        return TermsLib.pack(Codes.PRIMARY_CARE, Codes.CUSTODIAN_CARE, Codes.INCLUDE, ASKED, 0).into(NEXT);
    }

    function _name(string memory what, uint256 dimension) private pure returns (string memory) {
        return string.concat(what, " of ", string(abi.encodePacked(bytes1(uint8(65 + dimension)))));
    }

    /* ASSERTIONS */

    /// @dev The lab may not include PASSPORT under GRANT for this reason alone; that is recorded and changes nothing.
    function _assertUnfit(uint32 datasetId) private {
        bytes memory before = abi.encode(ledger.datasetOf(datasetId), ledger.inclusionsOf(GRANT));
        uint40 size = ledger.sizeOf(PASSPORT);
        Verdict verdict = _decide(_inclusionTerms(datasetId));
        _assertVerdict(Facts.DATASET_FITS, verdict);
        vm.assertEq(size, verdict.seq(), "seq");
        vm.assertEq(size + 1, ledger.sizeOf(PASSPORT), "size");
        bytes memory current = abi.encode(ledger.datasetOf(datasetId), ledger.inclusionsOf(GRANT));
        vm.assertEq(before, current, "dataset and grant");
    }

    function _assertVerdict(uint32 missing, Verdict verdict) private pure {
        vm.assertEq(missing, verdict.missing(), "missing");
        vm.assertEq(0, verdict.facts() & missing, "a missing fact does not hold");
        vm.assertEq(missing == 0 ? Codes.PERMIT : Codes.DENY, verdict.outcome(), "outcome");
    }

    function _assertMalformed(Terms terms) private {
        _expectRevert(IDecisions.Decisions_Malformed.selector, uint256(0), Terms.unwrap(terms));
        _decide(terms);
    }

    function _assertIncomplete(IDatasets.Plan memory plan, bytes32 description) private {
        _expectRevert(IDatasets.Datasets_Incomplete.selector);
        _as(LAB);
        ledger.declareDataset(plan, description);
    }

    function _assertDataset(IDatasets.Dataset memory expected, uint32 datasetId) private view {
        vm.assertEq(abi.encode(expected), abi.encode(ledger.datasetOf(datasetId)), "dataset");
    }

    /// @dev Under a grant, somebody was included into this one alone.
    function _assertInclusions(uint32 datasetId, bytes32 grantId) private view {
        uint32[] memory datasets = ledger.inclusionsOf(grantId);
        vm.assertEq(1, datasets.length, "datasets of the grant");
        vm.assertEq(datasetId, datasets[0], "dataset of the grant");
    }

    function _assertNoInclusions(bytes32 grantId) private view {
        vm.assertEq(0, ledger.inclusionsOf(grantId).length, "datasets of the grant");
    }

    function _assertWithdrawals(uint32 datasetId, uint32 time) private view {
        uint32[] memory times = ledger.withdrawalsOf(datasetId);
        vm.assertEq(1, times.length, "withdrawals");
        vm.assertEq(time, times[0], "time of the withdrawal");
    }
}
