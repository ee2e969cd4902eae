/** What the API answers, under the names that views use. */

import type { DisputeRow, OrderRow } from "./schema";

export type {
  About,
  AccountPage as Account,
  BondOut as Bond,
  ClaimedOut as Claimed,
  ClaimOut as Claim,
  Curve,
  Curves,
  DisputePage as Dispute,
  DisputeRow,
  Disputes,
  EventOut as EventRow,
  Events,
  FileLink,
  GameOut as Game,
  GasLine,
  GasOut as Gas,
  ModelOut as Model,
  MoneyOut as Money,
  Move,
  Network,
  OrderPage,
  OrderRow,
  Orders,
  OrderWindows as Windows,
  ParametersOut as Parameters,
  Part,
  ParticipantOut as Member,
  RequestOut as Request,
  Rewards,
  RootOut as RewardRoot,
  RoundOut as Round,
  Score,
  SettlementOut as Settlement,
  SheetOut as Sheet,
  SheetScore,
  SlashOut as Slash,
  TaskPage as Task,
  TaskRow,
  Tasks,
  TimelineEntry,
} from "./schema";

/** Decimal text. */
export type Wei = string;
/** Checksummed. */
export type Address = string;
/** 0x… */
export type Hex = string;
/** Of the chain's clock. */
export type Seconds = number;
export type Phase = OrderRow["phase"];
export type Outcome = OrderRow["outcome"];
export type Side = NonNullable<DisputeRow["on_turn"]>;
/** Points of one curve: epoch and value. */
export type Points = [number, number][];
export type Detail = Record<string, unknown>;
