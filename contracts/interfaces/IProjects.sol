// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IProjects
/// @notice Undertakings that members file before they use data.
interface IProjects {
    /// @notice A project as filed. The first slot is the hot one.
    struct Project {
        // slot 0
        uint32 memberId; // who filed it
        uint16 purposes;
        uint16 categories;
        uint16 techniques; // set of privacy-enhancing techniques, see the vocabulary
        uint8 highestClass; // most sensitive data class it may touch: 1, 2 or 3
        bool withdrawn;
        uint40 validFrom; // seconds since the Unix epoch, inclusive
        uint40 validTo; // exclusive
        // slot 1
        bytes32 agreement; // commitment to the agreement that states the limits, or 0
    }

    /// @notice A project was filed.
    event ProjectFiled(
        uint32 indexed projectId,
        uint32 indexed memberId,
        uint16 purposes,
        uint16 categories,
        uint16 techniques,
        uint8 highestClass,
        uint40 validFrom,
        uint40 validTo,
        bytes32 agreement,
        bytes32 description
    );
    /// @notice A project was withdrawn by the member that filed it.
    event ProjectWithdrawn(uint32 indexed projectId);

    /// @notice Thrown when purposes, categories, class, period or description are missing or out of range.
    error Projects_Incomplete();
    /// @notice Thrown when no project has this number.
    error Projects_Unknown(uint32 projectId);
    /// @notice Thrown when the project is another member's.
    error Projects_NotOwner(uint32 projectId, uint32 memberId);
    /// @notice Thrown when the project was withdrawn before.
    error Projects_AlreadyWithdrawn(uint32 projectId);

    /// @notice File a project of the caller's.
    /// @dev Only an active member. Reverts with Projects_Incomplete.
    /// @param project What is filed; `memberId` and `withdrawn` are ignored.
    /// @param description Commitment to the text of the filing.
    /// @return projectId The number of the project, counted from 1.
    function fileProject(Project calldata project, bytes32 description) external returns (uint32 projectId);

    /// @notice Withdraw a project: it justifies nothing any more.
    /// @dev Only the member that filed it.
    /// @param projectId The project.
    function withdrawProject(uint32 projectId) external;

    /// @notice A project as stored; all zero for an unknown number.
    /// @param projectId The project.
    function projectOf(uint32 projectId) external view returns (Project memory);

    /// @notice How many projects were ever filed.
    function projectCount() external view returns (uint32);
}
