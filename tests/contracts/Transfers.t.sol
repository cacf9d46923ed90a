// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {ITransfers} from "../../contracts/interfaces/ITransfers.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {Terms, TermsLib} from "../../contracts/libraries/Terms.sol";
import {LedgerTest} from "./Base.t.sol";

/// @notice Custody moving between two members. The lab holds two unused permits, numbered 0 and 1.
contract TransfersTest is LedgerTest {
    bytes32 private constant OTHER_TRANSFER = keccak256("other transfer");
    uint40 private constant NOT_A_PERMIT = 2;
    uint40 private constant NEXT_PERMIT = 3; // the first one that a test asks for
    uint32 private constant GUEST = FOUNDED + 1;

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

        ITransfers.Transfer memory expected;
        expected.sender = HOSPITAL;
        expected.recipient = LAB;
        expected.seq = 1;
        expected.shippedAt = START;
        expected.status = ITransfers.TransferStatus.SHIPPED;
        expected.passportId = PASSPORT;
        expected.content = CONTENT;
        vm.assertEq(abi.encode(expected), abi.encode(ledger.transferOf(TRANSFER)), "transfer");
        vm.assertEq(0, ledger.transferPermit(PASSPORT, 1), "permit 1 is used");
        vm.assertEq(LAB, ledger.transferPermit(PASSPORT, 0), "permit 0 is not");
    }

    function test_WhenShippedAbroad_ReportsAreOwed() external {
        uint40 seq = _askFromAbroad();
        _ship(TRANSFER, seq);
        ITransfers.Transfer memory shipped = ledger.transferOf(TRANSFER);
        vm.assertEq(true, shipped.crosses, "crosses");
        vm.assertEq(START + 90 days, shipped.reportDue, "due");
        _ship(OTHER_TRANSFER, 0);
        vm.assertEq(false, ledger.transferOf(OTHER_TRANSFER).crosses, "at home");
        vm.assertEq(0, ledger.transferOf(OTHER_TRANSFER).reportDue, "no report");

        _as(GUEST);
        ledger.receiveTransfer(TRANSFER, CONTENT);
        vm.warp(START + 10 days);
        _as(GUEST);
        ledger.reportTransfer(TRANSFER, COMMITMENT);
        vm.warp(START + 100 days - 1);
        _expectRevert(ITransfers.Transfers_NothingOverdue.selector, TRANSFER);
        _as(CLINIC);
        ledger.endBorderAccess(TRANSFER);
        vm.warp(START + 100 days);
        _as(CLINIC);
        ledger.endBorderAccess(TRANSFER);
        vm.assertEq(0, ledger.borderAccessOf(GUEST), "access");
        _as(GUEST);
        ledger.closeTransfer(TRANSFER, COMMITMENT);
        vm.assertEq(
            uint256(ITransfers.TransferStatus.CLOSED),
            uint256(ledger.transferOf(TRANSFER).status),
            "closed"
        );
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

    /* HOW LONG A PERMIT STANDS */

    function test_WhenPermitIsAnHourOld_ItStillStands() external {
        vm.warp(START + 1 hours);
        _assertStands(0, LAB);
    }

    function test_RevertWhen_PermitIsOlderThanAnHour() external {
        vm.warp(START + 1 hours + 1);
        _assertLapsed(0);
    }

    function testFuzz_PermitStandsForAnHour(uint32 age) external {
        age %= 2 hours;
        vm.warp(START + age);
        age <= 1 hours ? _assertStands(0, LAB) : _assertLapsed(0);
    }

    function test_WhenRecipientIsSuspended_PermitStandsOnlyAfterItsReinstatement() external {
        _suspend(LAB);
        _assertLapsed(0);
        _reinstate(LAB);
        _assertStands(0, LAB);
    }

    function test_WhenMembershipOfTheRecipientEnds_EndItselfIsOut() external {
        IMembers.Admission memory guest = _admission(GUEST, Codes.ROLE_PROCESSOR);
        guest.validTo = START + 10 minutes;
        _admit(guest);
        uint32 projectId = _file(GUEST, _projectDraft());
        _approve(projectId);
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        given.recipient = GUEST;
        _give(given);
        _decide(
            GUEST,
            _request(
                PASSPORT,
                OTHER_GRANT,
                TermsLib.pack(Codes.AI_TRAINING, Codes.CONSENT, Codes.TRANSFER, ASKED, projectId).atLevel(
                    Codes.PSEUDONYMISED
                )
            )
        );
        vm.warp(guest.validTo);
        _assertLapsed(NEXT_PERMIT);
        vm.warp(guest.validTo - 1);
        _assertStands(NEXT_PERMIT, GUEST);
    }

    function test_RevertGiven_ControlOfTheRecipientChanged() external {
        _changeControl(LAB);
        _assertLapsed(0);
        uint256 snapshot = vm.snapshotState();
        ledger.confirm(PASSPORT, GRANT, _own(_signedHash(HOLDER_KEY, _confirmationHash(PASSPORT, GRANT, 1))));
        _assertLapsed(0); // what the holder confirmed is the grant, not what was permitted before
        vm.revertToState(snapshot);
    }

    function test_WhenControllerFalls_PermitOfItsProcessorLapses() external {
        uint32 end = START + 10 minutes;
        _entrust(LAB, CLINIC, end);
        _decide(CLINIC, _request(PASSPORT, GRANT, _transferTerms().onBehalfOf(LAB)));

        uint256 snapshot = vm.snapshotState();
        _suspend(LAB);
        _assertLapsed(NEXT_PERMIT);
        vm.revertToState(snapshot);

        snapshot = vm.snapshotState();
        _changeControl(LAB);
        _assertLapsed(NEXT_PERMIT);
        vm.revertToState(snapshot);

        snapshot = vm.snapshotState();
        _as(LAB);
        ledger.entrust(CLINIC, 0, end, COMMITMENT); // taken back
        _assertLapsed(NEXT_PERMIT);
        vm.revertToState(snapshot);

        vm.warp(end);
        _assertLapsed(NEXT_PERMIT);
        vm.warp(end - 1);
        _assertStands(NEXT_PERMIT, CLINIC);
    }

    function test_WhenEmergencyEnds_PermitUnderItLapses() external {
        uint32 emergency = _open(RESCUE, PASSPORT);
        Terms terms = TermsLib.pack(
            Codes.EMERGENCY_CARE,
            Codes.INDIVIDUAL_EMERGENCY,
            Codes.TRANSFER,
            ASKED,
            0
        );
        uint32 end = START + 4 hours;
        vm.warp(end - 10 minutes);
        _decide(RESCUE, _request(PASSPORT, 0, terms.under(emergency)));
        vm.warp(end);
        _assertLapsed(NEXT_PERMIT);
        vm.warp(end - 1);
        _assertStands(NEXT_PERMIT, RESCUE);
    }

    function test_RevertGiven_GrantWasRevoked() external {
        _revoke(PASSPORT, GRANT);
        _assertLapsed(0);
    }

    function test_RevertGiven_GrantWasSuperseded() external {
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        given.supersedes = GRANT;
        _give(given);
        _assertLapsed(0);
    }

    function test_WhenUsePeriodOfTheGrantEnds_EndItselfIsOut() external {
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        given.useTo = START + 10 minutes;
        _give(given);
        _askTransferUnder(OTHER_GRANT);
        vm.warp(given.useTo);
        _assertLapsed(NEXT_PERMIT);
        vm.warp(given.useTo - 1);
        _assertStands(NEXT_PERMIT, LAB);
    }

    /// @dev The permit itself took it.
    function test_WhenLastUseIsTaken_PermitStands() external {
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        given.maxUses = 1;
        _give(given);
        _askTransferUnder(OTHER_GRANT);
        _assertStands(NEXT_PERMIT, LAB);
    }

    /// @dev A grant that a request names without resting on it is nothing to the permit.
    function test_WhenBasisIsCare_GrantDoesNotMatter() external {
        bytes32[3] memory named = [bytes32(0), keccak256("no grant"), GRANT];
        for (uint40 index = 0; index < named.length; ++index) {
            _decide(
                HOSPITAL,
                _request(
                    PASSPORT,
                    named[index],
                    TermsLib.pack(Codes.PRIMARY_CARE, Codes.CUSTODIAN_CARE, Codes.TRANSFER, ASKED, 0)
                )
            );
        }
        _revoke(PASSPORT, GRANT);
        for (uint40 index = 0; index < named.length; ++index) {
            _assertStands(NEXT_PERMIT + index, HOSPITAL);
        }
    }

    function test_WhenShipped_EndOfTheConsentDoesNotStopTheReceipt() external {
        _ship(TRANSFER, 0);
        _revoke(PASSPORT, GRANT);
        _assertReceived(CONTENT, true, ITransfers.TransferStatus.RECEIVED);
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

    function _askTransferUnder(bytes32 grantId) private {
        _decide(LAB, _request(PASSPORT, grantId, _transferTerms()));
    }

    /// @dev The permit can be read and used.
    /// @dev A permit to transfer for a guest abroad.
    function _askFromAbroad() private returns (uint40 seq) {
        IMembers.Admission memory guest = _admission(GUEST, Codes.ROLE_PROCESSOR);
        guest.jurisdiction = ABROAD;
        _admit(guest);
        uint32 projectId = _file(GUEST, _projectDraft());
        _approve(projectId);
        _openBorder(GUEST, MEMBERSHIP_END);
        _clear(projectId, HOSPITAL, MEMBERSHIP_END);
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        given.recipient = GUEST;
        _give(given);
        Terms terms = TermsLib
            .pack(Codes.AI_TRAINING, Codes.CONSENT, Codes.TRANSFER, ASKED, projectId)
            .atLevel(Codes.PSEUDONYMISED);
        _decide(GUEST, _request(PASSPORT, OTHER_GRANT, terms));
        return NEXT_PERMIT;
    }

    function _assertStands(uint40 seq, uint32 recipient) private {
        bytes32 transferId = keccak256(abi.encode("transfer", seq));
        vm.assertEq(recipient, ledger.transferPermit(PASSPORT, seq), "permit");
        _ship(transferId, seq);
        vm.assertEq(recipient, ledger.transferOf(transferId).recipient, "recipient");
        vm.assertEq(0, ledger.transferPermit(PASSPORT, seq), "used permit");
    }

    function _assertLapsed(uint40 seq) private {
        vm.assertEq(0, ledger.transferPermit(PASSPORT, seq), "permit");
        _expectRevert(ITransfers.Transfers_NotPermitted.selector, PASSPORT, seq);
        _ship(TRANSFER, seq);
    }

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
