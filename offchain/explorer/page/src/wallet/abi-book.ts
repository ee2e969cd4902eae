// The deployment's contracts: which address is which, and how calls to them and their errors read. Pure.
import {
  type Abi,
  type AbiParameter,
  type Address,
  decodeAbiParameters,
  decodeFunctionData,
  encodeFunctionData,
  type Hex,
  isAddressEqual,
  toFunctionSelector,
} from "viem";

export interface AbiError {
  readonly contract: string;
  readonly name: string;
  readonly inputs: readonly AbiParameter[];
}

export interface FoundError extends AbiError {
  readonly values: readonly unknown[];
}

export interface FoundCall {
  readonly contract: string;
  readonly name: string;
  readonly inputs: readonly AbiParameter[];
  readonly values: readonly unknown[];
}

/** A call that the page cannot explain, and therefore does not let anybody sign. */
export class Unexplained extends Error {}

/** One address holds the code of all; the extensions' ABIs are the ones that name their arguments. */
const SAME_ADDRESS: Record<string, readonly string[]> = { FederatedTraining: ["FederatedExtension", "FederatedAnnex"] };

export class AbiBook {
  readonly #abis: Map<string, Abi>;
  readonly #contracts: readonly (readonly [string, Address])[];
  readonly #errors = new Map<Hex, AbiError[]>();

  constructor(abis: Readonly<Record<string, Abi>>, contracts: Readonly<Record<string, Address>>) {
    this.#abis = new Map(Object.entries(abis));
    this.#contracts = Object.entries(contracts);
    for (const [contract, abi] of this.#abis) this.#learn(contract, abi);
  }

  #learn(contract: string, abi: Abi): void {
    for (const entry of abi) {
      if (entry.type !== "error") continue;
      const selector = toFunctionSelector({ ...entry, type: "function", outputs: [], stateMutability: "view" });
      const known = this.#errors.get(selector) ?? [];
      this.#errors.set(selector, [...known, { contract, name: entry.name, inputs: entry.inputs }]);
    }
  }

  /** Name of the contract at an address, or null when the deployment has none there. */
  contractAt(address: Address): string | null {
    return this.#contracts.find(([, known]) => isAddressEqual(known, address))?.[0] ?? null;
  }

  /** Where a contract is. Throws Unexplained when this deployment has none of that name. */
  addressOf(contract: string): Address {
    const found = this.#contracts.find(([name]) => name === contract);
    if (!found) throw new Unexplained(`This deployment has no ${contract}.`);
    return found[1];
  }

  has(contract: string): boolean {
    return this.#contracts.some(([name]) => name === contract) && this.#abis.has(contract);
  }

  abiOf(contract: string): Abi {
    const parts = [...(SAME_ADDRESS[contract] ?? []), contract].map(name => this.#abis.get(name) ?? []);
    return parts.flat();
  }

  /** Every error of every contract. */
  get errors(): readonly AbiError[] {
    return [...this.#errors.values()].flat();
  }

  encode(contract: string, name: string, args: readonly unknown[]): Hex {
    return encodeFunctionData({ abi: this.abiOf(contract), functionName: name, args });
  }

  /** What a call says. Throws Unexplained unless target, function and every byte of the data are accounted for. */
  decodeCall(to: Address, data: Hex): FoundCall {
    const contract = this.contractAt(to);
    if (contract === null) throw new Unexplained(`${to} is none of this deployment's contracts: not signed.`);
    const abi = this.abiOf(contract);
    try {
      const { functionName, args } = decodeFunctionData({ abi, data });
      const values = args ?? [];
      if (encodeFunctionData({ abi, functionName, args: values }) !== data.toLowerCase()) {
        throw new Unexplained(`The call to ${contract} holds more bytes than its arguments: not signed.`);
      }
      return { contract, name: functionName, inputs: this.#inputsOf(abi, data), values };
    } catch (error) {
      if (error instanceof Unexplained) throw error;
      throw new Unexplained(`The call to ${contract} is none of its functions: not signed.`);
    }
  }

  #inputsOf(abi: Abi, data: Hex): readonly AbiParameter[] {
    const selector = data.slice(0, 10);
    for (const entry of abi) {
      if (entry.type === "function" && toFunctionSelector(entry) === selector) return entry.inputs;
    }
    return [];
  }

  /** The custom error in revert data, or null. `contract`: who was called, for errors that several contracts have. */
  decodeError(data: Hex, contract: string | null): FoundError | null {
    const candidates = this.#errors.get(data.slice(0, 10) as Hex) ?? [];
    const same = SAME_ADDRESS[contract ?? ""] ?? [];
    const error =
      candidates.find(item => item.contract === contract) ??
      candidates.find(item => same.includes(item.contract)) ??
      candidates[0];
    if (!error) return null;
    try {
      const values = error.inputs.length > 0 ? decodeAbiParameters(error.inputs, `0x${data.slice(10)}`) : [];
      return { ...error, values: Array.isArray(values) ? values : Object.values(values) };
    } catch {
      return null;
    }
  }
}
