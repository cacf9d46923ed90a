// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {IPolicy} from "../../contracts/interfaces/IPolicy.sol";
import {IProjects} from "../../contracts/interfaces/IProjects.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {Facts} from "../../contracts/libraries/Facts.sol";
import {Terms, TermsLib} from "../../contracts/libraries/Terms.sol";
import {Verdict} from "../../contracts/libraries/Verdict.sol";
import {Base} from "./Base.t.sol";

/// @notice When does a fact hold? Each test builds a world of its own around one request and changes one thing in it.
contract FactsTest is Base {
    /// @dev A world and a request in it. The requester is a member, and owner of the project, of its own.
    struct Scenario {
        IMembers.Admission requester;
        IPassports.Issue passport;
        IProjects.Filing project;
        IConsents.Grant grant;
        // the request
        uint8 purpose;
        uint8 basis;
        uint16 categories;
        uint8 level;
        uint16 firstDay;
        uint16 lastDay;
        // what happened before it
        uint256 uses; // permits already given
        uint256 time; // 0 for now
        bool suspended;
        bool sealedUp;
        bool destroyed;
        bool projectWithdrawn;
        bool projectOfAnother;
        bool projectOmitted;
        bool unapprovedByEthics;
        bool unapprovedByCompliance;
        bool grantRevoked;
        bool grantToAnother;
        bool grantOfAnotherPassport;
        bool grantOmitted;
        bool toKinds;
        bool controlChanged;
        bool byCustodian;
        uint16 cap; // permits a day, spent
    }

    uint32 private constant FILED =
        Facts.PROJECT_FILED |
            Facts.PROJECT_ETHICS |
            Facts.PROJECT_COMPLIANCE |
            Facts.PROJECT_TECHNIQUE |
            Facts.PROJECT_AGREEMENT;
    uint32 private _count = FOUNDED; // members so far

    function setUp() external {
        _deploy();
    }

    /* ONE FACT AT A TIME */

    function test_WhenEveryRequiredFactHolds_RequestIsPermitted() external {
        _assertAnswer(0, _training());
    }

    /// @dev Each fact that the law requires for training on sensitive data is missing once, alone.
    function test_WhenOneRequiredFactIsMissing_RequestIsDeniedForItAlone() external {
        uint32 required =
            uint32(ledger.policy().required[(uint256(Codes.SENSITIVE) - 1) * 16 + Codes.AI_TRAINING] >> 32) |
                Facts.LAWFUL;
        uint256 tested;
        for (uint32 fact = 1; fact != 0; fact <<= 1) {
            if (required & fact == 0) continue;
            _assertAnswer(fact, _trainingWithout(fact));
            ++tested;
        }
        vm.assertEq(21, tested, "facts required for training on sensitive data");
    }

    function _trainingWithout(uint32 fact) private returns (Scenario memory s) {
        s = _training();
        if (fact == Facts.MEMBER_ACTIVE) s.suspended = true;
        else if (fact == Facts.MEMBER_SCOPE) s.requester.purposes = ~_bit(Codes.AI_TRAINING);
        else if (fact == Facts.PASSPORT_OPEN) s.sealedUp = true;
        else if (fact == Facts.PURPOSE_ALLOWED) s.passport.purposes = ~_bit(Codes.AI_TRAINING);
        else if (fact == Facts.CATEGORIES_NECESSARY)
            s.categories = s.grant.categories = ASKED | Codes.DEMOGRAPHICS;
        else if (fact == Facts.PROJECT_FILED) s.project.purposes = _bit(Codes.RESEARCH);
        else if (fact == Facts.PROJECT_TECHNIQUE) s.project.techniques = 0;
        else if (fact == Facts.PROJECT_AGREEMENT) s.project.agreement = 0;
        else if (fact == Facts.PROJECT_ETHICS) s.unapprovedByEthics = true;
        else if (fact == Facts.PROJECT_COMPLIANCE) s.unapprovedByCompliance = true;
        else if (fact == Facts.BORDER_CLEARED) s.requester.jurisdiction = ABROAD;
        else if (fact == Facts.LEVEL_SUFFICIENT) s.level = Codes.IDENTIFIED;
        else if (fact == Facts.GRANT_PERIOD) s.grant.dataTo = 1;
        else if (fact == Facts.WITHIN_CAP) s.cap = uint16(s.uses = 1);
        else if (fact == Facts.UNLOCKED) s.passport.lock = _declare(_declaration());
        else if (fact == Facts.GRANT_LIVE) s.grantRevoked = true;
        else if (fact == Facts.GRANT_RECIPIENT) s.grantToAnother = true;
        else if (fact == Facts.GRANT_PURPOSE) s.grant.purposes = _bit(Codes.RESEARCH);
        else if (fact == Facts.GRANT_CATEGORIES) s.grant.categories = Codes.DIAGNOSIS;
        else if (fact == Facts.GRANT_QUOTA) s.grant.maxUses = uint16(s.uses = 1);
        else if (fact == Facts.LAWFUL) s.basis = Codes.COMPELLED;
        else revert("a required fact that no scenario takes away");
    }

    /* PASSPORT AND LAW */

    function test_WhenPassportIsDestroyed() external {
        Scenario memory s = _training();
        s.destroyed = true;
        _assertAnswer(Facts.PASSPORT_OPEN, s);
    }

    function test_WhenPurposeIsBannedAfterConsent_ItCannotBePermitted() external {
        Scenario memory s = _training();
        (uint32 requester, bytes32 passportId, bytes32 grantId, uint32 projectId) = _build(s);
        IPolicy.Table memory law = ledger.policy();
        law.bannedPurposes |= _bit(Codes.AI_TRAINING);
        _asCommittee();
        ledger.setPolicy(law);
        _assertVerdict(Facts.PURPOSE_ALLOWED, _ask(s, requester, passportId, grantId, projectId));
    }

    function test_WhenPurposeIsBanned_NoBasisPermitsIt() external {
        for (uint8 purpose = Codes.INSURANCE_RATING; purpose <= Codes.RESALE; ++purpose) {
            for (uint8 basis = 0; basis < Codes.BASES; ++basis) {
                Scenario memory s = _training();
                s.passport.purposes = type(uint16).max;
                s.purpose = purpose;
                s.basis = basis;
                Verdict verdict = _answer(s);
                vm.assertEq(Codes.DENY, verdict.outcome(), "outcome");
                vm.assertEq(Facts.LAWFUL, verdict.missing(), "missing: there is no entry");
                vm.assertEq(0, verdict.facts() & Facts.PURPOSE_ALLOWED, "not allowed");
            }
        }
    }

    function test_WhenCategoryIsOfCorePrivacy_SecondaryUseIsDenied() external {
        Scenario memory s = _training();
        s.categories = s.grant.categories = ASKED | Codes.GENOMICS;
        s.grant.flags = Codes.FLAG_SEPARATE;
        _assertAnswer(Facts.EMERGENCY_IN_FORCE | Facts.ENCRYPTED, s);
        s.grant.flags = 0;
        _assertAnswer(Facts.EMERGENCY_IN_FORCE | Facts.ENCRYPTED | Facts.GRANT_SEPARATE, s);
    }

    function test_WhenCategoriesAreMixed_MostSensitiveOneDecides() external {
        Scenario memory s = _training();
        uint16[4] memory asked = [
            Codes.VITALS,
            Codes.VITALS | Codes.IMAGING,
            Codes.VITALS | Codes.IMAGING | Codes.PSYCHIATRY,
            Codes.REPRODUCTIVE
        ];
        uint8[4] memory classes = [
            Codes.NON_SENSITIVE,
            Codes.SENSITIVE,
            Codes.CORE_PRIVACY,
            Codes.CORE_PRIVACY
        ];
        for (uint256 index = 0; index < asked.length; ++index) {
            s.categories = s.grant.categories = asked[index];
            vm.assertEq(classes[index], _answer(s).dataClass(), "data class");
        }
    }

    function test_WhenDataIsNonSensitive_ProjectNeedsNothingButEthics() external {
        Scenario memory s = _training();
        s.categories = s.grant.categories = Codes.VITALS;
        s.project.techniques = 0;
        s.project.agreement = 0;
        s.unapprovedByCompliance = true;
        _assertAnswer(0, s);
    }

    /* CARE */

    function test_WhenCustodianCares_NeitherGrantNorProjectIsNeeded() external {
        for (uint8 category = 0; category < 16; ++category) {
            Scenario memory s = _care(Codes.CUSTODIAN_CARE);
            s.categories = uint16(1 << category);
            s.byCustodian = true;
            s.grantOmitted = true;
            _assertAnswer(0, s);
            s.byCustodian = false;
            _assertAnswer(Facts.REQUESTER_IS_CUSTODIAN, s);
        }
    }

    function test_WhenOthersCare_ConsentIsNeeded() external {
        Scenario memory s = _care(Codes.CONSENT);
        _assertAnswer(0, s);
        s.grantOmitted = true;
        _assertAnswer(Facts.CONSENT_FLOOR, s);
    }

    function test_WhenOthersCareForCorePrivacy_SeparateConsentIsNeeded() external {
        Scenario memory s = _care(Codes.CONSENT);
        s.categories = s.grant.categories = Codes.PSYCHIATRY;
        _assertAnswer(Facts.GRANT_SEPARATE, s);
        s.grant.flags = Codes.FLAG_SEPARATE;
        _assertAnswer(0, s);
    }

    /// @dev docs/requirements.md, R098, R115: class 1 never accepts consent that the holder did not sign with a key of its own.
    function test_WhenCustodianKeepsTheHoldersKey_CorePrivacyIsDenied() external {
        Scenario memory s = _care(Codes.CONSENT);
        s.categories = s.grant.categories = Codes.PSYCHIATRY;
        s.grant.flags = Codes.FLAG_SEPARATE;
        s.passport.custody = IPassports.Custody.ASSISTED;
        _assertAnswer(Facts.GRANT_SEPARATE, s);
    }

    function test_WhenCustodianKeepsTheHoldersKey_OrdinaryConsentIsEnough() external {
        Scenario memory s = _training();
        s.passport.custody = IPassports.Custody.ASSISTED;
        s.grant.flags = Codes.FLAG_SEPARATE;
        vm.assertEq(0, _answer(s).facts() & Facts.GRANT_SEPARATE, "not separate");
        _assertAnswer(0, s);
    }

    /* PROJECT */

    function test_WhenProjectDoesNotCoverTheRequest() external {
        Scenario memory s = _training();
        s.project.categories = Codes.DIAGNOSIS;
        _assertAnswer(Facts.PROJECT_FILED, s);

        s = _training();
        s.project.highestClass = Codes.NON_SENSITIVE;
        _assertAnswer(Facts.PROJECT_FILED, s);
        s.project.highestClass = Codes.SENSITIVE;
        _assertAnswer(0, s);
    }

    function test_WhenThereIsNoProjectOfTheRequester() external {
        Scenario memory s = _training();
        s.projectOmitted = true;
        _assertAnswer(FILED, s);
        s = _training();
        s.projectWithdrawn = true;
        _assertAnswer(FILED, s);
        s = _training();
        s.projectOfAnother = true;
        _assertAnswer(FILED, s);
    }

    function test_WhenProjectNamesAnAgreement_FactHolds() external {
        Scenario memory s = _training();
        vm.assertTrue(_answer(s).facts() & Facts.PROJECT_AGREEMENT != 0, "agreement");
        s.project.agreement = 0;
        vm.assertEq(0, _answer(s).facts() & Facts.PROJECT_AGREEMENT, "no agreement");
    }

    /* GRANT */

    function test_WhenGrantIsOmitted() external {
        Scenario memory s = _training();
        s.grantOmitted = true;
        _assertAnswer(Facts.CONSENT_FLOOR, s);
    }

    function test_WhenGrantIsForAnotherPassport_ItIsNoGrant() external {
        Scenario memory s = _training();
        s.grantOfAnotherPassport = true;
        _assertAnswer(Facts.CONSENT_FLOOR, s);
    }

    function test_WhenGrantWasWithdrawnBeforeItWasGiven_ItIsNoGrant() external {
        Scenario memory s = _training();
        s.grantOmitted = true;
        (uint32 requester, bytes32 passportId, , uint32 projectId) = _build(s);
        _revoke(passportId, OTHER_GRANT);
        Verdict verdict = _ask(s, requester, passportId, OTHER_GRANT, projectId);
        _assertVerdict(Facts.CONSENT_FLOOR, verdict);
        vm.assertEq(0, verdict.facts() & Facts.GRANT_SEPARATE, "separate");
    }

    function test_WhenSuperseded_OnlyTheSuccessorPermits() external {
        Scenario memory s = _training();
        (uint32 requester, bytes32 passportId, bytes32 grantId, uint32 projectId) = _build(s);
        s.grant.supersedes = grantId;
        s.grant.grantId = keccak256("successor");
        _give(s.grant);
        _assertVerdict(Facts.GRANT_LIVE, _ask(s, requester, passportId, grantId, projectId));
        _assertVerdict(0, _ask(s, requester, passportId, s.grant.grantId, projectId));
    }

    /* DATA PERIOD: a request with no last day asks for all that there is */

    function test_WhenGrantLimitsTheDays_BothEndsAreIn() external {
        uint16[2][9] memory asked = [
            [uint16(100), 200],
            [uint16(101), 199],
            [uint16(150), 150],
            [uint16(99), 200],
            [uint16(100), 201],
            [uint16(0), 200],
            [uint16(100), 0],
            [uint16(0), 0],
            [uint16(201), 300]
        ];
        for (uint256 index = 0; index < asked.length; ++index) {
            Scenario memory s = _training();
            s.grant.dataFrom = 100;
            s.grant.dataTo = 200;
            (s.firstDay, s.lastDay) = (asked[index][0], asked[index][1]);
            _assertAnswer(index < 3 ? 0 : Facts.GRANT_PERIOD, s);
        }
    }

    function test_WhenGrantLimitsOneEnd_TheOtherIsOpen() external {
        Scenario memory s = _training();
        s.grant.dataFrom = 100;
        s.firstDay = 100;
        _assertAnswer(0, s);
        s.firstDay = 99;
        _assertAnswer(Facts.GRANT_PERIOD, s);

        s = _training();
        s.grant.dataTo = 200;
        s.lastDay = 200;
        _assertAnswer(0, s);
        s.lastDay = 201;
        _assertAnswer(Facts.GRANT_PERIOD, s);
        (s.firstDay, s.lastDay) = (200, 200);
        _assertAnswer(0, s);
    }

    function test_WhenGrantLimitsNoDay_EveryDayIsIn() external {
        Scenario memory s = _training();
        (s.firstDay, s.lastDay) = (1, type(uint16).max);
        _assertAnswer(0, s);
    }

    /* LEVEL OF DE-IDENTIFICATION */

    function test_WhenLawDemandsALevel_RequestOrDataMustHaveIt() external {
        Scenario memory s = _training();
        s.level = Codes.IDENTIFIED;
        _assertAnswer(Facts.LEVEL_SUFFICIENT, s);
        s.passport.level = Codes.PSEUDONYMISED; // the data has it in any case
        _assertAnswer(0, s);
        s.passport.level = Codes.IDENTIFIED;
        for (s.level = Codes.PSEUDONYMISED; s.level < Codes.LEVELS; ++s.level) _assertAnswer(0, s);
    }

    function test_WhenGrantDemandsMore_ItCounts() external {
        Scenario memory s = _training();
        s.grant.level = Codes.DEIDENTIFIED;
        _assertAnswer(Facts.LEVEL_SUFFICIENT, s);
        s.level = Codes.DEIDENTIFIED;
        _assertAnswer(0, s);
        s.level = Codes.IDENTIFIED;
        s.passport.level = Codes.DEIDENTIFIED;
        _assertAnswer(0, s);
    }

    function test_WhenGrantDemandsLess_LawCounts() external {
        Scenario memory s = _training();
        s.grant.level = Codes.IDENTIFIED;
        s.level = Codes.IDENTIFIED;
        _assertAnswer(Facts.LEVEL_SUFFICIENT, s);
    }

    function test_WhenGrantIsNotReliedOn_ItsLevelDoesNotMatter() external {
        Scenario memory s = _care(Codes.CUSTODIAN_CARE);
        s.byCustodian = true;
        s.grant.level = Codes.AGGREGATE;
        s.level = Codes.IDENTIFIED;
        _assertAnswer(0, s);
    }

    /* RECIPIENT */

    function test_WhenGrantNamesKinds_EachMemberOfTheKindIsARecipient() external {
        Scenario memory s = _training();
        s.toKinds = true;
        for (uint8 kind = 0; kind <= uint8(type(IMembers.MemberKind).max); ++kind) {
            s.requester.kind = IMembers.MemberKind(kind);
            s.grant.recipientKinds = uint16(1 << kind);
            _assertAnswer(0, s);
            s.grant.recipientKinds = uint16(1 << ((kind + 1) % 6));
            _assertAnswer(Facts.GRANT_RECIPIENT, s);
            s.grant.recipientKinds = (1 << 6) - 1;
            _assertAnswer(0, s);
        }
    }

    /// @dev Who was not named cannot be bought.
    function test_WhenGrantNamesKinds_ChangeOfControlFreezesNothing() external {
        Scenario memory s = _training();
        s.toKinds = true;
        s.grant.recipientKinds = uint16(1 << uint8(s.requester.kind));
        s.controlChanged = true;
        _assertAnswer(0, s);
        s.toKinds = false;
        s.grant.recipientKinds = 0;
        _assertAnswer(Facts.GRANT_RECIPIENT, s);
    }

    /* TIME */

    function test_WhenUsePeriodStarts_StartItselfIsIn() external {
        Scenario memory s = _training();
        s.grant.useFrom = START + DAY;
        _assertStart(Facts.GRANT_LIVE, s, s.grant.useFrom);
    }

    function test_WhenUsePeriodEnds_EndItselfIsOut() external {
        _assertEnd(Facts.GRANT_LIVE, _training(), GRANT_END);
    }

    function test_WhenProjectStarts_StartItselfIsIn() external {
        Scenario memory s = _training();
        s.project.validFrom = START + DAY;
        _assertStart(Facts.PROJECT_FILED, s, s.project.validFrom);
    }

    function test_WhenProjectEnds_EndItselfIsOut() external {
        Scenario memory s = _training();
        s.project.validTo = START + DAY;
        _assertEnd(Facts.PROJECT_FILED, s, s.project.validTo);
    }

    function test_WhenMembershipEnds_EndItselfIsOut() external {
        Scenario memory s = _training();
        s.requester.validTo = START + DAY;
        _assertEnd(Facts.MEMBER_ACTIVE, s, s.requester.validTo);
    }

    function _assertStart(uint32 fact, Scenario memory s, uint256 start) private {
        s.time = start - 1;
        _assertAnswer(fact, s);
        s.time = start;
        _assertAnswer(0, s);
    }

    function _assertEnd(uint32 fact, Scenario memory s, uint256 end) private {
        s.time = end - 1;
        _assertAnswer(0, s);
        s.time = end;
        _assertAnswer(fact, s);
    }

    /* SCENARIOS */

    /// @dev Training on sensitive data by consent: permitted.
    function _training() private pure returns (Scenario memory s) {
        s.requester = _admission(0, Codes.ROLE_PROCESSOR);
        s.passport = _issueOf(0, vm.addr(HOLDER_KEY));
        s.project = _projectDraft();
        s.grant = _grantOf(0, 0);
        s.purpose = Codes.AI_TRAINING;
        s.basis = Codes.CONSENT;
        s.categories = ASKED;
        s.level = Codes.PSEUDONYMISED;
    }

    /// @dev Primary care, without a project.
    function _care(uint8 basis) private pure returns (Scenario memory s) {
        s = _training();
        s.purpose = Codes.PRIMARY_CARE;
        s.basis = basis;
        s.grant.purposes = _bit(Codes.PRIMARY_CARE);
        s.projectOmitted = true;
    }

    function _answer(Scenario memory s) private returns (Verdict) {
        (uint32 requester, bytes32 passportId, bytes32 grantId, uint32 projectId) = _build(s);
        for (uint256 use = 0; use < s.uses; ++use) {
            vm.assertEq(
                Codes.PERMIT,
                _ask(s, requester, passportId, grantId, projectId).outcome(),
                "earlier use"
            );
        }
        _befall(s, requester, passportId, grantId, projectId);
        Verdict verdict = _ask(s, requester, passportId, grantId, projectId);
        vm.warp(START);
        return verdict;
    }

    /// @dev Build the world at START. Numbers and keys are new each time.
    function _build(
        Scenario memory s
    ) private returns (uint32 requester, bytes32 passportId, bytes32 grantId, uint32 projectId) {
        IMembers.Admission memory fresh = _admission(++_count, 0);
        s.requester.signer = fresh.signer;
        s.requester.signingKey = fresh.signingKey;
        requester = _admit(s.requester);
        vm.assertEq(_count, requester, "number of the requester");
        if (s.byCustodian) requester = HOSPITAL;

        s.passport.passportId = passportId = keccak256(abi.encode("passport", _count));
        _issue(HOSPITAL, s.passport);

        if (!s.projectOmitted) {
            projectId = _file(s.projectOfAnother ? LAB : requester, s.project);
            if (!s.unapprovedByEthics) _reviewProject(ETHICS, projectId, IProjects.Approval.ETHICS, true);
            if (!s.unapprovedByCompliance)
                _reviewProject(COMPLIANCE, projectId, IProjects.Approval.COMPLIANCE, true);
        }
        if (s.cap != 0) _setCap(requester, s.purpose, s.cap);
        if (!s.grantOmitted) {
            s.grant.grantId = grantId = keccak256(abi.encode("grant", _count));
            s.grant.passportId = s.grantOfAnotherPassport ? _another(s.passport) : passportId;
            s.grant.recipient =
                s.toKinds
                    ? 0
                    : s.grantToAnother
                        ? CLINIC
                        : requester;
            _give(s.grant);
        }
    }

    function _another(IPassports.Issue memory given) private returns (bytes32 passportId) {
        passportId = keccak256(abi.encode("another passport", _count));
        _issue(HOSPITAL, _issueOf(passportId, given.holder));
    }

    function _befall(
        Scenario memory s,
        uint32 requester,
        bytes32 passportId,
        bytes32 grantId,
        uint32 projectId
    ) private {
        if (s.suspended) _suspend(requester);
        if (s.controlChanged) _changeControl(requester);
        if (s.sealedUp) _seal(passportId);
        if (s.destroyed) _destroy(HOSPITAL, passportId);
        if (s.grantRevoked) _revoke(passportId, grantId);
        if (s.projectWithdrawn) {
            _as(requester);
            ledger.withdrawProject(projectId);
        }
        if (s.time != 0) vm.warp(s.time);
    }

    function _ask(
        Scenario memory s,
        uint32 requester,
        bytes32 passportId,
        bytes32 grantId,
        uint32 projectId
    ) private returns (Verdict) {
        return _decide(requester, _request(passportId, grantId, _termsOf(s, projectId)));
    }

    function _termsOf(Scenario memory s, uint32 projectId) private pure returns (Terms terms) {
        terms = TermsLib.pack(s.purpose, s.basis, Codes.READ, s.categories, projectId);
        return terms.atLevel(s.level).between(s.firstDay, s.lastDay);
    }

    /* ASSERTIONS */

    /// @dev Exactly these required facts are missing, and so the request is permitted or denied.
    function _assertAnswer(uint32 missing, Scenario memory s) private {
        _assertVerdict(missing, _answer(s));
    }

    function _assertVerdict(uint32 missing, Verdict verdict) private pure {
        vm.assertEq(missing, verdict.missing(), "missing");
        vm.assertEq(0, verdict.facts() & missing, "a missing fact does not hold");
        vm.assertEq(missing == 0 ? Codes.PERMIT : Codes.DENY, verdict.outcome(), "outcome");
    }
}
