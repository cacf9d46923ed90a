"""What the ledger speaks of: vocabulary and records. No I/O, no clock, no hashing."""
