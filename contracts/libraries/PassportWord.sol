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

    function size(PassportWord self) internal pure returns (uint40) {
        return uint40(PassportWord.unwrap(self));
    }

    function custodian(PassportWord self) internal pure returns (uint32) {
        return uint32(PassportWord.unwrap(self) >> 40);
    }

    function purposes(PassportWord self) internal pure returns (uint16) {
        return uint16(PassportWord.unwrap(self) >> 72);
    }

    /// @dev The number of a `PassportStatus`.
    function status(PassportWord self) internal pure returns (uint8) {
        return uint8(PassportWord.unwrap(self) >> 88);
    }

    function level(PassportWord self) internal pure returns (uint8) {
        return uint8(PassportWord.unwrap(self) >> 104);
    }

    function lock(PassportWord self) internal pure returns (uint32) {
        return uint32(PassportWord.unwrap(self) >> 112);
    }
}
