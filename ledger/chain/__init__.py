"""The ledger contract on an Ethereum chain. The only package that speaks to a node."""
