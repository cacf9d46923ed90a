// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExchangeOffice} from "./ExchangeOffice.sol";
import {Forwards} from "./modules/Forwards.sol";
import {Lineage} from "./modules/Lineage.sol";

/// @title LineageOffice
/// @notice What the ledger does about data on its way to models: datasets, steps, versions, withdrawals that reach models.
/// The rest it leaves to an `ExchangeOffice`.
/// @dev Its code runs on the storage of a `PassportLedger`; called under its own address it is an empty ledger that
/// nobody is a member of.
contract LineageOffice is Lineage, Forwards {
    /// @notice Deploy the code.
    /// @param office An `ExchangeOffice`.
    // solhint-disable-next-line no-empty-blocks
    constructor(ExchangeOffice office) Forwards(address(office)) {}
}
