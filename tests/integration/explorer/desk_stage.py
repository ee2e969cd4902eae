"""A desk served over real HTTP, and a wallet that signs what it is handed with a real key."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from fastapi import FastAPI

from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.explorer.desk import Desk, DeskPlace, desk_router
from offchain.explorer.desk.outbox import OutboxPolicy
from offchain.ledger.api.server import ApiServer
from offchain.roles.journal import Journal, chain_key
from offchain.storage.store import Store, open_store
from offchain.types import TOKEN
from tests.integration.roles.stage import Stage, admit, set_stage

PATIENCE = 120.0
POLICY = OutboxPolicy(patience=0.5, rest=0.0)


def desk_place(client: ChainClient, contracts: AssayContracts, store: Store, home: Path) -> DeskPlace:
    """What `assay explorer` would stand on with `home`."""
    addresses = contracts.addresses
    chain = chain_key(addresses.chain_id, addresses.genesis, addresses.proof_of_training)
    journals = home / "journals"

    def journal(role: str, account: ChecksumAddress) -> Journal:
        return Journal(journals / f"{role}-{account}.sqlite", chain=chain)

    archive = open_store(f"local:{home / 'archive'}")
    return DeskPlace(client, AssayContracts(client, addresses), store, archive, journals, journal)


@contextmanager
def served(place: DeskPlace, *, policy: OutboxPolicy = POLICY) -> Iterator[str]:
    """The desk on a free port of the loopback interface, for the length of a `with`; its URL."""
    desk = Desk(place, policy=policy)
    app = FastAPI()
    app.include_router(desk_router(desk))
    loop = asyncio.new_event_loop()
    server = ApiServer(app, "127.0.0.1", 0)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(PATIENCE)
    try:
        yield server.url
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        desk.close()


@dataclass
class Wallet:
    """A page with a wallet: asks the desk at `url` and signs with `key`, sending to its own node.

    `seen` is all that the desk has answered.
    """

    url: str
    client: ChainClient
    key: LocalAccount
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=PATIENCE, trust_env=False))
    seen: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return str(self.key.address)

    def get(self, path: str, **query: str | float) -> Any:
        answer = self.http.get(self.url + path, params=query)
        self.seen.append(answer.text)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Mapping[str, object]) -> httpx.Response:
        answer = self.http.post(self.url + path, json=body, headers={"Origin": self.url})
        self.seen.append(answer.text)
        return answer

    def put(self, order: Mapping[str, Any]) -> Any:
        """The call that puts a prepared order, with a permit signed."""
        answer = self.post(f"/desk/orders/{order['commitment']}/put", self.sign_permit(order))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def prepare(self, fields: Mapping[str, object], files: Mapping[str, tuple[str, bytes]]) -> Any:
        """A preparation, once it is over; or the refusal."""
        answer = self.http.post(
            self.url + "/desk/orders",
            params={"wait": 30},
            files={"request": (None, json.dumps({"account": self.address, **fields})), **files},
            headers={"Origin": self.url},
        )
        self.seen.append(answer.text)
        found = answer.json()
        while answer.status_code == 200 and found["state"] in ("queued", "running"):
            found = self.get(f"/desk/preparations/{found['id']}", wait=10)
        return found

    def outbox(self) -> Any:
        return self.get("/desk/outbox", account=self.address)

    def sign_permit(self, order: Mapping[str, Any]) -> dict[str, object]:
        """What the page posts for a permit that the wallet has signed."""
        permit = order["permit"]
        signed = self.key.sign_message(encode_typed_data(full_message=permit))
        deadline = int(permit["message"]["deadline"])
        return {"account": self.address, "signature": "0x" + signed.signature.hex(), "deadline": deadline}

    def send(self, call: Mapping[str, str], **changes: Any) -> str:
        """Signs and sends a call as it stands; the transaction's hash."""
        fields = {
            "to": call["to"],
            "data": call["data"],
            "value": int(call["value"]),
            "nonce": self.client.nonce(self.key.address),
            "gas": 8_000_000,
            "maxFeePerGas": 10**11,
            "maxPriorityFeePerGas": 10**9,
            "chainId": self.client.chain_id,
            **changes,
        }
        signed = self.key.sign_transaction(fields)
        return str(self.client.request("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex()))

    def report(self, key: str, tx_hash: str) -> httpx.Response:
        path = f"/desk/outbox/{key.replace('#', '%23')}/sent"
        return self.post(path, {"account": self.address, "tx_hash": tx_hash})

    def sign_next(self, *, tell: bool = True) -> str | None:
        """Signs what waits first, if anything does; its key."""
        waiting = [item for item in self.outbox()["items"] if item["state"] == "waiting"]
        if not waiting:
            return None
        tx_hash = self.send(waiting[0]["call"])
        if tell:
            answer = self.report(waiting[0]["key"], tx_hash)
            assert answer.status_code == 200, answer.text
        return str(waiting[0]["key"])

    def item(self, key: str) -> Any:
        """What waits under that key, once something does."""
        return await_true(lambda: next((item for item in self.outbox()["items"] if item["key"] == key), None))

    def end(self, key: str) -> Any:
        """How that key ended, once it has."""
        return await_true(lambda: next((item for item in self.outbox()["ended"] if item["key"] == key), None))


def await_true(look: Callable[[], Any], *, seconds: float = PATIENCE) -> Any:
    """What `look` gives, once that is something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("nothing came")


NAMES = ("client0", "client1", "client2", "provider0")
FIELDS: dict[str, object] = {"reward": str(10 * TOKEN), "model": "mlp:4", "label": "kind", "min_validators": 1}


def keys() -> dict[str, LocalAccount]:
    """Who plays in a shop."""
    return dict(zip(NAMES, dev_accounts(len(NAMES) + 1)[1:], strict=True))


@contextmanager
def shop(folder: Path) -> Iterator[Stage]:
    """Contracts on an Anvil that mines at once, and accounts with tokens."""
    with Anvil.start(AnvilOptions()) as anvil:
        stage = set_stage(anvil.client(), folder)
        admit(stage, keys())
        yield stage


def shop_place(stage: Stage) -> DeskPlace:
    """Where the desk of a shop stands."""
    return desk_place(stage.client, stage.contracts, stage.store, stage.folder / "home")


def table(rows: int = 60) -> bytes:
    """Three classes that a line separates."""
    lines = [f"{i % 3 * 2 + i % 7 / 10},{i % 3 - i % 5 / 10},{'abc'[i % 3]}" for i in range(rows)]
    return "\n".join(["height,width,kind", *lines]).encode()
