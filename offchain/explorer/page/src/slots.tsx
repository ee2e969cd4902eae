/** The wallet's parts as views use them: fetched after the first content, for they are the heavier half of the page. */

import { lazy } from "./lazy";

const wallet = () => import("./wallet");

/** Not before the first content stands, unless that takes longer than people wait. */
const IDLE = { timeout: 800 };
const idle = () => new Promise<unknown>(resolve => requestIdleCallback(resolve, IDLE));

export const WalletButton = lazy(async () => {
  await idle();
  return (await wallet()).WalletButton;
});
export const OrderActions = lazy<{ oid: number }>(async () => (await wallet()).OrderActions);
export const AccountActions = lazy<{ address: string }>(async () => (await wallet()).AccountActions);
export const DisputeActions = lazy<{ id: number }>(async () => (await wallet()).DisputeActions);
export const ModelVerifier = lazy<{ oid: number; model: number }>(async () => (await wallet()).ModelVerifier);
