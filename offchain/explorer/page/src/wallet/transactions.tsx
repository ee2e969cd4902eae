// What was sent from this page and is not final yet, or has just become so.
import { short } from "../parts/format";
import { progressWords } from "./follow";
import type { Ledger, Sent } from "./ledger";
import { useStore } from "./store";

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
  const bad = ["reverted", "lost", "replaced"].includes(progress.stage);
  return (
    <div
      class={`transaction ${bad ? "bad" : progress.stage === "final" ? "good" : "waiting"}`}
      data-stage={progress.stage}
    >
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
