// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {IPolicy} from "../interfaces/IPolicy.sol";
import {Codes} from "../libraries/Codes.sol";
import {Facts} from "../libraries/Facts.sol";

/// @title Policy
/// @notice The law in force.
abstract contract Policy is IPolicy, Ownable2Step {
    /* STORAGE */

    /// @dev Read once per batch. Fits in a single slot.
    struct Header {
        uint32 version;
        uint16 coreCategories;
        uint16 sensitiveCategories;
        uint16 bannedPurposes;
        uint40 maxGrantSeconds;
    }

    Header internal _header;
    uint256 internal _necessary;
    uint256[48] internal _required;

    /* COMMITTEE */

    /// @inheritdoc IPolicy
    function setPolicy(Table calldata table) external onlyOwner {
        _setPolicy(table);
    }

    /* VIEWS */

    /// @inheritdoc IPolicy
    function policy() external view returns (Table memory) {
        return
            Table({
                required: _required,
                necessary: _necessary,
                coreCategories: _header.coreCategories,
                sensitiveCategories: _header.sensitiveCategories,
                bannedPurposes: _header.bannedPurposes,
                maxGrantSeconds: _header.maxGrantSeconds
            });
    }

    /// @inheritdoc IPolicy
    function policyVersion() external view returns (uint32) {
        return _header.version;
    }

    /* INTERNALS */

    function _setPolicy(Table memory table) internal {
        uint16 overlap = table.coreCategories & table.sensitiveCategories;
        require(overlap == 0, Policy_ClassesOverlap(overlap));
        require(table.maxGrantSeconds != 0, Policy_ZeroGrantTerm());
        for (uint256 index = 0; index < 48; ++index) {
            uint256 word = table.required[index];
            for (uint8 basis = 0; basis < 8; ++basis) {
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
            maxGrantSeconds: table.maxGrantSeconds
        });
        emit PolicySet(version, table);
    }

    /// @dev The data class of a set of categories: that of the most sensitive one.
    function _classOf(Header memory header, uint16 categories) internal pure returns (uint8) {
        if (categories & header.coreCategories != 0) return Codes.CORE_PRIVACY;
        if (categories & header.sensitiveCategories != 0) return Codes.SENSITIVE;
        return Codes.NON_SENSITIVE;
    }

    /// @dev The facts required, 0 if this basis can never justify this purpose for this class.
    function _requiredFor(uint8 dataClass, uint8 purpose, uint8 basis) internal view returns (uint32) {
        return uint32(_required[(uint256(dataClass) - 1) * 16 + purpose] >> (32 * uint256(basis)));
    }

    function _checkFloor(uint256 index, uint8 basis, uint32 required) private pure {
        if (required == 0) return;
        uint32 floor = Facts.FLOOR;
        if (basis == Codes.CONSENT) floor |= Facts.CONSENT_FLOOR;
        else if (basis == Codes.CUSTODIAN_CARE) floor |= Facts.REQUESTER_IS_CUSTODIAN;
        require(required & floor == floor, Policy_BelowFloor(index, basis, required, floor));
    }
}
