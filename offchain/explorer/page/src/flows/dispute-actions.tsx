// What one can do on the page of a dispute: one's own next move, or ending it when the other side is late.
import { useNow, useQuery } from "../api/hooks";
import type { Dispute } from "../api/types";
import { Panel } from "../parts/layout";
import { Problem } from "../wallet/dialog";
import { useDeed } from "../wallet/hooks";
import { callOf } from "../wallet/transactor";
import { Item } from "./inbox";
import { useInbox } from "./inbox-store";
import { type Acting, NeedsWallet } from "./needs-wallet";

export function DisputeActions({ id }: { id: number }) {
  return <NeedsWallet quiet>{acting => <Actions {...acting} id={id} />}</NeedsWallet>;
}

function Actions(acting: Acting & { id: number }) {
  const { id, account, deployment } = acting;
  const dispute = useQuery<Dispute>(`/api/disputes/${id}`, { touched: happening => happening.dispute === id }).data;
  const items = useInbox()?.items.filter(item => item.dispute === id) ?? [];
  const now = useNow();
  const deed = useDeed();
  if (dispute === null || dispute.on_turn === null) return null;
  const mine = [dispute.defendant, dispute.challenger].some(side => side.toLowerCase() === account.toLowerCase());
  const late = dispute.deadline !== null && dispute.deadline < now;
  if (!mine && !late) return null;
  const end = () =>
    deployment.transactor.perform({
      title: `End dispute ${id}: the mover is late`,
      call: () => callOf(deployment.book, "DisputeCourt", "timeOut", [BigInt(id)]),
    });
  return (
    <Panel title="Your part">
      {items.map(item => (
        <Item key={item.key} {...acting} item={item} />
      ))}
      {mine && items.length === 0 ? (
        <p>Nothing waits for you: it is the other side's turn, or the desk is looking.</p>
      ) : null}
      {late ? (
        <button class="button" type="button" disabled={deed.busy} onClick={() => void deed.run(end)}>
          End it: the time to move is over
        </button>
      ) : null}
      <Problem text={deed.problem} />
    </Panel>
  );
}
