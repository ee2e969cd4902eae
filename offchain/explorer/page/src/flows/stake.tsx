// Stakes by role: bond with a permit, exit, take an exit back, withdraw.
import { useState } from "preact/hooks";
import { useNow } from "../api/hooks";
import { Facts, Heading, Panel } from "../parts/layout";
import { Countdown } from "../parts/values";
import { Problem } from "../wallet/dialog";
import { Failure } from "../wallet/failures";
import { useDeed, useRead, useReader } from "../wallet/hooks";
import { callOf } from "../wallet/transactor";
import { tokens } from "../wallet/units";
import { useBalances } from "../wallet/wallet-dialog";
import { ROLES, type RoleName } from "../wallet/words";
import { AmountForm } from "./amount-form";
import { type RoleBond, readBonds, STAKED } from "./bonds";
import { Field } from "./field";
import { type Acting, NeedsWallet } from "./needs-wallet";
import { TestTokens } from "./test-tokens";

const VAULT = "StakeVault";
const DOES: Partial<Record<RoleName, string>> = {
  provider: "trains models for orders",
  validator: "scores what providers reveal",
  verifier: "challenges false scores",
  aggregator: "pays rewards and keeps the ledger",
};

export function StakeView() {
  return (
    <>
      <Heading title="Stake and exit" />
      <NeedsWallet>{acting => <Stakes key={acting.account} {...acting} />}</NeedsWallet>
    </>
  );
}

function Stakes(acting: Acting) {
  const { deployment, account } = acting;
  const reader = useReader(deployment);
  const balances = useBalances(deployment, account);
  const bonds = useRead(reader?.key ?? null, async () => {
    if (!reader) throw new Failure("Connect a wallet first.");
    return readBonds(deployment, reader.provider, account);
  });
  if (reader === null) return <p class="notice warn">Change the wallet's network first.</p>;
  return (
    <>
      <Panel title="Add stake">
        <p>{balances ? `You hold ${tokens(balances.tokens)}.` : "Reading your balance…"}</p>
        <TestTokens deployment={deployment} />
        <AddStake {...acting} bonds={bonds ?? []} />
      </Panel>
      {bonds === null ? (
        <p class="waiting">Reading your stakes…</p>
      ) : (
        bonds
          .filter(bond => bond.bonded + bond.exiting > 0n)
          .map(bond => <Bond key={bond.role} {...acting} bond={bond} />)
      )}
    </>
  );
}

function AddStake({ deployment, bonds }: Acting & { bonds: readonly RoleBond[] }) {
  const [role, setRole] = useState<RoleName>("provider");
  const deed = useDeed();
  const minimum = bonds.find(bond => bond.role === role)?.minimum;
  const { book, transactor } = deployment;
  const stake = (value: bigint) =>
    transactor.perform({
      title: `Stake ${tokens(value)} as ${role}`,
      permit: { spender: VAULT, value },
      call: permit => {
        if (permit === null) throw new Failure("The permit is missing.");
        const { deadline, v, r, s } = permit;
        return callOf(book, VAULT, "bondWithPermit", [ROLES.indexOf(role), value, deadline, v, r, s]);
      },
    });
  return (
    <>
      <AmountForm
        label="Amount in tokens"
        hint={minimum ? `At least ${tokens(minimum)} in all.` : undefined}
        action="Stake"
        primary
        busy={deed.busy}
        onAmount={value => deed.run(() => stake(value))}
      >
        <Field label="Role" hint={DOES[role]}>
          {ties => (
            <select {...ties} value={role} onChange={event => setRole(event.currentTarget.value as RoleName)}>
              {STAKED.map(name => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      </AmountForm>
      <Problem text={deed.problem} />
    </>
  );
}

function Bond({ deployment, bond }: Acting & { bond: RoleBond }) {
  const deed = useDeed();
  const { book, transactor } = deployment;
  const act = (title: string, name: string, ...rest: unknown[]) =>
    deed.run(() => transactor.perform({ title, call: () => callOf(book, VAULT, name, [bond.index, ...rest]) }));
  return (
    <Panel title={`As ${bond.role}`}>
      <Facts
        facts={[
          ["Staked", tokens(bond.bonded)],
          ["Locked by what you do now", tokens(bond.locked)],
          ["In the exit queue", tokens(bond.exiting)],
        ]}
      />
      <AmountForm
        label={`Amount to exit as ${bond.role}`}
        hint={`${tokens(bond.bonded - bond.locked)} are free.`}
        action="Exit"
        busy={deed.busy}
        onAmount={value => act(`Exit ${tokens(value)} as ${bond.role}`, "requestExit", value)}
      />
      {bond.exiting > 0n ? <Exit bond={bond} busy={deed.busy} act={act} /> : null}
      <Problem text={deed.problem} />
    </Panel>
  );
}

interface ExitProps {
  bond: RoleBond;
  busy: boolean;
  act: (title: string, name: string) => Promise<boolean>;
}

function Exit({ bond, busy, act }: ExitProps) {
  const waiting = BigInt(useNow()) < bond.exitAt;
  const withdraw = () => act(`Withdraw ${tokens(bond.exiting)} as ${bond.role}`, "withdraw");
  return (
    <p class="actions">
      <button type="button" class="button" disabled={busy} onClick={() => act(`Stay as ${bond.role}`, "cancelExit")}>
        Take it back into the stake
      </button>
      <button type="button" class="button" disabled={busy || waiting} onClick={withdraw}>
        Withdraw
      </button>
      {waiting ? (
        <span>
          in <Countdown until={Number(bond.exitAt)} />
        </span>
      ) : null}
    </p>
  );
}
