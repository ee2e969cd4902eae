export { AccountActions } from "../flows/account-actions";
export { DisputeActions } from "../flows/dispute-actions";
export { ModelVerifier } from "../flows/model-verifier";
export { OrderActions } from "../flows/order-actions";
export { walletRoutes } from "../flows/routes";
export { WalletButton } from "./wallet-button";
