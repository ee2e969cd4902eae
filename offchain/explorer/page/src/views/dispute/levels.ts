/** A dispute as a descent: each level divides what is in play, and one part of it goes on. Pure.
 *
 * Built from the moves' numbers, which are the arguments of DisputeCourt's events; what is missing or has another form is
 * left out rather than guessed. */

import type { Detail, Move } from "../../api/types";

export interface Segment {
  from: number;
  to: number;
  /** what the defendant says of it */
  value: string | null;
}

export interface Level {
  kind: "samples" | "tensors" | "chunks" | "elements" | "terms";
  /** what is in play, [from, to) */
  from: number;
  to: number;
  segments: Segment[];
  picked: Segment | null;
}

export interface Computed {
  node: number;
  element: number;
  from: number;
  to: number;
  claimed: string;
  computed: string;
}

export interface Descent {
  levels: Level[];
  computed: Computed | null;
}

export const SEGMENTS = 32;
export const CHUNK_BYTES = 1024;

/** An index or a count; null for anything else. */
export function whole(value: unknown): number | null {
  const number =
    typeof value === "number" ? value : typeof value === "string" && value !== "" ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) && number >= 0 ? number : null;
}

export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** Parts of a range as the game divides it: ⌈L / 32⌉ each, the last one shorter (docs/dispute.md). */
export function segmentsOf(from: number, to: number, values: string[]): Segment[] {
  const length = to - from;
  if (length <= 0 || values.length === 0 || values.length > SEGMENTS) return [];
  const size = Math.ceil(length / SEGMENTS);
  return values.map((value, index) => ({
    from: from + index * size,
    to: Math.min(to, from + (index + 1) * size),
    value,
  }));
}

function ranged(kind: Level["kind"], from: number | null, to: number | null, values: string[]): Level | null {
  if (from === null || to === null || to <= from) return null;
  return { kind, from, to, segments: segmentsOf(from, to, values), picked: null };
}

/** Chunks of the tensor in play: subtrees of 32, or single ones. `count`: how many are in play. */
function chunkLevel(base: number, count: number, hashes: string[]): Level {
  const size = count > SEGMENTS ? SEGMENTS * Math.max(1, Math.ceil(count / SEGMENTS / Math.max(1, hashes.length))) : 1;
  const segments = hashes.map((value, index) => ({
    from: base + index * size,
    to: Math.min(base + count, base + (index + 1) * size),
    value,
  }));
  return { kind: "chunks", from: base, to: base + count, segments, picked: null };
}

interface Progress {
  levels: Level[];
  computed: Computed | null;
  /** bytes of the tensor in play, and how many chunks of it from which on are left */
  size: number;
  base: number;
  count: number;
}

function pick(progress: Progress, kind: Level["kind"], from: number, to: number, value: string | null): void {
  const level = progress.levels.findLast(item => item.kind === kind && item.picked === null);
  if (level) level.picked = { from, to, value };
}

type Step = (progress: Progress, detail: Detail) => void;

const STEPS: Record<string, Step> = {
  SumsPosted: (progress, detail) => {
    const level = ranged("samples", whole(detail.low), whole(detail.high), texts(detail.sums));
    if (level) progress.levels.push(level);
  },
  SumPicked: (progress, detail) => pickRange(progress, "samples", detail, detail.low, detail.high, detail.value),
  TracePosted: (progress, detail) => {
    const count = Array.isArray(detail.roots) ? detail.roots.length + 1 : 0;
    if (count === 0) return;
    const values = ["input", ...texts(detail.roots)];
    const segments = values.map((value, index) => ({ from: index, to: index + 1, value }));
    progress.levels.push({ kind: "tensors", from: 0, to: count, segments, picked: null });
  },
  TensorPicked: (progress, detail) => {
    const node = whole(detail.node);
    const size = whole(detail.size);
    if (node === null || size === null) return;
    pick(progress, "tensors", node + 1, node + 2, String(detail.root ?? ""));
    Object.assign(progress, { size, base: 0, count: Math.ceil(size / CHUNK_BYTES) });
  },
  HashesPosted: (progress, detail) => {
    const hashes = texts(detail.hashes);
    if (hashes.length > 0) progress.levels.push(chunkLevel(progress.base, progress.count, hashes));
  },
  HashPicked: (progress, detail) => {
    const base = whole(detail.base);
    const count = whole(detail.count);
    if (base === null || count === null) return;
    pick(progress, "chunks", base, base + count, String(detail.hash ?? ""));
    Object.assign(progress, { base, count });
  },
  ChunkPosted: (progress, detail) => {
    const index = whole(detail.index);
    if (index === null) return;
    const from = index * CHUNK_BYTES;
    const to = Math.min(progress.size, from + CHUNK_BYTES);
    if (to > from) progress.levels.push({ kind: "elements", from, to, segments: [], picked: null });
  },
  ElementPicked: (progress, detail) => pickElement(progress, detail),
  PartsPosted: (progress, detail) => {
    const level = ranged("terms", whole(detail.from), whole(detail.to), texts(detail.parts));
    if (level) progress.levels.push(level);
  },
  PartPicked: (progress, detail) => pickRange(progress, "terms", detail, detail.from, detail.to, detail.claimed),
  Computed: (progress, detail) => {
    const [node, element, from, to] = [detail.node, detail.element, detail.from, detail.to].map(whole);
    if (node == null || element == null) return;
    pickElement(progress, detail);
    const terms = { from: from ?? 0, to: to ?? 0 };
    if (terms.to > terms.from) pick(progress, "terms", terms.from, terms.to, String(detail.claimed));
    progress.computed = { node, element, ...terms, claimed: String(detail.claimed), computed: String(detail.computed) };
  },
};

function pickRange(
  progress: Progress,
  kind: Level["kind"],
  _: Detail,
  from: unknown,
  to: unknown,
  value: unknown,
): void {
  const low = whole(from);
  const high = whole(to);
  if (low !== null && high !== null) pick(progress, kind, low, high, String(value));
}

/** Elements of the last node are four bytes each, of the others one; the level holds bytes. */
function pickElement(progress: Progress, detail: Detail): void {
  const element = whole(detail.element);
  const level = progress.levels.findLast(item => item.kind === "elements");
  if (element === null || !level || level.picked) return;
  const wide = element < level.from || element >= level.to || isLast(progress);
  const width = wide ? 4 : 1;
  level.from /= width;
  level.to /= width;
  level.picked = { from: element, to: element + 1, value: String(detail.claimed) };
}

/** Whether the tensor in play is the output of the last node. */
function isLast({ levels }: Progress): boolean {
  const tensors = levels.findLast(item => item.kind === "tensors");
  return tensors?.picked?.to === tensors?.to;
}

export function descentOf(moves: Move[]): Descent {
  const progress: Progress = { levels: [], computed: null, size: 0, base: 0, count: 0 };
  for (const move of moves) STEPS[move.kind]?.(progress, move.detail);
  return { levels: progress.levels, computed: progress.computed };
}
