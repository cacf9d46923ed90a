// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreements} from "../interfaces/IAgreements.sol";
import {IBorders} from "../interfaces/IBorders.sol";
import {IDatasets} from "../interfaces/IDatasets.sol";
import {ILineage} from "../interfaces/ILineage.sol";
import {IMembers} from "../interfaces/IMembers.sol";
import {IShares} from "../interfaces/IShares.sol";
import {Calendar} from "../libraries/Calendar.sol";
import {BorderChecks} from "./BorderChecks.sol";

/// @title Shares
/// @notice Versions that their owners let others use: under what agreement, and, abroad, under what clearance and how many
/// persons in them count.
abstract contract Shares is IShares, BorderChecks {
    /* MEMBERS */

    /// @inheritdoc IShares
    function shareVersion(
        bytes32 versionId,
        uint32 recipient,
        uint32 agreementId,
        uint32 projectId
    ) external {
        uint32 caller = _activeCallerId();
        ILineage.Version memory version = _versions[versionId];
        require(version.kind != ILineage.VersionKind.NONE, ILineage.Lineage_Unknown(versionId));
        require(version.check == ILineage.Check.PASSED, Shares_NotVerified(versionId));
        require(_isActive(_knownMember(recipient)), IMembers.Members_NotActive(recipient));
        require(
            version.owner == caller && recipient != caller && recipient != version.verifier,
            Shares_NotQualified(versionId, caller)
        );
        require(version.onlyTo == 0 || version.onlyTo == recipient, Shares_OnwardForbidden(versionId));
        IAgreements.Agreement memory agreement = _agreements[agreementId];
        require(
            _isBetween(agreementId, caller, recipient) && version.purposes & agreement.purposes != 0,
            IAgreements.Agreements_NotCovered(agreementId)
        );
        uint32 clearanceId = 0;
        if (_members[caller].jurisdiction != _members[recipient].jurisdiction)
            clearanceId = _exportClearance(projectId, caller, recipient);
        ILineage.Origin[] memory origins = _origins[versionId];
        bool isData = version.kind == ILineage.VersionKind.DATA;
        for (uint256 index = 0; index < origins.length; ++index) {
            uint32 datasetId = origins[index].datasetId;
            require(
                _datasets[datasetId].categories & ~agreement.categories == 0,
                IAgreements.Agreements_NotCovered(agreementId)
            );
            if (isData) _shareDataset(versionId, origins[index], recipient, clearanceId);
        }
        uint256 keepUntil = block.timestamp + agreement.retentionSeconds;
        if (keepUntil > type(uint32).max) keepUntil = type(uint32).max;
        _shares[versionId][recipient] = Share(agreementId, uint32(keepUntil));
        emit VersionShared(versionId, caller, recipient, agreementId, projectId, uint32(keepUntil));
    }

    /* VIEWS */

    /// @inheritdoc IShares
    function shareOf(bytes32 versionId, uint32 memberId) external view returns (Share memory) {
        return _shares[versionId][memberId];
    }

    /* INTERNALS */

    /// @dev Data is given away: within its time, and without anybody who withdrew. A model and a result are nobody's data: they are not counted, and neither a seal nor a
    /// consent keeps them.
    function _shareDataset(
        bytes32 versionId,
        ILineage.Origin memory origin,
        uint32 recipient,
        uint32 clearanceId
    ) private {
        uint32 datasetId = origin.datasetId;
        IDatasets.Dataset storage dataset = _datasets[datasetId];
        IDatasets.DatasetStatus status = dataset.status;
        require(status < IDatasets.DatasetStatus.SEALED, IDatasets.Datasets_WrongStatus(datasetId, status));
        require(_isInTime(dataset) && !_isStale(origin, dataset.excused), Shares_NotCurrent(versionId));
        require(!dataset.noOnward || dataset.owner == recipient, Shares_OnwardForbidden(versionId));
        if (clearanceId != 0) _countExport(clearanceId, datasetId);
        if (status < IDatasets.DatasetStatus.SHARED) dataset.status = IDatasets.DatasetStatus.SHARED;
    }

    /// @dev The clearance under which an owner shares with a member abroad.
    function _exportClearance(
        uint32 projectId,
        uint32 owner,
        uint32 recipient
    ) private view returns (uint32 clearanceId) {
        clearanceId = _clearanceFor[projectId][owner];
        require(
            _projects[projectId].memberId == recipient && _isCleared(_clearances[clearanceId], recipient),
            IBorders.Borders_NotCleared(projectId, owner)
        );
    }

    /// @dev Counts everybody in a dataset that was not counted: in the year, and under the clearance. A dataset that was
    /// shared before counts what came in since. Somebody in two datasets counts twice: never too few.
    function _countExport(uint32 clearanceId, uint32 datasetId) private {
        IDatasets.Dataset memory dataset = _datasets[datasetId];
        IBorders.Clearance memory clearance = _clearances[clearanceId];
        uint32 exporter = clearance.exporter;
        uint256 year = Calendar.yearOf(block.timestamp);
        uint32 persons = dataset.included - _datasetExports[exporter][year][datasetId];
        uint32 crossed = dataset.included - _datasetCrossings[clearanceId][datasetId];
        if (persons | crossed == 0) return;
        bool sensitive = dataset.categories & (_header.coreCategories | _header.sensitiveCategories) != 0;
        IBorders.Exports memory exports = _exports[exporter][year];
        IBorders.Thresholds memory limits = _thresholds;
        exports.persons += persons;
        if (sensitive) exports.sensitivePersons += persons;
        clearance.persons += crossed;
        require(
            clearance.persons <= clearance.maxPersons &&
                (clearance.path == IBorders.Path.ASSESSMENT ||
                    persons == 0 ||
                    (exports.persons <= limits.persons &&
                        (!sensitive || exports.sensitivePersons <= limits.sensitivePersons))),
            IBorders.Borders_NotCleared(clearance.projectId, exporter)
        );
        _clearances[clearanceId].persons = clearance.persons;
        _exports[exporter][year] = exports;
        _datasetExports[exporter][year][datasetId] = dataset.included;
        _datasetCrossings[clearanceId][datasetId] = dataset.included;
        emit DatasetExported(datasetId, exporter, clearanceId, persons, crossed, sensitive);
    }
}
