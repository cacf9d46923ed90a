// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsents} from "../interfaces/IConsents.sol";
import {ITemplates} from "../interfaces/ITemplates.sol";
import {Guards} from "./Guards.sol";

/// @title Templates
/// @notice What consents may contain at most.
abstract contract Templates is ITemplates, Guards {
    /* COMMITTEE */

    /// @inheritdoc ITemplates
    function issueTemplate(Template calldata content) external onlyCommittee returns (uint32 template) {
        template = ++_counts.templates;
        require(
            content.purposes != 0 &&
                content.categories != 0 &&
                content.recipientKinds != 0 &&
                content.maxSeconds != 0 &&
                content.notice != 0 &&
                !content.withdrawn,
            IConsents.Consents_OutsideTemplate(template)
        );
        _templates[template] = content;
        emit TemplateIssued(template, content);
    }

    /// @inheritdoc ITemplates
    function withdrawTemplate(uint32 template) external onlyCommittee {
        Template storage content = _templates[template];
        require(content.purposes != 0 && !content.withdrawn, IConsents.Consents_OutsideTemplate(template));
        content.withdrawn = true;
        emit TemplateWithdrawn(template);
    }

    /* VIEWS */

    /// @inheritdoc ITemplates
    function templateOf(uint32 template) external view returns (Template memory) {
        return _templates[template];
    }

    /// @inheritdoc ITemplates
    function templateCount() external view returns (uint32) {
        return _counts.templates;
    }
}
