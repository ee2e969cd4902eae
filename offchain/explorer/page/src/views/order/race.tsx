/** Who claimed when, and what came of it. */

import type { Claim, OrderPage } from "../../api/types";
import { duration } from "../../parts/format";
import { Empty, Panel } from "../../parts/layout";
import { Badge } from "../../parts/phase";
import { type Column, Table } from "../../parts/table";
import { Address, Amount } from "../../parts/values";

function columns(order: OrderPage, claims: Claim[]): Column<Claim>[] {
  const modelOf = (claim: Claim) => order.models.find(model => model.provider === claim.provider);
  const claimsEnded = order.phase !== "training" && order.phase !== "reveal";
  return [
    { title: "Place", numeric: true, cell: claim => claims.indexOf(claim) + 1 },
    { title: "Provider", head: true, cell: claim => <Address address={claim.provider} copy /> },
    { title: "Claimed after", numeric: true, cell: claim => duration(claim.at - order.put_at) },
    {
      title: "Model",
      cell: claim => {
        const model = modelOf(claim);
        if (model) return <>model {model.index}</>;
        return claimsEnded ? <span class="bad-text">never revealed</span> : "not revealed yet";
      },
    },
    {
      title: "Score",
      cell: claim => {
        const model = modelOf(claim);
        if (!model) return "–";
        if (model.voided) return <Badge name="false" text="Void" />;
        return model.score ? <strong class="number">{model.score.text}</strong> : "not agreed";
      },
    },
    {
      title: "Result",
      cell: claim => {
        if (claim.slashed) {
          return <span class="bad-text">slashed</span>;
        }
        if (order.winner === claim.provider) return <Badge name="won" text="Winner" />;
        return modelOf(claim)?.eligible ? "eligible" : "–";
      },
    },
    { title: "Bond locked", numeric: true, cell: claim => <Amount wei={claim.locked} /> },
  ];
}

export function RacePanel({ order }: { order: OrderPage }) {
  // A claim that was replaced has gone to the end of the queue.
  const claims = [...order.claims].sort((a, b) => a.sequence - b.sequence);
  return (
    <Panel title="The race">
      {order.claims.length > 0 ? (
        <Table
          caption="Claims, the earliest first: on a tie the earlier one wins"
          captionShown
          columns={columns(order, claims)}
          rows={claims}
          rowKey={claim => claim.provider}
          rowClass={claim => (order.winner === claim.provider ? "winner" : undefined)}
        />
      ) : (
        <Empty>Nobody has claimed this order{order.phase === "training" ? " yet" : ""}.</Empty>
      )}
    </Panel>
  );
}
