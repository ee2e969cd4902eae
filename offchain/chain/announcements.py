"""Where the committee's members say that their nodes are: the latest `EndpointAnnounced` of each."""

from collections.abc import Mapping

from eth_typing import ChecksumAddress

from offchain.chain.artifacts import load_artifact
from offchain.chain.contracts import AssayContracts
from offchain.chain.event_decoder import EventDecoder
from offchain.chain.events import Applied, EventFollower, MemoryCursor


class Announcements:
    """Kept up with the chain's final blocks by `look`."""

    def __init__(self, contracts: AssayContracts) -> None:
        self._contracts = contracts
        self._endpoints: dict[ChecksumAddress, str] = {}
        self._follower = self._follow()

    def look(self) -> Mapping[ChecksumAddress, str]:
        """What each account announced last, in words of its own. Raises Retryable when the node is down."""
        for change in self._follower.catch_up():
            if not isinstance(change, Applied):
                # A final block that is none any more: from the start.
                self._endpoints, self._follower = {}, self._follow()
                return self.look()
            if change.event.name == "EndpointAnnounced":
                self._endpoints[change.event.arguments["account"]] = str(change.event.arguments["endpoint"])
        return self._endpoints

    def _follow(self) -> EventFollower:
        client, addresses = self._contracts.client, self._contracts.addresses
        name = "AggregatorCommittee"
        decoder = EventDecoder({addresses.of(name): (name, load_artifact(name).abi)})
        return EventFollower(client, decoder, MemoryCursor(), start=addresses.block, final_only=True)
