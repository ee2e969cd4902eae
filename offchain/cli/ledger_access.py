"""How commands find the ledger: by URL, from a membership file, or from what members announced on chain."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from offchain.cli.session import Session, load_settings, open_session
from offchain.errors import Rejected

if TYPE_CHECKING:
    from coincurve import PrivateKey

    from offchain.ledger.client.client import LedgerClient
    from offchain.ledger.membership import Membership

WHERE = "Where the ledger is"

Api = Annotated[
    list[str] | None,
    typer.Option(
        "--api",
        metavar="URL",
        help="HTTP API of a replica; repeat it for more. Of n replicas that are named, f + 1 must say the same, "
        "f = (n - 1) / 3; one alone is believed.",
        rich_help_panel=WHERE,
    ),
]
Members = Annotated[
    Path | None,
    typer.Option(
        "--members",
        help="Membership file that names the replicas. Without it and --api: what the committee's members announced "
        "on chain (--rpc).",
        rich_help_panel=WHERE,
    ),
]
Seconds = Annotated[
    float,
    typer.Option("--seconds", min=0.1, max=600, help="How long to try for enough answers.", rich_help_panel=WHERE),
]


@dataclass(frozen=True, slots=True)
class Place:
    """Parsed flags. The chain is opened only when it is needed."""

    api: tuple[str, ...]
    members: Path | None
    home: Path | None
    rpc: str | None
    chain_id: int | None
    seconds: float

    def session(self, password_file: Path | None = None) -> Session:
        """The chain that `--rpc` names."""
        return open_session(load_settings(home=self.home, rpc=self.rpc, password_file=password_file), self.chain_id)

    def client(self, key: PrivateKey | None = None) -> LedgerClient:
        """A client of the ledger. Raises Rejected, naming the flag at fault."""
        from offchain.ledger.client.client import LedgerClient
        from offchain.ledger.records.request import Domain

        if self.api:
            return LedgerClient(self.api, key=key, seconds=self.seconds)
        membership = self._membership()
        return LedgerClient(
            api_urls(membership),
            faulty=(len(membership.members) - 1) // 3,
            domain=Domain(membership.chain_id, membership.committee),
            key=key,
            seconds=self.seconds,
        )

    def _membership(self) -> Membership:
        from offchain.ledger.membership import from_announcements, parse_address, read_membership

        if self.members is not None:
            return read_membership(self.members)
        from offchain.chain.announcements import Announcements

        session = self.session()
        contracts = session.contracts
        announced = {parse_address(who): text for who, text in Announcements(contracts).look().items()}
        accounts = [parse_address(who) for who in contracts.members()]
        committee = parse_address(contracts.addresses.aggregator_committee)
        try:
            return from_announcements(session.client.chain_id, committee, accounts, announced)
        except Rejected as error:
            raise Rejected(
                f"the committee has no ledger yet, {error}; name replicas with --api URL, or wait for members"
            ) from error


def place(
    *,
    api: list[str] | None,
    members: Path | None,
    seconds: float,
    home: Path | None = None,
    rpc: str | None = None,
    chain_id: int | None = None,
) -> Place:
    """Raises typer.BadParameter when the flags contradict each other."""
    if api and members is not None:
        raise typer.BadParameter("--api and --members: give one of the two")
    return Place(tuple(api or ()), members, home, rpc, chain_id, seconds)


def api_urls(membership: Membership) -> list[str]:
    """Where the members' APIs are. A member that says no place, or one that is none, keeps nobody from the others."""
    from offchain.ledger.client.http import checked_url

    urls = []
    for member in membership.members:
        with suppress(Rejected):
            urls.append(checked_url(member.api))
    return urls
