// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPassports} from "../interfaces/IPassports.sol";
import {IReleases} from "../interfaces/IReleases.sol";
import {Guards} from "./Guards.sol";

/// @title Releases
/// @notice Completion receipts.
abstract contract Releases is IReleases, Guards {
    /* MEMBERS */

    /// @inheritdoc IReleases
    function recordRelease(bytes32 passportId, uint40 seq, bytes32 commitment) external {
        IPassports.Passport storage passport = _knownPassport(passportId);
        uint32 caller = _callerId();
        require(passport.custodian == caller, IPassports.Passports_NotCustodian(passportId, caller));
        require(seq < passport.size, Releases_Unknown(passportId, seq));
        require(!_released[passportId][seq], Releases_AlreadyRecorded(passportId, seq));
        _released[passportId][seq] = true;
        emit ReleaseRecorded(passportId, seq, caller, commitment);
    }
}
