// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEmergencies} from "../../contracts/interfaces/IEmergencies.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {IPolicy} from "../../contracts/interfaces/IPolicy.sol";
import {IProjects} from "../../contracts/interfaces/IProjects.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {Facts} from "../../contracts/libraries/Facts.sol";
import {Terms, TermsLib} from "../../contracts/libraries/Terms.sol";
import {Verdict} from "../../contracts/libraries/Verdict.sol";
import {LedgerTest} from "./Base.t.sol";

/// @notice Exceptions: individual emergencies, opened by one member for one passport, and public ones.
contract EmergenciesTest is LedgerTest {
    uint32 private constant FIRST = 1;
    uint32 private constant UNTIL = START + 4 hours;
    uint32 private constant DUE = START + 72 hours;
    uint32 private constant BOTH = FOUNDED + 1; // opens emergencies and reviews them
    bytes32 private constant LOCKED = keccak256("locked passport");
    uint32 private constant HEALTH_PROJECT = PROJECT + 1;

    function setUp() public override {
        super.setUp();
        IProjects.Filing memory filing = _projectDraft();
        filing.purposes = _bit(Codes.PUBLIC_HEALTH);
        _file(LAB, filing);
    }

    /* OPEN */

    function test_WhenOpened_EmergencyIsOnFile() external onlyChanges(EMERGENCIES) {
        uint16 categories = ledger.policy().emergencies.categories;
        vm.expectEmit(address(ledger));
        emit IEmergencies.EmergencyOpened(
            FIRST,
            PASSPORT,
            RESCUE,
            categories,
            UNTIL,
            DUE,
            7,
            START + DAY,
            COMMITMENT
        );
        _as(RESCUE);
        vm.assertEq(FIRST, ledger.openEmergency(PASSPORT, 7, START + DAY, COMMITMENT), "number");

        IEmergencies.Emergency memory expected;
        expected.kind = IEmergencies.EmergencyKind.INDIVIDUAL;
        expected.memberId = RESCUE;
        expected.categories = categories;
        expected.from = START;
        expected.until = UNTIL;
        expected.reviewDue = DUE;
        expected.passportId = PASSPORT;
        vm.assertEq(abi.encode(expected), abi.encode(ledger.emergencyOf(FIRST)), "emergency");
        _assertRight(IEmergencies.Right(false, 1, 0, START, 1));
    }

    function test_WhenSealed_TheReviewsLastMomentIsTheLatest() external {
        _as(RESCUE);
        ledger.openEmergency(PASSPORT, 1, DUE, COMMITMENT);
        _expectRevert(IEmergencies.Emergencies_Incomplete.selector);
        _as(RESCUE);
        ledger.openEmergency(PASSPORT, 1, DUE + 1, COMMITMENT);
    }

    function test_RevertWhen_ReasonOrStatementIsMissing() external {
        _expectRevert(IEmergencies.Emergencies_Incomplete.selector);
        _as(RESCUE);
        ledger.openEmergency(PASSPORT, 0, 0, COMMITMENT);
        _expectRevert(IEmergencies.Emergencies_Incomplete.selector);
        _as(RESCUE);
        ledger.openEmergency(PASSPORT, 1, 0, 0);
    }

    function test_RevertGiven_OpenerMayNot() external {
        _expectRevert(IMembers.Members_MissingRole.selector, HOSPITAL, Codes.ROLE_EMERGENCY);
        _open(HOSPITAL, PASSPORT);
        _suspend(RESCUE);
        _expectRevert(IMembers.Members_NotActive.selector, RESCUE);
        _open(RESCUE, PASSPORT);
    }

    function test_RevertGiven_PassportIsUnknownOrNotOpen() external {
        _expectRevert(IPassports.Passports_Unknown.selector, LOCKED);
        _open(RESCUE, LOCKED);
        _seal(PASSPORT);
        _expectRevert(IPassports.Passports_WrongStatus.selector, PASSPORT, IPassports.PassportStatus.SEALED);
        _open(RESCUE, PASSPORT);
    }

    /* USE */

    /// @dev The second before, the second itself, the second after; at the beginning and at the end.
    function test_WhenOpen_ItHoldsFromItsFirstSecondToItsLast() external {
        _open(RESCUE, PASSPORT);
        _assertCareAt(START - 1, Facts.EMERGENCY_IN_FORCE);
        _assertCareAt(START, 0);
        _assertCareAt(START + 1, 0);
        _assertCareAt(UNTIL - 1, 0);
        _assertCareAt(UNTIL, Facts.EMERGENCY_IN_FORCE);
        _assertCareAt(UNTIL + 1, Facts.EMERGENCY_IN_FORCE);
    }

    function test_WhenUsed_ItIsNotCounted() external onlyChanges(EMERGENCIES | PASSPORTS | HEAD) {
        _open(RESCUE, PASSPORT);
        bytes memory before = abi.encode(ledger.emergencyOf(FIRST));
        _assertMissing(0, _care(RESCUE, PASSPORT, FIRST, ASKED));
        _assertMissing(0, _care(RESCUE, PASSPORT, FIRST, ASKED));
        vm.assertEq(before, abi.encode(ledger.emergencyOf(FIRST)), "emergency");
    }

    function test_WhenRequestIsNotTheEmergencys_ItDoesNotCover() external {
        _open(RESCUE, PASSPORT);
        uint32 public_ = _declare(_declaration());
        uint32 missing = Facts.EMERGENCY_IN_FORCE;
        _assertMissing(missing, _care(RESCUE, OTHER_PASSPORT, FIRST, ASKED)); // another passport
        _assertMissing(missing, _care(HOSPITAL, PASSPORT, FIRST, ASKED)); // another member
        _assertMissing(missing, _care(RESCUE, PASSPORT, 0, ASKED)); // none named
        _assertMissing(missing, _care(RESCUE, PASSPORT, FIRST, ASKED | Codes.NOTES));
        _assertMissing(Facts.LAWFUL, _care(RESCUE, PASSPORT, FIRST, Codes.GENOMICS)); // no emergency opens class 1
        _assertMissing(missing, _care(RESCUE, PASSPORT, public_, ASKED)); // of the other kind
        _assertMissing(0, _care(RESCUE, PASSPORT, FIRST, ASKED));
    }

    function test_WhenEmergencyIsIndividual_ItServesNoOtherBasis() external {
        _open(RESCUE, PASSPORT);
        uint32 filed = _file(RESCUE, _healthProject());
        Terms terms = TermsLib.pack(Codes.PUBLIC_HEALTH, Codes.PUBLIC_EMERGENCY, Codes.READ, ASKED, filed);
        terms = terms.atLevel(Codes.PSEUDONYMISED).under(FIRST);
        _assertMissing(Facts.EMERGENCY_IN_FORCE, _decide(RESCUE, _request(PASSPORT, 0, terms)));
    }

    /* REVIEW */

    function test_WhenReviewedInTime_RightStays() external onlyChanges(EMERGENCIES) {
        _open(RESCUE, PASSPORT);
        vm.warp(DUE);
        vm.expectEmit(address(ledger));
        emit IEmergencies.EmergencyReviewed(FIRST, ETHICS, IEmergencies.Finding.JUSTIFIED, false, COMMITMENT);
        _reviewEmergency(ETHICS, FIRST, true);
        vm.assertTrue(ledger.emergencyOf(FIRST).finding == IEmergencies.Finding.JUSTIFIED, "finding");
        _assertRight(IEmergencies.Right(false, 1, 1, START, 1));
        _open(RESCUE, PASSPORT);
    }

    function test_WhenReviewedASecondTooLate_RightIsLost() external {
        _open(RESCUE, PASSPORT);
        vm.warp(DUE + 1);
        vm.expectEmit(address(ledger));
        emit IEmergencies.EmergencyReviewed(
            FIRST,
            REGULATOR,
            IEmergencies.Finding.JUSTIFIED,
            true,
            COMMITMENT
        );
        _reviewEmergency(REGULATOR, FIRST, true);
        _assertRight(IEmergencies.Right(true, 1, 1, START, 1));
        _expectRevert(IEmergencies.Emergencies_RightLost.selector, RESCUE);
        _open(RESCUE, PASSPORT);
    }

    function test_WhenNotJustified_RightIsLostAtOnce() external {
        _open(RESCUE, PASSPORT);
        vm.expectEmit(address(ledger));
        emit IEmergencies.EmergencyReviewed(
            FIRST,
            ETHICS,
            IEmergencies.Finding.UNJUSTIFIED,
            true,
            COMMITMENT
        );
        _reviewEmergency(ETHICS, FIRST, false);
        _assertMissing(
            Facts.REVIEWS_CURRENT | Facts.EMERGENCY_IN_FORCE,
            _care(RESCUE, PASSPORT, FIRST, ASKED)
        );
        _expectRevert(IEmergencies.Emergencies_RightLost.selector, RESCUE);
        _open(RESCUE, PASSPORT);
    }

    /// @dev It carries nothing away any more, whatever is restored: neither a new request nor a permit given before.
    function test_WhenNotJustified_ItEndsAtOnce() external {
        uint32 emergency = _open(RESCUE, PASSPORT);
        Terms terms = TermsLib
            .pack(Codes.EMERGENCY_CARE, Codes.INDIVIDUAL_EMERGENCY, Codes.TRANSFER, ASKED, 0)
            .under(emergency);
        uint40 seq = _decide(RESCUE, _request(PASSPORT, 0, terms)).seq();
        vm.assertEq(RESCUE, ledger.transferPermit(PASSPORT, seq), "permit");
        vm.warp(START + 60);
        vm.expectEmit(address(ledger));
        emit IEmergencies.EmergencyEnded(emergency, START + 60);
        _reviewEmergency(ETHICS, emergency, false);
        vm.assertEq(START + 60, ledger.emergencyOf(emergency).until, "end");
        vm.assertEq(0, ledger.transferPermit(PASSPORT, seq), "no permit");
        _restore(RESCUE);
        _assertMissing(Facts.EMERGENCY_IN_FORCE, _care(RESCUE, PASSPORT, emergency, ASKED));
    }

    function test_WhenNotJustifiedAfterItsEnd_ItsEndStays() external {
        uint32 emergency = _open(RESCUE, PASSPORT);
        uint32 until = ledger.emergencyOf(emergency).until;
        vm.warp(until);
        _reviewEmergency(ETHICS, emergency, false);
        vm.assertEq(until, ledger.emergencyOf(emergency).until, "end");
    }

    /// @dev What is owed is due at its last second, and overdue a second later, for opening and for using.
    function test_WhenReviewIsOverdue_NothingIsOpenedOrUsed() external {
        _open(RESCUE, PASSPORT);
        vm.warp(DUE - 1);
        uint32 second = _open(RESCUE, PASSPORT);
        _assertMissing(0, _care(RESCUE, PASSPORT, second, ASKED));
        vm.warp(DUE);
        _assertMissing(0, _care(RESCUE, PASSPORT, second, ASKED));
        vm.warp(DUE + 1);
        _assertMissing(Facts.REVIEWS_CURRENT, _care(RESCUE, PASSPORT, second, ASKED));
        _expectRevert(IEmergencies.Emergencies_RightLost.selector, RESCUE);
        _open(RESCUE, PASSPORT);
    }

    function test_WhenReviewsComeInAnyOrder_TheOldestOwedIsWhatIsDue() external {
        for (uint256 index = 0; index < 3; ++index) _open(RESCUE, PASSPORT);
        _reviewEmergency(ETHICS, 3, true);
        _reviewEmergency(ETHICS, 2, true);
        _assertRight(IEmergencies.Right(false, 3, 0, START, 3));
        vm.warp(DUE + 1);
        _expectRevert(IEmergencies.Emergencies_RightLost.selector, RESCUE);
        _open(RESCUE, PASSPORT);
        vm.warp(DUE);
        _reviewEmergency(ETHICS, 1, true);
        _assertRight(IEmergencies.Right(false, 3, 3, START, 3));
        vm.warp(DUE + 1);
        _open(RESCUE, PASSPORT);
    }

    function test_RevertGiven_AlreadyReviewed() external {
        _open(RESCUE, PASSPORT);
        _reviewEmergency(ETHICS, FIRST, true);
        _expectRevert(IEmergencies.Emergencies_AlreadySet.selector, FIRST);
        _reviewEmergency(REGULATOR, FIRST, false);
    }

    function test_RevertGiven_ReviewedEmergencyIsNotIndividual() external {
        uint32[3] memory numbers = [0, _declare(_declaration()), 99];
        for (uint256 index = 0; index < numbers.length; ++index) {
            _expectRevert(IEmergencies.Emergencies_Unknown.selector, numbers[index]);
            _reviewEmergency(ETHICS, numbers[index], true);
        }
    }

    function test_RevertWhen_ReviewerHadAPartInIt() external {
        _admit(BOTH, Codes.ROLE_EMERGENCY | Codes.ROLE_ETHICS | Codes.ROLE_CUSTODIAN);
        uint32 own = _open(BOTH, PASSPORT);
        _expectRevert(IEmergencies.Emergencies_NotIndependent.selector, own, BOTH);
        _reviewEmergency(BOTH, own, true);

        _issue(BOTH, _issueOf(LOCKED, holder));
        uint32 atHome = _open(RESCUE, LOCKED);
        _expectRevert(IEmergencies.Emergencies_NotIndependent.selector, atHome, BOTH);
        _reviewEmergency(BOTH, atHome, true);
        uint32 elsewhere = _open(RESCUE, PASSPORT);
        _reviewEmergency(BOTH, elsewhere, true);
    }

    function test_RevertWhen_ReviewerLacksTheRole() external {
        _open(RESCUE, PASSPORT);
        uint16 roles = Codes.ROLE_ETHICS | Codes.ROLE_REGULATOR;
        _expectRevert(IMembers.Members_MissingRole.selector, COMPLIANCE, roles);
        _reviewEmergency(COMPLIANCE, FIRST, true);
    }

    /* RESTORE */

    function test_WhenRestored_WhatWasLeftIsSettled() external onlyChanges(EMERGENCIES) {
        _open(RESCUE, PASSPORT);
        _open(RESCUE, PASSPORT);
        _reviewEmergency(ETHICS, 2, false);
        _assertRight(IEmergencies.Right(true, 2, 0, START, 2));
        vm.warp(DUE + 1);
        vm.expectEmit(address(ledger));
        emit IEmergencies.EmergencyRightRestored(RESCUE);
        _restore(RESCUE);
        _assertRight(IEmergencies.Right(false, 2, 2, START, 2));
        uint32 third = _open(RESCUE, PASSPORT);
        _assertMissing(0, _careIn(RESCUE, third));
    }

    /// @dev A review that comes after the committee settled what was owed costs nothing more, unless it finds against it.
    function test_WhenRestored_ALateReviewIsNotLate() external {
        _open(RESCUE, PASSPORT);
        vm.warp(DUE + 1);
        _restore(RESCUE);
        uint32 second = _open(RESCUE, PASSPORT);
        _reviewEmergency(ETHICS, FIRST, true);
        _assertRight(IEmergencies.Right(false, 2, 1, START, 2));
        vm.warp(DUE + 1 + 72 hours + 1);
        _reviewEmergency(ETHICS, second, true); // this one is late
        _assertRight(IEmergencies.Right(true, 2, 2, START, 2));
    }

    function test_WhenRestored_WhatWasNotJustifiedCostsTheRightAgain() external {
        _open(RESCUE, PASSPORT);
        vm.warp(DUE + 1);
        _restore(RESCUE);
        _reviewEmergency(ETHICS, FIRST, false);
        _assertRight(IEmergencies.Right(true, 1, 1, START, 1));
    }

    /// @dev Without a decision on record: only emergencies change.
    function _careIn(uint32 memberId, uint32 emergency) private returns (Verdict verdict) {
        uint256 snapshot = vm.snapshotState();
        verdict = _care(memberId, PASSPORT, emergency, ASKED);
        vm.revertToState(snapshot);
    }

    function test_RevertGiven_RestoredMemberIsUnknown() external {
        _expectRevert(IMembers.Members_Unknown.selector, NOBODY);
        _restore(NOBODY);
    }

    /* QUOTA */

    /// @dev The last of the window's emergencies, the first too many; the window's last second, and the next one's first.
    function test_WhenQuotaIsSpent_TheNextThirtyDaysBring() external {
        for (uint256 index = 0; index < 20; ++index) _openAndReview();
        _expectRevert(IEmergencies.Emergencies_QuotaSpent.selector, RESCUE);
        _open(RESCUE, PASSPORT);
        vm.warp(START + 30 * DAY - 1);
        _expectRevert(IEmergencies.Emergencies_QuotaSpent.selector, RESCUE);
        _open(RESCUE, PASSPORT);
        vm.warp(START + 30 * DAY);
        _openAndReview();
        _assertRight(IEmergencies.Right(false, 21, 21, START + 30 * DAY, 1));
    }

    /// @dev The window begins with its first emergency, not with the one before.
    function test_WhenWindowIsOver_TheNextBeginsWithTheNextEmergency() external {
        _openAndReview();
        vm.warp(START + 40 * DAY);
        _openAndReview();
        _assertRight(IEmergencies.Right(false, 2, 2, START + 40 * DAY, 1));
        vm.warp(START + 60 * DAY);
        _openAndReview();
        _assertRight(IEmergencies.Right(false, 3, 3, START + 40 * DAY, 2));
    }

    function test_WhenLawAllowsNone_NoneIsOpened() external {
        IPolicy.Table memory law = ledger.policy();
        law.emergencies.monthlyQuota = 0;
        _asCommittee();
        ledger.setPolicy(law);
        _expectRevert(IEmergencies.Emergencies_QuotaSpent.selector, RESCUE);
        _open(RESCUE, PASSPORT);
    }

    /* DECLARE */

    function test_WhenDeclared_EmergencyIsOnFile() external onlyChanges(EMERGENCIES) {
        IEmergencies.Declaration memory given = _declaration();
        given.jurisdiction = CHINA;
        vm.expectEmit(address(ledger));
        emit IEmergencies.EmergencyDeclared(FIRST, given, COMMITMENT);
        vm.assertEq(FIRST, _declare(given), "number");
        vm.assertEq(FIRST, ledger.emergencyCount(), "count");
        IEmergencies.Emergency memory expected;
        expected.kind = IEmergencies.EmergencyKind.PUBLIC;
        expected.purposes = given.purposes;
        expected.categories = given.categories;
        expected.from = given.from;
        expected.until = given.until;
        expected.maxRecords = given.maxRecords;
        expected.jurisdiction = CHINA;
        vm.assertEq(abi.encode(expected), abi.encode(ledger.emergencyOf(FIRST)), "emergency");
    }

    function test_RevertWhen_DeclarationIsIncomplete() external {
        IEmergencies.Declaration[7] memory drafts;
        for (uint256 index = 0; index < drafts.length; ++index) drafts[index] = _declaration();
        drafts[0].purposes = 0;
        drafts[1].categories = 0;
        drafts[2].maxRecords = 0;
        drafts[3].until = drafts[3].from;
        drafts[4].from = drafts[4].until + 1;
        drafts[5].from = START - 2;
        drafts[5].until = START; // now
        drafts[6].until = START + 90 * DAY + 1;
        for (uint256 index = 0; index < drafts.length; ++index) {
            _expectRevert(IEmergencies.Emergencies_Incomplete.selector);
            _declare(drafts[index]);
        }
        _expectRevert(IEmergencies.Emergencies_Incomplete.selector);
        _asCommittee();
        ledger.declareEmergency(_declaration(), 0);

        IEmergencies.Declaration memory longest = _declaration();
        longest.until = START + 90 * DAY;
        vm.assertEq(FIRST, _declare(longest), "the longest that the law allows");
    }

    /// @dev The second before, the second itself, the second after; at the beginning and at the end.
    function test_WhenDeclared_ItHoldsFromItsFirstSecondToItsLast() external {
        IEmergencies.Declaration memory given = _declaration();
        given.from = START + DAY;
        uint32 emergency = _declare(given);
        uint32[6] memory times = [
            given.from - 1,
            given.from,
            given.from + 1,
            given.until - 1,
            given.until,
            given.until + 1
        ];
        for (uint256 index = 0; index < times.length; ++index) {
            vm.warp(times[index]);
            bool inForce = index >= 1 && index <= 3;
            _assertMissing(inForce ? 0 : Facts.EMERGENCY_IN_FORCE, _surveil(PASSPORT, emergency, ASKED));
        }
    }

    function test_WhenEndedBeforeItsTime_ItIsOverAtOnce() external onlyChanges(EMERGENCIES) {
        uint32 emergency = _declare(_declaration());
        vm.warp(START + DAY);
        vm.expectEmit(address(ledger));
        emit IEmergencies.EmergencyEnded(emergency, START + DAY);
        _end(emergency);
        vm.assertEq(START + DAY, ledger.emergencyOf(emergency).until, "until");
        uint256 snapshot = vm.snapshotState();
        _assertMissing(Facts.EMERGENCY_IN_FORCE, _surveil(PASSPORT, emergency, ASKED));
        vm.revertToState(snapshot);
        _expectRevert(IEmergencies.Emergencies_AlreadySet.selector, emergency);
        _end(emergency);
    }

    function test_RevertGiven_EndedEmergencyIsNotPublicOrOver() external {
        _open(RESCUE, PASSPORT);
        uint32 emergency = _declare(_declaration());
        uint32[3] memory numbers = [0, FIRST, emergency + 1];
        for (uint256 index = 0; index < numbers.length; ++index) {
            _expectRevert(IEmergencies.Emergencies_Unknown.selector, numbers[index]);
            _end(numbers[index]);
        }
        vm.warp(START + 10 * DAY);
        _expectRevert(IEmergencies.Emergencies_AlreadySet.selector, emergency);
        _end(emergency);
        vm.warp(START + 10 * DAY - 1);
        _end(emergency);
    }

    /* WHAT A PUBLIC EMERGENCY COVERS */

    function test_WhenRequestIsOutsideTheDeclaration_ItDoesNotCover() external {
        uint32 emergency = _declare(_declaration());
        uint32 missing = Facts.EMERGENCY_IN_FORCE;
        _assertMissing(0, _surveil(PASSPORT, emergency, ASKED));
        _assertMissing(missing, _surveil(PASSPORT, emergency, ASKED | Codes.IMMUNISATION));
        _assertMissing(missing, _surveil(PASSPORT, 0, ASKED));

        IEmergencies.Declaration memory other = _declaration();
        other.purposes = _bit(Codes.AI_TRAINING);
        _assertMissing(missing, _surveil(PASSPORT, _declare(other), ASKED));
    }

    function test_WhenDeclarationNamesAJurisdiction_ItIsThatOfTheCustodian() external {
        uint32 abroad = _admit(_abroad(Codes.ROLE_CUSTODIAN));
        _issue(abroad, _issueOf(LOCKED, holder));
        IEmergencies.Declaration memory given = _declaration();
        given.jurisdiction = CHINA;
        uint32 emergency = _declare(given);
        _assertMissing(0, _surveil(PASSPORT, emergency, ASKED));
        _assertMissing(Facts.EMERGENCY_IN_FORCE, _surveil(LOCKED, emergency, ASKED));
        given.jurisdiction = 0;
        _assertMissing(0, _surveil(LOCKED, _declare(given), ASKED));
    }

    function test_WhenRecordsRunOut_TheRestIsDenied() external {
        IEmergencies.Declaration memory given = _declaration();
        given.maxRecords = 2;
        uint32 emergency = _declare(given);
        _assertMissing(0, _surveil(PASSPORT, emergency, ASKED));
        _assertMissing(Facts.EMERGENCY_IN_FORCE, _surveil(PASSPORT, emergency, Codes.IMMUNISATION));
        vm.assertEq(1, ledger.emergencyOf(emergency).used, "a denial uses nothing");
        _assertMissing(0, _surveil(OTHER_PASSPORT, emergency, ASKED));
        _assertMissing(Facts.EMERGENCY_IN_FORCE, _surveil(PASSPORT, emergency, ASKED));
        vm.assertEq(2, ledger.emergencyOf(emergency).used, "used up");
    }

    function test_WhenLawDoesNotAskForIt_EmergencyIsNotUsed() external {
        uint32 emergency = _declare(_declaration());
        _assertMissing(0, _decide(_trainingTerms().under(emergency)));
        vm.assertEq(0, ledger.emergencyOf(emergency).used, "used");
    }

    function test_WhenEmergencyIsPublic_ItServesNoIndividualCare() external {
        IEmergencies.Declaration memory given = _declaration();
        given.purposes = type(uint16).max;
        uint32 emergency = _declare(given);
        _assertMissing(Facts.EMERGENCY_IN_FORCE, _care(RESCUE, PASSPORT, emergency, ASKED));
    }

    /* DATA THAT IS LOCKED TO AN EMERGENCY */

    function test_WhenLocked_OnlyItsEmergencyUnlocksIt() external {
        uint32 emergency = _lock();
        uint32 other = _declare(_declaration());
        _assertMissing(0, _surveil(LOCKED, emergency, ASKED));
        _assertMissing(Facts.UNLOCKED, _surveil(LOCKED, other, ASKED));
        vm.assertEq(1, ledger.emergencyOf(emergency).used, "used");
        vm.assertEq(0, ledger.emergencyOf(other).used, "not used");

        vm.warp(START + 10 * DAY - 1);
        _assertMissing(0, _surveil(LOCKED, emergency, ASKED));
        vm.warp(START + 10 * DAY);
        _assertMissing(Facts.UNLOCKED | Facts.EMERGENCY_IN_FORCE, _surveil(LOCKED, emergency, ASKED));
    }

    function test_WhenLocked_ConsentAloneDoesNotUnlockIt() external {
        uint32 emergency = _lock();
        _give(_grantOf(OTHER_GRANT, LOCKED));
        _assertMissing(Facts.UNLOCKED, _decide(LAB, _request(LOCKED, OTHER_GRANT, _trainingTerms())));
        Terms under = _trainingTerms().under(emergency);
        _assertMissing(0, _decide(LAB, _request(LOCKED, OTHER_GRANT, under)));
        vm.assertEq(1, ledger.emergencyOf(emergency).used, "it is a use of the emergency");
    }

    function test_WhenLocked_NotEvenTheCustodianCares() external {
        uint32 emergency = _lock();
        Terms care = TermsLib.pack(Codes.PRIMARY_CARE, Codes.CUSTODIAN_CARE, Codes.READ, ASKED, 0);
        _assertMissing(Facts.UNLOCKED, _decide(HOSPITAL, _request(LOCKED, 0, care)));
        // The emergency is not for care.
        _assertMissing(Facts.UNLOCKED, _decide(HOSPITAL, _request(LOCKED, 0, care.under(emergency))));
    }

    function test_WhenLocked_SubjectIsServedAllTheSame() external {
        _lock();
        _assertMissing(0, _decide(HOSPITAL, _request(LOCKED, 0, _subjectTerms())));
        vm.warp(START + 20 * DAY);
        _assertMissing(0, _decide(HOSPITAL, _request(LOCKED, 0, _subjectTerms())));
    }

    /// @dev Or custodians could use other people's emergencies up.
    function test_WhenSubjectIsServed_NoEmergencyIsUsed() external {
        uint32 emergency = _lock();
        uint32 other = _declare(_declaration());
        _assertMissing(0, _decide(HOSPITAL, _request(LOCKED, 0, _subjectTerms().under(emergency))));
        _assertMissing(0, _decide(HOSPITAL, _request(LOCKED, 0, _subjectTerms().under(other))));
        vm.assertEq(0, ledger.emergencyOf(emergency).used, "used");
        vm.assertEq(0, ledger.emergencyOf(other).used, "used by data that is not locked to it");
    }

    function test_WhenUnknown_EmergencyIsAllZero() external view {
        IEmergencies.Emergency memory nothing;
        vm.assertEq(abi.encode(nothing), abi.encode(ledger.emergencyOf(0)), "emergency 0");
        vm.assertEq(abi.encode(nothing), abi.encode(ledger.emergencyOf(FIRST)), "emergency 1");
        IEmergencies.Right memory none;
        vm.assertEq(abi.encode(none), abi.encode(ledger.emergencyRightOf(NOBODY)), "right");
    }

    /* HELPERS */

    /// @dev Care in an individual emergency.
    function _care(
        uint32 memberId,
        bytes32 passportId,
        uint32 emergency,
        uint16 categories
    ) private returns (Verdict) {
        Terms terms = TermsLib.pack(
            Codes.EMERGENCY_CARE,
            Codes.INDIVIDUAL_EMERGENCY,
            Codes.READ,
            categories,
            0
        );
        return _decide(memberId, _request(passportId, 0, terms.under(emergency)));
    }

    function _assertCareAt(uint32 time, uint32 missing) private {
        vm.warp(time);
        _assertMissing(missing, _care(RESCUE, PASSPORT, FIRST, ASKED));
    }

    /// @dev The lab asks for public health, under a public emergency.
    function _surveil(bytes32 passportId, uint32 emergency, uint16 categories) private returns (Verdict) {
        Terms terms = TermsLib.pack(
            Codes.PUBLIC_HEALTH,
            Codes.PUBLIC_EMERGENCY,
            Codes.READ,
            categories,
            HEALTH_PROJECT
        );
        // Fit for every class: a category of class 3 may be all that is asked for.
        return _decide(LAB, _request(passportId, 0, terms.atLevel(Codes.DEIDENTIFIED).under(emergency)));
    }

    function _subjectTerms() private pure returns (Terms) {
        return TermsLib.pack(Codes.PATIENT_REQUEST, Codes.SUBJECT_REQUEST, Codes.READ, ASKED, 0);
    }

    function _healthProject() private pure returns (IProjects.Filing memory filing) {
        filing = _projectDraft();
        filing.purposes = _bit(Codes.PUBLIC_HEALTH);
    }

    function _abroad(uint16 roles) private pure returns (IMembers.Admission memory admission) {
        admission = _admission(FOUNDED + 1, roles);
        admission.jurisdiction = ABROAD;
    }

    /// @dev The hospital issues LOCKED under a new public emergency.
    function _lock() private returns (uint32 emergency) {
        emergency = _declare(_declaration());
        IPassports.Issue memory given = _issueOf(LOCKED, holder);
        given.lock = emergency;
        _issue(HOSPITAL, given);
    }

    function _openAndReview() private {
        _reviewEmergency(ETHICS, _open(RESCUE, PASSPORT), true);
    }

    function _restore(uint32 memberId) private {
        _asCommittee();
        ledger.restoreEmergencyRight(memberId);
    }

    function _end(uint32 emergency) private {
        _asCommittee();
        ledger.endEmergency(emergency);
    }

    function _assertRight(IEmergencies.Right memory expected) private view {
        vm.assertEq(abi.encode(expected), abi.encode(ledger.emergencyRightOf(RESCUE)), "right");
    }

    function _assertMissing(uint32 missing, Verdict verdict) private pure {
        vm.assertEq(missing, verdict.missing(), "missing");
        vm.assertEq(missing == 0 ? Codes.PERMIT : Codes.DENY, verdict.outcome(), "outcome");
    }
}
