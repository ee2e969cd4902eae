// What you have earned, and the calls that pay it out.
import { useQuery } from "../api/hooks";
import { Answer, Facts, Panel } from "../parts/layout";
import { Countdown } from "../parts/values";
import { Problem } from "../wallet/dialog";
import { useDeed } from "../wallet/hooks";
import { tokens } from "../wallet/units";
import { type ClaimCall, type Claims, callFrom } from "./desk";
import type { Acting } from "./needs-wallet";

const WHAT: Record<string, string> = {
  claim_rewards: "credited to you",
  claim_root: "by the last reward root",
  pay_direct: "the aggregators are late, so anybody may settle it; then it is credited",
};

export function ClaimsPanel(acting: Acting) {
  const query = useQuery<Claims>(`/desk/claims?account=${acting.account}`, {
    touched: ({ contract }) => /Treasury|ProofOfTraining/.test(contract),
    expires: claims => claims.pending_until,
  });
  return (
    <Panel title="Your rewards">
      <Answer query={query}>{claims => <Rewards {...acting} claims={claims} />}</Answer>
      <p class="actions">
        <button type="button" class="button" disabled={query.loading} onClick={query.reload}>
          Look again
        </button>
      </p>
    </Panel>
  );
}

function Rewards({ deployment, claims }: Acting & { claims: Claims }) {
  const deed = useDeed();
  const claim = (call: ClaimCall) =>
    deployment.transactor.perform({ title: deedOf(call), call: () => callFrom(call.call) });
  return (
    <>
      <Facts
        facts={[
          ["Paid by roots so far", tokens(BigInt(claims.paid))],
          ["To claim by a root", tokens(BigInt(claims.claimable))],
          ["Credited", tokens(BigInt(claims.credited))],
          ["Pending", tokens(BigInt(claims.pending))],
        ]}
      />
      {claims.pending_until !== null ? (
        <p class="quiet hint">
          What is pending can still be refuted; it can be claimed in <Countdown until={claims.pending_until} />.
        </p>
      ) : null}
      {claims.calls.length === 0 ? <p class="empty">There is nothing to claim now.</p> : null}
      <ul class="claims">
        {claims.calls.map(call => (
          <li key={call.call.data}>
            <button
              type="button"
              class="button primary"
              disabled={deed.busy}
              onClick={() => void deed.run(() => claim(call))}
            >
              {deedOf(call)}
            </button>{" "}
            {WHAT[call.what] ?? ""}
          </li>
        ))}
      </ul>
      <Problem text={deed.problem} />
    </>
  );
}

function deedOf({ what, amount, oid }: ClaimCall): string {
  const sum = tokens(BigInt(amount));
  return what === "pay_direct" ? `Settle order ${oid}: ${sum} for you` : `Claim ${sum}`;
}
