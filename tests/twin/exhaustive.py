"""
Every combination of facts of every entry of the law, answered by the contract and by the twin: 78 million.

`tests.twin.table.Table` makes the world, and says of a combination who asks what; what cannot be is counted by reason.
Here it is asked in bulk. Of each combination that can be:

- the contract answers `decide`, called as the member that asks (`eth_call`), in batches that share their words;
- what it says to be missing is exactly what is meant to be, and its number is that of the passport's next decision: so
  nothing is counted that was not met;
- the twin in columns (`ledger.audit.columns`, with which chains are replayed) knows the world by its events, and answers
  the same: version, class, outcome, facts that hold and facts that are missing, bit for bit;
- the plain twin (`ledger.policy.decide`), which takes longer than the contract, answers the same, bit for bit, on a part:
  all of an entry of at most `WHOLE_DEEP` facts; of a larger one what `combinations_of` names (at most three facts
  missing, at most two held, any of the grant's and the project's, any of the rest), and one in `plain_every` of all.

That a human approved a request is brought about as it always is: it was asked, waited, and was reviewed, in transactions.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import combinations, islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ledger.audit.columns import _ROW, _Asked, _History, _Irregular, _Law, _require_regular
from ledger.chain.contract import calldata
from ledger.domain.records import Commitment, GrantId, PassportId, PolicyTable, Request, Terms
from ledger.domain.vocabulary import Basis, DataClass, Fact, Outcome, Purpose
from ledger.encoding.words import pack_terms, pack_verdict
from ledger.policy import decide
from ledger.ports import Call
from tests.twin.chain import Key, word
from tests.twin.machine import Stage
from tests.twin.table import GRANT, NEVER_WAITED, PROJECT, SIGNED, WHOLE_DEEP, Case, Table, entries

Entry = tuple[DataClass, Purpose, Basis, Fact]
Target = tuple[PassportId, GrantId]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: Switched by the phase; by which grant is named; by which passport.
PHASED: Final = Fact.PASSPORT_OPEN | Fact.GRANT_LIVE
BY_GRANT: Final = Fact.GRANT_RECIPIENT | Fact.GRANT_PURPOSE | Fact.GRANT_SEPARATE | Fact.GRANT_QUOTA
BY_PASSPORT: Final = (
    Fact.PURPOSE_ALLOWED
    | Fact.UNLOCKED
    | Fact.REQUESTER_IS_CUSTODIAN
    | Fact.ENCRYPTED
    | Fact.DEIDENTIFIED
    | Fact.SOURCE_DECLARED
)
_PHASES: Final = (Fact(0), Fact.PASSPORT_OPEN, PHASED, Fact.GRANT_LIVE)
_FEW_MISSING: Final = 3
_FEW_HELD: Final = 2
#: A call has 2^24 gas, and a decision takes about 7,500 (what takes more is asked in two calls). With more of them a
#: devnet, which remembers every step, spends its time on memory.
_CALL_DECISIONS: Final = 1_000
_CALLS_AHEAD: Final = 64
#: How many decisions the twin in columns answers at once.
_CHUNK: Final = 300_000
_SELECTOR: Final = calldata(Call("decide", ([],)))[:4]
_WORD: Final = 32
_EXAMPLES: Final = 5


@dataclass(frozen=True)
class Unit:
    """Entries whose combinations are tried together in one phase: small ones that are alike, or a large one."""

    entries: tuple[Entry, ...]
    phase: Fact

    @property
    def facts(self) -> int:
        """Return how many facts each of the entries requires."""
        return int(self.entries[0][3]).bit_count()

    @property
    def is_large(self) -> bool:
        return self.facts > WHOLE_DEEP

    @property
    def is_human(self) -> bool:
        """Tell whether the entries ask for a human's approval."""
        return Fact.HUMAN_REVIEWED in self.entries[0][3]

    @property
    def name(self) -> str:
        data_class, purpose, basis, _ = self.entries[0]
        what = f"{len(self.entries)} entries"
        if self.is_large:
            what = f"{data_class.name}, {purpose.name}, {basis.name}"
        lacking = " and ".join(str(fact.name) for fact in self.phase)
        reviewed = " that ask for a review" if self.is_human else ""
        return f"{self.facts} facts: {what}{reviewed}{f'; without {lacking}' if lacking else ''}"


@dataclass
class Tally:
    """
    What was compared.

    Attributes:
        combinations: Sets of facts to be missing. `direct`: how many of them are asked by the principal itself as well.
        compared: Cases that the contract and the twin in columns answered; `plain`: of these, the plain twin too.
        permits: Of these, permitted; `reviews`: left to a human.
        unreachable: Cases that nothing can bring about, by the reason.
        differences: Cases in which anything differs; of the first ones `examples`.
        seconds: How long it took.
    """

    combinations: int = 0
    direct: int = 0
    compared: int = 0
    plain: int = 0
    permits: int = 0
    reviews: int = 0
    unreachable: Counter[str] = field(default_factory=Counter)
    differences: int = 0
    examples: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @classmethod
    def of(cls, values: dict[str, Any]) -> Tally:
        """Read what `as_json` wrote."""
        return cls(**{**values, "unreachable": Counter(values["unreachable"])})

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "unreachable": dict(self.unreachable), "seconds": round(self.seconds, 1)}

    def add(self, other: Tally) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass(frozen=True)
class _Family:
    """
    What can be named in the same words, and what is missing because of it.

    `numbers`: of each passport and of each grant, as the columns count them.
    """

    missing: Ints
    targets: tuple[Target, ...]
    numbers: Ints

    @cached_property
    def raw(self) -> bytes:
        return b"".join(passport_id + grant_id for passport_id, grant_id in self.targets)

    def only(self, allowed: set[Target]) -> _Family:
        """Return the part of it that names some of these."""
        places = [place for place, target in enumerate(self.targets) if target in allowed]
        if len(places) == len(self.targets):
            return self
        targets = tuple(self.targets[place] for place in places)
        return _Family(self.missing[places], targets, self.numbers[places])


@dataclass(frozen=True)
class _Batch:
    """Requests in the same words by the same member. `missing`: because of words, member and phase."""

    entry: Entry
    missing: int
    key: Key
    commitment: Commitment
    terms: Terms
    family: _Family

    def __len__(self) -> int:
        return len(self.family.targets)


@dataclass(frozen=True)
class _Answer:
    """What the contract answered to one call: a verdict for each request."""

    batches: Sequence[_Batch]
    verdicts: bytes


class Comparison:
    """
    The comparison in the phase in which a table's world is.

    The plain twin also answers one in *plain_every* of the combinations that it need not.
    """

    def __init__(self, table: Table, *, plain_every: int) -> None:
        self.table, self.plain_every = table, plain_every
        self._state, self._now = table.model.state, table.model.now
        self._families: dict[tuple[Entry, Fact], _Family] = {}
        self._approved: dict[tuple[bytes, Commitment, Terms], set[Target]] = {}
        for request, account in table.approved:
            words = account, request.commitment, request.terms
            self._approved.setdefault(words, set()).add((request.passport_id, request.grant_id))
        keys = [table.principal, *table.callers.values()]
        self._members = {key.account: table.model.member_of(key) for key in keys}
        self._take_history()

    def _take_history(self) -> None:
        """Give the twin in columns what happened so far; the decisions as rows, before those that are to be compared."""
        others, rows, places, times, named = [], [], [], [], []
        self._passports: dict[bytes, int] = {}
        self._grants: dict[bytes, int] = {}
        for place, event in enumerate(self.table.model.events):
            if event.name != "DecisionRecorded":
                others.append((place, event))
                continue
            given = event.arguments
            target = given["passportId"], given["grantId"]
            words = b"".join(word(given[name]) for name in ("memberId", "terms", "verdict"))
            rows.append(b"".join(target) + words + given["commitment"])
            places.append(place)
            times.append(event.position.time)
            named.append(self._number(target))
        self._history = _History(others, self._passports, self._grants)
        self._past = np.frombuffer(b"".join(rows), np.uint8).reshape(-1, _ROW.itemsize)
        self._past_places, self._past_times = np.array(places, np.int64), np.array(times, np.int64)
        self._past_named = np.array(named, np.int64).reshape(-1, 2)
        self._next = len(self.table.model.events)

    def _number(self, target: Target) -> tuple[int, int]:
        """Return the numbers of a passport and of a grant in the columns."""
        passport_id, name = target[0], target[0] + target[1]
        return (
            self._passports.setdefault(passport_id, len(self._passports)),
            self._grants.setdefault(name, len(self._grants)),
        )

    # What is asked

    def compare(self, unit: Unit) -> Tally:
        """Have the contract answer every combination of a unit, and compare what it answers."""
        begun, tally = time.monotonic(), Tally()
        asked: dict[bytes, list[_Batch]] = {}
        for entry in unit.entries:
            for batch in self._batches(entry, unit.phase, tally):
                asked.setdefault(batch.key.account, []).append(batch)
        for chunk in self._answered(batches for own in asked.values() for batches in _calls(own)):
            self._check(chunk, tally)
            _forget_sets()
        assert tally.compared + tally.unreachable.total() == tally.combinations + tally.direct, unit.name
        tally.seconds = time.monotonic() - begun
        return tally

    def _batches(self, entry: Entry, phase: Fact, tally: Tally) -> Iterator[_Batch]:
        """Yield all requests of an entry that can be in this phase, and count every combination."""
        switches = _switches_of(entry)
        size = 2 ** len(list(switches))
        for missing in subsets(entry[3] & ~PHASED & ~switches) if entry[3] else [Fact.LAWFUL]:
            case = Case(*entry, missing=missing | phase)
            tally.combinations += size
            tally.direct += size if case.has_direct else 0
            for one in (case, replace(case, direct=True)) if case.has_direct else (case,):
                found = self.table.words(one)
                if isinstance(found, str):
                    tally.unreachable[found] += size
                    continue
                key, commitment, terms = found
                part = self._family(entry, case, switches)
                if case.is_approved:
                    part = part.only(self._approved.get((key.account, commitment, terms), set()))
                    if len(part.targets) < size:
                        tally.unreachable[NEVER_WAITED] += size - len(part.targets)
                if part.targets:
                    yield _Batch(entry, int(case.missing), key, commitment, terms, part)

    def _family(self, entry: Entry, case: Case, switches: Fact) -> _Family:
        place = entry, case.missing & BY_PASSPORT
        if place not in self._families:
            several = list(subsets(switches))
            targets = tuple(self.table.target(replace(case, missing=case.missing | one)) for one in several)
            self._families[place] = _Family(
                np.array([int(missing) for missing in several], np.int64),
                targets,
                np.array([self._number(target) for target in targets], np.int64),
            )
        return self._families[place]

    def _answered(self, calls: Iterator[list[_Batch]]) -> Iterator[list[_Answer]]:
        """Yield what the contract answers, in chunks; some calls are on their way while a chunk is compared."""
        ahead: deque[Future[list[_Answer]]] = deque()
        chunk: list[_Answer] = []
        with ThreadPoolExecutor(1) as node:
            while True:
                for batches in islice(calls, _CALLS_AHEAD - len(ahead)):
                    ahead.append(node.submit(self._ask, batches))
                if not ahead:
                    break
                chunk += ahead.popleft().result()
                if sum(len(answer.verdicts) for answer in chunk) >= _CHUNK * _WORD:
                    yield chunk
                    chunk = []
        if chunk:
            yield chunk

    def _ask(self, batches: list[_Batch]) -> list[_Answer]:
        answer = self.table.stage.chain.call_if_gas(batches[0].key, _encoded(batches))
        if answer is None:
            half = len(batches) // 2
            assert half, "a batch takes more gas than a call has"
            return self._ask(batches[:half]) + self._ask(batches[half:])
        count = sum(map(len, batches))
        assert answer[:64] == word(_WORD) + word(count)
        assert len(answer) == 64 + _WORD * count
        return [_Answer(batches, answer[64:])]

    # What is compared

    def _check(self, chunk: list[_Answer], tally: Tally) -> None:
        """Compare the answers of a chunk with what is meant, with the twin in columns, and with the plain one."""
        batches = [batch for answer in chunk for batch in answer.batches]
        sizes = np.array([len(batch) for batch in batches], np.int64)
        count = int(sizes.sum())
        own = np.repeat(np.arange(len(batches)), sizes)
        place = np.arange(count) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        named = np.concatenate([batch.family.numbers for batch in batches])
        rows = self._laid_out(batches, sizes, b"".join(answer.verdicts for answer in chunk))
        asked = _Asked(
            rows.reshape(-1).view(_ROW),
            places=np.concatenate([self._past_places, np.arange(count) + self._next]),
            times=np.concatenate([self._past_times, np.full(count, self._now)]),
            passports=np.concatenate([self._past_named[:, 0], named[:, 0]]),
            grants=np.concatenate([self._past_named[:, 1], named[:, 1]]),
        )
        meant = np.concatenate([batch.family.missing | batch.missing for batch in batches])
        required = np.repeat(np.array([int(batch.entry[3]) for batch in batches], np.int64), sizes)
        past = len(self._past)
        calls = [sum(map(len, answer.batches)) for answer in chunk]
        seqs = self._sizes(named[:, 0]) + _earlier(named[:, 0], np.repeat(np.arange(len(chunk)), calls))
        wrong = self._columns_differ(asked)[past:]
        wrong |= asked.missing[past:] != meant
        wrong |= asked.seq[past:] != seqs
        chosen = np.flatnonzero(self._is_plain(required, meant))
        for index in chosen.tolist():
            batch = batches[own[index]]
            expected = self._plain(batch, int(place[index]), int(seqs[index]))
            wrong[index] |= expected != rows[past + index, 128:160].tobytes()
        tally.compared += count
        tally.plain += len(chosen)
        tally.permits += int(np.count_nonzero(asked.outcome[past:] == Outcome.PERMIT))
        tally.reviews += int(np.count_nonzero(asked.outcome[past:] == Outcome.REVIEW))
        tally.differences += int(np.count_nonzero(wrong))
        for index in np.flatnonzero(wrong)[: _EXAMPLES - len(tally.examples)].tolist():
            tally.examples.append(
                f"{batches[own[index]].entry[:3]} lacking {Fact(int(meant[index]))!r}: "
                f"answered {rows[past + index, 128:160].tobytes().hex()}, "
                f"plain twin {self._plain(batches[own[index]], int(place[index]), int(seqs[index])).hex()}"
            )

    def _laid_out(self, batches: list[_Batch], sizes: Ints, verdicts: bytes) -> NDArray[np.uint8]:
        """Return all decisions as the words of their events, those of the past first."""
        rows = np.empty((len(self._past) + int(sizes.sum()), _ROW.itemsize), np.uint8)
        rows[: len(self._past)] = self._past
        fresh = rows[len(self._past) :]
        targets = b"".join(batch.family.raw for batch in batches)
        fresh[:, :64] = np.frombuffer(targets, np.uint8).reshape(-1, 64)
        words = b"".join(
            word(self._members[batch.key.account]) + word(pack_terms(batch.terms)) for batch in batches
        )
        fresh[:, 64:128] = np.repeat(np.frombuffer(words, np.uint8).reshape(-1, 64), sizes, axis=0)
        fresh[:, 128:160] = np.frombuffer(verdicts, np.uint8).reshape(-1, _WORD)
        commitments = b"".join(batch.commitment for batch in batches)
        fresh[:, 160:] = np.repeat(np.frombuffer(commitments, np.uint8).reshape(-1, _WORD), sizes, axis=0)
        return rows

    def _sizes(self, passports: Ints) -> Ints:
        """Return how many decisions each passport had before."""
        names = list(self._passports)
        numbers, places = np.unique(passports, return_inverse=True)
        known = [self._state.passports[PassportId(names[number])].size for number in numbers.tolist()]
        return np.array(known, np.int64)[places.reshape(-1)]

    def _columns_differ(self, asked: _Asked) -> Bools:
        """Tell of each decision whether the twin in columns answers anything else; its number is compared elsewhere."""
        try:
            _require_regular(asked.rows)
            _, *expected = _Law(self._history, asked).decide()
        except _Irregular as error:
            raise AssertionError("the twin in columns cannot read what the contract answered") from error
        recorded = (asked.version, asked.data_class, asked.outcome, asked.facts, asked.missing)
        wrong = np.zeros(len(asked.rows), bool)
        for should, was in zip(expected, recorded, strict=True):
            wrong |= should != was
        return wrong

    def _is_plain(self, required: Ints, missing: Ints) -> Bools:
        """Tell which combinations the plain twin answers, too."""
        together, held = int(GRANT | PROJECT), required & ~missing
        chosen: Bools = (
            (np.bitwise_count(required) <= WHOLE_DEEP)
            | (np.bitwise_count(missing) <= _FEW_MISSING)
            | (np.bitwise_count(held) <= _FEW_HELD)
            | (missing & ~together == 0)
            | (missing & together == 0)
            # Multiplied by what mixes the bits, so that no fact is always among those left out.
            | ((missing * 0x9E3779B1 >> 11) % self.plain_every == 0)
        )
        return chosen

    def _plain(self, batch: _Batch, place: int, seq: int) -> bytes:
        """Return what the plain twin answers, as a word, if the passport has had so many decisions."""
        request = Request(*batch.family.targets[place], batch.commitment, batch.terms)
        member_id = self._members[batch.key.account]
        verdict = decide(request, self._state.situation(request, member_id, self._now))
        return word(pack_verdict(replace(verdict, seq=seq)))


def units_of(law: PolicyTable) -> list[Unit]:
    """Return all units, the smallest first."""
    alike: dict[tuple[int, bool, int], list[Entry]] = {}
    for number, entry in enumerate(entries(law)):
        facts, human = int(entry[3]).bit_count(), Fact.HUMAN_REVIEWED in entry[3]
        alike.setdefault((facts, human, number if facts > WHOLE_DEEP else 0), []).append(entry)
    found = []
    for _, own in sorted(alike.items()):
        for phase in _PHASES:
            some = tuple(entry for entry in own if phase in entry[3])
            if some:
                found.append(Unit(some, phase))
    return found


def sweep(
    stage: Stage, choose: Callable[[list[Unit]], list[Unit]], *, plain_every: int
) -> Iterator[tuple[Unit, Tally]]:
    """
    Make the world and compare what is chosen of all units: small ones before large ones, in one phase after the other.

    Those that ask for a human's approval come last, in a world of their own: tens of thousands of requests are approved
    in it, which makes everything slower.

    Args:
        stage: Where to make it.
        choose: Says which units.
        plain_every: The plain twin also answers one in so many of the combinations that it need not.
    """
    units = choose(units_of(stage.begin().state.law))
    for human in (False, True):
        some = [unit for unit in units if unit.is_human is human]
        if some:
            table = Table(stage)
            table.build(lambda _, some=some: _approvable(entry for unit in some for entry in unit.entries))
            yield from _by_size(table, some, plain_every)


def _by_size(table: Table, units: list[Unit], plain_every: int) -> Iterator[tuple[Unit, Tally]]:
    """Compare units in all phases, the small ones first."""
    model, chain = table.model, table.stage.chain
    state, now, events = deepcopy(model.state), model.now, len(model.events)
    snapshot = chain.snapshot()
    for large in (False, True):
        some = [unit for unit in units if unit.is_large is large]
        if not some:
            continue
        model.state, model.now = deepcopy(state), now
        del model.events[events:]
        snapshot = chain.revert(snapshot)
        for phase in table.phases():
            here = [unit for unit in some if unit.phase == phase]
            if here:
                comparison = Comparison(table, plain_every=plain_every)
                for unit in here:
                    yield unit, comparison.compare(unit)


def subsets(facts: Fact) -> Iterator[Fact]:
    """Yield all sets of some facts."""
    several = list(facts)
    for count in range(len(several) + 1):
        for chosen in combinations(several, count):
            yield Fact(sum(chosen))


def _switches_of(entry: Entry) -> Fact:
    """Return which facts of an entry are switched by the passport and the grant alone: the words stay as they are."""
    _, _, basis, required = entry
    # At which level something de-identified is handed over is in the words; so is an emergency of one passport.
    found = BY_GRANT if basis is Basis.INDIVIDUAL_EMERGENCY else BY_GRANT | BY_PASSPORT & ~Fact.DEIDENTIFIED
    if Fact.HUMAN_REVIEWED in required:
        found &= ~Fact.UNLOCKED  # What is locked is approved under the emergency that it is locked to.
    return required & found


def _approvable(some: Iterable[Entry]) -> Iterator[Case]:
    """Yield the cases of entries that a human is to approve: in one phase, for the words are the same in all."""
    for entry in dict.fromkeys(some):
        required = entry[3]
        if Fact.HUMAN_REVIEWED in required:
            signed = SIGNED if entry[2] is Basis.CONSENT else Fact(0)
            for missing in subsets(required & ~PHASED & ~signed & ~Fact.HUMAN_REVIEWED):
                yield Case(*entry, missing=missing)


def _calls(batches: list[_Batch]) -> Iterator[list[_Batch]]:
    """Yield batches of one member as calls."""
    call: list[_Batch] = []
    count = 0
    for batch in batches:
        # A batch takes about as much gas as a decision, on top of its decisions.
        if call and count + len(batch) + 1 > _CALL_DECISIONS:
            yield call
            call, count = [], 0
        call.append(batch)
        count += len(batch) + 1
    if call:
        yield call


def _encoded(batches: Sequence[_Batch]) -> bytes:
    """Return the calldata of `decide`."""
    heads, bodies, place = [], [], _WORD * len(batches)
    for batch in batches:
        body = b"".join(
            (word(pack_terms(batch.terms)), batch.commitment, word(96), word(len(batch)), batch.family.raw)
        )
        heads.append(word(place))
        bodies.append(body)
        place += len(body)
    return b"".join((_SELECTOR, word(_WORD), word(len(batches)), *heads, *bodies))


def _earlier(passports: Ints, calls: NDArray[np.intp]) -> Ints:
    """Return for each decision how many of its call are before it on the same passport."""
    order = np.lexsort((passports, calls))
    names = (calls << 32 | passports)[order]
    first = np.flatnonzero(np.concatenate(([True], names[1:] != names[:-1])))
    found = np.empty(len(order), np.int64)
    found[order] = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    return found


def _forget_sets() -> None:
    """Let Python forget the sets of facts that it met: it remembers each one, and here there are millions."""
    known = Fact._value2member_map_
    for value in [value for value in known if int(value).bit_count() > 1]:
        del known[value]
