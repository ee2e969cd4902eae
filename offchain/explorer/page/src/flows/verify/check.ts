// Fetches a model from the explorer and checks every hash of it, here: manifest, files, root.
import { bytesOf, equal } from "./bytes";
import { cidDigest, cidText } from "./cid";
import { readGraph, readTensors } from "./graph";
import { type FileRef, MAX_MANIFEST_BYTES, readManifest } from "./manifest";
import { modelRoot } from "./model-root";
import { digestOf } from "./unixfs";

/** What the chain, or whoever spoke for it, says of a model. `cid` is that of its manifest, both `0x…`. */
export interface Claimed {
  readonly root: string;
  readonly cid: string;
}

export interface CheckedFile {
  readonly name: string;
  readonly cid: string;
  readonly bytes: Uint8Array;
}

export interface Checked {
  readonly root: string;
  readonly files: readonly CheckedFile[];
}

export type Fetch = (cid: string, size: number) => Promise<Uint8Array>;
export type Tell = (step: string) => void;

/** A model whose bytes are not what was claimed. */
export class Mismatch extends Error {}

/** All files of the model. Throws Mismatch, or whatever `fetch` throws. */
export async function checkModel(claimed: Claimed, fetch: Fetch, tell: Tell): Promise<Checked> {
  tell("Fetching the manifest");
  const cid = cidText(claimed.cid);
  const manifestBytes = await fetch(cid, MAX_MANIFEST_BYTES);
  requireCid("manifest.json", manifestBytes, cid);
  const manifest = readManifest(manifestBytes);
  if (manifest.root !== claimed.root.toLowerCase()) {
    throw new Mismatch(`The manifest speaks of the model ${manifest.root}; ${claimed.root} was claimed.`);
  }
  const files: CheckedFile[] = [{ name: "manifest.json", cid, bytes: manifestBytes }];
  const take = async (name: string, file: FileRef) => {
    tell(`Fetching ${name} and hashing it`);
    const bytes = await fetch(file.cid, file.size);
    if (bytes.length !== file.size)
      throw new Mismatch(`${name} has ${bytes.length} bytes; ${file.size} were promised.`);
    requireCid(name, bytes, file.cid);
    files.push({ name, cid: file.cid, bytes });
    return bytes;
  };
  const graph = await take("graph.json", manifest.graph);
  const weights = await take("weights.safetensors", manifest.weights);
  await take("float_weights.safetensors", manifest.float_weights);
  const root = await modelRoot(readGraph(graph), readTensors(weights), async (done, total) => {
    tell(`Computing the model's root: ${done} of ${total} units`);
    await new Promise(resolve => setTimeout(resolve)); // let the page live
  });
  if (root !== claimed.root.toLowerCase()) throw new Mismatch(`Its root is ${root}; ${claimed.root} was claimed.`);
  return { root, files };
}

function requireCid(name: string, bytes: Uint8Array, cid: string): void {
  if (!equal(digestOf(bytes), bytesOf(cidDigest(cid)))) throw new Mismatch(`${name} is not what its CID ${cid} says.`);
}
