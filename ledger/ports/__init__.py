"""
What the use cases need from the outside: the chain, the index, the vault and the journal.

`ledger.chain`, `ledger.store` and `ledger.vault` implement these; `ledger.bootstrap` puts them together.
"""

from ledger.ports.chain import Chain
from ledger.ports.index import (
    ActRecord,
    DecisionCount,
    DecisionRecord,
    EmergencyRecord,
    GrantRecord,
    Index,
    IndexState,
    PassportRecord,
    RecoveryRecord,
    ReviewRecord,
    Rule,
    TransferRecord,
)
from ledger.ports.vault import (
    RecordSummary,
    SealedCategory,
    SealedLevel,
    SealedRecord,
    Vault,
    VaultCategoryRow,
    VaultLevelRow,
    VaultRecordRow,
    VaultRows,
)
from ledger.ports.writing import (
    Call,
    Deployment,
    Journal,
    Lease,
    MinedTransaction,
    Operation,
    OperationStatus,
    QueuedCall,
    Receipt,
    SignedTransaction,
    TransactionStatus,
    Writer,
)

__all__ = [
    "ActRecord",
    "Call",
    "Chain",
    "DecisionCount",
    "DecisionRecord",
    "Deployment",
    "EmergencyRecord",
    "GrantRecord",
    "Index",
    "IndexState",
    "Journal",
    "Lease",
    "MinedTransaction",
    "Operation",
    "OperationStatus",
    "PassportRecord",
    "QueuedCall",
    "Receipt",
    "RecordSummary",
    "RecoveryRecord",
    "ReviewRecord",
    "Rule",
    "SealedCategory",
    "SealedLevel",
    "SealedRecord",
    "SignedTransaction",
    "TransactionStatus",
    "TransferRecord",
    "Vault",
    "VaultCategoryRow",
    "VaultLevelRow",
    "VaultRecordRow",
    "VaultRows",
    "Writer",
]
