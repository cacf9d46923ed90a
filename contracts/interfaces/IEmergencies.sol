// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IEmergencies
/// @notice Exceptions: minimal, limited in time, reviewed afterwards, and on record.
interface IEmergencies {
    /// @notice Whose emergency it is.
    enum EmergencyKind {
        NONE,
        INDIVIDUAL, // one passport, opened by one member
        PUBLIC // declared by the committee
    }

    /// @notice What the review of an individual emergency found.
    enum Finding {
        PENDING,
        JUSTIFIED,
        UNJUSTIFIED
    }

    /// @notice An emergency as stored.
    struct Emergency {
        // slot 0
        EmergencyKind kind;
        Finding finding;
        uint32 memberId; // who opened it; 0 for a public one
        uint16 purposes; // what a public one serves; an individual one serves what the law allows on its basis
        uint16 categories; // what it may touch
        uint32 from; // inclusive
        uint32 until; // exclusive: it ends by itself
        uint32 reviewDue; // last moment for the review of an individual one
        uint32 maxRecords; // permits that a public one is good for
        uint32 used; // permits it was used for; counted for a public one
        uint16 jurisdiction; // where a public one applies: that of the custodian; 0 for everywhere
        // slot 1
        bytes32 passportId; // the one passport of an individual one
    }

    /// @notice What the committee declares.
    struct Declaration {
        uint16 purposes;
        uint16 categories;
        uint32 from;
        uint32 until;
        uint32 maxRecords;
        uint16 jurisdiction;
    }

    /// @notice A member's right to open emergencies.
    struct Right {
        bool lost; // until the committee restores it
        uint32 opened; // emergencies opened so far
        uint32 reviewed; // of these, in order, reviewed without a gap
        uint32 windowStart; // when the running 30 days began
        uint16 inWindow; // opened within them
    }

    /// @notice A member broke the glass.
    /// @param sealedUntil Until when the subject is told only that there was an access, by whom and why it is sealed;
    /// 0: the subject is told at once.
    event EmergencyOpened(
        uint32 indexed emergencyId,
        bytes32 indexed passportId,
        uint32 indexed memberId,
        uint16 categories,
        uint32 until,
        uint32 reviewDue,
        uint8 reason,
        uint32 sealedUntil,
        bytes32 statement
    );
    /// @notice The committee declared a public emergency.
    event EmergencyDeclared(uint32 indexed emergencyId, Declaration declaration, bytes32 document);
    /// @notice The committee ended a public emergency before its time.
    event EmergencyEnded(uint32 indexed emergencyId, uint32 until);
    /// @notice Somebody else reviewed an individual emergency. `rightLost`: it was late, or not justified.
    event EmergencyReviewed(
        uint32 indexed emergencyId,
        uint32 indexed reviewer,
        Finding finding,
        bool rightLost,
        bytes32 opinion
    );
    /// @notice The committee gave a member its right back.
    event EmergencyRightRestored(uint32 indexed memberId);

    /// @notice Thrown when there is no such emergency, or not of this kind.
    error Emergencies_Unknown(uint32 emergencyId);
    /// @notice Thrown when a declaration is empty, over, or longer than the law allows; or a reason is missing.
    error Emergencies_Incomplete();
    /// @notice Thrown when the member lost its right, or owes an overdue review.
    error Emergencies_RightLost(uint32 memberId);
    /// @notice Thrown when the member opened as many within 30 days as the law allows.
    error Emergencies_QuotaSpent(uint32 memberId);
    /// @notice Thrown when the emergency was reviewed before, or has ended before.
    error Emergencies_AlreadySet(uint32 emergencyId);
    /// @notice Thrown when the reviewer is the member that opened the emergency, or the custodian of the passport.
    error Emergencies_NotIndependent(uint32 emergencyId, uint32 memberId);

    /// @notice Break the glass for one passport: for the time and the categories of the law, to be reviewed.
    /// @dev Only an active member with the role EMERGENCY. Reverts with Members_MissingRole, Passports_Unknown,
    /// Emergencies_Incomplete, Emergencies_RightLost or Emergencies_QuotaSpent.
    /// @param passportId The passport.
    /// @param reason Code of the reason, 1 to 255, see the vocabulary.
    /// @param sealedUntil Until when the subject must not be told more; at most the review's last moment.
    /// @param statement Commitment to the reasons in words, and to those for sealing.
    /// @return emergencyId The number of the emergency, counted from 1 with the public ones.
    function openEmergency(
        bytes32 passportId,
        uint8 reason,
        uint32 sealedUntil,
        bytes32 statement
    ) external returns (uint32 emergencyId);

    /// @notice Review an individual emergency. Late or unjustified, the member loses its right; what the committee
    /// settled is not late any more.
    /// @dev Only an active member with the role ETHICS or REGULATOR, neither the one that opened it nor the custodian
    /// that keeps the data. Reverts with Emergencies_Unknown, Emergencies_AlreadySet or Emergencies_NotIndependent.
    /// @param emergencyId The emergency.
    /// @param justified Whether it was.
    /// @param opinion Commitment to the opinion.
    function reviewEmergency(uint32 emergencyId, bool justified, bytes32 opinion) external;

    /// @notice Declare a public emergency.
    /// @dev Only the committee. Reverts with Emergencies_Incomplete.
    /// @param declaration What it allows.
    /// @param document Commitment to the document.
    /// @return emergencyId The number of the emergency.
    function declareEmergency(
        Declaration calldata declaration,
        bytes32 document
    ) external returns (uint32 emergencyId);

    /// @notice End a public emergency before its time.
    /// @dev Only the committee. Reverts with Emergencies_Unknown or Emergencies_AlreadySet.
    /// @param emergencyId The emergency.
    function endEmergency(uint32 emergencyId) external;

    /// @notice Give a member its right back: what it left unreviewed is settled.
    /// @dev Only the committee. Reverts with Members_Unknown.
    /// @param memberId The member.
    function restoreEmergencyRight(uint32 memberId) external;

    /// @notice An emergency as stored; all zero for an unknown number.
    /// @param emergencyId The emergency.
    function emergencyOf(uint32 emergencyId) external view returns (Emergency memory);

    /// @notice How many emergencies there ever were.
    function emergencyCount() external view returns (uint32);

    /// @notice A member's right to open emergencies.
    /// @param memberId The member.
    function emergencyRightOf(uint32 memberId) external view returns (Right memory);
}
