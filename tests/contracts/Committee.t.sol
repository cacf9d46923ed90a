// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICommittee} from "../../contracts/interfaces/ICommittee.sol";
import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPolicy} from "../../contracts/interfaces/IPolicy.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {LedgerTest} from "./Base.t.sol";

/// @notice Seats that decide together. Three sit: a convenor, law, patients. Acts about members need two of them, a
/// patient among them, and wait for a day; acts about seats need two, at once; every other act one, at once.
contract CommitteeTest is LedgerTest {
    uint32 private constant LAWYER = FOUNDED + 1;
    uint32 private constant PATIENT = FOUNDED + 2;
    uint32 private constant SPARE = FOUNDED + 3; // may be seated, is not
    uint32 private constant ACT = 1;
    uint16 private constant PATIENTS = uint16(1 << uint8(ICommittee.SeatKind.PATIENTS));

    function setUp() public override {
        super.setUp();
        _admit(LAWYER, Codes.ROLE_COMMITTEE);
        _admit(PATIENT, Codes.ROLE_COMMITTEE);
        _admit(SPARE, Codes.ROLE_COMMITTEE);
        _seat(LAWYER, ICommittee.SeatKind.LAW);
        _seat(PATIENT, ICommittee.SeatKind.PATIENTS);
        _rule(ICommittee.ActKind.MEMBERS, ICommittee.Rule(2, PATIENTS, DAY));
        _rule(ICommittee.ActKind.SEATS, ICommittee.Rule(2, 0, 0));
    }

    /* PROPOSE, APPROVE, EXECUTE */

    function test_WhenProposed_ActIsOnFileWithItsFirstApproval() external onlyChanges(COMMITTEE_ACTS) {
        bytes memory call_ = _suspendLab();
        vm.expectEmit(address(ledger));
        emit ICommittee.ActProposed(ACT, COMMITTEE, ICommittee.ActKind.MEMBERS, call_, COMMITMENT);
        vm.assertEq(ACT, _propose(COMMITTEE, call_), "number of the act");

        vm.assertEq(1, ledger.actCount(), "count");
        ICommittee.Act memory expected;
        expected.kind = ICommittee.ActKind.MEMBERS;
        expected.proposedAt = START;
        expected.approvers = new uint32[](1);
        expected.approvers[0] = COMMITTEE;
        expected.call = call_;
        vm.assertEq(abi.encode(expected), abi.encode(ledger.actOf(ACT)), "act");
    }

    function test_WhenApprovedByTheLastOneNeeded_TheWaitBegins() external onlyChanges(COMMITTEE_ACTS) {
        _propose(COMMITTEE, _suspendLab());
        vm.warp(START + 1 hours);
        vm.expectEmit(address(ledger));
        emit ICommittee.ActApproved(ACT, PATIENT);
        _approveAct(PATIENT);
        vm.assertEq(START + 1 hours, ledger.actOf(ACT).approvedAt, "start of the wait");
        vm.assertEq(false, ledger.actOf(ACT).executed, "not yet");
    }

    function test_WhenTheWaitIsOver_AnybodyExecutes() external onlyChanges(COMMITTEE_ACTS | MEMBERS) {
        _proposeAndApprove();
        vm.warp(START + DAY);
        vm.expectEmit(address(ledger));
        emit IMembers.MemberSuspended(LAB, COMMITMENT);
        vm.expectEmit(address(ledger));
        emit ICommittee.ActExecuted(ACT);
        vm.prank(STRANGER);
        ledger.execute(ACT);
        vm.assertTrue(ledger.actOf(ACT).executed, "executed");
    }

    function test_RevertWhen_TheWaitIsNotOver() external {
        _proposeAndApprove();
        vm.warp(START + DAY - 1);
        _expectRevert(ICommittee.Committee_NotReady.selector, ACT, START + DAY);
        ledger.execute(ACT);
    }

    function test_WhenThirdSeatApproves_TheWaitDoesNotBeginAnew() external {
        _proposeAndApprove();
        vm.warp(START + DAY - 1);
        _approveAct(LAWYER);
        vm.warp(START + DAY);
        ledger.execute(ACT);
        vm.assertTrue(ledger.actOf(ACT).executed, "executed");
    }

    function test_WhenRuleNeedsNoMore_ProposingIsDoing() external onlyChanges(COMMITTEE_ACTS | TEMPLATES) {
        _propose(LAWYER, abi.encodeCall(ledger.withdrawTemplate, (TEMPLATE)));
        vm.assertTrue(ledger.actOf(ACT).executed, "executed");
        vm.assertTrue(ledger.templateOf(TEMPLATE).withdrawn, "withdrawn");
    }

    function test_WhenRuleHasNoDelay_LastApprovalIsDoing() external {
        _propose(LAWYER, abi.encodeCall(ledger.setSeat, (SPARE, ICommittee.SeatKind.PRIVACY)));
        _approveAct(COMMITTEE);
        (uint32[] memory memberIds, ICommittee.SeatKind[] memory kinds) = ledger.seats();
        vm.assertEq(SPARE, memberIds[3], "seated");
        vm.assertTrue(kinds[3] == ICommittee.SeatKind.PRIVACY, "kind");
    }

    function test_RevertWhen_SeatApprovesTwice() external {
        _propose(COMMITTEE, _suspendLab());
        _expectRevert(ICommittee.Committee_AlreadyApproved.selector, ACT, COMMITTEE);
        _approveAct(COMMITTEE);
        _approveAct(PATIENT);
        _expectRevert(ICommittee.Committee_AlreadyApproved.selector, ACT, PATIENT);
        _approveAct(PATIENT);
    }

    function test_RevertGiven_KindOfSeatIsMissing() external {
        _propose(COMMITTEE, _suspendLab());
        _approveAct(LAWYER); // two of two, but no patient
        vm.assertEq(0, ledger.actOf(ACT).approvedAt, "not approved");
        vm.warp(START + 2 * DAY);
        _expectRevert(ICommittee.Committee_NotReady.selector, ACT, 0);
        ledger.execute(ACT);
    }

    function test_RevertGiven_QuorumIsMissing() external {
        _propose(PATIENT, _suspendLab());
        vm.warp(START + 2 * DAY);
        _expectRevert(ICommittee.Committee_NotReady.selector, ACT, 0);
        ledger.execute(ACT);
    }

    function test_RevertGiven_AlreadyExecuted() external {
        _proposeAndApprove();
        vm.warp(START + DAY);
        ledger.execute(ACT);
        _expectRevert(ICommittee.Committee_AlreadyExecuted.selector, ACT);
        ledger.execute(ACT);
        _expectRevert(ICommittee.Committee_AlreadyExecuted.selector, ACT);
        _approveAct(LAWYER);
    }

    function test_WhenActIsThirtyDaysOld_ItIsExpired() external {
        _proposeAndApprove();
        vm.warp(START + 30 * DAY);
        _expectRevert(ICommittee.Committee_Expired.selector, ACT);
        ledger.execute(ACT);
        _expectRevert(ICommittee.Committee_Expired.selector, ACT);
        _approveAct(LAWYER);

        vm.warp(START + 30 * DAY - 1);
        ledger.execute(ACT);
        vm.assertTrue(ledger.actOf(ACT).executed, "a second earlier it was not");
    }

    function test_RevertWhen_ActIsUnknown() external {
        uint32[2] memory actIds = [uint32(0), ACT];
        for (uint256 index = 0; index < actIds.length; ++index) {
            _expectRevert(ICommittee.Committee_Unknown.selector, actIds[index]);
            ledger.execute(actIds[index]);
            _expectRevert(ICommittee.Committee_Unknown.selector, actIds[index]);
            _as(COMMITTEE);
            ledger.approve(actIds[index]);
        }
    }

    function test_RevertWhen_CallerHasNoSeat() external {
        _propose(COMMITTEE, _suspendLab());
        _expectRevert(ICommittee.Committee_NoSeat.selector, SPARE); // the role alone is no seat
        _propose(SPARE, _suspendLab());
        _expectRevert(ICommittee.Committee_NoSeat.selector, SPARE);
        _approveAct(SPARE);
        _expectRevert(IMembers.Members_NotMember.selector, STRANGER);
        vm.prank(STRANGER);
        ledger.approve(ACT);
        _suspend(PATIENT);
        _expectRevert(IMembers.Members_NotActive.selector, PATIENT);
        _approveAct(PATIENT);
    }

    /* WHAT AN ACT CAN BE */

    function test_RevertWhen_CallIsNotAnAct() external {
        bytes[6] memory calls = [
            bytes(""),
            bytes(hex"ffffffff"),
            abi.encodeCall(ledger.destroy, (PASSPORT, COMMITMENT)),
            abi.encodeCall(ledger.execute, (ACT)),
            abi.encodeCall(ledger.approve, (ACT)),
            abi.encodeWithSelector(0x12345678, uint256(1))
        ];
        for (uint256 index = 0; index < calls.length; ++index) {
            _expectRevert(ICommittee.Committee_NotAnAct.selector, bytes32(bytes4(calls[index])));
            _propose(COMMITTEE, calls[index]);
        }
    }

    /// @dev Each act of the committee, and the kind whose rule it follows.
    function test_WhenProposed_KindFollowsFromTheCall() external {
        for (uint8 kind = 0; kind <= uint8(type(ICommittee.ActKind).max); ++kind)
            _rule(ICommittee.ActKind(kind), ICommittee.Rule(3, 0, DAY));
        bytes4[18] memory selectors = [
            ledger.setSeat.selector,
            ledger.setRule.selector,
            ledger.admit.selector,
            ledger.suspend.selector,
            ledger.reinstate.selector,
            ledger.expel.selector,
            ledger.rotateKeys.selector,
            ledger.license.selector,
            ledger.changeControl.selector,
            ledger.setCaps.selector,
            ledger.setPolicy.selector,
            ledger.issueTemplate.selector,
            ledger.withdrawTemplate.selector,
            ledger.declareEmergency.selector,
            ledger.endEmergency.selector,
            ledger.restoreEmergencyRight.selector,
            ledger.seal.selector,
            ledger.unseal.selector
        ];
        uint8[18] memory kinds = [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4];
        for (uint256 index = 0; index < selectors.length; ++index) {
            uint32 actId = _propose(COMMITTEE, abi.encodePacked(selectors[index]));
            vm.assertEq(kinds[index], uint256(ledger.actOf(actId).kind), "kind");
        }
    }

    function test_WhenCallReverts_ItsReasonIsSeenAndNothingIsDone() external onlyChanges(NOTHING) {
        _expectRevert(IConsents.Consents_OutsideTemplate.selector, TEMPLATE + 1);
        _propose(COMMITTEE, abi.encodeCall(ledger.withdrawTemplate, (TEMPLATE + 1)));
        vm.expectRevert(bytes("")); // calldata that is too short: no reason
        _propose(COMMITTEE, abi.encodePacked(ledger.withdrawTemplate.selector));
    }

    function test_WhenCallRevertsAtExecution_ActStaysPending() external {
        _proposeAndApprove();
        _suspend(LAB);
        vm.warp(START + DAY);
        _expectRevert(IMembers.Members_AlreadySet.selector, LAB);
        ledger.execute(ACT);
        vm.assertEq(false, ledger.actOf(ACT).executed, "not executed");
        _reinstate(LAB);
        ledger.execute(ACT);
        vm.assertTrue(ledger.actOf(ACT).executed, "executed");
    }

    function test_RevertWhen_MemberOfTheCommitteeCallsItself() external {
        _expectOnly(COMMITTEE);
        _as(COMMITTEE);
        ledger.expel(LAB, COMMITMENT);
    }

    /* SEATS THAT ARE LOST */

    function test_RevertGiven_SeatWasLostBetweenApprovalAndExecution() external {
        _proposeAndApprove();
        _seat(PATIENT, ICommittee.SeatKind.NONE);
        vm.warp(START + DAY);
        _expectRevert(ICommittee.Committee_NotReady.selector, ACT, START + DAY);
        ledger.execute(ACT);

        _seat(PATIENT, ICommittee.SeatKind.PATIENTS);
        ledger.execute(ACT);
        vm.assertTrue(ledger.actOf(ACT).executed, "executed");
    }

    function test_RevertGiven_ApproverWasSuspended() external {
        _proposeAndApprove();
        _suspend(PATIENT);
        vm.warp(START + DAY);
        _expectRevert(ICommittee.Committee_NotReady.selector, ACT, START + DAY);
        ledger.execute(ACT);
    }

    function test_WhenSeatChangesItsKind_ItCountsAsWhatItIs() external {
        _proposeAndApprove();
        _seat(PATIENT, ICommittee.SeatKind.PUBLIC);
        vm.warp(START + DAY);
        _expectRevert(ICommittee.Committee_NotReady.selector, ACT, START + DAY);
        ledger.execute(ACT);
    }

    function test_WhenRuleIsRaised_PendingActsFollowIt() external {
        _proposeAndApprove();
        _rule(ICommittee.ActKind.MEMBERS, ICommittee.Rule(3, 0, DAY));
        vm.warp(START + DAY);
        _expectRevert(ICommittee.Committee_NotReady.selector, ACT, START + DAY);
        ledger.execute(ACT);
        _approveAct(LAWYER);
        ledger.execute(ACT);
        vm.assertTrue(ledger.actOf(ACT).executed, "executed");
    }

    function test_WhenRuleIsLowered_TheWaitBeginsWhenAskedFor() external {
        _propose(COMMITTEE, _suspendLab());
        _rule(ICommittee.ActKind.MEMBERS, ICommittee.Rule(1, 0, DAY));
        vm.warp(START + 2 * DAY);
        ledger.execute(ACT);
        vm.assertEq(START + 2 * DAY, ledger.actOf(ACT).approvedAt, "wait began");
        vm.assertTrue(!ledger.actOf(ACT).executed, "still waits");
        _expectRevert(ICommittee.Committee_NotReady.selector, ACT, START + 3 * DAY);
        ledger.execute(ACT);

        vm.warp(START + 3 * DAY);
        ledger.execute(ACT);
        vm.assertTrue(ledger.actOf(ACT).executed, "executed");
    }

    function test_WhenRuleIsLoweredToNoWait_AskingIsDoing() external {
        _propose(COMMITTEE, _suspendLab());
        _rule(ICommittee.ActKind.MEMBERS, ICommittee.Rule(1, 0, 0));
        ledger.execute(ACT);
        vm.assertTrue(ledger.actOf(ACT).executed, "executed");
    }

    /* A COMMITTEE THAT CAN ACT */

    function test_RevertWhen_SuspensionWouldLeaveAnIncapableCommittee() external {
        _propose(COMMITTEE, abi.encodeCall(ledger.suspend, (PATIENT, COMMITMENT)));
        _approveAct(PATIENT);
        vm.warp(START + DAY);
        _expectRevert(ICommittee.Committee_Incapable.selector, uint256(ICommittee.ActKind.MEMBERS));
        ledger.execute(ACT);
        vm.assertTrue(ledger.memberOf(PATIENT).status == IMembers.MemberStatus.ACTIVE, "not suspended");
    }

    /// @dev The calendar alone never leaves the ledger without a committee: what has run out can be renewed.
    function test_WhenLicencesOfAllSeatsEnd_SeatsStillAct() external {
        _rule(ICommittee.ActKind.MEMBERS, ICommittee.Rule(1, 0, 0));
        _propose(COMMITTEE, abi.encodeCall(ledger.license, (COMMITTEE, 0, START + 1)));
        vm.warp(MEMBERSHIP_END);
        _propose(COMMITTEE, abi.encodeCall(ledger.license, (LAB, 0, MEMBERSHIP_END + DAY)));
        vm.assertEq(MEMBERSHIP_END + DAY, ledger.memberOf(LAB).validTo, "renewed");

        // In nothing else does a licence count that has ended, nor is anybody seated with one.
        _as(COMMITTEE);
        _expectRevert(IMembers.Members_NotActive.selector, COMMITTEE);
        ledger.changeControl(LAB, COMMITMENT);
        _expectRevert(ICommittee.Committee_CannotSeat.selector, SPARE);
        _seat(SPARE, ICommittee.SeatKind.LAW);
    }

    function test_RevertWhen_SuspendedSeatProposes() external {
        _suspend(PATIENT);
        _expectRevert(IMembers.Members_NotActive.selector, PATIENT);
        _propose(PATIENT, _suspendLab());
    }

    function test_RevertWhen_LastSeatIsRemoved() external {
        _rule(ICommittee.ActKind.MEMBERS, ICommittee.Rule(1, 0, 0));
        _rule(ICommittee.ActKind.SEATS, ICommittee.Rule(1, 0, 0));
        _propose(PATIENT, abi.encodeCall(ledger.setSeat, (PATIENT, ICommittee.SeatKind.NONE)));
        _propose(LAWYER, abi.encodeCall(ledger.setSeat, (LAWYER, ICommittee.SeatKind.NONE)));
        _expectRevert(ICommittee.Committee_Incapable.selector, uint256(ICommittee.ActKind.SEATS));
        _propose(COMMITTEE, abi.encodeCall(ledger.setSeat, (COMMITTEE, ICommittee.SeatKind.NONE)));
    }

    function test_RevertWhen_RuleCannotBeSatisfied() external {
        ICommittee.Rule[3] memory rules = [
            ICommittee.Rule(4, 0, 0), // three sit
            ICommittee.Rule(1, uint16(1 << uint8(ICommittee.SeatKind.MEDICINE)), 0), // no such seat
            ICommittee.Rule(1, 1, 0) // a seat of no kind
        ];
        for (uint32 index = 0; index < rules.length; ++index) {
            _propose(COMMITTEE, abi.encodeCall(ledger.setRule, (ICommittee.ActKind.DATA, rules[index])));
            _expectRevert(ICommittee.Committee_Incapable.selector, uint256(ICommittee.ActKind.DATA));
            _as(LAWYER);
            ledger.approve(index + 1);
        }
    }

    function test_RevertWhen_QuorumIsZero() external {
        _expectRevert(ICommittee.Committee_Incapable.selector, uint256(ICommittee.ActKind.LAW));
        _rule(ICommittee.ActKind.LAW, ICommittee.Rule(0, 0, 0));
    }

    function test_RevertWhen_ActsWouldExpireBeforeTheyAreReady() external {
        _expectRevert(ICommittee.Committee_Incapable.selector, uint256(ICommittee.ActKind.SEATS));
        _rule(ICommittee.ActKind.SEATS, ICommittee.Rule(1, 0, 30 * DAY));

        _rule(ICommittee.ActKind.SEATS, ICommittee.Rule(1, 0, 30 * DAY - 1));
        _propose(LAWYER, abi.encodeCall(ledger.setSeat, (SPARE, ICommittee.SeatKind.PUBLIC)));
        vm.warp(START + 30 * DAY - 1);
        ledger.execute(ACT);
        _assertSeats([COMMITTEE, LAWYER, PATIENT, SPARE], 4);
    }

    /* SEATS AND RULES */

    function test_WhenSeated_SeatIsListed() external onlyChanges(COMMITTEE_ACTS) {
        vm.expectEmit(address(ledger));
        emit ICommittee.SeatSet(SPARE, ICommittee.SeatKind.SECURITY);
        _seat(SPARE, ICommittee.SeatKind.SECURITY);
        _assertSeats([COMMITTEE, LAWYER, PATIENT, SPARE], 4);
    }

    function test_WhenSeatIsTaken_TheOthersStay() external {
        _seat(SPARE, ICommittee.SeatKind.SECURITY);
        vm.expectEmit(address(ledger));
        emit ICommittee.SeatSet(LAWYER, ICommittee.SeatKind.NONE);
        _seat(LAWYER, ICommittee.SeatKind.NONE);
        _assertSeats([COMMITTEE, SPARE, PATIENT, 0], 3);
        _seat(PATIENT, ICommittee.SeatKind.NONE);
        _assertSeats([COMMITTEE, SPARE, 0, 0], 2);
        _seat(COMMITTEE, ICommittee.SeatKind.NONE);
        _assertSeats([SPARE, 0, 0, 0], 1);
    }

    function test_WhenSeatChangesItsKind_ThereIsStillOne() external {
        _seat(LAWYER, ICommittee.SeatKind.MEDICINE);
        _assertSeats([COMMITTEE, LAWYER, PATIENT, 0], 3);
        (, ICommittee.SeatKind[] memory kinds) = ledger.seats();
        vm.assertTrue(kinds[1] == ICommittee.SeatKind.MEDICINE, "kind");
    }

    function test_RevertWhen_MemberCannotBeSeated() external {
        _expectRevert(ICommittee.Committee_CannotSeat.selector, LAB); // lacks the role
        _seat(LAB, ICommittee.SeatKind.LAW);
        _expectRevert(IMembers.Members_Unknown.selector, NOBODY);
        _seat(NOBODY, ICommittee.SeatKind.LAW);
        _suspend(SPARE);
        _expectRevert(ICommittee.Committee_CannotSeat.selector, SPARE);
        _seat(SPARE, ICommittee.SeatKind.LAW);
        _expectRevert(ICommittee.Committee_NoSeat.selector, SPARE);
        _seat(SPARE, ICommittee.SeatKind.NONE);
    }

    function test_RevertWhen_ThereAreThirtyTwoSeats() external {
        uint32 memberId = SPARE;
        for (uint256 seats = 3; seats < 32; ++seats) {
            _seat(memberId, ICommittee.SeatKind.PUBLIC);
            _admit(++memberId, Codes.ROLE_COMMITTEE);
        }
        _expectRevert(ICommittee.Committee_CannotSeat.selector, memberId);
        _seat(memberId, ICommittee.SeatKind.PUBLIC);
        _seat(LAWYER, ICommittee.SeatKind.PRIVACY); // who sits may change
    }

    function test_WhenRuleIsSet_OnlyItsKindChanges() external {
        ICommittee.Rule memory rule = ICommittee.Rule(3, PATIENTS, 5);
        vm.expectEmit(address(ledger));
        emit ICommittee.RuleSet(ICommittee.ActKind.DATA, rule);
        _rule(ICommittee.ActKind.DATA, rule);
        vm.assertEq(abi.encode(rule), abi.encode(ledger.ruleOf(ICommittee.ActKind.DATA)), "rule");
        vm.assertEq(1, ledger.ruleOf(ICommittee.ActKind.LAW).quorum, "another rule");
    }

    function test_WhenUnknown_ActIsAllZero() external view {
        ICommittee.Act memory nothing;
        vm.assertEq(abi.encode(nothing), abi.encode(ledger.actOf(0)), "act 0");
        vm.assertEq(abi.encode(nothing), abi.encode(ledger.actOf(ACT)), "act 1");
    }

    /// @dev One act of each kind, all the way.
    function test_WhenExecuted_LedgerActsInItsOwnName() external {
        IPolicy.Table memory law = ledger.policy();
        law.bannedPurposes |= 1;
        _propose(COMMITTEE, abi.encodeCall(ledger.setPolicy, (law)));
        vm.assertEq(2, ledger.policyVersion(), "law");
        _propose(PATIENT, abi.encodeCall(ledger.declareEmergency, (_declaration(), COMMITMENT)));
        vm.assertEq(1, ledger.emergencyCount(), "emergency");
        _propose(LAWYER, abi.encodeCall(ledger.seal, (PASSPORT, COMMITMENT)));
        _propose(LAWYER, abi.encodeCall(ledger.unseal, (PASSPORT)));
        vm.assertEq(4, ledger.actCount(), "acts");
    }

    /* HELPERS */

    function _suspendLab() private view returns (bytes memory) {
        return abi.encodeCall(ledger.suspend, (LAB, COMMITMENT));
    }

    function _propose(uint32 memberId, bytes memory call_) private returns (uint32) {
        _as(memberId);
        return ledger.propose(call_, COMMITMENT);
    }

    function _approveAct(uint32 memberId) private {
        _as(memberId);
        ledger.approve(ACT);
    }

    function _proposeAndApprove() private {
        _propose(COMMITTEE, _suspendLab());
        _approveAct(PATIENT);
    }

    function _seat(uint32 memberId, ICommittee.SeatKind kind) private {
        _asCommittee();
        ledger.setSeat(memberId, kind);
    }

    function _rule(ICommittee.ActKind kind, ICommittee.Rule memory rule) private {
        _asCommittee();
        ledger.setRule(kind, rule);
    }

    function _assertSeats(uint32[4] memory expected, uint256 count) private view {
        (uint32[] memory memberIds, ICommittee.SeatKind[] memory kinds) = ledger.seats();
        vm.assertEq(count, memberIds.length, "number of seats");
        vm.assertEq(count, kinds.length, "number of kinds");
        for (uint256 index = 0; index < count; ++index) {
            vm.assertEq(expected[index], memberIds[index], "seat");
        }
    }
}
