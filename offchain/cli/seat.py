"""Where an aggregator's node is: the flags of `assay aggregator run` in one value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from offchain.errors import Rejected
from offchain.ledger.host_port import LAST_PORT, parse_host_port, write_host_port

if TYPE_CHECKING:
    from offchain.roles.aggregator import TreasurerMaker
    from offchain.roles.ledger_seat import SeatOptions

ANYWHERE = frozenset({"0.0.0.0", "::"})
"""Addresses to listen on that nobody can connect to."""


@dataclass(frozen=True, slots=True)
class SeatPlace:
    """Parsed flags; see `SeatOptions`."""

    listen: tuple[str, int]
    api: tuple[str, int]
    announced: str
    members: Path | None

    def options(self, folder: Path, secret: bytes) -> SeatOptions:
        """With the member's key and the folder for journals."""
        from offchain.ledger.membership import Endpoint
        from offchain.roles.ledger_seat import SeatOptions

        return SeatOptions(
            endpoint=Endpoint.parse(self.announced),
            folder=folder,
            secret=secret,
            listen=self.listen,
            api=self.api,
            membership=self.members,
        )

    def maker(self, folder: Path, secret: bytes) -> TreasurerMaker:
        """Makes the worker's treasurer, with the member's key and the folder for journals."""
        from offchain.roles.ledger_seat import SeatedTreasurer

        options = self.options(folder, secret)
        return lambda context, hands, rewards: SeatedTreasurer(context, hands, options, rewards)


def seat_place(*, listen: str | None, api: str | None, announce: str | None, members: Path | None) -> SeatPlace | None:
    """None without `--listen`. Raises Rejected, naming the flag at fault."""
    if listen is None:
        for flag, value in (("--api", api), ("--announce", announce), ("--members", members)):
            if value is not None:
                raise Rejected(f"{flag}: needs --listen HOST:PORT, where the other members' nodes connect")
        return None
    node = _address("--listen", listen)
    served = _served(node, listen, api)
    if announce is None:
        for flag, (host, _) in (("--listen", node), ("--api", served)):
            if host in ANYWHERE:
                raise Rejected(f"{flag} {host}: nobody can connect to that; say --announce 'HOST:PORT URL' too")
        announce = f"{write_host_port(*node)} http://{write_host_port(*served)}"
    from offchain.ledger.membership import Endpoint, read_membership

    try:
        Endpoint.parse(announce)
    except Rejected as error:
        raise Rejected(f"--announce: {error}") from error
    if members is not None:
        read_membership(members)
    return SeatPlace(node, served, announce, members)


def _served(node: tuple[str, int], listen: str, api: str | None) -> tuple[str, int]:
    """Where the API is: at the port after the node's, if `--api` doesn't say."""
    if api is None:
        if node[1] == LAST_PORT:
            raise Rejected(f"--listen {listen}: no port is left for the API after this one; say --api HOST:PORT too")
        return node[0], node[1] + 1
    served = _address("--api", api)
    if served == node:
        raise Rejected(f"--api {api}: --listen has this port already; choose another one")
    return served


def _address(flag: str, text: str) -> tuple[str, int]:
    found = parse_host_port(text)
    if found is None or found[1] == 0:
        raise Rejected(f"{flag} {text}: expected HOST:PORT, such as 127.0.0.1:7400")
    return found
