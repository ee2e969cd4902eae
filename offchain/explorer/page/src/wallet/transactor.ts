// From a wish to a signed transaction: decoded, tried, priced, shown, confirmed, sent. One at a time.
import type { Address, Hex } from "viem";
import { type AbiBook, Unexplained } from "./abi-book";
import type { Connection } from "./connection";
import { type Call, type DecodedCall, decodeCall, namesIn } from "./decode";
import type { Provider } from "./eip1193";
import { explainRevert } from "./errors";
import { Failure, readFailure } from "./failures";
import { bidFor, costOf, gasLimit } from "./fees";
import type { Ledger } from "./ledger";
import { networkOf, type Target } from "./networks";
import { ask, type Draft, draftFields, estimateGas, hex, readBalance, readMarket, simulate } from "./node";
import { type PreparedPermit, preparePermit, type SignedPermit, signPermit } from "./permit";
import { Store } from "./store";
import { coins } from "./units";
import type { Line } from "./values";

/** What somebody wants to do. `permit`: what the contract `spender` has to be allowed to take for it first. */
export interface Wish {
  readonly title: string;
  readonly permit?: { readonly spender: string; readonly value: bigint };
  /** The call; `permit` is signed by then if one was asked for. May throw an Error whose message is shown. */
  readonly call: (permit: SignedPermit | null) => Call | Promise<Call>;
}

export interface Cost {
  readonly likely: string;
  readonly most: string;
  readonly balance: string;
}

/** What the dialog shows. `blocked`: nothing can be confirmed, `problem` says why. */
export interface Showing {
  readonly title: string;
  readonly step: "preparing" | "network" | "permit" | "ready" | "signing" | "blocked";
  readonly account: Address | null;
  readonly permit: readonly Line[] | null;
  readonly signatures: { readonly now: number; readonly of: number };
  readonly call: DecodedCall | null;
  readonly cost: Cost | null;
  readonly problem: string | null;
}

interface Running {
  readonly wish: Wish;
  readonly done: (hash: Hex | null) => void;
  readonly account: Address;
  prepared: PreparedPermit | null;
  signed: SignedPermit | null;
  draft: Draft | null;
}

export class Transactor {
  readonly store = new Store<Showing | null>(null);
  #running: Running | null = null;

  constructor(
    readonly book: AbiBook,
    readonly connection: Connection,
    readonly ledger: Ledger,
    readonly target: Target,
  ) {
    connection.store.watch(() => this.#watchAccount());
  }

  /** Shows the wish and resolves to the hash of what was sent, or to null when it was given up. */
  async perform(wish: Wish): Promise<Hex | null> {
    this.cancel();
    const { account } = this.connection.store.value;
    if (account === null) throw new Failure("Connect a wallet first.");
    return new Promise(done => {
      this.#running = { wish, done, account, prepared: null, signed: null, draft: null };
      const signatures = { now: 1, of: wish.permit ? 2 : 1 };
      const nothing = { permit: null, call: null, cost: null, problem: null };
      this.store.set({ title: wish.title, step: "preparing", account, signatures, ...nothing });
      void this.#guarded(() => this.#prepare());
    });
  }

  cancel(): void {
    this.#running?.done(null);
    this.#running = null;
    this.store.set(null);
  }

  /** The button of the dialog: whatever comes next. */
  async confirm(): Promise<void> {
    const step = this.store.value?.step;
    if (step === "network") await this.#guarded(() => this.#switch());
    else if (step === "permit") await this.#guarded(() => this.#signPermit());
    else if (step === "ready") await this.#guarded(() => this.#send());
    else if (step === "blocked") await this.#guarded(() => this.#prepare());
  }

  /** Runs one step; what goes wrong in it is shown, unless the dialog has moved on meanwhile. */
  async #guarded(step: () => Promise<void>): Promise<void> {
    const running = this.#running;
    try {
      await step();
    } catch (error) {
      if (running === null || running !== this.#running) return;
      // What a contract refuses may be the permit: trying again begins with a new one.
      if (error instanceof Failure && error.data !== null) running.signed = null;
      this.#show({ step: "blocked", problem: this.#words(error) });
    }
  }

  #words(error: unknown): string {
    if (error instanceof Unexplained) return error.message;
    if (error instanceof Failure && error.data !== null) {
      const contract = this.#running?.draft ? this.book.contractAt(this.#running.draft.to) : null;
      return explainRevert(this.book, error.data, contract, namesIn(this.book, this.#running?.account ?? null)).text;
    }
    return error instanceof Error ? error.message : readFailure(error).message;
  }

  async #prepare(): Promise<void> {
    const running = this.#now();
    this.#show({ step: "preparing", problem: null });
    if (!this.#onTarget()) return;
    if (running.wish.permit && running.signed === null) {
      const { spender, value } = running.wish.permit;
      running.prepared = await preparePermit(this.#provider, this.book, this.target, running.account, spender, value);
      this.#show({ step: "permit", permit: running.prepared.lines, signatures: { now: 1, of: 2 } }, running);
      return;
    }
    await this.#tryCall(running);
  }

  #onTarget(): boolean {
    const { chainId } = this.connection.store.value;
    if (chainId === this.target.chainId) return true;
    const there = chainId === null ? "another network" : `chain ${chainId}`;
    const here = `${networkOf(this.target).name} (chain ${this.target.chainId})`;
    this.#show({ step: "network", problem: `The wallet is on ${there}; this needs ${here}.` });
    return false;
  }

  async #switch(): Promise<void> {
    const running = this.#now();
    try {
      await this.connection.switchTo(this.target);
    } catch (error) {
      this.#show({ step: "network", problem: readFailure(error).message }, running);
      return;
    }
    if (running === this.#running) await this.#prepare();
  }

  async #signPermit(): Promise<void> {
    const running = this.#now();
    const { prepared } = running;
    if (prepared === null || !this.#onTarget()) return;
    this.#show({ step: "signing", problem: null });
    try {
      running.signed = await signPermit(this.#provider, prepared);
    } catch (error) {
      this.#show({ step: "permit", problem: readFailure(error).message }, running);
      return;
    }
    if (running === this.#running) await this.#tryCall(running);
  }

  /** Decodes the call, lets the node try it, and says what it costs: all before anybody is asked to sign it. */
  async #tryCall(running: Running): Promise<void> {
    this.#show({ step: "preparing", permit: null, problem: null }, running);
    const call = await running.wish.call(running.signed);
    const decoded = decodeCall(this.book, call, running.account);
    running.draft = { from: running.account, ...call };
    const of = running.wish.permit ? 2 : 1;
    this.#show({ call: decoded, signatures: { now: of, of } }, running);
    const provider = this.#provider;
    await simulate(provider, running.draft);
    const [gas, market, balance] = await Promise.all([
      estimateGas(provider, running.draft),
      readMarket(provider),
      readBalance(provider, running.account),
    ]);
    const { likely, most } = costOf(gas, market);
    const { coin } = networkOf(this.target);
    const cost = { likely: coins(likely, coin), most: coins(most, coin), balance: coins(balance, coin) };
    const short = balance < most + call.value;
    const problem = short ? `Your account has ${cost.balance}; the gas may take ${cost.most}. Get coins first.` : null;
    this.#show({ step: short ? "blocked" : "ready", cost, problem }, running);
  }

  async #send(): Promise<void> {
    const running = this.#now();
    const { draft } = running;
    if (draft === null || !this.#onTarget()) return;
    this.#show({ step: "signing", problem: null });
    const provider = this.#provider;
    await simulate(provider, draft); // the chain has gone on while somebody was reading
    const [gas, market] = await Promise.all([estimateGas(provider, draft), readMarket(provider)]);
    if (running !== this.#running) return;
    try {
      const hash = await ask(provider, "eth_sendTransaction", { ...draftFields(draft), ...feeFields(gas, market) });
      this.#sent(running, hash);
    } catch (error) {
      const failure = readFailure(error);
      if (failure.data !== null || running !== this.#running) throw failure;
      this.#show({ step: "ready", problem: failure.message }, running);
    }
  }

  /** Followed also when its dialog was closed meanwhile: it is in the world. */
  #sent(running: Running, hash: unknown): void {
    if (typeof hash !== "string" || !/^0x[0-9a-fA-F]{64}$/.test(hash)) {
      throw new Failure("The wallet gave no transaction hash; look there whether it was sent.");
    }
    this.ledger.add(hash as Hex, running.account, running.wish.title);
    running.done(hash as Hex);
    if (running === this.#running) {
      this.#running = null;
      this.store.set(null);
    }
  }

  #watchAccount(): void {
    const running = this.#running;
    const { account, chainId } = this.connection.store.value;
    if (running === null || this.store.value?.step === "signing") return;
    if (account !== running.account) {
      const problem = "The wallet has changed to another account. Nothing was sent; close this and begin again.";
      running.signed = null;
      running.draft = null;
      this.#show({ step: "blocked", problem, call: null, permit: null, cost: null });
    } else if (chainId !== this.target.chainId) this.#onTarget();
  }

  #now(): Running {
    if (this.#running === null) throw new Failure("There is nothing to confirm.");
    if (this.connection.store.value.account !== this.#running.account) {
      throw new Failure("The wallet has changed to another account. Nothing was sent; close this and begin again.");
    }
    return this.#running;
  }

  get #provider(): Provider {
    return this.connection.provider;
  }

  #show(change: Partial<Showing>, running: Running | null = this.#running): void {
    const now = this.store.value;
    if (now !== null && running !== null && running === this.#running) this.store.set({ ...now, ...change });
  }
}

function feeFields(gas: bigint, market: Parameters<typeof bidFor>[0]): Record<string, string> {
  const bid = bidFor(market);
  const limit = { gas: hex(gasLimit(gas)) };
  if (bid.kind === "legacy") return { ...limit, gasPrice: hex(bid.price) };
  return { ...limit, maxFeePerGas: hex(bid.maximum), maxPriorityFeePerGas: hex(bid.tip) };
}

/** A call of one of the deployment's contracts. */
export function callOf(book: AbiBook, contract: string, name: string, args: readonly unknown[]): Call {
  return { to: book.addressOf(contract), data: book.encode(contract, name, args), value: 0n };
}
