// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IReleases
/// @notice Completion receipts: that the keys of permitted requests were handed over.
interface IReleases {
    /// @notice The custodian handed over the keys of a permitted request: the completion receipt.
    event ReleaseRecorded(
        bytes32 indexed passportId,
        uint40 indexed seq,
        uint32 indexed custodian,
        bytes32 commitment
    );

    /// @notice Thrown when the passport has no such decision.
    error Releases_Unknown(bytes32 passportId, uint40 seq);
    /// @notice Thrown when the release was recorded before.
    error Releases_AlreadyRecorded(bytes32 passportId, uint40 seq);

    /// @notice Record that the keys of a decision were handed over.
    /// @dev Only the passport's custodian. Reverts with Passports_NotCustodian, Releases_Unknown or
    /// Releases_AlreadyRecorded. Warning: that the decision was a permit is not checked here; a release without a
    /// permit is on record and the replay names it.
    /// @param passportId The passport.
    /// @param seq The decision's number within the passport.
    /// @param commitment Commitment to what was handed over.
    function recordRelease(bytes32 passportId, uint40 seq, bytes32 commitment) external;
}
