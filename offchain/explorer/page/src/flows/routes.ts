// Views of their own that need the wallet.
import { InboxView } from "./inbox";
import { PutView } from "./put";
import { StakeView } from "./stake";

export const walletRoutes = [
  { path: "/put", title: "Order a model", View: PutView },
  { path: "/stake", title: "Stake and exit", View: StakeView },
  { path: "/inbox", title: "Inbox", View: InboxView },
] as const;
