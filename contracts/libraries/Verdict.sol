// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice One answered request, packed: seq (bits 0-39), policy version (40-71), project (72-103), categories
/// (104-119), purpose (120-127), basis (128-135), operation (136-143), data class (144-151), outcome (152-159),
/// facts that held (160-191), facts that were missing (192-223). All higher bits are zero.
type Verdict is uint256;

using VerdictLib for Verdict global;

/// @title VerdictLib
/// @notice Reads `Verdict`.
library VerdictLib {
    function seq(Verdict self) internal pure returns (uint40) {
        return uint40(Verdict.unwrap(self));
    }

    function policyVersion(Verdict self) internal pure returns (uint32) {
        return uint32(Verdict.unwrap(self) >> 40);
    }

    function dataClass(Verdict self) internal pure returns (uint8) {
        return uint8(Verdict.unwrap(self) >> 144);
    }

    function outcome(Verdict self) internal pure returns (uint8) {
        return uint8(Verdict.unwrap(self) >> 152);
    }

    function facts(Verdict self) internal pure returns (uint32) {
        return uint32(Verdict.unwrap(self) >> 160);
    }

    function missing(Verdict self) internal pure returns (uint32) {
        return uint32(Verdict.unwrap(self) >> 192);
    }
}
