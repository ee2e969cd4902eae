"""Development chains: Anvil as a child process, or the embedded chain with a ticker, in process or served over HTTP.

Both fund the same accounts, derived from the development mnemonic that everybody knows: never use them elsewhere.
"""

import json
import logging
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from eth_account import Account
from eth_account.signers.local import LocalAccount

from offchain.chain.client import ChainClient, connect, open_client
from offchain.chain.contracts import load_error_decoder
from offchain.chain.embedded import EmbeddedChain
from offchain.chain.embedded_rpc import EmbeddedProvider, EmbeddedRpc
from offchain.errors import Rejected, Retryable
from offchain.types import Seconds

logger = logging.getLogger(__name__)

MNEMONIC = "test test test test test test test test test test test junk"
DERIVATION = "m/44'/60'/0'/0/{index}"
BALANCE_ETHER = 10_000
EMBEDDED_CHAIN_ID = 1337
ANVIL_CHAIN_ID = 31337
MAX_REQUEST_BYTES = 32 * 2**20
START_SECONDS = 30.0
STOP_SECONDS = 10.0
TICK_SECONDS = 0.2

# Anvil must die with us, also when we are killed: the shell sees the end of its standard input, whatever the cause.
SUPERVISE = 'exec 3<&0; "$@" </dev/null 3<&- & child=$!; exec >/dev/null 2>&1; read _ <&3; kill "$child"; wait "$child"'


def dev_accounts(count: int = 20) -> list[LocalAccount]:
    """The first `count` development accounts; both kinds of chain fund them."""
    Account.enable_unaudited_hdwallet_features()
    return [Account.from_mnemonic(MNEMONIC, account_path=DERIVATION.format(index=index)) for index in range(count)]


def find_anvil() -> Path | None:
    """Anvil's executable: from `node_modules` beside or above the working directory or this package, else PATH."""
    places = [Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents]
    for place in places:
        native = sorted((place / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil*"))
        if native:
            return native[0]
    found = shutil.which("anvil")
    return Path(found) if found else None


@dataclass(frozen=True, slots=True)
class AnvilOptions:
    """How to run Anvil.

    `block_seconds`: seconds between blocks, None mines each transaction at once; `mixed`: both. `state` keeps the chain
    in a file across runs. `accounts` are funded with `BALANCE_ETHER` each. `chain_id`: to play another chain.
    """

    block_seconds: float | None = None
    mixed: bool = False
    accounts: int = 20
    port: int = 0
    state: Path | None = None
    chain_id: int = ANVIL_CHAIN_ID
    extra: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        """Anvil's command line, without the executable."""
        words = ["--port", str(self.port), "--host", "127.0.0.1", "--hardfork", "cancun", "--mnemonic", MNEMONIC]
        words += ["--accounts", str(self.accounts), "--chain-id", str(self.chain_id)]
        words += ["--balance", str(BALANCE_ETHER)]
        if self.block_seconds is not None:
            words += ["--block-time", f"{self.block_seconds:g}"]
        if self.mixed:
            words += ["--mixed-mining"]
        if self.state is not None:
            words += ["--state", str(self.state)]
        return [*words, *self.extra]


class Anvil:
    """A running Anvil; a context manager. It dies with this process, however that ends."""

    def __init__(self, process: subprocess.Popen[str], url: str, chain_id: int = ANVIL_CHAIN_ID) -> None:
        self._process = process
        self.url = url
        self.chain_id = chain_id

    @classmethod
    def start(cls, options: AnvilOptions | None = None, *, executable: Path | None = None) -> Self:
        """Starts Anvil and waits until it listens. Raises Rejected when there is none or it does not start."""
        program = executable or find_anvil()
        if program is None:
            raise Rejected("Anvil is not installed: run `npm install`, or use the embedded chain (--chain embedded)")
        chosen = options or AnvilOptions()
        process = subprocess.Popen(
            ["/bin/sh", "-c", SUPERVISE, "anvil-supervisor", str(program), *chosen.arguments()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # Ctrl-C is for us; we stop Anvil when we are done with it
        )
        try:
            return cls(process, _await_listening(process, START_SECONDS), chosen.chain_id)
        except BaseException:
            _stop(process)
            raise

    def client(self, *, timeout: float = 15.0) -> ChainClient:
        """A connection to it."""
        return connect(self.url, errors=load_error_decoder(), chain_id=self.chain_id, timeout=timeout)

    def stop(self) -> None:
        """Ends it. Its state file, if any, is written."""
        _stop(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _await_listening(process: subprocess.Popen[str], seconds: float) -> str:
    output: IO[str] | None = process.stdout
    if output is None:
        raise Rejected("Anvil's output is not connected")
    timer = threading.Timer(seconds, lambda: _stop(process))
    timer.start()
    lines: list[str] = []
    try:
        for line in output:
            if "Listening on" in line:
                threading.Thread(target=_drain, args=(output,), daemon=True).start()
                return "http://" + line.strip().rsplit(" ", 1)[1]
            lines.append(line.strip())
    finally:
        timer.cancel()
    said = [line for line in lines if line]
    reason = next((line for line in said if "error" in line.lower()), said[-1] if said else "no output")
    raise Rejected(f"Anvil did not start: {reason}")


def _drain(output: IO[str]) -> None:
    for _ in output:
        pass


def _stop(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class EmbeddedNet:
    """The embedded chain with a ticker that mines as real time goes by; a context manager.

    `instant` has no ticker: every transaction is mined when it arrives, and timestamps may run ahead of real time.
    """

    def __init__(self, *, accounts: int = 20, instant: bool = False, clock: Callable[[], float] = time.time) -> None:
        balances = {bytes.fromhex(account.address[2:]): BALANCE_ETHER * 10**18 for account in dev_accounts(accounts)}
        self.chain = EmbeddedChain(chain_id=EMBEDDED_CHAIN_ID, balances=balances, clock=clock, instant=instant)
        self.rpc = EmbeddedRpc(self.chain)
        self._stopped = threading.Event()
        self._ticker = None if instant else threading.Thread(target=self._tick, name="block ticker", daemon=True)
        self._server: ThreadingHTTPServer | None = None
        if self._ticker is not None:
            self._ticker.start()

    def _tick(self) -> None:
        while not self._stopped.is_set():
            if self.chain.due():
                self.chain.mine()
            self._stopped.wait(TICK_SECONDS)

    def client(self) -> ChainClient:
        """A connection to it within this process."""
        provider: Any = EmbeddedProvider(self.rpc)
        return open_client(provider, "embedded chain", errors=load_error_decoder(), chain_id=EMBEDDED_CHAIN_ID)

    def serve(self, port: int = 0) -> str:
        """Serves JSON-RPC on the loopback interface, in background threads; the URL. Port 0 takes a free one.

        Raises Rejected when the port is taken.
        """
        try:
            server = ThreadingHTTPServer(("127.0.0.1", port), _handler_for(self.rpc))
        except OSError as error:
            raise Rejected(f"--port {port}: cannot listen there ({error.strerror}); choose another") from error
        server.daemon_threads = True
        self._server = server
        threading.Thread(target=server.serve_forever, name="embedded chain RPC", daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    def stop(self) -> None:
        """Stops the ticker and the server."""
        self._stopped.set()
        if self._ticker is not None:
            self._ticker.join()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _handler_for(rpc: EmbeddedRpc) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """POST / with a JSON-RPC request or batch."""

        protocol_version = "HTTP/1.1"
        # Headers and body go out in two writes; without this the second waits for the peer's delayed ACK (40 ms).
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            """Answers one request."""
            if self.headers.get_content_type() != "application/json":
                # A web page could send other types here without asking; this one makes the browser ask first.
                self.send_error(415)
                return
            length = int(self.headers.get("Content-Length", "0"))
            if not 0 < length <= MAX_REQUEST_BYTES:
                self.send_error(413)
                return
            try:
                request = json.loads(self.rfile.read(length))
            except ValueError:
                self.send_error(400)
                return
            body = json.dumps(rpc.answer(request)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Into our log instead of standard error."""
            logger.debug(format, *args)

    return Handler


@contextmanager
def devnet(kind: str, *, block_seconds: float = 1.0) -> Iterator[ChainClient]:
    """A development chain for the length of a `with`: kind `anvil`, `embedded`, or `auto` (Anvil if there is one).

    Blocks come every `block_seconds` (Anvil) and their timestamps are real time. Raises Rejected for another kind.
    """
    with _started(kind, block_seconds) as net:
        yield net.client()


@contextmanager
def served_devnet(kind: str, *, block_seconds: float = 1.0) -> Iterator[tuple[ChainClient, str]]:
    """See `devnet`; with the URL under which other processes reach the chain."""
    with _started(kind, block_seconds) as net:
        yield net.client(), net.url if isinstance(net, Anvil) else net.serve()


def _started(kind: str, block_seconds: float) -> Anvil | EmbeddedNet:
    chosen = ("anvil" if find_anvil() else "embedded") if kind == "auto" else kind
    if chosen == "anvil":
        return Anvil.start(AnvilOptions(block_seconds=block_seconds, mixed=True))
    if chosen == "embedded":
        return EmbeddedNet()
    raise Rejected(f"--chain {kind}: expected anvil, embedded, auto or a URL")


def travel(client: ChainClient, seconds: int) -> Seconds:
    """Moves a development chain's clock and mines a block there; its timestamp. For tests."""
    target = client.now() + seconds
    client.request("evm_setNextBlockTimestamp", target)
    client.request("evm_mine")
    return client.now()


def wait_until_mined(client: ChainClient, *, after: int, seconds: float = 30.0) -> int:
    """Waits for a block above `after`; its number. Raises Retryable when none comes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        number = client.head().number
        if number > after:
            return number
        time.sleep(0.05)
    raise Retryable(f"{client.endpoint} has mined no block above {after} within {seconds:g} s")
