// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IProjects} from "../interfaces/IProjects.sol";
import {Codes} from "../libraries/Codes.sol";
import {Guards} from "./Guards.sol";

/// @title Projects
/// @notice Undertakings on file.
abstract contract Projects is IProjects, Guards {
    /* MEMBERS */

    /// @inheritdoc IProjects
    function fileProject(Filing calldata filing, bytes32 description) external returns (uint32 projectId) {
        uint32 memberId = _activeCallerId();
        require(
            filing.purposes != 0 &&
                filing.categories != 0 &&
                filing.highestClass >= Codes.CORE_PRIVACY &&
                filing.highestClass <= Codes.NON_SENSITIVE &&
                filing.validFrom < filing.validTo &&
                block.timestamp < filing.validTo &&
                description != 0,
            Projects_Incomplete()
        );
        projectId = ++_counts.projects;
        _projects[projectId] = Project({
            memberId: memberId,
            purposes: filing.purposes,
            categories: filing.categories,
            techniques: filing.techniques,
            highestClass: filing.highestClass,
            withdrawn: false,
            agreement: filing.agreement != 0,
            validFrom: filing.validFrom,
            validTo: filing.validTo,
            ethics: 0,
            compliance: 0
        });
        emit ProjectFiled(projectId, memberId, filing, description);
    }

    /// @inheritdoc IProjects
    function withdrawProject(uint32 projectId) external {
        Project storage project = _knownProject(projectId);
        uint32 caller = _callerId();
        require(project.memberId == caller, Projects_NotOwner(projectId, caller));
        require(!project.withdrawn, Projects_AlreadyWithdrawn(projectId));
        project.withdrawn = true;
        emit ProjectWithdrawn(projectId);
    }

    /// @inheritdoc IProjects
    function reviewProject(uint32 projectId, Approval approval, bool approved, bytes32 opinion) external {
        bool ethics = approval == Approval.ETHICS;
        uint32 caller = _callerWith(ethics ? Codes.ROLE_ETHICS : Codes.ROLE_COMPLIANCE);
        Project storage project = _knownProject(projectId);
        uint32 current = ethics ? project.ethics : project.compliance;
        uint32 other = ethics ? project.compliance : project.ethics;
        require(
            project.memberId != caller && (approved ? other != caller : current == caller),
            Projects_NotIndependent(projectId, caller)
        );
        uint32 approver = approved ? caller : 0;
        if (ethics) project.ethics = approver;
        else project.compliance = approver;
        emit ProjectReviewed(projectId, caller, approval, approved, opinion);
    }

    /* VIEWS */

    /// @inheritdoc IProjects
    function projectOf(uint32 projectId) external view returns (Project memory) {
        return _projects[projectId];
    }

    /// @inheritdoc IProjects
    function projectCount() external view returns (uint32) {
        return _counts.projects;
    }

    /* INTERNALS */

    function _knownProject(uint32 projectId) internal view returns (Project storage project) {
        project = _projects[projectId];
        require(project.memberId != 0, Projects_Unknown(projectId));
    }
}
