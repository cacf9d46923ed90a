"""Packed words: what goes in comes out, and nothing overlaps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.records import Terms, Verdict
from ledger.domain.vocabulary import Basis, Category, DataClass, Fact, Level, Operation, Outcome, Purpose
from ledger.encoding.words import (
    fold_decision,
    pack_terms,
    pack_verdict,
    request_hash,
    unpack_terms,
    unpack_verdict,
)
from ledger.errors import VerificationError

FACTS = st.integers(0, 2**32 - 1).map(Fact)
NUMBERS = st.integers(0, 2**32 - 1)
DAYS = st.integers(0, 2**16 - 1)
IDS = st.binary(min_size=32, max_size=32)

VERDICTS = st.builds(
    Verdict,
    seq=st.integers(0, 2**40 - 1),
    policy_version=NUMBERS,
    data_class=st.sampled_from(DataClass),
    outcome=st.sampled_from(Outcome),
    facts=FACTS,
    missing=FACTS,
)
TERMS = st.builds(
    Terms,
    purpose=st.sampled_from(Purpose),
    basis=st.sampled_from(Basis),
    operation=st.sampled_from(Operation),
    categories=st.integers(0, 0xFFFF).map(Category),
    level=st.sampled_from(Level),
    project_id=NUMBERS,
    emergency_id=NUMBERS,
    controller_id=NUMBERS,
    first_day=DAYS,
    last_day=DAYS,
    dataset_id=NUMBERS,
)
REQUESTS = st.fixed_dictionaries(
    {
        "passport_id": IDS,
        "grant_id": IDS,
        "member_id": NUMBERS,
        "terms_word": st.integers(0, 2**208 - 1),
        "commitment": IDS,
    }
)
DECISIONS = st.tuples(REQUESTS, st.integers(0, 2**152 - 1)).map(
    lambda pair: {**pair[0], "verdict_word": pair[1]}
)


@given(VERDICTS)
def test_a_verdict_survives_its_word(verdict):
    """Packed and unpacked it is the same."""
    word = pack_verdict(verdict)
    assert 0 <= word < 2**152
    assert unpack_verdict(word) == verdict


@given(VERDICTS, VERDICTS)
def test_two_verdicts_share_no_word(first, second):
    """The word says everything."""
    assert (pack_verdict(first) == pack_verdict(second)) == (first == second)


@given(st.integers(0, 2**256 - 1))
def test_any_word_is_a_verdict_or_refused(word):
    """Nothing is read that would be written differently."""
    try:
        verdict = unpack_verdict(word)
    except VerificationError:
        return
    assert pack_verdict(verdict) == word


@given(TERMS)
def test_terms_survive_their_word(terms):
    """Packed and unpacked they are the same."""
    word = pack_terms(terms)
    assert 0 <= word < 2**208
    assert unpack_terms(word) == terms


@given(TERMS, TERMS)
def test_two_terms_share_no_word(first, second):
    """The word says everything."""
    assert (pack_terms(first) == pack_terms(second)) == (first == second)


@given(st.integers(0, 2**256 - 1) | TERMS.map(pack_terms).map(lambda word: word ^ 1 << 207))
def test_any_word_is_terms_or_refused(word):
    """Nothing is read that would be written differently."""
    try:
        terms = unpack_terms(word)
    except VerificationError:
        return
    assert pack_terms(terms) == word


@given(TERMS)
def test_terms_hold_every_part(terms):
    """Each at its place, as `Terms.sol` says."""
    word = pack_terms(terms)
    widths = (8, 8, 8, 8, 16, 32, 32, 32, 16, 16, 32)
    parts, place = [], 0
    for width in widths:
        parts.append(word >> place & (1 << width) - 1)
        place += width
    assert place == 208
    assert parts == [
        terms.purpose,
        terms.basis,
        terms.operation,
        terms.level,
        int(terms.categories),
        terms.project_id,
        terms.emergency_id,
        terms.controller_id,
        terms.first_day,
        terms.last_day,
        terms.dataset_id,
    ]


@given(REQUESTS, REQUESTS)
def test_a_request_is_named_word_for_word(first, second):
    """Another word or another member is another request."""
    assert (request_hash(**first) == request_hash(**second)) == (first == second)


@given(IDS, st.lists(DECISIONS, min_size=2, max_size=4), st.randoms())
def test_the_head_knows_every_decision_and_their_order(head, decisions, random):
    """Another list, another head."""

    def fold(items):
        value = head
        for item in items:
            value = fold_decision(value, **item)
        return value

    shuffled = list(decisions)
    random.shuffle(shuffled)
    assert (fold(decisions) == fold(shuffled)) == (decisions == shuffled)
    assert fold(decisions) != fold(decisions[:-1])
