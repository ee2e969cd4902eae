// Views that need a wallet say so instead of being empty.
import type { ComponentChildren } from "preact";
import type { Address } from "viem";
import { useConnection, useDeployment } from "../wallet/hooks";
import type { Deployment } from "../wallet/session";

export interface Acting {
  readonly deployment: Deployment;
  readonly account: Address;
}

interface NeedsWalletProps {
  /** Whether the desk is needed, too: it exists only on the machine that the explorer runs on. */
  desk?: boolean;
  /** What is shown without a wallet; nothing for parts that only a wallet's owner misses. */
  quiet?: boolean;
  children: (acting: Acting) => ComponentChildren;
}

export function NeedsWallet({ desk = false, quiet = false, children }: NeedsWalletProps) {
  const { account } = useConnection();
  const deployment = useDeployment();
  if (deployment === null) return quiet ? null : <p class="waiting">Reading…</p>;
  if (desk && !deployment.about.desk) {
    return quiet ? null : (
      <p class="notice info">
        This explorer is served for others to read, so it has no desk: it would have to keep your data. Run{" "}
        <code>assay explorer</code> on your own machine for this.
      </p>
    );
  }
  if (account === null) return quiet ? null : <p class="notice info">Connect a wallet (above) to do this.</p>;
  return <>{children({ deployment, account })}</>;
}
