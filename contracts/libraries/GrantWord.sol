// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsents} from "../interfaces/IConsents.sol";
import {Branchless} from "./Branchless.sol";
import {Codes} from "./Codes.sol";
import {Facts} from "./Facts.sol";
import {Terms} from "./Terms.sol";

/// @notice A grant as stored, read once as a word. The layout is that of `IConsents.GrantState`: recipient (bits 0-31),
/// recipient kinds (32-47), purposes (48-63), categories (64-79), useFrom (80-111), useTo (112-143), dataFrom (144-159),
/// dataTo (160-175), maxUses (176-191), uses (192-207), control (208-223), level (224-231), flags (232-239), status
/// (240-247), assurance (248-255). A test compares the two.
type GrantWord is uint256;

using GrantWordLib for GrantWord global;

/// @notice What the terms of a request ask of any grant, worked out once: bits where a grant has them.
struct GrantTest {
    uint256 party; // recipient and control that are the principal's; what no grant has if nobody is the principal
    uint256 kind; // the principal's kind; no bit if nobody is the principal
    uint256 purpose;
    uint256 categories;
    uint256 firstDay;
    uint256 lastDay;
}

/// @title GrantWordLib
/// @notice Loads, reads and tests `GrantWord`.
library GrantWordLib {
    GrantWord internal constant NO_GRANT = GrantWord.wrap(0);

    uint256 private constant _RECIPIENT = type(uint32).max;
    uint256 private constant _PARTY = _RECIPIENT | (uint256(type(uint16).max) << 208);
    /// @dev Data period and number of uses: most grants have none of these limits.
    uint256 private constant _LIMITS = uint256(type(uint48).max) << 144;

    function load(IConsents.GrantState storage state) internal view returns (GrantWord word) {
        assembly ("memory-safe") {
            word := sload(state.slot)
        }
    }

    /// @param control `control` of the principal.
    function testOf(
        Terms terms,
        uint32 principal,
        uint16 control,
        uint8 kind
    ) internal pure returns (GrantTest memory) {
        return
            GrantTest({
                party: principal == 0 ? type(uint256).max : principal | (uint256(control) << 208),
                kind: principal == 0 ? 0 : uint256(1) << (32 + kind),
                purpose: uint256(1) << (48 + terms.purpose()),
                categories: uint256(terms.categories()) << 64,
                firstDay: terms.firstDay(),
                lastDay: terms.lastDay()
            });
    }

    /// @dev The facts about a grant that hold for a request.
    function facts(GrantWord self, GrantTest memory test) internal view returns (uint256 found) {
        uint256 word = GrantWord.unwrap(self);
        uint256 assurance = word >> 248;
        // No assurance: there is no grant, only one that was asked for, refused, or withdrawn before it was given.
        if (assurance == 0) return 0;
        bool named = Branchless.either(
            word & _PARTY == test.party,
            Branchless.both(word & _RECIPIENT == 0, word & test.kind != 0)
        );
        bool separate = Branchless.both(
            word & (uint256(Codes.FLAG_SEPARATE) << 232) != 0,
            assurance >= uint8(IConsents.Assurance.DELEGATED)
        );
        found =
            Branchless.select(_isLive(word), Facts.GRANT_LIVE) |
            Branchless.select(named, Facts.GRANT_RECIPIENT) |
            Branchless.select(word & test.purpose != 0, Facts.GRANT_PURPOSE) |
            Branchless.select(test.categories & ~word == 0, Facts.GRANT_CATEGORIES) |
            Branchless.select(separate, Facts.GRANT_SEPARATE);
        if (word & _LIMITS == 0) return found | Facts.GRANT_QUOTA | Facts.GRANT_PERIOD;
        return found | _limitFacts(self, test);
    }

    function _isLive(uint256 word) private view returns (bool) {
        return
            Branchless.both(
                (word >> 240) & 0xFF == uint8(IConsents.GrantStatus.ACTIVE),
                Branchless.both(
                    block.timestamp >= (word >> 80) & 0xFFFFFFFF,
                    block.timestamp < (word >> 112) & 0xFFFFFFFF
                )
            );
    }

    function _limitFacts(GrantWord self, GrantTest memory test) private pure returns (uint256 found) {
        if (self.maxUses() == 0 || self.uses() < self.maxUses()) found = Facts.GRANT_QUOTA;
        // No day asked for means all days: more than any limit.
        bool toInside = self.dataTo() == 0 || (test.lastDay != 0 && test.lastDay <= self.dataTo());
        if (test.firstDay >= self.dataFrom() && toInside) found |= Facts.GRANT_PERIOD;
    }

    function dataFrom(GrantWord self) internal pure returns (uint16) {
        return uint16(GrantWord.unwrap(self) >> 144);
    }

    function dataTo(GrantWord self) internal pure returns (uint16) {
        return uint16(GrantWord.unwrap(self) >> 160);
    }

    function hasQuota(GrantWord self) internal pure returns (bool) {
        return GrantWord.unwrap(self) & (uint256(type(uint16).max) << 176) != 0;
    }

    function maxUses(GrantWord self) internal pure returns (uint16) {
        return uint16(GrantWord.unwrap(self) >> 176);
    }

    function uses(GrantWord self) internal pure returns (uint16) {
        return uint16(GrantWord.unwrap(self) >> 192);
    }

    function purposes(GrantWord self) internal pure returns (uint16) {
        return uint16(GrantWord.unwrap(self) >> 48);
    }

    function categories(GrantWord self) internal pure returns (uint16) {
        return uint16(GrantWord.unwrap(self) >> 64);
    }

    function useTo(GrantWord self) internal pure returns (uint32) {
        return uint32(GrantWord.unwrap(self) >> 112);
    }

    function isNoRelink(GrantWord self) internal pure returns (bool) {
        return GrantWord.unwrap(self) & (uint256(Codes.FLAG_NO_RELINK) << 232) != 0;
    }

    function isOnward(GrantWord self) internal pure returns (bool) {
        return GrantWord.unwrap(self) & (uint256(Codes.FLAG_ONWARD) << 232) != 0;
    }

    function level(GrantWord self) internal pure returns (uint256) {
        return (GrantWord.unwrap(self) >> 224) & 0xFF;
    }
}
