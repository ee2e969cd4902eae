/** The numbers of a move, behind a fold: sums, parts, operands. Long lists and bytes are cut. */

import type { Detail, Move } from "../../api/types";
import { short, spaced } from "../../parts/format";
import { Scroll } from "../../parts/table";
import { segmentsOf, texts, whole } from "./levels";

const LONGEST = 64;
const DEEPEST = 3;

export function Numbers({ move }: { move: Move }) {
  const lists = segmentsFor(move);
  const entries = Object.entries(move.detail).filter(([name]) => !lists || !["sums", "parts"].includes(name));
  if (entries.length === 0) return null;
  return (
    <details>
      <summary>The numbers</summary>
      {lists ? (
        <Scroll label={`${lists.name} of this move`}>
          <table class="grid">
            <caption class="unseen">{lists.name}</caption>
            <tbody>
              <tr>
                <th scope="row">{lists.what}</th>
                {lists.segments.map(segment => (
                  <td key={segment.from} class="number right">
                    {segment.to - segment.from === 1 ? segment.from : `${segment.from}–${segment.to - 1}`}
                  </td>
                ))}
              </tr>
              <tr>
                <th scope="row">Said</th>
                {lists.segments.map(segment => (
                  <td key={segment.from} class="number right">
                    {segment.value}
                  </td>
                ))}
              </tr>
            </tbody>
          </table>
        </Scroll>
      ) : null}
      <Fields detail={Object.fromEntries(entries)} depth={0} />
    </details>
  );
}

function segmentsFor({ kind, detail }: Move) {
  if (kind === "SumsPosted") return listed("Sums", "Samples", detail.low, detail.high, detail.sums);
  if (kind === "PartsPosted") return listed("Parts", "Terms", detail.from, detail.to, detail.parts);
  return null;
}

function listed(name: string, what: string, from: unknown, to: unknown, values: unknown) {
  const low = whole(from);
  const high = whole(to);
  if (low === null || high === null) return null;
  const segments = segmentsOf(low, high, texts(values));
  return segments.length > 0 ? { name, what, segments } : null;
}

function Fields({ detail, depth }: { detail: Detail; depth: number }) {
  return (
    <dl class="fields">
      {Object.entries(detail).map(([name, value]) => (
        <div key={name}>
          <dt>{spaced(name)}</dt>
          <dd>
            <Value value={value} depth={depth} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ value, depth }: { value: unknown; depth: number }) {
  if (Array.isArray(value)) return <List values={value} depth={depth} />;
  if (typeof value === "object" && value !== null) {
    return depth < DEEPEST ? <Fields detail={value as Detail} depth={depth + 1} /> : <>…</>;
  }
  return <Plain text={String(value)} />;
}

function List({ values, depth }: { values: unknown[]; depth: number }) {
  if (values.length === 0) return <>none</>;
  if (values.every(value => typeof value !== "object" || value === null)) {
    const shown = values.slice(0, LONGEST).map(value => short(String(value), 12, 6));
    return (
      <span class="mono wrap">
        {shown.join(", ")}
        {values.length > LONGEST ? ` … ${values.length} in all` : ""}
      </span>
    );
  }
  if (depth >= DEEPEST) return <>{values.length} items</>;
  return (
    <ol>
      {values.slice(0, LONGEST).map((value, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the list of a transaction never changes
        <li key={index}>
          <Value value={value} depth={depth + 1} />
        </li>
      ))}
    </ol>
  );
}

const SHOWN_BYTES = 96;

/** Bytes as signed numbers too, for that is what tensors and weights are. */
function Plain({ text }: { text: string }) {
  if (!/^0x([0-9a-f]{2})*$/.test(text) || text.length <= 2 + 64) {
    return (
      <span class="mono" title={text}>
        {short(text, 22, 8)}
      </span>
    );
  }
  const count = (text.length - 2) / 2;
  const numbers = Array.from({ length: Math.min(count, SHOWN_BYTES) }, (_, index) => {
    const byte = Number.parseInt(text.slice(2 + 2 * index, 4 + 2 * index), 16);
    return byte > 127 ? byte - 256 : byte;
  });
  return (
    <span class="mono wrap">
      {numbers.join(" ")}
      {count > SHOWN_BYTES ? ` … ${count} bytes in all` : ""}
    </span>
  );
}
