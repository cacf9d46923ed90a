// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ILineage
/// @notice Steps in the life of data, and the versions of data and models that they make. A step that breaks a rule is
/// recorded with what was missing, and makes nothing.
interface ILineage {
    /// @notice What is done.
    enum StepKind {
        COLLECT,
        CLEAN,
        LABEL,
        SPLIT,
        MERGE,
        DEIDENTIFY,
        TRAIN,
        EVALUATE,
        DEPLOY,
        INFER,
        RELEASE,
        DESTROY
    }

    /// @notice What a version is of.
    enum VersionKind {
        NONE,
        DATA,
        MODEL,
        RESULT
    }

    /// @notice What a verifier found.
    enum Check {
        PENDING,
        PASSED,
        FAILED
    }

    /// @notice Whether a model may serve.
    enum ModelStatus {
        ACTIVE,
        SUSPENDED, // its owner owes an answer to a withdrawal
        RETIRED
    }

    /// @notice How an owner answers a withdrawal that reached a model.
    enum Answer {
        NONE,
        RETRAINED,
        UNLEARNED,
        RETIRED,
        JUSTIFIED
    }

    /// @notice What a member says that it did.
    struct Step {
        StepKind kind;
        uint32 datasetId; // of COLLECT and DESTROY, else 0
        uint32 projectId; // project it is part of, or 0
        uint16 purposes; // what the model of TRAIN is for, else 0
        uint64 epsilon; // privacy it spends, in millionths of epsilon; of COLLECT and DESTROY 0
        bytes32[] inputs; // versions; a model before data
        bytes32[] outputs; // commitments to the content of what it makes; of SPLIT training, validation, test
        bytes32 tool; // digest of the tool
        bytes32 parameters; // commitment to parameters, environment and evidence
    }

    /// @notice From which dataset a version is, which withdrawals came before, and which part it is of which split. What is
    /// split again is a part of the later split; but a test part stays one.
    /// Fits in a single slot.
    struct Origin {
        uint32 datasetId;
        uint32 withdrawals; // of the dataset when the data was collected
        uint32 answered; // withdrawals that the owner of a model justified; data has none
        uint32 splitId; // step that split it, or 0
        uint8 parts; // set of parts: bit 0 training, 1 validation, 2 test; empty if it was not split
    }

    /// @notice A version as stored, but for its origins. Fits in a single slot.
    struct Version {
        uint32 stepId;
        uint32 owner;
        VersionKind kind;
        uint16 purposes;
        Check check;
        uint32 verifier;
        ModelStatus status;
        bool evaluated;
        bool deployed;
    }

    /// @notice A step was recorded. `missing`: the rules that it broke; empty if it stands.
    event StepRecorded(
        uint32 indexed stepId,
        uint32 indexed memberId,
        StepKind indexed kind,
        uint32 missing,
        Step step
    );
    /// @notice Somebody independent checked how a version was made.
    event VersionVerified(bytes32 indexed versionId, uint32 indexed verifier, Check check, bytes32 report);
    /// @notice A version was shared: the recipient may use it in its own steps.
    event VersionShared(
        bytes32 indexed versionId,
        uint32 indexed owner,
        uint32 indexed recipient,
        bytes32 agreement
    );
    /// @notice The owner of a model answered the withdrawals that had reached it.
    event WithdrawalAnswered(
        bytes32 indexed versionId,
        uint32 indexed owner,
        Answer answer,
        bytes32 successor,
        bytes32 evidence
    );
    /// @notice A model was suspended: an answer is overdue.
    event ModelSuspended(bytes32 indexed versionId, uint32 indexed memberId);

    /// @notice Thrown when a step has not the dataset, inputs and outputs that its kind has, or too many.
    error Lineage_Malformed(StepKind kind);
    /// @notice Thrown when a commitment is no name for a new version: zero, or taken by a version or a passport.
    error Lineage_Exists(bytes32 versionId);
    /// @notice Thrown when there is no such version, or none of the kind wanted.
    error Lineage_Unknown(bytes32 versionId);
    /// @notice Thrown when the caller may not do this to this version.
    error Lineage_NotQualified(bytes32 versionId, uint32 memberId);
    /// @notice Thrown when it was verified before.
    error Lineage_AlreadyVerified(bytes32 versionId);
    /// @notice Thrown when a version would be shared that nobody checked, or that failed.
    error Lineage_NotVerified(bytes32 versionId);
    /// @notice Thrown when no withdrawal waits for an answer and the model is not suspended, or none is overdue.
    error Lineage_NothingOwed(bytes32 versionId);
    /// @notice Thrown when an answer lacks its evidence or a successor that is free of what was withdrawn.
    error Lineage_NoAnswer(bytes32 versionId);

    /// @notice Record a step. What breaks a rule is recorded too, and makes nothing.
    /// @dev Never reverts for a reason of policy. Reverts with Members_NotMember, Lineage_Malformed, Lineage_Exists or
    /// Datasets_Unknown.
    /// @param step What the caller did.
    /// @return stepId The number of the step, counted from 1.
    /// @return missing The rules that it broke, as in `StepFacts`; 0 if it stands.
    function recordStep(Step calldata step) external returns (uint32 stepId, uint32 missing);

    /// @notice Say whether a version was made as it should.
    /// @dev Only an active member with the role VERIFIER that neither owns it nor was shared it. Reverts with
    /// Members_MissingRole, Lineage_Unknown, Lineage_NotQualified or Lineage_AlreadyVerified.
    /// @param versionId The version.
    /// @param passed Whether.
    /// @param report Commitment to the report.
    function verifyVersion(bytes32 versionId, bool passed, bytes32 report) external;

    /// @notice Let another member use a version in its own steps.
    /// @dev Only its owner, an active member. The recipient is active and did not verify it. Reverts with
    /// Lineage_Unknown, Lineage_NotQualified, Lineage_NotVerified, Members_NotActive, or Datasets_WrongStatus if it is
    /// data of a dataset that is sealed or destroyed.
    /// @param versionId The version.
    /// @param recipient The member.
    /// @param agreement Commitment to the agreement that states the limits.
    function shareVersion(bytes32 versionId, uint32 recipient, bytes32 agreement) external;

    /// @notice Answer the withdrawals that have reached a model.
    /// @dev Only its owner. A successor of RETRAINED and UNLEARNED is another model of the owner's that no withdrawal has
    /// reached, even if it was justified. A suspended model is answered for though an ethics body has excused the
    /// withdrawals since: it does not serve again by itself. All but JUSTIFIED retire the model. Reverts with Lineage_Unknown, Lineage_NotQualified,
    /// Lineage_NothingOwed or Lineage_NoAnswer.
    /// @param versionId The model.
    /// @param answer The answer.
    /// @param successor The model that takes its place, or 0.
    /// @param evidence Commitment to the evidence.
    function answerWithdrawal(bytes32 versionId, Answer answer, bytes32 successor, bytes32 evidence) external;

    /// @notice Suspend a model whose owner owes an answer for too long.
    /// @dev Only a member. Reverts with Lineage_Unknown or Lineage_NothingOwed.
    /// @param versionId The model.
    function suspendOverdue(bytes32 versionId) external;

    /// @notice A version as stored; all zero for an unknown one.
    /// @param versionId The version.
    function versionOf(bytes32 versionId) external view returns (Version memory);

    /// @notice The origins of a version.
    /// @param versionId The version.
    function originsOf(bytes32 versionId) external view returns (Origin[] memory);

    /// @notice Whether a version was shared with a member.
    /// @param versionId The version.
    /// @param memberId The member.
    function isShared(bytes32 versionId, uint32 memberId) external view returns (bool);

    /// @notice How many steps were ever recorded.
    function stepCount() external view returns (uint32);

    /// @notice Until when the owner of a model must answer the withdrawals that reached it; 0 if there is none.
    /// @param versionId The model.
    function obligationOf(bytes32 versionId) external view returns (uint32 due);
}
