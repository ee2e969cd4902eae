// Orders a model: the form, then what the desk made of it, then one signature and one transaction, then the order's page.
import { useEffect, useState } from "preact/hooks";
import { bytes, grouped } from "../parts/format";
import { Facts, Heading, Panel } from "../parts/layout";
import { navigate } from "../route";
import { Problem } from "../wallet/dialog";
import { Failure } from "../wallet/failures";
import { useDeed, useGone } from "../wallet/hooks";
import { connection } from "../wallet/session";
import { tokens } from "../wallet/units";
import { callFrom, desk, type Preparation, type PreparedOrder, tellSent } from "./desk";
import { refreshInbox } from "./inbox-store";
import { type Acting, NeedsWallet } from "./needs-wallet";
import { orderOf, requireOrder } from "./order-call";
import { PutFields } from "./put-fields";
import { bodyOf, EMPTY, type Faults, type Files, fieldOf, isReadied, type PutForm, readForm } from "./put-form";

const NO_FILES: Files = { train: null, test: null, spec: null, trainLabels: null, testLabels: null };

export function PutView() {
  return (
    <>
      <Heading title="Order a model" />
      <NeedsWallet desk>{acting => <Put key={acting.account} {...acting} />}</NeedsWallet>
    </>
  );
}

interface Ready {
  readonly order: PreparedOrder;
  readonly reward: bigint;
}

function Put(acting: Acting) {
  const [form, setForm] = useState<PutForm>(EMPTY);
  const [files, setFiles] = useState<Files>(NO_FILES);
  const [faults, setFaults] = useState<Faults>({});
  const [step, setStep] = useState<string | null>(null);
  const [ready, setReady] = useState<Ready | null>(null);
  const deed = useDeed();
  const gone = useGone();
  useEffect(() => {
    if (Object.keys(faults).length > 0) document.querySelector<HTMLElement>(".put-form [aria-invalid=true]")?.focus();
  }, [faults]);

  const prepare = async () => {
    const read = readForm(form, files, acting.account);
    setFaults(isReadied(read) ? {} : read);
    if (!isReadied(read)) throw new Failure("Some fields need another look; they say why.");
    setStep("Sending your files to the desk on this machine…");
    try {
      const done = await prepared(await desk.prepare(bodyOf(read.request, form, files)), setStep, gone);
      if (done.order) setReady({ order: done.order, reward: read.reward });
      else {
        const field = fieldOf(done.field);
        if (field) setFaults({ [field]: done.error ?? "" });
        throw new Failure(done.error ?? "The desk has given up on this order. Try again.");
      }
    } finally {
      setStep(null);
    }
  };
  if (ready) return <Review {...acting} {...ready} onBack={() => setReady(null)} />;
  return (
    <Panel title="What you want">
      <form
        class="form put-form"
        noValidate
        onSubmit={event => {
          event.preventDefault();
          void deed.run(prepare);
        }}
      >
        <PutFields form={form} files={files} faults={faults} onForm={setForm} onFiles={setFiles} />
        <p class="quiet hint">
          Your files go to the desk on this machine, which quantises and stores them. The test set stays here until the
          models are revealed: keep <code>assay explorer</code> running until then. Nothing is spent yet.
        </p>
        <button type="submit" class="button primary" disabled={deed.busy}>
          Prepare the order
        </button>
        <p role="status">{step}</p>
        <Problem text={deed.problem} />
      </form>
    </Panel>
  );
}

/** Waits for the desk, which does the work in the background. */
async function prepared(first: Preparation, tell: (step: string) => void, gone: () => boolean): Promise<Preparation> {
  let job = first;
  while ((job.state === "queued" || job.state === "running") && !gone()) {
    tell(job.step || "Working…");
    job = await desk.preparation(job.id);
  }
  if (gone() && job.order === null) await desk.cancelPreparation(job.id);
  return job;
}

function Review({ deployment, account, order, reward, onBack }: Acting & Ready & { onBack: () => void }) {
  const deed = useDeed();
  const [waiting, setWaiting] = useState(false);
  const { facts, commitment } = order;
  const put = async () => {
    const { transactor, ledger, book } = deployment;
    const asked = { key: "" };
    const hash = await transactor.perform({
      title: `Put the order “${facts.title}”`,
      permit: { spender: "OrderBook", value: reward },
      call: async permit => {
        if (permit === null) throw new Failure("The permit is missing.");
        const { key, call } = await desk.put(account, commitment, permit.signature, permit.deadline);
        asked.key = key;
        return requireOrder(book, callFrom(call), { reward, commitment });
      },
    });
    if (hash === null) return;
    setWaiting(true);
    await tellSent(asked.key, account, hash);
    refreshInbox();
    const progress = await ledger.mined(hash);
    setWaiting(false);
    if (progress.stage !== "mined" && progress.stage !== "final") return;
    const oid = await orderOf(connection.provider, book, hash);
    navigate(oid === null ? "/orders" : `/orders/${oid}`);
  };
  return (
    <Panel title="Your order, ready to be put">
      <Facts facts={factsOf(order)} />
      <p class="quiet hint">
        The reward is held in escrow. You sign a permit for it, which costs nothing, and one transaction, whose cost is
        shown before you confirm.
      </p>
      <p class="actions">
        <button class="button" type="button" disabled={deed.busy} onClick={onBack}>
          Change something
        </button>
        <button type="button" class="button primary" disabled={deed.busy} onClick={() => void deed.run(put)}>
          Put the order for {tokens(reward)}
        </button>
      </p>
      <p role="status">{waiting ? "Sent. Waiting for a block, then this goes to your order." : null}</p>
      <Problem text={deed.problem} />
    </Panel>
  );
}

function factsOf({ facts, commitment }: PreparedOrder): [string, string][] {
  return [
    ["Title", facts.title],
    ["Task", facts.classes ? `${facts.task}, ${facts.classes.length} classes` : facts.task],
    ["Training samples", grouped(facts.training_samples)],
    ["Test samples, secret", grouped(facts.test_samples)],
    ["Weights of the model", grouped(facts.weights)],
    ["Its largest file", bytes(facts.model_bytes)],
    ["Scored by", facts.scored_by.replaceAll("_", " ")],
    ["Reward", tokens(BigInt(facts.reward))],
    ["Manifest", facts.manifest],
    ["Commitment to the test set", commitment],
  ];
}
