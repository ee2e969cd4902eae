// What one can do on the page of one's own account.
import { navigate } from "../route";
import { ClaimsPanel } from "./claims";
import { CreditPanel } from "./credit";
import { NeedsWallet } from "./needs-wallet";

export function AccountActions({ address }: { address: string }) {
  return (
    <NeedsWallet quiet>
      {acting =>
        acting.account.toLowerCase() === address.toLowerCase() ? (
          <>
            <p class="actions">
              <button class="button" type="button" onClick={() => navigate("/stake")}>
                Stake and exit
              </button>
              {acting.deployment.about.desk ? (
                <button class="button" type="button" onClick={() => navigate("/inbox")}>
                  Inbox
                </button>
              ) : null}
            </p>
            {acting.deployment.about.desk ? <ClaimsPanel {...acting} /> : <CreditPanel {...acting} />}
          </>
        ) : null
      }
    </NeedsWallet>
  );
}
