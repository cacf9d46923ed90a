// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a request asks, packed: purpose (bits 0-7), basis (8-15), operation (16-23), level (24-31), categories
/// (32-47), project (48-79), emergency (80-111), controller (112-143), first day of the data asked for (144-159), last
/// day (160-175), dataset to include it into (176-207). All higher bits are zero. A project, emergency, controller, day or
/// dataset of 0 means none.
type Terms is uint256;

using TermsLib for Terms global;

/// @title TermsLib
/// @notice Reads and writes `Terms`.
library TermsLib {
    uint256 internal constant USED_BITS = 208;

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
                    (uint256(categories_) << 32) |
                    (uint256(project_) << 48)
            );
    }

    /// @dev The same terms with a level at which the data is to be handed over.
    function atLevel(Terms self, uint8 level_) internal pure returns (Terms) {
        return Terms.wrap((Terms.unwrap(self) & ~(uint256(0xFF) << 24)) | (uint256(level_) << 24));
    }

    /// @dev The same terms under an emergency.
    function under(Terms self, uint32 emergency_) internal pure returns (Terms) {
        return Terms.wrap((Terms.unwrap(self) & ~(uint256(0xFFFFFFFF) << 80)) | (uint256(emergency_) << 80));
    }

    /// @dev The same terms, asked for on behalf of a controller.
    function onBehalfOf(Terms self, uint32 controller_) internal pure returns (Terms) {
        return
            Terms.wrap((Terms.unwrap(self) & ~(uint256(0xFFFFFFFF) << 112)) | (uint256(controller_) << 112));
    }

    /// @dev The same terms for data of some days.
    function between(Terms self, uint16 firstDay_, uint16 lastDay_) internal pure returns (Terms) {
        return
            Terms.wrap(
                (Terms.unwrap(self) & ~(uint256(0xFFFFFFFF) << 144)) |
                    (uint256(firstDay_) << 144) |
                    (uint256(lastDay_) << 160)
            );
    }

    /// @dev The same terms, to include the data into a dataset.
    function into(Terms self, uint32 dataset_) internal pure returns (Terms) {
        return Terms.wrap((Terms.unwrap(self) & ~(uint256(0xFFFFFFFF) << 176)) | (uint256(dataset_) << 176));
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

    function level(Terms self) internal pure returns (uint8) {
        return uint8(Terms.unwrap(self) >> 24);
    }

    function categories(Terms self) internal pure returns (uint16) {
        return uint16(Terms.unwrap(self) >> 32);
    }

    function project(Terms self) internal pure returns (uint32) {
        return uint32(Terms.unwrap(self) >> 48);
    }

    function emergency(Terms self) internal pure returns (uint32) {
        return uint32(Terms.unwrap(self) >> 80);
    }

    function controller(Terms self) internal pure returns (uint32) {
        return uint32(Terms.unwrap(self) >> 112);
    }

    function firstDay(Terms self) internal pure returns (uint16) {
        return uint16(Terms.unwrap(self) >> 144);
    }

    function lastDay(Terms self) internal pure returns (uint16) {
        return uint16(Terms.unwrap(self) >> 160);
    }

    function dataset(Terms self) internal pure returns (uint32) {
        return uint32(Terms.unwrap(self) >> 176);
    }

    /// @dev True if a bit beyond the defined ones is set.
    function isDirty(Terms self) internal pure returns (bool) {
        return Terms.unwrap(self) >> USED_BITS != 0;
    }
}
