// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IShares
/// @notice Versions that their owners let others use, under agreements and across borders.
interface IShares {
    /// @notice That a member may use a version of another's: under which agreement, and until when it may keep it.
    /// Fits in a single slot.
    struct Share {
        uint32 agreementId;
        uint32 keepUntil; // exclusive
    }

    /// @notice A version was shared: the recipient may use it in its own steps, within the agreement.
    event VersionShared(
        bytes32 indexed versionId,
        uint32 indexed owner,
        uint32 indexed recipient,
        uint32 agreementId,
        uint32 projectId,
        uint32 keepUntil
    );
    /// @notice Data was shared abroad. `persons`: how many of the dataset count anew in the year, and `crossed` under the
    /// clearance. `sensitive`: data of class 1 or 2 is in it.
    event DatasetExported(
        uint32 indexed datasetId,
        uint32 indexed exporter,
        uint32 indexed clearanceId,
        uint32 persons,
        uint32 crossed,
        bool sensitive
    );

    /// @notice Thrown when the caller may not share this version, or not with that member.
    error Shares_NotQualified(bytes32 versionId, uint32 memberId);
    /// @notice Thrown when a version may not be passed on: somebody in it did not consent to that, or an agreement that
    /// it was made under does not allow it.
    error Shares_OnwardForbidden(bytes32 versionId);
    /// @notice Thrown when a version would be shared that nobody checked, or that failed.
    error Shares_NotVerified(bytes32 versionId);
    /// @notice Thrown when data would be shared that a withdrawal has reached and nobody excused, or whose retention or
    /// consents are over.
    error Shares_NotCurrent(bytes32 versionId);

    /// @notice Let another member use a version in its own steps, under an agreement: for its purposes, while it is in
    /// force and the recipient may keep what it received, merged with other data only if it says so.
    /// @dev Only its owner, an active member. The recipient is active and did not verify it. Data is not passed on if
    /// somebody in it did not consent to that, but to the owner of the dataset; nor is what was made under an agreement
    /// that forbids it, but back to who gave it. Abroad it needs a clearance, and the persons in data are counted: those
    /// of each dataset once a year. Reverts with Lineage_Unknown, Shares_NotQualified, Shares_NotVerified,
    /// Members_NotActive, Agreements_NotCovered, Shares_OnwardForbidden, Borders_NotCleared, or, if it is data, with
    /// Datasets_WrongStatus if a dataset is sealed or destroyed, and Shares_NotCurrent.
    /// @param versionId The version.
    /// @param recipient The member.
    /// @param agreementId The agreement, by which the owner gives and the recipient receives.
    /// @param projectId The recipient's project that is cleared for the border; not read unless it is abroad.
    function shareVersion(bytes32 versionId, uint32 recipient, uint32 agreementId, uint32 projectId) external;

    /// @notice Under what a version was shared with a member; all zero if it was not.
    /// @param versionId The version.
    /// @param memberId The member.
    function shareOf(bytes32 versionId, uint32 memberId) external view returns (Share memory);
}
