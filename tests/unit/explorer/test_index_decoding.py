"""The fast readers give exactly what the chain's own decoder gives, also for logs that are not right."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.chain.event_decoder import EventDecoder
from offchain.explorer.index.decoding import LogDecoder, abis_of
from tests.unit.explorer.event_logs import DEPLOYMENT, EVENTS, logs

SLOW = EventDecoder.of(DEPLOYMENT)
FAST = LogDecoder(abis_of(DEPLOYMENT))
PLACE = {"blockNumber": "0x7", "blockHash": "0x" + "aa" * 32, "transactionHash": "0x" + "bb" * 32, "logIndex": "0x3"}


def same(log: dict[str, Any]) -> bool:
    """Asserts that both say the same of a log; whether it is an event at all."""
    slow = SLOW.decode(log | PLACE)
    matched = FAST.match(log)
    said = None if matched is None else FAST.arguments(*matched)
    if slow is None:
        assert said is None
        return False
    assert matched is not None
    kind = FAST.kinds[matched[0]]
    assert (kind.contract, kind.name) == (slow.contract, slow.name)
    assert said == slow.arguments
    assert repr(said) == repr(slow.arguments)  # types too: 1 is not True, nor a member of an enumeration
    return True


def test_every_event_of_every_contract_is_known() -> None:
    assert {(kind.contract, kind.name) for kind in FAST.kinds} == {(name, entry["name"]) for name, entry in EVENTS}


@settings(max_examples=60)
@given(logs())
def test_all_events_are_decoded_alike(log: dict[str, Any]) -> None:
    assert same(log)


@settings(max_examples=60)
@given(logs(), st.data())
def test_what_is_not_right_is_refused_alike(log: dict[str, Any], data: st.DataObject) -> None:
    words = [bytes.fromhex(log["data"][2:][start : start + 64]) for start in range(0, len(log["data"]) - 2, 64)]
    wrong = bytearray(b"".join(words))
    for _ in range(data.draw(st.integers(1, 2))):
        if wrong:
            place = data.draw(st.integers(0, len(wrong) - 1))
            wrong[place] = data.draw(st.sampled_from([0, 1, 0x20, 0x7F, 0x80, 0xFF]))
    cut = data.draw(st.sampled_from([0, 0, 0, 1, 32, 64]))
    end = max(len(wrong) - cut, 0)
    same(log | {"data": "0x" + bytes(wrong[:end]).hex()})
    same(log | {"topics": log["topics"][:-1]})
    topics = [topic[:2] + data.draw(st.sampled_from(["00", "ff"])) + topic[4:] for topic in log["topics"][1:]]
    same(log | {"topics": [log["topics"][0], *topics]})
