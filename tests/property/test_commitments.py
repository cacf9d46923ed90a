"""Commitments: the same words the same bytes, other words other bytes."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.records import Commitment, Salt
from ledger.domain.vocabulary import Category
from ledger.encoding.commitments import canonical, commit, manifest

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-(2.0**53), 2.0**53, exclude_min=True, exclude_max=True)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
SALTS = st.binary(min_size=32, max_size=32).map(Salt)


@given(VALUES)
def test_canonical_json_is_json_and_stays_so(value):
    """It reads back as the same value, and writing that again changes nothing."""
    text = canonical(value)
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text


@given(st.dictionaries(TEXT, st.integers(0, 9), min_size=2, max_size=6), st.randoms())
def test_the_order_of_names_does_not_matter(record, random):
    """Two systems that write the same record write the same bytes."""
    items = list(record.items())
    random.shuffle(items)
    assert canonical(dict(items)) == canonical(record)


@given(
    st.text(max_size=8),
    st.binary(min_size=1, max_size=64),
    SALTS,
    st.text(max_size=8),
    st.binary(min_size=1, max_size=64),
    SALTS,
)
def test_a_commitment_binds_domain_salt_and_record(
    domain, record, salt, other_domain, other_record, other_salt
):
    """Any difference shows."""
    same = (domain, record, salt) == (other_domain, other_record, other_salt)
    assert (commit(domain, record, salt=salt) == commit(other_domain, other_record, salt=other_salt)) == same


@given(st.dictionaries(st.sampled_from(list(Category)), st.binary(min_size=32, max_size=32).map(Commitment)))
def test_a_manifest_always_has_sixteen_entries(present):
    """In the order of the vocabulary, whatever the record has."""
    entries = manifest(present)
    assert list(entries) == [category.name for category in Category]
    assert all(entries[category.name] == "0x" + value.hex() for category, value in present.items())
