// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreements} from "../../contracts/interfaces/IAgreements.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {LedgerTest} from "./Base.t.sol";

/// @notice Agreements between two members.
contract AgreementsTest is LedgerTest {
    bytes32 private constant OTHER_TEXT = keccak256("other text");
    uint32 private constant END = START + 10 * DAY;

    function test_WhenProposed_ItIsOnFileAndNotInForce() external {
        IAgreements.Limits memory limits = _limitsFor(LAB);
        limits.onward = true;
        vm.expectEmit(address(ledger));
        emit IAgreements.AgreementProposed(1, HOSPITAL, LAB, limits, COMMITMENT);
        vm.assertEq(1, _propose(HOSPITAL, limits), "number");
        vm.assertEq(1, ledger.agreementCount(), "count");
        vm.assertEq(COMMITMENT, ledger.agreementText(1), "text");
        vm.assertEq(
            abi.encode(
                IAgreements.Agreement({
                    provider: HOSPITAL,
                    recipient: LAB,
                    purposes: LAWFUL_PURPOSES,
                    categories: type(uint16).max,
                    validTo: MEMBERSHIP_END,
                    retentionSeconds: 365 * DAY,
                    responseHours: 24,
                    onward: true,
                    linkage: false,
                    status: IAgreements.AgreementStatus.PROPOSED
                })
            ),
            abi.encode(ledger.agreementOf(1)),
            "agreement"
        );
    }

    function test_WhenSigned_ItIsInForceUntilOneSideEndsIt() external {
        uint32 agreementId = _propose(HOSPITAL, _limitsFor(LAB));
        vm.expectEmit(address(ledger));
        emit IAgreements.AgreementSigned(agreementId, LAB, COMMITMENT);
        _as(LAB);
        ledger.signAgreement(agreementId, COMMITMENT);
        _assertStatus(agreementId, IAgreements.AgreementStatus.SIGNED);
        vm.expectEmit(address(ledger));
        emit IAgreements.AgreementEnded(agreementId, LAB, OTHER_TEXT);
        _as(LAB);
        ledger.endAgreement(agreementId, OTHER_TEXT);
        _assertStatus(agreementId, IAgreements.AgreementStatus.ENDED);
    }

    function test_WhenDeclined_ItCanNoLongerBeSigned() external {
        uint32 agreementId = _propose(HOSPITAL, _limitsFor(LAB));
        _as(LAB);
        ledger.endAgreement(agreementId, COMMITMENT);
        _expectWrongStatus(agreementId, IAgreements.AgreementStatus.ENDED);
        _as(LAB);
        ledger.signAgreement(agreementId, COMMITMENT);
    }

    function test_WhenSuspended_ASideCanStillEnd() external {
        uint32 agreementId = _agree(HOSPITAL, _limitsFor(LAB));
        _suspend(HOSPITAL);
        _as(HOSPITAL);
        ledger.endAgreement(agreementId, COMMITMENT);
        _assertStatus(agreementId, IAgreements.AgreementStatus.ENDED);
    }

    function test_RevertWhen_ProposalIsIncomplete() external {
        IAgreements.Limits memory limits = _limitsFor(HOSPITAL); // with itself
        _assertIncomplete(limits, COMMITMENT);
        limits = _limitsFor(LAB);
        _assertIncomplete(limits, 0);
        limits.purposes = 0;
        _assertIncomplete(limits, COMMITMENT);
        limits.purposes = BANNED;
        _assertIncomplete(limits, COMMITMENT);
        limits = _limitsFor(LAB);
        limits.categories = 0;
        _assertIncomplete(limits, COMMITMENT);
        limits = _limitsFor(LAB);
        limits.retentionSeconds = 0;
        _assertIncomplete(limits, COMMITMENT);
        limits = _limitsFor(LAB);
        limits.validTo = START; // the end is exclusive
        _assertIncomplete(limits, COMMITMENT);
        limits.validTo = START + 1;
        vm.assertEq(1, _propose(HOSPITAL, limits), "number");
    }

    function test_RevertWhen_RecipientIsNoActiveMember() external {
        _expectRevert(IMembers.Members_Unknown.selector, NOBODY);
        _propose(HOSPITAL, _limitsFor(NOBODY));
        _suspend(LAB);
        _expectRevert(IMembers.Members_NotActive.selector, LAB);
        _propose(HOSPITAL, _limitsFor(LAB));
    }

    function test_RevertWhen_TextIsNotTheOneProposed() external {
        uint32 agreementId = _propose(HOSPITAL, _limitsFor(LAB));
        _expectRevert(IAgreements.Agreements_OtherText.selector, agreementId);
        _as(LAB);
        ledger.signAgreement(agreementId, OTHER_TEXT);
    }

    function test_RevertWhen_SignedTwiceOrTooLate() external {
        IAgreements.Limits memory limits = _limitsFor(LAB);
        limits.validTo = END;
        uint32 early = _propose(HOSPITAL, limits);
        uint32 late = _propose(HOSPITAL, limits);
        vm.warp(END - 1);
        _as(LAB);
        ledger.signAgreement(early, COMMITMENT);
        _expectWrongStatus(early, IAgreements.AgreementStatus.SIGNED);
        _as(LAB);
        ledger.signAgreement(early, COMMITMENT);
        vm.warp(END);
        _expectWrongStatus(late, IAgreements.AgreementStatus.PROPOSED);
        _as(LAB);
        ledger.signAgreement(late, COMMITMENT);
    }

    function test_RevertWhen_EndedTwice() external {
        uint32 agreementId = _agree(HOSPITAL, _limitsFor(LAB));
        _as(HOSPITAL);
        ledger.endAgreement(agreementId, COMMITMENT);
        _expectWrongStatus(agreementId, IAgreements.AgreementStatus.ENDED);
        _as(LAB);
        ledger.endAgreement(agreementId, COMMITMENT);
    }

    function test_RevertWhen_CallerIsNoSide() external {
        uint32 agreementId = _propose(HOSPITAL, _limitsFor(LAB));
        _expectRevert(IAgreements.Agreements_NotParty.selector, agreementId, HOSPITAL);
        _as(HOSPITAL); // the provider has signed by proposing
        ledger.signAgreement(agreementId, COMMITMENT);
        _expectRevert(IAgreements.Agreements_NotParty.selector, agreementId, CLINIC);
        _as(CLINIC);
        ledger.endAgreement(agreementId, COMMITMENT);
    }

    function test_RevertGiven_AgreementIsUnknown() external {
        _expectRevert(IAgreements.Agreements_Unknown.selector, uint256(1));
        _as(LAB);
        ledger.signAgreement(1, COMMITMENT);
        _expectRevert(IAgreements.Agreements_Unknown.selector, uint256(1));
        _as(LAB);
        ledger.endAgreement(1, COMMITMENT);
    }

    function _assertIncomplete(IAgreements.Limits memory limits, bytes32 text) private {
        _expectRevert(IAgreements.Agreements_Incomplete.selector);
        _as(HOSPITAL);
        ledger.proposeAgreement(limits, text);
    }

    function _expectWrongStatus(uint32 agreementId, IAgreements.AgreementStatus status) private {
        _expectRevert(IAgreements.Agreements_WrongStatus.selector, agreementId, uint256(status));
    }

    function _assertStatus(uint32 agreementId, IAgreements.AgreementStatus status) private view {
        vm.assertTrue(ledger.agreementOf(agreementId).status == status, "status");
    }
}
