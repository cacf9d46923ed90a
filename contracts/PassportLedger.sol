// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {Codes} from "./libraries/Codes.sol";
import {DefaultPolicy} from "./libraries/DefaultPolicy.sol";
import {Decisions} from "./modules/Decisions.sol";

/// @title PassportLedger
/// @notice The medical AI data passport: whitelist, law, passports, consents, projects, decisions and transfers.
/// @dev One contract, so that one decision reads its own storage. No proxy: a new version is a new contract.
contract PassportLedger is Decisions {
    /// @notice Thrown when the founding member does not hold the committee's role.
    error PassportLedger_FounderNotCommittee();
    /// @notice Thrown on an attempt to leave the ledger without a committee.
    error PassportLedger_CommitteeRequired();

    /// @notice Deploy the ledger with its first member, the committee, and the default law.
    /// @param founder The committee: its signer becomes the owner.
    constructor(Admission memory founder) Ownable(founder.signer) EIP712("PassportLedger", "1") {
        require(founder.roles & Codes.ROLE_COMMITTEE != 0, PassportLedger_FounderNotCommittee());
        _admit(founder);
        _setPolicy(DefaultPolicy.table());
    }

    /// @notice Refused: a ledger without a committee could neither suspend a member nor change the law.
    function renounceOwnership() public view override onlyOwner {
        revert PassportLedger_CommitteeRequired();
    }
}
