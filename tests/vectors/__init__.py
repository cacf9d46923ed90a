"""Bytes that every implementation must agree on."""
