/** What a reader must know before believing the page: that it is old, behind, or that history was rewritten. */

import type { FeedState } from "../api/feed";
import { type Query, useFeed, useNow } from "../api/hooks";
import type { About } from "../api/types";
import { duration, grouped } from "../parts/format";

/** On chains that mine all the time: a head as old as this means that the node lags, or that the chain stands. */
const OLD_HEAD_SECONDS = 90;

function troubles(about: Query<About>, state: FeedState, now: number): string[] {
  const found: string[] = [];
  const { data, error } = about;
  if (state.connection === "lost" || error?.status === 0) {
    found.push(
      "No connection to the explorer's server: what you see may be old. The page goes on by itself when the server answers again.",
    );
  } else if (error) {
    found.push(error.message);
  }
  if (!data) return found;
  if (!data.node.answers) {
    const problem = data.node.problem ? ` (${data.node.problem})` : "";
    // Mostly the node is away; it may also be another chain, or the index cannot be written. The problem says it.
    found.push(`Nothing was read for ${duration(data.node.silent_seconds)}${problem}: what you see is older.`);
  }
  if (!data.indexed.caught_up && data.head) {
    found.push(
      `The index is catching up: it has read ${grouped(Math.max(0, data.indexed.block))} of ${grouped(data.head.number)} blocks, so what you see is not complete.`,
    );
  } else if (!data.development && state.number > 0 && now - state.timestamp > OLD_HEAD_SECONDS) {
    found.push(`The newest block is ${duration(now - state.timestamp)} old: the node may lag behind its chain.`);
  }
  return found;
}

export function Notices({ about, state }: { about: Query<About>; state: FeedState }) {
  const feed = useFeed();
  const now = useNow();
  const found = troubles(about, state, now);
  return (
    <div class="notices" role="status">
      {found.map(text => (
        <p key={text} class="notice warn">
          {text}
        </p>
      ))}
      {state.rollback !== null ? (
        <p class="notice info">
          The chain was reorganised from block {grouped(state.rollback)} on: the page shows the new history.{" "}
          <button type="button" class="link" onClick={() => feed.dismissRollback()}>
            Dismiss
          </button>
        </p>
      ) : null}
    </div>
  );
}
