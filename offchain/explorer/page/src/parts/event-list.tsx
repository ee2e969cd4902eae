/** Events in words, the newest first. */

import type { EventRow } from "../api/types";
import { Link } from "../route";
import { capital } from "./format";
import { Address, Ago } from "./values";

const TONES: Record<string, string> = {
  Slashed: "bad",
  ClaimSlashed: "bad",
  ScoresSlashed: "bad",
  MemberSlashed: "bad",
  Opened: "watch",
  Closed: "watch",
  OrderSealed: "good",
  RootPosted: "good",
  RootRefuted: "bad",
};

/** Events that only repeat what another of the same transaction says better. */
const ECHOES = new Set([
  "UtilityToken.Transfer",
  "UtilityToken.Approval",
  "StakeVault.Locked",
  "StakeVault.Unlocked",
  "StakeVault.Slashed",
  "DisputeCourt.Moved",
  "DisputeCourt.Computed",
  "ProofOfTraining.DisputeOpened",
  "ProofOfTraining.DisputeClosed",
  "OrderBook.EscrowReleased",
  "RewardTreasury.Held",
]);

export function isEcho(event: EventRow): boolean {
  return ECHOES.has(`${event.contract}.${event.name}`) || event.name === "OwnershipTransferred";
}

function About({ event }: { event: EventRow }) {
  if (event.dispute !== null) return <Link href={`/disputes/${event.dispute}`}>dispute {event.dispute}</Link>;
  if (event.oid !== null) return <Link href={`/orders/${event.oid}`}>order {event.oid}</Link>;
  if (event.task !== null) return <Link href={`/tasks/${event.task}`}>task {event.task}</Link>;
  return null;
}

interface EventListProps {
  events: EventRow[];
  /** whose page it is: that account need not be named again */
  self?: string | undefined;
}

export function EventList({ events, self }: EventListProps) {
  return (
    <ol class="events">
      {events.map(event => (
        <li key={event.seq} class={TONES[event.name]}>
          <Said event={event} self={self} />
          <span class="event-foot">
            <About event={event} /> <Ago at={event.at} />
          </span>
        </li>
      ))}
    </ol>
  );
}

function Said({ event, self }: { event: EventRow; self: string | undefined }) {
  const { actor, text } = event;
  if (actor === null || actor === self) return <span class="event-text">{capital(text)}</span>;
  return (
    <span class="event-text">
      <Address address={actor} /> {text}
    </span>
  );
}
