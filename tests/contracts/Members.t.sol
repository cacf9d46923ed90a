// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBorders} from "../../contracts/interfaces/IBorders.sol";
import {ICommittee} from "../../contracts/interfaces/ICommittee.sol";
import {ITemplates} from "../../contracts/interfaces/ITemplates.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPolicy} from "../../contracts/interfaces/IPolicy.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {ILedger, LedgerTest} from "./Base.t.sol";

/// @notice The whitelist, and how a ledger begins.
contract MembersTest is LedgerTest {
    uint32 private constant NEXT = FOUNDED + 1;

    /* DEPLOYMENT */

    function test_WhenDeployed_FounderIsFirstMemberAndSitsAlone() external {
        ledger = _create(_admission(COMMITTEE, Codes.ROLE_COMMITTEE));
        vm.assertEq(1, ledger.memberCount(), "members");
        vm.assertEq(COMMITTEE, ledger.memberIdOf(_signer(COMMITTEE)), "member");
        vm.assertEq(Codes.ROLE_COMMITTEE, ledger.memberOf(COMMITTEE).roles, "roles");
        (uint32[] memory memberIds, ICommittee.SeatKind[] memory kinds) = ledger.seats();
        vm.assertEq(1, memberIds.length, "seats");
        vm.assertEq(COMMITTEE, memberIds[0], "seated");
        vm.assertTrue(kinds[0] == ICommittee.SeatKind.CONVENOR, "kind of the seat");
        for (uint8 kind = 0; kind <= uint8(type(ICommittee.ActKind).max); ++kind) {
            ICommittee.Rule memory rule = ledger.ruleOf(ICommittee.ActKind(kind));
            vm.assertEq(abi.encode(ICommittee.Rule(1, 0, 0)), abi.encode(rule), "rule");
        }
    }

    function test_RevertWhen_FoundedAgain() external {
        IMembers.Admission memory founder = _admission(NEXT, Codes.ROLE_COMMITTEE);
        IPolicy.Table memory law = ledger.policy();
        ITemplates.Template memory template = ledger.templateOf(TEMPLATE);
        IBorders.Thresholds memory limits = ledger.thresholds();
        _expectRevert(ILedger.GovernanceOffice_Founded.selector);
        ledger.found(founder, law, template, limits);
        _expectRevert(ILedger.GovernanceOffice_Founded.selector);
        _asCommittee();
        ledger.found(founder, law, template, limits);

        ILedger office = ILedger(ledger.OFFICE());
        _expectRevert(ILedger.GovernanceOffice_Founded.selector);
        office.found(founder, law, template, limits);
        vm.assertEq(0, office.memberCount(), "an office is no ledger");
    }

    function test_RevertWhen_OfficeHasNoCode() external {
        bytes memory governance = bytes.concat(vm.getCode("GovernanceOffice"), abi.encode(STRANGER));
        _expectRevert(ILedger.Forwards_NoOffice.selector, STRANGER);
        _create(governance);
    }

    function test_RevertWhen_FunctionIsNobodys() external {
        (bool done, bytes memory answer) = address(ledger).call(abi.encodeWithSignature("owner()"));
        vm.assertEq(false, done, "the call succeeded");
        vm.assertEq(0, answer.length, "answer");
        (done, ) = address(ledger).call("");
        vm.assertEq(false, done, "nothing was called");
    }

    function test_RevertWhen_FounderIsNotCommittee() external {
        address office = _createOffice();
        _expectRevert(ILedger.GovernanceOffice_FounderNotCommittee.selector);
        _create(office, _admission(COMMITTEE, Codes.ROLE_CUSTODIAN));
    }

    function test_RevertWhen_FounderIsIncomplete() external {
        IMembers.Admission memory founder = _admission(COMMITTEE, Codes.ROLE_COMMITTEE);
        founder.name = "";
        address office = _createOffice();
        _expectRevert(IMembers.Members_Incomplete.selector);
        _create(office, founder);
    }

    /* ADMISSION */

    function test_WhenAdmitted_MemberIsStored() external onlyChanges(MEMBERS) {
        IMembers.Admission memory given = _admission(NEXT, Codes.ROLE_AUDITOR);
        given.purposes = 0x0421;
        given.kind = IMembers.MemberKind.INSURER;
        vm.expectEmit(address(ledger));
        emit IMembers.MemberAdmitted(
            NEXT,
            given.signer,
            given.roles,
            given.purposes,
            given.jurisdiction,
            given.validTo,
            given.kind,
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
            kind: given.kind,
            control: 0,
            signingKey: given.signingKey,
            sealingKey: given.sealingKey
        });
        vm.assertEq(abi.encode(expected), abi.encode(ledger.memberOf(NEXT)), "member");
    }

    function test_RevertWhen_AdmissionIsIncomplete() external {
        IMembers.Admission[8] memory drafts;
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
        drafts[7].roles = 1 << 10;
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

    function test_RevertWhen_SignerIsTheLedger() external {
        IMembers.Admission memory given = _admission(NEXT, Codes.ROLE_AUDITOR);
        given.signer = address(ledger);
        _expectRevert(IMembers.Members_KeyInUse.selector, uint256(uint160(address(ledger))));
        _admit(given);
        _expectRevert(IMembers.Members_KeyInUse.selector, uint256(uint160(address(ledger))));
        _rotate(LAB, address(ledger), COMMITMENT, COMMITMENT);
    }

    function test_WhenAllianceAdmits_MemberIsAdmitted() external onlyChanges(MEMBERS) {
        _as(ALLIANCE);
        vm.assertEq(NEXT, ledger.admit(_admission(NEXT, Codes.ROLES & ~Codes.COMMITTEE_ROLES)), "number");
    }

    function test_RevertWhen_AllianceGivesARoleThatGoverns() external {
        uint16[4] memory reserved = [
            Codes.ROLE_COMMITTEE,
            Codes.ROLE_ALLIANCE,
            Codes.ROLE_REGULATOR,
            Codes.ROLE_EMERGENCY
        ];
        for (uint256 index = 0; index < reserved.length; ++index) {
            _expectRevert(IMembers.Members_RoleReserved.selector, reserved[index]);
            _as(ALLIANCE);
            ledger.admit(_admission(NEXT, reserved[index] | Codes.ROLE_PROCESSOR));
        }
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
        vm.assertEq(abi.encode(nothing), abi.encode(ledger.memberOf(NEXT)), "next member");
        vm.assertEq(0, ledger.memberIdOf(STRANGER), "stranger");
        vm.assertEq(0, ledger.memberIdOf(address(0)), "zero address");
    }

    function testFuzz_Admit(uint16 roles, uint16 purposes, uint16 jurisdiction, uint32 validTo) external {
        IMembers.Admission memory given = _admission(NEXT, roles);
        given.purposes = purposes;
        given.jurisdiction = jurisdiction;
        given.validTo = validTo;
        bool complete = roles != 0 && roles <= Codes.ROLES && validTo > START;
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
        _reinstate(LAB);
    }

    function test_WhenAllianceOrRegulatorSuspends() external onlyChanges(MEMBERS) {
        vm.expectEmit(address(ledger));
        emit IMembers.MemberSuspended(LAB, COMMITMENT);
        _as(ALLIANCE);
        ledger.suspend(LAB, COMMITMENT);
        vm.expectEmit(address(ledger));
        emit IMembers.MemberSuspended(CLINIC, COMMITMENT);
        _as(REGULATOR);
        ledger.suspend(CLINIC, COMMITMENT);
    }

    function test_RevertWhen_OthersSuspendWhoHoldsASeat() external {
        uint32[2] memory callers = [ALLIANCE, REGULATOR];
        for (uint256 index = 0; index < callers.length; ++index) {
            _expectRevert(IMembers.Members_HoldsSeat.selector, COMMITTEE);
            _as(callers[index]);
            ledger.suspend(COMMITTEE, COMMITMENT);
        }
    }

    /* EXPULSION */

    function test_WhenExpelled() external onlyChanges(MEMBERS) {
        vm.expectEmit(address(ledger));
        emit IMembers.MemberExpelled(LAB, COMMITMENT);
        _expel(LAB);
        vm.assertTrue(ledger.memberOf(LAB).status == IMembers.MemberStatus.EXPELLED, "status");
    }

    function test_RevertGiven_Expelled_NothingBringsItBack() external {
        _suspend(LAB);
        _expel(LAB);
        _expectRevert(IMembers.Members_AlreadySet.selector, LAB);
        _reinstate(LAB);
        _expectRevert(IMembers.Members_AlreadySet.selector, LAB);
        _suspend(LAB);
        _expectRevert(IMembers.Members_AlreadySet.selector, LAB);
        _expel(LAB);
        _expectRevert(IMembers.Members_AlreadySet.selector, LAB);
        _license(LAB, 1, MEMBERSHIP_END);

        _rotate(LAB, _signer(NEXT), COMMITMENT, COMMITMENT); // with new keys it is expelled all the same
        _expectRevert(IMembers.Members_NotActive.selector, LAB);
        _as(NEXT);
        ledger.fileProject(_projectDraft(), COMMITMENT);
    }

    /* LICENCE, CONTROL, CAPS */

    function test_WhenLicensed() external onlyChanges(MEMBERS) {
        IMembers.Member memory expected = ledger.memberOf(LAB);
        expected.purposes = 0x0421;
        expected.validTo = START + DAY;
        vm.expectEmit(address(ledger));
        emit IMembers.MemberLicensed(LAB, 0x0421, START + DAY);
        _license(LAB, 0x0421, START + DAY);
        vm.assertEq(abi.encode(expected), abi.encode(ledger.memberOf(LAB)), "only the licence differs");
    }

    function test_WhenControlChanges_ItIsCounted() external onlyChanges(MEMBERS) {
        IMembers.Member memory expected = ledger.memberOf(LAB);
        expected.control = 2;
        vm.expectEmit(address(ledger));
        emit IMembers.MemberControlChanged(LAB, 1, COMMITMENT);
        _changeControl(LAB);
        vm.expectEmit(address(ledger));
        emit IMembers.MemberControlChanged(LAB, 2, COMMITMENT);
        _as(ALLIANCE);
        ledger.changeControl(LAB, COMMITMENT);
        vm.assertEq(abi.encode(expected), abi.encode(ledger.memberOf(LAB)), "only control differs");
    }

    function test_WhenCapsAreSet() external onlyChanges(CAPS) {
        vm.expectEmit(address(ledger));
        emit IMembers.MemberCapsSet(LAB, 12345);
        _asCommittee();
        ledger.setCaps(LAB, 12345);
        (uint256 caps, uint256 used) = ledger.capsOf(LAB, START / DAY);
        vm.assertEq(12345, caps, "caps");
        vm.assertEq(0, used, "used");
    }

    /* ENTRUSTMENT */

    function test_WhenEntrusted_AndEnded() external onlyChanges(ENTRUSTMENTS) {
        vm.expectEmit(address(ledger));
        emit IMembers.MemberEntrusted(LAB, CLINIC, 0x0421, START + DAY, COMMITMENT);
        _as(LAB);
        ledger.entrust(CLINIC, 0x0421, START + DAY, COMMITMENT);
        vm.assertEq(
            abi.encode(IMembers.Entrustment(0x0421, START + DAY)),
            abi.encode(ledger.entrustmentOf(LAB, CLINIC)),
            "entrustment"
        );
        vm.assertEq(0, ledger.entrustmentOf(CLINIC, LAB).purposes, "not the other way round");

        _as(LAB);
        ledger.entrust(CLINIC, 0, START + DAY, COMMITMENT);
        vm.assertEq(0, ledger.entrustmentOf(LAB, CLINIC).purposes, "ended");
    }

    function test_RevertWhen_MemberEntrustsItselfOrNobody() external {
        _expectRevert(IMembers.Members_SelfEntrustment.selector, LAB);
        _entrust(LAB, LAB, MEMBERSHIP_END);
        _expectRevert(IMembers.Members_Unknown.selector, NOBODY);
        _entrust(LAB, NOBODY, MEMBERSHIP_END);
        _suspend(LAB);
        _expectRevert(IMembers.Members_NotActive.selector, LAB);
        _entrust(LAB, CLINIC, MEMBERSHIP_END);
    }

    function test_RevertGiven_MemberIsUnknown() external {
        for (uint32 memberId = 0; memberId <= NEXT; memberId += NEXT) {
            bytes[7] memory acts = [
                abi.encodeCall(ledger.suspend, (memberId, COMMITMENT)),
                abi.encodeCall(ledger.reinstate, (memberId)),
                abi.encodeCall(ledger.expel, (memberId, COMMITMENT)),
                abi.encodeCall(ledger.rotateKeys, (memberId, _signer(NEXT), COMMITMENT, COMMITMENT)),
                abi.encodeCall(ledger.license, (memberId, 1, MEMBERSHIP_END)),
                abi.encodeCall(ledger.changeControl, (memberId, COMMITMENT)),
                abi.encodeCall(ledger.setCaps, (memberId, 1))
            ];
            for (uint256 index = 0; index < acts.length; ++index) {
                _asCommittee();
                (bool done, bytes memory answer) = address(ledger).call(acts[index]);
                vm.assertEq(false, done, "the call succeeded");
                vm.assertEq(
                    abi.encodeWithSelector(IMembers.Members_Unknown.selector, memberId),
                    answer,
                    "revert data"
                );
            }
        }
    }

    function test_RevertGiven_StatusIsAlreadySet() external {
        _expectRevert(IMembers.Members_AlreadySet.selector, LAB);
        _reinstate(LAB);

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

    function test_WhenCommitteesKeysAreRotated_SeatStays() external onlyChanges(MEMBERS) {
        _rotate(COMMITTEE, _signer(NEXT), COMMITMENT, CONTENT);
        (uint32[] memory memberIds, ) = ledger.seats();
        vm.assertEq(COMMITTEE, memberIds[0], "seat");
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
        _asCommittee();
        ledger.rotateKeys(memberId, signer, signingKey, sealingKey);
    }

    function _license(uint32 memberId, uint16 purposes, uint32 validTo) private {
        _asCommittee();
        ledger.license(memberId, purposes, validTo);
    }
}
