// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreements} from "../interfaces/IAgreements.sol";
import {IBorders} from "../interfaces/IBorders.sol";
import {IDatasets} from "../interfaces/IDatasets.sol";
import {ILineage} from "../interfaces/ILineage.sol";
import {Guards} from "./Guards.sol";

/// @title BorderChecks
/// @notice Whether agreements are in force and clearances too, and whether data may still be used, as several offices ask.
abstract contract BorderChecks is Guards {
    /// @dev Whether an agreement is in force: signed by both, not ended, both active.
    function _isInForce(IAgreements.Agreement memory agreement) internal view returns (bool) {
        return
            agreement.status == IAgreements.AgreementStatus.SIGNED &&
            block.timestamp < agreement.validTo &&
            _isActive(_members[agreement.provider]) &&
            _isActive(_members[agreement.recipient]);
    }

    /// @dev Whether an agreement is in force by which one member gives data to the other.
    function _isBetween(uint32 agreementId, uint32 provider, uint32 recipient) internal view returns (bool) {
        IAgreements.Agreement memory agreement = _agreements[agreementId];
        return agreement.provider == provider && agreement.recipient == recipient && _isInForce(agreement);
    }

    /// @dev Whether a clearance is in force and the importer may receive data from abroad.
    function _isCleared(IBorders.Clearance memory clearance, uint32 importer) internal view returns (bool) {
        return
            clearance.path != IBorders.Path.NONE &&
            block.timestamp >= clearance.validFrom &&
            block.timestamp < clearance.validTo &&
            block.timestamp < _borderAccess[importer] &&
            (clearance.path != IBorders.Path.CONTRACT || _isInForce(_agreements[clearance.agreement]));
    }

    /// @dev Whether a dataset is within its retention and the consents in it.
    function _isInTime(IDatasets.Dataset storage dataset) internal view returns (bool) {
        return block.timestamp < dataset.retainUntil && block.timestamp < dataset.usableUntil;
    }

    /// @dev Whether somebody withdrew after the data was collected, and nobody excused it.
    function _isStale(ILineage.Origin memory origin, uint32 excused) internal view returns (bool) {
        uint256 withdrawals = _withdrawals[origin.datasetId].length;
        return origin.withdrawals < withdrawals && excused < withdrawals;
    }
}
