// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILineage} from "../interfaces/ILineage.sol";

/// @title StepFacts
/// @notice The numbering of the rules for steps, and which rules each kind of step is under.
/// @dev `ledger/domain/vocabulary.py` repeats the numbering and a test compares the two.
library StepFacts {
    /// @dev The membership is in force; of all who take part.
    uint32 internal constant MEMBER_ACTIVE = 1 << 0;
    /// @dev A project of the member's that an ethics body approved is in force and covers the purpose of the step.
    uint32 internal constant PROJECT_APPROVED = 1 << 1;
    /// @dev Every input is a version on record, of the kind that the step takes.
    uint32 internal constant INPUTS_KNOWN = 1 << 2;
    /// @dev The member owns every input, or was shared it under an agreement in force; of a training, another that takes
    /// part may. The inputs' datasets are open, within retention and consents.
    uint32 internal constant INPUTS_AVAILABLE = 1 << 3;
    /// @dev No withdrawal waits for an answer in what the inputs are from.
    uint32 internal constant INPUTS_CURRENT = 1 << 4;
    /// @dev No input failed its check, and none from outside waits for it.
    uint32 internal constant INPUTS_SOUND = 1 << 5;
    /// @dev Every input that is data passed its check.
    uint32 internal constant INPUTS_VERIFIED = 1 << 6;
    /// @dev The alliance certifies the tool.
    uint32 internal constant TOOL_CERTIFIED = 1 << 7;
    /// @dev The purpose of the step is within the licence of all who take part, the inputs' purposes and those of the
    /// agreements that they were shared under, and no law has banned it since; the purposes of a model too.
    uint32 internal constant PURPOSE_ALLOWED = 1 << 8;
    /// @dev A split makes three: training, validation, test.
    uint32 internal constant THREE_PARTS = 1 << 9;
    /// @dev No test data trains, and what tests was not trained on.
    uint32 internal constant TEST_UNSEEN = 1 << 10;
    /// @dev Nobody in the data, and no agreement, forbade that it is merged with other data.
    uint32 internal constant RELINK_ALLOWED = 1 << 11;
    /// @dev The privacy that the step spends is left of every dataset that keeps a budget; to split, infer and release
    /// spends some.
    uint32 internal constant BUDGET_LEFT = 1 << 12;
    /// @dev Core privacy is encrypted, and protected by differential privacy.
    uint32 internal constant PROTECTED = 1 << 13;
    /// @dev Who has the data is where its owners are, or a clearance for the project is in force. Data stays with those
    /// who take part.
    uint32 internal constant BORDER_CLEARED = 1 << 14;
    /// @dev The model is active, evaluated and licensed, and no answer is overdue; to infer, deployed too.
    uint32 internal constant MODEL_READY = 1 << 15;

    uint32 private constant _WORK =
        MEMBER_ACTIVE | INPUTS_KNOWN | INPUTS_AVAILABLE | INPUTS_SOUND | BUDGET_LEFT;
    uint32 private constant _DATA =
        _WORK | INPUTS_CURRENT | TOOL_CERTIFIED | BORDER_CLEARED | PURPOSE_ALLOWED;
    uint32 private constant _SECONDARY = _DATA | PROJECT_APPROVED | INPUTS_VERIFIED | PROTECTED;

    /// @dev The rules that a kind of step is under.
    function requiredOf(ILineage.StepKind kind) internal pure returns (uint32) {
        if (kind == ILineage.StepKind.COLLECT) return MEMBER_ACTIVE | INPUTS_AVAILABLE;
        if (kind == ILineage.StepKind.DESTROY) return MEMBER_ACTIVE | INPUTS_AVAILABLE;
        if (kind == ILineage.StepKind.SPLIT) return _DATA | THREE_PARTS;
        if (kind == ILineage.StepKind.MERGE) return _DATA | RELINK_ALLOWED;
        if (kind == ILineage.StepKind.TRAIN) return _SECONDARY | TEST_UNSEEN;
        if (kind == ILineage.StepKind.EVALUATE)
            return _WORK | TOOL_CERTIFIED | BORDER_CLEARED | PROJECT_APPROVED | PURPOSE_ALLOWED | TEST_UNSEEN;
        if (kind == ILineage.StepKind.DEPLOY) return _WORK | PROJECT_APPROVED | PURPOSE_ALLOWED | MODEL_READY;
        if (kind == ILineage.StepKind.INFER) return _WORK | PROJECT_APPROVED | PURPOSE_ALLOWED | MODEL_READY;
        if (kind == ILineage.StepKind.RELEASE) return _SECONDARY;
        return _DATA;
    }
}
