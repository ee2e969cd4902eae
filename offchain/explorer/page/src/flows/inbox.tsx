// What waits for your signature: releases of test data, moves in disputes, answers, claims.
import type { Address } from "viem";
import { useNow } from "../api/hooks";
import { duration } from "../parts/format";
import { Empty, Heading, Panel } from "../parts/layout";
import { Link } from "../route";
import { Unexplained } from "../wallet/abi-book";
import { Problem } from "../wallet/dialog";
import { useDeed } from "../wallet/hooks";
import type { Deployment } from "../wallet/session";
import { deedOf } from "../wallet/words";
import { callFrom, type DeskCall, type Outbox, type OutboxEnd, type OutboxItem, tellSent } from "./desk";
import { refreshInbox, useInbox } from "./inbox-store";
import { type Acting, NeedsWallet } from "./needs-wallet";

const STATES: Record<OutboxItem["state"], string> = {
  waiting: "Waits for your signature",
  sent: "Sent; waiting for a block",
  mined: "In a block; not final yet",
};
const ENDS: Record<OutboxEnd["state"], string> = {
  done: "Done",
  reverted: "Reverted",
  withdrawn: "Not needed any more",
};
const MOST_ENDS = 10;

export function InboxView() {
  return (
    <>
      <Heading title="Inbox" />
      <NeedsWallet desk>{acting => <Inbox {...acting} />}</NeedsWallet>
    </>
  );
}

function Inbox(acting: Acting) {
  const outbox = useInbox();
  if (outbox === null || outbox.account !== acting.account) return <p class="waiting">Asking the desk…</p>;
  return (
    <>
      {outbox.trouble ? <p class="notice warn">{outbox.trouble}</p> : null}
      <Panel title="For you to sign">
        {outbox.items.length === 0 ? (
          <Empty>{outbox.ready ? "Nothing waits for you." : "The desk is still reading the chain for you…"}</Empty>
        ) : (
          <ul class="inbox">
            {outbox.items.map(item => (
              <li key={item.key}>
                <Item {...acting} item={item} />
              </li>
            ))}
          </ul>
        )}
      </Panel>
      <History outbox={outbox} deployment={acting.deployment} />
    </>
  );
}

/** Shows it, has it signed, and tells the desk. Whether it was sent. */
export async function signItem(deployment: Deployment, account: Address, item: OutboxItem): Promise<boolean> {
  const title = titleOf(deployment, item.call);
  const hash = await deployment.transactor.perform({ title, call: () => callFrom(item.call) });
  if (hash !== null) await tellSent(item.key, account, hash);
  refreshInbox();
  return hash !== null;
}

/** One thing to sign, wherever it is shown. */
export function Item({ deployment, account, item }: Acting & { item: OutboxItem }) {
  const deed = useDeed();
  const sign = () => signItem(deployment, account, item);
  return (
    <div class="inbox-item" data-state={item.state}>
      <div>
        <strong>{titleOf(deployment, item.call)}</strong> <Subject item={item} />
        <p>{item.why}</p>
        {item.note ? <p class="quiet hint">{item.note}</p> : null}
        <p class="quiet hint">
          {STATES[item.state]}
          {item.state === "waiting" && item.deadline !== null ? <Left deadline={item.deadline} /> : null}
        </p>
      </div>
      {item.state === "waiting" ? (
        <button type="button" class="button primary" disabled={deed.busy} onClick={() => void deed.run(sign)}>
          Look and sign
        </button>
      ) : null}
      <Problem text={deed.problem} />
    </div>
  );
}

function Left({ deadline }: { deadline: number }) {
  const left = deadline - useNow();
  return (
    <span class={left < 60 ? "urgent" : undefined} role="timer" aria-live="off">
      {left > 0 ? `, ${duration(left)} left` : ", too late"}
    </span>
  );
}

function Subject({ item }: { item: { oid: number | null; dispute: number | null } }) {
  return (
    <>
      {item.oid !== null ? <Link href={`/orders/${item.oid}`}>order {item.oid}</Link> : null}{" "}
      {item.dispute !== null ? <Link href={`/disputes/${item.dispute}`}>dispute {item.dispute}</Link> : null}
    </>
  );
}

function History({ outbox, deployment }: { outbox: Outbox; deployment: Deployment }) {
  const ended = outbox.ended.slice(-MOST_ENDS).reverse();
  if (ended.length === 0 && outbox.notes.length === 0) return null;
  return (
    <Panel title="What became of the rest">
      <ul class="inbox ended">
        {outbox.notes.map(note => (
          <li key={`${note.at}-${note.message}`}>
            {note.message} {note.oid !== null ? <Link href={`/orders/${note.oid}`}>order {note.oid}</Link> : null}
          </li>
        ))}
        {ended.map(end => (
          <li key={end.key}>
            <strong>{ENDS[end.state]}</strong>: {end.why || end.label} <Subject item={end} /> {end.error}
          </li>
        ))}
      </ul>
      <p class="quiet hint">On {deployment.about.network}, as the desk on this machine remembers it.</p>
    </Panel>
  );
}

/** What a call does, read from the call itself. */
function titleOf({ book }: Deployment, call: DeskCall): string {
  try {
    const { contract, name } = book.decodeCall(call.to, call.data);
    return deedOf(contract, name);
  } catch (error) {
    if (error instanceof Unexplained) return "A call that this page cannot explain";
    throw error;
  }
}
