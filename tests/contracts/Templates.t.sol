// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {ITemplates} from "../../contracts/interfaces/ITemplates.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {LedgerTest} from "./Base.t.sol";

/// @notice Templates: what a consent may contain at most.
contract TemplatesTest is LedgerTest {
    uint32 private constant NARROW = TEMPLATE + 1;
    uint16 private constant RESEARCHERS = uint16(1 << uint8(IMembers.MemberKind.RESEARCH));

    function test_WhenDeployed_FirstTemplateLeavesOpenWhatTheLawDoes() external view {
        ITemplates.Template memory template = ledger.templateOf(TEMPLATE);
        vm.assertEq(1, ledger.templateCount(), "count");
        vm.assertEq(LAWFUL_PURPOSES, template.purposes, "purposes");
        vm.assertEq(type(uint16).max, template.categories, "categories");
        vm.assertEq((1 << 6) - 1, template.recipientKinds, "kinds");
        vm.assertEq(ledger.policy().maxGrantSeconds, template.maxSeconds, "longest period");
        vm.assertEq(COMMITMENT, template.notice, "notice");
        vm.assertEq(false, template.withdrawn, "withdrawn");
    }

    function test_WhenIssued_TemplateIsStored() external onlyChanges(TEMPLATES) {
        ITemplates.Template memory given = _draft();
        vm.expectEmit(address(ledger));
        emit ITemplates.TemplateIssued(NARROW, given);
        vm.assertEq(NARROW, _issueTemplate(given), "number");
        vm.assertEq(NARROW, ledger.templateCount(), "count");
        vm.assertEq(abi.encode(given), abi.encode(ledger.templateOf(NARROW)), "template");
    }

    function test_RevertWhen_TemplateWouldAllowNothing() external {
        ITemplates.Template[6] memory drafts;
        for (uint256 index = 0; index < drafts.length; ++index) drafts[index] = _draft();
        drafts[0].purposes = 0;
        drafts[1].categories = 0;
        drafts[2].recipientKinds = 0;
        drafts[3].maxSeconds = 0;
        drafts[4].notice = 0;
        drafts[5].withdrawn = true;
        for (uint256 index = 0; index < drafts.length; ++index) {
            _expectRevert(IConsents.Consents_OutsideTemplate.selector, NARROW);
            _issueTemplate(drafts[index]);
        }
        vm.assertEq(1, ledger.templateCount(), "count");
    }

    function test_WhenWithdrawn_GrantsStayAndNoNewOneIsGiven() external onlyChanges(TEMPLATES) {
        bytes memory stored = abi.encode(ledger.grantOf(PASSPORT, GRANT));
        vm.expectEmit(address(ledger));
        emit ITemplates.TemplateWithdrawn(TEMPLATE);
        _withdraw(TEMPLATE);
        vm.assertTrue(ledger.templateOf(TEMPLATE).withdrawn, "withdrawn");
        vm.assertEq(stored, abi.encode(ledger.grantOf(PASSPORT, GRANT)), "grant");
        _assertOutside(_grantOf(OTHER_GRANT, PASSPORT));
    }

    function test_RevertGiven_TemplateIsNotInForce() external {
        _withdraw(TEMPLATE);
        uint32[3] memory templates = [uint32(0), TEMPLATE, NARROW];
        for (uint256 index = 0; index < templates.length; ++index) {
            _expectRevert(IConsents.Consents_OutsideTemplate.selector, templates[index]);
            _withdraw(templates[index]);
        }
    }

    /* WHAT FITS INSIDE */

    function test_WhenGrantFitsExactly_ItIsGiven() external onlyChanges(TEMPLATES | GRANTS) {
        _issueTemplate(_draft());
        IConsents.Grant memory given = _fitting();
        _give(given);
        vm.assertTrue(ledger.grantOf(PASSPORT, OTHER_GRANT).status == IConsents.GrantStatus.ACTIVE, "given");
    }

    function test_RevertWhen_GrantIsWiderThanItsTemplate() external {
        _issueTemplate(_draft());
        IConsents.Grant[5] memory drafts;
        for (uint256 index = 0; index < drafts.length; ++index) drafts[index] = _fitting();
        drafts[0].purposes |= _bit(Codes.RESEARCH);
        drafts[1].categories |= Codes.IMAGING;
        drafts[2].recipient = HOSPITAL; // a member of another kind
        drafts[3].recipient = 0;
        drafts[3].recipientKinds = RESEARCHERS | 1;
        drafts[4].template = 0;
        for (uint256 index = 0; index < drafts.length; ++index) _assertOutside(drafts[index]);
    }

    function test_WhenGrantNamesKindsOfTheTemplate_ItIsGiven() external {
        _issueTemplate(_draft());
        IConsents.Grant memory given = _fitting();
        given.recipient = 0;
        given.recipientKinds = RESEARCHERS;
        _give(given);
        vm.assertEq(RESEARCHERS, ledger.grantOf(PASSPORT, OTHER_GRANT).recipientKinds, "kinds");
    }

    /// @dev The period of a template is as long as the grant is used, the one of the law ends from now.
    function test_RevertWhen_UsePeriodIsLongerThanTheTemplates() external {
        _issueTemplate(_draft());
        IConsents.Grant memory given = _fitting();
        given.useFrom = START + 5 * DAY;
        given.useTo = START + 15 * DAY + 1;
        bytes memory signature = _signed(HOLDER_KEY, given);
        _expectRevert(IConsents.Consents_TermTooLong.selector, given.useTo, START + 15 * DAY);
        _give(given, signature);
        given.useTo = START + 15 * DAY;
        _give(given);
    }

    /* HELPERS */

    /// @dev Training for researchers with two categories, for ten days.
    function _draft() private pure returns (ITemplates.Template memory) {
        return
            ITemplates.Template({
                purposes: _bit(Codes.AI_TRAINING),
                categories: ASKED,
                recipientKinds: RESEARCHERS,
                maxSeconds: 10 * DAY,
                withdrawn: false,
                notice: CONTENT
            });
    }

    function _fitting() private pure returns (IConsents.Grant memory given) {
        given = _grantOf(OTHER_GRANT, PASSPORT);
        given.template = NARROW;
        given.useTo = START + 10 * DAY;
    }

    function _issueTemplate(ITemplates.Template memory given) private returns (uint32) {
        _asCommittee();
        return ledger.issueTemplate(given);
    }

    function _withdraw(uint32 template) private {
        _asCommittee();
        ledger.withdrawTemplate(template);
    }

    function _assertOutside(IConsents.Grant memory given) private {
        bytes memory signature = _signed(HOLDER_KEY, given);
        _expectRevert(IConsents.Consents_OutsideTemplate.selector, given.template);
        _give(given, signature);
    }
}
