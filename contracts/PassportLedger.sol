// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";

import {IMembers} from "./interfaces/IMembers.sol";
import {DefaultPolicy} from "./libraries/DefaultPolicy.sol";
import {Consents} from "./modules/Consents.sol";
import {Decisions} from "./modules/Decisions.sol";
import {Forwards} from "./modules/Forwards.sol";
import {GovernanceOffice} from "./GovernanceOffice.sol";

/// @title PassportLedger
/// @notice The medical AI data passport: the ledger. Consents and decisions are here; what else it does is in
/// `GovernanceOffice` and, behind that, in `RecordsOffice`, which run on this contract's storage, under its address.
/// @dev Several contracts, because one may have 24 KB of code; one storage, so that one decision reads its own. A new
/// version of the ledger is a new ledger.
contract PassportLedger is Consents, Decisions, Forwards {
    /// @notice Deploy the ledger with its first member, a committee of one, the default law and the first template.
    /// @param office A `GovernanceOffice`.
    /// @param founder The first member; it holds the first seat.
    /// @param notice keccak256 of the public notice that the first template refers to.
    constructor(
        GovernanceOffice office,
        IMembers.Admission memory founder,
        bytes32 notice
    ) Forwards(address(office)) {
        Address.functionDelegateCall(
            address(office),
            abi.encodeCall(
                office.found,
                (founder, DefaultPolicy.table(), DefaultPolicy.template(notice), DefaultPolicy.thresholds())
            )
        );
    }
}
