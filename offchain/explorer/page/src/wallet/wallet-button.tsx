// The button in the header, and what belongs to it wherever the page is: dialogs, network warnings, sent transactions.
import { useEffect, useState } from "preact/hooks";
import { useFeed, useFeedState } from "../api/hooks";
import { useInbox, useInboxPolling } from "../flows/inbox-store";
import { short } from "../parts/format";
import { ConfirmDialog } from "./confirm-dialog";
import { useConnection, useDeed, useDeployment } from "./hooks";
import { networkOf } from "./networks";
import { connection, type Deployment } from "./session";
import { Transactions } from "./transactions";
import { WalletDialog } from "./wallet-dialog";

export function WalletButton() {
  const { status, account } = useConnection();
  const deployment = useDeployment();
  const [open, setOpen] = useState(false);
  const waiting = useInbox()?.items.filter(item => item.state === "waiting").length ?? 0;
  useEffect(() => connection.start(window), []);
  useInboxPolling(deployment?.about.desk ? account : null);
  const label = account === null ? "Connect wallet" : `Wallet ${short(account)}`;
  return (
    <div class="wallet">
      <button
        type="button"
        class={account === null ? "button primary" : "button"}
        aria-haspopup="dialog"
        disabled={deployment === null}
        onClick={() => setOpen(true)}
      >
        {status === "connecting" ? "Connecting…" : label}
        {waiting > 0 ? (
          <span class="badge-count">
            {waiting}
            <span class="unseen"> waiting in the inbox</span>
          </span>
        ) : null}
      </button>
      {deployment ? <Everywhere deployment={deployment} /> : null}
      {open && deployment ? <WalletDialog deployment={deployment} onClose={() => setOpen(false)} /> : null}
      {deployment ? <ConfirmDialog transactor={deployment.transactor} /> : null}
    </div>
  );
}

function Everywhere({ deployment }: { deployment: Deployment }) {
  const { ledger } = deployment;
  const { final } = useFeedState();
  const feed = useFeed();
  useEffect(() => {
    ledger.final = BigInt(Math.max(final ?? deployment.about.final_block, 0));
    ledger.wake();
  }, [ledger, final, deployment]);
  useEffect(() => connection.store.watch(() => ledger.wake()), [ledger]);
  useEffect(() => feed.listen(happening => happening === null && ledger.wake()), [feed, ledger]);
  return (
    <div class="tray">
      <NetworkWarning deployment={deployment} />
      <Transactions ledger={ledger} />
    </div>
  );
}

function NetworkWarning({ deployment }: { deployment: Deployment }) {
  const { account, chainId, notice, problem } = useConnection();
  const change = useDeed();
  const { target } = deployment;
  const wrong = account !== null && chainId !== target.chainId;
  const name = `${networkOf(target).name} (chain ${target.chainId})`;
  return (
    <div class="wallet-notices" role="alert">
      {wrong ? (
        <div class="notice warn">
          <p>
            The wallet is on {chainId === null ? "no network" : `chain ${chainId}`}; this page is about {name}.{" "}
            {change.problem}
          </p>
          <button
            class="button"
            type="button"
            disabled={change.busy}
            onClick={() => void change.run(() => connection.switchTo(target))}
          >
            Change to {networkOf(target).name}
          </button>
        </div>
      ) : null}
      {problem ? <p class="notice bad">{problem}</p> : null}
      {notice ? <p class="notice info">{notice}</p> : null}
    </div>
  );
}
