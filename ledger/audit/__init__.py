"""
The auditor's independent replay: every decision decided again from the chain's own events.

Shares with the rest the ABI, the encoding, the vocabulary and the law, and nothing else: not the service's
database, not its indexer, not its view of the chain. docs/spec.md, "Verifying", is this package in words.
"""
