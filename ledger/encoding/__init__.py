"""
How records become bytes: canonical JSON, commitments, typed data, packed words, hexadecimal.

Pure: no I/O and no clock. docs/spec.md says the same in words and `tests/vectors/passport-v1.json` in bytes.
"""
