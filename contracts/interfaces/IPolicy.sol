// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IPolicy
/// @notice The law as a table: which facts a use of a data class for a purpose on a legal basis requires.
interface IPolicy {
    /// @notice One version of the law.
    struct Table {
        /// @dev One word per data class and purpose, at index `(dataClass - 1) * 16 + purpose`. Bits
        /// `32 * basis` to `32 * basis + 31` of the word are the set of facts required on that basis.
        /// An empty set means that this basis can never justify this purpose for this class.
        uint256[48] required;
        /// @dev Bits `16 * purpose` to `16 * purpose + 15`: the set of categories necessary for the purpose.
        uint256 necessary;
        /// @dev Bits `2 * index` and `2 * index + 1`, with the index of `required`: the least level of
        /// de-identification at which data of the class may be handed over for the purpose.
        uint96 levels;
        /// @dev Categories of data class 1, core privacy.
        uint16 coreCategories;
        /// @dev Categories of data class 2, sensitive health data. Every other category is of class 3.
        uint16 sensitiveCategories;
        /// @dev Purposes that nothing can justify.
        uint16 bannedPurposes;
        /// @dev Longest use period of a grant, in seconds from the moment it is given.
        uint32 maxGrantSeconds;
        Emergencies emergencies;
    }

    /// @notice The limits of exceptions. Fits in a single slot.
    struct Emergencies {
        uint32 seconds_; // how long an individual emergency lasts
        uint16 categories; // what it may touch at most
        uint16 monthlyQuota; // how many a member may open in 30 days
        uint32 reviewSeconds; // within what time it must be reviewed, and how long an approved request stays approved
        uint32 maxDeclarationSeconds; // how long a public emergency may last at most
        uint32 recoverySeconds; // how long a recovery of a holder's key waits for an objection
    }

    /// @notice A version of the law came into force.
    event PolicySet(uint32 indexed version, Table table);

    /// @notice Thrown when an entry does not require what every entry of its basis must require.
    error Policy_BelowFloor(uint256 index, uint8 basis, uint32 required, uint32 floor);
    /// @notice Thrown when a category is put into both class 1 and class 2.
    error Policy_ClassesOverlap(uint16 categories);
    /// @notice Thrown when a limit in time is zero, or one that is counted from a block is over ten years.
    error Policy_LimitOutOfBounds();

    /// @notice Put a new version of the law into force, effective for every later decision.
    /// @dev Only the committee. Reverts with Policy_BelowFloor, Policy_ClassesOverlap or Policy_LimitOutOfBounds.
    /// @dev Warning: past decisions keep the version they were made under; nothing is decided again.
    /// @param table The whole table.
    function setPolicy(Table calldata table) external;

    /// @notice The law in force.
    function policy() external view returns (Table memory);

    /// @notice The number of the version in force, counted from 1.
    function policyVersion() external view returns (uint32);
}
