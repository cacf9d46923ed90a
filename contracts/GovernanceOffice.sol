// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBorders} from "./interfaces/IBorders.sol";
import {IMembers} from "./interfaces/IMembers.sol";
import {ITemplates} from "./interfaces/ITemplates.sol";
import {Codes} from "./libraries/Codes.sol";
import {Committee} from "./modules/Committee.sol";
import {Emergencies} from "./modules/Emergencies.sol";
import {Forwards} from "./modules/Forwards.sol";
import {Members} from "./modules/Members.sol";
import {Policy} from "./modules/Policy.sol";
import {RecordsOffice} from "./RecordsOffice.sol";

/// @title GovernanceOffice
/// @notice What the ledger does about itself: members, the law, emergencies, the committee. The rest it leaves to a
/// `RecordsOffice`.
/// @dev Its code runs on the storage of a `PassportLedger`; called under its own address it is an empty ledger that
/// nobody is a member of.
contract GovernanceOffice is Members, Policy, Emergencies, Committee, Forwards {
    /// @dev The code's own address: a call under it is not one of a ledger.
    address private immutable _SELF = address(this);

    /// @notice Thrown when the ledger was founded before, or the contract is called under its own address.
    error GovernanceOffice_Founded();
    /// @notice Thrown when the founding member could not hold a seat.
    error GovernanceOffice_FounderNotCommittee();

    /// @notice Deploy the code.
    /// @param office A `RecordsOffice`.
    constructor(RecordsOffice office) Forwards(address(office)) {}

    /// @notice Found a ledger: its first member, the law, the first template, the thresholds of exports.
    /// @dev Called once, by the constructor of `PassportLedger`. Reverts with GovernanceOffice_Founded,
    /// GovernanceOffice_FounderNotCommittee, Members_Incomplete or an error of `setPolicy`.
    /// @param founder The first member; it holds the first seat.
    /// @param table The first version of the law.
    /// @param template The first template.
    /// @param thresholds The first thresholds.
    function found(
        IMembers.Admission calldata founder,
        Table calldata table,
        ITemplates.Template calldata template,
        IBorders.Thresholds calldata thresholds
    ) external {
        require(_counts.members == 0 && address(this) != _SELF, GovernanceOffice_Founded());
        require(founder.roles & Codes.ROLE_COMMITTEE != 0, GovernanceOffice_FounderNotCommittee());
        _found(_admit(founder));
        _setPolicy(table);
        _counts.templates = 1;
        _templates[1] = template;
        emit ITemplates.TemplateIssued(1, template);
        _thresholds = thresholds;
        emit IBorders.ThresholdsSet(thresholds);
    }
}
