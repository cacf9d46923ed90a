"""
How the ledger's words look in JSON: camelCase, hexadecimal with 0x, RFC 3339 times, codes by name.

One module per resource. `…In` is what callers send, `…Out` what they get. Nothing is passed through: each field is named
in its module.
"""
