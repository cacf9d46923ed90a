// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IAgreements} from "../interfaces/IAgreements.sol";
import {IAttestations} from "../interfaces/IAttestations.sol";
import {ILineage} from "../interfaces/ILineage.sol";
import {IMembers} from "../interfaces/IMembers.sol";
import {IPassports} from "../interfaces/IPassports.sol";
import {IProjects} from "../interfaces/IProjects.sol";
import {IShares} from "../interfaces/IShares.sol";
import {Codes} from "../libraries/Codes.sol";
import {PassportHash} from "../libraries/PassportHash.sol";
import {StepFacts} from "../libraries/StepFacts.sol";
import {BorderChecks} from "./BorderChecks.sol";
import {Datasets} from "./Datasets.sol";

/// @title Lineage
/// @notice Steps, versions, and what a withdrawal asks of a model.
abstract contract Lineage is ILineage, Datasets, BorderChecks {
    uint256 private constant _MAX_LINKS = 16;
    uint256 private constant _MAX_ORIGINS = 32;
    uint32 private constant _ANSWER_SECONDS = 30 days;
    uint8 private constant _TEST = 1 << 2;
    uint32 private constant _NOBODY = type(uint32).max;

    /// @dev What is known of the inputs of a step.
    struct Inputs {
        uint32[] team; // who takes part: the recorder first
        uint32 facts; // of those that only an input can spoil
        uint16 purposes; // that all may serve
        uint32 onlyTo; // only member that what is made of them may be shared with; 0 if any
        Origin[] origins; // of all, each dataset and split once
        uint256 count;
        uint256 strangers; // inputs that are of no dataset
        bool isCore;
        bool noLinkage; // an agreement forbids to merge one of them
    }

    /* MEMBERS */

    /// @inheritdoc ILineage
    function recordStep(Step calldata step) external returns (uint32 stepId, uint32 missing) {
        uint32[] memory team = new uint32[](1);
        team[0] = _callerId();
        return _record(step, team);
    }

    /// @inheritdoc ILineage
    function recordJointStep(
        Step calldata step,
        Part[] calldata parts
    ) external returns (uint32 stepId, uint32 missing) {
        uint32 caller = _callerId();
        require(
            parts.length != 0 && parts.length <= _MAX_LINKS && step.outputs.length != 0,
            Lineage_Malformed(step.kind)
        );
        uint32[] memory team = new uint32[](parts.length + 1);
        team[0] = caller;
        bytes32 hash = PassportHash.stepHash(step);
        require(!_jointSteps[caller][hash], Lineage_Repeated());
        _jointSteps[caller][hash] = true;
        stepId = _counts.steps + 1;
        uint32 former = 0;
        for (uint256 index = 0; index < parts.length; ++index) {
            Part calldata part = parts[index];
            uint32 memberId = part.memberId;
            require(
                memberId > former &&
                    part.contribution != 0 &&
                    _isSigned(
                        memberId,
                        PassportHash.partHash(caller, memberId, part.contribution, hash),
                        part.signature
                    ),
                Lineage_BadPart(memberId)
            );
            team[index + 1] = former = memberId;
            _contributions[stepId][memberId] = part.contribution;
            emit PartSigned(stepId, memberId, part.contribution);
        }
        return _record(step, team);
    }

    /// @inheritdoc ILineage
    function registerExternal(
        bytes32 content,
        VersionKind kind,
        uint16 purposes,
        bytes32 statement
    ) external returns (bytes32 versionId) {
        uint32 caller = _activeCallerId();
        versionId = PassportHash.externalId(caller, content);
        _requireNew(versionId);
        require(
            content != 0 &&
                (kind == VersionKind.DATA || kind == VersionKind.MODEL) &&
                purposes != 0 &&
                purposes & _header.bannedPurposes == 0 &&
                statement != 0,
            Lineage_Incomplete(versionId)
        );
        Version storage version = _versions[versionId];
        version.owner = caller;
        version.kind = kind;
        version.purposes = purposes;
        emit ExternalRegistered(versionId, caller, kind, purposes, statement);
    }

    /// @inheritdoc ILineage
    function verifyVersion(bytes32 versionId, bool passed, bytes32 report) external {
        uint32 caller = _callerWith(Codes.ROLE_VERIFIER);
        Version storage version = _knownVersion(versionId);
        require(
            version.owner != caller &&
                _shares[versionId][caller].agreementId == 0 &&
                _contributions[version.stepId][caller] == 0 &&
                report != 0,
            Lineage_NotQualified(versionId, caller)
        );
        require(version.check == Check.PENDING, Lineage_AlreadyVerified(versionId));
        Check check = passed ? Check.PASSED : Check.FAILED;
        version.check = check;
        version.verifier = caller;
        if (passed && version.kind == VersionKind.DATA) _advanceAll(versionId, DatasetStatus.VERIFIED);
        emit VersionVerified(versionId, caller, check, report);
    }

    /// @inheritdoc ILineage
    function answerWithdrawal(
        bytes32 versionId,
        Answer answer,
        bytes32 successor,
        bytes32 evidence
    ) external {
        uint32 caller = _callerId();
        Version storage version = _knownModel(versionId);
        require(version.owner == caller, Lineage_NotQualified(versionId, caller));
        require(
            version.status == ModelStatus.SUSPENDED ||
                (version.status == ModelStatus.ACTIVE && _dueOf(versionId) != 0),
            Lineage_NothingOwed(versionId)
        );
        bool replaced = answer == Answer.RETRAINED || answer == Answer.UNLEARNED;
        require(
            answer != Answer.NONE &&
                evidence != 0 &&
                (replaced ? _mayFollow(successor, caller) : successor == 0),
            Lineage_NoAnswer(versionId)
        );
        if (answer == Answer.JUSTIFIED) {
            Origin[] storage origins = _origins[versionId];
            for (uint256 index = 0; index < origins.length; ++index) {
                origins[index].answered = uint32(_withdrawals[origins[index].datasetId].length);
            }
            version.status = ModelStatus.ACTIVE;
        } else {
            version.status = ModelStatus.RETIRED;
        }
        emit WithdrawalAnswered(versionId, caller, answer, successor, evidence);
    }

    /// @inheritdoc ILineage
    function suspendOverdue(bytes32 versionId) external {
        uint32 caller = _callerId();
        Version storage version = _knownModel(versionId);
        uint32 due = _dueOf(versionId);
        require(
            version.status == ModelStatus.ACTIVE && due != 0 && block.timestamp > due,
            Lineage_NothingOwed(versionId)
        );
        version.status = ModelStatus.SUSPENDED;
        emit ModelSuspended(versionId, caller);
    }

    /* VIEWS */

    /// @inheritdoc ILineage
    function versionOf(bytes32 versionId) external view returns (Version memory) {
        return _versions[versionId];
    }

    /// @inheritdoc ILineage
    function originsOf(bytes32 versionId) external view returns (Origin[] memory) {
        return _origins[versionId];
    }

    /// @inheritdoc ILineage
    function contributionOf(uint32 stepId, uint32 memberId) external view returns (bytes32) {
        return _contributions[stepId][memberId];
    }

    /// @inheritdoc ILineage
    function stepCount() external view returns (uint32) {
        return _counts.steps;
    }

    /// @inheritdoc ILineage
    function obligationOf(bytes32 versionId) external view returns (uint32 due) {
        Version storage version = _versions[versionId];
        if (version.kind != VersionKind.MODEL || version.status == ModelStatus.RETIRED) return 0;
        return _dueOf(versionId);
    }

    /* INTERNALS */

    function _isSigned(
        uint32 memberId,
        bytes32 structHash,
        bytes calldata signature
    ) private view returns (bool) {
        return
            SignatureChecker.isValidSignatureNow(
                _members[memberId].signer,
                _hashTypedDataV4(structHash),
                signature
            );
    }

    /// @dev Records what a team did.
    function _record(
        Step calldata step,
        uint32[] memory team
    ) private returns (uint32 stepId, uint32 missing) {
        _requireWellFormed(step);
        Inputs memory inputs = _read(step, team);
        missing = StepFacts.requiredOf(step.kind) & ~_factsOf(step, inputs);
        stepId = ++_counts.steps;
        if (missing == 0) _do(step, stepId, inputs);
        emit StepRecorded(stepId, team[0], step.kind, missing, step);
    }

    /// @dev A step has what its kind has. That a split makes three is a rule, not a form.
    function _requireWellFormed(Step calldata step) private view {
        (uint256 least, uint256 most) = _inputsOf(step.kind);
        bool onDataset = step.kind == StepKind.COLLECT || step.kind == StepKind.DESTROY;
        require(
            step.inputs.length >= least &&
                step.inputs.length <= most &&
                step.outputs.length <= _MAX_LINKS &&
                (step.outputs.length == 0) == _makesNothing(step.kind) &&
                (step.kind == StepKind.SPLIT || step.outputs.length < 2) &&
                onDataset == (step.datasetId != 0) &&
                !(onDataset && step.epsilon != 0) &&
                (step.kind == StepKind.TRAIN) == (step.purposes != 0) &&
                step.projectId <= _counts.projects &&
                step.parameters != 0,
            Lineage_Malformed(step.kind)
        );
        if (onDataset) _knownDataset(step.datasetId);
        for (uint256 index = 0; index < step.outputs.length; ++index) {
            _requireNew(step.outputs[index]);
        }
    }

    function _requireNew(bytes32 versionId) private view {
        require(
            versionId != 0 &&
                _versions[versionId].kind == VersionKind.NONE &&
                _passports[versionId].status == IPassports.PassportStatus.NONE, // both are attested to by their ids
            Lineage_Exists(versionId)
        );
    }

    function _makesNothing(StepKind kind) private pure returns (bool) {
        return kind == StepKind.EVALUATE || kind == StepKind.DEPLOY || kind == StepKind.DESTROY;
    }

    /// @dev The least and the most inputs that a step of a kind has.
    function _inputsOf(StepKind kind) private pure returns (uint256 least, uint256 most) {
        if (kind == StepKind.COLLECT || kind == StepKind.DESTROY) return (0, 0);
        if (kind == StepKind.MERGE) return (2, _MAX_LINKS);
        if (kind == StepKind.TRAIN || kind == StepKind.INFER) return (1, _MAX_LINKS);
        if (kind == StepKind.EVALUATE) return (2, _MAX_LINKS);
        return (1, 1);
    }

    /// @dev Reads the inputs once: what they may serve, where they are from, and what one of them spoils for the step.
    function _read(Step calldata step, uint32[] memory team) private view returns (Inputs memory inputs) {
        inputs.team = team;
        inputs.facts =
            StepFacts.INPUTS_KNOWN |
            StepFacts.INPUTS_AVAILABLE |
            StepFacts.INPUTS_SOUND |
            StepFacts.INPUTS_VERIFIED |
            StepFacts.BORDER_CLEARED |
            StepFacts.MODEL_READY;
        inputs.purposes = type(uint16).max;
        inputs.origins = new Origin[](_MAX_ORIGINS);
        for (uint256 index = 0; index < step.inputs.length; ++index) {
            _readOne(inputs, step, index);
        }
        if (step.datasetId != 0 && _datasets[step.datasetId].owner != team[0])
            inputs.facts &= ~StepFacts.INPUTS_AVAILABLE;
    }

    function _readOne(Inputs memory inputs, Step calldata step, uint256 index) private view {
        bytes32 versionId = step.inputs[index];
        Version memory version = _versions[versionId];
        if (!_takes(step.kind, index, version.kind)) inputs.facts &= ~StepFacts.INPUTS_KNOWN;
        if (version.check == Check.FAILED || _isQuarantined(version)) inputs.facts &= ~StepFacts.INPUTS_SOUND;
        if (version.kind == VersionKind.DATA && version.check != Check.PASSED)
            inputs.facts &= ~StepFacts.INPUTS_VERIFIED;
        if (version.kind == VersionKind.MODEL) {
            if (version.status != ModelStatus.ACTIVE) inputs.facts &= ~StepFacts.INPUTS_AVAILABLE;
            if (!_isReady(step, versionId, version)) inputs.facts &= ~StepFacts.MODEL_READY;
        }
        inputs.purposes &= version.purposes;
        uint32 holder = _hold(inputs, step.kind, versionId, version);
        Origin[] memory origins = _origins[versionId];
        if (origins.length == 0) ++inputs.strangers;
        for (uint256 place = 0; place < origins.length; ++place) {
            uint32 owner = _datasets[origins[place].datasetId].owner;
            bool present = version.kind == VersionKind.MODEL && _isIn(inputs.team, owner);
            if (!_isNear(owner, step.projectId, inputs.team[0], present ? owner : holder))
                inputs.facts &= ~StepFacts.BORDER_CLEARED;
            _join(inputs, origins[place], step.kind);
        }
    }

    /// @dev Who of the team has a version: its owner, or somebody whom it was shared with under an agreement in force,
    /// whose limits then hold. Only training reaches what is not the recorder's: else its data would leave who has it.
    function _hold(
        Inputs memory inputs,
        StepKind kind,
        bytes32 versionId,
        Version memory version
    ) private view returns (uint32 holder) {
        uint32[] memory team = inputs.team;
        uint256 reach = kind == StepKind.TRAIN ? team.length : 1;
        bool learns = kind == StepKind.TRAIN && version.kind == VersionKind.DATA; // a model does not pass data on
        if (!learns) _bind(inputs, version.onlyTo);
        for (uint256 place = 0; place < reach; ++place) {
            if (team[place] == version.owner) return version.owner;
        }
        for (uint256 place = 0; place < reach; ++place) {
            IShares.Share memory share = _shares[versionId][team[place]];
            IAgreements.Agreement memory agreement = _agreements[share.agreementId];
            if (block.timestamp >= share.keepUntil || !_isInForce(agreement)) continue;
            inputs.purposes &= agreement.purposes;
            if (!agreement.linkage) inputs.noLinkage = true;
            if (!agreement.onward && !learns) _bind(inputs, version.owner);
            return team[place];
        }
        inputs.facts &= ~StepFacts.INPUTS_AVAILABLE;
        return team[0];
    }

    /// @dev What is made may be shared with this member only; with nobody, if it is bound to another too.
    function _bind(Inputs memory inputs, uint32 memberId) private pure {
        if (memberId == 0 || memberId == inputs.team[0]) return;
        inputs.onlyTo = inputs.onlyTo == 0 || inputs.onlyTo == memberId ? memberId : _NOBODY;
    }

    function _isIn(uint32[] memory team, uint32 memberId) private pure returns (bool) {
        for (uint256 place = 0; place < team.length; ++place) {
            if (team[place] == memberId) return true;
        }
        return false;
    }

    /// @dev From outside, and nobody independent has said that it is sound.
    function _isQuarantined(Version memory version) private pure returns (bool) {
        return version.stepId == 0 && version.kind != VersionKind.NONE && version.check != Check.PASSED;
    }

    /// @dev Whether a step takes a version of this kind in this place: a model is evaluated, deployed or used first.
    function _takes(StepKind kind, uint256 index, VersionKind version) private pure returns (bool) {
        if (kind == StepKind.EVALUATE || kind == StepKind.DEPLOY || kind == StepKind.INFER)
            return version == (index == 0 ? VersionKind.MODEL : VersionKind.DATA);
        if (kind == StepKind.TRAIN)
            return version == VersionKind.DATA || (index == 0 && version == VersionKind.MODEL);
        if (kind == StepKind.RELEASE) return version != VersionKind.NONE;
        return version == VersionKind.DATA;
    }

    function _isReady(
        Step calldata step,
        bytes32 versionId,
        Version memory model
    ) private view returns (bool) {
        uint32 due = _dueOf(versionId);
        return
            model.status == ModelStatus.ACTIVE &&
            (due == 0 || block.timestamp <= due) &&
            model.evaluated &&
            (step.kind != StepKind.INFER || model.deployed) &&
            _attestedBy(bytes32(uint256(step.projectId)), IAttestations.AttestationKind.LICENCE) != 0;
    }

    /// @dev Each dataset and split once: with the fewest withdrawals that came before, and all parts.
    function _join(Inputs memory inputs, Origin memory origin, StepKind kind) private pure {
        for (uint256 index = 0; index < inputs.count; ++index) {
            Origin memory known = inputs.origins[index];
            if (known.datasetId != origin.datasetId || known.splitId != origin.splitId) continue;
            if (origin.withdrawals < known.withdrawals) known.withdrawals = origin.withdrawals;
            known.parts |= origin.parts;
            return;
        }
        require(inputs.count < _MAX_ORIGINS, Lineage_Malformed(kind));
        inputs.origins[inputs.count] = Origin(
            origin.datasetId,
            origin.withdrawals,
            0,
            origin.splitId,
            origin.parts
        );
        ++inputs.count;
    }

    function _factsOf(Step calldata step, Inputs memory inputs) private view returns (uint32 facts) {
        facts = _originFacts(step, inputs); // takes some of the inputs' facts away
        facts |= inputs.facts;
        bool active = true;
        uint16 scope = type(uint16).max;
        for (uint256 place = 0; place < inputs.team.length; ++place) {
            IMembers.Member storage member = _members[inputs.team[place]];
            active = active && _isActive(member);
            scope &= member.purposes;
        }
        if (active) facts |= StepFacts.MEMBER_ACTIVE;
        if (_isCovered(step, inputs.team[0])) facts |= StepFacts.PROJECT_APPROVED;
        if (_isCertified(step.tool)) facts |= StepFacts.TOOL_CERTIFIED;
        if (_isAllowed(step, scope, inputs.purposes & ~_header.bannedPurposes))
            facts |= StepFacts.PURPOSE_ALLOWED;
        if (step.outputs.length == 3) facts |= StepFacts.THREE_PARTS;
        if (_isUnseen(step)) facts |= StepFacts.TEST_UNSEEN;
        if (!inputs.isCore || (step.epsilon != 0 && _areEncrypted(step.inputs))) facts |= StepFacts.PROTECTED;
    }

    /// @dev What follows from the datasets that the inputs are from.
    function _originFacts(Step calldata step, Inputs memory inputs) private view returns (uint32 facts) {
        facts = StepFacts.INPUTS_CURRENT | StepFacts.BUDGET_LEFT;
        bool available = _isOpen(step.datasetId, step.kind);
        bool relink = !inputs.noLinkage;
        uint256 datasets = inputs.strangers; // each as if it were a dataset
        for (uint256 index = 0; index < inputs.count; ++index) {
            Origin memory origin = inputs.origins[index];
            Dataset memory dataset = _datasets[origin.datasetId];
            available = available && _isOpen(origin.datasetId, step.kind);
            if (_isStale(origin, dataset.excused)) facts &= ~StepFacts.INPUTS_CURRENT;
            if (
                dataset.budget != 0 &&
                ((_spends(step.kind) && step.epsilon == 0) || dataset.budget - dataset.spent < step.epsilon)
            ) facts &= ~StepFacts.BUDGET_LEFT;
            if (dataset.noRelink) relink = false;
            if (_isFirst(inputs, index)) ++datasets;
            if (dataset.categories & _header.coreCategories != 0) inputs.isCore = true;
        }
        if (!available) inputs.facts &= ~StepFacts.INPUTS_AVAILABLE;
        if (relink || datasets < 2) facts |= StepFacts.RELINK_ALLOWED;
    }

    /// @dev Whether data of this owner may be used by a member: it is where the owner is, or a clearance is in force for
    /// a project of the recorder's own.
    function _isNear(
        uint32 owner,
        uint32 projectId,
        uint32 recorder,
        uint32 memberId
    ) private view returns (bool) {
        return
            _members[owner].jurisdiction == _members[memberId].jurisdiction ||
            (_projects[projectId].memberId == recorder &&
                _isCleared(_clearances[_clearanceFor[projectId][owner]], memberId));
    }

    /// @dev Whether no origin before this one is from its dataset: parts of two splits are from one.
    function _isFirst(Inputs memory inputs, uint256 place) private pure returns (bool) {
        for (uint256 index = 0; index < place; ++index) {
            if (inputs.origins[index].datasetId == inputs.origins[place].datasetId) return false;
        }
        return true;
    }

    /// @dev Neither sealed nor destroyed; to be used, within retention and the consents in it.
    function _isOpen(uint32 datasetId, StepKind kind) private view returns (bool) {
        if (datasetId == 0) return true;
        Dataset storage dataset = _datasets[datasetId];
        DatasetStatus status = dataset.status;
        if (kind == StepKind.DESTROY) return status != DatasetStatus.DESTROYED;
        return status < DatasetStatus.SEALED && _isInTime(dataset);
    }

    function _spends(StepKind kind) private pure returns (bool) {
        return kind == StepKind.SPLIT || kind == StepKind.INFER || kind == StepKind.RELEASE;
    }

    function _isCovered(Step calldata step, uint32 memberId) private view returns (bool) {
        IProjects.Project memory project = _projects[step.projectId];
        return
            project.memberId == memberId &&
            !project.withdrawn &&
            project.ethics != 0 &&
            block.timestamp >= project.validFrom &&
            block.timestamp < project.validTo &&
            _purposeOf(step.kind) & ~project.purposes == 0;
    }

    /// @dev The purpose that a kind of step has, as a set; none if it has none of its own.
    function _purposeOf(StepKind kind) private pure returns (uint16) {
        if (kind == StepKind.TRAIN) return uint16(1 << Codes.AI_TRAINING);
        if (kind == StepKind.EVALUATE) return uint16(1 << Codes.AI_VALIDATION);
        if (kind == StepKind.DEPLOY || kind == StepKind.INFER) return uint16(1 << Codes.AI_INFERENCE);
        return 0;
    }

    function _isAllowed(Step calldata step, uint16 scope, uint16 purposes) private pure returns (bool) {
        uint16 wanted = _purposeOf(step.kind);
        return purposes != 0 && wanted & ~(scope & purposes) == 0 && step.purposes & ~purposes == 0;
    }

    function _isCertified(bytes32 tool) private view returns (bool) {
        return tool != 0 && _attestedBy(tool, IAttestations.AttestationKind.TOOL) != 0;
    }

    function _areEncrypted(bytes32[] calldata versions) private view returns (bool) {
        for (uint256 index = 0; index < versions.length; ++index) {
            if (_attestedBy(versions[index], IAttestations.AttestationKind.ENCRYPTION) == 0) return false;
        }
        return true;
    }

    /// @dev What trains was not set apart for tests. What tests shares no dataset with the model, but for another part
    /// of the same split.
    function _isUnseen(Step calldata step) private view returns (bool) {
        if (step.kind == StepKind.TRAIN) {
            for (uint256 index = 0; index < step.inputs.length; ++index) {
                Origin[] storage origins = _origins[step.inputs[index]];
                for (uint256 place = 0; place < origins.length; ++place) {
                    if (origins[place].parts & _TEST != 0) return false;
                }
            }
        }
        if (step.kind != StepKind.EVALUATE) return true;
        Origin[] memory learned = _origins[step.inputs[0]];
        for (uint256 index = 1; index < step.inputs.length; ++index) {
            if (!_isApart(learned, _origins[step.inputs[index]])) return false;
        }
        return true;
    }

    function _isApart(Origin[] memory learned, Origin[] memory tested) private pure returns (bool) {
        for (uint256 index = 0; index < tested.length; ++index) {
            for (uint256 place = 0; place < learned.length; ++place) {
                Origin memory one = learned[place];
                Origin memory other = tested[index];
                if (one.datasetId != other.datasetId) continue;
                if (one.splitId == 0 || one.splitId != other.splitId || one.parts & other.parts != 0)
                    return false;
            }
        }
        return true;
    }

    /// @dev What a step that stands changes.
    function _do(Step calldata step, uint32 stepId, Inputs memory inputs) private {
        if (step.kind == StepKind.COLLECT) _collect(step, inputs);
        for (uint256 index = 0; index < step.outputs.length; ++index) {
            _make(step, stepId, inputs, index);
        }
        for (uint256 index = 0; index < inputs.count; ++index) {
            Dataset storage dataset = _datasets[inputs.origins[index].datasetId];
            if (step.epsilon != 0 && dataset.budget != 0 && _isFirst(inputs, index))
                dataset.spent += step.epsilon;
            _advance(dataset, _statusAfter(step.kind));
        }
        if (step.kind == StepKind.EVALUATE) _versions[step.inputs[0]].evaluated = true;
        if (step.kind == StepKind.DEPLOY) _versions[step.inputs[0]].deployed = true;
        if (step.kind == StepKind.DESTROY) _datasets[step.datasetId].status = DatasetStatus.DESTROYED;
    }

    function _collect(Step calldata step, Inputs memory inputs) private view {
        uint32 withdrawals = uint32(_withdrawals[step.datasetId].length);
        inputs.origins[0] = Origin(step.datasetId, withdrawals, 0, 0, 0);
        inputs.count = 1;
        inputs.purposes = _datasets[step.datasetId].purposes;
    }

    function _make(Step calldata step, uint32 stepId, Inputs memory inputs, uint256 index) private {
        bytes32 versionId = step.outputs[index];
        Version storage version = _versions[versionId];
        require(version.kind == VersionKind.NONE, Lineage_Exists(versionId)); // twice in one step
        version.stepId = stepId;
        version.owner = inputs.team[0];
        version.onlyTo = inputs.onlyTo;
        version.kind = _kindAfter(step.kind);
        version.purposes = step.kind == StepKind.TRAIN ? step.purposes : inputs.purposes;
        for (uint256 place = 0; place < inputs.count; ++place) {
            Origin memory origin = inputs.origins[place];
            bool split = step.kind == StepKind.SPLIT && origin.parts & _TEST == 0; // a test part of old stays one
            _origins[versionId].push(
                Origin(
                    origin.datasetId,
                    origin.withdrawals,
                    0,
                    split ? stepId : origin.splitId,
                    split ? uint8(1 << index) : origin.parts
                )
            );
        }
    }

    function _kindAfter(StepKind kind) private pure returns (VersionKind) {
        if (kind == StepKind.TRAIN) return VersionKind.MODEL;
        if (kind == StepKind.INFER || kind == StepKind.RELEASE) return VersionKind.RESULT;
        return VersionKind.DATA;
    }

    function _statusAfter(StepKind kind) private pure returns (DatasetStatus) {
        if (kind == StepKind.COLLECT) return DatasetStatus.COLLECTED;
        if (kind < StepKind.TRAIN) return DatasetStatus.PROCESSED;
        return DatasetStatus.IN_USE;
    }

    function _advanceAll(bytes32 versionId, DatasetStatus status) private {
        Origin[] storage origins = _origins[versionId];
        for (uint256 index = 0; index < origins.length; ++index) {
            _advance(_datasets[origins[index].datasetId], status);
        }
    }

    /// @dev A model that was justified still has in it what was withdrawn.
    function _mayFollow(bytes32 successor, uint32 owner) private view returns (bool) {
        Version storage version = _versions[successor];
        if (
            version.kind != VersionKind.MODEL ||
            version.owner != owner ||
            version.status != ModelStatus.ACTIVE ||
            _isQuarantined(version)
        ) return false;
        Origin[] memory origins = _origins[successor];
        for (uint256 index = 0; index < origins.length; ++index) {
            if (_isStale(origins[index], _datasets[origins[index].datasetId].excused)) return false;
        }
        return true;
    }

    /// @dev When the first withdrawal that reached a version must be answered; 0 if none did.
    function _dueOf(bytes32 versionId) private view returns (uint32 due) {
        Origin[] memory origins = _origins[versionId];
        for (uint256 index = 0; index < origins.length; ++index) {
            uint32 datasetId = origins[index].datasetId;
            uint256 answered = _datasets[datasetId].excused;
            if (answered < origins[index].withdrawals) answered = origins[index].withdrawals;
            if (answered < origins[index].answered) answered = origins[index].answered;
            if (answered == _withdrawals[datasetId].length) continue;
            uint32 until = _withdrawals[datasetId][answered] + _ANSWER_SECONDS;
            if (due == 0 || until < due) due = until;
        }
    }

    function _knownVersion(bytes32 versionId) private view returns (Version storage version) {
        version = _versions[versionId];
        require(version.kind != VersionKind.NONE, Lineage_Unknown(versionId));
    }

    function _knownModel(bytes32 versionId) private view returns (Version storage version) {
        version = _versions[versionId];
        require(version.kind == VersionKind.MODEL, Lineage_Unknown(versionId));
    }
}
