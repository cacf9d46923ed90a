"""The patient's wallet."""

from __future__ import annotations

import json
import stat

import pytest

from ledger.errors import ConfigurationError, InvalidInput
from ledger.wallet import Wallet, holder_address, holder_key, new_mnemonic, new_seed, seed_of

SEED = bytes(range(64))


def test_a_wallet_survives_its_file(tmp_path):
    """What was saved is what is loaded."""
    path = tmp_path / "wallet.json"
    Wallet(SEED).save(path, passphrase="correct horse")
    assert Wallet(SEED) == Wallet.load(path, passphrase="correct horse")


def test_the_file_is_its_owners_alone(tmp_path):
    """Nobody else may read it, and the seed is not in it."""
    path = tmp_path / "wallet.json"
    Wallet(SEED).save(path, passphrase="correct horse")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SEED.hex() not in path.read_text()


def test_a_wallet_is_never_overwritten(tmp_path):
    """A second save to the same place is refused."""
    path = tmp_path / "wallet.json"
    Wallet(SEED).save(path, passphrase="correct horse")
    with pytest.raises(InvalidInput, match="never overwritten"):
        Wallet(new_seed()).save(path, passphrase="correct horse")
    assert Wallet(SEED) == Wallet.load(path, passphrase="correct horse")


def test_an_empty_passphrase_is_refused(tmp_path):
    """A file that anybody can open protects nothing."""
    with pytest.raises(InvalidInput, match="must not be empty"):
        Wallet(SEED).save(tmp_path / "wallet.json", passphrase="")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_passphrase_opens_nothing(tmp_path):
    """The message says so."""
    path = tmp_path / "wallet.json"
    Wallet(SEED).save(path, passphrase="correct horse")
    with pytest.raises(ConfigurationError, match="wrong passphrase"):
        Wallet.load(path, passphrase="battery staple")


def test_a_missing_file_is_named(tmp_path):
    """With the way to make one."""
    with pytest.raises(ConfigurationError, match="there is no wallet"):
        Wallet.load(tmp_path / "none.json", passphrase="x")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"salt": "zz", "sealed": ""}', "null"])
def test_another_file_is_no_wallet(tmp_path, text):
    """Whatever it holds."""
    path = tmp_path / "wallet.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="is not a wallet file"):
        Wallet.load(path, passphrase="x")


def test_an_altered_file_opens_nothing(tmp_path):
    """One byte is enough."""
    path = tmp_path / "wallet.json"
    Wallet(SEED).save(path, passphrase="x")
    document = json.loads(path.read_text())
    document["sealed"] = document["sealed"][:-2] + f"{int(document['sealed'][-2:], 16) ^ 1:02x}"
    path.write_text(json.dumps(document))
    with pytest.raises(ConfigurationError):
        Wallet.load(path, passphrase="x")


def test_holders_of_one_patient_are_unrelated():
    """Another custodian, another key; the same custodian, the same key; and they are hardened."""
    wallet = Wallet(SEED)
    keys = [wallet.key(custodian) for custodian in range(1, 21)]
    assert len({holder_address(key) for key in keys}) == 20
    assert wallet.holder(7) == holder_address(holder_key(SEED, custodian=7))
    # No pair of keys differs by a constant that two patients share, as unhardened children of one parent would.
    other = [Wallet(new_seed()).key(custodian) for custodian in range(1, 21)]
    differences = [int.from_bytes(keys[i + 1]) - int.from_bytes(keys[i]) for i in range(19)]
    others = [int.from_bytes(other[i + 1]) - int.from_bytes(other[i]) for i in range(19)]
    assert not set(differences) & set(others)


def test_words_stand_for_a_seed():
    """24 words, each time others, and always the same seed for the same words."""
    words = new_mnemonic()
    assert len(words.split()) == 24
    assert words != new_mnemonic()
    assert seed_of(words) == seed_of(words)
    assert len(seed_of(words)) == 64


def test_bip39_test_vector():
    """The first published vector of BIP-39, with an empty passphrase."""
    words = "abandon " * 11 + "about"
    expected = (
        "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1"
        "9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4"
    )
    assert expected == seed_of(words).hex()


@pytest.mark.parametrize("words", ["", "abandon", "abandon " * 12, "not words of any list at all"])
def test_other_words_are_refused(words):
    """Also twelve known words with a wrong checksum."""
    with pytest.raises(InvalidInput, match="not a BIP-39 mnemonic"):
        seed_of(words)


def test_seeds_differ():
    """Each is 64 random bytes."""
    assert new_seed() != new_seed()
    assert len(new_seed()) == 64
