// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IDecisions} from "../../contracts/interfaces/IDecisions.sol";
import {IReleases} from "../../contracts/interfaces/IReleases.sol";
import {IReviews} from "../../contracts/interfaces/IReviews.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {Facts} from "../../contracts/libraries/Facts.sol";
import {Terms, TermsLib} from "../../contracts/libraries/Terms.sol";
import {Verdict} from "../../contracts/libraries/Verdict.sol";
import {LedgerTest, Vm} from "./Base.t.sol";

/// @notice Requests answered by the law in force: how a decision is recorded.
contract DecisionsTest is LedgerTest {
    bytes32 private constant UNKNOWN = keccak256("unknown");
    uint256 private constant CAP_USES_SLOT = 9; // of State._capUses

    /// @dev What holds when the lab asks to train on sensitive data.
    uint32 private constant HELD =
        Facts.FLOOR |
            Facts.OTHERS_FLOOR |
            Facts.MEMBER_SCOPE |
            Facts.CATEGORIES_NECESSARY |
            Facts.PROJECT_FILED |
            Facts.PROJECT_ETHICS |
            Facts.PROJECT_COMPLIANCE |
            Facts.PROJECT_TECHNIQUE |
            Facts.PROJECT_AGREEMENT |
            Facts.CONSENT_FLOOR |
            Facts.BORDER_CLEARED |
            Facts.DATASET_FITS |
            Facts.BUDGET_LEFT |
            Facts.LAWFUL;

    /// @dev Of these, what is true without being required.
    uint32 private constant REQUIRED = HELD & ~(Facts.DATASET_FITS | Facts.BUDGET_LEFT | Facts.LAWFUL);

    /// @dev What a member lacks that nobody entrusted.
    uint32 private constant NOBODYS =
        Facts.GRANT_RECIPIENT |
            Facts.PROJECT_FILED |
            Facts.PROJECT_ETHICS |
            Facts.PROJECT_COMPLIANCE |
            Facts.PROJECT_TECHNIQUE |
            Facts.PROJECT_AGREEMENT;

    /* RECORD */

    function test_WhenPermitted_DecisionIsRecorded() external onlyChanges(PASSPORTS | HEAD) {
        IDecisions.Request memory request = _request(PASSPORT, GRANT, _trainingTerms());
        Verdict expected = _packed(0, 1, Codes.SENSITIVE, Codes.PERMIT, HELD, 0);
        vm.expectEmit(address(ledger));
        emit IDecisions.DecisionRecorded(PASSPORT, GRANT, LAB, request.terms, expected, COMMITMENT);
        Verdict verdict = _decide(LAB, request);

        vm.assertEq(Verdict.unwrap(expected), Verdict.unwrap(verdict), "verdict");
        vm.assertEq(1, ledger.sizeOf(PASSPORT), "size");
        vm.assertEq(_fold(0, LAB, request, expected), ledger.head(), "head");
    }

    function test_WhenDenied_DecisionIsRecorded() external onlyChanges(PASSPORTS | HEAD) {
        IDecisions.Request memory request = _request(PASSPORT, 0, _trainingTerms());
        uint32 held = HELD & ~Facts.CONSENT_FLOOR;
        Verdict expected = _packed(0, 1, Codes.SENSITIVE, Codes.DENY, held, Facts.CONSENT_FLOOR);
        vm.expectEmit(address(ledger));
        emit IDecisions.DecisionRecorded(PASSPORT, 0, LAB, request.terms, expected, COMMITMENT);
        Verdict verdict = _decide(LAB, request);

        vm.assertEq(Verdict.unwrap(expected), Verdict.unwrap(verdict), "verdict");
        vm.assertEq(1, ledger.sizeOf(PASSPORT), "size");
        vm.assertEq(_fold(0, LAB, request, expected), ledger.head(), "head");
    }

    function test_WhenOnlyTheReviewIsMissing_OutcomeIsReview() external {
        _require(Codes.SENSITIVE, Codes.AI_TRAINING, Codes.CONSENT, REQUIRED | Facts.HUMAN_REVIEWED);
        _assertVerdict(Codes.REVIEW, Facts.HUMAN_REVIEWED, _decide(_trainingTerms()));
        _suspend(LAB);
        _assertVerdict(Codes.DENY, Facts.HUMAN_REVIEWED | Facts.MEMBER_ACTIVE, _decide(_trainingTerms()));
    }

    function test_WhenReviewIsPending_NothingIsUsedOrMayBeSent() external {
        _require(Codes.SENSITIVE, Codes.AI_TRAINING, Codes.CONSENT, REQUIRED | Facts.HUMAN_REVIEWED);
        _giveLimited(1);
        _decide(LAB, _request(PASSPORT, OTHER_GRANT, _transferTerms()));
        vm.assertEq(0, ledger.grantOf(PASSPORT, OTHER_GRANT).uses, "uses");
        vm.assertEq(0, ledger.transferPermit(PASSPORT, 0), "permit to transfer");
    }

    function test_WhenBatchIsDecided_SeqIsContiguousAndHeadIsTheFold() external {
        IDecisions.Request[] memory requests = new IDecisions.Request[](5);
        requests[0] = _request(PASSPORT, GRANT, _trainingTerms());
        requests[1] = _request(OTHER_PASSPORT, GRANT, _trainingTerms());
        requests[2] = _request(PASSPORT, UNKNOWN, _transferTerms());
        requests[3] = _request(PASSPORT, GRANT, _transferTerms());
        requests[4] = _request(OTHER_PASSPORT, 0, _trainingTerms());
        requests[4].commitment = 0;
        uint32[2] memory callers = [LAB, CLINIC];
        uint40[5] memory seqs = [uint40(0), 0, 1, 2, 1];

        bytes32 head;
        for (uint40 round = 0; round < 2; ++round) {
            vm.recordLogs();
            _as(callers[round]);
            Verdict[] memory verdicts = ledger.decide(_each(requests));
            bytes32[5] memory data = _decisionsLogged(callers[round], requests);
            for (uint256 index = 0; index < 5; ++index) {
                uint40 before = round * (requests[index].passportId == PASSPORT ? 3 : 2);
                vm.assertEq(before + seqs[index], verdicts[index].seq(), "seq");
                vm.assertEq(bytes32(Verdict.unwrap(verdicts[index])), data[index], "verdict in the log");
                head = _fold(head, callers[round], requests[index], verdicts[index]);
            }
            vm.assertEq(head, ledger.head(), "head");
        }
        vm.assertEq(6, ledger.sizeOf(PASSPORT), "size");
        vm.assertEq(4, ledger.sizeOf(OTHER_PASSPORT), "size of the other");
    }

    /// @dev Targets under equal terms are answered as if each were asked for by itself.
    function test_WhenTargetsShareTheirTerms_AnswersAreTheSame() external {
        _giveLimited(1);
        IDecisions.Target[] memory targets = new IDecisions.Target[](6);
        targets[0] = IDecisions.Target(PASSPORT, GRANT);
        targets[1] = IDecisions.Target(OTHER_PASSPORT, GRANT); // another custodian's
        targets[2] = IDecisions.Target(PASSPORT, OTHER_GRANT);
        targets[3] = IDecisions.Target(PASSPORT, OTHER_GRANT); // used up by then
        targets[4] = IDecisions.Target(OTHER_PASSPORT, 0);
        targets[5] = IDecisions.Target(PASSPORT, UNKNOWN);
        Terms[2] memory terms = [_trainingTerms(), _transferTerms()];
        IDecisions.Request[] memory requests = new IDecisions.Request[](12);
        IDecisions.Batch[] memory batches = new IDecisions.Batch[](2);
        for (uint256 index = 0; index < 12; ++index) {
            IDecisions.Target memory target = targets[index % 6];
            requests[index] = _request(target.passportId, target.grantId, terms[index / 6]);
        }
        batches[0] = IDecisions.Batch(terms[0], COMMITMENT, targets);
        batches[1] = IDecisions.Batch(terms[1], COMMITMENT, targets);

        uint256 snapshot = vm.snapshotState();
        vm.recordLogs();
        _as(LAB);
        Verdict[] memory expected = ledger.decide(_each(requests));
        bytes memory logs = abi.encode(vm.getRecordedLogs());
        bytes32 head = ledger.head();
        vm.revertToState(snapshot);
        vm.recordLogs();
        _as(LAB);
        Verdict[] memory actual = ledger.decide(batches);
        vm.assertEq(logs, abi.encode(vm.getRecordedLogs()), "logs");
        vm.assertEq(head, ledger.head(), "head");
        vm.assertEq(abi.encode(expected), abi.encode(actual), "verdicts");
        _assertVerdict(Codes.PERMIT, 0, actual[2]);
        _assertVerdict(Codes.DENY, Facts.GRANT_QUOTA, actual[3]);
        vm.assertEq(LAB, ledger.transferPermit(PASSPORT, actual[6].seq()), "permit of the second batch");
        vm.assertEq(0, ledger.transferPermit(PASSPORT, actual[0].seq()), "none of the first");
    }

    function test_WhenLawChanges_LaterDecisionsNameTheNewVersion() external {
        vm.assertEq(1, _decide(_trainingTerms()).policyVersion(), "first version");
        _require(Codes.SENSITIVE, Codes.AI_TRAINING, Codes.CONSENT, 0);
        Verdict verdict = _decide(_trainingTerms());
        vm.assertEq(2, verdict.policyVersion(), "second version");
        _assertVerdict(Codes.DENY, Facts.LAWFUL, verdict);
    }

    function test_WhenSuspended_RequestIsDeniedAndRecorded() external {
        _suspend(LAB);
        _assertVerdict(Codes.DENY, Facts.MEMBER_ACTIVE, _decide(_trainingTerms()));
        vm.assertEq(1, ledger.sizeOf(PASSPORT), "size");

        _reinstate(LAB);
        _assertVerdict(Codes.PERMIT, 0, _decide(_trainingTerms()));
    }

    /* WHAT REVERTS */

    function test_RevertGiven_CallerIsNotAMember() external {
        _expectRevert(IMembers.Members_NotMember.selector, STRANGER);
        vm.prank(STRANGER);
        ledger.decide(_one(_request(PASSPORT, GRANT, _trainingTerms())));
    }

    function test_RevertGiven_PassportIsUnknown() external {
        _expectRevert(IPassports.Passports_Unknown.selector, UNKNOWN);
        _decide(LAB, _request(UNKNOWN, GRANT, _trainingTerms()));
    }

    function test_RevertWhen_BatchIsEmpty() external {
        _expectRevert(IDecisions.Decisions_Empty.selector);
        _as(LAB);
        ledger.decide(new IDecisions.Batch[](0));

        IDecisions.Batch[] memory batches = new IDecisions.Batch[](2);
        batches[0] = _one(_request(PASSPORT, GRANT, _trainingTerms()))[0];
        batches[1].terms = _trainingTerms(); // without a target
        _expectRevert(IDecisions.Decisions_Empty.selector);
        _as(LAB);
        ledger.decide(batches);
    }

    function test_RevertWhen_OneOfABatchIsMalformed() external {
        IDecisions.Request[] memory requests = new IDecisions.Request[](2);
        requests[0] = _request(PASSPORT, GRANT, _trainingTerms());
        requests[1] = _request(PASSPORT, GRANT, Terms.wrap(0));
        _expectRevert(IDecisions.Decisions_Malformed.selector, 1, 0);
        _as(LAB);
        ledger.decide(_each(requests));
        vm.assertEq(0, ledger.sizeOf(PASSPORT), "size");
    }

    function testFuzz_RevertWhen_UndefinedBitsAreSet(uint256 dirt) external {
        dirt = (dirt << 208) | (uint256(1) << (208 + (dirt % 48)));
        _assertMalformed(Terms.wrap(Terms.unwrap(_trainingTerms()) | dirt));
    }

    function testFuzz_RevertWhen_CodesDoNotExist(
        uint8 purpose,
        uint8 basis,
        uint8 operation,
        uint8 level
    ) external {
        if (purpose >= 16)
            _assertMalformed(TermsLib.pack(purpose, Codes.CONSENT, Codes.READ, ASKED, PROJECT));
        if (basis >= 8) _assertMalformed(TermsLib.pack(0, basis, Codes.READ, ASKED, PROJECT));
        if (operation >= 3) _assertMalformed(TermsLib.pack(0, Codes.CONSENT, operation, ASKED, PROJECT));
        if (level >= 4) _assertMalformed(_trainingTerms().atLevel(level));
    }

    function test_RevertWhen_CodesAreJustOutOfRange() external {
        _assertMalformed(TermsLib.pack(16, Codes.CONSENT, Codes.READ, ASKED, PROJECT));
        _assertMalformed(TermsLib.pack(0, 8, Codes.READ, ASKED, PROJECT));
        _assertMalformed(TermsLib.pack(0, Codes.CONSENT, 3, ASKED, PROJECT));
        _assertMalformed(_trainingTerms().atLevel(4));
    }

    function test_RevertWhen_EmergencyOrControllerDoesNotExist() external {
        _assertMalformed(_trainingTerms().under(1)); // none was declared
        uint32 emergency = _declare(_declaration());
        _decide(_trainingTerms().under(emergency).onBehalfOf(FOUNDED));
        _assertMalformed(_trainingTerms().under(emergency + 1));
        _assertMalformed(_trainingTerms().onBehalfOf(FOUNDED + 1));
    }

    function test_RevertWhen_DaysAreNone() external {
        _assertMalformed(_trainingTerms().between(2, 1));
        _decide(_trainingTerms().between(2, 0)); // no last day: as many as there are
        _decide(_trainingTerms().between(2, 2));
    }

    function test_RevertWhen_NoCategoryIsAskedFor() external {
        _assertMalformed(TermsLib.pack(Codes.AI_TRAINING, Codes.CONSENT, Codes.READ, 0, PROJECT));
    }

    /// @dev Never reverts for a reason of policy, and the answer always follows from the table and the facts.
    function testFuzz_Decide(
        uint8 caller,
        uint256 terms,
        bytes32 grantId,
        bytes32 commitment,
        bool known
    ) external {
        Terms asked = TermsLib.pack(
            uint8(terms) % 16,
            uint8(terms >> 8) % 8,
            uint8(terms >> 16) % 2,
            uint16(terms >> 24) == 0 ? 1 : uint16(terms >> 24),
            uint32(terms >> 40) % 3
        );
        asked = asked.atLevel(uint8(terms >> 72) % 4).onBehalfOf(uint32(terms >> 80) % (FOUNDED + 1));
        asked = asked.between(uint16(terms >> 112) % 100, 100 + (uint16(terms >> 128) % 100));
        IDecisions.Request memory request = _request(PASSPORT, known ? GRANT : grantId, asked);
        request.commitment = commitment;
        Verdict verdict = _decide(1 + (caller % FOUNDED), request);

        uint256 word = ledger.policy().required[(uint256(verdict.dataClass()) - 1) * 16 + asked.purpose()];
        uint32 required = uint32(word >> (32 * uint256(asked.basis())));
        uint32 missing = (required | Facts.LAWFUL) & ~verdict.facts();
        vm.assertEq(missing, verdict.missing(), "missing");
        vm.assertEq(required != 0, verdict.facts() & Facts.LAWFUL != 0, "lawful");
        uint8 outcome =
            missing == 0
                ? Codes.PERMIT
                : missing == Facts.HUMAN_REVIEWED
                    ? Codes.REVIEW
                    : Codes.DENY;
        vm.assertEq(outcome, verdict.outcome(), "outcome");
        Verdict whole = _packed(0, 1, verdict.dataClass(), outcome, verdict.facts(), missing);
        vm.assertEq(Verdict.unwrap(whole), Verdict.unwrap(verdict), "verdict");
    }

    /* QUOTA */

    function test_WhenUsesAreCounted_OnlyPermitsCount() external {
        _giveLimited(2);
        IDecisions.Request memory request = _request(PASSPORT, OTHER_GRANT, _trainingTerms());
        _assertVerdict(Codes.PERMIT, 0, _decide(LAB, request));
        _assertVerdict(Codes.DENY, NOBODYS, _decide(CLINIC, request));
        vm.assertEq(1, ledger.grantOf(PASSPORT, OTHER_GRANT).uses, "a denial is not a use");

        _assertVerdict(Codes.PERMIT, 0, _decide(LAB, request));
        _assertVerdict(Codes.DENY, Facts.GRANT_QUOTA, _decide(LAB, request));
        vm.assertEq(2, ledger.grantOf(PASSPORT, OTHER_GRANT).uses, "used up");
    }

    function test_WhenQuotaRunsOutWithinABatch_TheRestIsDenied() external {
        _giveLimited(1);
        IDecisions.Request[] memory requests = new IDecisions.Request[](2);
        requests[0] = requests[1] = _request(PASSPORT, OTHER_GRANT, _trainingTerms());
        _as(LAB);
        Verdict[] memory verdicts = ledger.decide(_each(requests));
        _assertVerdict(Codes.PERMIT, 0, verdicts[0]);
        _assertVerdict(Codes.DENY, Facts.GRANT_QUOTA, verdicts[1]);
    }

    function test_WhenBasisIsNotConsent_GrantIsNotUsed() external {
        _giveLimited(1);
        Terms care = TermsLib.pack(Codes.PRIMARY_CARE, Codes.CUSTODIAN_CARE, Codes.READ, ASKED, 0);
        _assertVerdict(Codes.PERMIT, 0, _decide(HOSPITAL, _request(PASSPORT, OTHER_GRANT, care)));
        vm.assertEq(0, ledger.grantOf(PASSPORT, OTHER_GRANT).uses, "uses");
    }

    /* CAPS */

    function test_WhenCapIsSpent_TheRestOfTheDayIsDenied() external {
        _setCap(LAB, Codes.AI_TRAINING, 2);
        _assertVerdict(Codes.PERMIT, 0, _decide(_trainingTerms()));
        _assertVerdict(
            Codes.DENY,
            Facts.CONSENT_FLOOR,
            _decide(LAB, _request(PASSPORT, 0, _trainingTerms()))
        );
        _assertUsed(Codes.AI_TRAINING, 1); // a denial does not count
        _assertVerdict(Codes.PERMIT, 0, _decide(_trainingTerms()));
        _assertVerdict(Codes.DENY, Facts.WITHIN_CAP, _decide(_trainingTerms()));
        _assertUsed(Codes.AI_TRAINING, 2);
    }

    function test_WhenCapIsSpentWithinABatch_TheRestIsDenied() external onlyChanges(PASSPORTS | HEAD | CAPS) {
        _setCap(LAB, Codes.AI_TRAINING, 1);
        IDecisions.Request[] memory requests = new IDecisions.Request[](3);
        requests[0] = requests[1] = requests[2] = _request(PASSPORT, GRANT, _trainingTerms());
        _as(LAB);
        Verdict[] memory verdicts = ledger.decide(_each(requests));
        _assertVerdict(Codes.PERMIT, 0, verdicts[0]);
        _assertVerdict(Codes.DENY, Facts.WITHIN_CAP, verdicts[1]);
        _assertVerdict(Codes.DENY, Facts.WITHIN_CAP, verdicts[2]);
    }

    /// @dev The last second before midnight (UTC), midnight, the second after.
    function test_WhenMidnightComes_TheCapBeginsAnew() external {
        uint32 midnight = (START / DAY + 1) * DAY;
        _setCap(LAB, Codes.AI_TRAINING, 1);
        vm.warp(midnight - 1);
        _assertVerdict(Codes.PERMIT, 0, _decide(_trainingTerms()));
        _assertVerdict(Codes.DENY, Facts.WITHIN_CAP, _decide(_trainingTerms()));
        vm.warp(midnight);
        _assertVerdict(Codes.PERMIT, 0, _decide(_trainingTerms()));
        vm.warp(midnight + 1);
        _assertVerdict(Codes.DENY, Facts.WITHIN_CAP, _decide(_trainingTerms()));
        _assertUsed(Codes.AI_TRAINING, 1);
        (, uint256 tomorrow) = ledger.capsOf(LAB, midnight / DAY);
        vm.assertEq(uint256(1) << (16 * uint256(Codes.AI_TRAINING)), tomorrow, "used tomorrow");
    }

    function test_WhenCapIsForOnePurpose_OthersHaveNone() external {
        _setCap(HOSPITAL, Codes.PAYMENT, 1);
        Terms payment = TermsLib.pack(Codes.PAYMENT, Codes.CUSTODIAN_CARE, Codes.READ, Codes.DIAGNOSIS, 0);
        Terms care = TermsLib.pack(Codes.PRIMARY_CARE, Codes.CUSTODIAN_CARE, Codes.READ, ASKED, 0);
        for (uint256 round = 0; round < 3; ++round) {
            _assertVerdict(Codes.PERMIT, 0, _decide(HOSPITAL, _request(PASSPORT, 0, care)));
            uint32 missing = round == 0 ? 0 : Facts.WITHIN_CAP;
            Verdict verdict = _decide(HOSPITAL, _request(PASSPORT, 0, payment));
            vm.assertEq(missing, verdict.missing(), "missing");
        }
    }

    function test_WhenCapIsLifted_NothingIsCounted() external {
        _setCap(LAB, Codes.AI_TRAINING, 1);
        _decide(_trainingTerms());
        _setCap(LAB, Codes.AI_TRAINING, 0);
        _assertVerdict(Codes.PERMIT, 0, _decide(_trainingTerms()));
        _assertUsed(Codes.AI_TRAINING, 1);
        _setCap(LAB, Codes.AI_TRAINING, 1); // what was counted stays
        _assertVerdict(Codes.DENY, Facts.WITHIN_CAP, _decide(_trainingTerms()));
    }

    /// @dev The subject's own request is served whatever the cap.
    function test_WhenSubjectAsks_CapDoesNotMatter() external {
        _setCap(HOSPITAL, Codes.PATIENT_REQUEST, 1);
        for (uint256 round = 0; round < 3; ++round) {
            _assertVerdict(Codes.PERMIT, 0, _decide(HOSPITAL, _request(PASSPORT, 0, _subjectTerms())));
        }
    }

    /// @dev What is counted without a limit stops at the most that 16 bits hold.
    function test_WhenCountIsFull_TheNextPurposesIsNotTouched() external {
        _setCap(HOSPITAL, Codes.PATIENT_REQUEST, 1);
        uint256 full = uint256(type(uint16).max) << (16 * uint256(Codes.PATIENT_REQUEST));
        bytes32 uses = keccak256(abi.encode(HOSPITAL, CAP_USES_SLOT));
        vm.store(address(ledger), keccak256(abi.encode(START / DAY, uses)), bytes32(full));
        (, uint256 used) = ledger.capsOf(HOSPITAL, START / DAY);
        vm.assertEq(full, used, "the slot is that of the uses");
        _assertVerdict(Codes.PERMIT, 0, _decide(HOSPITAL, _request(PASSPORT, 0, _subjectTerms())));
        (, used) = ledger.capsOf(HOSPITAL, START / DAY);
        vm.assertEq(full, used, "used");
    }

    /* ENTRUSTED PROCESSORS */

    function test_WhenProcessorIsEntrusted_ControllersGrantAndProjectServe() external {
        _entrust(LAB, CLINIC, START + DAY);
        IDecisions.Request memory request = _request(PASSPORT, GRANT, _trainingTerms().onBehalfOf(LAB));
        _assertVerdict(Codes.PERMIT, 0, _decide(CLINIC, request));
        vm.warp(START + DAY - 1);
        _assertVerdict(Codes.PERMIT, 0, _decide(CLINIC, request));
        vm.warp(START + DAY); // the end is exclusive
        _assertVerdict(Codes.DENY, NOBODYS, _decide(CLINIC, request));
    }

    function test_WhenProcessorIsNotEntrusted_ItIsNobody() external {
        IDecisions.Request memory request = _request(PASSPORT, GRANT, _trainingTerms().onBehalfOf(LAB));
        _assertVerdict(Codes.DENY, NOBODYS, _decide(CLINIC, request));
        _entrust(CLINIC, LAB, MEMBERSHIP_END); // the other way round
        _assertVerdict(Codes.DENY, NOBODYS, _decide(CLINIC, request));
        _as(LAB);
        ledger.entrust(CLINIC, _bit(Codes.RESEARCH), MEMBERSHIP_END, COMMITMENT); // for another purpose
        _assertVerdict(Codes.DENY, NOBODYS, _decide(CLINIC, request));
        _entrust(LAB, CLINIC, MEMBERSHIP_END);
        _assertVerdict(Codes.PERMIT, 0, _decide(CLINIC, request));
        _as(LAB);
        ledger.entrust(CLINIC, 0, MEMBERSHIP_END, COMMITMENT); // taken back
        _assertVerdict(Codes.DENY, NOBODYS, _decide(CLINIC, request));
    }

    /// @dev Who names itself as its controller is not entrusted by anybody.
    function test_WhenMemberNamesItself_ItIsNobody() external {
        Verdict verdict = _decide(_trainingTerms().onBehalfOf(LAB));
        _assertVerdict(Codes.DENY, NOBODYS, verdict);
    }

    function test_WhenControllerIsSuspendedOrUnlicensed_ProcessorIsDenied() external {
        _entrust(LAB, CLINIC, MEMBERSHIP_END);
        IDecisions.Request memory request = _request(PASSPORT, GRANT, _trainingTerms().onBehalfOf(LAB));
        _suspend(LAB);
        _assertVerdict(Codes.DENY, Facts.MEMBER_ACTIVE, _decide(CLINIC, request));
        _reinstate(LAB);
        uint32[2] memory parties = [LAB, CLINIC];
        for (uint256 index = 0; index < parties.length; ++index) {
            uint256 snapshot = vm.snapshotState();
            _asCommittee();
            ledger.license(parties[index], ~_bit(Codes.AI_TRAINING), MEMBERSHIP_END);
            _assertVerdict(Codes.DENY, Facts.MEMBER_SCOPE, _decide(CLINIC, request));
            vm.revertToState(snapshot);
        }
    }

    function test_WhenControlOfTheControllerChanges_ProcessorIsFrozenToo() external {
        _entrust(LAB, CLINIC, MEMBERSHIP_END);
        IDecisions.Request memory request = _request(PASSPORT, GRANT, _trainingTerms().onBehalfOf(LAB));
        _changeControl(CLINIC); // the processor is not whom the holder named
        _assertVerdict(Codes.PERMIT, 0, _decide(CLINIC, request));
        _changeControl(LAB);
        _assertVerdict(Codes.DENY, Facts.GRANT_RECIPIENT, _decide(CLINIC, request));
    }

    function test_WhenProcessorHasItsOwnRights_TheyDoNotServeTheController() external {
        _entrust(LAB, HOSPITAL, MEMBERSHIP_END);
        Terms care = TermsLib.pack(Codes.PRIMARY_CARE, Codes.CUSTODIAN_CARE, Codes.READ, ASKED, 0);
        Verdict verdict = _decide(HOSPITAL, _request(PASSPORT, 0, care.onBehalfOf(LAB)));
        _assertVerdict(Codes.DENY, Facts.REQUESTER_IS_CUSTODIAN, verdict);
    }

    function test_WhenCustodianEntrusts_ProcessorCaresInItsStead() external {
        _as(HOSPITAL);
        ledger.entrust(LAB, _bit(Codes.PRIMARY_CARE), MEMBERSHIP_END, COMMITMENT);
        Terms care = TermsLib.pack(Codes.PRIMARY_CARE, Codes.CUSTODIAN_CARE, Codes.READ, ASKED, 0);
        Verdict verdict = _decide(LAB, _request(PASSPORT, 0, care.onBehalfOf(HOSPITAL)));
        _assertVerdict(Codes.PERMIT, 0, verdict);
    }

    /* REVIEW */

    function test_WhenReviewed_TheSameRequestIsPermitted() external {
        IDecisions.Request memory request = _reviewable();
        vm.assertEq(Codes.REVIEW, _decide(LAB, request).outcome(), "waits");
        uint32 until = START + 72 hours;
        vm.expectEmit(address(ledger));
        emit IReviews.RequestReviewed(PASSPORT, 0, ETHICS, until, COMMITMENT);
        _review(ETHICS, request, 0, true);
        vm.warp(until - 1);
        _assertVerdict(Codes.PERMIT, 0, _decide(LAB, request));
        vm.warp(until);
        _assertVerdict(Codes.REVIEW, Facts.HUMAN_REVIEWED, _decide(LAB, request));
    }

    function test_WhenReviewed_AnyOtherRequestWaitsAgain() external {
        IDecisions.Request memory request = _reviewable();
        _decide(LAB, request);
        _review(ETHICS, request, 0, true);
        IDecisions.Request[4] memory others;
        for (uint256 index = 0; index < others.length; ++index) {
            others[index] = _request(PASSPORT, GRANT, request.terms);
        }
        _give(_grantOf(OTHER_GRANT, PASSPORT));
        others[0].grantId = OTHER_GRANT;
        others[1].commitment = CONTENT;
        others[2].terms = request.terms.atLevel(Codes.DEIDENTIFIED);
        others[3].terms = request.terms.between(1, 2);
        for (uint256 index = 0; index < others.length; ++index) {
            _assertVerdict(Codes.REVIEW, Facts.HUMAN_REVIEWED, _decide(LAB, others[index]));
        }
        // Nor does it serve another member, entrusted with the same purpose by another.
        _assertDenied(Facts.HUMAN_REVIEWED, _decide(CLINIC, request));
        _assertVerdict(Codes.PERMIT, 0, _decide(LAB, request));
    }

    function test_WhenApprovedButGrantWasWithdrawn_RequestIsDenied() external {
        IDecisions.Request memory request = _reviewable();
        _decide(LAB, request);
        _review(ETHICS, request, 0, true);
        _revoke(PASSPORT, GRANT);
        _assertVerdict(Codes.DENY, Facts.GRANT_LIVE, _decide(LAB, request));
    }

    function test_WhenNotApproved_RequestWaitsAgain() external {
        IDecisions.Request memory request = _reviewable();
        _decide(LAB, request);
        vm.expectEmit(address(ledger));
        emit IReviews.RequestReviewed(PASSPORT, 0, ETHICS, 0, COMMITMENT);
        _review(ETHICS, request, 0, false);
        _expectRevert(IReviews.Reviews_NotWaiting.selector, PASSPORT, 0);
        _review(ETHICS, request, 0, true);
        _assertVerdict(Codes.REVIEW, Facts.HUMAN_REVIEWED, _decide(LAB, request));
        _review(ETHICS, request, 1, true); // asked again, it can be answered again
        _assertVerdict(Codes.PERMIT, 0, _decide(LAB, request));
    }

    function test_RevertWhen_NothingWaitsUnderTheseWords() external {
        IDecisions.Request memory request = _reviewable();
        _decide(LAB, request);
        IDecisions.Request memory other = _request(PASSPORT, GRANT, request.terms);
        other.commitment = CONTENT;
        _expectRevert(IReviews.Reviews_NotWaiting.selector, PASSPORT, 0);
        _review(ETHICS, other, 0, true);
        _expectRevert(IReviews.Reviews_NotWaiting.selector, PASSPORT, 1);
        _review(ETHICS, request, 1, true);
        _expectRevert(IReviews.Reviews_NotWaiting.selector, PASSPORT, 0);
        _as(ETHICS);
        ledger.reviewRequest(request, CLINIC, 0, true, COMMITMENT); // another's
        _review(ETHICS, request, 0, true);
        _decide(LAB, request); // permitted: nothing waits
        _expectRevert(IReviews.Reviews_NotWaiting.selector, PASSPORT, 1);
        _review(ETHICS, request, 1, true);
    }

    function test_RevertWhen_ReviewerMayNot() external {
        IDecisions.Request memory request = _reviewable();
        _decide(LAB, request);
        _expectRevert(IMembers.Members_MissingRole.selector, REGULATOR, Codes.ROLE_ETHICS);
        _review(REGULATOR, request, 0, true);
        _suspend(ETHICS);
        _expectRevert(IMembers.Members_NotActive.selector, ETHICS);
        _review(ETHICS, request, 0, true);
    }

    function test_RevertWhen_ReviewerHadAPartInTheRequest() external {
        uint32 both = _admit(_admission(FOUNDED + 1, Codes.ROLE_ETHICS | Codes.ROLE_PROCESSOR));
        uint32 projectId = _file(both, _projectDraft());
        _approve(projectId);
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        given.recipient = both;
        _give(given);
        _reviewable();
        IDecisions.Request memory request = _request(PASSPORT, OTHER_GRANT, _trainingTerms(projectId));
        vm.assertEq(Codes.REVIEW, _decide(both, request).outcome(), "its own waits");
        _expectRevert(IReviews.Reviews_NotIndependent.selector, PASSPORT, 0, both);
        _as(both);
        ledger.reviewRequest(request, both, 0, true, COMMITMENT);

        _entrust(both, LAB, MEMBERSHIP_END);
        request.terms = request.terms.onBehalfOf(both);
        vm.assertEq(Codes.REVIEW, _decide(LAB, request).outcome(), "its processor's waits");
        _expectRevert(IReviews.Reviews_NotIndependent.selector, PASSPORT, 1, both);
        _review(both, request, 1, true);
        _review(ETHICS, request, 1, true);
        _assertVerdict(Codes.PERMIT, 0, _decide(LAB, request));
    }

    /// @dev What an authority compels: with its instrument, after a regulator's review.
    function test_WhenCompelled_RegulatorReviewsFirst() external {
        IDecisions.Request memory request = _request(PASSPORT, 0, _compelledTerms());
        _assertVerdict(Codes.REVIEW, Facts.HUMAN_REVIEWED, _decide(LAB, request));
        _expectRevert(IMembers.Members_MissingRole.selector, ETHICS, Codes.ROLE_REGULATOR);
        _review(ETHICS, request, 0, true);
        _review(REGULATOR, request, 0, true);
        _assertVerdict(Codes.PERMIT, 0, _decide(LAB, request));
    }

    function test_RevertWhen_CompelledRequestHasNoInstrument() external {
        IDecisions.Request memory request = _request(PASSPORT, 0, _compelledTerms());
        request.commitment = 0;
        _assertVerdict(Codes.REVIEW, Facts.HUMAN_REVIEWED, _decide(LAB, request));
        _expectRevert(IReviews.Reviews_NoInstrument.selector, PASSPORT, 0);
        _review(REGULATOR, request, 0, true);
    }

    /* TRANSFER */

    function test_WhenTransferIsPermitted_PermitIsStored()
        external
        onlyChanges(PASSPORTS | HEAD | TRANSFERS)
    {
        _assertVerdict(Codes.PERMIT, 0, _decide(_transferTerms()));
        vm.assertEq(LAB, ledger.transferPermit(PASSPORT, 0), "recipient");
    }

    function test_WhenTransferIsDenied_NoPermitIsStored() external onlyChanges(PASSPORTS | HEAD) {
        _decide(LAB, _request(PASSPORT, 0, _transferTerms()));
    }

    /* RELEASE */

    function test_WhenReleased_ReceiptIsRecorded() external {
        _decide(_trainingTerms());
        _assertReleaseIsRecorded();
    }

    function test_WhenReleasedAfterADenial_ReceiptIsRecordedAllTheSame() external {
        _decide(LAB, _request(PASSPORT, 0, _trainingTerms()));
        _assertReleaseIsRecorded();
    }

    function test_RevertGiven_AlreadyReleased() external {
        _decide(_trainingTerms());
        _release(HOSPITAL, PASSPORT, 0);
        _expectRevert(IReleases.Releases_AlreadyRecorded.selector, PASSPORT, 0);
        _release(HOSPITAL, PASSPORT, 0);
    }

    function test_RevertGiven_DecisionIsUnknown() external {
        _expectRevert(IReleases.Releases_Unknown.selector, PASSPORT, 0);
        _release(HOSPITAL, PASSPORT, 0);
        _decide(_trainingTerms());
        _expectRevert(IReleases.Releases_Unknown.selector, PASSPORT, 1);
        _release(HOSPITAL, PASSPORT, 1);
    }

    function test_RevertGiven_ReleaserIsNotTheCustodian() external {
        _decide(_trainingTerms());
        _expectRevert(IPassports.Passports_NotCustodian.selector, PASSPORT, CLINIC);
        _release(CLINIC, PASSPORT, 0);
        _expectRevert(IMembers.Members_NotMember.selector, _signer(NOBODY));
        _release(NOBODY, PASSPORT, 0);
        _expectRevert(IPassports.Passports_Unknown.selector, UNKNOWN);
        _release(HOSPITAL, UNKNOWN, 0);
    }

    /* HELPERS */

    /// @dev The lab's request to train, in a law by which a human must have looked at it.
    function _reviewable() private returns (IDecisions.Request memory) {
        _require(Codes.SENSITIVE, Codes.AI_TRAINING, Codes.CONSENT, REQUIRED | Facts.HUMAN_REVIEWED);
        return _request(PASSPORT, GRANT, _trainingTerms());
    }

    function _review(uint32 memberId, IDecisions.Request memory request, uint40 seq, bool approved) private {
        _as(memberId);
        ledger.reviewRequest(request, LAB, seq, approved, COMMITMENT);
    }

    function _compelledTerms() private pure returns (Terms) {
        return TermsLib.pack(Codes.OPERATIONS, Codes.COMPELLED, Codes.READ, Codes.DIAGNOSIS, 0);
    }

    function _subjectTerms() private pure returns (Terms) {
        return TermsLib.pack(Codes.PATIENT_REQUEST, Codes.SUBJECT_REQUEST, Codes.READ, ASKED, 0);
    }

    function _assertUsed(uint8 purpose, uint256 expected) private view {
        (, uint256 used) = ledger.capsOf(LAB, START / DAY);
        vm.assertEq(expected << (16 * uint256(purpose)), used, "used");
    }

    /// @dev Denied, for this among other reasons.
    function _assertDenied(uint32 missing, Verdict verdict) private pure {
        vm.assertEq(Codes.DENY, verdict.outcome(), "outcome");
        vm.assertEq(missing, verdict.missing() & missing, "missing");
    }

    function _giveLimited(uint16 maxUses) private {
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        given.maxUses = maxUses;
        _give(given);
    }

    function _release(uint32 memberId, bytes32 passportId, uint40 seq) private {
        _as(memberId);
        ledger.recordRelease(passportId, seq, CONTENT);
    }

    function _assertReleaseIsRecorded() private onlyChanges(NOTHING) {
        vm.expectEmit(address(ledger));
        emit IReleases.ReleaseRecorded(PASSPORT, 0, HOSPITAL, CONTENT);
        _release(HOSPITAL, PASSPORT, 0);
    }

    /// @dev The verdicts in the logs of a batch, whose other words must be those of the requests.
    function _decisionsLogged(
        uint32 caller,
        IDecisions.Request[] memory requests
    ) private returns (bytes32[5] memory verdicts) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(requests.length, logs.length, "number of events");
        for (uint256 index = 0; index < logs.length; ++index) {
            vm.assertEq(IDecisions.DecisionRecorded.selector, logs[index].topics[0], "event");
            vm.assertEq(requests[index].passportId, logs[index].topics[1], "passport");
            vm.assertEq(requests[index].grantId, logs[index].topics[2], "grant");
            vm.assertEq(bytes32(uint256(caller)), logs[index].topics[3], "member");
            bytes32 commitment;
            uint256 terms;
            (terms, verdicts[index], commitment) = abi.decode(logs[index].data, (uint256, bytes32, bytes32));
            vm.assertEq(Terms.unwrap(requests[index].terms), terms, "terms");
            vm.assertEq(requests[index].commitment, commitment, "commitment");
        }
    }

    function _assertMalformed(Terms terms) private {
        _expectRevert(IDecisions.Decisions_Malformed.selector, uint256(0), Terms.unwrap(terms));
        _decide(terms);
    }

    function _assertVerdict(uint8 outcome, uint32 missing, Verdict verdict) private pure {
        vm.assertEq(missing, verdict.missing(), "missing");
        vm.assertEq(outcome, verdict.outcome(), "outcome");
    }
}
