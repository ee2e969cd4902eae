// What an injected wallet is to a page (EIP-1193), and how wallets announce themselves (EIP-6963).

export interface RequestArguments {
  readonly method: string;
  readonly params?: readonly unknown[];
}

export type Listener = (value: unknown) => void;

export interface Provider {
  request(request: RequestArguments): Promise<unknown>;
  on?(event: string, listener: Listener): void;
  removeListener?(event: string, listener: Listener): void;
}

/** A wallet that was found. `id` is stable across visits (its reverse domain name); `icon` is a data URI or null. */
export interface FoundWallet {
  readonly id: string;
  readonly name: string;
  readonly icon: string | null;
  readonly provider: Provider;
}

export const CODE = {
  rejected: 4001,
  unauthorised: 4100,
  unsupported: 4200,
  disconnected: 4900,
  chainDisconnected: 4901,
  unknownChain: 4902,
  busy: -32002,
  reverted: 3,
} as const;

/** Whether a value can be asked things: all that is believed of what a page's `window` holds. */
export function isProvider(value: unknown): value is Provider {
  return isRecord(value) && typeof value.request === "function";
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return (typeof value === "object" || typeof value === "function") && value !== null;
}
