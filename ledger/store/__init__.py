"""The databases: journal, index, sessions and the vault's rows. The only package that speaks SQL."""
