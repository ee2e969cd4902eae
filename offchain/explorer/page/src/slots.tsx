/** The wallet's parts as views use them: fetched after the first content, for they are the heavier half of the page. */

import { lazy } from "./lazy";

const wallet = () => import("./wallet");

export const WalletButton = lazy(async () => (await wallet()).WalletButton);
export const OrderActions = lazy<{ oid: number }>(async () => (await wallet()).OrderActions);
export const AccountActions = lazy<{ address: string }>(async () => (await wallet()).AccountActions);
export const DisputeActions = lazy<{ id: number }>(async () => (await wallet()).DisputeActions);
export const ModelVerifier = lazy<{ oid: number; model: number }>(async () => (await wallet()).ModelVerifier);
