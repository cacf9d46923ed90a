// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The answer to a request, packed: seq (bits 0-39), policy version (40-71), data class (72-79), outcome (80-87),
/// facts that held (88-119), facts that were missing (120-151). All higher bits are zero. A fact that needs a register
/// of its own to be asked (`Facts.ASKED_ON_DEMAND`) is among those that held only if the law required it.
type Verdict is uint256;

using VerdictLib for Verdict global;

/// @title VerdictLib
/// @notice Reads and writes `Verdict`.
library VerdictLib {
    /// @dev What the verdicts of equal terms have in common.
    function base(uint32 version, uint8 dataClass_) internal pure returns (uint256) {
        return (uint256(version) << 40) | (uint256(dataClass_) << 72);
    }

    /// @dev Every part must be within its bits.
    /// @param common What `base` gave.
    function answer(
        uint256 common,
        uint256 seq_,
        uint256 outcome_,
        uint256 facts_,
        uint256 missing_
    ) internal pure returns (Verdict) {
        return Verdict.wrap(common | seq_ | (outcome_ << 80) | (facts_ << 88) | (missing_ << 120));
    }

    function seq(Verdict self) internal pure returns (uint40) {
        return uint40(Verdict.unwrap(self));
    }

    function policyVersion(Verdict self) internal pure returns (uint32) {
        return uint32(Verdict.unwrap(self) >> 40);
    }

    function dataClass(Verdict self) internal pure returns (uint8) {
        return uint8(Verdict.unwrap(self) >> 72);
    }

    function outcome(Verdict self) internal pure returns (uint8) {
        return uint8(Verdict.unwrap(self) >> 80);
    }

    function facts(Verdict self) internal pure returns (uint32) {
        return uint32(Verdict.unwrap(self) >> 88);
    }

    function missing(Verdict self) internal pure returns (uint32) {
        return uint32(Verdict.unwrap(self) >> 120);
    }
}
