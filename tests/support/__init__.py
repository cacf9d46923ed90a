"""What several test suites share: real chains, real services, real records."""
