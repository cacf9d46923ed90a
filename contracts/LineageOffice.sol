// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Lineage} from "./modules/Lineage.sol";

/// @title LineageOffice
/// @notice What the ledger does about data on its way to models: datasets, steps, versions, withdrawals that reach models.
/// @dev Its code runs on the storage of a `PassportLedger`; called under its own address it is an empty ledger that
/// nobody is a member of.
// solhint-disable-next-line no-empty-blocks
contract LineageOffice is Lineage {}
