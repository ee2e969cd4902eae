// What was sent from this page and is not final yet, or has just become so.
import { useEffect, useRef } from "preact/hooks";
import { short } from "../parts/format";
import { progressWords } from "./follow";
import type { Ledger, Sent } from "./ledger";
import { useStore } from "./store";

/** How long good news stays. */
const GOOD_NEWS_MS = 60_000;

export function Transactions({ ledger }: { ledger: Ledger }) {
  const sent = useStore(ledger.store);
  return (
    <div class="transactions" role="status" aria-live="polite" aria-label="Your transactions">
      {sent.map(one => (
        <Row key={one.hash} sent={one} onDismiss={() => ledger.dismiss(one.hash)} />
      ))}
    </div>
  );
}

function Row({ sent, onDismiss }: { sent: Sent; onDismiss: () => void }) {
  const { progress, reason } = sent;
  const final = progress.stage === "final";
  const dismiss = useRef(onDismiss);
  dismiss.current = onDismiss;
  useEffect(() => {
    if (!final) return;
    const timer = setTimeout(() => dismiss.current(), GOOD_NEWS_MS);
    return () => clearTimeout(timer);
  }, [final]);
  const bad = ["reverted", "lost", "replaced"].includes(progress.stage);
  return (
    <div class={`transaction ${bad ? "bad" : final ? "good" : "waiting"}`} data-stage={progress.stage}>
      <div>
        <strong>{sent.deed}</strong>
        <p>
          {progressWords(progress)} {reason}
        </p>
        <code class="mono" title={sent.hash}>
          {short(sent.hash, 10, 6)}
        </code>
      </div>
      <button type="button" class="button small" onClick={onDismiss} aria-label={`Dismiss: ${sent.deed}`}>
        ✕
      </button>
    </div>
  );
}
