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

    /// @notice What a member contributes to a step that others record, in its own words: an update of a federated round, a
    /// review of joint cleaning. Signed by its account as EIP-712 typed data, for one step and one recorder.
    struct Part {
        uint32 memberId;
        bytes32 contribution; // commitment to what it contributes
        bytes signature;
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
        uint32 stepId; // step that made it; 0 if it is from outside
        uint32 owner;
        VersionKind kind;
        uint16 purposes;
        Check check;
        uint32 verifier;
        ModelStatus status;
        bool evaluated;
        bool deployed;
        uint32 onlyTo; // only member that it may be shared with; 0 if any, the highest number if none
    }

    /// @notice A step was recorded. `missing`: the rules that it broke; empty if it stands.
    event StepRecorded(
        uint32 indexed stepId,
        uint32 indexed memberId,
        StepKind indexed kind,
        uint32 missing,
        Step step
    );
    /// @notice A member took part in a step that is recorded next, by its own signature.
    event PartSigned(uint32 indexed stepId, uint32 indexed memberId, bytes32 contribution);
    /// @notice A member vouches for data or a model that no step of the ledger made. It waits in quarantine until
    /// somebody independent has checked it.
    event ExternalRegistered(
        bytes32 indexed versionId,
        uint32 indexed owner,
        VersionKind indexed kind,
        uint16 purposes,
        bytes32 statement
    );
    /// @notice Somebody independent checked how a version was made.
    event VersionVerified(bytes32 indexed versionId, uint32 indexed verifier, Check check, bytes32 report);
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
    /// @notice Thrown when a member that is said to take part is named twice or out of order, contributes nothing, or did
    /// not sign.
    error Lineage_BadPart(uint32 memberId);
    /// @notice Thrown when the caller recorded this very joint step before, refused or not: its signatures are good once.
    error Lineage_Repeated();
    /// @notice Thrown when what is registered from outside is neither data nor a model, or content, purposes or statement
    /// are missing or banned.
    error Lineage_Incomplete(bytes32 versionId);
    /// @notice Thrown when a commitment is no name for a new version: zero, or taken by a version or a passport.
    error Lineage_Exists(bytes32 versionId);
    /// @notice Thrown when there is no such version, or none of the kind wanted.
    error Lineage_Unknown(bytes32 versionId);
    /// @notice Thrown when the caller may not do this to this version.
    error Lineage_NotQualified(bytes32 versionId, uint32 memberId);
    /// @notice Thrown when it was verified before.
    error Lineage_AlreadyVerified(bytes32 versionId);
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

    /// @notice Record a step that several members took part in. The caller records it and owns what it makes; each of the
    /// others has signed the step, who records it, and its own contribution.
    /// @dev The rules are those of `recordStep`, for all who take part: each is active and licensed. Training takes what
    /// any of them may use, for its data stays where it is; any other step takes what the caller may use. The step makes
    /// something. Its signatures are good once, whether it stands or not: what is tried again has other parameters, and is
    /// signed anew. Reverts like `recordStep`, or with Lineage_BadPart or Lineage_Repeated.
    /// @param step What they did.
    /// @param parts The members that took part, in the order of their numbers; the caller may be one of them.
    /// @return stepId The number of the step.
    /// @return missing The rules that it broke.
    function recordJointStep(
        Step calldata step,
        Part[] calldata parts
    ) external returns (uint32 stepId, uint32 missing);

    /// @notice Vouch for data or a model that no step of the ledger made. No step takes it before somebody independent
    /// has checked it.
    /// @dev Only an active member, which owns it. Reverts with Lineage_Exists or Lineage_Incomplete.
    /// @param content Commitment to its content.
    /// @param kind Data or model.
    /// @param purposes What it may serve.
    /// @param statement Commitment to the statement where it is from and what allows its use.
    /// @return versionId `keccak256(abi.encode(member, content))`: nobody takes another's name by vouching for it.
    function registerExternal(
        bytes32 content,
        VersionKind kind,
        uint16 purposes,
        bytes32 statement
    ) external returns (bytes32 versionId);

    /// @notice Say whether a version was made as it should; of one from outside, whether the statement about it is right.
    /// @dev Only an active member with the role VERIFIER that neither owns it nor was shared it nor took part. Reverts with
    /// Members_MissingRole, Lineage_Unknown, Lineage_NotQualified or Lineage_AlreadyVerified.
    /// @param versionId The version.
    /// @param passed Whether.
    /// @param report Commitment to the report.
    function verifyVersion(bytes32 versionId, bool passed, bytes32 report) external;

    /// @notice Answer the withdrawals that have reached a model.
    /// @dev Only its owner. A successor of RETRAINED and UNLEARNED is another model of the owner's that no withdrawal has
    /// reached, even if it was justified, and that is not in quarantine. A suspended model is answered for though an ethics body has excused the
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

    /// @notice Commitment to what a member contributed to a step that it took part in; 0 if it did not.
    /// @param stepId The step.
    /// @param memberId The member.
    function contributionOf(uint32 stepId, uint32 memberId) external view returns (bytes32);

    /// @notice How many steps were ever recorded.
    function stepCount() external view returns (uint32);

    /// @notice Until when the owner of a model must answer the withdrawals that reached it; 0 if there is none.
    /// @param versionId The model.
    function obligationOf(bytes32 versionId) external view returns (uint32 due);
}
