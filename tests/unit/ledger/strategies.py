"""Random messages of replicas, for hypothesis."""

from hypothesis import strategies as st

from offchain.ledger.pbft.messages import (
    Batch,
    Bundle,
    Checkpoint,
    Commit,
    Decided,
    Entry,
    Fetch,
    FetchState,
    Gossip,
    NewView,
    Offer,
    Prepare,
    PrePrepare,
    Proposal,
    Reference,
    StateChunk,
    Status,
    ViewChange,
)

NUMBERS = st.integers(0, 2**64 - 1)
SHORT = st.integers(0, 2**32 - 1)
REPLICAS = st.integers(0, 2**16 - 1)
DIGESTS = st.binary(min_size=32, max_size=32)
BYTES = st.binary(max_size=80)
FLAGS = st.booleans()


def _tuples(items: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(items, max_size=4).map(tuple)


BATCHES = st.builds(Batch, NUMBERS, _tuples(DIGESTS))
CHECKPOINTS = st.builds(Checkpoint, NUMBERS, DIGESTS)
ENTRIES = _tuples(st.builds(Entry, NUMBERS, NUMBERS, DIGESTS))
MESSAGES = st.one_of(
    st.builds(Bundle, _tuples(BYTES)),
    st.builds(PrePrepare, NUMBERS, NUMBERS, BATCHES),
    st.builds(Proposal, NUMBERS, NUMBERS, NUMBERS, DIGESTS, _tuples(st.binary(min_size=3, max_size=3))),
    st.builds(Prepare, NUMBERS, NUMBERS, DIGESTS),
    st.builds(Commit, NUMBERS, NUMBERS, DIGESTS),
    CHECKPOINTS,
    st.builds(ViewChange, NUMBERS, REPLICAS, NUMBERS, _tuples(CHECKPOINTS), ENTRIES, ENTRIES, BYTES),
    st.builds(NewView, NUMBERS, _tuples(st.builds(Reference, REPLICAS, DIGESTS))),
    st.builds(Fetch, _tuples(DIGESTS)),
    st.builds(Offer, BATCHES),
    st.builds(Status, NUMBERS, FLAGS, NUMBERS, DIGESTS, NUMBERS),
    st.builds(Decided, NUMBERS, BATCHES),
    st.builds(FetchState, NUMBERS, SHORT),
    st.builds(StateChunk, NUMBERS, SHORT, SHORT, BYTES),
    st.builds(Gossip, BYTES),
)
