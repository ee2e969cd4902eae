/** Events in words, the newest first. */

import type { EventRow } from "../api/types";
import { Link } from "../route";
import { Ago } from "./values";

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

function About({ event }: { event: EventRow }) {
  if (event.dispute !== null) return <Link href={`/disputes/${event.dispute}`}>dispute {event.dispute}</Link>;
  if (event.oid !== null) return <Link href={`/orders/${event.oid}`}>order {event.oid}</Link>;
  if (event.task !== null) return <Link href={`/tasks/${event.task}`}>task {event.task}</Link>;
  const [account] = event.accounts;
  return account ? <Link href={`/accounts/${account}`}>account</Link> : null;
}

export function EventList({ events }: { events: EventRow[] }) {
  return (
    <ol class="events">
      {events.map(event => (
        <li key={event.seq} class={TONES[event.name]}>
          <span class="event-text">{event.text}</span>
          <span class="event-foot">
            <About event={event} /> <Ago at={event.at} />
          </span>
        </li>
      ))}
    </ol>
  );
}
