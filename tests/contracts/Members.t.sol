// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {ILedger, LedgerTest} from "./Base.t.sol";

/// @notice The whitelist, and the ownership of the ledger.
contract MembersTest is LedgerTest {
    uint32 private constant NEXT = 5;

    /* DEPLOYMENT */

    function test_WhenDeployed_FounderIsFirstMemberAndOwner() external view {
        vm.assertEq(_signer(COMMITTEE), ledger.owner(), "owner");
        vm.assertEq(COMMITTEE, ledger.memberIdOf(_signer(COMMITTEE)), "member");
        vm.assertEq(Codes.ROLE_COMMITTEE, ledger.memberOf(COMMITTEE).roles, "roles");
    }

    function test_RevertWhen_FounderIsNotCommittee() external {
        _expectRevert(ILedger.PassportLedger_FounderNotCommittee.selector);
        _create(_admission(COMMITTEE, Codes.ROLE_CUSTODIAN));
    }

    function test_RevertWhen_FounderIsIncomplete() external {
        IMembers.Admission memory founder = _admission(COMMITTEE, Codes.ROLE_COMMITTEE);
        founder.name = "";
        _expectRevert(IMembers.Members_Incomplete.selector);
        _create(founder);
    }

    /* OWNERSHIP */

    function test_RevertWhen_OwnershipIsRenounced() external {
        _expectRevert(ILedger.PassportLedger_CommitteeRequired.selector);
        _as(COMMITTEE);
        ledger.renounceOwnership();
    }

    function test_WhenOwnershipMoves_ItTakesTwoSteps() external onlyChanges(OWNER) {
        _as(COMMITTEE);
        ledger.transferOwnership(_signer(CLINIC));
        vm.assertEq(_signer(COMMITTEE), ledger.owner(), "not yet");

        _as(CLINIC);
        ledger.acceptOwnership();
        vm.assertEq(_signer(CLINIC), ledger.owner(), "accepted");

        _expectRevert(Ownable.OwnableUnauthorizedAccount.selector, _signer(COMMITTEE));
        _as(COMMITTEE);
        ledger.suspend(LAB, COMMITMENT);
    }

    /* ADMISSION */

    function test_WhenAdmitted_MemberIsStored() external onlyChanges(MEMBERS) {
        IMembers.Admission memory given = _admission(NEXT, Codes.ROLE_AUDITOR);
        given.purposes = 0x0421;
        vm.expectEmit(address(ledger));
        emit IMembers.MemberAdmitted(
            NEXT,
            given.signer,
            given.roles,
            given.purposes,
            given.jurisdiction,
            given.validTo,
            given.signingKey,
            given.sealingKey,
            given.name
        );

        vm.assertEq(NEXT, _admit(given), "number of the member");
        vm.assertEq(NEXT, ledger.memberCount(), "count");
        vm.assertEq(NEXT, ledger.memberIdOf(given.signer), "number by signer");
        IMembers.Member memory expected = IMembers.Member({
            signer: given.signer,
            roles: given.roles,
            purposes: given.purposes,
            jurisdiction: given.jurisdiction,
            validTo: given.validTo,
            status: IMembers.MemberStatus.ACTIVE,
            signingKey: given.signingKey,
            sealingKey: given.sealingKey
        });
        vm.assertEq(abi.encode(expected), abi.encode(ledger.memberOf(NEXT)), "member");
    }

    function test_RevertWhen_AdmissionIsIncomplete() external {
        IMembers.Admission[7] memory drafts;
        for (uint256 index = 0; index < drafts.length; ++index) {
            drafts[index] = _admission(NEXT, Codes.ROLE_AUDITOR);
        }
        drafts[0].signer = address(0);
        drafts[1].signingKey = 0;
        drafts[2].sealingKey = 0;
        drafts[3].roles = 0;
        drafts[4].validTo = START; // now
        drafts[5].name = "";
        drafts[6].name = string(new bytes(65));
        for (uint256 index = 0; index < drafts.length; ++index) {
            _expectRevert(IMembers.Members_Incomplete.selector);
            _admit(drafts[index]);
        }
    }

    function test_WhenAdmissionIsAtTheLimits() external {
        IMembers.Admission memory given = _admission(NEXT, Codes.ROLE_AUDITOR);
        given.validTo = START + 1;
        given.name = string(new bytes(64));
        vm.assertEq(NEXT, _admit(given), "admitted");
    }

    function test_RevertWhen_SignerIsInUse() external {
        IMembers.Admission memory given = _admission(NEXT, Codes.ROLE_AUDITOR);
        given.signer = _signer(LAB);
        _expectRevert(IMembers.Members_KeyInUse.selector, uint256(uint160(_signer(LAB))));
        _admit(given);
    }

    function test_RevertWhen_SigningKeyIsInUse() external {
        IMembers.Admission memory given = _admission(NEXT, Codes.ROLE_AUDITOR);
        given.signingKey = ledger.memberOf(LAB).signingKey;
        _expectRevert(IMembers.Members_KeyInUse.selector, given.signingKey);
        _admit(given);
    }

    function test_WhenUnknown_MemberIsAllZero() external view {
        IMembers.Member memory nothing;
        vm.assertEq(abi.encode(nothing), abi.encode(ledger.memberOf(0)), "member 0");
        vm.assertEq(abi.encode(nothing), abi.encode(ledger.memberOf(NEXT)), "member 5");
        vm.assertEq(0, ledger.memberIdOf(STRANGER), "stranger");
        vm.assertEq(0, ledger.memberIdOf(address(0)), "zero address");
    }

    function testFuzz_Admit(uint16 roles, uint16 purposes, uint16 jurisdiction, uint40 validTo) external {
        IMembers.Admission memory given = _admission(NEXT, roles);
        given.purposes = purposes;
        given.jurisdiction = jurisdiction;
        given.validTo = validTo;
        bool complete = roles != 0 && validTo > START;
        if (!complete) _expectRevert(IMembers.Members_Incomplete.selector);
        _admit(given);
        vm.assertEq(complete ? NEXT : NEXT - 1, ledger.memberCount(), "count");
    }

    /* SUSPENSION */

    function test_WhenSuspended() external onlyChanges(MEMBERS) {
        vm.expectEmit(address(ledger));
        emit IMembers.MemberSuspended(LAB, COMMITMENT);
        _suspend(LAB);
        vm.assertTrue(ledger.memberOf(LAB).status == IMembers.MemberStatus.SUSPENDED, "status");
        vm.assertEq(LAB, ledger.memberIdOf(_signer(LAB)), "is still a member");
    }

    function test_WhenReinstated_EverythingIsAsBefore() external onlyChanges(NOTHING) {
        _suspend(LAB);
        vm.expectEmit(address(ledger));
        emit IMembers.MemberReinstated(LAB);
        _as(COMMITTEE);
        ledger.reinstate(LAB);
    }

    function test_RevertGiven_MemberIsUnknown() external {
        for (uint32 memberId = 0; memberId <= NEXT; memberId += NEXT) {
            _expectRevert(IMembers.Members_Unknown.selector, memberId);
            _suspend(memberId);

            _expectRevert(IMembers.Members_Unknown.selector, memberId);
            _as(COMMITTEE);
            ledger.reinstate(memberId);

            _expectRevert(IMembers.Members_Unknown.selector, memberId);
            _rotate(memberId, _signer(NEXT), COMMITMENT, COMMITMENT);
        }
    }

    function test_RevertGiven_StatusIsAlreadySet() external {
        _expectRevert(IMembers.Members_AlreadySet.selector, LAB);
        _as(COMMITTEE);
        ledger.reinstate(LAB);

        _suspend(LAB);
        _expectRevert(IMembers.Members_AlreadySet.selector, LAB);
        _suspend(LAB);
    }

    function test_WhenMembershipEnds_EndItselfIsOver() external {
        vm.warp(MEMBERSHIP_END - 1);
        _as(HOSPITAL);
        ledger.commitContent(PASSPORT, COMMITMENT);

        vm.warp(MEMBERSHIP_END);
        _expectRevert(IMembers.Members_NotActive.selector, HOSPITAL);
        _as(HOSPITAL);
        ledger.commitContent(PASSPORT, COMMITMENT);
    }

    /* KEYS */

    function test_WhenKeysAreRotated_OldOnesAreDead() external onlyChanges(MEMBERS) {
        address signer = _signer(NEXT);
        vm.expectEmit(address(ledger));
        emit IMembers.MemberKeysRotated(HOSPITAL, signer, COMMITMENT, CONTENT);
        _rotate(HOSPITAL, signer, COMMITMENT, CONTENT);

        IMembers.Member memory member = ledger.memberOf(HOSPITAL);
        vm.assertEq(signer, member.signer, "signer");
        vm.assertEq(COMMITMENT, member.signingKey, "signing key");
        vm.assertEq(CONTENT, member.sealingKey, "sealing key");
        vm.assertEq(HOSPITAL, ledger.memberIdOf(signer), "new signer");
        vm.assertEq(0, ledger.memberIdOf(_signer(HOSPITAL)), "old signer");
        _expectRevert(IMembers.Members_NotMember.selector, _signer(HOSPITAL));
        _as(HOSPITAL);
        ledger.commitContent(PASSPORT, COMMITMENT);
    }

    function test_WhenOneKeyIsRotated_OthersMayStay() external {
        IMembers.Member memory before = ledger.memberOf(LAB);
        _rotate(LAB, before.signer, before.signingKey, COMMITMENT);
        before.sealingKey = COMMITMENT;
        vm.assertEq(abi.encode(before), abi.encode(ledger.memberOf(LAB)), "only the sealing key differs");
        vm.assertEq(LAB, ledger.memberIdOf(before.signer), "number by signer");
    }

    function test_WhenCommitteesKeysAreRotated_OwnershipMovesAlong() external onlyChanges(MEMBERS | OWNER) {
        vm.expectEmit(address(ledger));
        emit Ownable.OwnershipTransferred(_signer(COMMITTEE), _signer(NEXT));
        vm.expectEmit(address(ledger));
        emit IMembers.MemberKeysRotated(COMMITTEE, _signer(NEXT), COMMITMENT, CONTENT);
        _rotate(COMMITTEE, _signer(NEXT), COMMITMENT, CONTENT);
        vm.assertEq(_signer(NEXT), ledger.owner(), "owner");
        vm.assertEq(address(0), ledger.pendingOwner(), "in one step");

        _expectRevert(Ownable.OwnableUnauthorizedAccount.selector, _signer(COMMITTEE));
        _suspend(LAB);
        _as(NEXT); // the new signer
        ledger.suspend(LAB, COMMITMENT);
    }

    function test_WhenCommitteeKeepsItsSigner_OwnershipStays() external onlyChanges(MEMBERS) {
        _rotate(COMMITTEE, _signer(COMMITTEE), COMMITMENT, CONTENT);
    }

    function test_WhenAnotherMemberOwnsTheLedger_OnlyItsKeysMoveOwnership() external {
        _as(COMMITTEE);
        ledger.transferOwnership(_signer(CLINIC));
        _as(CLINIC);
        ledger.acceptOwnership();

        _as(CLINIC);
        ledger.rotateKeys(COMMITTEE, _signer(NEXT), COMMITMENT, COMMITMENT);
        vm.assertEq(_signer(CLINIC), ledger.owner(), "a former owner's keys are any member's");
        _as(CLINIC);
        ledger.rotateKeys(CLINIC, _signer(NEXT + 1), CONTENT, CONTENT);
        vm.assertEq(_signer(NEXT + 1), ledger.owner(), "the owner's are the ledger's");
    }

    function test_RevertWhen_CommitteeTakesAMembersSigner_OwnershipStays() external {
        _expectRevert(IMembers.Members_KeyInUse.selector, uint256(uint160(_signer(LAB))));
        _rotate(COMMITTEE, _signer(LAB), COMMITMENT, COMMITMENT);
        vm.assertEq(_signer(COMMITTEE), ledger.owner(), "owner");
    }

    function test_WhenSigningKeyWasRotatedAway_OnlyItsMemberMayTakeItBack() external {
        bytes32 former = ledger.memberOf(LAB).signingKey;
        _rotate(LAB, _signer(LAB), COMMITMENT, COMMITMENT);

        _expectRevert(IMembers.Members_KeyInUse.selector, former);
        _rotate(HOSPITAL, _signer(HOSPITAL), former, COMMITMENT);
        IMembers.Admission memory given = _admission(NEXT, Codes.ROLE_AUDITOR);
        given.signingKey = former;
        _expectRevert(IMembers.Members_KeyInUse.selector, former);
        _admit(given);

        _rotate(LAB, _signer(LAB), former, COMMITMENT);
        vm.assertEq(former, ledger.memberOf(LAB).signingKey, "taken back");
        _expectRevert(IMembers.Members_KeyInUse.selector, COMMITMENT);
        _rotate(HOSPITAL, _signer(HOSPITAL), COMMITMENT, COMMITMENT);
    }

    function test_WhenSignerWasRotatedAway_ItIsFree() external {
        _rotate(LAB, _signer(NEXT + 1), COMMITMENT, COMMITMENT);
        IMembers.Admission memory given = _admission(NEXT, Codes.ROLE_AUDITOR);
        given.signer = _signer(LAB);
        vm.assertEq(NEXT, _admit(given), "admitted");
        vm.assertEq(NEXT, ledger.memberIdOf(_signer(LAB)), "number by signer");
    }

    function test_RevertWhen_NewKeysAreIncomplete() external {
        _expectRevert(IMembers.Members_Incomplete.selector);
        _rotate(LAB, address(0), COMMITMENT, COMMITMENT);
        _expectRevert(IMembers.Members_Incomplete.selector);
        _rotate(LAB, _signer(NEXT), 0, COMMITMENT);
        _expectRevert(IMembers.Members_Incomplete.selector);
        _rotate(LAB, _signer(NEXT), COMMITMENT, 0);
    }

    function test_RevertWhen_NewKeysAreInUse() external {
        _expectRevert(IMembers.Members_KeyInUse.selector, uint256(uint160(_signer(HOSPITAL))));
        _rotate(LAB, _signer(HOSPITAL), COMMITMENT, COMMITMENT);

        bytes32 taken = ledger.memberOf(HOSPITAL).signingKey;
        _expectRevert(IMembers.Members_KeyInUse.selector, taken);
        _rotate(LAB, _signer(NEXT), taken, COMMITMENT);
    }

    function _rotate(uint32 memberId, address signer, bytes32 signingKey, bytes32 sealingKey) private {
        _as(COMMITTEE);
        ledger.rotateKeys(memberId, signer, signingKey, sealingKey);
    }
}
