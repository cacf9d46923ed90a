// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEmergencies} from "../../contracts/interfaces/IEmergencies.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {LedgerTest} from "./Base.t.sol";

/// @notice The on-chain records of data assets.
contract PassportsTest is LedgerTest {
    bytes32 private constant NEW = keccak256("new passport");
    bytes32 private constant UNKNOWN = keccak256("unknown passport");

    /* ISSUE */

    function test_WhenIssued_PassportIsStored() external onlyChanges(NOTHING) {
        IPassports.Issue memory given = _issueOf(NEW, holder);
        given.custody = IPassports.Custody.ASSISTED;
        given.purposes = 0x8421;
        given.level = Codes.AGGREGATE;
        vm.expectEmit(address(ledger));
        emit IPassports.PassportIssued(
            NEW,
            HOSPITAL,
            given.holder,
            IPassports.Custody.ASSISTED,
            given.purposes,
            Codes.AGGREGATE,
            0,
            given.content
        );
        _issue(HOSPITAL, given);

        IPassports.Passport memory expected = IPassports.Passport({
            size: 0,
            custodian: HOSPITAL,
            purposes: given.purposes,
            status: IPassports.PassportStatus.OPEN,
            custody: IPassports.Custody.ASSISTED,
            level: Codes.AGGREGATE,
            lock: 0,
            epoch: 0,
            content: given.content,
            holder: given.holder
        });
        vm.assertEq(abi.encode(expected), abi.encode(_passport(NEW)), "passport");
        vm.assertEq(0, ledger.sizeOf(NEW), "size");
    }

    function test_WhenBatchIsIssued_EachIsStored() external {
        IPassports.Issue[] memory issues = new IPassports.Issue[](2);
        issues[0] = _issueOf(NEW, holder);
        issues[1] = _issueOf(UNKNOWN, otherHolder);
        _as(CLINIC);
        ledger.issue(issues);
        vm.assertEq(abi.encodePacked(holder), _passport(NEW).holder, "first");
        vm.assertEq(abi.encodePacked(otherHolder), _passport(UNKNOWN).holder, "second");
    }

    function test_RevertWhen_IssueIsIncomplete() external {
        IPassports.Issue[6] memory drafts;
        for (uint256 index = 0; index < drafts.length; ++index) {
            drafts[index] = _issueOf(NEW, holder);
        }
        drafts[0].passportId = 0;
        drafts[1].holder = new bytes(19);
        drafts[2].purposes = 0;
        drafts[3].content = 0;
        drafts[4].level = 4;
        drafts[5].holder = "";
        for (uint256 index = 0; index < drafts.length; ++index) {
            _expectRevert(IPassports.Passports_Incomplete.selector, drafts[index].passportId);
            _issue(HOSPITAL, drafts[index]);
        }
    }

    function test_WhenHolderIsLongerThanAnAccount_ItIsStored() external {
        bytes memory key = abi.encodePacked(address(ledger), bytes32(uint256(1)), bytes32(uint256(2)));
        _issue(HOSPITAL, _issueOf(NEW, key));
        vm.assertEq(key, _passport(NEW).holder, "holder");
    }

    /// @dev The identity precompile would take every signature for good.
    function test_RevertWhen_VerifierHasNoCode() external {
        IPassports.Issue memory given = _issueOf(NEW, abi.encodePacked(address(4), bytes32(uint256(1))));
        _as(HOSPITAL);
        _expectRevert(IPassports.Passports_Incomplete.selector, NEW);
        ledger.issue(_one(given));
    }

    /* LOCK */

    function test_WhenIssuedUnderAPublicEmergency_ItIsLockedToIt() external {
        uint32 emergency = _declare(_declaration());
        IPassports.Issue memory given = _issueOf(NEW, holder);
        given.lock = emergency;
        _issue(HOSPITAL, given);
        vm.assertEq(emergency, _passport(NEW).lock, "lock");
    }

    function test_RevertWhen_LockIsNoPublicEmergency() external {
        uint32 individual = _open(RESCUE, PASSPORT);
        IPassports.Issue memory given = _issueOf(NEW, holder);
        uint32[2] memory locks = [individual, individual + 1];
        for (uint256 index = 0; index < locks.length; ++index) {
            given.lock = locks[index];
            _expectRevert(IEmergencies.Emergencies_Unknown.selector, given.lock);
            _issue(HOSPITAL, given);
        }
    }

    function test_RevertGiven_PassportExists() external {
        _expectRevert(IPassports.Passports_Exists.selector, PASSPORT);
        _issue(HOSPITAL, _issueOf(PASSPORT, holder));
        _expectRevert(IPassports.Passports_Exists.selector, PASSPORT);
        _issue(CLINIC, _issueOf(PASSPORT, otherHolder));

        _destroy(HOSPITAL, PASSPORT);
        _expectRevert(IPassports.Passports_Exists.selector, PASSPORT);
        _issue(HOSPITAL, _issueOf(PASSPORT, holder));
    }

    function test_RevertWhen_BatchNamesAPassportTwice() external {
        IPassports.Issue[] memory issues = new IPassports.Issue[](2);
        issues[0] = _issueOf(NEW, holder);
        issues[1] = _issueOf(NEW, otherHolder);
        _expectRevert(IPassports.Passports_Exists.selector, NEW);
        _as(HOSPITAL);
        ledger.issue(issues);
    }

    function test_RevertGiven_IssuerIsNotAnActiveCustodian() external {
        IPassports.Issue[] memory issues = _one(_issueOf(NEW, holder));
        _expectRevert(IMembers.Members_NotMember.selector, STRANGER);
        vm.prank(STRANGER);
        ledger.issue(issues);

        _expectRevert(IMembers.Members_MissingRole.selector, LAB, Codes.ROLE_CUSTODIAN);
        _as(LAB);
        ledger.issue(issues);

        _suspend(HOSPITAL);
        _expectRevert(IMembers.Members_NotActive.selector, HOSPITAL);
        _as(HOSPITAL);
        ledger.issue(issues);
    }

    function test_WhenUnknown_PassportIsAllZero() external view {
        IPassports.Passport memory nothing;
        vm.assertEq(abi.encode(nothing), abi.encode(_passport(UNKNOWN)), "passport");
        vm.assertEq(0, ledger.sizeOf(UNKNOWN), "size");
    }

    /* CONTENT */

    function test_WhenContentIsCommitted() external onlyChanges(PASSPORTS) {
        IPassports.Passport memory expected = _passport(PASSPORT);
        expected.content = COMMITMENT;
        vm.expectEmit(address(ledger));
        emit IPassports.PassportContentCommitted(PASSPORT, COMMITMENT);
        _as(HOSPITAL);
        ledger.commitContent(PASSPORT, COMMITMENT);
        vm.assertEq(abi.encode(expected), abi.encode(_passport(PASSPORT)), "only the content differs");
    }

    function test_RevertWhen_ContentIsZero() external {
        _expectRevert(IPassports.Passports_Incomplete.selector, PASSPORT);
        _as(HOSPITAL);
        ledger.commitContent(PASSPORT, 0);
    }

    /* PURPOSES */

    function test_WhenNarrowed() external onlyChanges(PASSPORTS) {
        IPassports.Passport memory expected = _passport(PASSPORT);
        expected.purposes = 0x0021;
        vm.expectEmit(address(ledger));
        emit IPassports.PassportNarrowed(PASSPORT, 0x0021);
        _narrow(0x0021);
        vm.assertEq(abi.encode(expected), abi.encode(_passport(PASSPORT)), "only the purposes differ");
    }

    function testFuzz_Narrow(uint16 first, uint16 second) external {
        uint16 current = LAWFUL_PURPOSES;
        uint16[2] memory sets = [first, second];
        for (uint256 index = 0; index < 2; ++index) {
            uint16 given = sets[index];
            if (given == 0 || given == current || given & ~current != 0) {
                vm.expectRevert(
                    abi.encodeWithSelector(
                        IPassports.Passports_NotNarrower.selector,
                        PASSPORT,
                        current,
                        given
                    )
                );
            } else {
                current = given;
            }
            _narrow(given);
            vm.assertEq(current, _passport(PASSPORT).purposes, "purposes");
        }
    }

    function test_RevertWhen_PurposesAreNotNarrower() external {
        uint16[4] memory sets = [uint16(0), LAWFUL_PURPOSES, type(uint16).max, 0x1001];
        for (uint256 index = 0; index < sets.length; ++index) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IPassports.Passports_NotNarrower.selector,
                    PASSPORT,
                    LAWFUL_PURPOSES,
                    sets[index]
                )
            );
            _narrow(sets[index]);
        }
    }

    function _narrow(uint16 purposes) private {
        _as(HOSPITAL);
        ledger.narrow(PASSPORT, purposes);
    }

    /* SEAL AND DESTROY */

    function test_WhenSealed_ByCustodian() external onlyChanges(PASSPORTS) {
        vm.expectEmit(address(ledger));
        emit IPassports.PassportSealed(PASSPORT, COMMITMENT);
        _as(HOSPITAL);
        ledger.seal(PASSPORT, COMMITMENT);
        _assertStatus(IPassports.PassportStatus.SEALED);
    }

    function test_WhenSealed_ByCommittee() external onlyChanges(PASSPORTS) {
        vm.expectEmit(address(ledger));
        emit IPassports.PassportSealed(PASSPORT, COMMITMENT);
        _seal(PASSPORT);
        _assertStatus(IPassports.PassportStatus.SEALED);
    }

    function test_WhenSealed_ByRegulator() external onlyChanges(PASSPORTS) {
        vm.expectEmit(address(ledger));
        emit IPassports.PassportSealed(PASSPORT, COMMITMENT);
        _as(REGULATOR);
        ledger.seal(PASSPORT, COMMITMENT);
        _assertStatus(IPassports.PassportStatus.SEALED);
    }

    function test_WhenUnsealed_EverythingIsAsBefore() external onlyChanges(NOTHING) {
        _seal(PASSPORT);
        vm.expectEmit(address(ledger));
        emit IPassports.PassportUnsealed(PASSPORT);
        _asCommittee();
        ledger.unseal(PASSPORT);
    }

    function test_RevertGiven_CustodianSealed_CustodianCannotUnseal() external {
        _as(HOSPITAL);
        ledger.seal(PASSPORT, COMMITMENT);
        _expectOnly(HOSPITAL);
        _as(HOSPITAL);
        ledger.unseal(PASSPORT);
    }

    function test_WhenDestroyed() external onlyChanges(PASSPORTS) {
        vm.expectEmit(address(ledger));
        emit IPassports.PassportDestroyed(PASSPORT, COMMITMENT);
        _destroy(HOSPITAL, PASSPORT);
        _assertStatus(IPassports.PassportStatus.DESTROYED);
    }

    function test_RevertGiven_Open_UnsealIsRefused() external {
        _expectRevert(IPassports.Passports_WrongStatus.selector, PASSPORT, IPassports.PassportStatus.OPEN);
        _asCommittee();
        ledger.unseal(PASSPORT);
    }

    function test_RevertGiven_Sealed() external {
        _seal(PASSPORT);
        _assertCustodianActsRevert(IPassports.PassportStatus.SEALED);
    }

    function test_RevertGiven_Destroyed() external {
        _destroy(HOSPITAL, PASSPORT);
        _assertCustodianActsRevert(IPassports.PassportStatus.DESTROYED);
        _expectRevert(
            IPassports.Passports_WrongStatus.selector,
            PASSPORT,
            IPassports.PassportStatus.DESTROYED
        );
        _asCommittee();
        ledger.unseal(PASSPORT);
    }

    /// @dev What needs an open passport.
    function _assertCustodianActsRevert(IPassports.PassportStatus status) private {
        bytes[4] memory acts = [
            abi.encodeCall(ledger.commitContent, (PASSPORT, COMMITMENT)),
            abi.encodeCall(ledger.narrow, (PASSPORT, 1)),
            abi.encodeCall(ledger.seal, (PASSPORT, COMMITMENT)),
            abi.encodeCall(ledger.destroy, (PASSPORT, COMMITMENT))
        ];
        for (uint256 index = 0; index < acts.length; ++index) {
            _assertCallReverts(
                HOSPITAL,
                acts[index],
                abi.encodeWithSelector(IPassports.Passports_WrongStatus.selector, PASSPORT, status)
            );
        }
    }

    /* WHO AND WHAT, FOR ALL FOUR ACTS OF A CUSTODIAN */

    function test_RevertGiven_PassportIsUnknown() external {
        bytes[4] memory acts = _acts(UNKNOWN);
        for (uint256 index = 0; index < acts.length; ++index) {
            _assertCallReverts(
                HOSPITAL,
                acts[index],
                abi.encodeWithSelector(IPassports.Passports_Unknown.selector, UNKNOWN)
            );
        }
        _expectRevert(IPassports.Passports_Unknown.selector, UNKNOWN);
        _seal(UNKNOWN);
        _expectRevert(IPassports.Passports_Unknown.selector, UNKNOWN);
        _asCommittee();
        ledger.unseal(UNKNOWN);
    }

    function test_RevertGiven_CallerIsNotTheActiveCustodian() external {
        bytes[4] memory acts = _acts(PASSPORT);
        for (uint256 index = 0; index < acts.length; ++index) {
            _assertCallReverts(
                CLINIC,
                acts[index],
                abi.encodeWithSelector(IPassports.Passports_NotCustodian.selector, PASSPORT, CLINIC)
            );
            _assertCallReverts(
                NOBODY,
                acts[index],
                abi.encodeWithSelector(IMembers.Members_NotMember.selector, _signer(NOBODY))
            );
        }
        _suspend(HOSPITAL);
        for (uint256 index = 0; index < acts.length; ++index) {
            _assertCallReverts(
                HOSPITAL,
                acts[index],
                abi.encodeWithSelector(IMembers.Members_NotActive.selector, HOSPITAL)
            );
        }
    }

    function _acts(bytes32 passportId) private view returns (bytes[4] memory) {
        return
            [
                abi.encodeCall(ledger.commitContent, (passportId, COMMITMENT)),
                abi.encodeCall(ledger.narrow, (passportId, 1)),
                abi.encodeCall(ledger.seal, (passportId, COMMITMENT)),
                abi.encodeCall(ledger.destroy, (passportId, COMMITMENT))
            ];
    }

    function _assertCallReverts(uint32 memberId, bytes memory call_, bytes memory expected) private {
        _as(memberId);
        (bool done, bytes memory answer) = address(ledger).call(call_);
        vm.assertEq(false, done, "the call succeeded");
        vm.assertEq(expected, answer, "revert data");
    }
}
