// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IProjects} from "../interfaces/IProjects.sol";
import {Codes} from "../libraries/Codes.sol";
import {Members} from "./Members.sol";

/// @title Projects
/// @notice Undertakings on file.
abstract contract Projects is IProjects, Members {
    /* STORAGE */

    uint32 private _projectCount;
    mapping(uint32 projectId => Project project) internal _projects;

    /* MEMBERS */

    /// @inheritdoc IProjects
    function fileProject(Project calldata project, bytes32 description) external returns (uint32 projectId) {
        uint32 memberId = _activeCallerId();
        require(
            project.purposes != 0 &&
                project.categories != 0 &&
                project.highestClass >= Codes.CORE_PRIVACY &&
                project.highestClass <= Codes.NON_SENSITIVE &&
                project.validFrom < project.validTo &&
                block.timestamp < project.validTo &&
                description != 0,
            Projects_Incomplete()
        );
        projectId = ++_projectCount;
        Project storage filed = _projects[projectId];
        _projects[projectId] = project;
        filed.memberId = memberId;
        filed.withdrawn = false;
        emit ProjectFiled(
            projectId,
            memberId,
            project.purposes,
            project.categories,
            project.techniques,
            project.highestClass,
            project.validFrom,
            project.validTo,
            project.agreement,
            description
        );
    }

    /// @inheritdoc IProjects
    function withdrawProject(uint32 projectId) external {
        Project storage project = _projects[projectId];
        require(project.memberId != 0, Projects_Unknown(projectId));
        uint32 caller = _callerId();
        require(project.memberId == caller, Projects_NotOwner(projectId, caller));
        require(!project.withdrawn, Projects_AlreadyWithdrawn(projectId));
        project.withdrawn = true;
        emit ProjectWithdrawn(projectId);
    }

    /* VIEWS */

    /// @inheritdoc IProjects
    function projectOf(uint32 projectId) external view returns (Project memory) {
        return _projects[projectId];
    }

    /// @inheritdoc IProjects
    function projectCount() external view returns (uint32) {
        return _projectCount;
    }
}
