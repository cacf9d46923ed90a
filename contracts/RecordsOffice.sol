// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attestations} from "./modules/Attestations.sol";
import {Holders} from "./modules/Holders.sol";
import {Passports} from "./modules/Passports.sol";
import {Transfers} from "./modules/Transfers.sol";

/// @title RecordsOffice
/// @notice What the ledger does about data: passports and who speaks for their subjects, projects, attestations,
/// transfers.
/// @dev Its code runs on the storage of a `PassportLedger`; called under its own address it is an empty ledger that
/// nobody is a member of.
// solhint-disable-next-line no-empty-blocks
contract RecordsOffice is Passports, Holders, Attestations, Transfers {}
