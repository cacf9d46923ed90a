// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IDatasets
/// @notice Datasets: declared before the first step, filled by decisions that include consenting patients, and told of
/// every withdrawal.
interface IDatasets {
    /// @notice How far a dataset has come in its life.
    enum DatasetStatus {
        NONE,
        DECLARED,
        COLLECTED,
        PROCESSED,
        VERIFIED,
        SHARED,
        IN_USE,
        SEALED,
        DESTROYED
    }

    /// @notice What a dataset is for, said before anything is in it.
    struct Plan {
        uint16 purposes; // what it and everything made of it may serve at most
        uint16 categories;
        uint32 retainUntil; // when it must be destroyed, seconds since the Unix epoch
        uint64 budget; // privacy budget in millionths of epsilon; 0: none is kept
    }

    /// @notice A dataset as stored.
    struct Dataset {
        // slot 0
        uint32 owner;
        uint16 purposes;
        uint16 categories;
        DatasetStatus status;
        bool noRelink; // somebody in it consented on condition that it is not merged with other data
        bool noOnward; // somebody in it did not consent to its being passed on
        uint32 retainUntil;
        uint32 usableUntil; // when the first consent in it, or emergency, ends; exclusive
        uint32 included; // decisions that included somebody
        uint32 excused; // withdrawals that an ethics body excused
        // slot 1
        uint64 budget;
        uint64 spent;
    }

    /// @notice A dataset was declared.
    event DatasetDeclared(uint32 indexed datasetId, uint32 indexed owner, Plan plan, bytes32 description);
    /// @notice A consent ended that somebody had been included under: what was made of the dataset before is stale.
    event DatasetWithdrawn(uint32 indexed datasetId, bytes32 indexed grantId, uint32 withdrawals);
    /// @notice An ethics body excused the withdrawals so far: the dataset may go on with what it holds.
    event DatasetExcused(
        uint32 indexed datasetId,
        uint32 indexed reviewer,
        uint32 withdrawals,
        bytes32 opinion
    );
    /// @notice A dataset was sealed: nothing is done with it but its destruction.
    event DatasetSealed(uint32 indexed datasetId, uint32 indexed memberId, bytes32 reasons);
    /// @notice A regulator opened a sealed dataset again.
    event DatasetUnsealed(uint32 indexed datasetId, uint32 indexed memberId);

    /// @notice Thrown when purposes, categories, end of retention or description are missing or out of range.
    error Datasets_Incomplete();
    /// @notice Thrown when no dataset has this number.
    error Datasets_Unknown(uint32 datasetId);
    /// @notice Thrown when the caller may not do this to this dataset.
    error Datasets_NotQualified(uint32 datasetId, uint32 memberId);
    /// @notice Thrown when the dataset is not in a status in which this can be done.
    error Datasets_WrongStatus(uint32 datasetId, DatasetStatus status);
    /// @notice Thrown when an opinion is about another number of withdrawals than there are.
    error Datasets_OtherWithdrawals(uint32 datasetId, uint32 withdrawals);

    /// @notice Declare a dataset of the caller's.
    /// @dev Only an active member. Reverts with Datasets_Incomplete.
    /// @param plan What it is for.
    /// @param description Commitment to source, method, de-identification standard and storage.
    /// @return datasetId The number of the dataset, counted from 1.
    function declareDataset(Plan calldata plan, bytes32 description) external returns (uint32 datasetId);

    /// @notice Excuse the withdrawals so far: what was made of the dataset is current again.
    /// @dev Only an active member with the role ETHICS that does not own the dataset. Reverts with Members_MissingRole,
    /// Datasets_Unknown, Datasets_NotQualified, Datasets_WrongStatus if none waits to be excused, or
    /// Datasets_OtherWithdrawals.
    /// @param datasetId The dataset.
    /// @param withdrawals How many the opinion is about: as many as there are, so that a late one is not excused unseen.
    /// @param opinion Commitment to the opinion.
    function excuseWithdrawals(uint32 datasetId, uint32 withdrawals, bytes32 opinion) external;

    /// @notice Seal a dataset.
    /// @dev Only its owner, or an active member with the role REGULATOR. Reverts with Datasets_Unknown,
    /// Datasets_NotQualified or Datasets_WrongStatus.
    /// @param datasetId The dataset.
    /// @param reasons Commitment to the reasons.
    function sealDataset(uint32 datasetId, bytes32 reasons) external;

    /// @notice Open a sealed dataset again, as far as it had come.
    /// @dev Only an active member with the role REGULATOR that does not own it. Reverts with Members_MissingRole,
    /// Datasets_Unknown, Datasets_NotQualified or Datasets_WrongStatus.
    /// @param datasetId The dataset.
    function unsealDataset(uint32 datasetId) external;

    /// @notice A dataset as stored; all zero for an unknown number.
    /// @param datasetId The dataset.
    function datasetOf(uint32 datasetId) external view returns (Dataset memory);

    /// @notice How many datasets were ever declared.
    function datasetCount() external view returns (uint32);

    /// @notice When consents ended that somebody had been included under, in order.
    /// @param datasetId The dataset.
    function withdrawalsOf(uint32 datasetId) external view returns (uint32[] memory);

    /// @notice The datasets that somebody was included into under a grant.
    /// @param grantId The grant.
    function inclusionsOf(bytes32 grantId) external view returns (uint32[] memory);
}
