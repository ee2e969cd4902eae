// Finds the wallets in a browser: those that announce themselves (EIP-6963), else the one in `window.ethereum`.
import { type FoundWallet, isProvider, isRecord } from "./eip1193";

const ANNOUNCE = "eip6963:announceProvider";
const REQUEST = "eip6963:requestProvider";
const MAX_WALLETS = 20;
const MAX_NAME = 40;
const MAX_ICON = 200_000;
export const INJECTED = "window.ethereum";

/** Calls `report` with all wallets that are known by then, now and whenever another one announces itself. */
export function discover(target: Window, report: (wallets: readonly FoundWallet[]) => void): () => void {
  const found = new Map<string, FoundWallet>();
  const tell = () => report(found.size > 0 ? [...found.values()] : injected(target));
  const hear = (event: Event) => {
    const wallet = event instanceof CustomEvent ? readAnnouncement(event.detail) : null;
    if (wallet && !found.has(wallet.id) && found.size < MAX_WALLETS) {
      found.set(wallet.id, wallet);
      tell();
    }
  };
  target.addEventListener(ANNOUNCE, hear);
  target.dispatchEvent(new Event(REQUEST));
  // Older wallets put themselves into the window some time after the page has started.
  target.addEventListener("ethereum#initialized", tell, { once: true });
  tell();
  return () => {
    target.removeEventListener(ANNOUNCE, hear);
    target.removeEventListener("ethereum#initialized", tell);
  };
}

/** The wallet in an announcement's detail, or null: other scripts of the browser may announce anything. */
export function readAnnouncement(detail: unknown): FoundWallet | null {
  if (!isRecord(detail) || !isRecord(detail.info) || !isProvider(detail.provider)) return null;
  const { rdns, name, uuid, icon } = detail.info;
  const id = text(rdns) ?? text(uuid);
  return id === null ? null : { id, name: text(name) ?? id, icon: readIcon(icon), provider: detail.provider };
}

function injected(target: Window): FoundWallet[] {
  const provider: unknown = Reflect.get(target, "ethereum");
  return isProvider(provider) ? [{ id: INJECTED, name: "Browser wallet", icon: null, provider }] : [];
}

function text(value: unknown): string | null {
  return typeof value === "string" && value.trim() !== "" ? value.trim().slice(0, MAX_NAME) : null;
}

/** An icon may only be the picture itself: nothing is fetched from elsewhere. */
function readIcon(value: unknown): string | null {
  return typeof value === "string" && value.length <= MAX_ICON && /^data:image\//.test(value) ? value : null;
}
