"""What the routes stand on, put together by `serving.py` (and by tests)."""

from collections.abc import Callable
from dataclasses import dataclass

from eth_typing import ChecksumAddress

from offchain.explorer.api.answers import Answers
from offchain.explorer.api.follower import Health
from offchain.explorer.api.guard import Door
from offchain.explorer.api.hub import Hub
from offchain.explorer.api.live import Live
from offchain.explorer.api.metrics import Meters
from offchain.explorer.api.pages import Page
from offchain.explorer.api.steps import Steps
from offchain.explorer.content.downloads import Downloads
from offchain.explorer.content.reading import Reading
from offchain.explorer.index import Index


@dataclass(frozen=True, slots=True)
class Deployment:
    """What never changes while the server runs. `endpoint`: of the node, without secrets."""

    chain_id: int
    network: str
    genesis: bytes
    version: str
    development: bool
    endpoint: str
    contracts: dict[str, ChecksumAddress]
    faucet: ChecksumAddress | None
    token: ChecksumAddress
    symbol: str
    decimals: int


@dataclass(frozen=True, slots=True)
class Parts:
    """`health`: of the node; `seconds`: a clock that only goes forward."""

    deployment: Deployment
    index: Index
    reading: Reading
    downloads: Downloads
    steps: Steps
    live: Live
    hub: Hub
    answers: Answers
    page: Page
    door: Door
    meters: Meters
    health: Callable[[], Health]
    seconds: Callable[[], float]
