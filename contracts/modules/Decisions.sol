// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "../interfaces/IAttestations.sol";
import {IBorders} from "../interfaces/IBorders.sol";
import {IDatasets} from "../interfaces/IDatasets.sol";
import {IDecisions} from "../interfaces/IDecisions.sol";
import {IEmergencies} from "../interfaces/IEmergencies.sol";
import {IMembers} from "../interfaces/IMembers.sol";
import {IPassports} from "../interfaces/IPassports.sol";
import {IProjects} from "../interfaces/IProjects.sol";
import {Codes} from "../libraries/Codes.sol";
import {Facts} from "../libraries/Facts.sol";
import {Branchless} from "../libraries/Branchless.sol";
import {GrantTest, GrantWord, GrantWordLib} from "../libraries/GrantWord.sol";
import {PassportHash} from "../libraries/PassportHash.sol";
import {PassportWord, PassportWordLib} from "../libraries/PassportWord.sol";
import {Terms} from "../libraries/Terms.sol";
import {Verdict, VerdictLib} from "../libraries/Verdict.sol";
import {EmergencyRight} from "./EmergencyRight.sol";

/// @title Decisions
/// @notice Requests answered by the law in force.
/// @dev The hot path. A call reads member, law and caps once; what follows from the terms alone is worked out once for
/// each batch; a passport and a grant are read as one word each.
abstract contract Decisions is IDecisions, EmergencyRight {
    /// @dev Under one grant; as many as a slot holds.
    uint256 private constant _MAX_DATASETS = 7;

    /// @dev A member as a request needs it.
    struct Party {
        uint32 id; // 0: nobody
        uint16 scope;
        uint16 jurisdiction;
        uint16 control;
        uint8 kind;
        bool active;
    }

    /// @dev What a call reads once, and what the batch in hand comes to.
    struct Context {
        Party requester;
        Header header;
        uint256 necessary;
        uint256 caps;
        uint256 used; // permits of today that count against caps
        bytes32[7] words; // of the fold: head, passport, grant, requester, terms, verdict, commitment
        uint256 place; // in memory, of the next verdict
        // The batch in hand
        Terms terms;
        GrantTest test;
        Party principal;
        uint256 facts; // that follow from the terms alone
        uint256 required; // with LAWFUL
        uint256 asked; // facts on demand that are required, but for the border
        uint256 answer; // what every verdict has: policy version and data class
        uint256 level; // asked for
        uint256 leastLevel; // that the law demands
        uint256 consentMask; // all bits if consent is the basis, else none
        uint256 purpose; // as a set; empty if it is banned
        bool unusual; // caps, or facts on demand
        bool consumes; // a permit uses something up besides a grant's uses
        uint256 dataset; // to include the data into; 0 for other operations
        uint256 datasetAsks; // purposes that a consent must give to be included; what no consent gives if nobody can be
        uint256 remembered; // with the grant in hand, if it is included under it: its datasets; 0 if they stay as they are
        // The custodian in hand
        uint256 custodian;
        uint16 jurisdiction;
        bool crosses; // the data would cross a border, and the law asks for a clearance
        uint256 custodianFacts; // that follow from who keeps the data
    }

    /* MEMBERS */

    /// @inheritdoc IDecisions
    function decide(Batch[] calldata batches) external returns (Verdict[] memory verdicts) {
        verdicts = new Verdict[](_count(batches));
        Context memory context = _open(_callerId());
        context.place = _first(verdicts);
        for (uint256 index = 0; index < batches.length; ++index) {
            _take(context, batches[index], index);
            _decideAll(context, batches[index].targets);
        }
        _head = context.words[0];
        if (context.caps != 0) _capUses[context.requester.id][_today()] = context.used;
        _answer(verdicts);
    }

    /* VIEWS */

    /// @inheritdoc IDecisions
    function head() external view returns (bytes32) {
        return _head;
    }

    /* INTERNALS */

    function _count(Batch[] calldata batches) private pure returns (uint256 count) {
        require(batches.length != 0, Decisions_Empty());
        for (uint256 index = 0; index < batches.length; ++index) {
            uint256 targets = batches[index].targets.length;
            require(targets != 0, Decisions_Empty());
            count += targets;
        }
    }

    /// @dev The target that follows in the calldata: two words further.
    function _next(Target calldata target) private pure returns (Target calldata following) {
        assembly ("memory-safe") {
            following := add(target, 0x40)
        }
    }

    /// @dev Where the first verdict lies in memory.
    function _first(Verdict[] memory verdicts) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := add(verdicts, 0x20)
        }
    }

    /// @dev Stores a verdict without a check: `_count` made the room. Returns where the next one goes.
    function _put(uint256 place, Verdict verdict) private pure returns (uint256 next) {
        assembly ("memory-safe") {
            mstore(place, verdict)
            next := add(place, 0x20)
        }
    }

    /// @dev Ends the call with the verdicts as they lie in memory: they need not be copied to be returned.
    function _answer(Verdict[] memory verdicts) private pure {
        assembly ("memory-safe") {
            let start := sub(verdicts, 0x20)
            mstore(start, 0x20)
            return(start, add(0x40, shl(5, mload(verdicts))))
        }
    }

    function _today() private view returns (uint256) {
        return block.timestamp / 1 days;
    }

    function _open(uint32 memberId) private view returns (Context memory context) {
        context.requester = _party(memberId);
        context.header = _header;
        context.necessary = _necessary;
        context.words[0] = _head;
        context.words[3] = bytes32(uint256(memberId));
        context.caps = _caps[memberId];
        if (context.caps != 0) context.used = _capUses[memberId][_today()];
    }

    /// @dev Works out what follows from the terms of a batch alone.
    function _take(Context memory context, Batch calldata batch, uint256 index) private view {
        Terms terms = batch.terms;
        _requireWellFormed(terms, index);
        uint8 purpose = terms.purpose();
        uint8 dataClass = _classOf(context.header, terms.categories());
        uint256 entry = (uint256(dataClass) - 1) * 16 + purpose;
        uint256 required = uint32(_required[entry] >> (32 * uint256(terms.basis())));
        uint256 facts = required == 0 ? 0 : Facts.LAWFUL;
        facts |= Facts.BUDGET_LEFT; // a record has none to spend
        uint16 necessary = uint16(context.necessary >> (16 * uint256(purpose)));
        if (terms.categories() & ~necessary == 0) facts |= Facts.CATEGORIES_NECESSARY;
        context.terms = terms;
        context.words[4] = bytes32(Terms.unwrap(terms));
        context.words[6] = batch.commitment;
        context.answer = VerdictLib.base(context.header.version, dataClass);
        context.dataset = terms.dataset();
        context.required = required | Facts.LAWFUL;
        if (context.dataset != 0) context.required |= Facts.DATASET_FITS;
        else facts |= Facts.DATASET_FITS;
        context.asked = required & Facts.ASKED_ON_DEMAND & ~Facts.BORDER_CLEARED;
        context.level = terms.level();
        context.consentMask = terms.basis() == Codes.CONSENT ? type(uint256).max : 0;
        context.leastLevel = uint8(context.header.levels >> (2 * entry)) & 3;
        context.purpose = uint16(1 << purpose) & ~context.header.bannedPurposes;
        context.unusual = context.caps != 0 || context.asked != 0 || context.dataset != 0;
        context.consumes = context.caps != 0 || terms.emergency() != 0 || terms.operation() != Codes.READ;
        context.custodian = 0; // what follows from the custodian depends on the terms too
        if (context.caps == 0) facts |= Facts.WITHIN_CAP;
        facts |= _memberFacts(context, terms);
        Party memory principal = context.principal;
        context.facts = facts | _projectFacts(principal.id, terms, dataClass);
        context.test = GrantWordLib.testOf(terms, principal.id, principal.control, principal.kind);
        if (context.dataset != 0) _meetDataset(context, terms, principal.id);
    }

    /// @dev What follows from who asks; names the principal.
    function _memberFacts(Context memory context, Terms terms) private view returns (uint256 facts) {
        Party memory requester = context.requester;
        uint8 purpose = terms.purpose();
        bool active = requester.active;
        uint16 scope = requester.scope;
        context.principal = requester;
        if (terms.controller() != 0) {
            Party memory controller = _party(terms.controller());
            active = active && controller.active;
            scope &= controller.scope;
            context.principal = _isEntrusted(controller.id, requester.id, purpose) ? controller : _nobody();
        }
        if (active) facts = Facts.MEMBER_ACTIVE;
        if (_has(scope, purpose)) facts |= Facts.MEMBER_SCOPE;
    }

    function _decideAll(Context memory context, Target[] calldata targets) private {
        uint256 place = context.place;
        uint256 end = place + 32 * targets.length;
        Target calldata target = targets[0];
        while (true) {
            place = _put(place, _decide(context, target));
            if (place == end) break;
            target = _next(target);
        }
        context.place = end;
    }

    function _decide(Context memory context, Target calldata target) private returns (Verdict verdict) {
        bytes32 passportId = target.passportId;
        bytes32 grantId = target.grantId;
        IPassports.Passport storage stored = _passports[passportId];
        PassportWord passport = PassportWordLib.load(stored);
        require(passport.isKnown(), IPassports.Passports_Unknown(passportId));
        GrantWord grant = GrantWordLib.NO_GRANT;
        if (grantId != 0) grant = GrantWordLib.load(_grants[passportId][grantId]);
        uint256 facts =
            context.facts | grant.facts(context.test) | _passportFacts(context, target, passport, grant);
        uint256 missing = context.required & ~facts;
        passport.storeNext(stored);
        uint256 outcome = Codes.PERMIT;
        if (missing == 0) {
            if (Branchless.either(context.consumes, grant.hasQuota()))
                _takePermit(context, target, passport, grant);
        } else {
            outcome = Codes.DENY;
            if (missing == Facts.HUMAN_REVIEWED) {
                outcome = Codes.REVIEW;
                _waiting[passportId][uint40(passport.size())] = _requestHash(context, target);
            }
        }
        verdict = _record(
            context.words,
            target,
            VerdictLib.answer(context.answer, passport.size(), outcome, facts, missing)
        );
    }

    /// @dev What follows from the passport, and the facts on demand.
    function _passportFacts(
        Context memory context,
        Target calldata target,
        PassportWord passport,
        GrantWord grant
    ) private view returns (uint256 facts) {
        uint256 custodian = passport.custodian();
        if (custodian != context.custodian) _meet(context, custodian);
        facts =
            context.custodianFacts |
            Branchless.select(passport.isOpen(), Facts.PASSPORT_OPEN) |
            Branchless.select(passport.serves(context.purpose), Facts.PURPOSE_ALLOWED) |
            Branchless.select(_isLevelSufficient(context, passport, grant), Facts.LEVEL_SUFFICIENT) |
            Branchless.select(passport.lock() == 0, Facts.UNLOCKED);
        if (Branchless.either(context.unusual, passport.lock() != 0))
            facts |= _unusualFacts(context, target, passport, grant);
    }

    /// @dev The data is asked for, or is in any case, at the level of the law and, where consent is the basis, the grant.
    function _isLevelSufficient(
        Context memory context,
        PassportWord passport,
        GrantWord grant
    ) private pure returns (bool) {
        uint256 asked = context.level;
        uint256 law = context.leastLevel;
        uint256 consented = grant.level() & context.consentMask;
        return
            Branchless.both(
                Branchless.either(asked >= law, passport.level() >= law),
                Branchless.either(asked >= consented, passport.level() >= consented)
            );
    }

    function _unusualFacts(
        Context memory context,
        Target calldata target,
        PassportWord passport,
        GrantWord grant
    ) private view returns (uint256 facts) {
        Terms terms = context.terms;
        if (passport.lock() != 0 && passport.lock() == terms.emergency() && _covers(context, target))
            facts = Facts.UNLOCKED;
        if (context.caps != 0) {
            uint256 place = 16 * uint256(terms.purpose());
            uint16 cap = uint16(context.caps >> place);
            if (cap == 0 || uint16(context.used >> place) < cap) facts |= Facts.WITHIN_CAP;
        }
        if (context.dataset != 0 && _fits(context, target.grantId, grant)) facts |= Facts.DATASET_FITS;
        if (
            context.crosses &&
            _mayReceive(context) &&
            IBorders(address(this)).mayCross(_crossing(context, target))
        ) facts |= Facts.BORDER_CLEARED;
        if (context.asked != 0) facts |= _factsOnDemand(context.asked, context, target, passport);
    }

    /// @dev Works out what the dataset asks of a consent. What was included under one it may serve in all that it is for;
    /// on another basis, only in what was asked for: the dataset must be for nothing else.
    function _meetDataset(Context memory context, Terms terms, uint32 principal) private view {
        IDatasets.Dataset storage dataset = _datasets[uint32(context.dataset)];
        uint256 purposes = dataset.purposes;
        uint256 asked = 1 << terms.purpose();
        bool fits =
            dataset.owner == principal &&
                dataset.status < IDatasets.DatasetStatus.SEALED &&
                terms.categories() & ~dataset.categories == 0 &&
                purposes & asked != 0 &&
                (context.consentMask != 0 || purposes == asked);
        context.datasetAsks = fits ? purposes & context.consentMask : type(uint256).max;
    }

    /// @dev Whether the dataset takes this in, and what the grant then has to remember.
    function _fits(Context memory context, bytes32 grantId, GrantWord grant) private view returns (bool) {
        if (context.datasetAsks & ~uint256(grant.purposes()) != 0) return false;
        context.remembered = 0;
        if (context.consentMask == 0) return true;
        uint256 uses = _uses[grantId];
        uint256 count = uint8(uses >> 8);
        uint256 place = 32;
        for (uint256 end = 32 + 32 * count; place < end; place += 32) {
            if (uint32(uses >> place) == context.dataset) return true;
        }
        context.remembered = (uses | (context.dataset << place)) + (1 << 8);
        return count < _MAX_DATASETS;
    }

    /// @dev Remembers a dataset with the grant, so that its withdrawal reaches it. Without a consent nobody allowed that
    /// the data is passed on, and it can be used no longer than the emergency that the permit rests on, if any.
    function _include(Context memory context, bytes32 grantId, GrantWord grant, uint32 emergencyId) private {
        IDatasets.Dataset storage dataset = _datasets[uint32(context.dataset)];
        ++dataset.included;
        uint32 end = grant.useTo();
        bool byConsent = context.consentMask != 0;
        if (!byConsent) end = emergencyId == 0 ? type(uint32).max : _emergencies[emergencyId].until;
        if (end < dataset.usableUntil) dataset.usableUntil = end;
        if (!byConsent || !grant.isOnward()) dataset.noOnward = true;
        if (!byConsent) return;
        if (grant.isNoRelink()) dataset.noRelink = true;
        if (context.remembered != 0) _uses[grantId] = context.remembered;
    }

    /// @dev Works out what follows from who keeps the data.
    function _meet(Context memory context, uint256 custodian) private view {
        context.custodian = custodian;
        context.jurisdiction = _members[uint32(custodian)].jurisdiction;
        uint256 facts = custodian == context.principal.id ? Facts.REQUESTER_IS_CUSTODIAN : 0;
        context.crosses = false;
        if (context.required & Facts.BORDER_CLEARED != 0) {
            if (context.jurisdiction == context.requester.jurisdiction && _isAtHome(context))
                facts |= Facts.BORDER_CLEARED;
            else context.crosses = context.unusual = context.consumes = true; // what a clearance is good for
        }
        context.custodianFacts = facts;
    }

    /// @dev Whether the principal, if there is one, is where the data is kept.
    function _isAtHome(Context memory context) private pure returns (bool) {
        Party memory principal = context.principal;
        return principal.id == 0 || principal.jurisdiction == context.jurisdiction;
    }

    /// @dev Whether who asks for data from abroad may have it: its importer is asked for by the register of borders.
    function _mayReceive(Context memory context) private view returns (bool) {
        Party memory requester = context.requester;
        return
            requester.jurisdiction == context.jurisdiction || block.timestamp < _borderAccess[requester.id];
    }

    /// @dev What would cross a border, as the register of borders counts it; to the principal if that is abroad. The ledger
    /// asks it by calling itself.
    function _crossing(
        Context memory context,
        Target calldata target
    ) private pure returns (IBorders.Crossing memory) {
        Terms terms = context.terms;
        return
            IBorders.Crossing({
                projectId: terms.project(),
                exporter: uint32(context.custodian),
                importer: _isAtHome(context) ? context.requester.id : context.principal.id,
                sensitive: terms.categories() &
                    (context.header.coreCategories | context.header.sensitiveCategories) !=
                    0,
                passportId: target.passportId
            });
    }

    function _requireWellFormed(Terms terms, uint256 index) private view {
        require(
            !terms.isDirty() &&
                terms.purpose() < Codes.PURPOSES &&
                terms.basis() < Codes.BASES &&
                terms.operation() < Codes.OPERATIONS_COUNT &&
                terms.level() < Codes.LEVELS &&
                terms.categories() != 0 &&
                (terms.emergency() == 0 || terms.emergency() <= _counts.emergencies) &&
                (terms.controller() == 0 || terms.controller() <= _counts.members) &&
                (terms.operation() == Codes.INCLUDE) == (terms.dataset() != 0) &&
                (terms.dataset() == 0 || terms.dataset() <= _counts.datasets) &&
                (terms.lastDay() == 0 || terms.firstDay() <= terms.lastDay()),
            Decisions_Malformed(index, terms)
        );
    }

    function _projectFacts(
        uint32 principal,
        Terms terms,
        uint8 dataClass
    ) private view returns (uint256 facts) {
        if (terms.project() == 0 || principal == 0) return 0;
        IProjects.Project memory project = _projects[terms.project()];
        if (project.memberId != principal || project.withdrawn) return 0;
        if (
            block.timestamp >= project.validFrom &&
            block.timestamp < project.validTo &&
            _has(project.purposes, terms.purpose()) &&
            terms.categories() & ~project.categories == 0 &&
            dataClass >= project.highestClass
        ) facts = Facts.PROJECT_FILED;
        if (project.techniques != 0) facts |= Facts.PROJECT_TECHNIQUE;
        if (project.agreement) facts |= Facts.PROJECT_AGREEMENT;
        if (project.ethics != 0) facts |= Facts.PROJECT_ETHICS;
        if (project.compliance != 0) facts |= Facts.PROJECT_COMPLIANCE;
    }

    function _factsOnDemand(
        uint256 asked,
        Context memory context,
        Target calldata target,
        PassportWord passport
    ) private view returns (uint256 facts) {
        uint32 requester = context.requester.id;
        if (asked & Facts.EMERGENCY_IN_FORCE != 0 && _covers(context, target))
            facts = Facts.EMERGENCY_IN_FORCE;
        if (asked & Facts.REVIEWS_CURRENT != 0 && _reviewsCurrent(requester)) facts |= Facts.REVIEWS_CURRENT;
        if (asked & Facts.HUMAN_REVIEWED != 0 && block.timestamp < _approvals[_requestHash(context, target)])
            facts |= Facts.HUMAN_REVIEWED;
        facts |= _attestedFacts(asked, context, target, passport);
    }

    function _attestedFacts(
        uint256 asked,
        Context memory context,
        Target calldata target,
        PassportWord passport
    ) private view returns (uint256 facts) {
        bytes32 passportId = target.passportId;
        Terms terms = context.terms;
        if (
            asked & Facts.ENCRYPTED != 0 &&
            _attestedBy(passportId, IAttestations.AttestationKind.ENCRYPTION) != 0
        ) facts = Facts.ENCRYPTED;
        if (asked & Facts.DEIDENTIFIED != 0) {
            uint32 verifier = _attestedBy(passportId, IAttestations.AttestationKind.DEIDENTIFICATION);
            if (
                verifier != 0 &&
                verifier != context.requester.id &&
                verifier != terms.controller() &&
                (context.level >= Codes.DEIDENTIFIED || passport.level() >= Codes.DEIDENTIFIED)
            ) facts |= Facts.DEIDENTIFIED;
        }
        if (
            asked & Facts.SOURCE_DECLARED != 0 &&
            _attestedBy(passportId, IAttestations.AttestationKind.SOURCE) != 0
        ) facts |= Facts.SOURCE_DECLARED;
        if (
            asked & Facts.MODEL_LICENSED != 0 &&
            _attestedBy(_project(terms), IAttestations.AttestationKind.LICENCE) != 0
        ) facts |= Facts.MODEL_LICENSED;
    }

    /// @dev Whether the emergency that a request names is in force and covers it.
    function _covers(Context memory context, Target calldata target) private view returns (bool) {
        Terms terms = context.terms;
        IEmergencies.Emergency storage emergency = _emergencies[terms.emergency()];
        if (
            block.timestamp < emergency.from ||
            block.timestamp >= emergency.until ||
            terms.categories() & ~emergency.categories != 0
        ) return false;
        bool individual = terms.basis() == Codes.INDIVIDUAL_EMERGENCY;
        if (emergency.kind == IEmergencies.EmergencyKind.INDIVIDUAL)
            return
                individual &&
                emergency.memberId == context.requester.id &&
                emergency.passportId == target.passportId;
        return
            !individual &&
            _has(emergency.purposes, terms.purpose()) &&
            emergency.used < emergency.maxRecords &&
            (emergency.jurisdiction == 0 || emergency.jurisdiction == context.jurisdiction);
    }

    /// @dev What a permit uses up.
    function _takePermit(
        Context memory context,
        Target calldata target,
        PassportWord passport,
        GrantWord grant
    ) private {
        Terms terms = context.terms;
        uint256 place = 16 * uint256(terms.purpose());
        // A subject's own requests are counted beyond the cap: not into the next purpose's bits.
        if (uint16(context.caps >> place) != 0 && uint16(context.used >> place) != type(uint16).max)
            context.used += 1 << place;
        if (terms.basis() == Codes.CONSENT && grant.hasQuota())
            ++_grants[target.passportId][target.grantId].uses;
        uint32 emergencyId = terms.emergency();
        if (emergencyId != 0) {
            // Named, but nothing rests on it: nothing is used up.
            bool rests =
                context.required & Facts.EMERGENCY_IN_FORCE != 0 ||
                    (context.required & Facts.UNLOCKED != 0 && passport.lock() != 0);
            if (!rests) emergencyId = 0;
            IEmergencies.Emergency storage emergency = _emergencies[emergencyId];
            if (emergency.kind == IEmergencies.EmergencyKind.PUBLIC) ++emergency.used;
        }
        if (context.crosses) IBorders(address(this)).countCrossing(_crossing(context, target));
        if (context.dataset != 0) _include(context, target.grantId, grant, emergencyId);
        if (terms.operation() == Codes.TRANSFER) {
            Party memory principal = context.principal;
            _permits[target.passportId][uint40(passport.size())] = Permit({
                recipient: context.requester.id,
                principal: principal.id,
                decidedAt: uint32(block.timestamp),
                emergency: emergencyId,
                control: principal.control,
                purpose: terms.purpose(),
                categories: terms.categories(),
                grantId: terms.basis() == Codes.CONSENT ? target.grantId : bytes32(0)
            });
        }
    }

    /// @dev Adds the decision to the fold and emits it. The words of the fold end with those of the event's data, so one
    /// piece of memory serves both; what all decisions of a batch have in common lies there already.
    function _record(
        bytes32[7] memory words,
        Target calldata target,
        Verdict verdict
    ) private returns (Verdict recorded) {
        bytes32 topic = DecisionRecorded.selector;
        assembly ("memory-safe") {
            let passportId := calldataload(target)
            let grantId := calldataload(add(target, 0x20))
            mstore(add(words, 0x20), passportId)
            mstore(add(words, 0x40), grantId)
            mstore(add(words, 0xa0), verdict)
            mstore(words, keccak256(words, 0xe0))
            log4(add(words, 0x80), 0x60, topic, passportId, grantId, mload(add(words, 0x60)))
            recorded := mload(add(words, 0xa0))
        }
    }

    function _requestHash(Context memory context, Target calldata target) private pure returns (bytes32) {
        return
            PassportHash.requestHash(
                Request(target.passportId, target.grantId, context.words[6], context.terms),
                context.requester.id
            );
    }

    /// @dev A project as attestations name it.
    function _project(Terms terms) private pure returns (bytes32) {
        return bytes32(uint256(terms.project()));
    }

    function _party(uint32 memberId) private view returns (Party memory) {
        IMembers.Member storage member = _members[memberId];
        return
            Party({
                id: memberId,
                scope: member.purposes,
                jurisdiction: member.jurisdiction,
                control: member.control,
                kind: uint8(member.kind),
                active: _isActive(member)
            });
    }

    // solhint-disable-next-line no-empty-blocks
    function _nobody() private pure returns (Party memory nobody) {}

    /// @dev The data class of a set of categories: that of the most sensitive one.
    function _classOf(Header memory header, uint16 categories) private pure returns (uint8) {
        if (categories & header.coreCategories != 0) return Codes.CORE_PRIVACY;
        if (categories & header.sensitiveCategories != 0) return Codes.SENSITIVE;
        return Codes.NON_SENSITIVE;
    }
}
