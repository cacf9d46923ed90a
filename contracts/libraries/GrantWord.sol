// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsents} from "../interfaces/IConsents.sol";

/// @notice A grant as stored, read once as a word. The layout is that of `IConsents.GrantState`: recipient (bits 0-31),
/// recipient kinds (32-47), purposes (48-63), categories (64-79), useFrom (80-111), useTo (112-143), dataFrom (144-159),
/// dataTo (160-175), maxUses (176-191), uses (192-207), control (208-223), level (224-231), flags (232-239), status
/// (240-247), assurance (248-255). A test compares the two.
type GrantWord is uint256;

using GrantWordLib for GrantWord global;

/// @title GrantWordLib
/// @notice Loads and reads `GrantWord`.
library GrantWordLib {
    GrantWord internal constant NO_GRANT = GrantWord.wrap(0);

    function load(IConsents.GrantState storage state) internal view returns (GrantWord word) {
        assembly ("memory-safe") {
            word := sload(state.slot)
        }
    }

    function recipient(GrantWord self) internal pure returns (uint32) {
        return uint32(GrantWord.unwrap(self));
    }

    function recipientKinds(GrantWord self) internal pure returns (uint16) {
        return uint16(GrantWord.unwrap(self) >> 32);
    }

    function purposes(GrantWord self) internal pure returns (uint16) {
        return uint16(GrantWord.unwrap(self) >> 48);
    }

    function categories(GrantWord self) internal pure returns (uint16) {
        return uint16(GrantWord.unwrap(self) >> 64);
    }

    function useFrom(GrantWord self) internal pure returns (uint32) {
        return uint32(GrantWord.unwrap(self) >> 80);
    }

    function useTo(GrantWord self) internal pure returns (uint32) {
        return uint32(GrantWord.unwrap(self) >> 112);
    }

    function dataFrom(GrantWord self) internal pure returns (uint16) {
        return uint16(GrantWord.unwrap(self) >> 144);
    }

    function dataTo(GrantWord self) internal pure returns (uint16) {
        return uint16(GrantWord.unwrap(self) >> 160);
    }

    function maxUses(GrantWord self) internal pure returns (uint16) {
        return uint16(GrantWord.unwrap(self) >> 176);
    }

    function uses(GrantWord self) internal pure returns (uint16) {
        return uint16(GrantWord.unwrap(self) >> 192);
    }

    function control(GrantWord self) internal pure returns (uint16) {
        return uint16(GrantWord.unwrap(self) >> 208);
    }

    function level(GrantWord self) internal pure returns (uint8) {
        return uint8(GrantWord.unwrap(self) >> 224);
    }

    function flags(GrantWord self) internal pure returns (uint8) {
        return uint8(GrantWord.unwrap(self) >> 232);
    }

    /// @dev The number of a `GrantStatus`.
    function status(GrantWord self) internal pure returns (uint8) {
        return uint8(GrantWord.unwrap(self) >> 240);
    }

    /// @dev The number of an `Assurance`.
    function assurance(GrantWord self) internal pure returns (uint8) {
        return uint8(GrantWord.unwrap(self) >> 248);
    }
}
