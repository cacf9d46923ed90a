// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a request asks, packed: purpose (bits 0-7), basis (8-15), operation (16-23), categories (24-39),
/// project (40-71). All higher bits are zero.
type Terms is uint256;

using TermsLib for Terms global;

/// @title TermsLib
/// @notice Reads and writes `Terms`.
library TermsLib {
    uint256 internal constant USED_BITS = 72;

    function pack(
        uint8 purpose_,
        uint8 basis_,
        uint8 operation_,
        uint16 categories_,
        uint32 project_
    ) internal pure returns (Terms) {
        return
            Terms.wrap(
                uint256(purpose_) |
                    (uint256(basis_) << 8) |
                    (uint256(operation_) << 16) |
                    (uint256(categories_) << 24) |
                    (uint256(project_) << 40)
            );
    }

    function purpose(Terms self) internal pure returns (uint8) {
        return uint8(Terms.unwrap(self));
    }

    function basis(Terms self) internal pure returns (uint8) {
        return uint8(Terms.unwrap(self) >> 8);
    }

    function operation(Terms self) internal pure returns (uint8) {
        return uint8(Terms.unwrap(self) >> 16);
    }

    function categories(Terms self) internal pure returns (uint16) {
        return uint16(Terms.unwrap(self) >> 24);
    }

    function project(Terms self) internal pure returns (uint32) {
        return uint32(Terms.unwrap(self) >> 40);
    }

    /// @dev True if a bit beyond the defined ones is set.
    function isDirty(Terms self) internal pure returns (bool) {
        return Terms.unwrap(self) >> USED_BITS != 0;
    }
}
