// What the Python twins say, and the ABIs as they are shipped.
import { readFileSync } from "node:fs";
import type { Abi, Address } from "viem";
import { AbiBook } from "../src/wallet/abi-book";

export interface Vectors {
  readonly abis: Record<string, Abi>;
  readonly contracts: Record<string, Address>;
  /** bytes (hex) or a size of zeros, chunk, links, CID */
  readonly files: { readonly data: string; readonly chunk: number; readonly links: number; readonly cid: string }[];
  readonly models: { readonly name: string; readonly graph: string; readonly weights: string; readonly root: string }[];
  readonly permit: { readonly typedData: unknown; readonly digest: string };
  /** contested steps with their operands, whole elements (from and to 0) and parts of them */
  readonly steps: {
    readonly element: number;
    readonly from: number;
    readonly to: number;
    readonly step: unknown;
    readonly computed: string;
  }[];
  readonly calls: { readonly contract: string; readonly name: string; readonly data: `0x${string}` }[];
  readonly errors: { readonly contract: string; readonly name: string; readonly data: `0x${string}` }[];
}

export const vectors: Vectors = JSON.parse(readFileSync(process.env.ASSAY_VECTORS ?? "", "utf8"));

export const book = new AbiBook(vectors.abis, vectors.contracts);

export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "hex"));
}
