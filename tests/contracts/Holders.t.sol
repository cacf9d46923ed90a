// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IHolders} from "../../contracts/interfaces/IHolders.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {PassportHash} from "../../contracts/libraries/PassportHash.sol";
import {LedgerTest} from "./Base.t.sol";

/// @notice A holder that is a contract and changes its mind: it accepts everything, or nothing.
contract FickleWallet is IERC1271 {
    bool public accepts = true;

    function change() external {
        accepts = !accepts;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        return accepts ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

/// @notice Who speaks for a subject.
contract HoldersTest is LedgerTest {
    bytes32 private constant UNKNOWN = keccak256("unknown");
    uint256 private constant NEW_KEY = 0x4E3;
    uint256 private constant FIRST_GUARDIAN = 0x60A1;
    uint8 private constant THRESHOLD = 2;
    uint32 private constant READY = START + 7 days;

    bytes private _new = abi.encodePacked(vm.addr(NEW_KEY));

    /* ROTATION */

    function test_WhenRotated_OnlyTheHolderDiffers() external onlyChanges(PASSPORTS) {
        IPassports.Passport memory expected = _passport(PASSPORT);
        expected.holder = _new;
        expected.custody = IPassports.Custody.ASSISTED;
        expected.epoch = 1;
        bytes memory signature = _signedHash(
            HOLDER_KEY,
            _rotationHash(PASSPORT, _new, IPassports.Custody.ASSISTED)
        );
        vm.expectEmit(address(ledger));
        emit IHolders.HolderRotated(PASSPORT, _new, IPassports.Custody.ASSISTED, 1);
        vm.prank(STRANGER);
        ledger.rotateHolder(PASSPORT, _new, IPassports.Custody.ASSISTED, signature);
        vm.assertEq(abi.encode(expected), abi.encode(_passport(PASSPORT)), "passport");
    }

    function test_WhenRotated_OldKeyIsDeadAtOnce() external {
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        bytes memory unused = _signed(HOLDER_KEY, given);
        _rotate(HOLDER_KEY, _new);
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        _give(given, unused);
        bytes memory withdrawal = _signedRevocation(HOLDER_KEY, PASSPORT, GRANT);
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.revoke(PASSPORT, GRANT, _own(withdrawal));

        _give(given, _signed(NEW_KEY, given));
        ledger.revoke(PASSPORT, GRANT, _own(_signedRevocation(NEW_KEY, PASSPORT, GRANT)));
        vm.assertTrue(
            ledger.grantOf(PASSPORT, GRANT).status == IConsents.GrantStatus.WITHDRAWN,
            "what the old key gave, the new one withdraws"
        );
    }

    function test_RevertWhen_RotationIsReplayed() external {
        bytes memory signature = _signedHash(
            HOLDER_KEY,
            _rotationHash(PASSPORT, _new, IPassports.Custody.SELF)
        );
        ledger.rotateHolder(PASSPORT, _new, IPassports.Custody.SELF, signature);
        _assertRotationRefused(PASSPORT, _new, signature);
        _rotate(NEW_KEY, abi.encodePacked(holder)); // back to the first key
        _assertRotationRefused(PASSPORT, _new, signature);
    }

    function test_RevertWhen_RotationIsNotTheHolders() external {
        bytes32 words = _rotationHash(PASSPORT, _new, IPassports.Custody.SELF);
        _nameDelegate(MEMBERSHIP_END);
        bytes[6] memory signatures = [
            _signedHash(STRANGER_KEY, words),
            _signedHash(NEW_KEY, words),
            _signedHash(DELEGATE_KEY, words), // speaks for the holder, but is not the holder
            _signedHash(HOLDER_KEY, _rotationHash(PASSPORT, _new, IPassports.Custody.ASSISTED)),
            _signedHash(HOLDER_KEY, _rotationHash(OTHER_PASSPORT, _new, IPassports.Custody.SELF)),
            _signedHash(HOLDER_KEY, _rotationHash(PASSPORT, delegate, IPassports.Custody.SELF))
        ];
        for (uint256 index = 0; index < signatures.length; ++index) {
            _assertRotationRefused(PASSPORT, _new, signatures[index]);
        }
        _assertRotationRefused(UNKNOWN, _new, signatures[0]);
    }

    function test_RevertWhen_RotationIsForAnotherChainOrLedger() external {
        bytes32 words = _rotationHash(PASSPORT, _new, IPassports.Custody.SELF);
        bytes32 otherChain = _domainSeparator(1, address(ledger));
        bytes32 otherLedger = _domainSeparator(block.chainid, STRANGER);
        _assertRotationRefused(PASSPORT, _new, _sign(HOLDER_KEY, _digest(otherChain, words)));
        _assertRotationRefused(PASSPORT, _new, _sign(HOLDER_KEY, _digest(otherLedger, words)));
    }

    function test_RevertWhen_RotationIsMalleable() external {
        bytes32 words = _rotationHash(PASSPORT, _new, IPassports.Custody.SELF);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(HOLDER_KEY, _digest(words));
        bytes32 flipped = bytes32(SECP256K1_N - uint256(s));
        _assertRotationRefused(PASSPORT, _new, abi.encodePacked(r, flipped, v ^ 7));
    }

    function test_RevertWhen_KeyIsShorterThanAnAccount() external {
        bytes memory short = new bytes(19);
        bytes memory rotation = _signedHash(
            HOLDER_KEY,
            _rotationHash(PASSPORT, short, IPassports.Custody.SELF)
        );
        _expectRevert(IHolders.Holders_BadKey.selector);
        ledger.rotateHolder(PASSPORT, short, IPassports.Custody.SELF, rotation);

        bytes memory delegation = _signedHash(HOLDER_KEY, _delegationHash(PASSPORT, short, MEMBERSHIP_END));
        _expectRevert(IHolders.Holders_BadKey.selector);
        ledger.nameDelegate(PASSPORT, short, MEMBERSHIP_END, delegation);

        _expectRevert(IHolders.Holders_BadKey.selector);
        _recoverAtCounter(short);
    }

    /// @dev A patient takes over from the hospital that kept the key.
    function test_WhenHolderTakesOver_ItSpeaksForItself() external {
        _rotate(HOLDER_KEY, _new, IPassports.Custody.ASSISTED);
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        _give(given, _signed(NEW_KEY, given));
        _assertAssurance(OTHER_GRANT, IConsents.Assurance.ASSISTED);

        _rotate(NEW_KEY, abi.encodePacked(holder), IPassports.Custody.SELF);
        given.grantId = UNKNOWN;
        _give(given);
        _assertAssurance(UNKNOWN, IConsents.Assurance.SELF);
    }

    /* DELEGATES */

    function test_WhenDelegateIsNamed() external onlyChanges(HOLDERS) {
        bytes memory signature = _signedHash(HOLDER_KEY, _delegationHash(PASSPORT, delegate, MEMBERSHIP_END));
        vm.expectEmit(address(ledger));
        emit IHolders.DelegateNamed(PASSPORT, delegate, MEMBERSHIP_END);
        vm.prank(STRANGER);
        ledger.nameDelegate(PASSPORT, delegate, MEMBERSHIP_END, signature);
        vm.assertEq(MEMBERSHIP_END, ledger.delegateUntil(PASSPORT, delegate), "until");
        vm.assertEq(0, ledger.delegateUntil(OTHER_PASSPORT, delegate), "for another passport");
        vm.assertEq(0, ledger.delegateUntil(PASSPORT, _new), "another key");
    }

    function test_WhenDelegateSpeaks_ItsTimeIsExclusive() external {
        _nameDelegate(START + DAY);
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        IConsents.Proof memory proof = _delegates(DELEGATE_KEY, _grantHash(given));
        vm.warp(START + DAY);
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.grant(_one(given), _one(proof));

        vm.warp(START + DAY - 1);
        ledger.grant(_one(given), _one(proof));
        _assertAssurance(OTHER_GRANT, IConsents.Assurance.DELEGATED);
        ledger.revoke(
            PASSPORT,
            OTHER_GRANT,
            _delegates(DELEGATE_KEY, _revocationHash(PASSPORT, OTHER_GRANT))
        );
        vm.assertTrue(
            ledger.grantOf(PASSPORT, OTHER_GRANT).status == IConsents.GrantStatus.WITHDRAWN,
            "withdrawn"
        );
    }

    function test_WhenHolderIsAssisted_ItsDelegateIsTheCustodiansToo() external {
        _rotate(HOLDER_KEY, _new, IPassports.Custody.ASSISTED);
        vm.prank(STRANGER);
        ledger.nameDelegate(
            PASSPORT,
            delegate,
            MEMBERSHIP_END,
            _signedHash(NEW_KEY, _delegationHash(PASSPORT, delegate, MEMBERSHIP_END))
        );
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        ledger.grant(_one(given), _one(_delegates(DELEGATE_KEY, _grantHash(given))));
        _assertAssurance(OTHER_GRANT, IConsents.Assurance.ASSISTED);
    }

    function test_RevertWhen_SomebodyElseSpeaks() external {
        _assertDelegateIsNobody(DELEGATE_KEY); // not named yet
        _nameDelegate(MEMBERSHIP_END);
        _assertDelegateIsNobody(STRANGER_KEY);

        // Named, but another one signed.
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        IConsents.Proof memory proof = IConsents.Proof(delegate, _signed(STRANGER_KEY, given));
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.grant(_one(given), _one(proof));
        proof = IConsents.Proof(delegate, _signed(HOLDER_KEY, given));
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.grant(_one(given), _one(proof));

        // For another passport.
        given.passportId = OTHER_PASSPORT;
        proof = _delegates(DELEGATE_KEY, _grantHash(given));
        _expectRevert(IConsents.Consents_InvalidSignature.selector, OTHER_PASSPORT);
        ledger.grant(_one(given), _one(proof));
    }

    function test_WhenDelegationEnds_ItEndsAtOnce() external {
        _nameDelegate(MEMBERSHIP_END);
        _nameDelegate(0);
        vm.assertEq(0, ledger.delegateUntil(PASSPORT, delegate), "until");
        _assertDelegateIsNobody(DELEGATE_KEY);
    }

    function test_RevertWhen_EndedDelegationIsReplayed() external {
        bytes memory signature = _signedHash(HOLDER_KEY, _delegationHash(PASSPORT, delegate, MEMBERSHIP_END));
        ledger.nameDelegate(PASSPORT, delegate, MEMBERSHIP_END, signature);
        _nameDelegate(0);
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.nameDelegate(PASSPORT, delegate, MEMBERSHIP_END, signature);
        vm.assertEq(0, ledger.delegateUntil(PASSPORT, delegate), "until");
        _nameDelegate(MEMBERSHIP_END); // the holder can say the same words anew
        vm.assertEq(MEMBERSHIP_END, ledger.delegateUntil(PASSPORT, delegate), "until");
    }

    function test_WhenHolderRotates_DelegatesEndForGood() external {
        _nameDelegate(MEMBERSHIP_END);
        _rotate(HOLDER_KEY, _new);
        vm.assertEq(0, ledger.delegateUntil(PASSPORT, delegate), "until");
        _assertDelegateIsNobody(DELEGATE_KEY);
        _rotate(NEW_KEY, abi.encodePacked(holder)); // back to the first key: a new epoch all the same
        _assertDelegateIsNobody(DELEGATE_KEY);
    }

    function test_RevertWhen_DelegateIsNotNamedByTheHolder() external {
        _nameDelegate(MEMBERSHIP_END);
        bytes32 words = _delegationHash(PASSPORT, _new, MEMBERSHIP_END);
        uint256[3] memory keys = [STRANGER_KEY, DELEGATE_KEY, OTHER_HOLDER_KEY];
        for (uint256 index = 0; index < keys.length; ++index) {
            bytes memory signature = _signedHash(keys[index], words);
            _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
            ledger.nameDelegate(PASSPORT, _new, MEMBERSHIP_END, signature);
        }
        bytes memory longer = _signedHash(HOLDER_KEY, words);
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.nameDelegate(PASSPORT, _new, MEMBERSHIP_END + 1, longer);
        _expectRevert(IPassports.Passports_Unknown.selector, UNKNOWN);
        ledger.nameDelegate(UNKNOWN, _new, MEMBERSHIP_END, longer);
    }

    /* GUARDIANS */

    function test_WhenGuardiansAreNamed() external onlyChanges(HOLDERS) {
        bytes32 guardians = _guardiansOf(3);
        bytes memory signature = _signedHash(HOLDER_KEY, _guardiansHash(PASSPORT, guardians));
        vm.expectEmit(address(ledger));
        emit IHolders.GuardiansNamed(PASSPORT, guardians);
        ledger.nameGuardians(PASSPORT, guardians, signature);
    }

    function test_RevertWhen_GuardiansAreNotNamedByTheHolder() external {
        bytes memory signature = _signedHash(STRANGER_KEY, _guardiansHash(PASSPORT, COMMITMENT));
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.nameGuardians(PASSPORT, COMMITMENT, signature);
        _expectRevert(IPassports.Passports_Unknown.selector, UNKNOWN);
        ledger.nameGuardians(UNKNOWN, COMMITMENT, signature);
    }

    function test_RevertWhen_NamingOfFormerGuardiansIsReplayed() external {
        bytes memory signature = _signedHash(HOLDER_KEY, _guardiansHash(PASSPORT, _guardiansOf(3)));
        ledger.nameGuardians(PASSPORT, _guardiansOf(3), signature);
        _name(_guardiansOf(2));
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.nameGuardians(PASSPORT, _guardiansOf(3), signature);
        _assertNotRecovered(THRESHOLD, _guardianKeys(3), _signedBy(3, 7, _new));
    }

    /// @dev Neither to put its end off for ever, nor after the holder objected.
    function test_RevertWhen_RecoveryIsReplayed() external {
        _nameGuardians(3);
        bytes[] memory signatures = _signedBy(3, 3, _new);
        ledger.recover(PASSPORT, _new, THRESHOLD, _guardianKeys(3), signatures);
        vm.warp(START + DAY);
        _assertNotRecovered(THRESHOLD, _guardianKeys(3), signatures);
        vm.assertEq(READY, ledger.recoveryOf(PASSPORT).readyAt, "the wait goes on");

        ledger.cancelRecovery(PASSPORT, _signedHash(HOLDER_KEY, _objectionHash(PASSPORT, READY)));
        _assertNotRecovered(THRESHOLD, _guardianKeys(3), signatures);
        ledger.recover(PASSPORT, _new, THRESHOLD, _guardianKeys(3), _signedBy(3, 3, _new)); // signed anew
        vm.assertEq(READY + DAY, ledger.recoveryOf(PASSPORT).readyAt, "a new wait");
    }

    function test_WhenEnoughGuardiansSign_RecoveryStarts() external {
        _nameGuardians(3);
        _assertRecoveryStarts();
    }

    function test_WhenHashed_TypesAreAsWrittenInTheSpecification() external view {
        bytes32[5] memory written = [
            _rotationHash(PASSPORT, _new, IPassports.Custody.ASSISTED),
            _guardiansHash(PASSPORT, COMMITMENT),
            _recoveryHash(PASSPORT, _new),
            _objectionHash(PASSPORT, READY),
            _delegationHash(PASSPORT, delegate, READY)
        ];
        bytes32[5] memory actual = [
            PassportHash.rotationHash(PASSPORT, _new, uint8(IPassports.Custody.ASSISTED), 0),
            PassportHash.guardiansHash(PASSPORT, COMMITMENT, 0, 0),
            PassportHash.recoveryHash(PASSPORT, _new, 0, 0),
            PassportHash.objectionHash(PASSPORT, READY, 0),
            PassportHash.delegationHash(PASSPORT, delegate, READY, 0, 0)
        ];
        for (uint256 index = 0; index < written.length; ++index) {
            vm.assertEq(written[index], actual[index], "struct hash");
        }
    }

    function _assertRecoveryStarts() private onlyChanges(HOLDERS) {
        bytes[] memory signatures = _signedBy(3, 5, _new); // the first and the third
        vm.expectEmit(address(ledger));
        emit IHolders.RecoveryStarted(PASSPORT, _new, IPassports.Custody.SELF, READY, false);
        vm.prank(STRANGER);
        ledger.recover(PASSPORT, _new, THRESHOLD, _guardianKeys(3), signatures);
        vm.assertEq(
            abi.encode(IHolders.Recovery(_new, IPassports.Custody.SELF, READY)),
            abi.encode(ledger.recoveryOf(PASSPORT)),
            "recovery"
        );
    }

    function test_RevertWhen_TooFewGuardiansSign() external {
        _nameGuardians(3);
        for (uint256 who = 0; who < 8; ++who) {
            if (who == 3 || who == 5 || who == 6 || who == 7) continue; // two or three of them
            _assertNotRecovered(THRESHOLD, _guardianKeys(3), _signedBy(3, who, _new));
        }
    }

    function test_RevertWhen_GuardianIsCountedTwice() external {
        bytes[] memory keys = _guardianKeys(3);
        keys[1] = keys[0];
        _name(keccak256(abi.encode(THRESHOLD, keys)));
        bytes[] memory signatures = _signedBy(3, 1, _new);
        signatures[1] = signatures[0];
        _assertNotRecovered(THRESHOLD, keys, signatures);
        signatures[0] = "";
        signatures[2] = _signedHash(FIRST_GUARDIAN + 2, _recoveryHash(PASSPORT, _new));
        _assertNotRecovered(THRESHOLD, keys, signatures); // not even once under its second name
    }

    function test_RevertWhen_GuardiansAreNotThoseOnFile() external {
        bytes[] memory keys = _guardianKeys(3);
        bytes[] memory signatures = _signedBy(3, 7, _new);
        _assertNotRecovered(THRESHOLD, keys, signatures); // nobody is named
        _nameGuardians(3);
        _assertNotRecovered(1, keys, signatures); // another threshold
        (keys[0], keys[1]) = (keys[1], keys[0]);
        (signatures[0], signatures[1]) = (signatures[1], signatures[0]);
        _assertNotRecovered(THRESHOLD, keys, signatures); // another order
        _assertNotRecovered(THRESHOLD, _guardianKeys(2), _signedBy(2, 3, _new));
    }

    function test_RevertWhen_OneGuardiansSignatureIsBad() external {
        _nameGuardians(3);
        bytes[] memory signatures = _signedBy(3, 7, _new);
        signatures[2] = _signedHash(STRANGER_KEY, _recoveryHash(PASSPORT, _new));
        _assertNotRecovered(THRESHOLD, _guardianKeys(3), signatures);
        _assertNotRecovered(THRESHOLD, _guardianKeys(3), _signedBy(3, 7, delegate)); // for another key
        _assertNotRecovered(THRESHOLD, _guardianKeys(3), new bytes[](2)); // not one place for each
    }

    function test_RevertWhen_ThresholdIsZeroOrGuardiansAreTooMany() external {
        bytes[] memory keys = _guardianKeys(1);
        _name(keccak256(abi.encode(uint8(0), keys)));
        _assertNotRecovered(0, keys, new bytes[](1));

        keys = _guardianKeys(17);
        _name(keccak256(abi.encode(THRESHOLD, keys)));
        _assertNotRecovered(THRESHOLD, keys, _signedBy(17, 7, _new));

        keys = _guardianKeys(16);
        _name(keccak256(abi.encode(THRESHOLD, keys)));
        ledger.recover(PASSPORT, _new, THRESHOLD, keys, _signedBy(16, 3 << 14, _new));
        vm.assertEq(READY, ledger.recoveryOf(PASSPORT).readyAt, "sixteen may be named");
    }

    function test_RevertGiven_PassportOfARecoveryIsUnknown() external {
        _expectRevert(IPassports.Passports_Unknown.selector, UNKNOWN);
        ledger.recover(UNKNOWN, _new, THRESHOLD, _guardianKeys(3), _emptyList(3));
        _expectRevert(IPassports.Passports_Unknown.selector, UNKNOWN);
        _as(HOSPITAL);
        ledger.recoverAtCounter(UNKNOWN, _new, IPassports.Custody.SELF);
        _expectRevert(IPassports.Passports_Unknown.selector, UNKNOWN);
        ledger.cancelRecovery(UNKNOWN, "");
        _expectRevert(IHolders.Holders_NoRecovery.selector, UNKNOWN);
        ledger.completeRecovery(UNKNOWN);
    }

    /* THE COUNTER */

    function test_WhenNobodyIsNamed_CounterRecovers() external onlyChanges(HOLDERS) {
        vm.expectEmit(address(ledger));
        emit IHolders.RecoveryStarted(PASSPORT, _new, IPassports.Custody.ASSISTED, READY, true);
        _as(HOSPITAL);
        ledger.recoverAtCounter(PASSPORT, _new, IPassports.Custody.ASSISTED);
        vm.assertEq(
            abi.encode(IHolders.Recovery(_new, IPassports.Custody.ASSISTED, READY)),
            abi.encode(ledger.recoveryOf(PASSPORT)),
            "recovery"
        );
    }

    function test_RevertGiven_GuardiansAreNamed_CounterIsRefused() external {
        _nameGuardians(3);
        _expectRevert(IHolders.Holders_BadGuardians.selector, PASSPORT);
        _recoverAtCounter(_new);
        _name(0); // nobody any more
        _recoverAtCounter(_new);
        vm.assertEq(READY, ledger.recoveryOf(PASSPORT).readyAt, "started");
    }

    function test_RevertGiven_CounterIsNotTheActiveCustodians() external {
        _expectRevert(IPassports.Passports_NotCustodian.selector, PASSPORT, CLINIC);
        _as(CLINIC);
        ledger.recoverAtCounter(PASSPORT, _new, IPassports.Custody.SELF);
        _suspend(HOSPITAL);
        _expectRevert(IMembers.Members_NotActive.selector, HOSPITAL);
        _recoverAtCounter(_new);
    }

    /* OBJECTION AND COMPLETION */

    function test_WhenHolderObjects_RecoveryIsOver() external {
        _recoverAtCounter(_new);
        bytes memory signature = _signedHash(HOLDER_KEY, _objectionHash(PASSPORT, READY));
        vm.warp(READY - 1);
        vm.expectEmit(address(ledger));
        emit IHolders.RecoveryCancelled(PASSPORT);
        vm.prank(STRANGER);
        ledger.cancelRecovery(PASSPORT, signature);
        vm.assertEq(0, ledger.recoveryOf(PASSPORT).readyAt, "no recovery");
        vm.warp(READY);
        _expectRevert(IHolders.Holders_NoRecovery.selector, PASSPORT);
        ledger.completeRecovery(PASSPORT);
    }

    /// @dev Until somebody completes it, it is not too late.
    function test_WhenTimeIsOverButNobodyCompleted_HolderStillObjects() external {
        _recoverAtCounter(_new);
        bytes memory signature = _signedHash(HOLDER_KEY, _objectionHash(PASSPORT, READY));
        vm.warp(READY + DAY);
        ledger.cancelRecovery(PASSPORT, signature);
        vm.assertEq(0, ledger.recoveryOf(PASSPORT).readyAt, "no recovery");
    }

    function test_RevertWhen_ObjectionIsNotTheHolders() external {
        _nameDelegate(MEMBERSHIP_END);
        _recoverAtCounter(_new);
        bytes32 words = _objectionHash(PASSPORT, READY);
        bytes[4] memory signatures = [
            _signedHash(STRANGER_KEY, words),
            _signedHash(NEW_KEY, words),
            _signedHash(DELEGATE_KEY, words),
            _signedHash(HOLDER_KEY, _objectionHash(PASSPORT, READY + 1))
        ];
        for (uint256 index = 0; index < signatures.length; ++index) {
            _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
            ledger.cancelRecovery(PASSPORT, signatures[index]);
        }
    }

    function test_RevertWhen_ObjectionIsReplayedAgainstALaterRecovery() external {
        _recoverAtCounter(_new);
        bytes memory signature = _signedHash(HOLDER_KEY, _objectionHash(PASSPORT, READY));
        ledger.cancelRecovery(PASSPORT, signature);
        _expectRevert(IHolders.Holders_NoRecovery.selector, PASSPORT);
        ledger.cancelRecovery(PASSPORT, signature);
        vm.warp(START + 1);
        _recoverAtCounter(_new);
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.cancelRecovery(PASSPORT, signature);
    }

    function test_RevertWhen_CompletedBeforeItsTime() external {
        _expectRevert(IHolders.Holders_NoRecovery.selector, PASSPORT);
        ledger.completeRecovery(PASSPORT);
        _recoverAtCounter(_new);
        vm.warp(READY - 1);
        _expectRevert(IHolders.Holders_TooEarly.selector, PASSPORT, READY);
        ledger.completeRecovery(PASSPORT);
    }

    function test_WhenCompleted_OldKeyDelegatesAndGuardiansAreDead() external {
        _nameDelegate(MEMBERSHIP_END);
        _nameGuardians(3);
        ledger.recover(PASSPORT, _new, THRESHOLD, _guardianKeys(3), _signedBy(3, 3, _new));
        vm.warp(READY);
        vm.expectEmit(address(ledger));
        emit IHolders.HolderRotated(PASSPORT, _new, IPassports.Custody.SELF, 1);
        vm.prank(STRANGER);
        ledger.completeRecovery(PASSPORT);

        vm.assertEq(_new, _passport(PASSPORT).holder, "holder");
        vm.assertEq(0, ledger.recoveryOf(PASSPORT).readyAt, "recovery");
        vm.assertEq(0, ledger.delegateUntil(PASSPORT, delegate), "delegate");
        bytes memory withdrawal = _signedRevocation(HOLDER_KEY, PASSPORT, GRANT);
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.revoke(PASSPORT, GRANT, _own(withdrawal));
        _assertNotRecovered(THRESHOLD, _guardianKeys(3), _signedBy(3, 7, _new));
        _expectRevert(IHolders.Holders_NoRecovery.selector, PASSPORT);
        ledger.completeRecovery(PASSPORT);
        ledger.revoke(PASSPORT, GRANT, _own(_signedRevocation(NEW_KEY, PASSPORT, GRANT)));
    }

    function test_WhenHolderRotatesMeanwhile_RecoveryIsOver() external {
        _recoverAtCounter(delegate);
        _rotate(HOLDER_KEY, _new);
        vm.warp(READY);
        _expectRevert(IHolders.Holders_NoRecovery.selector, PASSPORT);
        ledger.completeRecovery(PASSPORT);
    }

    function test_WhenRecoveryStartsAnew_TheWaitBeginsAnew() external {
        _recoverAtCounter(delegate);
        vm.warp(READY - 1);
        _recoverAtCounter(_new);
        vm.warp(READY);
        _expectRevert(IHolders.Holders_TooEarly.selector, PASSPORT, READY - 1 + 7 days);
        ledger.completeRecovery(PASSPORT);
        vm.warp(READY - 1 + 7 days);
        ledger.completeRecovery(PASSPORT);
        vm.assertEq(_new, _passport(PASSPORT).holder, "holder");
    }

    /* A HOLDER THAT IS A CONTRACT */

    /// @dev What counts is what the wallet says when the ledger asks.
    function test_WhenWalletChangesItsMind_ItsWordOfTheMomentCounts() external {
        FickleWallet wallet = new FickleWallet();
        _issue(HOSPITAL, _issueOf(UNKNOWN, address(wallet)));
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, UNKNOWN);
        wallet.change();
        _expectRevert(IConsents.Consents_InvalidSignature.selector, UNKNOWN);
        _give(given, hex"01");
        wallet.change();
        _give(given, hex"01");
        wallet.change();
        _expectRevert(IConsents.Consents_InvalidSignature.selector, UNKNOWN);
        ledger.revoke(UNKNOWN, OTHER_GRANT, _own(hex"01"));
        vm.assertTrue(
            ledger.grantOf(UNKNOWN, OTHER_GRANT).status == IConsents.GrantStatus.ACTIVE,
            "what was given stays given"
        );
    }

    /* HELPERS */

    function _rotate(uint256 key, bytes memory newHolder) private {
        _rotate(key, newHolder, IPassports.Custody.SELF);
    }

    function _rotate(uint256 key, bytes memory newHolder, IPassports.Custody custody) private {
        bytes memory signature = _signedHash(key, _rotationHash(PASSPORT, newHolder, custody));
        ledger.rotateHolder(PASSPORT, newHolder, custody, signature);
    }

    function _nameDelegate(uint32 validTo) private {
        bytes memory signature = _signedHash(HOLDER_KEY, _delegationHash(PASSPORT, delegate, validTo));
        ledger.nameDelegate(PASSPORT, delegate, validTo, signature);
    }

    function _guardianKeys(uint256 count) private pure returns (bytes[] memory keys) {
        keys = new bytes[](count);
        for (uint256 index = 0; index < count; ++index) {
            keys[index] = abi.encodePacked(vm.addr(FIRST_GUARDIAN + index));
        }
    }

    function _guardiansOf(uint256 count) private pure returns (bytes32) {
        return keccak256(abi.encode(THRESHOLD, _guardianKeys(count)));
    }

    /// @dev The holder names two of these.
    function _nameGuardians(uint256 count) private {
        _name(_guardiansOf(count));
    }

    function _name(bytes32 guardians) private {
        bytes memory signature = _signedHash(HOLDER_KEY, _guardiansHash(PASSPORT, guardians));
        ledger.nameGuardians(PASSPORT, guardians, signature);
    }

    /// @dev Bit n of `who`: guardian n signs.
    function _signedBy(
        uint256 count,
        uint256 who,
        bytes memory newHolder
    ) private view returns (bytes[] memory signatures) {
        signatures = _emptyList(count);
        bytes32 words = _recoveryHash(PASSPORT, newHolder);
        for (uint256 index = 0; index < count; ++index) {
            if ((who >> index) & 1 != 0) signatures[index] = _signedHash(FIRST_GUARDIAN + index, words);
        }
    }

    function _emptyList(uint256 count) private pure returns (bytes[] memory) {
        return new bytes[](count);
    }

    function _recoverAtCounter(bytes memory newHolder) private {
        _as(HOSPITAL);
        ledger.recoverAtCounter(PASSPORT, newHolder, IPassports.Custody.SELF);
    }

    function _assertNotRecovered(uint8 threshold, bytes[] memory keys, bytes[] memory signatures) private {
        _expectRevert(IHolders.Holders_BadGuardians.selector, PASSPORT);
        ledger.recover(PASSPORT, _new, threshold, keys, signatures);
    }

    function _assertRotationRefused(
        bytes32 passportId,
        bytes memory newHolder,
        bytes memory signature
    ) private {
        if (passportId == UNKNOWN) _expectRevert(IPassports.Passports_Unknown.selector, UNKNOWN);
        else _expectRevert(IConsents.Consents_InvalidSignature.selector, passportId);
        ledger.rotateHolder(passportId, newHolder, IPassports.Custody.SELF, signature);
    }

    /// @dev This key speaks for nobody.
    function _assertDelegateIsNobody(uint256 key) private {
        IConsents.Grant memory given = _grantOf(UNKNOWN, PASSPORT);
        IConsents.Proof memory proof = _delegates(key, _grantHash(given));
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.grant(_one(given), _one(proof));
    }

    function _assertAssurance(bytes32 grantId, IConsents.Assurance expected) private view {
        vm.assertEq(uint256(expected), uint256(ledger.grantOf(PASSPORT, grantId).assurance), "assurance");
    }
}
