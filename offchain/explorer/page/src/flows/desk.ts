// What the desk answers (offchain/explorer/desk/schema.py). Wei and large integers are decimal text.
import type { Address, Hex } from "viem";
import { ApiError, get, post } from "../api/fetch";
import type { Call } from "../wallet/decode";

export interface DeskCall {
  readonly to: Address;
  readonly data: Hex;
  readonly value: string;
  readonly label: string;
}

export interface OrderFacts {
  readonly title: string;
  readonly task: string;
  readonly classes: readonly string[] | null;
  readonly training_samples: number;
  readonly test_samples: number;
  readonly weights: number;
  readonly model_bytes: number;
  readonly scored_by: string;
  readonly reward: string;
  readonly manifest: string;
}

export interface PreparedOrder {
  readonly commitment: Hex;
  readonly account: Address;
  readonly facts: OrderFacts;
}

export type JobState = "queued" | "running" | "done" | "failed" | "cancelled";

export interface Preparation {
  readonly id: string;
  readonly state: JobState;
  readonly step: string;
  readonly error: string | null;
  readonly field: string | null;
  readonly order: PreparedOrder | null;
}

export interface OutboxItem {
  readonly key: string;
  readonly state: "waiting" | "sent" | "mined";
  readonly call: DeskCall;
  readonly why: string;
  readonly oid: number | null;
  readonly dispute: number | null;
  readonly deadline: number | null;
  readonly tx_hash: Hex | null;
  readonly note: string | null;
}

export interface OutboxEnd {
  readonly key: string;
  readonly state: "done" | "reverted" | "withdrawn";
  readonly label: string;
  readonly why: string;
  readonly oid: number | null;
  readonly dispute: number | null;
  readonly tx_hash: Hex | null;
  readonly error: string | null;
}

export interface Note {
  readonly at: number;
  readonly oid: number | null;
  readonly what: string;
  readonly message: string;
}

export interface Outbox {
  readonly account: Address;
  readonly ready: boolean;
  readonly trouble: string | null;
  readonly items: readonly OutboxItem[];
  readonly ended: readonly OutboxEnd[];
  readonly notes: readonly Note[];
}

export interface PutCall {
  readonly key: string;
  readonly call: DeskCall;
}

export interface ExaminedScore {
  readonly validator: Address;
  readonly holder: Address;
  readonly model: number;
  readonly said: string | null;
  readonly said_text: string | null;
  readonly true: string | null;
  readonly true_text: string | null;
  readonly is_false: boolean | null;
  readonly live: boolean;
  readonly challengeable: boolean;
}

export interface Examination {
  readonly id: string;
  readonly oid: number;
  readonly state: JobState;
  readonly step: string;
  readonly error: string | null;
  readonly done: number;
  readonly total: number;
  readonly models: readonly { readonly model: number; readonly error: string | null }[];
  readonly scores: readonly ExaminedScore[];
  readonly stake: string;
  readonly until: number;
}

/** A challenge that waits for its signature, or the number of the dispute that is open already. */
export interface Challenged {
  readonly item: OutboxItem | null;
  readonly dispute: number | null;
}

export interface ClaimCall {
  readonly what: string;
  readonly amount: string;
  readonly oid: number | null;
  readonly call: DeskCall;
}

export interface Claims {
  readonly credited: string;
  readonly claimable: string;
  readonly pending: string;
  readonly pending_until: number | null;
  readonly paid: string;
  readonly calls: readonly ClaimCall[];
}

const WAIT = 10;

/** The desk's call without its words: what it does is read from its data. */
export function callFrom(call: DeskCall): Call {
  return { to: call.to, data: call.data, value: BigInt(call.value) };
}

export const desk = {
  prepare: (form: FormData) => post<Preparation>("/desk/orders", form),
  preparation: (id: string) => get<Preparation>(`/desk/preparations/${encodeURIComponent(id)}?wait=${WAIT}`),
  cancelPreparation: (id: string) => remove(`/desk/preparations/${encodeURIComponent(id)}`),
  put: (account: Address, commitment: Hex, signature: Hex, deadline: bigint) =>
    post<PutCall>(`/desk/orders/${commitment}/put`, { account, signature, deadline: Number(deadline) }),
  outbox: (account: Address, signal?: AbortSignal) => get<Outbox>(`/desk/outbox?account=${account}`, signal),
  sent: (key: string, account: Address, hash: Hex) =>
    post<OutboxItem>(`/desk/outbox/${encodeURIComponent(key)}/sent`, { account, tx_hash: hash }),
  examine: (oid: number, account: Address) => post<Examination>("/desk/examinations", { oid, account }),
  examination: (id: string) => get<Examination>(`/desk/examinations/${encodeURIComponent(id)}?wait=${WAIT}`),
  challenge: (account: Address, oid: number, validator: Address, model: number, takePlace: boolean) =>
    post<Challenged>("/desk/challenges", { account, oid, validator, model, take_place: takePlace }),
  claims: (account: Address) => get<Claims>(`/desk/claims?account=${account}`),
};

/** Tells the desk what was sent. A failure costs nothing: it looks at the chain by itself, too. */
export async function tellSent(key: string, account: Address, hash: Hex): Promise<void> {
  try {
    await desk.sent(key, account, hash);
  } catch {
    // it will see
  }
}

async function remove(path: string): Promise<void> {
  const response = await fetch(path, { method: "DELETE" });
  if (!response.ok && response.status !== 404) throw new ApiError(response.status, "it could not be cancelled");
}
