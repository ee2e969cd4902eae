"""Logs to events."""

from typing import Any

import pytest
from eth_abi.abi import encode as abi_encode
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from offchain.chain.artifacts import ALL_CONTRACTS, load_artifact
from offchain.chain.enums import Item, Outcome, Role, ScoreFunction, Verdict
from offchain.chain.event_decoder import Event, EventDecoder
from offchain.chain.views import Order, Payout, Settlement, Target

PLACES = {name: to_checksum_address(f"0x{index + 0xABC:040x}") for index, name in enumerate(ALL_CONTRACTS)}
DECODER = EventDecoder({PLACES[name]: (name, load_artifact(name).abi) for name in ALL_CONTRACTS})
EVENTS = [(name, entry) for name in ALL_CONTRACTS for entry in load_artifact(name).abi if entry["type"] == "event"]
SOMEONE = "0x000000000000000000000000000000000000bEEF"


def sample(item: dict[str, Any]) -> Any:
    """Some value of the type."""
    if item["type"].endswith("[]"):
        return [sample({**item, "type": item["type"][:-2]})] * 2
    if item["type"] == "tuple":
        return tuple(sample(field) for field in item["components"])
    samples = {"address": SOMEONE, "bool": True, "bytes": b"\x05" * 40, "string": "text"}
    samples |= {f"bytes{size}": b"\x05" * size for size in (16, 32)}
    return samples.get(item["type"], 1)


def log_of(contract: str, entry: dict[str, Any]) -> dict[str, Any]:
    indexed = [item for item in entry["inputs"] if item["indexed"]]
    plain = [item for item in entry["inputs"] if not item["indexed"]]
    topics = [event_abi_to_log_topic(entry), *(abi_encode([item["type"]], [sample(item)]) for item in indexed)]  # type: ignore[arg-type]
    data = abi_encode([collapse_if_tuple(item) for item in plain], [sample(item) for item in plain])
    return {
        "address": PLACES[contract].lower(),
        "topics": ["0x" + bytes(topic).hex() for topic in topics],
        "data": "0x" + data.hex(),
        "blockNumber": "0x7",
        "blockHash": "0x" + "aa" * 32,
        "transactionHash": "0x" + "bb" * 32,
        "logIndex": "0x3",
    }


def decoded(contract: str, name: str) -> Event:
    (entry,) = [entry for owner, entry in EVENTS if (owner, entry["name"]) == (contract, name)]
    event = DECODER.decode(log_of(contract, entry))
    assert event is not None
    return event


@pytest.mark.parametrize(("contract", "entry"), EVENTS, ids=[f"{name}.{entry['name']}" for name, entry in EVENTS])
def test_every_event_of_every_contract_is_decoded(contract: str, entry: dict[str, Any]) -> None:
    event = DECODER.decode(log_of(contract, entry))
    assert event is not None
    assert (event.contract, event.name, event.address) == (contract, entry["name"], PLACES[contract])
    assert (event.block_number, event.block_hash, event.tx_hash, event.log_index) == (7, b"\xaa" * 32, b"\xbb" * 32, 3)
    assert list(event.arguments) == [item["name"] for item in entry["inputs"]]


def test_structs_and_enums_are_typed() -> None:
    order = decoded("OrderBook", "OrderPut").arguments["order"]
    assert isinstance(order, Order)
    assert order.client == SOMEONE
    assert order.terms.score_function is ScoreFunction.ACCURACY
    assert order.windows.train_end == 2
    sealed = decoded("ProofOfTraining", "OrderSealed").arguments
    assert isinstance(sealed["settlement"], Settlement)
    assert sealed["outcome"] is Outcome.WON
    assert sealed["payouts"] == (Payout(SOMEONE, 1),) * 2  # type: ignore[arg-type]
    target = decoded("AvailabilityCourt", "Requested").arguments["target"]
    assert isinstance(target, Target)
    assert target.item is Item.HEADER
    assert decoded("DisputeCourt", "Closed").arguments["verdict"] is Verdict.FALSE
    assert decoded("StakeVault", "Bonded").arguments["role"] is Role.PROVIDER


def test_logs_of_others_are_none_of_ours() -> None:
    contract, entry = EVENTS[0]
    log = log_of(contract, entry)
    assert DECODER.decode({**log, "address": SOMEONE}) is None
    assert DECODER.decode({**log, "topics": ["0x" + "00" * 32]}) is None
    assert DECODER.decode({**log, "topics": []}) is None


@given(st.binary(max_size=300), st.integers(1, 4))
def test_malformed_data_never_breaks_the_reader(data: bytes, topics: int) -> None:
    for contract, entry in EVENTS[::5]:
        log = log_of(contract, entry)
        DECODER.decode({**log, "data": "0x" + data.hex(), "topics": log["topics"][:topics]})
