// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IConsents} from "../interfaces/IConsents.sol";
import {Codes} from "../libraries/Codes.sol";
import {PassportHash} from "../libraries/PassportHash.sol";
import {Passports} from "./Passports.sol";
import {Policy} from "./Policy.sol";

/// @title Consents
/// @notice Consent by signature.
abstract contract Consents is IConsents, Passports, Policy, EIP712 {
    /* STORAGE */

    /// @dev Keyed by passport first: a grant found is a grant for this passport, without a second slot to say so.
    mapping(bytes32 passportId => mapping(bytes32 grantId => GrantState state)) internal _grants;
    mapping(bytes32 grantId => bool used) private _used;
    mapping(bytes32 grantId => bytes32 successor) private _successors;

    /* ANYONE, WITH THE HOLDER'S SIGNATURE */

    /// @inheritdoc IConsents
    function grant(Grant[] calldata grants, bytes[] calldata signatures) external {
        require(
            grants.length == signatures.length,
            Consents_LengthMismatch(grants.length, signatures.length)
        );
        for (uint256 index = 0; index < grants.length; ++index) {
            _grant(grants[index], signatures[index]);
        }
    }

    /// @inheritdoc IConsents
    function revoke(bytes32 passportId, bytes32 grantId, bytes calldata signature) external {
        _knownPassport(passportId);
        _checkSignature(grantId, passportId, PassportHash.revocationHash(passportId, grantId), signature);
        // What replaced the grant before the withdrawal arrived is withdrawn with it: relaying an amendment first
        // must not save a consent that its holder takes back.
        while (_grants[passportId][grantId].status == GrantStatus.SUPERSEDED) grantId = _successors[grantId];
        GrantState storage state = _grants[passportId][grantId];
        if (state.status == GrantStatus.WITHDRAWN) return;
        if (state.status == GrantStatus.NONE) {
            // Signed, perhaps, but not relayed yet: the id is used up for this passport, so it never will be.
            require(!_used[grantId], Consents_Unknown(grantId));
        }
        _end(state, GrantStatus.WITHDRAWN);
        emit ConsentWithdrawn(grantId, passportId);
    }

    /* VIEWS */

    /// @inheritdoc IConsents
    function grantOf(bytes32 passportId, bytes32 grantId) external view returns (GrantState memory) {
        return _grants[passportId][grantId];
    }

    /* INTERNALS */

    function _grant(Grant calldata given, bytes calldata signature) private {
        require(block.timestamp <= given.deadline, Consents_SignatureExpired(given.deadline));
        bool taken =
            _used[given.grantId] || _grants[given.passportId][given.grantId].status != GrantStatus.NONE;
        require(given.grantId != 0 && !taken, Consents_Exists(given.grantId));
        Passport storage passport = _knownPassport(given.passportId);
        _requireOpen(given.passportId, passport);
        // Who speaks for a patient must be fit to speak.
        bool spokenFor = passport.custody == Custody.ASSISTED;
        require(!spokenFor || _isActive(_members[passport.custodian]), Members_NotActive(passport.custodian));
        _checkScope(given);
        _checkPeriod(given);
        _checkSignature(given.grantId, given.passportId, PassportHash.grantHash(given), signature);

        _used[given.grantId] = true;
        if (given.supersedes != 0) {
            GrantState storage former = _grants[given.passportId][given.supersedes];
            require(former.status == GrantStatus.ACTIVE, Consents_NotActive(given.supersedes));
            _end(former, GrantStatus.SUPERSEDED);
            _successors[given.supersedes] = given.grantId;
            emit ConsentSuperseded(given.supersedes, given.passportId, given.grantId);
        }
        _grants[given.passportId][given.grantId] = GrantState({
            recipient: given.recipient,
            purposes: given.purposes,
            categories: given.categories,
            useFrom: given.useFrom,
            useTo: given.useTo,
            maxUses: given.maxUses,
            uses: 0,
            flags: given.flags,
            status: GrantStatus.ACTIVE,
            endedAt: 0
        });
        emit ConsentGranted(
            given.grantId,
            given.passportId,
            given.recipient,
            given.purposes,
            given.categories,
            given.useFrom,
            given.useTo,
            given.maxUses,
            given.flags,
            given.terms,
            given.supersedes
        );
    }

    /// @dev No blanket grants: somebody, something, for some purpose that is not banned.
    function _checkScope(Grant calldata given) private view {
        require(
            given.purposes != 0 && given.categories != 0 && given.terms != 0 && given.flags < 16,
            Consents_Incomplete(given.grantId)
        );
        _knownMember(given.recipient);
        uint16 banned = given.purposes & _header.bannedPurposes;
        require(banned == 0, Consents_BannedPurpose(banned));
        if (given.flags & Codes.FLAG_SEPARATE != 0) {
            require(given.purposes & (given.purposes - 1) == 0, Consents_NotSeparate(given.purposes));
        }
    }

    /// @dev Whether a grant has not ended and is within its use period.
    function _isLive(GrantState storage state) internal view returns (bool) {
        return
            state.status == GrantStatus.ACTIVE &&
            block.timestamp >= state.useFrom &&
            block.timestamp < state.useTo;
    }

    function _checkPeriod(Grant calldata given) private view {
        require(
            given.useFrom < given.useTo && block.timestamp < given.useTo,
            Consents_EmptyPeriod(given.useFrom, given.useTo)
        );
        uint256 latest = block.timestamp + _header.maxGrantSeconds;
        require(given.useTo <= latest, Consents_TermTooLong(given.useTo, uint40(latest)));
    }

    function _checkSignature(
        bytes32 grantId,
        bytes32 passportId,
        bytes32 structHash,
        bytes calldata signature
    ) private view {
        address holder = _passports[passportId].holder;
        require(
            SignatureChecker.isValidSignatureNowCalldata(holder, _hashTypedDataV4(structHash), signature),
            Consents_InvalidSignature(grantId, holder)
        );
    }

    function _end(GrantState storage state, GrantStatus status) private {
        state.status = status;
        state.endedAt = uint40(block.timestamp);
    }
}
