// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ITemplates
/// @notice Templates of consents, issued by the committee.
interface ITemplates {
    /// @notice A template: what a consent may contain at most, and the notice that goes with it.
    struct Template {
        uint16 purposes;
        uint16 categories;
        uint16 recipientKinds;
        uint32 maxSeconds; // longest use period
        bool withdrawn; // no new grants
        bytes32 notice; // keccak256 of the public text of the notice
    }

    /// @notice The committee issued a template.
    event TemplateIssued(uint32 indexed template, Template content);
    /// @notice No new grant may use the template.
    event TemplateWithdrawn(uint32 indexed template);

    /// @notice Issue a template.
    /// @dev Only the committee. Reverts with Consents_OutsideTemplate if it would allow nothing.
    /// @param content The template.
    /// @return template Its number, counted from 1.
    function issueTemplate(Template calldata content) external returns (uint32 template);

    /// @notice Withdraw a template: grants given under it stay, no new one can use it.
    /// @dev Only the committee. Reverts with Consents_OutsideTemplate if it is not in force.
    /// @param template The template.
    function withdrawTemplate(uint32 template) external;

    /// @notice A template as issued; all zero for an unknown number.
    /// @param template The template.
    function templateOf(uint32 template) external view returns (Template memory);

    /// @notice How many templates were ever issued.
    function templateCount() external view returns (uint32);
}
