"""Secrets at rest: what is sealed, what opens it, and what is refused."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest
import structlog
from hexbytes import HexBytes
from nacl.public import PrivateKey, SealedBox
from nacl.secret import SecretBox
from rlp.exceptions import SerializationError
from sqlalchemy import create_engine, text, update

from cli.service import configure_logging
from ledger.bootstrap import build
from ledger.chain.keystore import Keystore, read_key_file
from ledger.domain.records import Commitment, PassportId, Salt
from ledger.domain.vocabulary import RECORD_LEVELS, Category, Level
from ledger.encoding.commitments import canonical, category_record, commit, content_of, manifest_of
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import ConfigurationError, Conflict, InvalidInput, NotFound
from ledger.interop.deidentification import Content, deidentify
from ledger.interop.fhir import read_bundle
from ledger.ports import NO_OWNER
from ledger.settings import Settings
from ledger.store.database import Database
from ledger.store.vault_rows import SqlVaultRows
from ledger.store.vault_tables import categories
from ledger.vault import SealedVault
from ledger.wallet import holder_address
from tests.support.data import bundle


@pytest.fixture
def rows(folder: Path) -> SqlVaultRows:
    """Return an empty vault database."""
    database = Database(f"sqlite:///{folder / 'vault.db'}", migrations="vault")
    database.migrate()
    return SqlVaultRows(database)


def at_each_level(content: Content) -> dict[Level, Content]:
    """De-identify as registration does, with a secret that never changes."""
    return {level: deidentify(content, level=level, secret=b"s" * 32, year=2026) for level in RECORD_LEVELS}


def same_at_each_level(content: Content) -> dict[Level, Content]:
    """The vault seals what it is given."""
    return dict.fromkeys(RECORD_LEVELS, content)


@pytest.mark.parametrize("level", RECORD_LEVELS)
def test_a_sealed_record_opens_with_the_right_key_alone(rows: SqlVaultRows, level: Level) -> None:
    """A recipient's key opens exactly the categories sealed to it, and what it opens matches the commitments."""
    vault, recipient = SealedVault(rows, key=os.urandom(32)), PrivateKey.generate()
    patient = read_bundle(bundle(0))
    passport, content = PassportId(os.urandom(32)), at_each_level(patient.content)
    record = vault.seal(
        passport, custodian=2, local_reference=patient.reference, content=content, holder_seed=None
    )

    sealed = vault.level(passport, level)
    assert sealed is not None
    part = next(part for part in sealed.categories if part.category is Category.DIAGNOSIS)
    box = vault.seal_key_to(passport, level, Category.DIAGNOSIS, bytes(recipient.public_key))
    plain = SecretBox(SealedBox(recipient).decrypt(box)).decrypt(part.ciphertext)

    expected = canonical(category_record(Category.DIAGNOSIS, content[level][Category.DIAGNOSIS]))
    assert expected == plain
    assert part.commitment == commit("category", plain, salt=part.salt)
    assert to_hex(part.commitment) == sealed.manifest["DIAGNOSIS"]
    assert to_hex(manifest_of(sealed.manifest, salt=sealed.salt)) == record.levels[level.name]
    assert record.content == content_of(record.levels, salt=record.salt)
    assert vault.record(passport) == record
    assert vault.find(2, patient.reference) == passport
    assert vault.find(3, patient.reference) is None


def test_levels_share_neither_key_nor_salt_nor_commitment(rows: SqlVaultRows) -> None:
    """The same plain text sealed at three levels has nothing in common that somebody could link."""
    vault, recipient, passport = (
        SealedVault(rows, key=os.urandom(32)),
        PrivateKey.generate(),
        PassportId(os.urandom(32)),
    )
    content = same_at_each_level({Category.OTHER: [{"a": 1}]})
    vault.seal(passport, custodian=2, local_reference="a", content=content, holder_seed=None)

    sealed = [vault.level(passport, level) for level in RECORD_LEVELS]
    parts = [level.categories[0] for level in sealed if level is not None]
    keys = {
        SealedBox(recipient).decrypt(
            vault.seal_key_to(passport, level, Category.OTHER, bytes(recipient.public_key))
        )
        for level in RECORD_LEVELS
    }

    assert 3 == len({part.ciphertext for part in parts}) == len({part.commitment for part in parts})
    assert 3 == len({part.salt for part in parts}) == len(keys)
    entries = [entry for level in sealed if level is not None for entry in level.manifest.values()]
    assert len(set(entries)) == 48


def test_a_record_has_no_aggregate(rows: SqlVaultRows) -> None:
    """The vault holds the levels that were sealed and no other."""
    vault, passport = SealedVault(rows, key=os.urandom(32)), PassportId(os.urandom(32))
    content = same_at_each_level({Category.OTHER: [{"a": 1}]})
    vault.seal(passport, custodian=2, local_reference="a", content=content, holder_seed=None)

    assert vault.level(passport, Level.AGGREGATE) is None
    assert vault.level(PassportId(os.urandom(32)), Level.IDENTIFIED) is None
    with pytest.raises(NotFound, match="at this level"):
        vault.seal_key_to(passport, Level.AGGREGATE, Category.OTHER, bytes(PrivateKey.generate().public_key))


def test_the_vault_file_holds_nothing_readable(rows: SqlVaultRows, folder: Path) -> None:
    """Names, identifiers and dates of birth of the patient are nowhere in the database file."""
    vault, document = SealedVault(rows, key=os.urandom(32)), bundle(3)
    patient = read_bundle(document)
    vault.seal(
        PassportId(os.urandom(32)),
        custodian=2,
        local_reference=patient.reference,
        content=at_each_level(patient.content),
        holder_seed=os.urandom(32),
    )
    person = patient.content[Category.DEMOGRAPHICS][0]
    secrets = [
        patient.reference,
        person["birthDate"],
        person["name"][0]["family"],
        *person["name"][0]["given"],
    ]

    stored = b"".join(path.read_bytes() for path in folder.glob("vault.db*"))

    assert [secret for secret in secrets if secret.encode() in stored] == []


def test_another_vault_key_is_refused(rows: SqlVaultRows) -> None:
    """A vault opened with the wrong key says so instead of returning nonsense."""
    passport = PassportId(os.urandom(32))
    SealedVault(rows, key=os.urandom(32)).seal(
        passport,
        custodian=2,
        local_reference="a",
        content=same_at_each_level({Category.OTHER: [{}]}),
        holder_seed=None,
    )

    with pytest.raises(ConfigurationError, match="does not open"):
        SealedVault(rows, key=os.urandom(32)).record(passport)


def test_an_excerpt_opens_by_itself_and_commits_to_itself(rows: SqlVaultRows) -> None:
    """Under a key and a salt of its own; of the numbers as of the words it is what was sealed, byte for byte."""
    vault, recipient, passport = (
        SealedVault(rows, key=os.urandom(32)),
        PrivateKey.generate(),
        PassportId(os.urandom(32)),
    )
    resources = [{"a": 1e20, "b": -0.0}, {"a": "流感"}, {"a": 1.0, "b": 0.1, "c": 2**53 - 1, "d": 1e-7}]
    vault.seal(
        passport,
        custodian=2,
        local_reference="a",
        content=same_at_each_level({Category.OTHER: resources}),
        holder_seed=None,
    )
    where = (passport, Level.IDENTIFIED, Category.OTHER)

    excerpts = [
        vault.seal_excerpt(*where, places=places, seq=seq, sealing_key=bytes(recipient.public_key))
        for places, seq in (([0, 2], 5), ([0, 2], 5), ([0, 2], 6), ([1], 5))
    ]

    assert vault.resources(*where) == resources
    for excerpt, places in zip(excerpts, ([0, 2], [0, 2], [0, 2], [1]), strict=True):
        plain = SecretBox(SealedBox(recipient).decrypt(excerpt.sealed_key)).decrypt(excerpt.ciphertext)
        assert plain == canonical(category_record(Category.OTHER, [resources[place] for place in places]))
        assert excerpt.commitment == commit("excerpt", plain, salt=excerpt.salt)
        assert excerpt.commitment != commit("category", plain, salt=excerpt.salt)
        assert excerpt.entries == len(places)
    # One decision, one salt: another decision's excerpt is not linked to it.
    first, again, other, _ = excerpts
    assert (first.commitment, first.salt) == (again.commitment, again.salt)
    assert not {first.commitment, first.salt} & {other.commitment, other.salt}
    assert first.ciphertext != again.ciphertext
    sealed = vault.level(passport, Level.IDENTIFIED)
    assert sealed is not None
    assert first.salt != sealed.categories[0].salt


def test_what_is_not_there_has_no_excerpt(rows: SqlVaultRows) -> None:
    """A category that the record lacks is empty; an altered one is not read."""
    key, passport = os.urandom(32), PassportId(os.urandom(32))
    vault = SealedVault(rows, key=key)
    content = same_at_each_level({Category.OTHER: [{"a": 1}]})
    vault.seal(passport, custodian=2, local_reference="a", content=content, holder_seed=None)
    recipient = bytes(PrivateKey.generate().public_key)

    assert vault.resources(passport, Level.IDENTIFIED, Category.VITALS) == []
    assert vault.resources(PassportId(os.urandom(32)), Level.IDENTIFIED, Category.OTHER) == []
    with pytest.raises(NotFound):
        vault.seal_excerpt(
            passport, Level.IDENTIFIED, Category.VITALS, places=[0], seq=0, sealing_key=recipient
        )
    with pytest.raises(InvalidInput, match="not an X25519 key"):
        vault.seal_excerpt(
            passport, Level.IDENTIFIED, Category.OTHER, places=[0], seq=0, sealing_key=recipient[1:]
        )
    with rows._database.write() as connection:
        connection.execute(update(categories).values(ciphertext=b"\x00" * 64))
    with pytest.raises(ConfigurationError, match="the vault was altered"):
        vault.resources(passport, Level.IDENTIFIED, Category.OTHER)


def test_every_key_that_was_made_for_a_holder_is_kept(rows: SqlVaultRows) -> None:
    """By its address: which of them is the holder's the ledger decides, maybe long after."""
    vault, passport = SealedVault(rows, key=os.urandom(32)), PassportId(os.urandom(32))
    first, second, third = (os.urandom(32) for _ in range(3))
    content = same_at_each_level({Category.OTHER: [{"resourceType": "Basic"}]})
    vault.seal(passport, custodian=2, local_reference="a", content=content, holder_seed=first)
    vault.keep_holder_key(passport, second)
    vault.keep_holder_key(passport, third)

    for key in (first, second, third):
        assert vault.holder_key(passport, holder_address(key)) == key
    assert vault.holder_key(passport, holder_address(os.urandom(32))) is None
    with pytest.raises(NotFound):
        vault.keep_holder_key(PassportId(os.urandom(32)), second)
    vault.erase(passport)
    assert all(vault.holder_key(passport, holder_address(key)) is None for key in (first, second, third))


def test_erasure_destroys_keys_and_salts(rows: SqlVaultRows) -> None:
    """After erasure the record, its keys and its salts are gone, at every level."""
    vault, passport = SealedVault(rows, key=os.urandom(32)), PassportId(os.urandom(32))
    content = same_at_each_level({Category.OTHER: [{"a": 1}], Category.VITALS: [{"b": 2}]})
    vault.seal(passport, custodian=2, local_reference="a", content=content, holder_seed=None)

    assert vault.erase(passport) == 6
    assert vault.record(passport) is None
    for level in RECORD_LEVELS:
        assert vault.level(passport, level) is None
        with pytest.raises(NotFound):
            vault.seal_key_to(passport, level, Category.OTHER, bytes(PrivateKey.generate().public_key))
        assert vault.resources(passport, level, Category.OTHER) == []


def test_a_statement_is_recalled_for_its_owner_as_what_it_is(rows: SqlVaultRows) -> None:
    """Whoever has the commitment alone, or takes it for something else, gets nothing."""
    vault, commitment = SealedVault(rows, key=os.urandom(32)), Commitment(os.urandom(32))
    vault.remember(commitment, domain="report", salt=Salt(bytes(32)), record={"report": "x"}, owner=4)

    assert vault.recall(commitment, domain="report", owner=4) == {"report": "x"}
    assert vault.recall(commitment, domain="report", owner=5) is None
    assert vault.recall(commitment, domain="report", owner=NO_OWNER) is None
    assert vault.recall(commitment, domain="evidence", owner=4) is None
    assert vault.recall(Commitment(os.urandom(32)), domain="report", owner=4) is None
    assert not vault.is_unattributed(commitment)


def test_the_same_statement_may_be_kept_again(rows: SqlVaultRows) -> None:
    """Who gives the same content to the vault knows it; something else under the same commitment is refused."""
    vault, commitment = SealedVault(rows, key=os.urandom(32)), Commitment(os.urandom(32))
    record = {"parameters": {"layers": [1, 2]}}
    for owner in (4, 4, 5):
        vault.remember(commitment, domain="step", salt=Salt(bytes(32)), record=record, owner=owner)

    assert [vault.recall(commitment, domain="step", owner=owner) for owner in (4, 5, 6)] == [
        record,
        record,
        None,
    ]
    for domain, salt, other in (
        ("step", bytes(32), {"parameters": {}}),
        ("step", b"\x01" * 32, record),
        ("report", bytes(32), record),
    ):
        with pytest.raises(Conflict, match="keeps something else"):
            vault.remember(commitment, domain=domain, salt=Salt(salt), record=other, owner=6)
    assert vault.recall(commitment, domain="step", owner=6) is None


def test_what_was_kept_before_owners_were_is_kept(folder: Path) -> None:
    """The migration loses no statement, and gives it to nobody."""
    url, key, commitment = f"sqlite:///{folder / 'old.db'}", os.urandom(32), Commitment(os.urandom(32))
    database = Database(url, migrations="vault")
    database.migrate()
    before = SealedVault(SqlVaultRows(database), key=key)
    before.remember(commitment, domain="dataset", salt=Salt(bytes(32)), record={"title": "x"}, owner=4)
    database.close()
    with create_engine(url).begin() as connection:  # as the first version of the tables was
        connection.execute(text("DROP TABLE holder_keys"))
        connection.execute(text("DROP TABLE statement_owners"))
        connection.execute(text("ALTER TABLE statements DROP COLUMN attributed"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))

    database = Database(url, migrations="vault")
    database.migrate()
    vault = SealedVault(SqlVaultRows(database), key=key)

    assert vault.is_unattributed(commitment)
    assert vault.recall(commitment, domain="dataset", owner=4) is None
    assert vault.recall(commitment, domain="dataset", owner=NO_OWNER) == {"title": "x"}
    vault.remember(commitment, domain="dataset", salt=Salt(bytes(32)), record={"title": "x"}, owner=5)
    assert vault.is_unattributed(commitment)
    vault.attribute(commitment, 4)
    assert not vault.is_unattributed(commitment)
    assert [vault.recall(commitment, domain="dataset", owner=owner) for owner in (4, 5)] == [
        {"title": "x"},
        {"title": "x"},
    ]
    assert vault.recall(commitment, domain="dataset", owner=NO_OWNER) is None
    fresh = Commitment(os.urandom(32))
    vault.remember(fresh, domain="dataset", salt=Salt(bytes(32)), record={}, owner=4)
    assert not vault.is_unattributed(fresh)
    database.close()


def test_keys_are_kept_encrypted_and_private(folder: Path) -> None:
    """A key file is readable by its owner alone and is not the key; the wrong passphrase is refused."""
    store = Keystore(folder / "keys", passphrase="correct")
    address = store.new()
    path = folder / "keys" / f"{address[2:]}.json"

    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(path.read_text())["crypto"]["kdf"] == "scrypt"
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        Keystore(folder / "keys", passphrase="wrong").sign(address, {})
    with pytest.raises(NotFound, match="holds no key"):
        store.sign("0x" + "00" * 20, {})  # type: ignore[arg-type]


def test_a_failure_of_signing_does_not_write_the_key_into_the_log(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The trace of an error that nobody foresaw goes into the service's log without the values of variables."""
    store, key = Keystore(folder / "keys", passphrase="correct"), os.urandom(32)
    address, before = store.add(key), logging.getLogger().handlers[:]
    fees = {"maxFeePerGas": 1, "maxPriorityFeePerGas": 1}
    with pytest.raises(SerializationError) as failed:
        store.sign(address, {"type": 2, "chainId": 1, "nonce": 0, "value": 0, "gas": -1, **fees})
    configure_logging()
    structlog.get_logger().error("submitter failed", exc_info=failed.value)
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = before
    line = json.loads(capsys.readouterr().err.splitlines()[-1])

    assert {frame["name"] for frame in line["exception"][0]["frames"]} >= {"sign"}
    told = json.dumps(line, ensure_ascii=False)
    for secret in (key.hex(), repr(key), repr(HexBytes(key)), str(int.from_bytes(key)), "locals"):
        assert secret not in told


@pytest.mark.parametrize("text", ["", "not a key", "0x1234", "{}"])
def test_a_file_that_is_no_key_is_refused_without_quoting_it(folder: Path, text: str) -> None:
    """The message names the file and what to do, and never what is in it."""
    path = folder / "key"
    path.write_text(text)

    with pytest.raises(ConfigurationError) as refused:
        read_key_file(path, passphrase="x")

    assert str(path) in refused.value.message
    assert not text or text not in refused.value.message.replace(str(path), "")


def test_production_makes_up_no_secret(folder: Path) -> None:
    """Without named secrets production does not start, and says which to set."""
    with pytest.raises(ConfigurationError) as refused:
        build(Settings(environment="production", data=folder / "data"))

    assert "PASSPORT_KEYSTORE_PASSPHRASE_FILE" in refused.value.advice


def test_a_secret_that_others_can_read_is_refused(folder: Path) -> None:
    """File modes are part of the secret."""
    secret = folder / "passphrase"
    secret.write_text("x" * 20)
    secret.chmod(0o644)

    with pytest.raises(ConfigurationError, match="can be read by others"):
        build(Settings(environment="production", data=folder / "data", keystore_passphrase_file=secret))
