// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IDecisions} from "../../contracts/interfaces/IDecisions.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {IPolicy} from "../../contracts/interfaces/IPolicy.sol";
import {IProjects} from "../../contracts/interfaces/IProjects.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {Facts} from "../../contracts/libraries/Facts.sol";
import {Terms, TermsLib} from "../../contracts/libraries/Terms.sol";
import {Verdict} from "../../contracts/libraries/Verdict.sol";
import {Base, ILedger} from "./Base.t.sol";

/// @notice Acts on the ledger at random and remembers what should be true. Never reverts: an act that must fail is
/// tried with a low-level call, and its success is a violation.
contract Handler is Base {
    struct Asset {
        bytes32 passportId;
        uint32 custodian;
        uint256 holderKey;
        uint16 purposes;
        IPassports.PassportStatus status;
        uint40 size;
    }

    struct Consent {
        bytes32 passportId;
        bytes32 grantId;
        uint256 holderKey;
        uint256 successor; // place in the list of what replaced it
        IConsents.GrantState state; // as it should be stored
    }

    /// @dev A permit to transfer.
    struct Leave {
        bytes32 passportId;
        bytes32 grantId; // 0 unless it rests on consent
        uint40 seq;
        uint40 decidedAt;
        uint32 recipient;
        bool used;
    }

    uint256 private constant MOST_PASSPORTS = 8;
    uint256 private constant MOST_GRANTS = 48;

    /// @dev How often each numbered invariant was seen broken.
    mapping(uint256 invariant => uint256 times) public violations;
    bytes32 public head;
    uint256 public permits;
    uint256 public denials;
    uint256 public reviews;
    uint256 public forgeries;
    uint256 public shipments;

    Asset[] private _assets;
    Consent[] private _consents;
    Consent private _nothing; // is never written to
    Leave[] private _leaves;
    mapping(uint32 memberId => bool suspended) private _suspended;
    mapping(uint32 memberId => uint32 projectId) private _projectOf;
    IPolicy.Table private _defaultLaw;
    uint256 private _ids;

    constructor() {
        _deploy();
        _defaultLaw = ledger.policy();
        IProjects.Filing memory project = _projectDraft();
        project.purposes = type(uint16).max;
        project.validTo = START + 3650 * DAY;
        for (uint32 memberId = HOSPITAL; memberId <= CLINIC; ++memberId) {
            _approve(_projectOf[memberId] = _file(memberId, project));
        }
        issue(HOSPITAL);
        issue(CLINIC);
        grant(0, 0, 0, 0);
        grant(1, 1, 1, 1);
    }

    /* ACTS OF MEMBERS */

    function issue(uint256 seed) public {
        uint32 custodian = seed % 2 == 0 ? HOSPITAL : CLINIC;
        if (_assets.length == MOST_PASSPORTS || _suspended[custodian]) return;
        uint256 holderKey = HOLDER_KEY + _assets.length;
        bytes32 passportId = _freshId();
        _issue(custodian, _issueOf(passportId, vm.addr(holderKey)));
        _assets.push(
            Asset(passportId, custodian, holderKey, LAWFUL_PURPOSES, IPassports.PassportStatus.OPEN, 0)
        );
    }

    /// @dev Requests that grant and project cover, as far as the seed lets them; mostly of the grant's recipient.
    function requestUnderGrants(uint256 seed) external {
        for (uint256 round = 0; round < 5; ++round) {
            seed = uint256(keccak256(abi.encode(seed)));
            _askUnderGrant(_consents[seed % _consents.length], seed >> 8);
        }
    }

    function requestAnything(uint256 caller, uint256 asset, uint256 consent, uint256 words) external {
        uint16 categories = uint16(words) == 0 ? 1 : uint16(words);
        Terms terms = TermsLib.pack(
            uint8(words >> 16) % 16,
            uint8(words >> 24) % 8,
            uint8(words >> 32) % 2,
            categories,
            uint32(words >> 40) % 4
        );
        bytes32 grantId = consent % 4 == 0 ? bytes32(0) : _consents[consent % _consents.length].grantId;
        _ask(uint32(1 + (caller % 4)), _assets[asset % _assets.length].passportId, grantId, terms);
    }

    function narrow(uint256 which, uint16 mask) external {
        Asset storage asset = _assets[which % _assets.length];
        if (_suspended[asset.custodian] || asset.status != IPassports.PassportStatus.OPEN) return;
        uint16 wider = asset.purposes | mask | 0x8000;
        _tryAs(asset.custodian, abi.encodeCall(ledger.narrow, (asset.passportId, wider)), 5);

        uint16 purposes = asset.purposes & (mask | (mask << 8) | 0x0080);
        if (purposes == 0 || purposes == asset.purposes) return;
        _as(asset.custodian);
        ledger.narrow(asset.passportId, purposes);
        asset.purposes = purposes;
    }

    function sealUp(uint256 which, bool byOwner) external {
        Asset storage asset = _assets[which % _assets.length];
        if (asset.status != IPassports.PassportStatus.OPEN || (!byOwner && _suspended[asset.custodian]))
            return;
        if (byOwner) _asCommittee();
        else _as(asset.custodian);
        ledger.seal(asset.passportId, COMMITMENT);
        asset.status = IPassports.PassportStatus.SEALED;
    }

    function destroy(uint256 which) external {
        Asset storage asset = _assets[which % _assets.length];
        bytes memory call_ = abi.encodeCall(ledger.destroy, (asset.passportId, COMMITMENT));
        if (asset.status != IPassports.PassportStatus.OPEN) {
            _tryAs(asset.custodian, call_, 7);
        } else if (!_suspended[asset.custodian] && which % 8 == 0) {
            _destroy(asset.custodian, asset.passportId);
            asset.status = IPassports.PassportStatus.DESTROYED;
        }
    }

    /// @dev A permit to transfer stands for an hour, while its recipient is active and its grant is live.
    function ship(uint256 which) external {
        if (_leaves.length == 0) return;
        Leave storage permit = _leaves[_leaves.length - 1 - (which % _leaves.length) / 2]; // rather a late one
        bool stands = _stands(permit);
        _check(2, ledger.transferPermit(permit.passportId, permit.seq) == (stands ? permit.recipient : 0));
        Asset storage asset = _assetOf(permit.passportId);
        bool open = asset.status == IPassports.PassportStatus.OPEN && !_suspended[asset.custodian];
        bytes memory call_ = abi.encodeCall(
            ledger.ship,
            (_freshId(), permit.passportId, permit.seq, COMMITMENT)
        );
        _as(asset.custodian);
        (bool done, ) = address(ledger).call(call_);
        _check(2, done == (stands && open));
        if (!done) return;
        permit.used = true;
        ++shipments;
    }

    /* ACTS OF HOLDERS, AND OF THOSE WHO PRETEND TO BE ONE */

    function grant(uint256 which, uint256 recipient, uint256 period, uint256 words) public {
        Asset storage asset = _assets[which % _assets.length];
        if (_consents.length == MOST_GRANTS || asset.status != IPassports.PassportStatus.OPEN) return;
        IConsents.Grant memory given = _someGrant(asset, recipient, period, words);
        if (given.purposes & ledger.policy().bannedPurposes != 0) return;
        Consent storage former = _consents.length == 0 ? _nothing : _consents[words % _consents.length];
        bool supersedes =
            former.passportId == asset.passportId &&
                former.state.status == IConsents.GrantStatus.ACTIVE &&
                period % 2 == 0;
        if (supersedes) given.supersedes = former.grantId;
        _give(given, _signed(asset.holderKey, given));

        if (supersedes) {
            _end(former, IConsents.GrantStatus.SUPERSEDED);
            former.successor = _consents.length;
        }
        _remember(given, asset.holderKey).state = _stateOf(given, 0, IConsents.Assurance.SELF);
    }

    function revoke(uint256 which) external {
        Consent storage consent = _consents[which % _consents.length];
        ledger.revoke(
            consent.passportId,
            consent.grantId,
            _own(_signedRevocation(consent.holderKey, consent.passportId, consent.grantId))
        );
        while (consent.state.status == IConsents.GrantStatus.SUPERSEDED)
            consent = _consents[consent.successor];
        if (consent.state.status == IConsents.GrantStatus.ACTIVE)
            _end(consent, IConsents.GrantStatus.WITHDRAWN);
    }

    /// @dev The withdrawal of a grant reaches the ledger before the grant: the grant never does.
    function revokeBeforeGrant(uint256 which, uint256 recipient, uint256 period, uint256 words) external {
        Asset storage asset = _assets[which % _assets.length];
        if (_consents.length == MOST_GRANTS) return;
        IConsents.Grant memory given = _someGrant(asset, recipient, period, words);
        ledger.revoke(
            given.passportId,
            given.grantId,
            _own(_signedRevocation(asset.holderKey, given.passportId, given.grantId))
        );
        _end(_remember(given, asset.holderKey), IConsents.GrantStatus.WITHDRAWN);
        bytes memory signature = _signed(asset.holderKey, given);
        _tryAs(asset.custodian, abi.encodeCall(ledger.grant, (_one(given), _one(signature))), 2);
        Terms terms = TermsLib.pack(
            _lowestBit(given.purposes),
            Codes.CONSENT,
            Codes.READ,
            Codes.VITALS,
            _projectOf[given.recipient]
        );
        _ask(given.recipient, given.passportId, given.grantId, terms);
    }

    /// @dev Somebody else signs: a stranger, or the holder of another passport.
    function forgeGrant(uint256 which, uint256 key, uint256 period, uint256 words) external {
        Asset storage asset = _assets[which % _assets.length];
        key = _wrongKey(asset.holderKey, key);
        IConsents.Grant memory given = _someGrant(asset, words, period, words);
        bytes memory call_ = abi.encodeCall(ledger.grant, (_one(given), _one(_signed(key, given))));
        _tryAs(asset.custodian, call_, 3);
        ++forgeries;
    }

    function forgeRevocation(uint256 which, uint256 key) external {
        Consent storage consent = _consents[which % _consents.length];
        key = _wrongKey(consent.holderKey, key);
        bytes memory signature = _signedRevocation(key, consent.passportId, consent.grantId);
        bytes memory call_ = abi.encodeCall(
            ledger.revoke,
            (consent.passportId, consent.grantId, _own(signature))
        );
        _tryAs(consent.state.recipient, call_, 3);
        ++forgeries;
    }

    /* ACTS OF THE COMMITTEE, AND TIME */

    function suspendOrReinstate(uint256 which) external {
        uint32 memberId = HOSPITAL + uint32(which % 3);
        if (!_suspended[memberId] && (which >> 8) % 3 != 0) return; // mostly active
        bytes32 before = _storedGrants();
        _asCommittee();
        if (_suspended[memberId]) ledger.reinstate(memberId);
        else ledger.suspend(memberId, COMMITMENT);
        _suspended[memberId] = !_suspended[memberId];
        _check(6, before == _storedGrants());
    }

    function unseal(uint256 which) external {
        Asset storage asset = _assets[which % _assets.length];
        if (asset.status != IPassports.PassportStatus.SEALED) return;
        _asCommittee();
        ledger.unseal(asset.passportId);
        asset.status = IPassports.PassportStatus.OPEN;
    }

    /// @dev The default law with one change: a purpose banned, an entry taken away, or a human review required.
    function changePolicy(uint256 kind, uint256 which, uint256 basis) external {
        IPolicy.Table memory law = _defaultLaw;
        uint8 purpose = _somePurpose(which);
        uint256 index = 16 * (1 + ((which >> 8) % 2)) + purpose; // class 2 or 3
        uint256 shift = 32 * (1 + (basis % 2)); // consent or care by the custodian
        if (kind % 4 == 1) {
            law.bannedPurposes |= _bit(purpose);
        } else if (kind % 4 == 2) {
            law.required[index] &= ~(uint256(type(uint32).max) << shift);
        } else if (kind % 4 == 3 && uint32(law.required[index] >> shift) != 0) {
            law.required[index] |= uint256(Facts.HUMAN_REVIEWED) << shift;
        }
        _asCommittee();
        ledger.setPolicy(law);
    }

    function passTime(uint256 elapsed) external {
        vm.warp(_now() + (elapsed % (5 * DAY)));
    }

    /* WHAT SHOULD BE TRUE */

    function assets() external view returns (Asset[] memory) {
        return _assets;
    }

    function consents() external view returns (Consent[] memory) {
        return _consents;
    }

    function theLedger() external view returns (address) {
        return address(ledger);
    }

    /* HELPERS */

    function _askUnderGrant(Consent storage consent, uint256 seed) private {
        if (consent.state.recipient == 0) return; // never granted
        uint32 caller = seed % 4 == 0 ? HOSPITAL + uint32((seed >> 8) % 3) : consent.state.recipient;
        uint16 impersonal = uint16(~(Codes.DEMOGRAPHICS | Codes.CLAIMS | _defaultLaw.coreCategories));
        Terms terms = TermsLib
            .pack(
                _lowestBit(consent.state.purposes),
                Codes.CONSENT,
                uint8((seed >> 16) % 2),
                Codes.VITALS | (uint16(seed >> 24) & consent.state.categories & impersonal),
                _projectOf[caller]
            )
            .atLevel(Codes.PSEUDONYMISED);
        _ask(caller, consent.passportId, consent.grantId, terms);
    }

    function _ask(uint32 memberId, bytes32 passportId, bytes32 grantId, Terms terms) private {
        IDecisions.Request memory request = _request(passportId, grantId, terms);
        Verdict verdict = _decide(memberId, request);
        Asset storage asset = _assetOf(passportId);
        bool permitted = verdict.outcome() == Codes.PERMIT;
        permitted
            ? ++permits
            : verdict.outcome() == Codes.REVIEW
                ? ++reviews
                : ++denials;

        uint256 word = ledger.policy().required[(uint256(verdict.dataClass()) - 1) * 16 + terms.purpose()];
        uint32 required = uint32(word >> (32 * uint256(terms.basis()))) | Facts.LAWFUL;
        _check(1, verdict.missing() == required & ~verdict.facts());
        _check(1, permitted == (verdict.missing() == 0));
        _check(1, !(permitted && _suspended[memberId]));
        uint16 allowed = asset.purposes & ~ledger.policy().bannedPurposes;
        _check(1, !permitted || (allowed >> terms.purpose()) & 1 != 0);
        _check(7, !permitted || asset.status == IPassports.PassportStatus.OPEN);
        if (permitted && terms.basis() == Codes.CONSENT) _checkUse(memberId, passportId, grantId, terms);
        if (permitted && terms.operation() == Codes.TRANSFER) {
            bytes32 restsOn = terms.basis() == Codes.CONSENT ? grantId : bytes32(0);
            _leaves.push(Leave(passportId, restsOn, asset.size, uint40(_now()), memberId, false));
        }

        _check(4, verdict.seq() == asset.size);
        ++asset.size;
        head = _fold(head, memberId, request, verdict);
    }

    /// @dev A permit by consent: the grant is the holder's, was not ended and says so.
    function _checkUse(uint32 memberId, bytes32 passportId, bytes32 grantId, Terms terms) private {
        IConsents.GrantState storage state = _stored(passportId, grantId);
        _check(3, state.status != IConsents.GrantStatus.NONE); // a grant that no holder signed
        _check(2, state.status == IConsents.GrantStatus.ACTIVE);
        _check(1, state.recipient == memberId && (state.purposes >> terms.purpose()) & 1 != 0);
        _check(1, terms.categories() & ~state.categories == 0);
        _check(1, state.useFrom <= _now() && _now() < state.useTo);
        _check(1, state.maxUses == 0 || state.uses < state.maxUses);
        if (state.maxUses != 0) ++state.uses;
    }

    function _stands(Leave storage permit) private view returns (bool) {
        if (permit.used || _now() > permit.decidedAt + 1 hours || _suspended[permit.recipient]) return false;
        if (permit.grantId == 0) return true;
        IConsents.GrantState storage state = _stored(permit.passportId, permit.grantId);
        bool active = state.status == IConsents.GrantStatus.ACTIVE;
        return active && state.useFrom <= _now() && _now() < state.useTo;
    }

    /// @dev What should be stored of a grant; nothing if the handler knows of none.
    function _stored(
        bytes32 passportId,
        bytes32 grantId
    ) private view returns (IConsents.GrantState storage) {
        for (uint256 index = 0; index < _consents.length; ++index) {
            Consent storage consent = _consents[index];
            if (consent.grantId == grantId && consent.passportId == passportId) return consent.state;
        }
        return _nothing.state;
    }

    function _remember(
        IConsents.Grant memory given,
        uint256 holderKey
    ) private returns (Consent storage consent) {
        consent = _consents.push();
        consent.passportId = given.passportId;
        consent.grantId = given.grantId;
        consent.holderKey = holderKey;
    }

    function _check(uint256 invariant, bool holds) private {
        if (!holds) ++violations[invariant];
    }

    /// @dev An act that must fail.
    function _tryAs(uint32 memberId, bytes memory call_, uint256 invariant) private {
        _as(memberId);
        (bool done, ) = address(ledger).call(call_);
        _check(invariant, !done);
    }

    function _someGrant(
        Asset storage asset,
        uint256 recipient,
        uint256 period,
        uint256 words
    ) private returns (IConsents.Grant memory given) {
        given = _grantOf(_freshId(), asset.passportId);
        given.recipient = HOSPITAL + uint32(recipient % 3);
        given.purposes = _bit(_somePurpose(words));
        given.flags = uint8(words >> 8) % 16;
        if (given.flags & Codes.FLAG_SEPARATE == 0) given.purposes |= _bit(_somePurpose(words >> 16));
        given.categories = uint16(words >> 24) | Codes.VITALS;
        given.useFrom = uint32(_now() + ((period >> 8) % (3 * DAY)) - DAY);
        given.useTo = uint32(_now() + 3 * DAY + ((period >> 64) % (200 * DAY)));
        given.maxUses = uint16((period >> 128) % 4);
        given.deadline = uint32(_now());
    }

    function _end(Consent storage consent, IConsents.GrantStatus status) private {
        consent.state.status = status;
    }

    function _assetOf(bytes32 passportId) private view returns (Asset storage asset) {
        uint256 index = 0;
        while (_assets[index].passportId != passportId) ++index;
        return _assets[index];
    }

    function _storedGrants() private view returns (bytes32 print) {
        for (uint256 index = 0; index < _consents.length; ++index) {
            Consent storage consent = _consents[index];
            print = keccak256(abi.encode(print, ledger.grantOf(consent.passportId, consent.grantId)));
        }
    }

    function _somePurpose(uint256 seed) private pure returns (uint8) {
        return
            [
                Codes.PRIMARY_CARE,
                Codes.RESEARCH,
                Codes.AI_TRAINING,
                Codes.PUBLIC_HEALTH,
                Codes.PATIENT_REQUEST
            ][seed % 5];
    }

    function _wrongKey(uint256 right, uint256 seed) private view returns (uint256 key) {
        key = seed % 2 == 0 ? STRANGER_KEY : _assets[seed % _assets.length].holderKey;
        if (key == right) key = STRANGER_KEY;
    }

    function _freshId() private returns (bytes32) {
        return keccak256(abi.encode(++_ids));
    }

    function _lowestBit(uint16 set) private pure returns (uint8 index) {
        while ((set >> index) & 1 == 0) ++index;
    }

    function _now() private view returns (uint256) {
        return vm.getBlockTimestamp();
    }
}

/// @notice The invariants of DESIGN.md that the contracts can keep by themselves:
///
/// 1. A request is permitted if and only if nothing required is missing.
/// 2. A grant that was withdrawn, even before it was given, or superseded never permits again, nor does a permit to
/// transfer that rested on it, and it stays ended at the same moment.
/// 3. Only the holder's signature creates, amends or revokes a grant.
/// 4. `seq` is contiguous, `size` never falls, and `head` is the fold of all decisions.
/// 5. The purposes of a passport only narrow.
/// 6. Suspension alters no stored grant.
/// 7. Sealed data is neither used nor destroyed.
///
/// Number 8, that an emergency ends by itself, waits for emergencies. Number 9, every function against every role, is
/// AccessMatrix.t.sol. Number 10, no word derived from a subject's identifier, is tested in Python over a whole chain.
contract InvariantsTest is Base {
    Handler private _handler;

    function setUp() external {
        _handler = new Handler();
        ledger = ILedger(_handler.theLedger());
    }

    /// @dev Read by the test runner: what it calls between two looks at the invariants.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function invariant_1_PermitIffNothingRequiredIsMissing() external view {
        _assertNoViolation(1);
    }

    function invariant_2_EndedGrantNeverPermitsAgain() external view {
        _assertNoViolation(2);
        _assertGrantsAreAsSigned();
    }

    function invariant_3_OnlyTheHoldersSignatureMakesOrEndsAGrant() external view {
        _assertNoViolation(3);
        _assertGrantsAreAsSigned();
    }

    function invariant_4_SeqIsContiguousAndHeadIsTheFold() external view {
        _assertNoViolation(4);
        vm.assertEq(_handler.head(), ledger.head(), "head");
        Handler.Asset[] memory assets = _handler.assets();
        for (uint256 index = 0; index < assets.length; ++index) {
            vm.assertEq(assets[index].size, ledger.sizeOf(assets[index].passportId), "size");
        }
    }

    function invariant_5_PurposesOnlyNarrow() external view {
        _assertNoViolation(5);
        Handler.Asset[] memory assets = _handler.assets();
        for (uint256 index = 0; index < assets.length; ++index) {
            uint16 purposes = ledger.passportOf(assets[index].passportId).purposes;
            vm.assertEq(assets[index].purposes, purposes, "purposes");
        }
    }

    function invariant_6_SuspensionAltersNoGrant() external view {
        _assertNoViolation(6);
        _assertGrantsAreAsSigned();
    }

    function invariant_7_SealedDataIsNeitherUsedNorDestroyed() external view {
        _assertNoViolation(7);
        Handler.Asset[] memory assets = _handler.assets();
        for (uint256 index = 0; index < assets.length; ++index) {
            IPassports.PassportStatus status = ledger.passportOf(assets[index].passportId).status;
            vm.assertTrue(assets[index].status == status, "status");
        }
    }

    function _assertNoViolation(uint256 invariant) private view {
        vm.assertEq(0, _handler.violations(invariant), "violations seen by the handler");
    }

    /// @dev Every stored grant is what its holder signed, but for the uses that were permitted and its end.
    function _assertGrantsAreAsSigned() private view {
        Handler.Consent[] memory consents = _handler.consents();
        for (uint256 index = 0; index < consents.length; ++index) {
            vm.assertEq(
                abi.encode(consents[index].state),
                abi.encode(ledger.grantOf(consents[index].passportId, consents[index].grantId)),
                "grant"
            );
        }
    }
}
