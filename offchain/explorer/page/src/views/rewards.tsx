import { useQuery } from "../api/hooks";
import type { Claimed, RewardRoot, Rewards } from "../api/types";
import { plural } from "../parts/format";
import { Answer, Empty, Heading, Panel } from "../parts/layout";
import { type Column, Table } from "../parts/table";
import { Address, Ago, Amount, Countdown, Hash } from "../parts/values";

function Effective({ root, now }: { root: RewardRoot; now: number }) {
  if (root.refuted) {
    return (
      <span class="stack">
        <span class="badge bad">Refuted</span>
        {root.refuter ? <Address address={root.refuter} /> : null}
      </span>
    );
  }
  if (root.effective_at <= now) return <span class="badge good">Pays</span>;
  return (
    <span class="stack">
      <span class="badge watch">Can be refuted</span>
      <span class="quiet">
        pays in <Countdown until={root.effective_at} />
      </span>
    </span>
  );
}

const roots = (now: number): Column<RewardRoot>[] => [
  { title: "Cycle", head: true, numeric: true, cell: root => root.cycle },
  { title: "Standing", cell: root => <Effective root={root} now={now} /> },
  { title: "Earned by all so far", numeric: true, cell: root => <Amount wei={root.total} /> },
  { title: "Orders covered", numeric: true, cell: root => root.up_to },
  { title: "Accounts", numeric: true, cell: root => root.accounts },
  { title: "Pulled", numeric: true, cell: root => <Amount wei={root.claimed} /> },
  { title: "Root", cell: root => <Hash hex={root.root} what="root" head={8} tail={4} /> },
  {
    title: "Signers",
    cell: root => (
      <details>
        <summary>
          {root.signers.length} of epoch {root.epoch}
        </summary>
        {root.signers.map(signer => (
          <div key={signer}>
            <Address address={signer} />
          </div>
        ))}
      </details>
    ),
  },
  { title: "Posted", cell: root => <Ago at={root.posted_at} /> },
];

const CLAIMS: Column<Claimed>[] = [
  { title: "Account", head: true, cell: claim => <Address address={claim.account} /> },
  { title: "Amount", numeric: true, cell: claim => <Amount wei={claim.amount} /> },
  { title: "By", cell: claim => (claim.cycle !== null ? `root of cycle ${claim.cycle}` : "single payout") },
  { title: "When", cell: claim => <Ago at={claim.at} /> },
];

type Candidate = Rewards["candidates"][number];

const CANDIDATES: Column<Candidate>[] = [
  { title: "Aggregator", head: true, cell: candidate => <Address address={candidate.account} copy /> },
  { title: "Stake", numeric: true, cell: candidate => <Amount wei={candidate.stake} /> },
  {
    title: "Reached at (its own word)",
    cell: candidate => <span class="mono wrap">{candidate.endpoint?.slice(0, 120) ?? "–"}</span>,
  },
];

function CommitteePanel({ candidates, epochs }: Pick<Rewards, "candidates" | "epochs">) {
  const [epoch] = epochs;
  return (
    <Panel title="The committee">
      {epoch ? (
        <p>
          Epoch {epoch.number}: {plural(epoch.members.length, "member")}, of whom {epoch.threshold} must agree
          {epoch.suspended ? (
            <strong class="bad-text">; suspended, because a member was slashed</strong>
          ) : (
            <>
              ; <Countdown until={epoch.ends_at} before="ends in " over="anybody can start the next" />
            </>
          )}
          .
        </p>
      ) : null}
      {candidates.length > 0 ? (
        <Table caption="Candidates" columns={CANDIDATES} rows={candidates} rowKey={candidate => candidate.account} />
      ) : (
        <Empty>Nobody stands for the committee.</Empty>
      )}
    </Panel>
  );
}

export function RewardsView() {
  const query = useQuery<Rewards>("/api/rewards", {
    touched: ({ contract }) => contract === "RewardTreasury",
    expires: ({ roots: rows, now }) =>
      rows.find(root => !root.refuted && root.effective_at > now)?.effective_at ?? null,
  });
  return (
    <>
      <Heading title="Rewards" />
      <p class="lead">
        The aggregators agree on one Merkle root of all that was ever earned. Anybody can have the contract refute a
        wrong one; when the time for that is over, everybody pulls what is theirs.
      </p>
      <Answer query={query}>
        {({ roots: rows, claims, held, candidates, epochs, now }) => (
          <>
            <p>
              The treasury holds <Amount wei={held} /> for orders that nothing has paid yet.
            </p>
            <Panel title="Roots">
              {rows.length > 0 ? (
                <Table
                  caption="Roots of rewards, the newest first"
                  columns={roots(now)}
                  rows={rows}
                  rowKey={root => root.tx}
                />
              ) : (
                <Empty>No root has been posted yet.</Empty>
              )}
            </Panel>
            <CommitteePanel candidates={candidates} epochs={epochs} />
            <Panel title="Latest claims">
              {claims.length > 0 ? (
                <Table
                  caption="Claims of rewards, the newest first"
                  columns={CLAIMS}
                  rows={claims}
                  rowKey={claim => claim.seq}
                />
              ) : (
                <Empty>Nobody has pulled anything yet.</Empty>
              )}
            </Panel>
          </>
        )}
      </Answer>
    </>
  );
}
