// What one can do about an order: take it back, seal it, look into its scores.
import { useQuery } from "../api/hooks";
import type { OrderPage } from "../api/types";
import { Panel } from "../parts/layout";
import { Problem } from "../wallet/dialog";
import { useDeed } from "../wallet/hooks";
import { callOf } from "../wallet/transactor";
import { Challenge } from "./challenge";
import { Item } from "./inbox";
import { useInbox } from "./inbox-store";
import { type Acting, NeedsWallet } from "./needs-wallet";

const SCORED = ["score_reveal", "challenge", "sealable"];

export function OrderActions({ oid }: { oid: number }) {
  return <NeedsWallet quiet>{acting => <Actions {...acting} oid={oid} />}</NeedsWallet>;
}

function Actions(acting: Acting & { oid: number }) {
  const { oid, account, deployment } = acting;
  const order = useQuery<OrderPage>(`/api/orders/${oid}`, {
    touched: happening => happening.oid === oid,
    expires: found => found.phase_ends_at,
  }).data;
  const items = useInbox()?.items.filter(item => item.oid === oid) ?? [];
  const deed = useDeed();
  if (order === null) return null;
  const { book, transactor } = deployment;
  const mine = order.client.toLowerCase() === account.toLowerCase();
  const cancellable = mine && order.phase === "training" && order.claims.length === 0;
  const examinable = deployment.about.desk && order.models.length > 0 && SCORED.includes(order.phase);
  const act = (title: string, contract: string, name: string) =>
    deed.run(() => transactor.perform({ title, call: () => callOf(book, contract, name, [BigInt(oid)]) }));
  if (!cancellable && !examinable && order.phase !== "sealable" && items.length === 0) return null;
  return (
    <Panel title="Your part">
      {items.map(item => (
        <Item key={item.key} {...acting} item={item} />
      ))}
      <p class="actions">
        {cancellable ? (
          <button
            class="button"
            type="button"
            disabled={deed.busy}
            onClick={() => void act(`Take order ${oid} back`, "OrderBook", "cancel")}
          >
            Take the order back
          </button>
        ) : null}
        {order.phase === "sealable" ? (
          <button
            class="button"
            type="button"
            disabled={deed.busy}
            onClick={() => void act(`Seal order ${oid}`, "ProofOfTraining", "seal")}
          >
            Seal the order
          </button>
        ) : null}
      </p>
      {examinable ? <Challenge {...acting} oid={oid} /> : null}
      <Problem text={deed.problem} />
    </Panel>
  );
}
