// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBorders} from "../../contracts/interfaces/IBorders.sol";
import {ICommittee} from "../../contracts/interfaces/ICommittee.sol";
import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IDecisions} from "../../contracts/interfaces/IDecisions.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {IProjects} from "../../contracts/interfaces/IProjects.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {Facts} from "../../contracts/libraries/Facts.sol";
import {Terms, TermsLib} from "../../contracts/libraries/Terms.sol";
import {Verdict} from "../../contracts/libraries/Verdict.sol";
import {LedgerTest} from "./Base.t.sol";

/// @notice Data of a hospital abroad, asked for by the lab.
contract BordersTest is LedgerTest {
    using TermsLib for Terms;

    uint32 private constant FOREIGN = FOUNDED + 1; // keeps data abroad
    uint32 private constant GUARD = FOUNDED + 2; // regulator there
    uint32 private constant CERTIFIER = FOUNDED + 3; // verifier there
    uint32 private constant OTHER_FOREIGN = FOUNDED + 4;
    uint32 private constant END = START + 10 * DAY;
    uint256 private constant YEAR = 2027; // of START
    /// @dev Midnight in Beijing before 1 January 2028.
    uint32 private constant NEW_YEAR = 1_830_268_800;
    bytes32 private constant FIRST = keccak256("first");
    bytes32 private constant SECOND = keccak256("second"); // of the same person
    bytes32 private constant THIRD = keccak256("third"); // of another

    function setUp() public override {
        super.setUp();
        _admitAbroad(FOREIGN, Codes.ROLE_CUSTODIAN);
        _admitAbroad(GUARD, Codes.ROLE_REGULATOR);
        _admitAbroad(CERTIFIER, Codes.ROLE_VERIFIER);
        _admitAbroad(OTHER_FOREIGN, Codes.ROLE_CUSTODIAN);
        _issueAndGive(FOREIGN, FIRST, HOLDER_KEY);
        _issueAndGive(FOREIGN, SECOND, HOLDER_KEY);
        _issueAndGive(FOREIGN, THIRD, OTHER_HOLDER_KEY);
        _openBorder(LAB, MEMBERSHIP_END);
    }

    /* WHAT CLEARS */

    function test_WhenNothingClears_RequestIsDenied() external {
        _assertDenied(FIRST);
        vm.assertEq(0, ledger.clearanceFor(PROJECT, FOREIGN), "clearance");
    }

    function test_WhenCleared_RequestIsPermittedWhileItLasts() external {
        IBorders.Clearance memory clearance = _clearanceOf(PROJECT, FOREIGN, END);
        clearance.validFrom = START + DAY;
        _clear(GUARD, clearance);
        _assertDenied(FIRST);
        vm.warp(START + DAY - 1);
        _assertDenied(FIRST);
        vm.warp(START + DAY);
        _assertPermitted(FIRST);
        vm.warp(END - 1);
        _assertPermitted(FIRST);
        vm.warp(END);
        _assertDenied(FIRST);
    }

    function test_WhenAnotherProjectOrExporterIsCleared_ItClearsNothing() external {
        _clear(GUARD, _clearanceOf(_file(LAB, _projectDraft()), FOREIGN, END));
        _clear(GUARD, _clearanceOf(PROJECT, OTHER_FOREIGN, END));
        _assertDenied(FIRST);
    }

    function test_WhenImporterIsNotOnTheList_RequestIsDenied() external {
        _clear(GUARD, _clearanceOf(PROJECT, FOREIGN, MEMBERSHIP_END));
        _openBorder(LAB, END);
        vm.warp(END - 1);
        _assertPermitted(FIRST);
        vm.warp(END);
        _assertDenied(FIRST);
        _openBorder(LAB, END + 1);
        _assertPermitted(FIRST);
        _openBorder(LAB, 0);
        _assertDenied(FIRST);
    }

    /// @dev The data goes to the processor: what counts is where that is.
    function test_WhenProcessorIsAbroad_ItMustBeOnTheList() external {
        _entrust(LAB, OTHER_FOREIGN, MEMBERSHIP_END);
        Terms terms = _trainingTerms().onBehalfOf(LAB);
        IDecisions.Request memory request = _request(PASSPORT, GRANT, terms);
        _clear(PROJECT, HOSPITAL, MEMBERSHIP_END);
        _assertMissing(Facts.BORDER_CLEARED, _decide(OTHER_FOREIGN, request));
        _openBorder(OTHER_FOREIGN, MEMBERSHIP_END);
        _assertMissing(0, _decide(OTHER_FOREIGN, request));
        _assertExports(HOSPITAL, 1, 1);
    }

    /// @dev The data serves the controller: what counts is where that is, too.
    function test_WhenControllerIsAbroad_ItMustBeOnTheList() external {
        uint32 filed = _file(OTHER_FOREIGN, _projectDraft());
        _approve(filed);
        _entrust(OTHER_FOREIGN, LAB, MEMBERSHIP_END);
        IConsents.Grant memory given = _grantOf(keccak256("the controller's"), PASSPORT);
        given.recipient = OTHER_FOREIGN;
        _give(given);
        Terms terms = _trainingTerms(filed).onBehalfOf(OTHER_FOREIGN);
        IDecisions.Request memory request = _request(PASSPORT, given.grantId, terms);
        _assertMissing(Facts.BORDER_CLEARED, _decide(LAB, request));
        _clear(filed, HOSPITAL, MEMBERSHIP_END);
        _assertMissing(Facts.BORDER_CLEARED, _decide(LAB, request)); // the processor is on the list
        _openBorder(OTHER_FOREIGN, MEMBERSHIP_END);
        _openBorder(LAB, 0); // at home
        _assertMissing(0, _decide(LAB, request));
        _assertExports(HOSPITAL, 1, 1);
    }

    function test_WhenBothAreAbroad_BothMustBeOnTheList() external {
        _clear(GUARD, _clearanceOf(PROJECT, FOREIGN, END));
        _entrust(LAB, CLINIC, MEMBERSHIP_END);
        IDecisions.Request memory request = _request(FIRST, FIRST, _trainingTerms().onBehalfOf(LAB));
        _assertMissing(Facts.BORDER_CLEARED, _decide(CLINIC, request));
        _openBorder(CLINIC, END);
        _assertMissing(0, _decide(CLINIC, request));
        _openBorder(LAB, 0);
        _assertMissing(Facts.BORDER_CLEARED, _decide(CLINIC, request));
    }

    function test_WhenWithdrawn_RequestIsDenied() external {
        uint32 clearanceId = _clear(GUARD, _clearanceOf(PROJECT, FOREIGN, END));
        _assertPermitted(FIRST);
        vm.expectEmit(address(ledger));
        emit IBorders.ClearanceWithdrawn(clearanceId, GUARD, COMMITMENT);
        _as(GUARD);
        ledger.withdrawClearance(clearanceId, COMMITMENT);
        _assertDenied(FIRST);
        _expectRevert(IBorders.Borders_Over.selector, clearanceId);
        _as(GUARD);
        ledger.withdrawClearance(clearanceId, COMMITMENT);
    }

    function test_WhenGivenAnew_OnlyTheLatestCounts() external {
        _clear(GUARD, _clearanceOf(PROJECT, FOREIGN, MEMBERSHIP_END));
        uint32 latest = _clear(GUARD, _clearanceOf(PROJECT, FOREIGN, END));
        vm.assertEq(latest, ledger.clearanceFor(PROJECT, FOREIGN), "clearance");
        vm.warp(END);
        _assertDenied(FIRST);
    }

    function test_WhenContractEnds_ItClearsNoMore() external {
        uint32 agreementId = _agree(FOREIGN, _limitsFor(LAB));
        IBorders.Clearance memory clearance = _clearanceOf(PROJECT, FOREIGN, END);
        clearance.path = IBorders.Path.CONTRACT;
        clearance.agreement = agreementId;
        _clear(GUARD, clearance);
        _assertPermitted(FIRST);
        _as(FOREIGN);
        ledger.endAgreement(agreementId, COMMITMENT);
        _assertDenied(FIRST);
    }

    function test_WhenCertified_ItClears() external {
        IBorders.Clearance memory clearance = _clearanceOf(PROJECT, FOREIGN, END);
        clearance.path = IBorders.Path.CERTIFICATION;
        _clear(CERTIFIER, clearance);
        _assertPermitted(FIRST);
    }

    /* PERSONS */

    function test_WhenPersonCrossesAgain_ItCountsOnce() external {
        uint32 clearanceId = _clear(GUARD, _clearanceOf(PROJECT, FOREIGN, END));
        _assertPermitted(FIRST);
        _assertExports(FOREIGN, 1, 1);
        _assertPermitted(FIRST);
        _assertPermitted(SECOND); // another passport of the same person
        _assertExports(FOREIGN, 1, 1);
        _assertPermitted(THIRD);
        _assertExports(FOREIGN, 2, 2);
        vm.assertEq(2, ledger.clearanceOf(clearanceId).persons, "under the clearance");
    }

    /// @dev Who makes the keys could make one for everybody.
    function test_WhenExporterKeepsTheKey_EachPassportIsAPerson() external {
        bytes32[2] memory assisted = [keccak256("assisted"), keccak256("assisted too")];
        _clear(GUARD, _clearanceOf(PROJECT, FOREIGN, END));
        for (uint256 index = 0; index < 2; ++index) {
            IPassports.Issue memory given = _issueOf(assisted[index], vm.addr(HOLDER_KEY));
            given.custody = IPassports.Custody.ASSISTED;
            _issueAndGive(FOREIGN, given, HOLDER_KEY);
            _assertPermitted(assisted[index]);
            _assertPermitted(assisted[index]);
        }
        _assertExports(FOREIGN, 2, 2);
        _assertPermitted(FIRST); // who keeps the same key counts by it
        _assertPermitted(SECOND);
        _assertExports(FOREIGN, 3, 3);
    }

    function test_WhenDenied_NobodyCounts() external {
        _clear(GUARD, _clearanceOf(PROJECT, FOREIGN, END));
        IDecisions.Request memory request = _request(FIRST, 0, _trainingTerms());
        vm.assertTrue(_decide(LAB, request).missing() != 0, "no grant");
        _assertExports(FOREIGN, 0, 0);
    }

    function test_WhenClearanceIsFull_OnlyThoseWhoCrossedGoOn() external {
        IBorders.Clearance memory clearance = _clearanceOf(PROJECT, FOREIGN, END);
        clearance.maxPersons = 1;
        _clear(GUARD, clearance);
        _assertPermitted(FIRST);
        _assertDenied(THIRD);
        _assertPermitted(SECOND);
        _clear(GUARD, clearance); // a new one is empty
        _assertPermitted(THIRD);
        _assertDenied(FIRST);
    }

    /// @dev In one batch the count is as exact as in many.
    function test_WhenSplitOrTogether_TheSameAreRefused() external {
        IBorders.Clearance memory clearance = _clearanceOf(PROJECT, FOREIGN, END);
        clearance.maxPersons = 1;
        _clear(GUARD, clearance);
        IDecisions.Target[] memory targets = new IDecisions.Target[](3);
        targets[0] = IDecisions.Target(FIRST, FIRST);
        targets[1] = IDecisions.Target(THIRD, THIRD);
        targets[2] = IDecisions.Target(SECOND, SECOND);
        IDecisions.Batch[] memory batches = new IDecisions.Batch[](1);
        batches[0] = IDecisions.Batch(_trainingTerms(), COMMITMENT, targets);
        _as(LAB);
        Verdict[] memory verdicts = ledger.decide(batches);
        _assertMissing(0, verdicts[0]);
        _assertMissing(Facts.BORDER_CLEARED, verdicts[1]);
        _assertMissing(0, verdicts[2]);
    }

    function test_WhenAtHome_NothingIsAskedOrCounted() external {
        _assertMissing(0, _decide(LAB, _request(PASSPORT, GRANT, _trainingTerms())));
        _assertExports(HOSPITAL, 0, 0);
    }

    /* THRESHOLDS */

    function test_WhenThresholdIsReached_OnlyAssessmentClears() external {
        _setThresholds(10, 1);
        IBorders.Clearance memory clearance = _clearanceOf(PROJECT, FOREIGN, END);
        clearance.path = IBorders.Path.CERTIFICATION;
        _clear(CERTIFIER, clearance);
        _assertPermitted(FIRST);
        _assertDenied(THIRD);
        _assertPermitted(SECOND); // counted this year
        clearance.path = IBorders.Path.ASSESSMENT;
        _clear(GUARD, clearance);
        _assertPermitted(THIRD);
        _assertExports(FOREIGN, 2, 2);
    }

    function test_WhenDataIsNotSensitive_TheWiderThresholdCounts() external {
        _setThresholds(2, 1);
        IBorders.Clearance memory clearance = _clearanceOf(PROJECT, FOREIGN, END);
        clearance.path = IBorders.Path.CERTIFICATION;
        _clear(CERTIFIER, clearance);
        _assertMissing(0, _decide(LAB, _vitals(FIRST)));
        _assertExports(FOREIGN, 1, 0);
        _assertMissing(0, _decide(LAB, _vitals(THIRD)));
        _assertExports(FOREIGN, 2, 0);
        // Counted already, but not with sensitive data.
        _assertPermitted(FIRST);
        _assertExports(FOREIGN, 2, 1);
        _assertDenied(THIRD);
        _assertMissing(0, _decide(LAB, _vitals(THIRD)));
        _setThresholds(1, 9);
        _assertPermitted(THIRD); // each person is counted: nothing more to exceed
        _assertExports(FOREIGN, 2, 2);
    }

    function test_WhenYearEnds_CountBeginsAnew() external {
        _setThresholds(1, 1);
        IBorders.Clearance memory clearance = _clearanceOf(PROJECT, FOREIGN, MEMBERSHIP_END);
        clearance.path = IBorders.Path.CERTIFICATION;
        _clear(CERTIFIER, clearance);
        vm.warp(NEW_YEAR - 1);
        bytes32 later = keccak256("later");
        _regrant(later, FIRST, HOLDER_KEY);
        _regrant(SECOND, THIRD, OTHER_HOLDER_KEY);
        _assertMissing(0, _decide(LAB, _longRequest(FIRST, later)));
        vm.assertEq(1, ledger.exportsOf(FOREIGN, YEAR).persons, "the old year");
        _assertMissing(Facts.BORDER_CLEARED, _decide(LAB, _longRequest(THIRD, SECOND)));
        vm.warp(NEW_YEAR);
        _assertMissing(0, _decide(LAB, _longRequest(THIRD, SECOND)));
        vm.assertEq(1, ledger.exportsOf(FOREIGN, YEAR).persons, "the old year still");
        vm.assertEq(1, ledger.exportsOf(FOREIGN, YEAR + 1).persons, "the new one");
    }

    function test_WhenFounded_ThresholdsAreThoseOfTheLaw() external view {
        vm.assertEq(
            abi.encode(IBorders.Thresholds(1_000_000, 10_000)),
            abi.encode(ledger.thresholds()),
            "thresholds"
        );
    }

    function test_WhenThresholdsAreSet_TheyAreInForce() external {
        vm.expectEmit(address(ledger));
        emit IBorders.ThresholdsSet(IBorders.Thresholds(3, 2));
        _setThresholds(3, 2);
        vm.assertEq(abi.encode(IBorders.Thresholds(3, 2)), abi.encode(ledger.thresholds()), "thresholds");
        _expectRevert(IBorders.Borders_Incomplete.selector);
        _setThresholds(0, 1);
        _expectRevert(IBorders.Borders_Incomplete.selector);
        _setThresholds(1, 0);
    }

    /* WHO MAY CLEAR */

    function test_WhenCleared_ItIsOnFile() external {
        IBorders.Clearance memory clearance = _clearanceOf(PROJECT, FOREIGN, END);
        clearance.issuer = LAB; // not read
        clearance.persons = 7; // not read
        IBorders.Clearance memory expected = _clearanceOf(PROJECT, FOREIGN, END);
        expected.issuer = GUARD;
        vm.expectEmit(address(ledger));
        emit IBorders.ClearanceIssued(1, PROJECT, FOREIGN, expected, COMMITMENT);
        vm.assertEq(1, _clear(GUARD, clearance), "number");
        vm.assertEq(abi.encode(expected), abi.encode(ledger.clearanceOf(1)), "clearance");
        vm.assertEq(1, ledger.clearanceFor(PROJECT, FOREIGN), "the one that counts");
        vm.assertEq(1, ledger.clearanceCount(), "count");
    }

    function test_RevertWhen_IssuerIsNotQualified() external {
        IBorders.Clearance memory clearance = _clearanceOf(PROJECT, FOREIGN, END);
        _expectRevert(IMembers.Members_MissingRole.selector, CERTIFIER, uint256(Codes.ROLE_REGULATOR));
        _clear(CERTIFIER, clearance);
        _expectRevert(IBorders.Borders_NotQualified.selector, REGULATOR); // of the importer's country
        _clear(REGULATOR, clearance);
        clearance.path = IBorders.Path.CERTIFICATION;
        _expectRevert(IMembers.Members_MissingRole.selector, GUARD, uint256(Codes.ROLE_VERIFIER));
        _clear(GUARD, clearance);
        _expectRevert(IBorders.Borders_NotQualified.selector, VERIFIER);
        _clear(VERIFIER, clearance);
    }

    function test_RevertWhen_IssuerIsASide() external {
        uint32 own = _file(GUARD, _projectDraft());
        _expectRevert(IBorders.Borders_NotQualified.selector, GUARD);
        _clear(GUARD, _clearanceOf(own, FOREIGN, END));
        _expectRevert(IBorders.Borders_NotQualified.selector, GUARD);
        _clear(GUARD, _clearanceOf(PROJECT, GUARD, END));
    }

    function test_RevertGiven_ProjectOrExporterIsUnknown() external {
        _expectRevert(IProjects.Projects_Unknown.selector, NOBODY);
        _clear(GUARD, _clearanceOf(NOBODY, FOREIGN, END));
        _expectRevert(IMembers.Members_Unknown.selector, NOBODY);
        _clear(GUARD, _clearanceOf(PROJECT, NOBODY, END));
    }

    function test_RevertWhen_ClearanceIsIncomplete() external {
        IBorders.Clearance memory clearance = _clearanceOf(PROJECT, FOREIGN, END);
        clearance.path = IBorders.Path.NONE;
        _assertIncomplete(GUARD, clearance);
        clearance = _clearanceOf(PROJECT, FOREIGN, START); // over
        clearance.validFrom = START - 1;
        _assertIncomplete(GUARD, clearance);
        clearance = _clearanceOf(PROJECT, FOREIGN, END);
        clearance.validFrom = END;
        _assertIncomplete(GUARD, clearance);
        clearance = _clearanceOf(PROJECT, FOREIGN, END);
        clearance.maxPersons = 0;
        _assertIncomplete(GUARD, clearance);
        _assertIncomplete(REGULATOR, _clearanceOf(PROJECT, LAB, END)); // the importer's own data
        clearance = _clearanceOf(PROJECT, FOREIGN, END);
        _expectRevert(IBorders.Borders_Incomplete.selector);
        _as(GUARD);
        ledger.clear(clearance, 0);
    }

    function test_RevertWhen_ContractDoesNotFit() external {
        IBorders.Clearance memory clearance = _clearanceOf(PROJECT, FOREIGN, END);
        clearance.agreement = _agree(FOREIGN, _limitsFor(LAB));
        _assertIncomplete(GUARD, clearance); // an assessment rests on none
        clearance.path = IBorders.Path.CONTRACT;
        clearance.agreement = 0;
        _assertIncomplete(GUARD, clearance);
        clearance.agreement = NOBODY;
        _assertIncomplete(GUARD, clearance);
        clearance.agreement = _propose(FOREIGN, _limitsFor(LAB)); // not signed
        _assertIncomplete(GUARD, clearance);
        clearance.agreement = _agree(OTHER_FOREIGN, _limitsFor(LAB)); // of another exporter
        _assertIncomplete(GUARD, clearance);
        clearance.agreement = _agree(FOREIGN, _limitsFor(OTHER_FOREIGN)); // with another importer
        _assertIncomplete(GUARD, clearance);
        clearance.agreement = 1;
        _clear(GUARD, clearance);
    }

    /// @dev Otherwise a verifier would undo the limits that a regulator set.
    function test_RevertWhen_CertificationWouldReplaceARegulatorsClearance() external {
        IBorders.Clearance memory certified = _clearanceOf(PROJECT, FOREIGN, MEMBERSHIP_END);
        certified.path = IBorders.Path.CERTIFICATION;
        _clear(CERTIFIER, certified);
        _clear(CERTIFIER, certified);
        uint32 assessed = _clear(GUARD, _clearanceOf(PROJECT, FOREIGN, END));
        vm.warp(END - 1);
        _expectRevert(IBorders.Borders_Standing.selector, assessed);
        _clear(CERTIFIER, certified);
        vm.warp(END);
        _clear(CERTIFIER, certified);

        IBorders.Clearance memory contracted = _clearanceOf(PROJECT, FOREIGN, MEMBERSHIP_END);
        contracted.path = IBorders.Path.CONTRACT;
        contracted.agreement = _agree(FOREIGN, _limitsFor(LAB));
        uint32 byContract = _clear(GUARD, contracted);
        _expectRevert(IBorders.Borders_Standing.selector, byContract);
        _clear(CERTIFIER, certified);
        _as(FOREIGN);
        ledger.endAgreement(contracted.agreement, COMMITMENT);
        _clear(CERTIFIER, certified);
    }

    function test_RevertWhen_MemberPutsItselfOnTheList() external {
        _expectRevert(IBorders.Borders_NotQualified.selector, REGULATOR);
        _openBorder(REGULATOR, END);
        _expectRevert(IMembers.Members_Unknown.selector, NOBODY);
        _openBorder(NOBODY, END);
        vm.expectEmit(address(ledger));
        emit IBorders.BorderAccessSet(LAB, REGULATOR, END);
        _openBorder(LAB, END);
        vm.assertEq(END, ledger.borderAccessOf(LAB), "access");
    }

    function test_WhenRegulatorOfTheCountryWithdraws_ItIsOver() external {
        IBorders.Clearance memory clearance = _clearanceOf(PROJECT, FOREIGN, END);
        clearance.path = IBorders.Path.CERTIFICATION;
        uint32 clearanceId = _clear(CERTIFIER, clearance);
        _expectRevert(IBorders.Borders_NotQualified.selector, REGULATOR); // of another country
        _as(REGULATOR);
        ledger.withdrawClearance(clearanceId, COMMITMENT);
        _as(GUARD);
        ledger.withdrawClearance(clearanceId, COMMITMENT);
        vm.assertEq(START, ledger.clearanceOf(clearanceId).validTo, "end");
        _expectRevert(IBorders.Borders_Unknown.selector, NOBODY);
        _as(GUARD);
        ledger.withdrawClearance(NOBODY, COMMITMENT);
    }

    /// @dev The ledger counts when it decides, and never because the committee says so.
    function test_RevertWhen_CommitteeWouldCount() external {
        bytes memory call_ = abi.encodeCall(
            ledger.countCrossing,
            (IBorders.Crossing(PROJECT, FOREIGN, LAB, true, FIRST))
        );
        _expectRevert(ICommittee.Committee_NotAnAct.selector, bytes32(ledger.countCrossing.selector));
        _as(COMMITTEE);
        ledger.propose(call_, COMMITMENT);
    }

    /* HELPERS */

    function _admitAbroad(uint32 memberId, uint16 roles) private {
        IMembers.Admission memory admission = _admission(memberId, roles);
        admission.jurisdiction = ABROAD;
        _admit(admission);
    }

    /// @dev The grant has the passport's id.
    function _issueAndGive(uint32 custodian, bytes32 passportId, uint256 key) private {
        _issueAndGive(custodian, _issueOf(passportId, vm.addr(key)), key);
    }

    function _issueAndGive(uint32 custodian, IPassports.Issue memory issue, uint256 key) private {
        _issue(custodian, issue);
        IConsents.Grant memory given = _grantOf(issue.passportId, issue.passportId);
        given.categories = ASKED | Codes.VITALS;
        _give(given, _signed(key, given));
    }

    function _regrant(bytes32 grantId, bytes32 passportId, uint256 key) private {
        IConsents.Grant memory given = _grantOf(grantId, passportId);
        given.grantId = keccak256(abi.encode(grantId));
        given.useFrom = NEW_YEAR - 1;
        given.useTo = NEW_YEAR + DAY;
        _give(given, _signed(key, given));
    }

    function _longRequest(
        bytes32 passportId,
        bytes32 grantId
    ) private pure returns (IDecisions.Request memory) {
        return _request(passportId, keccak256(abi.encode(grantId)), _trainingTerms());
    }

    function _vitals(bytes32 passportId) private pure returns (IDecisions.Request memory) {
        Terms terms = TermsLib.pack(Codes.AI_TRAINING, Codes.CONSENT, Codes.READ, Codes.VITALS, PROJECT);
        return _request(passportId, passportId, terms.atLevel(Codes.DEIDENTIFIED));
    }

    function _setThresholds(uint32 persons, uint32 sensitive) private {
        _asCommittee();
        ledger.setThresholds(IBorders.Thresholds(persons, sensitive));
    }

    function _assertPermitted(bytes32 passportId) private {
        _assertMissing(0, _decide(LAB, _request(passportId, passportId, _trainingTerms())));
    }

    function _assertDenied(bytes32 passportId) private {
        _assertMissing(
            Facts.BORDER_CLEARED,
            _decide(LAB, _request(passportId, passportId, _trainingTerms()))
        );
    }

    function _assertMissing(uint32 missing, Verdict verdict) private pure {
        vm.assertEq(missing, verdict.missing(), "missing");
    }

    function _assertIncomplete(uint32 issuer, IBorders.Clearance memory clearance) private {
        _expectRevert(IBorders.Borders_Incomplete.selector);
        _clear(issuer, clearance);
    }

    function _assertExports(uint32 exporter, uint32 persons, uint32 sensitive) private view {
        vm.assertEq(
            abi.encode(IBorders.Exports(persons, sensitive)),
            abi.encode(ledger.exportsOf(exporter, YEAR)),
            "exports"
        );
    }
}
