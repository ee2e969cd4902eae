// A model's manifest: where its parts are. Twin of `ModelManifest` in `offchain/protocol/manifest.py`.
import { isRecord } from "../../wallet/eip1193";
import { cidDigest } from "./cid";

export interface FileRef {
  readonly cid: string;
  readonly size: number;
}

export interface ModelManifest {
  readonly graph: FileRef;
  readonly weights: FileRef;
  readonly float_weights: FileRef;
  readonly root: string;
}

export const MAX_MANIFEST_BYTES = 1024 * 1024;
const MAX_FILE_BYTES = 2 ** 30;

/** Throws with what is wrong. */
export function readManifest(bytes: Uint8Array): ModelManifest {
  if (bytes.length > MAX_MANIFEST_BYTES) throw new Error("the model's manifest is too large");
  const fields: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  if (!isRecord(fields) || typeof fields.model_root !== "string") throw new Error("the model's manifest is malformed");
  return {
    graph: file(fields.graph),
    weights: file(fields.weights),
    float_weights: file(fields.float_weights),
    root: fields.model_root.toLowerCase(),
  };
}

function file(value: unknown): FileRef {
  if (!isRecord(value) || typeof value.cid !== "string" || typeof value.size !== "number") {
    throw new Error("the model's manifest names a file that is none");
  }
  if (!Number.isSafeInteger(value.size) || value.size < 0 || value.size > MAX_FILE_BYTES) {
    throw new Error("the model's manifest names a file that is too large for a browser");
  }
  cidDigest(value.cid);
  return { cid: value.cid, size: value.size };
}
