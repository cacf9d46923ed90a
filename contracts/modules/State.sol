// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IAgreements} from "../interfaces/IAgreements.sol";
import {IAttestations} from "../interfaces/IAttestations.sol";
import {IBorders} from "../interfaces/IBorders.sol";
import {ICommittee} from "../interfaces/ICommittee.sol";
import {IConsents} from "../interfaces/IConsents.sol";
import {IDatasets} from "../interfaces/IDatasets.sol";
import {IEmergencies} from "../interfaces/IEmergencies.sol";
import {IHolders} from "../interfaces/IHolders.sol";
import {ILineage} from "../interfaces/ILineage.sol";
import {IMembers} from "../interfaces/IMembers.sol";
import {IPassports} from "../interfaces/IPassports.sol";
import {IPolicy} from "../interfaces/IPolicy.sol";
import {IProjects} from "../interfaces/IProjects.sol";
import {IShares} from "../interfaces/IShares.sol";
import {ITemplates} from "../interfaces/ITemplates.sol";
import {ITransfers} from "../interfaces/ITransfers.sol";

/// @title State
/// @notice All storage of the ledger, and nothing else: the contracts that the ledger is compiled into share it.
/// @dev Warning: every contract that runs on this storage inherits it first, so that the layouts are equal. A test
/// compares them.
abstract contract State is EIP712 {
    /// @dev How many there ever were of each. What a decision reads is in the first slot.
    struct Counts {
        uint32 members;
        uint32 projects;
        uint32 templates;
        uint32 emergencies;
        uint32 acts;
        uint32 datasets;
        uint32 steps;
        uint32 agreements;
        uint32 clearances;
    }

    /// @dev What a decision reads of the law besides its table. Fits in a single slot.
    struct Header {
        uint32 version;
        uint16 coreCategories;
        uint16 sensitiveCategories;
        uint16 bannedPurposes;
        uint32 maxGrantSeconds;
        uint96 levels;
    }

    /// @dev What a permit to transfer rests on; cleared when it is used.
    struct Permit {
        // slot 0
        uint32 recipient;
        uint32 principal; // member in whose right it was given
        uint32 decidedAt;
        uint32 emergency; // emergency it was given under, or 0
        uint16 control; // control of the principal at the time
        uint8 purpose;
        uint16 categories;
        // slot 1
        bytes32 grantId; // grant it rested on, or 0
    }

    /// @dev A member's seat. Fits in a single slot with those of the list.
    struct Seat {
        ICommittee.SeatKind kind;
        uint8 index; // place in the list of seats
    }

    Counts internal _counts;
    bytes32 internal _head;

    // Members
    mapping(uint32 memberId => IMembers.Member member) internal _members;
    mapping(address signer => uint32 memberId) internal _memberIds;
    /// @dev Keys that were rotated away stay taken: an old signature never becomes another member's.
    mapping(bytes32 signingKey => uint32 memberId) internal _signingKeys;
    mapping(uint32 memberId => uint256 caps) internal _caps;
    mapping(uint32 memberId => mapping(uint256 day => uint256 used)) internal _capUses;
    mapping(uint32 controller => mapping(uint32 processor => IMembers.Entrustment order))
        internal _entrustments;

    // Policy
    Header internal _header;
    IPolicy.Emergencies internal _limits;
    uint256 internal _necessary;
    uint256[48] internal _required;

    // Passports and who speaks for their subjects
    mapping(bytes32 passportId => IPassports.Passport passport) internal _passports;
    mapping(bytes32 passportId => bytes32 guardians) internal _guardians;
    mapping(bytes32 passportId => IHolders.Recovery recovery) internal _recoveries;
    /// @dev Keyed by epoch and key, so that a new holder's key ends what the old one allowed.
    mapping(bytes32 passportId => mapping(bytes32 delegate => uint32 validTo)) internal _delegates;
    mapping(bytes32 passportId => uint32 nonce) internal _nonces;

    // Consents
    /// @dev Keyed by passport first: a grant found is a grant for this passport, without a second slot to say so.
    mapping(bytes32 passportId => mapping(bytes32 grantId => IConsents.GrantState state)) internal _grants;
    /// @dev Whether a grant's id was used up (bits 0-7), into how many datasets somebody was included under it (8-15), and
    /// their numbers (32 bits each from bit 32 on). One slot, so that an inclusion writes to one that is not new.
    mapping(bytes32 grantId => uint256 uses) internal _uses;
    mapping(bytes32 grantId => bytes32 successor) internal _successors;
    mapping(uint32 template => ITemplates.Template content) internal _templates;

    // Projects and attestations
    mapping(uint32 projectId => IProjects.Project project) internal _projects;
    mapping(bytes32 subject => mapping(IAttestations.AttestationKind kind => IAttestations.Attestation attestation))
        internal _attestations;

    // Emergencies
    mapping(uint32 emergencyId => IEmergencies.Emergency emergency) internal _emergencies;
    mapping(uint32 memberId => IEmergencies.Right right) internal _rights;
    /// @dev The emergencies a member opened, in order.
    mapping(uint32 memberId => mapping(uint32 place => uint32 emergencyId)) internal _opened;

    // Decisions
    mapping(bytes32 passportId => mapping(uint40 seq => bool released)) internal _released;
    /// @dev Requests that wait for a human, by the decision that says so.
    mapping(bytes32 passportId => mapping(uint40 seq => bytes32 request)) internal _waiting;
    mapping(bytes32 request => uint32 approvedUntil) internal _approvals;

    // Datasets and lineage
    mapping(uint32 datasetId => IDatasets.Dataset dataset) internal _datasets;
    /// @dev When consents ended that somebody had been included under, in order.
    mapping(uint32 datasetId => uint32[] times) internal _withdrawals;
    /// @dev How far a dataset had come when it was sealed.
    mapping(uint32 datasetId => IDatasets.DatasetStatus status) internal _sealedFrom;
    mapping(bytes32 versionId => ILineage.Version version) internal _versions;
    mapping(bytes32 versionId => ILineage.Origin[] origins) internal _origins;
    mapping(bytes32 versionId => mapping(uint32 memberId => IShares.Share share)) internal _shares;
    mapping(uint32 stepId => mapping(uint32 memberId => bytes32 contribution)) internal _contributions;

    // Agreements and borders
    mapping(uint32 agreementId => IAgreements.Agreement agreement) internal _agreements;
    mapping(uint32 agreementId => bytes32 text) internal _agreementTexts;
    /// @dev Until when a member may receive data from abroad.
    mapping(uint32 memberId => uint32 validTo) internal _borderAccess;
    mapping(uint32 clearanceId => IBorders.Clearance clearance) internal _clearances;
    /// @dev The latest clearance.
    mapping(uint32 projectId => mapping(uint32 exporter => uint32 clearanceId)) internal _clearanceFor;
    mapping(uint32 clearanceId => mapping(bytes32 person => bool crossed)) internal _crossed;
    IBorders.Thresholds internal _thresholds;
    mapping(uint32 exporter => mapping(uint256 year => IBorders.Exports exports)) internal _exports;
    /// @dev Whether a person was counted (bit 0), and with sensitive data (bit 1).
    mapping(uint32 exporter => mapping(uint256 year => mapping(bytes32 person => uint8 counted)))
        internal _counted;
    /// @dev How many persons of a dataset were counted when versions of it were shared: in a year, and under a clearance.
    mapping(uint32 exporter => mapping(uint256 year => mapping(uint32 datasetId => uint32 persons)))
        internal _datasetExports;
    mapping(uint32 clearanceId => mapping(uint32 datasetId => uint32 persons)) internal _datasetCrossings;

    // Transfers
    mapping(bytes32 transferId => ITransfers.Transfer transfer) internal _transfers;
    /// @dev Of the Merkle tree of what was loaded; see `MerkleTree`.
    mapping(bytes32 transferId => bytes32[32] frontier) internal _frontiers;
    mapping(bytes32 passportId => mapping(uint40 seq => Permit permit)) internal _permits;

    // Committee
    uint32[] internal _seated;
    mapping(uint32 memberId => Seat seat) internal _seats;
    mapping(ICommittee.ActKind kind => ICommittee.Rule rule) internal _rules;
    mapping(uint32 actId => ICommittee.Act act) internal _acts;

    // Joint steps
    /// @dev What a member recorded jointly, refused or not, by the hash that the parts sign.
    mapping(uint32 recorder => mapping(bytes32 step => bool recorded)) internal _jointSteps;

    constructor() EIP712("PassportLedger", "1") {}
}
