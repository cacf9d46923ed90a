"""Unit tests: pure functions and in-memory parts, no node and no database."""
