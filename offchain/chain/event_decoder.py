"""Raw logs to typed events, by the ABIs of all contracts of a deployment. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.exceptions import DecodingError
from eth_typing import ChecksumAddress
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic
from eth_utils.address import to_checksum_address

from offchain.chain.addresses import Addresses
from offchain.chain.artifacts import load_artifact
from offchain.chain.enums import ENUMS
from offchain.chain.views import STRUCTS, decode


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `contract` and `name` as in the sources ("OrderBook", "OrderPut").

    `arguments` by the names of the ABI: structs as the dataclasses of `views`, enums as those of `enums`, addresses
    checksummed. The event's identity is (`block_hash`, `tx_hash`, `log_index`).
    """

    contract: str
    name: str
    arguments: dict[str, Any]
    address: ChecksumAddress
    block_number: int
    block_hash: bytes
    tx_hash: bytes
    log_index: int


class EventDecoder:
    """Decodes the logs of the contracts at `abis`' addresses (contract name and ABI by address)."""

    def __init__(self, abis: Mapping[ChecksumAddress, tuple[str, tuple[dict[str, Any], ...]]]) -> None:
        self.addresses = tuple(abis)
        self._names = {address: name for address, (name, _) in abis.items()}
        self._events = {
            (address, bytes(event_abi_to_log_topic(entry))): entry  # type: ignore[arg-type]  # a TypedDict from JSON
            for address, (_, abi) in abis.items()
            for entry in abi
            if entry["type"] == "event" and not entry.get("anonymous", False)
        }

    @classmethod
    def of(cls, addresses: Addresses) -> "EventDecoder":
        """For all contracts of a deployment."""
        return cls({addresses.of(name): (name, load_artifact(name).abi) for name in addresses.contracts})

    def decode(self, log: Mapping[str, Any]) -> Event | None:
        """The event in a JSON-RPC log; None when it is not one of ours."""
        address = to_checksum_address(log["address"])
        topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
        entry = self._events.get((address, topics[0])) if topics else None
        if entry is None:
            return None
        try:
            arguments = decode_arguments(entry, topics[1:], bytes.fromhex(log["data"][2:]))
        except (DecodingError, ValueError, OverflowError):
            return None  # a log that lies about its topic cannot come from our code
        return Event(
            contract=self._names[address],
            name=entry["name"],
            arguments=arguments,
            address=address,
            block_number=int(log["blockNumber"], 16),
            block_hash=bytes.fromhex(log["blockHash"][2:]),
            tx_hash=bytes.fromhex(log["transactionHash"][2:]),
            log_index=int(log["logIndex"], 16),
        )


def decode_arguments(entry: Mapping[str, Any], topics: list[bytes], data: bytes) -> dict[str, Any]:
    """The arguments of an event by its ABI `entry`; `topics` but the first.

    Raises eth_abi's DecodingError, ValueError or OverflowError when they do not fit.
    """
    inputs = entry["inputs"]
    if len(topics) != sum(item["indexed"] for item in inputs):
        raise ValueError("another number of indexed arguments")
    plain = [item for item in inputs if not item["indexed"]]
    values = iter(abi_decode([collapse_if_tuple(item) for item in plain], data))
    rest = iter(topics)
    found: dict[str, Any] = {}
    for item in inputs:
        value = abi_decode([item["type"]], next(rest))[0] if item["indexed"] else next(values)
        found[item["name"]] = _tidy(item, value)
    return found


def _tidy(item: Mapping[str, Any], value: Any) -> Any:
    kind = item["type"]
    if kind.endswith("]"):
        inner = {**item, "type": kind[: kind.rindex("[")]}
        return tuple(_tidy(inner, element) for element in value)
    internal = item.get("internalType", kind).split("[")[0].split(" ")[-1].split(".")[-1]
    if kind == "tuple":
        fields = [_tidy(field, element) for field, element in zip(item["components"], value, strict=True)]
        return decode(STRUCTS[internal], fields) if internal in STRUCTS else tuple(fields)
    if kind == "address":
        return to_checksum_address(value)
    return ENUMS[internal](value) if internal in ENUMS else value
