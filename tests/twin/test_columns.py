"""The replay in columns finds what the plain one finds: on chains as they are, and on chains that somebody forged."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

import pytest

from ledger.audit.columns import Columns, replay_logs
from ledger.audit.replay import replay
from ledger.chain import artifacts
from ledger.chain.contract import decoder
from ledger.encoding.events import RawLog, _by_abi, event_topic
from ledger.errors import VerificationError
from tests.twin.machine import ContractAndTwin, Stage, outcome_of

ABI: Final = artifacts.load().abi
_FORGERIES: Final = 300
_DECIDED: Final = next(
    event_topic(entry) for entry in ABI if entry["type"] == "event" and entry["name"] == "DecisionRecorded"
)


@pytest.fixture(scope="module")
def chronicles(stage: Stage) -> list[list[RawLog]]:
    """Return the logs of a few long histories on a devnet."""
    ContractAndTwin.stage = stage
    found = []
    for salt in range(3):
        history = ContractAndTwin()
        history.begin(salt)
        for seed in range(300):
            history.go_on(seed)
        found.append(history.chain.raw_logs())
    return found


def test_a_chain_as_it_is(chronicles: list[list[RawLog]]) -> None:
    """Nothing is found, in hundreds of decisions of every outcome, and the columns need no help of the plain replay."""
    assert any(_plain(logs)[-1].inclusions for logs in chronicles)
    for logs in chronicles:
        assert _plain(logs) == outcome_of(lambda logs=logs: replay_logs(logs, ABI))
        columns = Columns(ABI)
        columns.take(logs)
        checked = columns._check()
        assert checked.mismatches == []
        assert checked.decisions > 50
        assert checked.permits > 0


def test_a_chain_that_somebody_forged(chronicles: list[list[RawLog]]) -> None:
    """Bits flipped, logs left out, doubled, moved: the same mismatches, the same state or the same error."""
    noise, different = Random(20_261_125), 0
    for _ in range(_FORGERIES):
        logs = _forged(noise, list(noise.choice(chronicles)))
        expected = _plain(logs)
        assert expected == outcome_of(lambda logs=logs: replay_logs(logs, ABI))
        different += isinstance(expected, tuple) and bool(expected[0])
    assert different > _FORGERIES / 4


def test_logs_are_decoded_as_eth_abi_decodes_them(chronicles: list[list[RawLog]]) -> None:
    """By the words' places, for what contracts write; whatever else is there is eth-abi's to refuse or to read."""
    noise = Random(7)
    types = decoder()._types
    for log in [log for logs in chronicles for log in logs]:
        at = noise.randrange(len(log.data)) if log.data else 0
        forged = replace(log, data=_flipped(noise, log.data, at, at + 1)) if log.data else log
        short = replace(log, data=log.data[:-32], topics=log.topics[: noise.choice((2, 4))])
        for one in (log, forged, short):
            assert _decoded(lambda one=one: decoder().decode(one).arguments) == _decoded(
                lambda one=one: _by_abi(types[one.topics[0]], one)
            )


def _decoded(decode):
    try:
        return decode()
    except VerificationError as error:
        return error.message


def _plain(logs: list[RawLog]):
    def events():
        for log in logs:
            event = decoder().decode(log)
            if event is not None:
                yield event

    return outcome_of(lambda: replay(events()))


def _forged(noise: Random, logs: list[RawLog]) -> list[RawLog]:
    decided = [index for index, log in enumerate(logs) if log.topics[0] == _DECIDED]
    for _ in range(noise.choice((1, 1, 2, 5))):
        kind = noise.randrange(6)
        index = noise.choice(decided) if kind < 3 and decided else noise.randrange(len(logs))
        log = logs[index]
        if kind == 0:
            # The verdict says something else.
            logs[index] = replace(log, data=_flipped(noise, log.data, 45, 64))
        elif kind == 1:
            logs[index] = replace(log, data=_flipped(noise, log.data, 10, 32))
        elif kind == 2:
            topics = list(log.topics)
            topics[noise.choice((2, 3))] = noise.choice([logs[other].topics[2] for other in decided])
            logs[index] = replace(log, topics=tuple(topics))
        elif kind == 3:
            if log.data:
                logs[index] = replace(log, data=_flipped(noise, log.data, 0, len(log.data)))
        elif kind == 4:
            del logs[index]
            decided = [index for index, log in enumerate(logs) if log.topics[0] == _DECIDED]
        else:
            other = noise.randrange(len(logs))
            logs.insert(other, logs[index])
            decided = [index for index, log in enumerate(logs) if log.topics[0] == _DECIDED]
    return logs


def _flipped(noise: Random, data: bytes, start: int, end: int) -> bytes:
    place, bit = noise.randrange(start, end), noise.randrange(8)
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
