// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPassports} from "../interfaces/IPassports.sol";

/// @notice The hot slot of a passport, read once as a word. The layout is that of the first slot of
/// `IPassports.Passport`: size (bits 0-39), custodian (40-71), purposes (72-87), status (88-95), custody (96-103), level
/// (104-111), lock (112-143), epoch (144-159). A test compares the two.
type PassportWord is uint256;

using PassportWordLib for PassportWord global;

/// @title PassportWordLib
/// @notice Loads and reads `PassportWord`.
library PassportWordLib {
    uint256 private constant _STATUS = uint256(type(uint8).max) << 88;

    function load(IPassports.Passport storage passport) internal view returns (PassportWord word) {
        assembly ("memory-safe") {
            word := sload(passport.slot)
        }
    }

    /// @dev Counts one more decision. The size has 40 bits: it would take a million decisions a second for twelve days
    /// to carry into the next field.
    function storeNext(PassportWord self, IPassports.Passport storage passport) internal {
        assembly ("memory-safe") {
            sstore(passport.slot, add(self, 1))
        }
    }

    function size(PassportWord self) internal pure returns (uint256) {
        return uint40(PassportWord.unwrap(self));
    }

    function custodian(PassportWord self) internal pure returns (uint256) {
        return uint32(PassportWord.unwrap(self) >> 40);
    }

    /// @dev Whether it may serve a purpose, given as a set of one or none.
    function serves(PassportWord self, uint256 purpose) internal pure returns (bool) {
        return PassportWord.unwrap(self) & (purpose << 72) != 0;
    }

    function isKnown(PassportWord self) internal pure returns (bool) {
        return PassportWord.unwrap(self) & _STATUS != 0;
    }

    function isOpen(PassportWord self) internal pure returns (bool) {
        return PassportWord.unwrap(self) & _STATUS == uint256(IPassports.PassportStatus.OPEN) << 88;
    }

    function level(PassportWord self) internal pure returns (uint256) {
        return (PassportWord.unwrap(self) >> 104) & 0xFF;
    }

    function lock(PassportWord self) internal pure returns (uint256) {
        return uint32(PassportWord.unwrap(self) >> 112);
    }
}
