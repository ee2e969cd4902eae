"""Wallets injected into a page: announced by EIP-6963 or as `window.ethereum`, signing with real keys for a real node.

What a page asks comes here, over a binding of the browser, and is done as a wallet does it; what a person would do in
the wallet's own window (decline, take a while, change account or network) the test says beforehand or in between.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from eth_account.messages import encode_defunct, encode_typed_data
from eth_account.signers.local import LocalAccount
from playwright.sync_api import BrowserContext, Page

REJECTED, UNAUTHORISED, UNKNOWN_CHAIN = 4001, 4100, 4902

SCRIPT = """
(wallets => {
  if (window.top !== window || window.assayEmit) return;
  const listeners = {};
  window.assayEmit = (id, event, value) => (listeners[id]?.[event] ?? []).slice().forEach(listener => listener(value));
  for (const { id, name, announced, plain } of wallets) {
    listeners[id] = {};
    const provider = {
      async request({ method, params }) {
        const answer = JSON.parse(await window.assayWallet(id, method, JSON.stringify(params ?? [])));
        if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error);
        return answer.result ?? null;
      },
      on(event, listener) { (listeners[id][event] ??= []).push(listener); },
      removeListener(event, listener) {
        listeners[id][event] = (listeners[id][event] ?? []).filter(other => other !== listener);
      },
    };
    if (plain) window.ethereum = provider;
    if (!announced) continue;
    const icon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E";
    const detail = Object.freeze({ info: Object.freeze({ uuid: id, rdns: id, name, icon }), provider });
    const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
    window.addEventListener("eip6963:requestProvider", announce);
    announce();
  }
})
"""


class WalletError(Exception):
    """What a wallet answers instead of a result."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.answer = {"code": code, "message": message, **({} if data is None else {"data": data})}


@dataclass
class InjectedWallet:
    """A person with a wallet. `nodes`: URL by chain id, of the networks that the wallet knows.

    `declines` holds methods that the person declines, once for each time they are in it; `before` runs before a method
    is done, as something that happens while the person looks at it. `asked` is all that pages have asked.
    """

    name: str
    keys: Sequence[LocalAccount]
    chain_id: int
    nodes: dict[int, str]
    announced: bool = True
    plain: bool = False
    allowed: bool = False
    chosen: int = 0
    declines: list[str] = field(default_factory=list)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    added: list[dict[str, Any]] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    signed: str = ""
    http: httpx.Client = field(default_factory=httpx.Client)

    @property
    def id(self) -> str:
        return f"test.wallet.{self.name.lower()}"

    @property
    def key(self) -> LocalAccount:
        return self.keys[self.chosen]

    def choose(self, index: int) -> None:
        """Changes the account in the wallet's own window."""
        self.chosen = index
        self.emit("accountsChanged", [self.key.address])

    def go_to(self, chain_id: int) -> None:
        """Changes the network there."""
        self.chain_id = chain_id
        self.emit("chainChanged", hex(chain_id))

    def emit(self, event: str, value: object) -> None:
        for page in self.pages:
            page.evaluate("([id, event, value]) => window.assayEmit?.(id, event, value)", [self.id, event, value])

    def methods(self) -> list[str]:
        return [method for method, _ in self.asked]

    def answer(self, method: str, params: Any) -> Any:
        """The result. Raises WalletError."""
        self.asked.append((method, params))
        happens = self.before.pop(method, None)
        if happens is not None:
            happens()
        if method in self.declines:
            self.declines.remove(method)
            raise WalletError(REJECTED, "User rejected the request.")
        own = getattr(self, f"_{method}", None)
        return self.node(method, *params) if own is None else own(*params)

    def node(self, method: str, *params: Any) -> Any:
        """Asks the node of the wallet's network; its refusals come through as wallets pass them on."""
        url = self.nodes.get(self.chain_id)
        if url is None:
            raise WalletError(-32603, "the network cannot be reached")
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = self.http.post(url, json=body, timeout=60).json()
        if "error" in answer:
            raise WalletError(answer["error"]["code"], answer["error"]["message"], answer["error"].get("data"))
        return answer["result"]

    def _eth_requestAccounts(self) -> list[str]:  # noqa: N802  # a method of JSON-RPC
        self.allowed = True
        return [self.key.address]

    def _eth_accounts(self) -> list[str]:
        return [self.key.address] if self.allowed else []

    def _eth_chainId(self) -> str:  # noqa: N802
        return hex(self.chain_id)

    def _personal_sign(self, message: str, account: str) -> str:
        self._require(account)
        return "0x" + bytes(self.key.sign_message(encode_defunct(hexstr=message)).signature).hex()

    def _eth_signTypedData_v4(self, account: str, typed: str) -> str:  # noqa: N802
        self._require(account)
        data = json.loads(typed)
        if int(data["domain"]["chainId"]) != self.chain_id:
            raise WalletError(-32603, "the chain of the typed data is not the wallet's")
        return "0x" + bytes(self.key.sign_message(encode_typed_data(full_message=data)).signature).hex()

    def _eth_sendTransaction(self, wanted: dict[str, str]) -> str:  # noqa: N802
        self._require(wanted["from"])
        return self.send(wanted)

    def send(self, wanted: dict[str, str]) -> str:
        """Signs what is wanted with the next nonce and hands it to the node; its hash."""
        fields: dict[str, Any] = {
            key: int(value, 16) for key, value in wanted.items() if key not in ("from", "to", "data")
        }
        fields |= {"to": wanted["to"], "data": wanted["data"], "chainId": self.chain_id}
        if "nonce" not in fields:
            fields["nonce"] = int(self.node("eth_getTransactionCount", self.key.address, "pending"), 16)
        self.signed = "0x" + bytes(self.key.sign_transaction(fields).raw_transaction).hex()
        return self.send_again()

    def send_again(self) -> str:
        """Hands the node what was signed last, as wallets do when a transaction got lost; its hash."""
        return str(self.node("eth_sendRawTransaction", self.signed))

    def _wallet_switchEthereumChain(self, wanted: dict[str, str]) -> None:  # noqa: N802
        chain_id = int(wanted["chainId"], 16)
        if chain_id not in self.nodes:
            raise WalletError(UNKNOWN_CHAIN, "Unrecognized chain ID.")
        self.go_to(chain_id)

    def _wallet_addEthereumChain(self, wanted: dict[str, Any]) -> None:  # noqa: N802
        self.added.append(wanted)
        self.nodes[int(wanted["chainId"], 16)] = wanted["rpcUrls"][0]

    def _require(self, account: str) -> None:
        if not self.allowed or account.lower() != self.key.address.lower():
            raise WalletError(UNAUTHORISED, "The requested account has not been authorized.")


def inject(context: BrowserContext, page: Page, *wallets: InjectedWallet) -> None:
    """Puts the wallets into every document that the page will show."""
    by_id = {wallet.id: wallet for wallet in wallets}

    def answer(_: object, wallet: str, method: str, params: str) -> str:
        try:
            return json.dumps({"result": by_id[wallet].answer(method, json.loads(params))})
        except WalletError as error:
            return json.dumps({"error": error.answer})

    context.expose_binding("assayWallet", answer)
    described = [
        {"id": wallet.id, "name": wallet.name, "announced": wallet.announced, "plain": wallet.plain}
        for wallet in wallets
    ]
    context.add_init_script(f"({SCRIPT.strip()})({json.dumps(described)})")
    for wallet in wallets:
        wallet.pages.append(page)
