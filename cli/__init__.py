"""The command line: `passport`."""
