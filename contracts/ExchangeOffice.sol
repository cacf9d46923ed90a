// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Agreements} from "./modules/Agreements.sol";
import {Borders} from "./modules/Borders.sol";
import {Transfers} from "./modules/Transfers.sol";

/// @title ExchangeOffice
/// @notice What the ledger does about data between members: agreements, transfers, borders.
/// @dev Its code runs on the storage of a `PassportLedger`; called under its own address it is an empty ledger that
/// nobody is a member of.
// solhint-disable-next-line no-empty-blocks
contract ExchangeOffice is Agreements, Borders, Transfers {}
