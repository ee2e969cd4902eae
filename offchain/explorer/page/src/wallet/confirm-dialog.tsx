// What is about to be signed: the contract, the function, every argument in human units, the cost. Then it is up to you.
import { Facts } from "../parts/layout";
import { Scroll } from "../parts/table";
import { Dialog, Problem } from "./dialog";
import { useStore } from "./store";
import type { Showing, Transactor } from "./transactor";
import type { Line } from "./values";

const BUTTONS: Record<Showing["step"], string | null> = {
  preparing: null,
  network: "Change the network",
  permit: "Sign the permit in the wallet",
  ready: "Confirm in the wallet",
  signing: null,
  blocked: "Try again",
};

const STATUS: Record<Showing["step"], string> = {
  preparing: "Trying it on the chain…",
  network: "",
  permit: "First a signature that costs nothing, then the transaction.",
  ready: "Tried on the chain: it will go through.",
  signing: "Waiting for the wallet: open it and answer there.",
  blocked: "Nothing was sent.",
};

export function ConfirmDialog({ transactor }: { transactor: Transactor }) {
  const showing = useStore(transactor.store);
  if (showing === null) return null;
  const { step, title, signatures, call, permit, cost, problem, account } = showing;
  const action = BUTTONS[step];
  return (
    <Dialog title={title} onClose={() => transactor.cancel()} class="confirm">
      {signatures.of > 1 ? (
        <p class="steps">
          Step {signatures.now} of {signatures.of}: {signatures.now === 1 ? "the permit" : "the transaction"}
        </p>
      ) : null}
      {permit ? (
        <section>
          <h3>Let a contract take tokens of yours, once</h3>
          <Lines heading="The permit" lines={permit} />
        </section>
      ) : null}
      {call ? (
        <section>
          <h3>{call.deed}</h3>
          <p class="target">
            <code>
              {call.contract}.{call.name}
            </code>{" "}
            at <code class="mono">{call.address}</code>
          </p>
          <Lines heading="Arguments" lines={call.lines} />
        </section>
      ) : null}
      {cost ? (
        <Facts
          facts={[
            ["Gas", `${cost.likely}, at most ${cost.most}`],
            ["Your balance", cost.balance],
            ["Account", account],
          ]}
        />
      ) : null}
      <p role="status" class="dialog-status">
        {STATUS[step]}
      </p>
      <Problem text={problem} />
      <footer class="dialog-foot">
        <button class="button" type="button" onClick={() => transactor.cancel()}>
          {step === "signing" ? "Close" : "Cancel"}
        </button>
        <button
          type="button"
          class="button primary"
          disabled={action === null}
          aria-disabled={action === null}
          onClick={() => void transactor.confirm()}
        >
          {action ?? "Wait…"}
        </button>
      </footer>
    </Dialog>
  );
}

function Lines({ heading, lines }: { heading: string; lines: readonly Line[] }) {
  if (lines.length === 0) return <p class="empty">No arguments.</p>;
  return (
    <Scroll label={heading}>
      <dl class="lines">
        {lines.map(line => (
          <div key={line.name}>
            <dt>{line.name}</dt>
            <dd title={line.raw}>{line.text}</dd>
          </div>
        ))}
      </dl>
    </Scroll>
  );
}
