// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDatasets} from "../interfaces/IDatasets.sol";
import {Codes} from "../libraries/Codes.sol";
import {Guards} from "./Guards.sol";

/// @title Datasets
/// @notice Datasets and their life.
abstract contract Datasets is IDatasets, Guards {
    /* MEMBERS */

    /// @inheritdoc IDatasets
    function declareDataset(Plan calldata plan, bytes32 description) external returns (uint32 datasetId) {
        uint32 owner = _activeCallerId();
        require(
            plan.purposes != 0 &&
                plan.purposes & _header.bannedPurposes == 0 &&
                plan.categories != 0 &&
                block.timestamp < plan.retainUntil &&
                description != 0,
            Datasets_Incomplete()
        );
        datasetId = ++_counts.datasets;
        Dataset storage dataset = _datasets[datasetId];
        dataset.owner = owner;
        dataset.purposes = plan.purposes;
        dataset.categories = plan.categories;
        dataset.status = DatasetStatus.DECLARED;
        dataset.retainUntil = plan.retainUntil;
        dataset.usableUntil = type(uint32).max;
        dataset.budget = plan.budget;
        emit DatasetDeclared(datasetId, owner, plan, description);
    }

    /// @inheritdoc IDatasets
    function excuseWithdrawals(uint32 datasetId, uint32 withdrawals, bytes32 opinion) external {
        uint32 caller = _callerWith(Codes.ROLE_ETHICS);
        Dataset storage dataset = _knownDataset(datasetId);
        require(dataset.owner != caller && opinion != 0, Datasets_NotQualified(datasetId, caller));
        uint32 current = uint32(_withdrawals[datasetId].length);
        require(withdrawals == current, Datasets_OtherWithdrawals(datasetId, current));
        require(dataset.excused != withdrawals, Datasets_WrongStatus(datasetId, dataset.status));
        dataset.excused = withdrawals;
        emit DatasetExcused(datasetId, caller, withdrawals, opinion);
    }

    /// @inheritdoc IDatasets
    function sealDataset(uint32 datasetId, bytes32 reasons) external {
        uint32 caller = _activeCallerId();
        Dataset storage dataset = _knownDataset(datasetId);
        require(
            dataset.owner == caller || _members[caller].roles & Codes.ROLE_REGULATOR != 0,
            Datasets_NotQualified(datasetId, caller)
        );
        DatasetStatus status = dataset.status;
        require(status < DatasetStatus.SEALED, Datasets_WrongStatus(datasetId, status));
        _sealedFrom[datasetId] = status;
        dataset.status = DatasetStatus.SEALED;
        emit DatasetSealed(datasetId, caller, reasons);
    }

    /// @inheritdoc IDatasets
    function unsealDataset(uint32 datasetId) external {
        uint32 caller = _callerWith(Codes.ROLE_REGULATOR);
        Dataset storage dataset = _knownDataset(datasetId);
        require(dataset.owner != caller, Datasets_NotQualified(datasetId, caller));
        DatasetStatus status = dataset.status;
        require(status == DatasetStatus.SEALED, Datasets_WrongStatus(datasetId, status));
        dataset.status = _sealedFrom[datasetId];
        emit DatasetUnsealed(datasetId, caller);
    }

    /* VIEWS */

    /// @inheritdoc IDatasets
    function datasetOf(uint32 datasetId) external view returns (Dataset memory) {
        return _datasets[datasetId];
    }

    /// @inheritdoc IDatasets
    function datasetCount() external view returns (uint32) {
        return _counts.datasets;
    }

    /// @inheritdoc IDatasets
    function withdrawalsOf(uint32 datasetId) external view returns (uint32[] memory) {
        return _withdrawals[datasetId];
    }

    /// @inheritdoc IDatasets
    function inclusionsOf(bytes32 grantId) external view returns (uint32[] memory datasets) {
        uint256 uses = _uses[grantId];
        datasets = new uint32[](uint8(uses >> 8));
        for (uint256 index = 0; index < datasets.length; ++index) {
            datasets[index] = uint32(uses >> (32 + 32 * index));
        }
    }

    /* INTERNALS */

    function _knownDataset(uint32 datasetId) internal view returns (Dataset storage dataset) {
        dataset = _datasets[datasetId];
        require(dataset.status != DatasetStatus.NONE, Datasets_Unknown(datasetId));
    }

    /// @dev A dataset only moves on.
    function _advance(Dataset storage dataset, DatasetStatus status) internal {
        if (dataset.status < status) dataset.status = status;
    }
}
