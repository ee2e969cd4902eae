// The wallet that the page talks to: which one, which account, which network. Remembers the choice between visits.
import { type Address, getAddress, isAddress } from "viem";
import { discover } from "./discovery";
import { CODE, type FoundWallet, type Listener, type Provider } from "./eip1193";
import { Failure, readFailure } from "./failures";
import { addChainParameters, networkOf, type Target } from "./networks";
import { Store } from "./store";

export interface ConnectionState {
  readonly wallets: readonly FoundWallet[];
  readonly status: "disconnected" | "connecting" | "connected";
  readonly wallet: FoundWallet | null;
  readonly account: Address | null;
  readonly chainId: number | null;
  /** What is wrong, or what just changed, in words. */
  readonly problem: string | null;
  readonly notice: string | null;
}

/** Where the choice is kept; the browser's localStorage. */
export interface Memory {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const CHOICE = "assay.wallet";
const NOBODY = { status: "disconnected", wallet: null, account: null, chainId: null } as const;

export class Connection {
  readonly store = new Store<ConnectionState>({ ...NOBODY, wallets: [], problem: null, notice: null });
  readonly #memory: Memory;
  #listeners: readonly (readonly [string, Listener])[] = [];
  #restored = false;
  #attempt = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Looks for wallets from now on, and takes up the remembered one without asking for anything. */
  start(target: Window): () => void {
    return discover(target, wallets => {
      this.store.update({ wallets });
      const remembered = wallets.find(wallet => wallet.id === this.#memory.getItem(CHOICE));
      if (remembered && !this.#restored && this.store.value.status === "disconnected") {
        this.#restored = true;
        void this.#open(remembered, "eth_accounts");
      }
    });
  }

  /** Asks the wallet for an account. Failures are in `problem`. */
  async connect(wallet: FoundWallet): Promise<void> {
    await this.#open(wallet, "eth_requestAccounts");
  }

  async #open(wallet: FoundWallet, method: string): Promise<void> {
    this.#forget();
    const attempt = ++this.#attempt;
    const asked = method === "eth_requestAccounts";
    if (asked) this.store.update({ status: "connecting", wallet, problem: null, notice: null });
    try {
      const account = firstAccount(await wallet.provider.request({ method }));
      const chainId = readChainId(await wallet.provider.request({ method: "eth_chainId" }));
      if (attempt !== this.#attempt) return;
      if (account === null) {
        this.store.update({ ...NOBODY, problem: asked ? "The wallet offers no account to this page." : null });
        return;
      }
      this.#memory.setItem(CHOICE, wallet.id);
      this.#listen(wallet.provider);
      this.store.update({ status: "connected", wallet, account, chainId, problem: null, notice: null });
    } catch (error) {
      if (attempt !== this.#attempt) return;
      const failure = readFailure(error);
      const problem = failure.isRejection ? "You declined to connect in the wallet." : failure.message;
      this.store.update({ ...NOBODY, problem: asked ? problem : null });
    }
  }

  /** Forgets the wallet. It may go on allowing this page; a wallet has its own list of that. */
  disconnect(): void {
    this.#attempt += 1;
    this.#forget();
    this.#memory.removeItem(CHOICE);
    this.store.update({ ...NOBODY, problem: null, notice: null });
  }

  #listen(provider: Provider): void {
    const change = (state: Partial<ConnectionState>) => this.store.update(state);
    this.#listeners = [
      ["accountsChanged", accounts => this.#accountChanged(firstAccount(accounts))],
      ["chainChanged", id => change({ chainId: readChainId(id), problem: null })],
      ["disconnect", () => change({ problem: "The wallet has lost its connection to the network." })],
      ["connect", () => change({ problem: null })],
    ];
    for (const [event, listener] of this.#listeners) provider.on?.(event, listener);
  }

  #accountChanged(account: Address | null): void {
    if (account === null) {
      this.disconnect();
      this.store.update({ problem: "The wallet has disconnected this page." });
    } else if (account !== this.store.value.account) {
      this.store.update({ account, problem: null, notice: `The wallet has changed to the account ${account}.` });
    }
  }

  #forget(): void {
    const { wallet } = this.store.value;
    for (const [event, listener] of this.#listeners) wallet?.provider.removeListener?.(event, listener);
    this.#listeners = [];
  }

  /** Brings the wallet to the network, telling it about the network if it has to. Throws Failure. */
  async switchTo(target: Target): Promise<void> {
    const provider = this.provider;
    const chainId = `0x${target.chainId.toString(16)}`;
    const change = () => provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
    try {
      try {
        await change();
      } catch (error) {
        if (readFailure(error).code !== CODE.unknownChain) throw error;
        await this.#add(provider, target);
        await change();
      }
      this.store.update({ chainId: readChainId(await provider.request({ method: "eth_chainId" })), problem: null });
    } catch (error) {
      const failure = readFailure(error);
      if (!failure.isRejection) throw failure;
      throw new Failure(`You declined to change the network. This page needs ${networkOf(target).name}.`, failure.code);
    }
  }

  async #add(provider: Provider, target: Target): Promise<void> {
    const parameters = addChainParameters(target);
    if (parameters === null) {
      throw new Failure(
        `The wallet does not know ${networkOf(target).name} (chain ${target.chainId}). Add it there by hand.`,
      );
    }
    await provider.request({ method: "wallet_addEthereumChain", params: [parameters] });
  }

  get provider(): Provider {
    const { wallet } = this.store.value;
    if (!wallet) throw new Failure("Connect a wallet first.");
    return wallet.provider;
  }
}

function firstAccount(value: unknown): Address | null {
  const first: unknown = Array.isArray(value) ? value[0] : null;
  return typeof first === "string" && isAddress(first, { strict: false }) ? getAddress(first) : null;
}

function readChainId(value: unknown): number | null {
  const number = typeof value === "string" ? Number(value) : typeof value === "number" ? value : Number.NaN;
  return Number.isSafeInteger(number) && number > 0 ? number : null;
}
