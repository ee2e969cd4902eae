"""A Kubo node inside this process: real IPFS without a daemon to install.

    embedded:PATH                                        a public node, as Kubo configures itself
    embedded:PATH?network=local&listen=MULTIADDR&peer=MULTIADDR/p2p/ID

With `network=local` the node knows nobody but the peers it is given and listens on the loopback interface, unless
`listen` says otherwise. Other nodes fetch from it while the process runs. A repository serves one process at a time.
"""

from __future__ import annotations

import base64
import json
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

from offchain.errors import AssayError, Rejected, Retryable
from offchain.storage.bounds import Clock, Limits, Missing
from offchain.storage.cid import Cid
from offchain.storage.dagpb import Branch, decode
from offchain.storage.libkubo import load_engine
from offchain.storage.unixfs import CANONICAL, MAX_BLOCK_BYTES, cid_of_file, read_tree, root_size, verify_block
from offchain.storage.verified import VerifiedStore, open_for_reading

_LOOPBACK = ("/ip4/127.0.0.1/tcp/0",)
_POLL_SECONDS = 0.02
_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class EmbeddedOptions:
    """How the node meets others: `public` joins the IPFS network; `listen` and `peers` are multiaddrs."""

    public: bool = True
    listen: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()


def parse_embedded(text: str) -> tuple[Path, EmbeddedOptions]:
    """Reads `PATH[?network=local|public&listen=…&peer=…]`. Raises Rejected."""
    path, _, query = text.partition("?")
    options = parse_qs(query, keep_blank_values=True)
    unknown = sorted(set(options) - {"network", "listen", "peer"})
    network = options.get("network", ["public"])[-1]
    if unknown or network not in {"public", "local"} or not path:
        raise Rejected(
            f"embedded:{text}: use embedded:PATH?network=local|public&listen=MULTIADDR&peer=MULTIADDR/p2p/ID"
        )
    listen, peers = tuple(options.get("listen", ())), tuple(options.get("peer", ()))
    return Path(path).expanduser(), EmbeddedOptions(network == "public", listen, peers)


class EmbeddedStore(VerifiedStore):
    """Content in the repository of a node that runs in this process, from construction to `close`."""

    def __init__(self, path: Path, options: EmbeddedOptions, *, seconds: float, clock: Clock) -> None:
        super().__init__(f"embedded:{path}", seconds=seconds, clock=clock)
        self._engine = load_engine()
        self._repo = path.absolute()
        self._options = options
        self._prepare()
        self._start()

    @property
    def addresses(self) -> list[str]:
        """Multiaddrs by which another node can be told to connect here (its `peer=`)."""
        return self._engine.addresses(self._repo)

    @property
    def peers(self) -> list[str]:
        """Ids of connected peers."""
        return self._engine.peers(self._repo)

    def connect(self, address: str) -> None:
        """Connects to another node. Raises Retryable when it can't be reached."""
        if not self._engine.connect(self._repo, address):
            raise Retryable(f"{self.location}: peer {address} can't be reached; is it running?")

    def add(self, data: bytes) -> Cid:
        """See `Store`."""
        with tempfile.TemporaryDirectory(dir=self._repo) as directory:
            file = Path(directory) / "content"
            file.write_bytes(data)
            return self.add_file(file)

    def add_file(self, path: Path) -> Cid:
        """See `Store`."""
        open_for_reading(path)
        theirs, ours = self._engine.add_file(self._repo, path.absolute()), cid_of_file(path)
        if theirs is None:
            raise Retryable(f"{self.location}: could not add {path}; is the disk full?")
        if theirs != str(ours):
            raise Rejected(
                f"{path}: made {theirs} by the node and {ours} by Assay; did it change meanwhile? add it again"
            )
        return ours

    def has(self, cid: Cid) -> bool:
        """Whether every block of the content lies in the repository."""
        root = self._stored(cid)
        if root is None:
            return False
        try:
            return self._complete(root, CANONICAL.depth(root_size(cid, root, source=self.location)))
        except Rejected:
            return False

    def probe(self) -> str:
        """See `Store`."""
        return f"{self.location}: Kubo engine running, {len(self.peers)} peers, {len(self.addresses)} addresses"

    def close(self) -> None:
        """Stops the node."""
        self._engine.stop(self._repo)

    def _pieces(self, limits: Limits) -> Iterator[bytes]:
        """From the repository; what is not there is fetched from peers first."""
        if (root := self._stored(limits.cid)) is not None:
            limits.admit(root_size(limits.cid, root, source=self.location), self.location)
        if not self.has(limits.cid):
            self._fetch(limits)

        def fetch(cids: Sequence[Cid]) -> Iterator[bytes]:
            for cid in cids:
                yield self._block(cid)

        yield from read_tree(limits.cid, fetch, admit=limits.admit, source=self.location)

    # The engine fetches whole files, without limits. So a thread fetches while we watch what arrives, and a node that
    # is stopped drops its downloads.

    def _fetch(self, limits: Limits) -> None:
        self._meet_peers()
        with tempfile.TemporaryDirectory(dir=self._repo, ignore_cleanup_errors=True) as directory:
            target, done = Path(directory) / "content", threading.Event()
            results: list[bool] = []

            def run() -> None:
                results.append(self._engine.download(self._repo, str(limits.cid), target))
                done.set()

            thread = threading.Thread(target=run, name="embedded-download", daemon=True)
            thread.start()
            try:
                self._watch(limits, target, done)
            except AssayError:
                self._engine.stop(self._repo)
                thread.join(_STOP_SECONDS)
                self._start()
                raise
            if not results[0]:
                raise Missing(f"{self.location}: {limits.cid} could not be fetched from {len(self.peers)} peers")
        self._engine.pin(self._repo, str(limits.cid))

    def _watch(self, limits: Limits, target: Path, done: threading.Event) -> None:
        """Waits for the download. Raises as soon as the root block or the bytes so far break a limit."""
        admitted = False
        while not done.wait(_POLL_SECONDS):
            if not admitted and (root := self._stored(limits.cid)) is not None:
                limits.admit(root_size(limits.cid, root, source=self.location), self.location)
                admitted = True
            if target.is_file() and target.stat().st_size > limits.cap:
                raise Rejected(f"{self.location}: {limits.cid} has more than {limits.cap} bytes")
            try:
                limits.deadline.remaining()
            except Retryable:
                found = f"nobody among {len(self.peers)} peers sent" if not admitted else "the peers are too slow for"
                raise Missing(f"{self.location}: {found} {limits.cid} in time; connect to a node that has it") from None

    def _complete(self, block: bytes, depth: int) -> bool:
        """Whether the blocks below are there; leaves by name only. Odd branches are left to `read_tree` to refuse."""
        try:
            node = decode(block)
        except ValueError:
            return True
        if depth == 0 or not isinstance(node, Branch):
            return True
        children = [Cid.of(digest) for digest in node.digests]
        if depth == 1:
            return all(self._path(child).is_file() for child in children)
        blocks = (self._stored(child) for child in children)
        return all(found is not None and self._complete(found, depth - 1) for found in blocks)

    def _block(self, cid: Cid) -> bytes:
        try:
            with self._path(cid).open("rb") as file:
                return file.read(MAX_BLOCK_BYTES + 1)
        except FileNotFoundError:
            raise Missing(f"{self.location}: block {cid} is not in the repository") from None
        except OSError as error:
            raise Retryable(f"{self.location}: {error.strerror}; see to the disk or its permissions") from None

    def _stored(self, cid: Cid) -> bytes | None:
        """A block that is in the repository and undamaged."""
        try:
            block = self._block(cid)
        except Missing:
            return None
        return block if verify_block(cid, block) else None

    def _path(self, cid: Cid) -> Path:
        """Where Kubo's flatfs keeps a block: a directory by the next-to-last two letters, base32 of the multihash."""
        name = base64.b32encode(cid.multihash).decode().rstrip("=")
        return self._repo / "blocks" / name[-3:-1] / f"{name}.data"

    def _meet_peers(self) -> None:
        """A peer that is down is no reason not to ask the others."""
        for address in self._options.peers:
            self._engine.connect(self._repo, address)

    def _start(self) -> None:
        if not self._engine.run(self._repo):
            raise Retryable(
                f"{self.location}: the node does not start; another process uses its repository or its addresses "
                f"(give each role its own PATH, or listen=/ip4/127.0.0.1/tcp/0)"
            )
        self._meet_peers()

    def _prepare(self) -> None:
        """Makes the repository and sets how it meets others, every time, so that the location decides."""
        try:
            self._repo.mkdir(parents=True, exist_ok=True)
            if not self._engine.create(self._repo):
                raise Rejected(
                    f"{self.location}: no repository can be made there; give a directory that can be written"
                )
            file = self._repo / "config"
            config = json.loads(file.read_text())
            mounts = config["Datastore"]["Spec"]["mounts"]
            if "next-to-last/2" not in json.dumps(mounts):
                raise Rejected(f"{self.location}: only repositories with Kubo's default flatfs work; give a new PATH")
            file.write_text(json.dumps(_configured(config, self._options), indent=2))
        except OSError as error:
            raise Rejected(f"{self.location}: {error.strerror}; give a directory that can be written") from None
        except (ValueError, KeyError, TypeError):
            raise Rejected(f"{self.location}: its config is not Kubo's; give a new PATH") from None


def _configured(config: dict[str, object], options: EmbeddedOptions) -> dict[str, object]:
    changed = dict(config)
    addresses = dict(_section(config, "Addresses"))
    if options.listen or not options.public:
        addresses["Swarm"] = list(options.listen or _LOOPBACK)
    changed["Addresses"] = addresses
    if not options.public:
        changed["Bootstrap"] = []
        changed["Discovery"] = {"MDNS": {"Enabled": False}}
        changed["AutoNAT"] = {"ServiceMode": "disabled"}
        closed = {"RelayClient": {"Enabled": False}, "RelayService": {"Enabled": False}, "DisableNatPortMap": True}
        changed["Swarm"] = {**_section(config, "Swarm"), **closed}
    return changed


def _section(config: dict[str, object], name: str) -> dict[str, object]:
    section = config.get(name) or {}
    if not isinstance(section, dict):
        raise ValueError(name)
    return section
