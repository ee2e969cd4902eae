/** An order's phase: as a badge, and as a bar of its windows with a hand for now. */

import { useNow } from "../api/hooks";
import type { OrderPage, Phase, Seconds } from "../api/types";
import { capital, duration, words } from "./format";

const TONES: Record<string, string> = {
  training: "active",
  reveal: "active",
  score_commit: "active",
  score_reveal: "active",
  challenge: "watch",
  sealable: "watch",
  sealed: "done",
  cancelled: "off",
  won: "good",
  shared: "watch",
  refunded: "off",
  open: "watch",
  false: "bad",
  stands: "good",
  moot: "off",
};

/** The words say it; the tone only helps the eye. */
export function Badge({ name, text }: { name: string; text?: string }) {
  return <span class={`badge ${TONES[name] ?? "off"}`}>{text ?? capital(words(name))}</span>;
}

interface Window {
  phase: Phase;
  from: Seconds;
  to: Seconds;
}

export function windowsOf(order: Pick<OrderPage, "put_at" | "windows">): Window[] {
  const { windows, put_at } = order;
  const ends: [Phase, Seconds][] = [
    ["training", windows.train_end],
    ["reveal", windows.reveal_end],
    ["score_commit", windows.score_commit_end],
    ["score_reveal", windows.score_reveal_end],
    ["challenge", Math.max(windows.challenge_end, windows.challenge_until)],
  ];
  let from = put_at;
  return ends.map(([phase, to]) => {
    const window = { phase, from, to };
    from = to;
    return window;
  });
}

const SHORTEST_SHARE = 0.09;

/** Widths in percent: by duration, but a short window stays wide enough to see. */
function shares(windows: Window[]): number[] {
  const total = windows.reduce((sum, window) => sum + Math.max(0, window.to - window.from), 0) || 1;
  const raw = windows.map(window => Math.max(SHORTEST_SHARE, (window.to - window.from) / total));
  const sum = raw.reduce((all, share) => all + share, 0);
  return raw.map(share => (100 * share) / sum);
}

export function PhaseBar({ order, small }: { order: OrderPage; small?: boolean }) {
  const now = useNow();
  const windows = windowsOf(order);
  const widths = shares(windows);
  const ended = order.phase === "sealed" || order.phase === "cancelled";
  const place = order.phase_ends_at ? `, ends in ${duration(order.phase_ends_at - now)}` : "";
  let x = 0;
  return (
    <div class={small ? "phasebar small" : "phasebar"}>
      <svg
        viewBox="0 0 100 6"
        preserveAspectRatio="none"
        role="img"
        aria-label={`Phase ${words(order.phase)}${ended ? "" : place}`}
      >
        {windows.map((window, index) => {
          const width = widths[index] ?? 0;
          const span = Math.max(1, window.to - window.from);
          const past = order.phase === window.phase || ended ? (now - window.from) / span : now >= window.to ? 1 : 0;
          const fill = ended || windows.findIndex(item => item.phase === order.phase) > index ? 1 : Math.min(1, past);
          const left = x;
          x += width;
          return (
            <g key={window.phase} class={order.phase === window.phase ? "current" : undefined}>
              <rect class="track" x={left + 0.2} y="0" width={Math.max(0, width - 0.4)} height="6" />
              <rect class="fill" x={left + 0.2} y="0" width={Math.max(0, (width - 0.4) * fill)} height="6" />
            </g>
          );
        })}
      </svg>
    </div>
  );
}
