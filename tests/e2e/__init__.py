"""The whole story on real processes: service, devnet, command line, browser."""
