// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreements} from "../../contracts/interfaces/IAgreements.sol";
import {IBorders} from "../../contracts/interfaces/IBorders.sol";
import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IDecisions} from "../../contracts/interfaces/IDecisions.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {IPolicy} from "../../contracts/interfaces/IPolicy.sol";
import {ITransfers} from "../../contracts/interfaces/ITransfers.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {TransferFacts} from "../../contracts/libraries/TransferFacts.sol";
import {Terms, TermsLib} from "../../contracts/libraries/Terms.sol";
import {LedgerTest} from "./Base.t.sol";

/// @notice Nine records of the hospital's that the lab may be sent, each under decision 0 of its passport, and a member that
/// the lab may send them on to.
abstract contract ManyTest is LedgerTest {
    uint32 internal constant MANY = 9;
    uint32 internal constant GUEST = FOUNDED + 1; // to whom the lab passes on
    uint32 internal constant FOREIGN_REGULATOR = FOUNDED + 2;
    uint32 internal constant AGREEMENT = 1; // hospital to lab
    uint32 internal constant ONWARD_AGREEMENT = 2; // lab to guest
    bytes32 internal constant CHILD = keccak256("child transfer");
    uint32 internal constant AGREEMENT_END = START + 200 * DAY;
    uint32 internal constant RETENTION = 50 * DAY;
    uint32 internal guestProject;

    function setUp() public virtual override {
        super.setUp();
        _admit(GUEST, Codes.ROLE_PROCESSOR);
        IMembers.Admission memory foreign = _admission(FOREIGN_REGULATOR, Codes.ROLE_REGULATOR);
        foreign.jurisdiction = ABROAD;
        _admit(foreign);
        IAgreements.Limits memory limits = _limitsFor(LAB);
        limits.validTo = AGREEMENT_END;
        limits.onward = true;
        limits.retentionSeconds = RETENTION;
        _agree(HOSPITAL, limits);
        _agree(LAB, _limitsFor(GUEST));
        guestProject = _file(GUEST, _projectDraft());
        _approve(guestProject);

        IPassports.Issue[] memory issues = new IPassports.Issue[](MANY);
        IConsents.Grant[] memory grants = new IConsents.Grant[](2 * MANY);
        IConsents.Proof[] memory proofs = new IConsents.Proof[](2 * MANY);
        for (uint256 index = 0; index < MANY; ++index) {
            issues[index] = _issueOf(_passportId(index), holder);
            grants[index] = _grantOf(_grantId(index, LAB), _passportId(index));
            grants[MANY + index] = _grantOf(_grantId(index, GUEST), _passportId(index));
            grants[MANY + index].recipient = GUEST;
        }
        for (uint256 index = 0; index < 2 * MANY; ++index) {
            proofs[index] = _own(_signed(HOLDER_KEY, grants[index]));
        }
        _as(HOSPITAL);
        ledger.issue(issues);
        ledger.grant(grants, proofs);
        _askAll(LAB, PROJECT);
    }

    /* BUILDERS */

    function _passportId(uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encode("passport of many", index));
    }

    function _grantId(uint256 index, uint32 memberId) internal pure returns (bytes32) {
        return keccak256(abi.encode("grant of many", index, memberId));
    }

    function _content(uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encode("content of many", index));
    }

    function _askAll(uint32 memberId, uint32 projectId) internal {
        IDecisions.Batch[] memory batches = new IDecisions.Batch[](1);
        IDecisions.Target[] memory targets = new IDecisions.Target[](MANY);
        for (uint256 index = 0; index < MANY; ++index) {
            targets[index] = IDecisions.Target(_passportId(index), _grantId(index, memberId));
        }
        Terms terms = TermsLib
            .pack(Codes.AI_TRAINING, Codes.CONSENT, Codes.TRANSFER, ASKED, projectId)
            .atLevel(Codes.PSEUDONYMISED);
        batches[0] = IDecisions.Batch(terms, COMMITMENT, targets);
        _as(memberId);
        ledger.decide(batches);
    }

    /// @dev The hospital to the lab, in one country.
    function _declared(uint32 count) internal pure returns (ITransfers.Consignment memory consignment) {
        consignment.agreementId = AGREEMENT;
        consignment.count = count;
        consignment.purposes = _bit(Codes.AI_TRAINING);
        consignment.categories = ASKED;
        consignment.places = _countries(CHINA);
    }

    /// @dev The same, but stored abroad.
    function _declaredAbroad(uint32 count) internal pure returns (ITransfers.Consignment memory consignment) {
        consignment = _declared(count);
        consignment.projectId = PROJECT;
        consignment.places = _countries(ABROAD);
    }

    /// @dev The lab to the guest.
    function _declaredOnward(uint32 count) internal pure returns (ITransfers.Consignment memory consignment) {
        consignment = _declared(count);
        consignment.agreementId = ONWARD_AGREEMENT;
        consignment.parent = TRANSFER;
    }

    function _countries(uint16 one) internal pure returns (uint16[] memory list) {
        list = new uint16[](1);
        list[0] = one;
    }

    function _countries(uint16 one, uint16 two) internal pure returns (uint16[] memory list) {
        list = new uint16[](2);
        (list[0], list[1]) = (one, two);
    }

    /// @dev Records from one index to another, exclusive.
    function _items(uint256 from, uint256 to) internal pure returns (ITransfers.Item[] memory items) {
        return _items(from, to, 0);
    }

    function _items(
        uint256 from,
        uint256 to,
        uint40 seq
    ) internal pure returns (ITransfers.Item[] memory items) {
        items = new ITransfers.Item[](to - from);
        for (uint256 index = from; index < to; ++index) {
            items[index - from] = ITransfers.Item(_passportId(index), seq, _content(index));
        }
    }

    /* CALLS */

    function _declareTransfer(ITransfers.Consignment memory consignment) internal returns (uint32 missing) {
        _as(HOSPITAL);
        return ledger.declareTransfer(TRANSFER, consignment, COMMITMENT);
    }

    function _declareChild(ITransfers.Consignment memory consignment) internal returns (uint32 missing) {
        _as(LAB);
        return ledger.declareTransfer(CHILD, consignment, COMMITMENT);
    }

    function _load(uint256 from, uint256 to) internal {
        _as(HOSPITAL);
        ledger.loadTransfer(TRANSFER, _items(from, to));
    }

    function _shipMany() internal {
        _as(HOSPITAL);
        ledger.shipTransfer(TRANSFER);
    }

    function _receive(bytes32 content) internal {
        _as(LAB);
        ledger.receiveTransfer(TRANSFER, content);
    }

    function _halt(uint32 memberId) internal {
        _as(memberId);
        ledger.haltTransfer(TRANSFER, COMMITMENT);
    }

    function _resume(uint32 memberId) internal {
        _as(memberId);
        ledger.resumeTransfer(TRANSFER);
    }

    function _terminate(uint32 memberId) internal {
        _as(memberId);
        ledger.terminateTransfer(TRANSFER, COMMITMENT);
    }

    function _inspect(uint32 memberId, bool released) internal {
        _as(memberId);
        ledger.inspectTransfer(TRANSFER, released, COMMITMENT);
    }

    function _report() internal {
        _as(LAB);
        ledger.reportTransfer(TRANSFER, COMMITMENT);
    }

    function _close() internal {
        _as(LAB);
        ledger.closeTransfer(TRANSFER, COMMITMENT);
    }

    function _endAgreement() internal {
        _as(LAB);
        ledger.endAgreement(AGREEMENT, COMMITMENT);
    }

    /// @dev What clears the lab's project for storage abroad.
    function _clearBorder() internal {
        _openBorder(LAB, MEMBERSHIP_END);
        _clear(PROJECT, HOSPITAL, MEMBERSHIP_END);
    }

    /// @dev So many records of the hospital are with the lab.
    function _deliver(uint32 count) internal returns (bytes32 root) {
        _declareTransfer(_declared(count));
        _load(0, count);
        _shipMany();
        root = ledger.transferOf(TRANSFER).content;
        _receive(root);
    }

    /// @dev The same abroad.
    function _deliverAbroad(bytes32 received) internal {
        _shipAbroad();
        _receive(received);
    }

    /// @dev One record is on its way abroad.
    function _shipAbroad() internal {
        _clearBorder();
        _declareTransfer(_declaredAbroad(1));
        _inspect(REGULATOR, true);
        _load(0, 1);
        _shipMany();
    }

    /* THE TREE, BY THE WORDS OF RFC 6962 */

    function _leaf(uint256 index) internal pure returns (bytes32) {
        return _leaf(_passportId(index), 0, _content(index));
    }

    function _leaf(bytes32 passportId, uint40 seq, bytes32 content) internal pure returns (bytes32) {
        return keccak256(bytes.concat(hex"00", abi.encode(passportId, seq, content)));
    }

    /// @dev The largest power of two below n.
    function _half(uint256 n) private pure returns (uint256 k) {
        k = 1;
        while (2 * k < n) k *= 2;
    }

    /// @dev The hash over the leaves of these records, from one index to another, exclusive.
    function _treeHash(uint256 from, uint256 to) internal pure returns (bytes32) {
        uint256 n = to - from;
        if (n == 1) return _leaf(from);
        uint256 k = _half(n);
        return keccak256(bytes.concat(hex"01", _treeHash(from, from + k), _treeHash(from + k, to)));
    }

    /// @dev The path of one leaf in that tree, from below.
    function _path(uint256 index, uint256 from, uint256 to) internal pure returns (bytes32[] memory path) {
        uint256 n = to - from;
        if (n == 1) return path;
        uint256 k = _half(n);
        bool isLeft = index < from + k;
        bytes32[] memory below = isLeft ? _path(index, from, from + k) : _path(index, from + k, to);
        path = new bytes32[](below.length + 1);
        for (uint256 step = 0; step < below.length; ++step) {
            path[step] = below[step];
        }
        path[below.length] = isLeft ? _treeHash(from + k, to) : _treeHash(from, from + k);
    }

    function _provenance(uint256 index, uint256 size) internal pure returns (ITransfers.Provenance memory) {
        return ITransfers.Provenance(0, _content(index), uint32(index), _path(index, 0, size));
    }

    function _one(
        ITransfers.Provenance memory from
    ) internal pure returns (ITransfers.Provenance[] memory list) {
        list = new ITransfers.Provenance[](1);
        list[0] = from;
    }

    function _assertIs(ITransfers.TransferStatus expected) internal view {
        vm.assertEq(uint256(expected), uint256(ledger.transferOf(TRANSFER).status), "status");
    }

    function _expectWrongStatus(ITransfers.TransferStatus status) internal {
        _expectRevert(ITransfers.Transfers_WrongStatus.selector, TRANSFER, uint256(status));
    }

    function _expectLapsed() internal {
        _expectRevert(ITransfers.Transfers_Lapsed.selector, TRANSFER);
    }

    function _expectNotQualified(uint32 memberId) internal {
        _expectRevert(ITransfers.Transfers_NotQualified.selector, TRANSFER, memberId);
    }
}

/// @notice Transfers of many records: declared, inspected, loaded, shipped, received, stopped, reported on, closed.
contract TransfersOfManyTest is ManyTest {
    ITransfers.TransferStatus private constant DECLARED = ITransfers.TransferStatus.DECLARED;
    ITransfers.TransferStatus private constant CLEARED = ITransfers.TransferStatus.CLEARED;
    ITransfers.TransferStatus private constant REFUSED = ITransfers.TransferStatus.REFUSED;
    ITransfers.TransferStatus private constant SHIPPED = ITransfers.TransferStatus.SHIPPED;
    ITransfers.TransferStatus private constant RECEIVED = ITransfers.TransferStatus.RECEIVED;
    ITransfers.TransferStatus private constant DISPUTED = ITransfers.TransferStatus.DISPUTED;
    ITransfers.TransferStatus private constant HALTED = ITransfers.TransferStatus.HALTED;
    ITransfers.TransferStatus private constant TERMINATED = ITransfers.TransferStatus.TERMINATED;
    ITransfers.TransferStatus private constant CLOSED = ITransfers.TransferStatus.CLOSED;

    /* DECLARE */

    function test_WhenDeclaredInOneCountry_ItIsClearedAtOnce() external onlyChanges(TRANSFERS) {
        ITransfers.Consignment memory consignment = _declared(MANY);
        vm.expectEmit(address(ledger));
        emit ITransfers.TransferDeclared(TRANSFER, HOSPITAL, LAB, 0, false, consignment, COMMITMENT);
        vm.assertEq(0, _declareTransfer(consignment), "missing");

        ITransfers.Transfer memory expected;
        expected.sender = HOSPITAL;
        expected.recipient = LAB;
        expected.status = CLEARED;
        expected.agreementId = AGREEMENT;
        expected.count = MANY;
        expected.purposes = consignment.purposes;
        expected.categories = consignment.categories;
        vm.assertEq(abi.encode(expected), abi.encode(ledger.transferOf(TRANSFER)), "transfer");
        vm.assertEq(true, ledger.transferStands(TRANSFER), "it stands");
    }

    function test_WhenItCrossesABorder_ItWaitsForAnInspection() external {
        _clearBorder();
        bytes32[PARTS] memory before = _fingerprint();
        ITransfers.Consignment memory consignment = _declaredAbroad(1);
        vm.expectEmit(address(ledger));
        emit ITransfers.TransferDeclared(TRANSFER, HOSPITAL, LAB, 0, true, consignment, COMMITMENT);
        _declareTransfer(consignment);
        _assertOnlyChanged(before, TRANSFERS);
        _assertIs(DECLARED);
        vm.assertEq(true, ledger.transferOf(TRANSFER).crosses, "crosses");
    }

    function test_WhenRouteStorageOrRecipientIsAbroad_ItCrosses() external {
        ITransfers.Consignment memory consignment = _declared(1);
        consignment.route = _countries(CHINA);
        vm.assertEq(0, _tryDeclare(consignment), "all at home");
        consignment.route = _countries(CHINA, ABROAD);
        vm.assertEq(TransferFacts.BORDER_CLEARED, _tryDeclare(consignment), "route");
        consignment.route = _countries(ABROAD, CHINA);
        vm.assertEq(TransferFacts.BORDER_CLEARED, _tryDeclare(consignment), "first of the route");
        consignment = _declared(1);
        consignment.places = _countries(CHINA, ABROAD);
        vm.assertEq(TransferFacts.BORDER_CLEARED, _tryDeclare(consignment), "storage");

        consignment = _declared(1);
        consignment.agreementId = _agree(HOSPITAL, _limitsFor(FOREIGN_REGULATOR));
        vm.assertEq(TransferFacts.BORDER_CLEARED, _tryDeclare(consignment), "recipient");
    }

    function test_WhenBorderIsNotCleared_WhatIsMissingIsOnRecord() external {
        ITransfers.Consignment memory consignment = _declaredAbroad(1);
        _clear(PROJECT, HOSPITAL, MEMBERSHIP_END);
        vm.assertEq(TransferFacts.BORDER_CLEARED, _tryDeclare(consignment), "the lab is not on the list");
        _openBorder(LAB, MEMBERSHIP_END);
        vm.assertEq(0, _tryDeclare(consignment), "cleared");
        consignment.projectId = 0;
        vm.assertEq(TransferFacts.BORDER_CLEARED, _tryDeclare(consignment), "no project");
        consignment.projectId = guestProject; // cleared, but of another member
        _clear(guestProject, HOSPITAL, MEMBERSHIP_END);
        vm.assertEq(TransferFacts.BORDER_CLEARED, _tryDeclare(consignment), "project of another member");
        consignment.projectId = _file(LAB, _projectDraft());
        vm.assertEq(TransferFacts.BORDER_CLEARED, _tryDeclare(consignment), "project without a clearance");
        _clear(consignment.projectId, CLINIC, MEMBERSHIP_END);
        vm.assertEq(TransferFacts.BORDER_CLEARED, _tryDeclare(consignment), "another exporter's clearance");
    }

    function test_WhenItBreaksARule_ItIsRefusedOnRecord() external onlyChanges(TRANSFERS) {
        ITransfers.Consignment memory consignment = _declared(1);
        consignment.purposes |= _bit(Codes.INSURANCE_RATING);
        vm.expectEmit(address(ledger));
        emit ITransfers.TransferDeclared(
            TRANSFER,
            HOSPITAL,
            LAB,
            TransferFacts.WITHIN_LIMITS,
            false,
            consignment,
            COMMITMENT
        );
        vm.assertEq(TransferFacts.WITHIN_LIMITS, _declareTransfer(consignment), "missing");
        _assertIs(REFUSED);
        vm.assertEq(false, ledger.transferStands(TRANSFER), "it does not stand");
        _expectWrongStatus(REFUSED);
        _load(0, 1);
        _expectWrongStatus(REFUSED);
        _shipMany();
        _expectWrongStatus(REFUSED);
        _receive(CONTENT);
        _expectWrongStatus(REFUSED);
        _halt(HOSPITAL);
        _expectWrongStatus(REFUSED);
        _terminate(HOSPITAL);
        _expectWrongStatus(REFUSED);
        _inspect(REGULATOR, true);
        _expectRevert(ITransfers.Transfers_Exists.selector, TRANSFER);
        _declareTransfer(_declared(1));
    }

    function test_WhenLimitsAreExceeded() external {
        IAgreements.Limits memory limits = _limitsFor(LAB);
        limits.purposes = _bit(Codes.AI_TRAINING) | _bit(Codes.RESEARCH);
        limits.categories = ASKED;
        ITransfers.Consignment memory consignment = _declared(1);
        consignment.agreementId = _agree(HOSPITAL, limits);
        consignment.purposes = limits.purposes;
        vm.assertEq(0, _tryDeclare(consignment), "all that is agreed");
        consignment.purposes = _bit(Codes.AI_TRAINING) | _bit(Codes.AI_VALIDATION);
        vm.assertEq(TransferFacts.WITHIN_LIMITS, _tryDeclare(consignment), "purposes");
        consignment.purposes = limits.purposes;
        consignment.categories = ASKED | Codes.IMAGING;
        vm.assertEq(TransferFacts.WITHIN_LIMITS, _tryDeclare(consignment), "categories");
    }

    function test_WhenAPurposeIsBannedMeanwhile_TheTransferLapses() external {
        _declareTransfer(_declared(1));
        IPolicy.Table memory law = ledger.policy();
        law.bannedPurposes |= _bit(Codes.AI_TRAINING);
        for (uint256 index = 0; index < 48; ++index) {
            if (index % 16 == Codes.AI_TRAINING) law.required[index] = 0;
        }
        _asCommittee();
        ledger.setPolicy(law);
        vm.assertEq(false, ledger.transferStands(TRANSFER), "it does not stand");
        vm.assertEq(TransferFacts.WITHIN_LIMITS, _tryDeclareAs(CHILD, HOSPITAL, _declared(1)), "missing");
        _expectLapsed();
        _load(0, 1);
    }

    function test_WhenASideIsNotActive_ThatIsMissing() external {
        uint256 snapshot = vm.snapshotState();
        _suspend(HOSPITAL);
        vm.assertEq(
            TransferFacts.SENDER_ACTIVE | TransferFacts.AGREEMENT_IN_FORCE,
            _tryDeclare(_declared(1)),
            "sender"
        );
        vm.revertToState(snapshot);
        _suspend(LAB);
        vm.assertEq(
            TransferFacts.RECIPIENT_ACTIVE | TransferFacts.AGREEMENT_IN_FORCE,
            _tryDeclare(_declared(1)),
            "recipient"
        );
    }

    function test_WhenAgreementIsNotInForce_ThatIsMissing() external {
        ITransfers.Consignment memory consignment = _declared(1);
        consignment.agreementId = _propose(HOSPITAL, _limitsFor(LAB));
        vm.assertEq(TransferFacts.AGREEMENT_IN_FORCE, _tryDeclare(consignment), "only proposed");
        vm.warp(AGREEMENT_END - 1);
        vm.assertEq(0, _tryDeclare(_declared(1)), "in its last second");
        vm.warp(AGREEMENT_END);
        vm.assertEq(TransferFacts.AGREEMENT_IN_FORCE, _tryDeclare(_declared(1)), "run out");
        vm.warp(START);
        _endAgreement();
        vm.assertEq(TransferFacts.AGREEMENT_IN_FORCE, _tryDeclare(_declared(1)), "ended");
    }

    function test_RevertWhen_DeclarationIsIncomplete() external {
        ITransfers.Consignment memory consignment = _declared(0);
        _expectIncomplete(consignment);
        consignment = _declared(1);
        consignment.purposes = 0;
        _expectIncomplete(consignment);
        consignment = _declared(1);
        consignment.categories = 0;
        _expectIncomplete(consignment);
        consignment = _declared(1);
        consignment.places = new uint16[](0);
        _expectIncomplete(consignment);
        consignment = _declared(1);
        consignment.agreementId = 3;
        _expectIncomplete(consignment);
        consignment.agreementId = 0;
        _expectIncomplete(consignment);

        _expectRevert(ITransfers.Transfers_Incomplete.selector);
        _as(HOSPITAL);
        ledger.declareTransfer(TRANSFER, _declared(1), 0);
    }

    function test_RevertWhen_ThereAreMoreThan32Countries() external {
        ITransfers.Consignment memory consignment = _declared(1);
        consignment.places = new uint16[](32);
        consignment.route = new uint16[](32);
        vm.assertEq(TransferFacts.BORDER_CLEARED, _tryDeclare(consignment), "32 unknown countries");
        consignment.places = new uint16[](33);
        _expectIncomplete(consignment);
        consignment.places = new uint16[](32);
        consignment.route = new uint16[](33);
        _expectIncomplete(consignment);
    }

    function test_RevertWhen_IdIsZeroOrTaken() external {
        _expectRevert(ITransfers.Transfers_Exists.selector, uint256(0));
        _as(HOSPITAL);
        ledger.declareTransfer(0, _declared(1), COMMITMENT);
        _declareTransfer(_declared(1));
        _expectRevert(ITransfers.Transfers_Exists.selector, TRANSFER);
        _declareTransfer(_declared(1));
        _expectRevert(ITransfers.Transfers_Exists.selector, TRANSFER);
        _as(HOSPITAL);
        ledger.ship(TRANSFER, _passportId(0), 0, CONTENT);
    }

    function test_RevertWhen_SenderIsNotTheProviderOfTheAgreement() external {
        _expectRevert(IAgreements.Agreements_NotParty.selector, AGREEMENT, uint256(LAB));
        _as(LAB);
        ledger.declareTransfer(TRANSFER, _declared(1), COMMITMENT);
        _expectRevert(IMembers.Members_NotMember.selector, STRANGER);
        vm.prank(STRANGER);
        ledger.declareTransfer(TRANSFER, _declared(1), COMMITMENT);
    }

    /* ONWARD */

    function test_WhenParentIsReceivedAndAgreedTo_ItMayBePassedOn() external {
        _deliver(2);
        vm.assertEq(0, _declareChild(_declaredOnward(2)), "missing");
        vm.assertEq(TRANSFER, ledger.transferOf(CHILD).parent, "parent");
    }

    function test_WhenParentDoesNotAllowIt_ThatIsMissing() external {
        ITransfers.Consignment memory consignment = _declaredOnward(1);
        _declareTransfer(_declared(2));
        _assertNotOnward(consignment, "not yet received");
        _load(0, 2);
        _shipMany();
        _receive(CONTENT);
        _assertNotOnward(consignment, "disputed");
    }

    function test_WhenAgreementOfTheParentForbidsIt_ThatIsMissing() external {
        IAgreements.Limits memory limits = _limitsFor(LAB);
        ITransfers.Consignment memory consignment = _declared(1);
        consignment.agreementId = _agree(HOSPITAL, limits);
        _declareTransfer(consignment);
        _load(0, 1);
        _shipMany();
        _receive(_treeHash(0, 1));
        _assertNotOnward(_declaredOnward(1), "not onward");
    }

    function test_WhenParentIsOver_ThatIsMissing() external {
        _deliver(2);
        ITransfers.Consignment memory consignment = _declaredOnward(1);
        uint256 snapshot = vm.snapshotState();
        _endAgreement();
        _assertNotOnward(consignment, "agreement ended");
        vm.revertToState(snapshot);
        _close();
        _assertNotOnward(consignment, "destroyed or returned");
        vm.revertToState(snapshot);
        vm.warp(START + RETENTION - 1);
        vm.assertEq(0, _tryDeclareAs(CHILD, LAB, consignment), "in its last second");
        vm.warp(START + RETENTION);
        _assertNotOnward(consignment, "kept for too long");
    }

    function test_WhenChildIsWiderThanItsParent_ThatIsMissing() external {
        _deliver(2);
        ITransfers.Consignment memory consignment = _declaredOnward(1);
        consignment.purposes |= _bit(Codes.RESEARCH);
        _assertNotOnward(consignment, "purposes");
        consignment = _declaredOnward(1);
        consignment.categories |= Codes.IMAGING;
        _assertNotOnward(consignment, "categories");
    }

    function test_WhenParentIsOfOthersOrOfOneRecord_ThatIsMissing() external {
        _deliver(1);
        ITransfers.Consignment memory consignment = _declaredOnward(1);
        consignment.agreementId = _agree(CLINIC, _limitsFor(GUEST));
        vm.assertEq(
            TransferFacts.ONWARD_ALLOWED,
            _tryDeclareAs(CHILD, CLINIC, consignment),
            "received by another"
        );
        consignment = _declaredOnward(1);
        consignment.parent = OTHER_GRANT;
        _as(HOSPITAL);
        ledger.ship(consignment.parent, _passportId(1), 0, CONTENT);
        _as(LAB);
        ledger.receiveTransfer(consignment.parent, CONTENT);
        _assertNotOnward(consignment, "of one record, without an agreement");
    }

    function test_RevertWhen_ParentIsUnknown() external {
        ITransfers.Consignment memory consignment = _declaredOnward(1);
        _expectRevert(ITransfers.Transfers_Unknown.selector, TRANSFER);
        _declareChild(consignment);
        consignment.parent = CHILD; // itself
        _expectRevert(ITransfers.Transfers_Unknown.selector, CHILD);
        _declareChild(consignment);
    }

    function test_WhenLoadedOnward_EachLeafOfTheParentProves() external {
        for (uint32 size = 1; size <= MANY; ++size) {
            uint256 snapshot = vm.snapshotState();
            _deliver(size);
            _declareChild(_declaredOnward(size));
            _askAll(GUEST, guestProject);
            ITransfers.Provenance[] memory provenances = new ITransfers.Provenance[](size);
            for (uint256 index = 0; index < size; ++index) {
                provenances[index] = _provenance(index, size);
            }
            _as(LAB);
            ledger.loadOnward(CHILD, _items(0, size, 1), provenances);
            vm.assertEq(size, ledger.transferOf(CHILD).loaded, "loaded");
            vm.revertToState(snapshot);
        }
    }

    function test_RevertWhen_PathDoesNotProve() external {
        _deliver(5);
        _declareChild(_declaredOnward(5));
        _askAll(GUEST, guestProject);
        for (uint256 which = 0; which < 5; ++which) {
            ITransfers.Provenance memory from = _provenance(which, 5);
            from.content = CONTENT;
            _expectNotInParent(which, from);
            from = _provenance(which, 5);
            from.seq = 1;
            _expectNotInParent(which, from);
            from = _provenance(which, 5);
            from.index = uint32((which + 1) % 5);
            _expectNotInParent(which, from);
            from = _provenance(which, 5);
            from.index = 5;
            _expectNotInParent(which, from);
            from = _provenance(which, 5);
            from.path = _cut(from.path);
            _expectNotInParent(which, from);
            from = _provenance(which, 5);
            from.path = _lengthened(from.path);
            _expectNotInParent(which, from);
            for (uint256 step = 0; step < _path(which, 0, 5).length; ++step) {
                from = _provenance(which, 5);
                from.path[step] = ~from.path[step];
                _expectNotInParent(which, from);
            }
        }
        // A record that the parent does not hold, with the path of one that it does.
        _expectNotInParent(5, _provenance(4, 5));
    }

    function test_RevertWhen_LoadedByTheWrongFunction() external {
        _deliver(2);
        _declareChild(_declaredOnward(1));
        _askAll(GUEST, guestProject);
        _expectRevert(ITransfers.Transfers_NotInParent.selector, CHILD, 0);
        _as(LAB);
        ledger.loadTransfer(CHILD, _items(0, 1, 1));

        _as(HOSPITAL);
        ledger.declareTransfer(OTHER_GRANT, _declared(1), COMMITMENT);
        _expectRevert(ITransfers.Transfers_NotInParent.selector, OTHER_GRANT, 0);
        _as(HOSPITAL);
        ledger.loadOnward(OTHER_GRANT, _items(2, 3), _one(_provenance(0, 2)));
    }

    function test_RevertWhen_ProvenancesAreNotAsManyAsItems() external {
        _deliver(2);
        _declareChild(_declaredOnward(2));
        _askAll(GUEST, guestProject);
        _expectRevert(ITransfers.Transfers_Incomplete.selector);
        _as(LAB);
        ledger.loadOnward(CHILD, _items(0, 2, 1), _one(_provenance(0, 2)));
    }

    function test_WhenParentFalls_TheChildLapses() external {
        _deliver(1);
        _declareChild(_declaredOnward(1));
        _askAll(GUEST, guestProject);
        vm.assertEq(true, ledger.transferStands(CHILD), "it stands");
        _close();
        vm.assertEq(false, ledger.transferStands(CHILD), "it does not stand");
        _expectRevert(ITransfers.Transfers_Lapsed.selector, CHILD);
        _as(LAB);
        ledger.loadOnward(CHILD, _items(0, 1, 1), _one(_provenance(0, 1)));
    }

    /* INSPECT */

    function test_WhenReleased_ItMayBeLoaded() external {
        _clearBorder();
        _declareTransfer(_declaredAbroad(1));
        bytes32[PARTS] memory before = _fingerprint();
        vm.expectEmit(address(ledger));
        emit ITransfers.TransferInspected(TRANSFER, REGULATOR, true, COMMITMENT);
        _inspect(REGULATOR, true);
        _assertOnlyChanged(before, TRANSFERS);
        _assertIs(CLEARED);
        _load(0, 1);
        _expectWrongStatus(CLEARED);
        _inspect(REGULATOR, true);
    }

    function test_WhenNotReleased_ItIsOver() external {
        _clearBorder();
        _declareTransfer(_declaredAbroad(1));
        _expectWrongStatus(DECLARED);
        _load(0, 1);
        _openBorder(LAB, 0); // what lapsed may be refused
        vm.expectEmit(address(ledger));
        emit ITransfers.TransferInspected(TRANSFER, REGULATOR, false, COMMITMENT);
        _inspect(REGULATOR, false);
        _assertIs(TERMINATED);
        _expectWrongStatus(TERMINATED);
        _load(0, 1);
    }

    function test_RevertWhen_InspectorIsNotQualified() external {
        _clearBorder();
        _declareTransfer(_declaredAbroad(1));
        _expectRevert(IMembers.Members_MissingRole.selector, uint256(LAB), uint256(Codes.ROLE_REGULATOR));
        _inspect(LAB, true);
        _expectNotQualified(FOREIGN_REGULATOR);
        _inspect(FOREIGN_REGULATOR, true);
        _suspend(REGULATOR);
        _expectRevert(IMembers.Members_NotActive.selector, REGULATOR);
        _inspect(REGULATOR, true);
        _reinstate(REGULATOR);
        _expectRevert(ITransfers.Transfers_Unknown.selector, CHILD);
        _as(REGULATOR);
        ledger.inspectTransfer(CHILD, true, COMMITMENT);
    }

    function test_RevertWhen_InspectorIsASide() external {
        // Custodian and regulator in one, as sender and as recipient.
        IAgreements.Limits memory limits = _limitsFor(REGULATOR);
        ITransfers.Consignment memory consignment = _declaredAbroad(1);
        consignment.agreementId = _agree(HOSPITAL, limits);
        consignment.projectId = _file(REGULATOR, _projectDraft());
        uint32 second = _admit(_admission(FOUNDED + 3, Codes.ROLE_REGULATOR));
        _as(second);
        ledger.setBorderAccess(REGULATOR, MEMBERSHIP_END);
        _clear(second, _clearanceOf(consignment.projectId, HOSPITAL, MEMBERSHIP_END));
        vm.assertEq(0, _declareTransfer(consignment), "missing");
        _expectNotQualified(REGULATOR);
        _inspect(REGULATOR, true);

        consignment = _declaredAbroad(1);
        consignment.agreementId = _agree(REGULATOR, _limitsFor(LAB));
        _openBorder(LAB, MEMBERSHIP_END);
        _clear(second, _clearanceOf(PROJECT, REGULATOR, MEMBERSHIP_END));
        _as(REGULATOR);
        vm.assertEq(0, ledger.declareTransfer(CHILD, consignment, COMMITMENT), "missing");
        _expectRevert(ITransfers.Transfers_NotQualified.selector, CHILD, REGULATOR);
        _as(REGULATOR);
        ledger.inspectTransfer(CHILD, true, COMMITMENT);
    }

    function test_RevertWhen_ClearanceRanOutBeforeTheInspection() external {
        _openBorder(LAB, MEMBERSHIP_END);
        _clear(PROJECT, HOSPITAL, START + DAY);
        _declareTransfer(_declaredAbroad(1));
        vm.warp(START + DAY);
        _expectLapsed();
        _inspect(REGULATOR, true);
        vm.warp(START + DAY - 1);
        _inspect(REGULATOR, true);
        vm.warp(START + DAY);
        _expectLapsed();
        _load(0, 1);
    }

    /* LOAD AND SHIP */

    function test_WhenLoadedAndShipped_RootIsThatOfTheTree() external {
        for (uint32 count = 1; count <= MANY; ++count) {
            uint256 snapshot = vm.snapshotState();
            _declareTransfer(_declared(count));
            _load(0, count);
            vm.expectEmit(address(ledger));
            emit ITransfers.TransferDispatched(TRANSFER, _treeHash(0, count), count);
            _shipMany();
            vm.assertEq(_treeHash(0, count), ledger.transferOf(TRANSFER).content, "root");
            vm.revertToState(snapshot);
        }
    }

    /// @dev However the records come in calls.
    function testFuzz_RootDoesNotDependOnTheCalls(uint256 seed) external {
        _declareTransfer(_declared(MANY));
        uint256 loaded = 0;
        while (loaded < MANY) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 next = loaded + (seed % (MANY - loaded + 1));
            _load(loaded, next);
            loaded = next;
        }
        _shipMany();
        vm.assertEq(_treeHash(0, MANY), ledger.transferOf(TRANSFER).content, "root");
    }

    function test_WhenLoaded_PermitsAreUsedUp() external {
        _declareTransfer(_declared(3));
        bytes32[PARTS] memory before = _fingerprint();
        for (uint32 index = 0; index < 2; ++index) {
            vm.expectEmit(address(ledger));
            emit ITransfers.TransferLoaded(TRANSFER, _passportId(index), index, 0, _content(index));
        }
        _load(0, 2);
        _assertOnlyChanged(before, TRANSFERS);
        vm.assertEq(2, ledger.transferOf(TRANSFER).loaded, "loaded");
        vm.assertEq(0, ledger.transferPermit(_passportId(0), 0), "used");
        vm.assertEq(0, ledger.transferPermit(_passportId(1), 0), "used");
        vm.assertEq(LAB, ledger.transferPermit(_passportId(2), 0), "not used");
        vm.expectEmit(address(ledger));
        emit ITransfers.TransferLoaded(TRANSFER, _passportId(2), 2, 0, _content(2));
        _load(2, 3);
    }

    function test_RevertWhen_SameDecisionIsLoadedTwice() external {
        _declareTransfer(_declared(3));
        _load(0, 1);
        _expectRevert(ITransfers.Transfers_NotPermitted.selector, _passportId(0), 0);
        _load(0, 1);
        ITransfers.Item[] memory twice = _items(1, 3);
        twice[1] = twice[0];
        _expectRevert(ITransfers.Transfers_NotPermitted.selector, _passportId(1), 0);
        _as(HOSPITAL);
        ledger.loadTransfer(TRANSFER, twice);
        _expectRevert(ITransfers.Transfers_NotPermitted.selector, _passportId(0), 0);
        _as(HOSPITAL);
        ledger.ship(CHILD, _passportId(0), 0, CONTENT);
    }

    function test_RevertWhen_MoreIsLoadedThanDeclared() external {
        _declareTransfer(_declared(2));
        _expectRevert(ITransfers.Transfers_WrongCount.selector, TRANSFER, 0, 2);
        _load(0, 3);
        _load(0, 1);
        _expectRevert(ITransfers.Transfers_WrongCount.selector, TRANSFER, 1, 2);
        _load(1, 3);
        _load(1, 2);
        _expectRevert(ITransfers.Transfers_WrongCount.selector, TRANSFER, 2, 2);
        _load(2, 3);
    }

    function test_RevertWhen_LessIsShippedThanDeclared() external {
        _declareTransfer(_declared(2));
        _expectRevert(ITransfers.Transfers_WrongCount.selector, TRANSFER, 0, 2);
        _shipMany();
        _load(0, 1);
        _expectRevert(ITransfers.Transfers_WrongCount.selector, TRANSFER, 1, 2);
        _shipMany();
    }

    function test_RevertWhen_PermitIsNotWithinTheDeclaration() external {
        ITransfers.Consignment memory consignment = _declared(1);
        consignment.purposes = _bit(Codes.RESEARCH);
        _declareTransfer(consignment);
        _expectRevert(ITransfers.Transfers_NotPermitted.selector, _passportId(0), 0);
        _load(0, 1);

        consignment = _declared(1);
        consignment.categories = Codes.DIAGNOSIS;
        _as(HOSPITAL);
        ledger.declareTransfer(CHILD, consignment, COMMITMENT);
        _expectRevert(ITransfers.Transfers_NotPermitted.selector, _passportId(0), 0);
        _as(HOSPITAL);
        ledger.loadTransfer(CHILD, _items(0, 1));
    }

    function test_RevertWhen_PermitIsAnothersOrLapsed() external {
        _declareTransfer(_declared(1));
        _askAll(GUEST, guestProject);
        _expectRevert(ITransfers.Transfers_NotPermitted.selector, _passportId(0), 1);
        _as(HOSPITAL);
        ledger.loadTransfer(TRANSFER, _items(0, 1, 1));

        vm.warp(START + 1 hours + 1);
        _expectRevert(ITransfers.Transfers_NotPermitted.selector, _passportId(0), 0);
        _load(0, 1);
        vm.warp(START + 1 hours);
        uint256 snapshot = vm.snapshotState();
        _revoke(_passportId(0), _grantId(0, LAB));
        _expectRevert(ITransfers.Transfers_NotPermitted.selector, _passportId(0), 0);
        _load(0, 1);
        vm.revertToState(snapshot);
        _load(0, 1);
    }

    function test_RevertWhen_ItemHasNoContent() external {
        _declareTransfer(_declared(1));
        ITransfers.Item[] memory items = _items(0, 1);
        items[0].content = 0;
        _expectRevert(ITransfers.Transfers_NoContent.selector, TRANSFER);
        _as(HOSPITAL);
        ledger.loadTransfer(TRANSFER, items);
    }

    function test_RevertWhen_PassportIsUnknownAnothersOrNotOpen() external {
        _declareTransfer(_declared(1));
        ITransfers.Item[] memory items = _items(0, 1);
        items[0].passportId = CONTENT;
        _expectRevert(IPassports.Passports_Unknown.selector, CONTENT);
        _as(HOSPITAL);
        ledger.loadTransfer(TRANSFER, items);
        items[0].passportId = OTHER_PASSPORT;
        _expectRevert(IPassports.Passports_NotCustodian.selector, OTHER_PASSPORT, HOSPITAL);
        _as(HOSPITAL);
        ledger.loadTransfer(TRANSFER, items);
        _seal(_passportId(0));
        _expectRevert(
            IPassports.Passports_WrongStatus.selector,
            _passportId(0),
            IPassports.PassportStatus.SEALED
        );
        _load(0, 1);
    }

    function test_RevertWhen_SomebodyElseLoadsOrShips() external {
        _declareTransfer(_declared(1));
        _expectNotQualified(LAB);
        _as(LAB);
        ledger.loadTransfer(TRANSFER, _items(0, 1));
        _expectNotQualified(LAB);
        _as(LAB);
        ledger.shipTransfer(TRANSFER);
        _suspend(HOSPITAL);
        _expectRevert(IMembers.Members_NotActive.selector, HOSPITAL);
        _load(0, 1);
        _expectRevert(IMembers.Members_NotActive.selector, HOSPITAL);
        _shipMany();
        _expectRevert(ITransfers.Transfers_Unknown.selector, CHILD);
        _as(LAB);
        ledger.shipTransfer(CHILD);
        _expectRevert(ITransfers.Transfers_Unknown.selector, CHILD);
        _as(LAB);
        ledger.loadOnward(CHILD, _items(0, 0), new ITransfers.Provenance[](0));
    }

    function test_RevertWhen_ATransferOfOneRecordIsLoaded() external {
        _as(HOSPITAL);
        ledger.ship(TRANSFER, _passportId(0), 0, CONTENT);
        _expectWrongStatus(SHIPPED);
        _load(1, 2);
        _expectWrongStatus(SHIPPED);
        _shipMany();
        _expectWrongStatus(SHIPPED);
        _halt(HOSPITAL);
        _expectWrongStatus(SHIPPED);
        _terminate(HOSPITAL);
        vm.assertEq(false, ledger.transferStands(TRANSFER), "rests on no agreement");
    }

    function test_WhenShipped_TimeAndRootAreFixed() external {
        _declareTransfer(_declared(1));
        _load(0, 1);
        vm.warp(START + DAY);
        ITransfers.Transfer memory expected = ledger.transferOf(TRANSFER);
        bytes32[PARTS] memory before = _fingerprint();
        _shipMany();
        _assertOnlyChanged(before, TRANSFERS);
        expected.status = SHIPPED;
        expected.shippedAt = START + DAY;
        expected.content = _leaf(0);
        vm.assertEq(abi.encode(expected), abi.encode(ledger.transferOf(TRANSFER)), "transfer");
        _expectWrongStatus(SHIPPED);
        _load(1, 2);
        _expectWrongStatus(SHIPPED);
        _shipMany();
    }

    function test_RevertGiven_AgreementEndedMeanwhile() external {
        _declareTransfer(_declared(1));
        uint256 snapshot = vm.snapshotState();
        _endAgreement();
        vm.assertEq(false, ledger.transferStands(TRANSFER), "it does not stand");
        _expectLapsed();
        _load(0, 1);
        vm.revertToState(snapshot);
        _load(0, 1);
        _endAgreement();
        _expectLapsed();
        _shipMany();
    }

    function test_RevertGiven_RecipientIsSuspendedMeanwhile() external {
        _declareTransfer(_declared(1));
        _load(0, 1);
        _suspend(LAB);
        _expectLapsed();
        _shipMany();
        _reinstate(LAB);
        _shipMany();
    }

    /* COUNTED AT THE BORDER */

    /// @dev Recipient and sender are in one country: the decisions counted nobody.
    function test_WhenOnlyStorageIsAbroad_EachPersonIsCountedOnce() external {
        bytes32 other = _issueToAnother();
        _clearBorder();
        _declareTransfer(_declaredAbroad(3));
        _inspect(REGULATOR, true);
        _assertCounted(0);
        _load(0, 2); // of the same person
        _assertCounted(1);
        _loadOne(other);
        _assertCounted(2);
        vm.assertEq(0, ledger.exportsOf(LAB, 2027).persons, "not the recipient's");
    }

    function test_WhenItStaysAtHome_NobodyIsCounted() external {
        _clearBorder();
        _deliver(1);
        _assertCounted(0);
    }

    function test_WhenPassedOnAbroad_PersonsCountForWhoPassesOn() external {
        _deliver(1);
        _askAll(GUEST, guestProject);
        _openBorder(GUEST, MEMBERSHIP_END);
        uint32 clearanceId = _clear(guestProject, LAB, MEMBERSHIP_END);
        ITransfers.Consignment memory consignment = _declaredOnward(1);
        consignment.projectId = guestProject;
        consignment.places = _countries(ABROAD);
        vm.assertEq(0, _declareChild(consignment), "missing");
        _as(REGULATOR);
        ledger.inspectTransfer(CHILD, true, COMMITMENT);
        _as(LAB);
        ledger.loadOnward(CHILD, _items(0, 1, 1), _one(_provenance(0, 1)));
        vm.assertEq(1, ledger.clearanceOf(clearanceId).persons, "clearance");
        vm.assertEq(1, ledger.exportsOf(LAB, 2027).persons, "exports");
        vm.assertEq(0, ledger.exportsOf(HOSPITAL, 2027).persons, "not the first sender's");
    }

    function test_RevertWhen_ClearanceHasNoRoomForAnotherPerson() external {
        bytes32 other = _issueToAnother();
        _openBorder(LAB, MEMBERSHIP_END);
        IBorders.Clearance memory clearance = _clearanceOf(PROJECT, HOSPITAL, MEMBERSHIP_END);
        clearance.maxPersons = 1;
        _clear(REGULATOR, clearance);
        _declareTransfer(_declaredAbroad(3));
        _inspect(REGULATOR, true);
        _load(0, 1);
        _expectNotCleared();
        _loadOne(other);
        _load(1, 2); // who crossed may cross again
    }

    function test_RevertWhen_ThresholdIsReachedAndNobodyAssessed() external {
        bytes32 other = _issueToAnother();
        _openBorder(LAB, MEMBERSHIP_END);
        IBorders.Clearance memory clearance = _clearanceOf(PROJECT, HOSPITAL, MEMBERSHIP_END);
        clearance.path = IBorders.Path.CONTRACT;
        clearance.agreement = AGREEMENT;
        _clear(REGULATOR, clearance);
        _asCommittee();
        ledger.setThresholds(IBorders.Thresholds(1, 1));
        _declareTransfer(_declaredAbroad(2));
        _inspect(REGULATOR, true);
        _load(0, 1);
        _expectNotCleared();
        _loadOne(other);
        _asCommittee();
        ledger.setThresholds(IBorders.Thresholds(2, 1));
        _expectNotCleared(); // of sensitive data there is one too many
        _loadOne(other);
        _asCommittee();
        ledger.setThresholds(IBorders.Thresholds(2, 2));
        _loadOne(other);
    }

    /* RECEIVE */

    function test_WhenReceived_RootDecides() external {
        _declareTransfer(_declared(2));
        _expectWrongStatus(CLEARED);
        _receive(CONTENT);
        _load(0, 2);
        _shipMany();
        uint256 snapshot = vm.snapshotState();
        vm.expectEmit(address(ledger));
        emit ITransfers.TransferReceived(TRANSFER, 0, LAB, _treeHash(0, 2), true);
        _receive(_treeHash(0, 2));
        _assertIs(RECEIVED);
        _expectRevert(ITransfers.Transfers_AlreadyReceived.selector, TRANSFER);
        _receive(_treeHash(0, 2));
        vm.revertToState(snapshot);

        vm.expectEmit(address(ledger));
        emit ITransfers.TransferReceived(TRANSFER, 0, LAB, CONTENT, false);
        _receive(CONTENT);
        _assertIs(DISPUTED);
        vm.assertEq(0, ledger.transferOf(TRANSFER).reportDue, "no reports at home");
        _expectRevert(ITransfers.Transfers_AlreadyReceived.selector, TRANSFER);
        _receive(_treeHash(0, 2));
    }

    /// @dev Whoever stops a transfer on its way does not keep a receipt from the record.
    function test_WhenStoppedOnItsWay_ReceiptIsStillTakenAndDisputed() external {
        _declareTransfer(_declared(1));
        _load(0, 1);
        _shipMany();
        bytes32[2] memory contents = [_leaf(0), CONTENT];
        for (uint256 index = 0; index < 4; ++index) {
            uint256 snapshot = vm.snapshotState();
            index % 2 == 0 ? _halt(HOSPITAL) : _terminate(HOSPITAL);
            bytes32 content = contents[index / 2];
            vm.expectEmit(address(ledger));
            emit ITransfers.TransferReceived(TRANSFER, 0, LAB, content, index < 2);
            _receive(content);
            _assertIs(DISPUTED);
            vm.assertEq(START, ledger.transferOf(TRANSFER).receivedAt, "received");
            vm.assertEq(
                TransferFacts.ONWARD_ALLOWED,
                _tryDeclareAs(CHILD, LAB, _declaredOnward(1)),
                "never passed on"
            );
            _expectRevert(ITransfers.Transfers_AlreadyReceived.selector, TRANSFER);
            _receive(content);
            _expectWrongStatus(DISPUTED);
            _resume(REGULATOR);
            _expectWrongStatus(DISPUTED);
            _terminate(HOSPITAL);
            _close();
            _assertIs(CLOSED);
            vm.revertToState(snapshot);
        }
    }

    function test_WhenClosedUnanswered_ReceiptIsTakenAndItStaysClosed() external {
        _declareTransfer(_declared(1));
        _load(0, 1);
        _expectWrongStatus(CLEARED);
        _close();
        _shipMany();
        _close();
        _assertIs(CLOSED);
        _receive(CONTENT);
        _assertIs(CLOSED);
        _expectRevert(ITransfers.Transfers_AlreadyReceived.selector, TRANSFER);
        _receive(CONTENT);
    }

    function test_RevertWhen_ReceivedByAnother() external {
        _declareTransfer(_declared(1));
        _load(0, 1);
        _shipMany();
        _expectRevert(ITransfers.Transfers_NotRecipient.selector, TRANSFER, GUEST);
        _as(GUEST);
        ledger.receiveTransfer(TRANSFER, _leaf(0));
        _expectRevert(ITransfers.Transfers_NoContent.selector, TRANSFER);
        _receive(0);
    }

    /* HALT, RESUME, TERMINATE */

    function test_WhenHalted_NothingMovesUntilItIsResumed() external {
        _declareTransfer(_declared(2));
        _load(0, 1);
        bytes32[PARTS] memory before = _fingerprint();
        vm.expectEmit(address(ledger));
        emit ITransfers.TransferHalted(TRANSFER, HOSPITAL, COMMITMENT);
        _halt(HOSPITAL);
        _assertOnlyChanged(before, TRANSFERS);
        vm.assertEq(HOSPITAL, ledger.transferOf(TRANSFER).haltedBy, "by");
        vm.assertEq(uint256(CLEARED), uint256(ledger.transferOf(TRANSFER).haltedFrom), "from");
        _expectWrongStatus(HALTED);
        _load(1, 2);
        _expectWrongStatus(HALTED);
        _shipMany();
        _expectWrongStatus(HALTED);
        _receive(CONTENT);
        _expectWrongStatus(HALTED);
        _halt(HOSPITAL);

        vm.expectEmit(address(ledger));
        emit ITransfers.TransferResumed(TRANSFER, HOSPITAL);
        _resume(HOSPITAL);
        _assertIs(CLEARED);
        vm.assertEq(0, ledger.transferOf(TRANSFER).haltedBy, "by nobody");
        vm.assertEq(0, uint256(ledger.transferOf(TRANSFER).haltedFrom), "from nowhere");
        _load(1, 2);
        _shipMany();
        _halt(REGULATOR);
        _resume(REGULATOR);
        _receive(_treeHash(0, 2));
        _expectWrongStatus(RECEIVED);
        _halt(HOSPITAL);
        _expectWrongStatus(RECEIVED);
        _terminate(HOSPITAL);
    }

    function test_WhenHaltedBeforeTheInspection_ItWaitsForItStill() external {
        _clearBorder();
        _declareTransfer(_declaredAbroad(1));
        _halt(REGULATOR);
        _expectWrongStatus(HALTED);
        _inspect(REGULATOR, true);
        _resume(REGULATOR);
        _assertIs(DECLARED);
    }

    function test_RevertWhen_SomebodyElseHalts() external {
        _declareTransfer(_declared(1));
        _expectNotQualified(LAB);
        _halt(LAB);
        _expectNotQualified(FOREIGN_REGULATOR);
        _halt(FOREIGN_REGULATOR);
        _suspend(REGULATOR);
        _expectNotQualified(REGULATOR);
        _halt(REGULATOR);
        _expectRevert(ITransfers.Transfers_Unknown.selector, CHILD);
        _as(HOSPITAL);
        ledger.haltTransfer(CHILD, COMMITMENT);
        _suspend(HOSPITAL); // may still stop what it sends
        _halt(HOSPITAL);
    }

    function test_RevertWhen_SomebodyElseResumes() external {
        _declareTransfer(_declared(1));
        _expectNotQualified(HOSPITAL);
        _resume(HOSPITAL); // that nobody halted is not the sender's to say
        _expectWrongStatus(CLEARED);
        _resume(REGULATOR);
        _halt(REGULATOR);
        _expectNotQualified(HOSPITAL);
        _resume(HOSPITAL);
        _expectNotQualified(FOREIGN_REGULATOR);
        _resume(FOREIGN_REGULATOR);
        uint32 second = _admit(_admission(FOUNDED + 3, Codes.ROLE_REGULATOR));
        _resume(second);
        _halt(HOSPITAL);
        _expectRevert(ITransfers.Transfers_Unknown.selector, CHILD);
        _as(HOSPITAL);
        ledger.resumeTransfer(CHILD);
        _resume(REGULATOR);
    }

    function test_WhenRegulatorHaltsWhatTheSenderHalted_SenderCannotResumeIt() external {
        _declareTransfer(_declared(1));
        _halt(HOSPITAL);
        _expectNotQualified(LAB);
        _halt(LAB);
        _halt(REGULATOR);
        vm.assertEq(REGULATOR, ledger.transferOf(TRANSFER).haltedBy, "by");
        vm.assertEq(uint256(CLEARED), uint256(ledger.transferOf(TRANSFER).haltedFrom), "from");
        _expectNotQualified(HOSPITAL);
        _resume(HOSPITAL);
        _expectWrongStatus(HALTED);
        _halt(HOSPITAL);
        uint32 second = _admit(_admission(FOUNDED + 3, Codes.ROLE_REGULATOR));
        _expectWrongStatus(HALTED);
        _halt(second); // not from another regulator
        _resume(REGULATOR);
        _assertIs(CLEARED);
    }

    function test_RevertWhen_RegulatorIsASide() external {
        // As the sender: it cannot let go on what another regulator halted.
        ITransfers.Consignment memory consignment = _declared(1);
        consignment.agreementId = _agree(REGULATOR, _limitsFor(LAB));
        _as(REGULATOR);
        ledger.declareTransfer(TRANSFER, consignment, COMMITMENT);
        uint32 second = _admit(_admission(FOUNDED + 3, Codes.ROLE_REGULATOR));
        _halt(REGULATOR); // the sender may
        _halt(second);
        _expectNotQualified(REGULATOR);
        _resume(REGULATOR);
        _resume(second);

        // As the recipient: it may only end it.
        consignment.agreementId = _agree(HOSPITAL, _limitsFor(REGULATOR));
        _as(HOSPITAL);
        ledger.declareTransfer(CHILD, consignment, COMMITMENT);
        _expectRevert(ITransfers.Transfers_NotQualified.selector, CHILD, REGULATOR);
        _as(REGULATOR);
        ledger.haltTransfer(CHILD, COMMITMENT);
        _as(HOSPITAL);
        ledger.haltTransfer(CHILD, COMMITMENT);
        _expectRevert(ITransfers.Transfers_NotQualified.selector, CHILD, REGULATOR);
        _as(REGULATOR);
        ledger.resumeTransfer(CHILD);
        _as(REGULATOR);
        ledger.terminateTransfer(CHILD, COMMITMENT);
    }

    function test_RevertWhen_SuspendedMemberResumes() external {
        _declareTransfer(_declared(1));
        _halt(REGULATOR);
        _suspend(REGULATOR);
        _expectRevert(IMembers.Members_NotActive.selector, REGULATOR);
        _resume(REGULATOR);
    }

    function test_RevertGiven_WhatWasHaltedLapsed() external {
        _declareTransfer(_declared(1));
        _halt(HOSPITAL);
        _endAgreement();
        _expectLapsed();
        _resume(HOSPITAL);
    }

    function test_WhenTerminated_ItIsOver() external {
        _declareTransfer(_declared(2));
        _load(0, 1);
        uint32[4] memory members = [HOSPITAL, LAB, REGULATOR, HOSPITAL];
        for (uint256 index = 0; index < members.length; ++index) {
            uint256 snapshot = vm.snapshotState();
            if (index == 3) _halt(REGULATOR);
            vm.expectEmit(address(ledger));
            emit ITransfers.TransferTerminated(TRANSFER, members[index], COMMITMENT);
            _terminate(members[index]);
            _assertIs(TERMINATED);
            _expectWrongStatus(TERMINATED);
            _load(1, 2);
            _expectWrongStatus(TERMINATED);
            _receive(CONTENT);
            _expectWrongStatus(TERMINATED);
            _resume(REGULATOR);
            _expectWrongStatus(TERMINATED);
            _terminate(HOSPITAL);
            _expectWrongStatus(TERMINATED);
            _close();
            vm.revertToState(snapshot);
        }
    }

    function test_WhenLapsed_AnyMemberTerminates() external {
        _declareTransfer(_declared(1));
        _expectNotQualified(CLINIC);
        _terminate(CLINIC);
        _expectNotQualified(FOREIGN_REGULATOR);
        _terminate(FOREIGN_REGULATOR);
        vm.warp(AGREEMENT_END);
        _expectRevert(IMembers.Members_NotMember.selector, STRANGER);
        vm.prank(STRANGER);
        ledger.terminateTransfer(TRANSFER, COMMITMENT);
        _expectRevert(ITransfers.Transfers_Unknown.selector, CHILD);
        _as(CLINIC);
        ledger.terminateTransfer(CHILD, COMMITMENT);
        _terminate(CLINIC);
        _assertIs(TERMINATED);
    }

    /* REPORT AND CLOSE */

    function test_WhenDataIsAbroad_ReportsAreDueEvery90Days() external {
        _deliverAbroad(_leaf(0));
        _assertIs(RECEIVED);
        vm.assertEq(START + 90 days, ledger.transferOf(TRANSFER).reportDue, "first");
        vm.warp(START + 10 days);
        bytes32[PARTS] memory before = _fingerprint();
        vm.expectEmit(address(ledger));
        emit ITransfers.TransferReported(TRANSFER, LAB, START + 100 * DAY, COMMITMENT);
        _report();
        _assertOnlyChanged(before, TRANSFERS);
        vm.assertEq(START + 100 days, ledger.transferOf(TRANSFER).reportDue, "second");

        _expectRevert(ITransfers.Transfers_NotRecipient.selector, TRANSFER, HOSPITAL);
        _as(HOSPITAL);
        ledger.reportTransfer(TRANSFER, COMMITMENT);
        _expectRevert(ITransfers.Transfers_NoContent.selector, TRANSFER);
        _as(LAB);
        ledger.reportTransfer(TRANSFER, 0);
        _suspend(LAB);
        _report(); // owed all the same
        _close();
        _expectWrongStatus(CLOSED);
        _report();
    }

    /// @dev Neither silence nor an end makes that no report is owed.
    function test_WhenNotAnsweredOrTerminated_ReportsAreOwedAllTheSame() external {
        _shipAbroad();
        vm.assertEq(START + 90 days, ledger.transferOf(TRANSFER).reportDue, "from the shipping on");
        _report();
        _terminate(LAB);
        _report();
        vm.warp(START + 90 days);
        _as(CLINIC);
        ledger.endBorderAccess(TRANSFER);
        vm.assertEq(0, ledger.borderAccessOf(LAB), "access");
        _report();
        _receive(CONTENT);
        _assertIs(DISPUTED);
        vm.assertEq(START + 180 days, ledger.transferOf(TRANSFER).reportDue, "as reported, not as received");
        _close();
        _expectWrongStatus(CLOSED);
        _report();
    }

    function test_RevertWhen_NothingIsToBeReported() external {
        _expectRevert(ITransfers.Transfers_Unknown.selector, TRANSFER);
        _report();
        _deliver(1);
        _expectWrongStatus(RECEIVED);
        _report();
    }

    function test_WhenReportIsOverdue_AnyMemberEndsTheBorderAccess() external {
        _deliverAbroad(CONTENT);
        _assertIs(DISPUTED); // owed all the same
        vm.warp(START + 90 days - 1);
        _expectRevert(ITransfers.Transfers_NothingOverdue.selector, TRANSFER);
        _as(CLINIC);
        ledger.endBorderAccess(TRANSFER);
        vm.warp(START + 90 days);
        _expectRevert(IMembers.Members_NotMember.selector, STRANGER);
        vm.prank(STRANGER);
        ledger.endBorderAccess(TRANSFER);
        _expectRevert(ITransfers.Transfers_Unknown.selector, CHILD);
        _as(CLINIC);
        ledger.endBorderAccess(CHILD);
        vm.expectEmit(address(ledger));
        emit IBorders.BorderAccessSet(LAB, CLINIC, 0);
        _as(CLINIC);
        ledger.endBorderAccess(TRANSFER);
        vm.assertEq(0, ledger.borderAccessOf(LAB), "access");
        _expectRevert(ITransfers.Transfers_NothingOverdue.selector, TRANSFER);
        _as(CLINIC);
        ledger.endBorderAccess(TRANSFER); // nothing is left to end
        _openBorder(LAB, MEMBERSHIP_END);
        _as(CLINIC);
        ledger.endBorderAccess(TRANSFER);
        _openBorder(LAB, MEMBERSHIP_END);
        _report();
        _expectRevert(ITransfers.Transfers_NothingOverdue.selector, TRANSFER);
        _as(CLINIC);
        ledger.endBorderAccess(TRANSFER);
    }

    function test_RevertWhen_BorderAccessHasRunOut() external {
        _deliverAbroad(CONTENT);
        uint32 end = START + 100 days;
        _openBorder(LAB, end);
        vm.warp(end);
        _expectRevert(ITransfers.Transfers_NothingOverdue.selector, TRANSFER);
        _as(CLINIC);
        ledger.endBorderAccess(TRANSFER);
        vm.warp(end - 1);
        _as(CLINIC);
        ledger.endBorderAccess(TRANSFER);
        vm.assertEq(0, ledger.borderAccessOf(LAB), "access");
    }

    function test_RevertWhen_TransferAtHomeOwesNoReport() external {
        _openBorder(LAB, MEMBERSHIP_END);
        _deliver(1);
        vm.warp(START + 91 days);
        _expectRevert(ITransfers.Transfers_NothingOverdue.selector, TRANSFER);
        _as(CLINIC);
        ledger.endBorderAccess(TRANSFER);
    }

    function test_RevertGiven_NothingWasShippedAbroadYet() external {
        _clearBorder();
        _declareTransfer(_declaredAbroad(1));
        vm.warp(START + 91 days);
        _expectWrongStatus(DECLARED);
        _report();
        _expectRevert(ITransfers.Transfers_NothingOverdue.selector, TRANSFER);
        _as(CLINIC);
        ledger.endBorderAccess(TRANSFER);
    }

    function test_WhenClosed_ItStaysClosed() external {
        _deliver(1);
        bytes32[PARTS] memory before = _fingerprint();
        vm.expectEmit(address(ledger));
        emit ITransfers.TransferClosed(TRANSFER, LAB, COMMITMENT);
        _close();
        _assertOnlyChanged(before, TRANSFERS);
        _assertIs(CLOSED);
        _expectWrongStatus(CLOSED);
        _close();
        _expectRevert(ITransfers.Transfers_AlreadyReceived.selector, TRANSFER);
        _receive(CONTENT);
    }

    function test_WhenOfOneRecordOrDisputed_ItIsClosedTheSameWay() external {
        _as(HOSPITAL);
        ledger.ship(TRANSFER, _passportId(0), 0, CONTENT);
        _receive(COMMITMENT);
        _assertIs(DISPUTED);
        _close();
        _assertIs(CLOSED);
    }

    function test_RevertWhen_ClosedByAnotherOrWithoutEvidence() external {
        _expectRevert(ITransfers.Transfers_Unknown.selector, TRANSFER);
        _close();
        _deliver(1);
        _expectRevert(ITransfers.Transfers_NotRecipient.selector, TRANSFER, HOSPITAL);
        _as(HOSPITAL);
        ledger.closeTransfer(TRANSFER, COMMITMENT);
        _expectRevert(ITransfers.Transfers_NoContent.selector, TRANSFER);
        _as(LAB);
        ledger.closeTransfer(TRANSFER, 0);
    }

    function test_WhenUnknown_NothingStands() external view {
        vm.assertEq(false, ledger.transferStands(TRANSFER), "unknown");
    }

    /* HELPERS */

    /// @dev A record of another person, which the lab may be sent under decision 0.
    function _issueToAnother() private returns (bytes32 passportId) {
        passportId = _passportId(MANY);
        IPassports.Issue[] memory issues = new IPassports.Issue[](1);
        issues[0] = _issueOf(passportId, vm.addr(OTHER_HOLDER_KEY));
        _as(HOSPITAL);
        ledger.issue(issues);
        IConsents.Grant[] memory grants = new IConsents.Grant[](1);
        grants[0] = _grantOf(_grantId(MANY, LAB), passportId);
        IConsents.Proof[] memory proofs = new IConsents.Proof[](1);
        proofs[0] = _own(_signed(OTHER_HOLDER_KEY, grants[0]));
        ledger.grant(grants, proofs);
        Terms terms = TermsLib.pack(Codes.AI_TRAINING, Codes.CONSENT, Codes.TRANSFER, ASKED, PROJECT).atLevel(
            Codes.PSEUDONYMISED
        );
        _decide(LAB, _request(passportId, _grantId(MANY, LAB), terms));
    }

    function _loadOne(bytes32 passportId) private {
        ITransfers.Item[] memory items = new ITransfers.Item[](1);
        items[0] = ITransfers.Item(passportId, 0, CONTENT);
        _as(HOSPITAL);
        ledger.loadTransfer(TRANSFER, items);
    }

    function _expectNotCleared() private {
        _expectRevert(IBorders.Borders_NotCleared.selector, PROJECT, HOSPITAL);
    }

    /// @dev So many persons, under the clearance and in the year.
    function _assertCounted(uint32 persons) private view {
        vm.assertEq(persons, ledger.clearanceOf(1).persons, "clearance");
        vm.assertEq(persons, ledger.exportsOf(HOSPITAL, 2027).persons, "exports");
        vm.assertEq(persons, ledger.exportsOf(HOSPITAL, 2027).sensitivePersons, "of sensitive data");
    }

    /// @dev What would be missing; nothing stays.
    function _tryDeclare(ITransfers.Consignment memory consignment) private returns (uint32) {
        return _tryDeclareAs(TRANSFER, HOSPITAL, consignment);
    }

    function _tryDeclareAs(
        bytes32 transferId,
        uint32 sender,
        ITransfers.Consignment memory consignment
    ) private returns (uint32 missing) {
        uint256 snapshot = vm.snapshotState();
        _as(sender);
        missing = ledger.declareTransfer(transferId, consignment, COMMITMENT);
        ITransfers.TransferStatus status = ledger.transferOf(transferId).status;
        vm.assertEq(missing != 0, status == REFUSED, "refused if something is missing");
        vm.revertToState(snapshot);
    }

    function _assertNotOnward(ITransfers.Consignment memory consignment, string memory why) private {
        vm.assertEq(TransferFacts.ONWARD_ALLOWED, _tryDeclareAs(CHILD, LAB, consignment), why);
    }

    function _expectIncomplete(ITransfers.Consignment memory consignment) private {
        _expectRevert(ITransfers.Transfers_Incomplete.selector);
        _declareTransfer(consignment);
    }

    function _expectNotInParent(uint256 which, ITransfers.Provenance memory from) private {
        vm.expectRevert(
            abi.encodeWithSelector(ITransfers.Transfers_NotInParent.selector, CHILD, _passportId(which))
        );
        _as(LAB);
        ledger.loadOnward(CHILD, _items(which, which + 1, 1), _one(from));
    }

    function _cut(bytes32[] memory path) private pure returns (bytes32[] memory shorter) {
        shorter = new bytes32[](path.length - 1);
        for (uint256 step = 0; step < shorter.length; ++step) {
            shorter[step] = path[step];
        }
    }

    function _lengthened(bytes32[] memory path) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](path.length + 1);
        for (uint256 step = 0; step < path.length; ++step) {
            longer[step] = path[step];
        }
    }
}
