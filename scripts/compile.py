"""Compile the contracts into the package: `python -m scripts.compile`."""

from pathlib import Path

from ledger.chain import artifacts
from ledger.chain.compiler import compile_contracts

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Compile and write the artifact."""
    target = ROOT / "ledger" / "chain" / "artifacts" / "PassportLedger.json"
    target.write_text(artifacts.write(compile_contracts(ROOT)))


if __name__ == "__main__":
    main()
