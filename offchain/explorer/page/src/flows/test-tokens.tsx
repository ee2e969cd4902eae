// Test tokens, where the deployment has a faucet: development chains and test networks.
import { useNow } from "../api/hooks";
import { Problem } from "../wallet/dialog";
import { Failure } from "../wallet/failures";
import { useConnection, useDeed, useRead, useReader } from "../wallet/hooks";
import { read } from "../wallet/node";
import type { Deployment } from "../wallet/session";
import { callOf } from "../wallet/transactor";
import { duration, tokens } from "../wallet/units";

const FAUCET = "TestTokenFaucet";

interface Faucet {
  readonly amount: bigint;
  readonly nextAt: bigint;
  readonly left: bigint;
}

export function TestTokens({ deployment }: { deployment: Deployment }) {
  if (!deployment.book.has(FAUCET)) return null;
  return <Drip deployment={deployment} />;
}

function Drip({ deployment }: { deployment: Deployment }) {
  const { account } = useConnection();
  const faucet = useFaucet(deployment);
  const deed = useDeed();
  const now = useNow();
  if (account === null || faucet === null) return null;
  const { book, transactor } = deployment;
  const wait = Number(faucet.nextAt) - now;
  const drip = () =>
    transactor.perform({
      title: `Get ${tokens(faucet.amount)} for testing`,
      call: () => callOf(book, FAUCET, "drip", []),
    });
  return (
    <div class="test-tokens">
      <button
        class="button"
        type="button"
        disabled={deed.busy || faucet.left < faucet.amount}
        onClick={() => void deed.run(drip)}
      >
        Get {tokens(faucet.amount)} for testing
      </button>
      {wait > 0 ? <p class="quiet hint">You have had yours; the next in {duration(wait)}.</p> : null}
      {faucet.left < faucet.amount ? <p class="quiet hint">The faucet has given all it may for now.</p> : null}
      <Problem text={deed.problem} />
    </div>
  );
}

function useFaucet(deployment: Deployment): Faucet | null {
  const { account } = useConnection();
  const reader = useReader(deployment);
  return useRead(reader && account ? reader.key : null, async () => {
    if (!reader || !account) throw new Failure("Connect a wallet first.");
    const { book } = deployment;
    const ask = (name: string, ...args: unknown[]) =>
      read<bigint>(reader.provider, book.addressOf(FAUCET), book.abiOf(FAUCET), name, args);
    const [amount, nextAt, left] = await Promise.all([ask("dripAmount"), ask("nextDripAt", account), ask("available")]);
    return { amount, nextAt, left };
  });
}
