// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPassports} from "../interfaces/IPassports.sol";
import {Codes} from "../libraries/Codes.sol";
import {Members} from "./Members.sol";

/// @title Passports
/// @notice The on-chain records of data assets.
abstract contract Passports is IPassports, Members {
    /* STORAGE */

    mapping(bytes32 passportId => Passport passport) internal _passports;

    /* CUSTODIANS */

    /// @inheritdoc IPassports
    function issue(Issue[] calldata issues) external {
        uint32 custodian = _activeCallerId();
        require(
            _members[custodian].roles & Codes.ROLE_CUSTODIAN != 0,
            Members_MissingRole(custodian, Codes.ROLE_CUSTODIAN)
        );
        for (uint256 index = 0; index < issues.length; ++index) {
            _issue(custodian, issues[index]);
        }
    }

    /// @inheritdoc IPassports
    function commitContent(bytes32 passportId, bytes32 content) external {
        Passport storage passport = _ownPassport(passportId);
        _requireOpen(passportId, passport);
        require(content != 0, Passports_Incomplete(passportId));
        passport.content = content;
        emit PassportContentCommitted(passportId, content);
    }

    /// @inheritdoc IPassports
    function narrow(bytes32 passportId, uint16 purposes) external {
        Passport storage passport = _ownPassport(passportId);
        _requireOpen(passportId, passport);
        uint16 current = passport.purposes;
        require(
            purposes != 0 && purposes != current && purposes & ~current == 0,
            Passports_NotNarrower(passportId, current, purposes)
        );
        passport.purposes = purposes;
        emit PassportNarrowed(passportId, purposes);
    }

    /// @inheritdoc IPassports
    function seal(bytes32 passportId, bytes32 reasonCommitment) external {
        Passport storage passport =
            msg.sender == owner() ? _knownPassport(passportId) : _ownPassport(passportId);
        _requireOpen(passportId, passport);
        passport.status = PassportStatus.SEALED;
        emit PassportSealed(passportId, reasonCommitment);
    }

    /// @inheritdoc IPassports
    function unseal(bytes32 passportId) external onlyOwner {
        Passport storage passport = _knownPassport(passportId);
        require(passport.status == PassportStatus.SEALED, Passports_WrongStatus(passportId, passport.status));
        passport.status = PassportStatus.OPEN;
        emit PassportUnsealed(passportId);
    }

    /// @inheritdoc IPassports
    function destroy(bytes32 passportId, bytes32 evidenceCommitment) external {
        Passport storage passport = _ownPassport(passportId);
        _requireOpen(passportId, passport);
        passport.status = PassportStatus.DESTROYED;
        emit PassportDestroyed(passportId, evidenceCommitment);
    }

    /* VIEWS */

    /// @inheritdoc IPassports
    function passportOf(bytes32 passportId) external view returns (Passport memory) {
        return _passports[passportId];
    }

    /// @inheritdoc IPassports
    function sizeOf(bytes32 passportId) external view returns (uint40) {
        return _passports[passportId].size;
    }

    /* INTERNALS */

    function _knownPassport(bytes32 passportId) internal view returns (Passport storage passport) {
        passport = _passports[passportId];
        require(passport.status != PassportStatus.NONE, Passports_Unknown(passportId));
    }

    /// @dev A passport kept by the active member behind the caller.
    function _ownPassport(bytes32 passportId) internal view returns (Passport storage passport) {
        passport = _knownPassport(passportId);
        uint32 caller = _activeCallerId();
        require(passport.custodian == caller, Passports_NotCustodian(passportId, caller));
    }

    function _requireOpen(bytes32 passportId, Passport storage passport) internal view {
        require(passport.status == PassportStatus.OPEN, Passports_WrongStatus(passportId, passport.status));
    }

    function _issue(uint32 custodian, Issue calldata given) private {
        require(
            given.passportId != 0 && given.holder != address(0) && given.purposes != 0 && given.content != 0,
            Passports_Incomplete(given.passportId)
        );
        Passport storage passport = _passports[given.passportId];
        require(passport.status == PassportStatus.NONE, Passports_Exists(given.passportId));
        passport.custodian = custodian;
        passport.purposes = given.purposes;
        passport.status = PassportStatus.OPEN;
        passport.custody = given.custody;
        passport.holder = given.holder;
        passport.content = given.content;
        emit PassportIssued(
            given.passportId,
            custodian,
            given.holder,
            given.custody,
            given.purposes,
            given.content
        );
    }
}
