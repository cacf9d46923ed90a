// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEmergencies} from "../interfaces/IEmergencies.sol";
import {ILineage} from "../interfaces/ILineage.sol";
import {IPassports} from "../interfaces/IPassports.sol";
import {Codes} from "../libraries/Codes.sol";
import {Guards} from "./Guards.sol";

/// @title Passports
/// @notice The on-chain records of data assets.
abstract contract Passports is IPassports, Guards {
    /* CUSTODIANS */

    /// @inheritdoc IPassports
    function issue(Issue[] calldata issues) external {
        uint32 custodian = _callerWith(Codes.ROLE_CUSTODIAN);
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
    function seal(bytes32 passportId, bytes32 reasons) external {
        Passport storage passport = _knownPassport(passportId);
        if (msg.sender != address(this)) {
            uint32 caller = _activeCallerId();
            require(
                passport.custodian == caller || _members[caller].roles & Codes.ROLE_REGULATOR != 0,
                Passports_NotCustodian(passportId, caller)
            );
        }
        _requireOpen(passportId, passport);
        passport.status = PassportStatus.SEALED;
        emit PassportSealed(passportId, reasons);
    }

    /// @inheritdoc IPassports
    function unseal(bytes32 passportId) external onlyCommittee {
        Passport storage passport = _knownPassport(passportId);
        require(passport.status == PassportStatus.SEALED, Passports_WrongStatus(passportId, passport.status));
        passport.status = PassportStatus.OPEN;
        emit PassportUnsealed(passportId);
    }

    /// @inheritdoc IPassports
    function destroy(bytes32 passportId, bytes32 evidence) external {
        Passport storage passport = _ownPassport(passportId);
        _requireOpen(passportId, passport);
        passport.status = PassportStatus.DESTROYED;
        emit PassportDestroyed(passportId, evidence);
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

    function _issue(uint32 custodian, Issue calldata given) private {
        require(
            given.passportId != 0 &&
                _isKey(given.holder) &&
                given.purposes != 0 &&
                given.content != 0 &&
                _isLevel(given.level),
            Passports_Incomplete(given.passportId)
        );
        require(
            given.lock == 0 || _emergencies[given.lock].kind == IEmergencies.EmergencyKind.PUBLIC,
            IEmergencies.Emergencies_Unknown(given.lock)
        );
        Passport storage passport = _passports[given.passportId];
        require(
            passport.status == PassportStatus.NONE &&
                _versions[given.passportId].kind == ILineage.VersionKind.NONE, // both are attested to by their ids
            Passports_Exists(given.passportId)
        );
        passport.custodian = custodian;
        passport.purposes = given.purposes;
        passport.status = PassportStatus.OPEN;
        passport.custody = given.custody;
        passport.level = given.level;
        passport.lock = given.lock;
        passport.content = given.content;
        passport.holder = given.holder;
        emit PassportIssued(
            given.passportId,
            custodian,
            given.holder,
            given.custody,
            given.purposes,
            given.level,
            given.lock,
            given.content
        );
    }
}
