/** The descent as a picture: bars that narrow down, each opened into the next. The list of moves says the same in words. */

import { useWidth } from "../../parts/chart";
import { grouped } from "../../parts/format";
import { scale } from "../../parts/scale";
import type { Descent, Level, Segment } from "./levels";

const BAR = 26;
const STEP = 84;
const TOP = 24;
/** Above so many parts single ones cannot be seen. */
const MOST_TICKS = 256;

const NAMES: Record<Level["kind"], [one: string, many: string]> = {
  samples: ["sample", "samples"],
  tensors: ["tensor", "tensors"],
  chunks: ["chunk", "chunks"],
  elements: ["element", "elements"],
  terms: ["term", "terms"],
};

export function levelName(level: Level): string {
  const [one, many] = NAMES[level.kind];
  const count = level.to - level.from;
  return count === 1 ? `${one} ${grouped(level.from)}` : `${many} ${grouped(level.from)} to ${grouped(level.to - 1)}`;
}

export function pickName(level: Level, picked: Segment): string {
  if (level.kind === "tensors") return picked.from === 0 ? "the input" : `output of node ${picked.from - 1}`;
  const [one, many] = NAMES[level.kind];
  const last = picked.to - 1;
  return last === picked.from
    ? `${one} ${grouped(picked.from)}`
    : `${many} ${grouped(picked.from)} to ${grouped(last)}`;
}

const SHOWN_DIGITS = 14;

/** Sums and elements, not hashes. */
function said(level: Level, picked: Segment): string {
  const { value } = picked;
  if (value === null || value.startsWith("0x") || value.length > SHOWN_DIGITS) return "";
  return level.kind === "tensors" || level.kind === "chunks" ? "" : `: said to be ${value}`;
}

export function summaryOf({ levels, computed }: Descent): string {
  const steps = levels.map(
    level => `${levelName(level)}${level.picked ? `, of which ${pickName(level, level.picked)}` : ""}`,
  );
  const end = computed ? `; the contract computed ${computed.computed}, claimed was ${computed.claimed}` : "";
  return `The disagreement narrows: ${steps.join("; ")}${end}.`;
}

export function Picture({ descent }: { descent: Descent }) {
  const { place, width } = useWidth<HTMLDivElement>(700);
  const { levels } = descent;
  if (levels.length === 0) return null;
  const height = TOP + (levels.length - 1) * STEP + BAR + 30;
  return (
    <div ref={place} class="descent">
      <svg width={width} height={height} role="img" aria-label={summaryOf(descent)}>
        {levels.map((level, index) => (
          <LevelShown
            key={`${level.kind}-${level.from}-${level.to}`}
            level={level}
            y={TOP + index * STEP}
            width={width}
            last={index === levels.length - 1}
          />
        ))}
      </svg>
    </div>
  );
}

interface LevelProps {
  level: Level;
  y: number;
  width: number;
  last: boolean;
}

function LevelShown({ level, y, width, last }: LevelProps) {
  const x = scale([level.from, level.to], [1, width - 1]);
  const { picked } = level;
  const parts = partsOf(level);
  return (
    <g class="level">
      <text x="1" y={y - 7} class="level-name">
        {levelName(level)}
      </text>
      <rect class="level-bar" x="1" y={y} width={width - 2} height={BAR} rx="3" />
      {parts.map(at => (
        <line key={at} class="level-tick" x1={x(at)} x2={x(at)} y1={y} y2={y + BAR} />
      ))}
      {picked ? <PickedShown level={level} picked={picked} x={x} y={y} width={width} last={last} /> : null}
    </g>
  );
}

/** Where one part ends and the next begins. */
function partsOf(level: Level): number[] {
  if (level.segments.length > 0) return level.segments.slice(1).map(segment => segment.from);
  const count = level.to - level.from;
  return count > MOST_TICKS ? [] : Array.from({ length: count - 1 }, (_, index) => level.from + index + 1);
}

const LEAST_PICK = 4;
/** About, of the bold label: near an edge it begins or ends there. */
const LABEL_CHARACTER = 8;

interface PickedProps {
  level: Level;
  picked: Segment;
  x: (value: number) => number;
  y: number;
  width: number;
  last: boolean;
}

function PickedShown({ level, picked, x, y, width, last }: PickedProps) {
  const middle = (x(picked.from) + x(picked.to)) / 2;
  const half = Math.max(LEAST_PICK, x(picked.to) - x(picked.from)) / 2;
  const [left, right] = [Math.max(1, middle - half), Math.min(width - 1, middle + half)];
  const label = `${pickName(level, picked)}${said(level, picked)}`;
  const room = (label.length * LABEL_CHARACTER) / 2;
  const [at, anchor] = middle < room ? [1, "start"] : middle > width - room ? [width - 1, "end"] : [middle, "middle"];
  const bottom = y + BAR;
  return (
    <g class="picked">
      {last ? null : (
        <path class="zoom" d={`M${left} ${bottom}L${right} ${bottom}L${width - 1} ${y + STEP}L1 ${y + STEP}Z`} />
      )}
      <rect class="picked-bar" x={left} y={y - 2} width={right - left} height={BAR + 4} rx="2" />
      <text x={at} y={bottom + 19} text-anchor={anchor} class="picked-name">
        {label}
      </text>
    </g>
  );
}
