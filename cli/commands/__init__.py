"""The commands, one module for each; each says in `--help` what it does."""
