// Stakes by role: bond with a permit, exit, take an exit back, withdraw.
import { useState } from "preact/hooks";
import { useNow } from "../api/hooks";
import { Heading, Panel } from "../parts/layout";
import { Countdown } from "../parts/values";
import { Problem } from "../wallet/dialog";
import { Failure } from "../wallet/failures";
import { useDeed, useRead, useReader } from "../wallet/hooks";
import { callOf } from "../wallet/transactor";
import { parseTokens, tokens } from "../wallet/units";
import { useBalances } from "../wallet/wallet-dialog";
import { ROLES, type RoleName } from "../wallet/words";
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
  const [amount, setAmount] = useState("");
  const [error, setError] = useState<string | null>(null);
  const deed = useDeed();
  const minimum = bonds.find(bond => bond.role === role)?.minimum;
  const submit = async () => {
    const value = readAmount(amount, setError);
    if (value === null) return;
    const { book, transactor } = deployment;
    const hash = await transactor.perform({
      title: `Stake ${tokens(value)} as ${role}`,
      permit: { spender: VAULT, value },
      call: permit => {
        if (permit === null) throw new Failure("The permit is missing.");
        const { deadline, v, r, s } = permit;
        return callOf(book, VAULT, "bondWithPermit", [ROLES.indexOf(role), value, deadline, v, r, s]);
      },
    });
    if (hash !== null) setAmount("");
  };
  return (
    <form
      class="form"
      onSubmit={event => {
        event.preventDefault();
        void deed.run(submit);
      }}
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
      <Field label="Amount in tokens" hint={minimum ? `At least ${tokens(minimum)} in all.` : undefined} error={error}>
        {ties => (
          <input
            {...ties}
            inputMode="decimal"
            autoComplete="off"
            value={amount}
            onInput={event => setAmount(event.currentTarget.value)}
          />
        )}
      </Field>
      <button type="submit" class="button primary" disabled={deed.busy}>
        Stake
      </button>
      <Problem text={deed.problem} />
    </form>
  );
}

function Bond({ deployment, bond }: Acting & { bond: RoleBond }) {
  const now = useNow();
  const [amount, setAmount] = useState("");
  const [error, setError] = useState<string | null>(null);
  const deed = useDeed();
  const { book, transactor } = deployment;
  const act = (title: string, name: string, ...rest: unknown[]) =>
    deed.run(() => transactor.perform({ title, call: () => callOf(book, VAULT, name, [bond.index, ...rest]) }));
  const exit = () => {
    const value = readAmount(amount, setError);
    if (value !== null)
      void act(`Exit ${tokens(value)} as ${bond.role}`, "requestExit", value).then(() => setAmount(""));
  };
  return (
    <Panel title={`As ${bond.role}`}>
      <dl class="facts">
        <Fact name="Staked" value={tokens(bond.bonded)} />
        <Fact name="Locked by what you do now" value={tokens(bond.locked)} />
        <Fact name="In the exit queue" value={tokens(bond.exiting)} />
      </dl>
      <form
        class="form"
        onSubmit={event => {
          event.preventDefault();
          exit();
        }}
      >
        <Field
          label={`Amount to exit as ${bond.role}`}
          hint={`${tokens(bond.bonded - bond.locked)} are free.`}
          error={error}
        >
          {ties => (
            <input
              {...ties}
              inputMode="decimal"
              autoComplete="off"
              value={amount}
              onInput={event => setAmount(event.currentTarget.value)}
            />
          )}
        </Field>
        <button class="button" type="submit" disabled={deed.busy}>
          Exit
        </button>
      </form>
      {bond.exiting > 0n ? (
        <p class="actions">
          <button
            class="button"
            type="button"
            disabled={deed.busy}
            onClick={() => void act(`Stay as ${bond.role}`, "cancelExit")}
          >
            Take it back into the stake
          </button>
          <button
            class="button"
            type="button"
            disabled={deed.busy || BigInt(now) < bond.exitAt}
            onClick={() => void act(`Withdraw ${tokens(bond.exiting)} as ${bond.role}`, "withdraw")}
          >
            Withdraw
          </button>
          {BigInt(now) < bond.exitAt ? (
            <span>
              in <Countdown until={Number(bond.exitAt)} />
            </span>
          ) : null}
        </p>
      ) : null}
      <Problem text={deed.problem} />
    </Panel>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The amount in wei, or null with the reason given to `fail`. */
function readAmount(text: string, fail: (error: string | null) => void): bigint | null {
  try {
    const value = parseTokens(text);
    fail(null);
    return value;
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
    return null;
  }
}
