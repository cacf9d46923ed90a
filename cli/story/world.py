"""What all steps of the story share: its place, its people and their keys, its notebook, and the way to the service."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from cli.progress import Report, silent
from cli.story.cast import COMMITTEE, Cast, Patient
from cli.story.notebook import Notebook
from cli.verification import LedgerReader
from ledger.client import MemberKeys, PassportClient, sign_in
from ledger.domain.records import Address
from ledger.domain.vocabulary import Custody
from ledger.errors import LedgerError, NotAuthenticated, SignatureRejected
from ledger.wallet import Wallet, new_seed

Json = dict[str, Any]

#: How long to wait for a service or node that was killed to be started again, in seconds.
PATIENCE_SECONDS: Final = 90.0
_PAUSE_SECONDS: Final = 0.25

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where the story plays.

    Attributes:
        url: The service.
        data: Folder of FHIR R4 patient bundles.
        directory: Where keys, wallets and the notebook are kept.
        rpc: A node of the chain.
        ledger: The contract's address.
        from_block: A block before or at which the ledger was deployed.
        database: The service's SQLite file, where the story runs on the service's own machine.
    """

    url: str
    data: Path
    directory: Path
    rpc: str
    ledger: str
    from_block: int = 0
    database: Path | None = None


class World:
    """The story's people and things."""

    def __init__(self, place: Place, committee: MemberKeys) -> None:
        """
        Find everybody.

        Raises:
            MalformedRecord: The data folder holds no patient bundle.
        """
        self.place = place
        self.cast = Cast.of(place.data)
        self.notebook = Notebook(place.directory / "story.json")
        self.reader = LedgerReader(place.rpc, place.ledger, from_block=place.from_block)
        self.report: Report = silent
        self._keys: dict[str, MemberKeys] = {COMMITTEE: committee}
        self._members: dict[str, PassportClient] = {}
        self._wallets: dict[int, Wallet] = {}
        self._holders: dict[int, PassportClient] = {}

    # Members

    def keys(self, member: str, *, name: str = "") -> MemberKeys:
        """Return a member's keys, from its file or new ones called *name*."""
        if member not in self._keys:
            path = self._key_file(member)
            if not path.exists():
                MemberKeys.new(name).save(path)
            self._keys[member] = MemberKeys.load(path)
        return self._keys[member]

    def number(self, member: str, member_id: int) -> None:
        """Write the number that a member got into its key file."""
        keys = self.keys(member)
        if keys.member_id != member_id:
            self._keys[member] = keys.as_member(member_id)
            self._keys[member].save(self._key_file(member), overwrite=True)

    def id_of(self, member: str) -> int:
        """Return a member's number."""
        return int(self.notebook.answer(f"admit-{member}")["memberId"])

    def as_member(self, member: str) -> PassportClient:
        """Return the client with which a member speaks to the service."""
        if member not in self._members:
            self._members[member] = PassportClient(
                self.place.url, self.keys(member), patience=PATIENCE_SECONDS
            )
        return self._members[member]

    # Patients

    def holder_key(self, patient: Patient) -> bytes:
        """Return the key that a patient keeps for its hospital."""
        if patient.index not in self._wallets:
            path = self.place.directory / "wallets" / f"patient-{patient.index + 1:02}.json"
            self._wallets[patient.index] = _wallet(path, passphrase=self._passphrase())
        return self._wallets[patient.index].key(self.id_of(patient.hospital))

    def as_patient(self, patient: Patient, action: Callable[[PassportClient], _Found]) -> _Found:
        """Do something as a patient who is signed in; signs in again when the session has ended."""
        if patient.index in self._holders:
            try:
                return action(self._holders[patient.index])
            except NotAuthenticated:
                self._holders.pop(patient.index).close()
        self._holders[patient.index] = client = self._signed_in(patient)
        return action(client)

    def passport_of(self, patient: Patient) -> str:
        """Return the id of a patient's passport."""
        return str(self.notebook.answer(f"register-{patient.index}")["passport"]["passportId"])

    def answers(self) -> dict[str, Json]:
        """Return the decisions so far, by the names of their requests."""
        batches = self.notebook.answers("batch-").values()
        return {name: answer for batch in batches for name, answer in batch.items()}

    def answer_to(self, request: str) -> Json:
        """Return the decision on a request."""
        return self.answers()[request]

    # Time and patience

    def now(self) -> int:
        """Return the time that a transaction would see: a busy devnet's blocks run ahead of the clock."""
        return int(max(time.time(), self.persist(lambda: self.reader.node.head().time)))

    def wait_until(self, moment: int) -> None:
        """Wait until the chain's time is past a moment, seconds since the Unix epoch."""
        while self.now() <= moment:
            time.sleep(_PAUSE_SECONDS)

    @staticmethod
    def persist(
        action: Callable[[], _Found],
        *,
        until: Callable[[_Found], bool] | None = None,
        also: tuple[type[LedgerError], ...] = (),
    ) -> _Found:
        """
        Do something that changes nothing, again and again until it works.

        Args:
            action: What to do.
            until: Tells whether the result is as it should be; after `PATIENCE_SECONDS` any result is taken.
            also: Errors that may pass by themselves besides those that say so.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                found = action()
            except LedgerError as error:
                if not (error.retryable or isinstance(error, also)) or time.monotonic() > deadline:
                    raise
            else:
                if until is None or until(found) or time.monotonic() > deadline:
                    return found
            time.sleep(_PAUSE_SECONDS)

    def close(self) -> None:
        """Close all connections."""
        for client in (*self._members.values(), *self._holders.values()):
            client.close()

    def _signed_in(self, patient: Patient) -> PassportClient:
        if patient.custody is not Custody.SELF:
            raise AssertionError(f"patient {patient.index} keeps no key")
        with PassportClient(self.place.url, patience=PATIENCE_SECONDS) as stranger:
            # A sign-in whose answer was lost in a crash cannot be repeated: its challenge is used. A new one can.
            session = self.persist(
                lambda: sign_in(stranger, self.holder_key(patient)), also=(SignatureRejected,)
            )
        return PassportClient(self.place.url, str(session["code"]), patience=PATIENCE_SECONDS)

    def _key_file(self, member: str) -> Path:
        return self.place.directory / "keys" / f"{member}.json"

    def _passphrase(self) -> str:
        path = self.place.directory / "wallets" / "passphrase"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = path.with_suffix(".draft")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(24))
            draft.replace(path)
        return path.read_text()


def holder_address(world: World, patient: Patient) -> Address:
    """Return the address that a patient gives to its hospital."""
    from ledger.wallet import holder_address as address_of

    return address_of(world.holder_key(patient))


def _wallet(path: Path, *, passphrase: str) -> Wallet:
    """Open a wallet, or make it: whole or not at all."""
    if not path.exists():
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        Wallet(new_seed()).save(draft, passphrase=passphrase)
        draft.replace(path)
    return Wallet.load(path, passphrase=passphrase)
