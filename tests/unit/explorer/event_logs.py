"""Logs of any event of the contracts, with arguments drawn from few values, so that they are about the same things."""

from typing import Any

from eth_abi.abi import encode as abi_encode
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic
from eth_utils.address import to_checksum_address
from hypothesis import strategies as st

from offchain.chain.addresses import Addresses, field_of
from offchain.chain.artifacts import ALL_CONTRACTS, load_artifact
from offchain.chain.enums import ENUMS
from offchain.dispute.state import NOBODY

ADDRESSES: dict[str, Any] = {name: "0x" + f"{index + 1:02x}" * 20 for index, name in enumerate(ALL_CONTRACTS)}
DEPLOYMENT = Addresses(
    chain_id=31337,
    genesis=b"g" * 32,
    block=1,
    code_hashes={},
    **{field_of(name): to_checksum_address(address) for name, address in ADDRESSES.items()},
)
EVENTS = [(name, entry) for name in ALL_CONTRACTS for entry in load_artifact(name).abi if entry["type"] == "event"]
CAST = [NOBODY, *(f"0x{'ac' * 19}{number:02x}" for number in range(4))]


def arguments(item: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values of the type; numbers of things are small, amounts anything."""
    kind = item["type"]
    if kind == "int256[]":  # what a game has claimed and computed: as many of the one as of the other
        return st.lists(st.integers(-9, 9), min_size=2, max_size=2)
    if kind.endswith("[]"):
        return st.lists(arguments({**item, "type": kind[:-2]}), max_size=3)
    if kind == "tuple":
        return st.tuples(*(arguments(part) for part in item["components"]))
    internal = item.get("internalType", kind).split(" ")[-1].split(".")[-1]
    if internal in ENUMS:
        return st.sampled_from([int(member) for member in ENUMS[internal]])
    return _plain(kind, item["name"])


def _plain(kind: str, name: str) -> st.SearchStrategy[Any]:
    if kind == "address":
        return st.sampled_from(CAST)
    if kind == "bool":
        return st.booleans()
    if kind == "string":
        return st.text(max_size=40)
    if kind == "bytes":
        return st.binary(max_size=70)
    if kind.startswith("bytes"):
        return st.sampled_from([number.to_bytes(32, "big")[-int(kind[5:]) :] for number in (1, 2, 2**200)])
    if name in (
        "oid",
        "id",
        "task",
        "cycle",
        "last",
        "epoch",
        "round",
        "index",
        "modelIndex",
        "leader",
        "subject",
        "mode",
    ):
        return st.integers(1, 2)
    if name in ("kind", "rule", "next", "verdict"):
        return st.integers(1, 3)
    bits = int(kind.removeprefix("uint").removeprefix("int"))
    if kind.startswith("uint"):
        return st.integers(0, min(2**bits - 1, 10**24))
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@st.composite
def logs(draw: st.DrawFn, events: list[tuple[str, dict[str, Any]]] = EVENTS) -> dict[str, Any]:
    """A log as a node gives it, without its place."""
    contract, entry = draw(st.sampled_from(events))
    indexed = [item for item in entry["inputs"] if item["indexed"]]
    plain = [item for item in entry["inputs"] if not item["indexed"]]
    topics = [bytes(event_abi_to_log_topic(entry))]  # type: ignore[arg-type]
    topics += [abi_encode([item["type"]], [draw(arguments(item))]) for item in indexed]
    data = abi_encode([collapse_if_tuple(item) for item in plain], [draw(arguments(item)) for item in plain])
    return {
        "address": ADDRESSES[contract],
        "topics": ["0x" + topic.hex() for topic in topics],
        "data": "0x" + data.hex(),
    }
