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
    function pack(
        uint40 seq_,
        uint32 version,
        uint8 dataClass_,
        uint8 outcome_,
        uint32 facts_,
        uint32 missing_
    ) internal pure returns (Verdict) {
        return
            Verdict.wrap(
                uint256(seq_) |
                    (uint256(version) << 40) |
                    (uint256(dataClass_) << 72) |
                    (uint256(outcome_) << 80) |
                    (uint256(facts_) << 88) |
                    (uint256(missing_) << 120)
            );
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
