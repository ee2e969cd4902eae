// What an account has at stake, read from the chain through its wallet.
import type { Address } from "viem";
import type { Provider } from "../wallet/eip1193";
import { read } from "../wallet/node";
import type { Deployment } from "../wallet/session";
import { ROLES, type RoleName } from "../wallet/words";

export interface RoleBond {
  readonly role: RoleName;
  readonly index: number;
  readonly bonded: bigint;
  readonly locked: bigint;
  readonly exiting: bigint;
  readonly exitAt: bigint;
  /** The least that the role asks for. */
  readonly minimum: bigint;
}

/** Roles that people stake in here; participants stake in a task. */
export const STAKED: readonly RoleName[] = ["provider", "validator", "verifier", "aggregator"];

interface BondFields {
  readonly bonded: bigint;
  readonly locked: bigint;
  readonly exiting: bigint;
  readonly exitAt: bigint;
}

export async function readBonds(
  { book }: Deployment,
  provider: Provider,
  account: Address,
): Promise<readonly RoleBond[]> {
  const vault = (role: number) =>
    read<BondFields>(provider, book.addressOf("StakeVault"), book.abiOf("StakeVault"), "bondOf", [account, role]);
  const least = (role: number) =>
    read<bigint>(provider, book.addressOf("Parameters"), book.abiOf("Parameters"), "minimumBond", [role]);
  return Promise.all(
    STAKED.map(async role => {
      const index = ROLES.indexOf(role);
      const [{ bonded, locked, exiting, exitAt }, minimum] = await Promise.all([vault(index), least(index)]);
      return { role, index, bonded, locked, exiting, exitAt, minimum };
    }),
  );
}
