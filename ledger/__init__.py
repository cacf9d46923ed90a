"""The medical AI data passport: consent, access and provenance on a ledger."""
