// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicy} from "../interfaces/IPolicy.sol";
import {Codes} from "../libraries/Codes.sol";
import {Facts} from "../libraries/Facts.sol";
import {Guards} from "./Guards.sol";

/// @title Policy
/// @notice The law in force.
abstract contract Policy is IPolicy, Guards {
    uint256 private constant _MAX_LIMIT_SECONDS = 3650 days;

    /* COMMITTEE */

    /// @inheritdoc IPolicy
    function setPolicy(Table calldata table) external onlyCommittee {
        _setPolicy(table);
    }

    /* VIEWS */

    /// @inheritdoc IPolicy
    function policy() external view returns (Table memory) {
        return
            Table({
                required: _required,
                necessary: _necessary,
                levels: _header.levels,
                coreCategories: _header.coreCategories,
                sensitiveCategories: _header.sensitiveCategories,
                bannedPurposes: _header.bannedPurposes,
                maxGrantSeconds: _header.maxGrantSeconds,
                emergencies: _limits
            });
    }

    /// @inheritdoc IPolicy
    function policyVersion() external view returns (uint32) {
        return _header.version;
    }

    /* INTERNALS */

    function _setPolicy(Table calldata table) internal {
        uint16 overlap = table.coreCategories & table.sensitiveCategories;
        require(overlap == 0, Policy_ClassesOverlap(overlap));
        Emergencies calldata limits = table.emergencies;
        require(
            table.maxGrantSeconds != 0 &&
                _isLimit(limits.seconds_) &&
                _isLimit(limits.reviewSeconds) &&
                _isLimit(limits.maxDeclarationSeconds) &&
                _isLimit(limits.recoverySeconds),
            Policy_LimitOutOfBounds()
        );
        for (uint256 index = 0; index < 48; ++index) {
            uint256 word = table.required[index];
            for (uint8 basis = 0; basis < Codes.BASES; ++basis) {
                _checkFloor(index, basis, uint32(word >> (32 * basis)));
            }
            if (_required[index] != word) _required[index] = word;
        }
        _necessary = table.necessary;
        uint32 version = _header.version + 1;
        _header = Header({
            version: version,
            coreCategories: table.coreCategories,
            sensitiveCategories: table.sensitiveCategories,
            bannedPurposes: table.bannedPurposes,
            maxGrantSeconds: table.maxGrantSeconds,
            levels: table.levels
        });
        _limits = limits;
        emit PolicySet(version, table);
    }

    /// @dev What is added to the time of a block must not overflow its 32 bits.
    function _isLimit(uint32 length) private pure returns (bool) {
        return length != 0 && length <= _MAX_LIMIT_SECONDS;
    }

    function _checkFloor(uint256 index, uint8 basis, uint32 required) private pure {
        if (required == 0) return;
        uint32 floor = Facts.FLOOR;
        if (basis != Codes.SUBJECT_REQUEST) floor |= Facts.OTHERS_FLOOR;
        if (basis == Codes.CONSENT) floor |= Facts.CONSENT_FLOOR;
        else if (basis == Codes.CUSTODIAN_CARE) floor |= Facts.REQUESTER_IS_CUSTODIAN;
        else if (basis == Codes.INDIVIDUAL_EMERGENCY) floor |= Facts.EMERGENCY_FLOOR;
        else if (basis == Codes.PUBLIC_EMERGENCY) floor |= Facts.EMERGENCY_IN_FORCE;
        else if (basis == Codes.COMPELLED) floor |= Facts.HUMAN_REVIEWED;
        require(required & floor == floor, Policy_BelowFloor(index, basis, required, floor));
    }
}
