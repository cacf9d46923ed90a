// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {Facts} from "../../contracts/libraries/Facts.sol";
import {PassportHash} from "../../contracts/libraries/PassportHash.sol";
import {ILedger, LedgerTest} from "./Base.t.sol";

/// @notice A holder that is a contract: it accepts signatures of one key.
contract Wallet is IERC1271 {
    address private immutable _key;

    constructor(address key) {
        _key = key;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        bool valid = ecrecover(hash, uint8(signature[64]), r, s) == _key;
        return valid ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

/// @notice Consent by signature. GRANT was given in the set-up; OTHER_GRANT is what the tests give.
contract ConsentsTest is LedgerTest {
    bytes32 private constant WALLET_PASSPORT = keccak256("passport of a wallet");
    bytes32 private constant UNKNOWN = keccak256("unknown");
    bytes32 private constant THIRD_GRANT = keccak256("third grant");

    /* GRANT */

    function test_WhenGranted_ConsentIsStored() external onlyChanges(GRANTS) {
        IConsents.Grant memory given = _draft();
        given.purposes = 0x0421;
        given.categories = 0x1248;
        given.maxUses = 7;
        given.dataFrom = 100;
        given.dataTo = 200;
        given.level = Codes.DEIDENTIFIED;
        given.flags = Codes.FLAG_NO_RELINK | Codes.FLAG_ONWARD;
        _expectGranted(given);
        _give(given);

        IConsents.GrantState memory expected = _stateOf(given, 0, IConsents.Assurance.SELF);
        vm.assertEq(abi.encode(expected), _stored(OTHER_GRANT), "grant");
    }

    function test_WhenBatchIsGranted_EachIsStored() external {
        IConsents.Grant[] memory grants = new IConsents.Grant[](2);
        IConsents.Proof[] memory proofs = new IConsents.Proof[](2);
        grants[0] = _draft();
        grants[1] = _grantOf(UNKNOWN, OTHER_PASSPORT);
        proofs[0] = _own(_signed(HOLDER_KEY, grants[0]));
        proofs[1] = _own(_signed(OTHER_HOLDER_KEY, grants[1]));
        ledger.grant(grants, proofs);
        vm.assertTrue(_status(OTHER_GRANT) == IConsents.GrantStatus.ACTIVE, "first");
        vm.assertEq(LAB, ledger.grantOf(OTHER_PASSPORT, UNKNOWN).recipient, "second");
    }

    function test_WhenSubmitterDiffers_EffectIsTheSame() external {
        IConsents.Grant memory given = _draft();
        bytes memory signature = _signed(HOLDER_KEY, given);
        bytes memory withdrawal = _signedRevocation(HOLDER_KEY, PASSPORT, OTHER_GRANT);
        address[4] memory submitters = [STRANGER, holder, _signer(HOSPITAL), _signer(LAB)];
        bytes32 first;
        for (uint256 index = 0; index < submitters.length; ++index) {
            uint256 snapshot = vm.snapshotState();
            vm.recordLogs();
            vm.prank(submitters[index]);
            ledger.grant(_one(given), _one(signature));
            bytes memory granted = _stored(OTHER_GRANT);
            vm.prank(submitters[index]);
            ledger.revoke(PASSPORT, OTHER_GRANT, _own(withdrawal));
            bytes32 effect = keccak256(abi.encode(granted, _stored(OTHER_GRANT), vm.getRecordedLogs()));
            if (index == 0) first = effect;
            vm.assertEq(first, effect, "state and logs");
            vm.revertToState(snapshot);
        }
    }

    function test_RevertWhen_NotOneSignaturePerGrant() external {
        _expectRevert(IConsents.Consents_LengthMismatch.selector, 1, 0);
        ledger.grant(_one(_draft()), new IConsents.Proof[](0));
        _expectRevert(IConsents.Consents_LengthMismatch.selector, uint256(0), 1);
        ledger.grant(new IConsents.Grant[](0), new IConsents.Proof[](1));
    }

    function test_RevertWhen_OneOfABatchIsBad_NothingIsStored() external {
        IConsents.Grant[] memory grants = new IConsents.Grant[](2);
        IConsents.Proof[] memory proofs = new IConsents.Proof[](2);
        grants[0] = _draft();
        grants[1] = _grantOf(UNKNOWN, PASSPORT);
        proofs[0] = _own(_signed(HOLDER_KEY, grants[0]));
        proofs[1] = proofs[0];
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.grant(grants, proofs);
        vm.assertTrue(_status(OTHER_GRANT) == IConsents.GrantStatus.NONE, "first");
    }

    /* WHAT A GRANT MUST SAY */

    function test_RevertWhen_GrantIsIncomplete() external {
        IConsents.Grant[10] memory drafts;
        for (uint256 index = 0; index < drafts.length; ++index) {
            drafts[index] = _draft();
        }
        drafts[0].purposes = 0;
        drafts[1].categories = 0;
        drafts[2].terms = 0;
        drafts[3].flags = 16;
        drafts[4].level = 4;
        drafts[5].dataFrom = 2;
        drafts[5].dataTo = 1;
        drafts[6].recipient = 0; // and no kind
        drafts[7].recipientKinds = 1; // and a recipient
        drafts[8].recipient = 0;
        drafts[9].recipientKinds = type(uint16).max;
        for (uint256 index = 0; index < drafts.length; ++index) {
            _assertRefused(
                drafts[index],
                abi.encodePacked(IConsents.Consents_Incomplete.selector, OTHER_GRANT)
            );
        }
    }

    function test_RevertWhen_RecipientIsUnknown() external {
        IConsents.Grant memory given = _draft();
        given.recipient = NOBODY;
        _assertRefused(given, abi.encodePacked(IMembers.Members_Unknown.selector, uint256(NOBODY)));
    }

    function test_RevertWhen_PurposeIsBanned() external {
        IConsents.Grant memory given = _draft();
        given.purposes = _bit(Codes.AI_TRAINING) | _bit(Codes.MARKETING) | _bit(Codes.RESALE);
        uint256 banned = _bit(Codes.MARKETING) | _bit(Codes.RESALE);
        _assertRefused(given, abi.encodePacked(IConsents.Consents_BannedPurpose.selector, banned));
    }

    function test_RevertWhen_SeparateGrantNamesTwoPurposes() external {
        IConsents.Grant memory given = _draft();
        given.flags = Codes.FLAG_SEPARATE;
        given.purposes = 0x0003;
        _assertRefused(given, abi.encodePacked(IConsents.Consents_NotSeparate.selector, uint256(3)));
        given.purposes = 0x0002;
        _give(given);
        vm.assertTrue(_status(OTHER_GRANT) == IConsents.GrantStatus.ACTIVE, "one purpose is separate");
    }

    function test_RevertWhen_GrantIdIsZeroOrTaken() external {
        _assertRefused(
            _grantOf(0, PASSPORT),
            abi.encodePacked(IConsents.Consents_Exists.selector, uint256(0))
        );
        _assertRefused(
            _grantOf(GRANT, PASSPORT),
            abi.encodePacked(IConsents.Consents_Exists.selector, GRANT)
        );
    }

    function test_RevertGiven_PassportIsUnknown() external {
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, UNKNOWN);
        _assertRefused(given, abi.encodePacked(IPassports.Passports_Unknown.selector, UNKNOWN));
    }

    function test_RevertGiven_PassportIsNotOpen() external {
        _seal(PASSPORT);
        _assertRefused(
            _draft(),
            abi.encodeWithSelector(
                IPassports.Passports_WrongStatus.selector,
                PASSPORT,
                IPassports.PassportStatus.SEALED
            )
        );
    }

    /* TIME */

    function test_WhenDeadlineIsNow_SignatureIsAccepted() external {
        IConsents.Grant memory given = _draft();
        given.deadline = START + DAY;
        vm.warp(given.deadline);
        _give(given);
        vm.assertTrue(_status(OTHER_GRANT) == IConsents.GrantStatus.ACTIVE, "granted");
    }

    function test_RevertWhen_DeadlineIsOver() external {
        IConsents.Grant memory given = _draft();
        given.deadline = START + DAY;
        vm.warp(given.deadline + 1);
        _assertRefused(
            given,
            abi.encodePacked(IConsents.Consents_SignatureExpired.selector, uint256(given.deadline))
        );
    }

    function test_RevertWhen_PeriodIsEmptyOrOver() external {
        uint32[2][3] memory periods = [[START + 1, START + 1], [START + 2, START + 1], [START - 1, START]];
        for (uint256 index = 0; index < periods.length; ++index) {
            IConsents.Grant memory given = _draft();
            given.useFrom = periods[index][0];
            given.useTo = periods[index][1];
            _assertRefused(
                given,
                abi.encodeWithSelector(IConsents.Consents_EmptyPeriod.selector, given.useFrom, given.useTo)
            );
        }
    }

    function test_RevertWhen_TermIsLongerThanTheLawAllows() external {
        uint32 latest = START + ledger.policy().maxGrantSeconds;
        IConsents.Grant memory given = _draft();
        given.useTo = latest + 1;
        _assertRefused(
            given,
            abi.encodeWithSelector(IConsents.Consents_TermTooLong.selector, given.useTo, latest)
        );
        given.useTo = latest;
        _give(given);
        vm.assertTrue(_status(OTHER_GRANT) == IConsents.GrantStatus.ACTIVE, "the longest term");
    }

    function testFuzz_Period(uint32 useFrom, uint32 useTo) external {
        IConsents.Grant memory given = _draft();
        given.useFrom = useFrom;
        given.useTo = useTo;
        uint256 longest = ledger.policy().maxGrantSeconds; // the template's too
        bool allowed =
            useFrom < useTo && START < useTo && useTo <= START + longest && useTo <= useFrom + longest;
        bytes memory signature = _signed(HOLDER_KEY, given);
        if (!allowed) vm.expectRevert();
        _give(given, signature);
        vm.assertEq(allowed, _status(OTHER_GRANT) == IConsents.GrantStatus.ACTIVE, "granted");
    }

    /* WHO SIGNED WHAT, WHERE */

    function test_WhenHashed_TypesAreAsWrittenInTheSpecification() external view {
        vm.assertEq(_grantHash(_draft()), PassportHash.grantHash(_draft()), "Grant");
        vm.assertEq(
            _revocationHash(PASSPORT, GRANT),
            PassportHash.revocationHash(PASSPORT, GRANT),
            "Revocation"
        );
        vm.assertEq(_refusalHash(PASSPORT, GRANT), PassportHash.refusalHash(PASSPORT, GRANT), "Refusal");
        vm.assertEq(
            _repudiationHash(PASSPORT, GRANT),
            PassportHash.repudiationHash(PASSPORT, GRANT),
            "Repudiation"
        );
        vm.assertEq(
            _confirmationHash(PASSPORT, GRANT, 7),
            PassportHash.confirmationHash(PASSPORT, GRANT, 7),
            "Confirmation"
        );
        (, string memory name, string memory version, uint256 chainId, address ledger_, , ) = ledger
            .eip712Domain();
        vm.assertEq(
            abi.encode("PassportLedger", "1", block.chainid, address(ledger)),
            abi.encode(name, version, chainId, ledger_),
            "domain"
        );
    }

    function test_RevertWhen_SignerIsNotTheHolder() external {
        IConsents.Grant memory given = _draft();
        _assertBadSignature(given, _signed(STRANGER_KEY, given));
        _assertBadSignature(given, _signed(OTHER_HOLDER_KEY, given));
    }

    function test_RevertWhen_SignedWordsDiffer() external {
        bytes memory signature = _signed(HOLDER_KEY, _draft());
        IConsents.Grant[15] memory drafts;
        for (uint256 index = 0; index < drafts.length; ++index) {
            drafts[index] = _draft();
        }
        drafts[0].grantId = UNKNOWN;
        drafts[1].recipient = CLINIC;
        drafts[2].purposes |= _bit(Codes.RESEARCH);
        drafts[3].categories |= Codes.GENOMICS;
        drafts[4].useFrom -= 1;
        drafts[5].useTo += 1;
        drafts[6].maxUses += 1;
        drafts[7].flags = Codes.FLAG_ONWARD;
        drafts[8].terms = CONTENT;
        drafts[9].deadline += 1;
        drafts[10].recipientKinds = 1;
        drafts[11].dataFrom = 1;
        drafts[12].dataTo = 1;
        drafts[13].level = 1;
        drafts[14].template = 2;
        for (uint256 index = 0; index < drafts.length; ++index) {
            _assertBadSignature(drafts[index], signature);
        }
    }

    function test_RevertWhen_SupersededGrantWasNotSigned() external {
        IConsents.Grant memory given = _draft();
        bytes memory signature = _signed(HOLDER_KEY, given);
        given.supersedes = GRANT;
        _assertBadSignature(given, signature);
    }

    function test_RevertWhen_SignedForAnotherPassportOfTheSameHolder() external {
        _issue(CLINIC, _issueOf(UNKNOWN, holder));
        IConsents.Grant memory given = _draft();
        bytes memory signature = _signed(HOLDER_KEY, given);
        given.passportId = UNKNOWN;
        _assertBadSignature(given, signature);
    }

    function test_RevertWhen_SignedForAnotherChain() external {
        IConsents.Grant memory given = _draft();
        bytes memory signature = _signed(HOLDER_KEY, given);
        vm.chainId(1);
        _assertBadSignature(given, signature);

        bytes32 here = _domainSeparator(1, address(ledger));
        _give(given, _sign(HOLDER_KEY, _digest(here, _grantHash(given))));
        vm.assertTrue(_status(OTHER_GRANT) == IConsents.GrantStatus.ACTIVE, "signed for this chain");
    }

    function test_RevertWhen_SignedForAnotherLedger() external {
        IConsents.Grant memory given = _draft();
        ILedger other = _create(_admission(COMMITTEE, Codes.ROLE_COMMITTEE));
        bytes32 there = _domainSeparator(block.chainid, address(other));
        _assertBadSignature(given, _sign(HOLDER_KEY, _digest(there, _grantHash(given))));
    }

    function test_RevertWhen_SignatureIsReplayed() external {
        IConsents.Grant memory given = _draft();
        bytes memory signature = _signed(HOLDER_KEY, given);
        _give(given, signature);
        _expectRevert(IConsents.Consents_Exists.selector, OTHER_GRANT);
        _give(given, signature);

        _revoke(PASSPORT, OTHER_GRANT);
        _expectRevert(IConsents.Consents_Exists.selector, OTHER_GRANT);
        _give(given, signature);
        vm.assertTrue(_status(OTHER_GRANT) == IConsents.GrantStatus.WITHDRAWN, "stays withdrawn");
    }

    function test_RevertWhen_SignatureIsMalleable() external {
        IConsents.Grant memory given = _draft();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(HOLDER_KEY, _digest(_grantHash(given)));
        bytes32 flipped = bytes32(SECP256K1_N - uint256(s));
        uint8 other = v ^ 7; // 27 and 28 change places
        vm.assertEq(
            holder,
            ecrecover(_digest(_grantHash(given)), other, r, flipped),
            "the flipped one recovers"
        );
        _assertBadSignature(given, abi.encodePacked(r, flipped, other));
    }

    function test_RevertWhen_SignatureHasAnotherLength() external {
        IConsents.Grant memory given = _draft();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(HOLDER_KEY, _digest(_grantHash(given)));
        bytes32 compact = v == 28 ? s | bytes32(uint256(1) << 255) : s;
        _assertBadSignature(given, "");
        _assertBadSignature(given, abi.encodePacked(r, compact));
        _assertBadSignature(given, abi.encodePacked(r, s, v, uint8(0)));
    }

    function testFuzz_RevertWhen_SignatureIsAnythingElse(bytes calldata signature) external {
        IConsents.Grant memory given = _draft();
        vm.assume(keccak256(signature) != keccak256(_signed(HOLDER_KEY, given)));
        _assertBadSignature(given, signature);
    }

    function test_WhenHolderIsAWallet_ItsWordCounts() external {
        _issueToWallet();
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, WALLET_PASSPORT);
        _expectRevert(IConsents.Consents_InvalidSignature.selector, WALLET_PASSPORT);
        _give(given, _signed(STRANGER_KEY, given));

        _give(given, _signed(HOLDER_KEY, given));
        vm.assertEq(LAB, ledger.grantOf(WALLET_PASSPORT, OTHER_GRANT).recipient, "granted");

        _expectRevert(IConsents.Consents_InvalidSignature.selector, WALLET_PASSPORT);
        ledger.revoke(
            WALLET_PASSPORT,
            OTHER_GRANT,
            _own(_signedRevocation(STRANGER_KEY, WALLET_PASSPORT, OTHER_GRANT))
        );
        _revoke(WALLET_PASSPORT, OTHER_GRANT);
        vm.assertTrue(
            ledger.grantOf(WALLET_PASSPORT, OTHER_GRANT).status == IConsents.GrantStatus.WITHDRAWN,
            "withdrawn"
        );
    }

    /* SUPERSEDE */

    function test_WhenSuperseding_FormerGrantEnds() external onlyChanges(GRANTS) {
        IConsents.GrantState memory expected = ledger.grantOf(PASSPORT, GRANT);
        expected.status = IConsents.GrantStatus.SUPERSEDED;
        IConsents.Grant memory given = _draft();
        given.supersedes = GRANT;
        bytes memory signature = _signed(HOLDER_KEY, given);
        vm.warp(START + DAY);
        vm.expectEmit(address(ledger));
        emit IConsents.ConsentSuperseded(GRANT, PASSPORT, OTHER_GRANT);
        _expectGranted(given);
        _give(given, signature);
        vm.assertEq(abi.encode(expected), _stored(GRANT), "former grant");
        vm.assertTrue(_status(OTHER_GRANT) == IConsents.GrantStatus.ACTIVE, "new grant");
    }

    function test_RevertGiven_SupersededGrantIsNotActive() external {
        IConsents.Grant memory given = _draft();
        given.supersedes = UNKNOWN;
        _assertRefused(given, _wrongStatus(UNKNOWN, IConsents.GrantStatus.NONE));
        given.supersedes = OTHER_GRANT; // itself
        _assertRefused(given, _wrongStatus(OTHER_GRANT, IConsents.GrantStatus.NONE));
        _revoke(PASSPORT, GRANT);
        given.supersedes = GRANT;
        _assertRefused(given, _wrongStatus(GRANT, IConsents.GrantStatus.WITHDRAWN));
    }

    function test_RevertWhen_SupersededGrantIsForAnotherPassport() external {
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, OTHER_PASSPORT);
        given.supersedes = GRANT;
        bytes memory signature = _signed(OTHER_HOLDER_KEY, given);
        _expectRevert(IConsents.Consents_WrongStatus.selector, GRANT, IConsents.GrantStatus.NONE);
        _give(given, signature);
    }

    /* REVOKE */

    function test_WhenRevoked_GrantEnds() external onlyChanges(GRANTS) {
        IConsents.GrantState memory expected = ledger.grantOf(PASSPORT, GRANT);
        expected.status = IConsents.GrantStatus.WITHDRAWN;
        vm.warp(START + DAY);
        bytes memory signature = _signedRevocation(HOLDER_KEY, PASSPORT, GRANT);
        vm.expectEmit(address(ledger));
        emit IConsents.ConsentWithdrawn(GRANT, PASSPORT);
        ledger.revoke(PASSPORT, GRANT, _own(signature));
        vm.assertEq(abi.encode(expected), _stored(GRANT), "grant");
    }

    function test_WhenRevokedAgain_NothingChanges() external {
        _revoke(PASSPORT, GRANT);
        _assertRevokingChangesNothing();
    }

    /// @dev Whoever relays an amendment before the withdrawal does not save the consent.
    function test_WhenRevokingASupersededGrant_WhatReplacedItEnds() external {
        _amendTwice();
        bytes memory first = _stored(GRANT);
        bytes memory second = _stored(OTHER_GRANT);
        IConsents.GrantState memory expected = ledger.grantOf(PASSPORT, THIRD_GRANT);
        expected.status = IConsents.GrantStatus.WITHDRAWN;
        bytes memory signature = _signedRevocation(HOLDER_KEY, PASSPORT, GRANT);

        vm.warp(START + 2 * DAY);
        vm.expectEmit(address(ledger));
        emit IConsents.ConsentWithdrawn(THIRD_GRANT, PASSPORT);
        ledger.revoke(PASSPORT, GRANT, _own(signature));
        vm.assertEq(first, _stored(GRANT), "first grant");
        vm.assertEq(second, _stored(OTHER_GRANT), "second grant");
        vm.assertEq(abi.encode(expected), _stored(THIRD_GRANT), "third grant");
        _assertRevokingChangesNothing();
    }

    function test_WhenRevokingASupersededGrant_AndWhatReplacedItHasEnded_NothingChanges() external {
        _amendTwice();
        _revoke(PASSPORT, THIRD_GRANT);
        _assertRevokingChangesNothing();
    }

    /// @dev Given anew after the withdrawal, with another id, is given.
    function test_WhenGivenAgainAfterWithdrawal_FormerRevocationDoesNotReachIt() external {
        _amendTwice();
        bytes memory signature = _signedRevocation(HOLDER_KEY, PASSPORT, GRANT);
        ledger.revoke(PASSPORT, GRANT, _own(signature));
        _give(_grantOf(UNKNOWN, PASSPORT));
        ledger.revoke(PASSPORT, GRANT, _own(signature));
        vm.assertTrue(_status(UNKNOWN) == IConsents.GrantStatus.ACTIVE, "the new one");
    }

    function test_WhenPassportIsSealedOrDestroyed_ConsentCanStillBeWithdrawn() external {
        _give(_draft());
        _destroy(HOSPITAL, PASSPORT);
        _revoke(PASSPORT, GRANT);
        vm.assertTrue(_status(GRANT) == IConsents.GrantStatus.WITHDRAWN, "withdrawn");
    }

    function test_WhenRevokedBeforeItIsGranted_ItsIdIsUsedUp() external onlyChanges(GRANTS) {
        IConsents.GrantState memory expected;
        expected.status = IConsents.GrantStatus.WITHDRAWN;
        bytes memory withdrawal = _signedRevocation(HOLDER_KEY, PASSPORT, OTHER_GRANT);
        vm.expectEmit(address(ledger));
        emit IConsents.ConsentWithdrawn(OTHER_GRANT, PASSPORT);
        ledger.revoke(PASSPORT, OTHER_GRANT, _own(withdrawal));
        vm.assertEq(abi.encode(expected), _stored(OTHER_GRANT), "mark");

        IConsents.Grant memory given = _draft();
        _assertRefused(given, abi.encodePacked(IConsents.Consents_Exists.selector, OTHER_GRANT));
        given.grantId = UNKNOWN;
        given.supersedes = OTHER_GRANT;
        _assertRefused(given, _wrongStatus(OTHER_GRANT, IConsents.GrantStatus.WITHDRAWN));

        vm.warp(START + DAY);
        vm.recordLogs();
        ledger.revoke(PASSPORT, OTHER_GRANT, _own(withdrawal));
        vm.assertEq(0, vm.getRecordedLogs().length, "events");
        vm.assertEq(abi.encode(expected), _stored(OTHER_GRANT), "mark");
    }

    function test_RevertWhen_GrantIsAnotherPassports() external {
        _assertUnknownToTheOther(GRANT);
        _revoke(PASSPORT, GRANT);
        _assertUnknownToTheOther(GRANT);
    }

    function test_WhenAStrangerRevokesAnIdOnAnotherPassport_TheGrantIsStillGood() external {
        _revoke(PASSPORT, OTHER_GRANT); // never granted: only this passport can no longer use the id
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, OTHER_PASSPORT);
        _give(given, _signed(OTHER_HOLDER_KEY, given));
        vm.assertTrue(
            ledger.grantOf(OTHER_PASSPORT, OTHER_GRANT).status == IConsents.GrantStatus.ACTIVE,
            "given all the same"
        );
    }

    function test_RevertGiven_CustodianThatKeepsTheKeyIsSuspended() external {
        _issueAssisted();
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, UNKNOWN);
        _suspend(HOSPITAL);
        _assertRefused(given, abi.encodePacked(IMembers.Members_NotActive.selector, uint256(HOSPITAL)));

        // A patient who keeps the key speaks for herself, whatever becomes of the hospital.
        _give(_grantOf(OTHER_GRANT, PASSPORT));
        vm.assertTrue(_status(OTHER_GRANT) == IConsents.GrantStatus.ACTIVE, "given");
    }

    function test_RevertGiven_PassportOfARevocationIsUnknown() external {
        bytes memory signature = _signedRevocation(HOLDER_KEY, UNKNOWN, GRANT);
        _expectRevert(IPassports.Passports_Unknown.selector, UNKNOWN);
        ledger.revoke(UNKNOWN, GRANT, _own(signature));
    }

    function test_RevertWhen_RevocationIsNotTheHolders() external {
        bytes[5] memory signatures = [
            _signedRevocation(STRANGER_KEY, PASSPORT, GRANT),
            _signedRevocation(HOLDER_KEY, PASSPORT, OTHER_GRANT),
            _signedRevocation(HOLDER_KEY, OTHER_PASSPORT, GRANT),
            _signed(HOLDER_KEY, _grantOf(GRANT, PASSPORT)),
            _sign(HOLDER_KEY, _digest(_domainSeparator(1, address(ledger)), _revocationHash(PASSPORT, GRANT)))
        ];
        for (uint256 index = 0; index < signatures.length; ++index) {
            _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
            ledger.revoke(PASSPORT, GRANT, _own(signatures[index]));
        }
        vm.assertTrue(_status(GRANT) == IConsents.GrantStatus.ACTIVE, "still active");

        // Nor is an id used up that no holder's revocation names.
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.revoke(PASSPORT, OTHER_GRANT, _own(signatures[0]));
        _give(_draft());
        vm.assertTrue(_status(OTHER_GRANT) == IConsents.GrantStatus.ACTIVE, "given");
    }

    function test_RevertWhen_EndedGrantIsRevokedByAStranger() external {
        _revoke(PASSPORT, GRANT);
        bytes memory signature = _signedRevocation(STRANGER_KEY, PASSPORT, GRANT);
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.revoke(PASSPORT, GRANT, _own(signature));
    }

    /* REQUEST AND REFUSE */

    function test_WhenRequested_NothingIsGranted() external onlyChanges(GRANTS) {
        vm.expectEmit(address(ledger));
        emit IConsents.ConsentRequested(OTHER_GRANT, PASSPORT, LAB, CONTENT);
        _ask(LAB, PASSPORT, OTHER_GRANT);
        IConsents.GrantState memory expected;
        expected.status = IConsents.GrantStatus.REQUESTED;
        vm.assertEq(abi.encode(expected), _stored(OTHER_GRANT), "mark");
    }

    function test_WhenRequested_HolderGivesWhatItLikes() external {
        _ask(CLINIC, PASSPORT, OTHER_GRANT);
        IConsents.Grant memory given = _draft();
        _give(given);
        vm.assertEq(abi.encode(_stateOf(given, 0, IConsents.Assurance.SELF)), _stored(OTHER_GRANT), "grant");
    }

    function test_WhenRefused_ItIsNeverGiven() external onlyChanges(GRANTS) {
        _ask(LAB, PASSPORT, OTHER_GRANT);
        IConsents.Proof memory proof = _proof(_refusalHash(PASSPORT, OTHER_GRANT));
        vm.expectEmit(address(ledger));
        emit IConsents.ConsentRefused(OTHER_GRANT, PASSPORT);
        vm.prank(STRANGER);
        ledger.refuse(PASSPORT, OTHER_GRANT, proof);
        vm.assertTrue(_status(OTHER_GRANT) == IConsents.GrantStatus.REFUSED, "refused");

        _assertRefused(_draft(), abi.encodePacked(IConsents.Consents_Exists.selector, OTHER_GRANT));
        _expectRevert(IConsents.Consents_Exists.selector, OTHER_GRANT);
        _ask(LAB, PASSPORT, OTHER_GRANT);
        _expectRevert(IConsents.Consents_Exists.selector, OTHER_GRANT);
        _fileOnPaper(_draft());
        vm.recordLogs();
        _revoke(PASSPORT, OTHER_GRANT); // it has ended: nothing to withdraw
        vm.assertEq(0, vm.getRecordedLogs().length, "events");
    }

    function test_WhenRequestedGrantIsWithdrawn_ItIsNeverGiven() external {
        _ask(LAB, PASSPORT, OTHER_GRANT);
        _revoke(PASSPORT, OTHER_GRANT);
        vm.assertTrue(_status(OTHER_GRANT) == IConsents.GrantStatus.WITHDRAWN, "withdrawn");
        _assertRefused(_draft(), abi.encodePacked(IConsents.Consents_Exists.selector, OTHER_GRANT));
    }

    function test_RevertWhen_RequestIsNotInOrder() external {
        _expectRevert(IConsents.Consents_Incomplete.selector, OTHER_GRANT);
        _as(LAB);
        ledger.requestConsent(PASSPORT, OTHER_GRANT, 0);
        _expectRevert(IConsents.Consents_Exists.selector, uint256(0));
        _ask(LAB, PASSPORT, 0);
        _expectRevert(IConsents.Consents_Exists.selector, GRANT);
        _ask(LAB, PASSPORT, GRANT);
        _expectRevert(IConsents.Consents_Exists.selector, GRANT);
        _ask(LAB, OTHER_PASSPORT, GRANT); // the id is another passport's
        _ask(LAB, PASSPORT, OTHER_GRANT);
        _expectRevert(IConsents.Consents_Exists.selector, OTHER_GRANT);
        _ask(CLINIC, PASSPORT, OTHER_GRANT);
        _expectRevert(IPassports.Passports_Unknown.selector, UNKNOWN);
        _ask(LAB, UNKNOWN, UNKNOWN);
        _seal(PASSPORT);
        _expectRevert(IPassports.Passports_WrongStatus.selector, PASSPORT, IPassports.PassportStatus.SEALED);
        _ask(LAB, PASSPORT, UNKNOWN);
        _suspend(LAB);
        _expectRevert(IMembers.Members_NotActive.selector, LAB);
        _ask(LAB, OTHER_PASSPORT, UNKNOWN);
    }

    function test_RevertWhen_RefusalIsNotInOrder() external {
        IConsents.Proof memory proof = _proof(_refusalHash(PASSPORT, OTHER_GRANT));
        _expectRevert(IConsents.Consents_WrongStatus.selector, OTHER_GRANT, IConsents.GrantStatus.NONE);
        ledger.refuse(PASSPORT, OTHER_GRANT, proof);
        _expectRevert(IConsents.Consents_WrongStatus.selector, GRANT, IConsents.GrantStatus.ACTIVE);
        ledger.refuse(PASSPORT, GRANT, proof);
        _expectRevert(IPassports.Passports_Unknown.selector, UNKNOWN);
        ledger.refuse(UNKNOWN, OTHER_GRANT, proof);
        _ask(LAB, PASSPORT, OTHER_GRANT);
        proof = _proof(_revocationHash(PASSPORT, OTHER_GRANT)); // other words
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.refuse(PASSPORT, OTHER_GRANT, proof);
        proof = _own(_signedHash(STRANGER_KEY, _refusalHash(PASSPORT, OTHER_GRANT)));
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.refuse(PASSPORT, OTHER_GRANT, proof);
    }

    /* PAPER */

    function test_WhenFiledFromPaper_ItIsOfTheLowestAssurance() external onlyChanges(GRANTS) {
        IConsents.Grant memory given = _draft();
        given.flags = Codes.FLAG_NO_RELINK;
        _expectGranted(given, IConsents.Assurance.PAPER);
        vm.expectEmit(address(ledger));
        emit IConsents.ConsentFiled(OTHER_GRANT, PASSPORT, CONTENT);
        _fileOnPaper(given);
        vm.assertEq(abi.encode(_stateOf(given, 0, IConsents.Assurance.PAPER)), _stored(OTHER_GRANT), "grant");
    }

    function test_WhenFiledFromPaper_ItPermits() external {
        _fileOnPaper(_draft());
        vm.assertEq(
            Codes.PERMIT,
            _decide(LAB, _request(PASSPORT, OTHER_GRANT, _trainingTerms())).outcome(),
            "outcome"
        );
    }

    function test_RevertWhen_PaperSaysWhatPaperCannot() external {
        IConsents.Grant memory separate = _draft();
        separate.flags = Codes.FLAG_SEPARATE;
        _expectRevert(IConsents.Consents_Incomplete.selector, OTHER_GRANT);
        _fileOnPaper(separate);
        IConsents.Grant memory amendment = _draft();
        amendment.supersedes = GRANT;
        _expectRevert(IConsents.Consents_Incomplete.selector, OTHER_GRANT);
        _fileOnPaper(amendment);
        _expectRevert(IConsents.Consents_Incomplete.selector, OTHER_GRANT);
        _as(HOSPITAL);
        ledger.fileConsent(_draft(), 0);
    }

    function test_RevertGiven_FilerIsNotTheActiveCustodian() external {
        _expectRevert(IPassports.Passports_NotCustodian.selector, PASSPORT, CLINIC);
        _as(CLINIC);
        ledger.fileConsent(_draft(), CONTENT);
        _expectRevert(IPassports.Passports_Unknown.selector, UNKNOWN);
        _fileOnPaper(_grantOf(OTHER_GRANT, UNKNOWN));
        _suspend(HOSPITAL);
        _expectRevert(IMembers.Members_NotActive.selector, HOSPITAL);
        _fileOnPaper(_draft());
    }

    function test_RevertWhen_PaperIsNotAGrant() external {
        IConsents.Grant memory given = _draft();
        given.purposes = _bit(Codes.MARKETING);
        _expectRevert(IConsents.Consents_BannedPurpose.selector, uint256(given.purposes));
        _fileOnPaper(given);
        given = _draft();
        given.template = 0;
        _expectRevert(IConsents.Consents_OutsideTemplate.selector, uint256(0));
        _fileOnPaper(given);
        _expectRevert(IConsents.Consents_Exists.selector, GRANT);
        _fileOnPaper(_grantOf(GRANT, PASSPORT));
    }

    /* CONFIRM */

    function test_WhenPaperIsConfirmed_ItIsOfTheSignersAssurance() external onlyChanges(GRANTS | HOLDERS) {
        IConsents.Grant memory given = _draft();
        _fileOnPaper(given);
        _nameDelegate();
        vm.expectEmit(address(ledger));
        emit IConsents.ConsentConfirmed(OTHER_GRANT, PASSPORT, 0, IConsents.Assurance.DELEGATED);
        ledger.confirm(
            PASSPORT,
            OTHER_GRANT,
            _delegates(DELEGATE_KEY, _confirmationHash(PASSPORT, OTHER_GRANT, 0))
        );
        vm.expectEmit(address(ledger));
        emit IConsents.ConsentConfirmed(OTHER_GRANT, PASSPORT, 0, IConsents.Assurance.SELF);
        _confirm(OTHER_GRANT, 0);
        // A weaker signature does not lower it.
        ledger.confirm(
            PASSPORT,
            OTHER_GRANT,
            _delegates(DELEGATE_KEY, _confirmationHash(PASSPORT, OTHER_GRANT, 0))
        );
        vm.assertEq(
            abi.encode(_stateOf(given, 0, IConsents.Assurance.SELF)),
            _stored(OTHER_GRANT),
            "only the assurance differs"
        );
    }

    function test_WhenControlChanges_GrantIsFrozenUntilConfirmed() external {
        vm.assertEq(0, _missing(GRANT), "before");
        _changeControl(LAB);
        vm.assertEq(Facts.GRANT_RECIPIENT, _missing(GRANT), "frozen");
        vm.assertEq(0, ledger.grantOf(PASSPORT, GRANT).control, "the grant itself is untouched");
        _confirm(GRANT, 1);
        vm.assertEq(1, ledger.grantOf(PASSPORT, GRANT).control, "confirmed");
        vm.assertEq(0, _missing(GRANT), "after");
    }

    function test_WhenGivenAfterAChangeOfControl_ItIsNotFrozen() external {
        _changeControl(LAB);
        _give(_draft());
        vm.assertEq(1, ledger.grantOf(PASSPORT, OTHER_GRANT).control, "control");
        vm.assertEq(0, _missing(OTHER_GRANT), "missing");
    }

    function test_RevertWhen_ConfirmationIsReplayedAfterTheNextChange() external {
        _changeControl(LAB);
        IConsents.Proof memory proof = _proof(_confirmationHash(PASSPORT, GRANT, 1));
        ledger.confirm(PASSPORT, GRANT, proof);
        _changeControl(LAB);
        vm.assertEq(Facts.GRANT_RECIPIENT, _missing(GRANT), "frozen again");
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.confirm(PASSPORT, GRANT, proof);
    }

    function test_RevertWhen_ConfirmationIsNotInOrder() external {
        _changeControl(LAB);
        bytes32 words = _confirmationHash(PASSPORT, GRANT, 1);
        IConsents.Proof[3] memory proofs = [
            _own(_signedHash(STRANGER_KEY, words)),
            _proof(_confirmationHash(PASSPORT, GRANT, 0)), // of the control that was
            _proof(_confirmationHash(PASSPORT, GRANT, 2)) // of one to come
        ];
        for (uint256 index = 0; index < proofs.length; ++index) {
            _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
            ledger.confirm(PASSPORT, GRANT, proofs[index]);
        }
        _expectRevert(IPassports.Passports_Unknown.selector, UNKNOWN);
        ledger.confirm(UNKNOWN, GRANT, proofs[0]);
        _expectRevert(IConsents.Consents_WrongStatus.selector, OTHER_GRANT, IConsents.GrantStatus.NONE);
        ledger.confirm(PASSPORT, OTHER_GRANT, proofs[0]);
        _revoke(PASSPORT, GRANT);
        _expectRevert(IConsents.Consents_WrongStatus.selector, GRANT, IConsents.GrantStatus.WITHDRAWN);
        ledger.confirm(PASSPORT, GRANT, _proof(words));
    }

    function test_RevertGiven_CustodianThatKeepsTheKeyIsSuspended_ItConfirmsNothing() external {
        _issueAssisted();
        _give(_grantOf(OTHER_GRANT, UNKNOWN));
        IConsents.Proof memory proof = _proof(_confirmationHash(UNKNOWN, OTHER_GRANT, 0));
        _suspend(HOSPITAL);
        _expectRevert(IMembers.Members_NotActive.selector, HOSPITAL);
        ledger.confirm(UNKNOWN, OTHER_GRANT, proof);
    }

    /* REPUDIATE */

    function test_WhenPaperIsRepudiated_ItPermitsNothingMore() external {
        _fileOnPaper(_draft());
        IConsents.GrantState memory expected = ledger.grantOf(PASSPORT, OTHER_GRANT);
        expected.status = IConsents.GrantStatus.REPUDIATED;
        vm.expectEmit(address(ledger));
        emit IConsents.ConsentRepudiated(OTHER_GRANT, PASSPORT);
        _repudiate(PASSPORT, OTHER_GRANT);
        vm.assertEq(abi.encode(expected), _stored(OTHER_GRANT), "grant");
        vm.assertEq(Facts.GRANT_LIVE, _missing(OTHER_GRANT), "missing");
        _expectRevert(IConsents.Consents_Exists.selector, OTHER_GRANT);
        _fileOnPaper(_draft());
    }

    /// @dev Who took over from the custodian that kept the key can disown what it signed.
    function test_WhenAssistedGrantIsRepudiated_ItPermitsNothingMore() external {
        _issueAssisted();
        _give(_grantOf(OTHER_GRANT, UNKNOWN));
        _repudiate(UNKNOWN, OTHER_GRANT);
        vm.assertTrue(
            ledger.grantOf(UNKNOWN, OTHER_GRANT).status == IConsents.GrantStatus.REPUDIATED,
            "repudiated"
        );
    }

    function test_RevertWhen_GrantCannotBeRepudiated() external {
        _expectRevert(IConsents.Consents_WrongStatus.selector, GRANT, IConsents.GrantStatus.ACTIVE);
        _repudiate(PASSPORT, GRANT); // the holder's own signature
        _fileOnPaper(_draft());
        IConsents.Proof memory forged = _own(
            _signedHash(STRANGER_KEY, _repudiationHash(PASSPORT, OTHER_GRANT))
        );
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        ledger.repudiate(PASSPORT, OTHER_GRANT, forged);
        _expectRevert(IPassports.Passports_Unknown.selector, UNKNOWN);
        ledger.repudiate(UNKNOWN, OTHER_GRANT, forged);
        _confirm(OTHER_GRANT, 0);
        _expectRevert(IConsents.Consents_WrongStatus.selector, OTHER_GRANT, IConsents.GrantStatus.ACTIVE);
        _repudiate(PASSPORT, OTHER_GRANT); // confirmed, it is the holder's own
        _revoke(PASSPORT, OTHER_GRANT);
        _expectRevert(IConsents.Consents_WrongStatus.selector, OTHER_GRANT, IConsents.GrantStatus.WITHDRAWN);
        _repudiate(PASSPORT, OTHER_GRANT);
    }

    /* FLIPPED, ELSEWHERE, LATE: for the other words that a holder signs */

    function test_RevertWhen_OtherWordsAreFlippedOrMeantForElsewhere() external {
        _ask(LAB, PASSPORT, OTHER_GRANT);
        _fileOnPaper(_grantOf(THIRD_GRANT, PASSPORT));
        bytes32[4] memory words = [
            _revocationHash(PASSPORT, GRANT),
            _refusalHash(PASSPORT, OTHER_GRANT),
            _confirmationHash(PASSPORT, GRANT, 0),
            _repudiationHash(PASSPORT, THIRD_GRANT)
        ];
        bytes32[2] memory elsewhere = [
            _domainSeparator(1, address(ledger)),
            _domainSeparator(block.chainid, STRANGER)
        ];
        for (uint256 index = 0; index < words.length; ++index) {
            for (uint256 place = 0; place < elsewhere.length; ++place)
                _assertBadWords(index, _sign(HOLDER_KEY, _digest(elsewhere[place], words[index])));
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(HOLDER_KEY, _digest(words[index]));
            bytes32 flipped = bytes32(SECP256K1_N - uint256(s));
            _assertBadWords(index, abi.encodePacked(r, flipped, v ^ 7));
        }
    }

    function _assertBadWords(uint256 which, bytes memory signature) private {
        _expectRevert(IConsents.Consents_InvalidSignature.selector, PASSPORT);
        if (which == 0) ledger.revoke(PASSPORT, GRANT, _own(signature));
        else if (which == 1) ledger.refuse(PASSPORT, OTHER_GRANT, _own(signature));
        else if (which == 2) ledger.confirm(PASSPORT, GRANT, _own(signature));
        else ledger.repudiate(PASSPORT, THIRD_GRANT, _own(signature));
    }

    function test_WhenUnknown_GrantIsAllZero() external view {
        IConsents.GrantState memory nothing;
        vm.assertEq(abi.encode(nothing), _stored(OTHER_GRANT), "grant");
    }

    /* HELPERS */

    function _draft() private pure returns (IConsents.Grant memory) {
        return _grantOf(OTHER_GRANT, PASSPORT);
    }

    function _ask(uint32 memberId, bytes32 passportId, bytes32 grantId) private {
        _as(memberId);
        ledger.requestConsent(passportId, grantId, CONTENT);
    }

    function _fileOnPaper(IConsents.Grant memory given) private {
        _as(HOSPITAL);
        ledger.fileConsent(given, CONTENT);
    }

    function _issueAssisted() private {
        IPassports.Issue memory assisted = _issueOf(UNKNOWN, holder);
        assisted.custody = IPassports.Custody.ASSISTED;
        _issue(HOSPITAL, assisted);
    }

    function _nameDelegate() private {
        bytes memory signature = _signedHash(HOLDER_KEY, _delegationHash(PASSPORT, delegate, MEMBERSHIP_END));
        ledger.nameDelegate(PASSPORT, delegate, MEMBERSHIP_END, signature);
    }

    /// @dev By the holder.
    function _proof(bytes32 structHash) private view returns (IConsents.Proof memory) {
        return _own(_signedHash(HOLDER_KEY, structHash));
    }

    function _confirm(bytes32 grantId, uint16 control) private {
        ledger.confirm(PASSPORT, grantId, _proof(_confirmationHash(PASSPORT, grantId, control)));
    }

    function _repudiate(bytes32 passportId, bytes32 grantId) private {
        ledger.repudiate(passportId, grantId, _proof(_repudiationHash(passportId, grantId)));
    }

    /// @dev What the lab's request to train is missing under the grant.
    function _missing(bytes32 grantId) private returns (uint32) {
        return _decide(LAB, _request(PASSPORT, grantId, _trainingTerms())).missing();
    }

    function _stored(bytes32 grantId) private view returns (bytes memory) {
        return abi.encode(ledger.grantOf(PASSPORT, grantId));
    }

    function _status(bytes32 grantId) private view returns (IConsents.GrantStatus) {
        return ledger.grantOf(PASSPORT, grantId).status;
    }

    function _expectGranted(IConsents.Grant memory given) private {
        _expectGranted(given, IConsents.Assurance.SELF);
    }

    function _expectGranted(IConsents.Grant memory given, IConsents.Assurance assurance) private {
        uint16 control = ledger.memberOf(given.recipient).control;
        vm.expectEmit(address(ledger));
        emit IConsents.ConsentGranted(
            given.grantId,
            given.passportId,
            given.recipient,
            _stateOf(given, control, assurance),
            given.template,
            given.terms,
            given.supersedes
        );
    }

    function _wrongStatus(bytes32 grantId, IConsents.GrantStatus status) private pure returns (bytes memory) {
        return abi.encodePacked(IConsents.Consents_WrongStatus.selector, grantId, uint256(status));
    }

    /// @dev OTHER_GRANT replaces GRANT, THIRD_GRANT replaces OTHER_GRANT.
    function _amendTwice() private {
        IConsents.Grant memory given = _draft();
        given.supersedes = GRANT;
        _give(given);
        given.grantId = THIRD_GRANT;
        given.supersedes = OTHER_GRANT;
        _give(given);
    }

    /// @dev The other passport's holder signs in order, but the grant is not that passport's.
    function _assertUnknownToTheOther(bytes32 grantId) private {
        bytes memory signature = _signedRevocation(OTHER_HOLDER_KEY, OTHER_PASSPORT, grantId);
        _expectRevert(IConsents.Consents_Unknown.selector, grantId);
        ledger.revoke(OTHER_PASSPORT, grantId, _own(signature));
    }

    function _issueToWallet() private {
        Wallet wallet = new Wallet(holder);
        _issue(HOSPITAL, _issueOf(WALLET_PASSPORT, address(wallet)));
    }

    /// @dev The holder signed it, and it is refused all the same.
    function _assertRefused(IConsents.Grant memory given, bytes memory expected) private {
        bytes memory signature = _signed(HOLDER_KEY, given);
        vm.expectRevert(expected);
        _give(given, signature);
    }

    function _assertBadSignature(IConsents.Grant memory given, bytes memory signature) private {
        _expectRevert(IConsents.Consents_InvalidSignature.selector, given.passportId);
        _give(given, signature);
    }

    function _assertRevokingChangesNothing() private onlyChanges(NOTHING) {
        vm.warp(START + 2 * DAY);
        vm.recordLogs();
        _revoke(PASSPORT, GRANT);
        vm.assertEq(0, vm.getRecordedLogs().length, "events");
    }
}
