// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IProjects
/// @notice Undertakings that members file before they use data, and that two different bodies approve.
interface IProjects {
    /// @notice Which of the two reviews an approval is.
    enum Approval {
        ETHICS,
        COMPLIANCE
    }

    /// @notice What a member files.
    struct Filing {
        uint16 purposes;
        uint16 categories;
        uint16 techniques; // set of privacy-enhancing techniques, see the vocabulary
        uint8 highestClass; // most sensitive data class it may touch: 1, 2 or 3
        uint32 validFrom; // seconds since the Unix epoch, inclusive
        uint32 validTo; // exclusive
        bytes32 agreement; // commitment to the agreement that states the limits, or 0
    }

    /// @notice A project as stored: one slot.
    struct Project {
        uint32 memberId; // who filed it
        uint16 purposes;
        uint16 categories;
        uint16 techniques;
        uint8 highestClass;
        bool withdrawn;
        bool agreement; // whether an agreement is committed to
        uint32 validFrom;
        uint32 validTo;
        uint32 ethics; // member that approved it as an ethics body, or 0
        uint32 compliance; // member that approved it as a compliance body, or 0
    }

    /// @notice A project was filed.
    event ProjectFiled(uint32 indexed projectId, uint32 indexed memberId, Filing filing, bytes32 description);
    /// @notice A project was withdrawn by the member that filed it.
    event ProjectWithdrawn(uint32 indexed projectId);
    /// @notice A body approved a project, or took its approval back.
    event ProjectReviewed(
        uint32 indexed projectId,
        uint32 indexed memberId,
        Approval approval,
        bool approved,
        bytes32 opinion
    );

    /// @notice Thrown when purposes, categories, class, period or description are missing or out of range.
    error Projects_Incomplete();
    /// @notice Thrown when no project has this number.
    error Projects_Unknown(uint32 projectId);
    /// @notice Thrown when the project is another member's.
    error Projects_NotOwner(uint32 projectId, uint32 memberId);
    /// @notice Thrown when the project was withdrawn before.
    error Projects_AlreadyWithdrawn(uint32 projectId);
    /// @notice Thrown when a member would approve its own project, or give both approvals, or take back another's.
    error Projects_NotIndependent(uint32 projectId, uint32 memberId);

    /// @notice File a project of the caller's.
    /// @dev Only an active member. Reverts with Projects_Incomplete.
    /// @param filing What is filed.
    /// @param description Commitment to the text of the filing.
    /// @return projectId The number of the project, counted from 1.
    function fileProject(Filing calldata filing, bytes32 description) external returns (uint32 projectId);

    /// @notice Withdraw a project: it justifies nothing any more.
    /// @dev Only the member that filed it.
    /// @param projectId The project.
    function withdrawProject(uint32 projectId) external;

    /// @notice Approve a project, or take an approval back.
    /// @dev Only an active member with the role of the review, that did not file the project and does not give the
    /// other approval. Reverts with Members_MissingRole, Projects_Unknown or Projects_NotIndependent.
    /// @param projectId The project.
    /// @param approval Which review.
    /// @param approved True to approve, false to take back what the caller approved.
    /// @param opinion Commitment to the opinion.
    function reviewProject(uint32 projectId, Approval approval, bool approved, bytes32 opinion) external;

    /// @notice A project as stored; all zero for an unknown number.
    /// @param projectId The project.
    function projectOf(uint32 projectId) external view returns (Project memory);

    /// @notice How many projects were ever filed.
    function projectCount() external view returns (uint32);
}
