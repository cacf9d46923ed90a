// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {ITransfers} from "../../contracts/interfaces/ITransfers.sol";
import {LedgerTest} from "./Base.t.sol";

/// @notice Custody moving between two members. The lab holds two unused permits, numbered 0 and 1.
contract TransfersTest is LedgerTest {
    bytes32 private constant OTHER_TRANSFER = keccak256("other transfer");
    uint40 private constant NOT_A_PERMIT = 2;

    function setUp() public override {
        super.setUp();
        _askTransfer();
        _askTransfer();
        _decide(_trainingTerms()); // permitted, but only to read
    }

    /* SHIP */

    function test_WhenShipped_TransferIsStoredAndPermitIsUsed() external onlyChanges(TRANSFERS) {
        vm.expectEmit(address(ledger));
        emit ITransfers.TransferShipped(TRANSFER, PASSPORT, LAB, HOSPITAL, 1, CONTENT);
        _ship(TRANSFER, 1);

        ITransfers.Transfer memory expected = ITransfers.Transfer({
            sender: HOSPITAL,
            recipient: LAB,
            seq: 1,
            shippedAt: START,
            receivedAt: 0,
            status: ITransfers.TransferStatus.SHIPPED,
            passportId: PASSPORT,
            content: CONTENT
        });
        vm.assertEq(abi.encode(expected), abi.encode(ledger.transferOf(TRANSFER)), "transfer");
        vm.assertEq(0, ledger.transferPermit(PASSPORT, 1), "permit 1 is used");
        vm.assertEq(LAB, ledger.transferPermit(PASSPORT, 0), "permit 0 is not");
    }

    function test_RevertGiven_PermitIsUsed() external {
        _ship(TRANSFER, 0);
        _expectRevert(ITransfers.Transfers_NotPermitted.selector, PASSPORT, 0);
        _ship(OTHER_TRANSFER, 0);
    }

    function test_RevertWhen_DecisionPermitsNoTransfer() external {
        _expectRevert(ITransfers.Transfers_NotPermitted.selector, PASSPORT, NOT_A_PERMIT);
        _ship(TRANSFER, NOT_A_PERMIT);
        _expectRevert(ITransfers.Transfers_NotPermitted.selector, PASSPORT, 99);
        _ship(TRANSFER, 99);
    }

    function test_RevertWhen_PermitIsForAnotherPassport() external {
        _expectRevert(ITransfers.Transfers_NotPermitted.selector, OTHER_PASSPORT, 0);
        _as(CLINIC);
        ledger.ship(TRANSFER, OTHER_PASSPORT, 0, CONTENT);
    }

    function test_RevertWhen_TransferIdIsZeroOrTaken() external {
        _expectRevert(ITransfers.Transfers_Exists.selector, uint256(0));
        _ship(0, 0);

        _ship(TRANSFER, 0);
        _expectRevert(ITransfers.Transfers_Exists.selector, TRANSFER);
        _ship(TRANSFER, 1);
    }

    function test_RevertWhen_ShippedContentIsZero() external {
        _expectRevert(ITransfers.Transfers_NoContent.selector, TRANSFER);
        _as(HOSPITAL);
        ledger.ship(TRANSFER, PASSPORT, 0, 0);
    }

    function test_RevertGiven_PassportIsUnknown() external {
        _expectRevert(IPassports.Passports_Unknown.selector, CONTENT);
        _as(HOSPITAL);
        ledger.ship(TRANSFER, CONTENT, 0, CONTENT);
    }

    function test_RevertGiven_PassportIsNotOpen() external {
        _seal(PASSPORT);
        _expectRevert(IPassports.Passports_WrongStatus.selector, PASSPORT, IPassports.PassportStatus.SEALED);
        _ship(TRANSFER, 0);
    }

    function test_RevertGiven_SenderIsNotTheActiveCustodian() external {
        _expectRevert(IPassports.Passports_NotCustodian.selector, PASSPORT, LAB);
        _as(LAB);
        ledger.ship(TRANSFER, PASSPORT, 0, CONTENT);

        _suspend(HOSPITAL);
        _expectRevert(IMembers.Members_NotActive.selector, HOSPITAL);
        _ship(TRANSFER, 0);
    }

    /* RECEIVE */

    function test_WhenReceived_AndContentMatches() external {
        _ship(TRANSFER, 0);
        _assertReceived(CONTENT, true, ITransfers.TransferStatus.RECEIVED);
    }

    function test_WhenReceived_AndContentDiffers_DisputeIsOnRecord() external {
        _ship(TRANSFER, 0);
        _assertReceived(COMMITMENT, false, ITransfers.TransferStatus.DISPUTED);
    }

    function test_RevertGiven_AlreadyReceived() external {
        _ship(TRANSFER, 0);
        _receive(TRANSFER, COMMITMENT);
        _expectRevert(ITransfers.Transfers_AlreadyReceived.selector, TRANSFER);
        _receive(TRANSFER, CONTENT);
    }

    function test_RevertWhen_TransferIsUnknown() external {
        _expectRevert(ITransfers.Transfers_Unknown.selector, TRANSFER);
        _receive(TRANSFER, CONTENT);
    }

    function test_RevertWhen_ReceivedContentIsZero() external {
        _ship(TRANSFER, 0);
        _expectRevert(ITransfers.Transfers_NoContent.selector, TRANSFER);
        _receive(TRANSFER, 0);
    }

    function test_RevertGiven_CallerIsNotTheActiveRecipient() external {
        _ship(TRANSFER, 0);
        _expectRevert(ITransfers.Transfers_NotRecipient.selector, TRANSFER, HOSPITAL);
        _as(HOSPITAL);
        ledger.receiveTransfer(TRANSFER, CONTENT);

        _suspend(LAB);
        _expectRevert(IMembers.Members_NotActive.selector, LAB);
        _receive(TRANSFER, CONTENT);
    }

    function test_WhenUnknown_TransferIsAllZero() external view {
        ITransfers.Transfer memory nothing;
        vm.assertEq(abi.encode(nothing), abi.encode(ledger.transferOf(TRANSFER)), "transfer");
    }

    /* HELPERS */

    function _ship(bytes32 transferId, uint40 seq) private {
        _as(HOSPITAL);
        ledger.ship(transferId, PASSPORT, seq, CONTENT);
    }

    function _receive(bytes32 transferId, bytes32 content) private {
        _as(LAB);
        ledger.receiveTransfer(transferId, content);
    }

    function _assertReceived(
        bytes32 content,
        bool matched,
        ITransfers.TransferStatus status
    ) private onlyChanges(TRANSFERS) {
        ITransfers.Transfer memory expected = ledger.transferOf(TRANSFER);
        expected.status = status;
        expected.receivedAt = START + DAY;
        vm.warp(START + DAY);
        vm.expectEmit(address(ledger));
        emit ITransfers.TransferReceived(TRANSFER, PASSPORT, LAB, content, matched);
        _receive(TRANSFER, content);
        vm.assertEq(abi.encode(expected), abi.encode(ledger.transferOf(TRANSFER)), "transfer");
    }
}
