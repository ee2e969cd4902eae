// Fetches a revealed model and verifies it here, against the chain as the wallet sees it.
import { useEffect, useState } from "preact/hooks";
import { get } from "../api/fetch";
import type { OrderPage } from "../api/types";
import { bytes, short } from "../parts/format";
import { Problem } from "../wallet/dialog";
import { Failure } from "../wallet/failures";
import { useDeed, useDeployment, useReader } from "../wallet/hooks";
import { read } from "../wallet/node";
import { type Checked, type CheckedFile, type Claimed, checkModel } from "./verify/check";
import { cidDigest } from "./verify/cid";

interface Source {
  readonly claimed: Claimed;
  readonly from: "chain" | "server";
}

export function ModelVerifier({ oid, model }: { oid: number; model: number }) {
  const deployment = useDeployment();
  const reader = useReader(deployment);
  const deed = useDeed();
  const [step, setStep] = useState<string | null>(null);
  const [result, setResult] = useState<(Checked & { readonly source: Source }) | null>(null);
  const claimed = async (): Promise<Source> => {
    if (reader === null || deployment === null) return { claimed: await fromServer(oid, model), from: "server" };
    const proof = deployment.book.addressOf("ProofOfTraining");
    const abi = deployment.book.abiOf("ProofOfTraining");
    const said = await read<{ modelRoot: string; cid: string }>(reader.provider, proof, abi, "modelAt", [
      BigInt(oid),
      model,
    ]);
    return { claimed: { root: said.modelRoot, cid: said.cid }, from: "chain" };
  };
  const verify = async () => {
    setResult(null);
    try {
      const source = await claimed();
      setResult({ ...(await checkModel(source.claimed, fetchContent, setStep)), source });
    } finally {
      setStep(null);
    }
  };
  return (
    <div class="verifier">
      <button class="button" type="button" disabled={deed.busy} onClick={() => void deed.run(verify)}>
        Verify model {model} in this browser
      </button>
      <p role="status">
        {step}
        {result ? `Verified: every hash of model ${model} is right.` : null}
      </p>
      {result ? <Result result={result} oid={oid} model={model} /> : null}
      <Problem text={deed.problem} />
    </div>
  );
}

function Result({ result, oid, model }: { result: Checked & { readonly source: Source }; oid: number; model: number }) {
  return (
    <>
      <p>
        Root <code title={result.root}>{short(result.root, 10, 6)}</code>, computed here from graph and weights, is what{" "}
        {result.source.from === "chain"
          ? "the contract says, read through your wallet."
          : "this page's server says the contract says. Connect a wallet to read it from the chain."}
      </p>
      <ul>
        {result.files.map(file => (
          <li key={file.name}>
            <Download file={file} name={`order-${oid}-model-${model}-${file.name}`} />
          </li>
        ))}
      </ul>
    </>
  );
}

/** Saves the very bytes that were checked. */
function Download({ file, name }: { file: CheckedFile; name: string }) {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([file.bytes.slice()], { type: "application/octet-stream" }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return (
    <a href={url} download={name}>
      {file.name} ({bytes(file.bytes.length)})
    </a>
  );
}

async function fromServer(oid: number, model: number): Promise<Claimed> {
  const order = await get<OrderPage>(`/api/orders/${oid}`);
  const found = order.models.find(one => one.index === model);
  if (!found) throw new Failure(`Order ${oid} has no model ${model}.`);
  return { root: found.root, cid: cidDigest(found.cid) };
}

/** At most `size` bytes of content, however much the server sends. */
async function fetchContent(cid: string, size: number): Promise<Uint8Array> {
  const response = await fetch(`/api/content/${encodeURIComponent(cid)}`);
  if (!response.ok || response.body === null) throw new Failure(`${cid} cannot be had now; try again later.`);
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = response.body.getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    length += piece.value.length;
    if (length > size) {
      await reader.cancel();
      throw new Failure(`${cid} is larger than its ${size} bytes.`);
    }
    parts.push(piece.value);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
