// Credited rewards can be claimed without a desk: the treasury says by itself what it owes.
import { Panel } from "../parts/layout";
import { Problem } from "../wallet/dialog";
import { Failure } from "../wallet/failures";
import { useDeed, useRead, useReader } from "../wallet/hooks";
import { read } from "../wallet/node";
import { callOf } from "../wallet/transactor";
import { tokens } from "../wallet/units";
import type { Acting } from "./needs-wallet";

const TREASURY = "RewardTreasury";

export function CreditPanel({ deployment, account }: Acting) {
  const { book, transactor } = deployment;
  const reader = useReader(deployment);
  const deed = useDeed();
  const credit = useRead(reader?.key ?? null, () => {
    if (!reader) throw new Failure("Connect a wallet first.");
    return read<bigint>(reader.provider, book.addressOf(TREASURY), book.abiOf(TREASURY), "balanceOf", [account]);
  });
  if (credit === null) return null;
  const claim = () =>
    transactor.perform({
      title: `Claim ${tokens(credit)}`,
      call: () => callOf(book, TREASURY, "claimRewards", [account]),
    });
  return (
    <Panel title="Your rewards">
      <p>
        {tokens(credit)} are credited to you. Rewards by root need a proof, which the desk of{" "}
        <code>assay explorer</code> on your own machine finds.
      </p>
      {credit > 0n ? (
        <button type="button" class="button primary" disabled={deed.busy} onClick={() => void deed.run(claim)}>
          Claim {tokens(credit)}
        </button>
      ) : null}
      <Problem text={deed.problem} />
    </Panel>
  );
}
