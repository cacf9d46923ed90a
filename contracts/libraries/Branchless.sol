// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Branchless
/// @notice Conditions without jumps, for the hot path: both sides are always worked out.
library Branchless {
    /// @dev The facts if it holds, else none.
    function select(bool holds, uint256 facts) internal pure returns (uint256 selected) {
        assembly ("memory-safe") {
            selected := mul(holds, facts)
        }
    }

    function both(bool left, bool right) internal pure returns (bool answer) {
        assembly ("memory-safe") {
            answer := and(left, right)
        }
    }

    function either(bool left, bool right) internal pure returns (bool answer) {
        assembly ("memory-safe") {
            answer := or(left, right)
        }
    }
}
