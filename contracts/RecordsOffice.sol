// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LineageOffice} from "./LineageOffice.sol";
import {Attestations} from "./modules/Attestations.sol";
import {Forwards} from "./modules/Forwards.sol";
import {Holders} from "./modules/Holders.sol";
import {Passports} from "./modules/Passports.sol";
import {Releases} from "./modules/Releases.sol";
import {Reviews} from "./modules/Reviews.sol";
import {Shares} from "./modules/Shares.sol";
import {Templates} from "./modules/Templates.sol";

/// @title RecordsOffice
/// @notice What the ledger does about records: passports and who speaks for their subjects, templates of consents,
/// projects, attestations, shares of versions, and what follows a decision: reviews and releases. The rest it leaves to a
/// `LineageOffice`.
/// @dev Its code runs on the storage of a `PassportLedger`; called under its own address it is an empty ledger that
/// nobody is a member of.
contract RecordsOffice is Passports, Holders, Templates, Attestations, Reviews, Releases, Shares, Forwards {
    /// @notice Deploy the code.
    /// @param office A `LineageOffice`.
    // solhint-disable-next-line no-empty-blocks
    constructor(LineageOffice office) Forwards(address(office)) {}
}
