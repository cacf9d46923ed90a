// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IProjects} from "../../contracts/interfaces/IProjects.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {LedgerTest} from "./Base.t.sol";

/// @notice Undertakings on file. What a project justifies is tested with the decisions.
contract ProjectsTest is LedgerTest {
    uint32 private constant NEXT = 2;

    function test_WhenFiled_ProjectIsStored() external onlyChanges(PROJECTS) {
        IProjects.Filing memory given = IProjects.Filing({
            purposes: 0x8421,
            categories: 0x1248,
            techniques: 0x0003,
            highestClass: Codes.NON_SENSITIVE,
            validFrom: START + 1,
            validTo: START + 2,
            agreement: CONTENT
        });
        vm.expectEmit(address(ledger));
        emit IProjects.ProjectFiled(NEXT, CLINIC, given, COMMITMENT);

        vm.assertEq(NEXT, _file(CLINIC, given), "number of the project");
        vm.assertEq(NEXT, ledger.projectCount(), "count");
        IProjects.Project memory expected = IProjects.Project({
            memberId: CLINIC,
            purposes: given.purposes,
            categories: given.categories,
            techniques: given.techniques,
            highestClass: given.highestClass,
            withdrawn: false,
            agreement: true,
            validFrom: given.validFrom,
            validTo: given.validTo,
            ethics: 0,
            compliance: 0
        });
        vm.assertEq(abi.encode(expected), abi.encode(ledger.projectOf(NEXT)), "project");
    }

    function test_WhenFiledWithoutTechniqueOrAgreement() external {
        IProjects.Filing memory given = _projectDraft();
        given.techniques = 0;
        given.agreement = 0;
        vm.assertEq(NEXT, _file(LAB, given), "these are facts, not conditions of filing");
        vm.assertEq(false, ledger.projectOf(NEXT).agreement, "agreement");
    }

    function test_RevertWhen_ProjectIsIncomplete() external {
        IProjects.Filing[7] memory drafts;
        for (uint256 index = 0; index < drafts.length; ++index) {
            drafts[index] = _projectDraft();
        }
        drafts[0].purposes = 0;
        drafts[1].categories = 0;
        drafts[2].highestClass = 0;
        drafts[3].highestClass = 4;
        drafts[4].validTo = drafts[4].validFrom;
        drafts[5].validFrom = START - 2;
        drafts[5].validTo = START; // now
        drafts[6].validFrom = START + 2;
        drafts[6].validTo = START + 1;
        for (uint256 index = 0; index < drafts.length; ++index) {
            _expectRevert(IProjects.Projects_Incomplete.selector);
            _file(LAB, drafts[index]);
        }
    }

    function test_RevertWhen_DescriptionIsMissing() external {
        _expectRevert(IProjects.Projects_Incomplete.selector);
        _as(LAB);
        ledger.fileProject(_projectDraft(), 0);
    }

    function test_RevertGiven_FilerIsNotAnActiveMember() external {
        _expectRevert(IMembers.Members_NotMember.selector, STRANGER);
        vm.prank(STRANGER);
        ledger.fileProject(_projectDraft(), COMMITMENT);

        _suspend(LAB);
        _expectRevert(IMembers.Members_NotActive.selector, LAB);
        _file(LAB, _projectDraft());
    }

    function test_WhenWithdrawn() external onlyChanges(PROJECTS) {
        IProjects.Project memory expected = ledger.projectOf(PROJECT);
        expected.withdrawn = true;
        vm.expectEmit(address(ledger));
        emit IProjects.ProjectWithdrawn(PROJECT);
        _withdraw(LAB, PROJECT);
        vm.assertEq(
            abi.encode(expected),
            abi.encode(ledger.projectOf(PROJECT)),
            "only the withdrawal differs"
        );
    }

    function test_RevertGiven_ProjectIsUnknown() external {
        _expectRevert(IProjects.Projects_Unknown.selector, uint256(0));
        _withdraw(LAB, 0);
        _expectRevert(IProjects.Projects_Unknown.selector, NEXT);
        _withdraw(LAB, NEXT);
    }

    function test_RevertGiven_ProjectIsAnotherMembers() external {
        _expectRevert(IProjects.Projects_NotOwner.selector, PROJECT, HOSPITAL);
        _withdraw(HOSPITAL, PROJECT);
    }

    function test_RevertGiven_WithdrawerIsNotAMember() external {
        _expectRevert(IMembers.Members_NotMember.selector, STRANGER);
        vm.prank(STRANGER);
        ledger.withdrawProject(PROJECT);
    }

    function test_RevertGiven_AlreadyWithdrawn() external {
        _withdraw(LAB, PROJECT);
        _expectRevert(IProjects.Projects_AlreadyWithdrawn.selector, PROJECT);
        _withdraw(LAB, PROJECT);
    }

    /* REVIEW */

    function test_WhenTwoBodiesApprove_BothAreOnFile() external onlyChanges(PROJECTS) {
        _file(LAB, _projectDraft());
        IProjects.Project memory expected = ledger.projectOf(NEXT);
        expected.ethics = ETHICS;
        expected.compliance = COMPLIANCE;
        vm.expectEmit(address(ledger));
        emit IProjects.ProjectReviewed(NEXT, ETHICS, IProjects.Approval.ETHICS, true, COMMITMENT);
        _reviewProject(ETHICS, NEXT, IProjects.Approval.ETHICS, true);
        vm.expectEmit(address(ledger));
        emit IProjects.ProjectReviewed(NEXT, COMPLIANCE, IProjects.Approval.COMPLIANCE, true, COMMITMENT);
        _reviewProject(COMPLIANCE, NEXT, IProjects.Approval.COMPLIANCE, true);
        vm.assertEq(abi.encode(expected), abi.encode(ledger.projectOf(NEXT)), "only the approvals differ");
    }

    function test_WhenApprovalIsTakenBack_OnlyThatOneIsGone() external onlyChanges(PROJECTS) {
        IProjects.Project memory expected = ledger.projectOf(PROJECT);
        expected.ethics = 0;
        vm.expectEmit(address(ledger));
        emit IProjects.ProjectReviewed(PROJECT, ETHICS, IProjects.Approval.ETHICS, false, COMMITMENT);
        _reviewProject(ETHICS, PROJECT, IProjects.Approval.ETHICS, false);
        vm.assertEq(abi.encode(expected), abi.encode(ledger.projectOf(PROJECT)), "only one approval differs");
    }

    function test_RevertWhen_ReviewerLacksTheRoleOfTheReview() external {
        _expectRevert(IMembers.Members_MissingRole.selector, COMPLIANCE, Codes.ROLE_ETHICS);
        _reviewProject(COMPLIANCE, PROJECT, IProjects.Approval.ETHICS, true);
        _expectRevert(IMembers.Members_MissingRole.selector, ETHICS, Codes.ROLE_COMPLIANCE);
        _reviewProject(ETHICS, PROJECT, IProjects.Approval.COMPLIANCE, true);
        _suspend(ETHICS);
        _expectRevert(IMembers.Members_NotActive.selector, ETHICS);
        _reviewProject(ETHICS, PROJECT, IProjects.Approval.ETHICS, false);
    }

    function test_RevertWhen_ReviewedProjectIsUnknown() external {
        _expectRevert(IProjects.Projects_Unknown.selector, NEXT);
        _reviewProject(ETHICS, NEXT, IProjects.Approval.ETHICS, true);
    }

    /// @dev One institution may hold both roles; it gives one of the two approvals.
    function test_RevertWhen_OneMemberGivesBothApprovals() external {
        uint32 both = _admit(_admission(FOUNDED + 1, Codes.ROLE_ETHICS | Codes.ROLE_COMPLIANCE));
        _file(LAB, _projectDraft());
        _reviewProject(both, NEXT, IProjects.Approval.ETHICS, true);
        _expectRevert(IProjects.Projects_NotIndependent.selector, NEXT, both);
        _reviewProject(both, NEXT, IProjects.Approval.COMPLIANCE, true);
        _reviewProject(COMPLIANCE, NEXT, IProjects.Approval.COMPLIANCE, true);
        _reviewProject(both, NEXT, IProjects.Approval.ETHICS, false);
        _expectRevert(IProjects.Projects_NotIndependent.selector, NEXT, both);
        _reviewProject(both, NEXT, IProjects.Approval.COMPLIANCE, false);
    }

    function test_RevertWhen_MemberReviewsItsOwnProject() external {
        _file(ETHICS, _projectDraft());
        _expectRevert(IProjects.Projects_NotIndependent.selector, NEXT, ETHICS);
        _reviewProject(ETHICS, NEXT, IProjects.Approval.ETHICS, true);
    }

    function test_RevertWhen_ApprovalOfAnotherIsTakenBack() external {
        uint32 other = _admit(_admission(FOUNDED + 1, Codes.ROLE_ETHICS));
        _expectRevert(IProjects.Projects_NotIndependent.selector, PROJECT, other);
        _reviewProject(other, PROJECT, IProjects.Approval.ETHICS, false);
    }

    function test_WhenUnknown_ProjectIsAllZero() external view {
        IProjects.Project memory nothing;
        vm.assertEq(abi.encode(nothing), abi.encode(ledger.projectOf(0)), "project 0");
        vm.assertEq(abi.encode(nothing), abi.encode(ledger.projectOf(NEXT)), "project 2");
    }

    function testFuzz_FileProject(uint8 highestClass, uint32 validFrom, uint32 validTo) external {
        IProjects.Filing memory given = _projectDraft();
        given.highestClass = highestClass;
        given.validFrom = validFrom;
        given.validTo = validTo;
        bool complete = highestClass >= 1 && highestClass <= 3 && validFrom < validTo && validTo > START;
        if (!complete) _expectRevert(IProjects.Projects_Incomplete.selector);
        _file(LAB, given);
        vm.assertEq(complete ? NEXT : PROJECT, ledger.projectCount(), "count");
    }

    function _withdraw(uint32 memberId, uint32 projectId) private {
        _as(memberId);
        ledger.withdrawProject(projectId);
    }
}
