/** Single values: amounts, addresses, hashes, times. The whole value is always at hand: as a title, or to copy. */

import { createContext } from "preact";
import { useContext, useState } from "preact/hooks";
import { useNow } from "../api/hooks";
import type { Address as AddressText, Hex, Seconds, Wei } from "../api/types";
import { Link } from "../route";
import { duration, grouped, moment, short, tokens } from "./format";

/** How the deployment's token is written. */
export const TokenContext = createContext({ symbol: "", decimals: 18 });

export function Amount({ wei, bare }: { wei: Wei | bigint; bare?: boolean }) {
  const { symbol, decimals } = useContext(TokenContext);
  return (
    <span class="number nowrap" title={`${grouped(wei)} wei`}>
      {tokens(wei, decimals)}
      {bare ? null : <span class="unit"> {symbol}</span>}
    </span>
  );
}

export function CopyButton({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false);
  if (!navigator.clipboard) return null;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    } catch {
      // The browser may forbid it: the value stands in the title.
    }
  };
  return (
    <button type="button" class="copy" onClick={copy} aria-label={copied ? "Copied" : `Copy ${what} ${text}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true" focusable="false">
        {copied ? <path d="M3 8.5 6.5 12 13 4.5" /> : <path d="M5.5 5.5V3h7.5v7.5h-2.5M3 5.5h7.5V13H3z" />}
      </svg>
    </button>
  );
}

/** Of all of the address: some begin alike. */
function seedOf(address: AddressText): number {
  let seed = 0;
  for (let at = 2; at < address.length; at++) seed = (seed * 31 + address.toLowerCase().charCodeAt(at)) % 0x3fffffff;
  return seed;
}

/** A mark to tell accounts apart at a glance; the address beside it says the same. */
function Mark({ address }: { address: AddressText }) {
  const seed = seedOf(address);
  return (
    <svg class="mark" viewBox="0 0 10 10" aria-hidden="true" focusable="false">
      <rect width="10" height="10" rx="3" fill={`hsl(${seed % 360} 55% 52%)`} />
      <path d="M0 7 7 0h3v3L3 10H0z" fill={`hsl(${(seed >> 9) % 360} 60% 72%)`} />
    </svg>
  );
}

export function Address({ address, copy, whole }: { address: AddressText; copy?: boolean; whole?: boolean }) {
  return (
    <span class={whole ? "address whole" : "address"}>
      <Mark address={address} />
      <Link href={`/accounts/${address}`} title={address} class="mono">
        {whole ? address : short(address)}
      </Link>
      {copy ? <CopyButton text={address} what="address" /> : null}
    </span>
  );
}

export function Hash({ hex, what, head = 10, tail = 6 }: { hex: Hex; what: string; head?: number; tail?: number }) {
  return (
    <span class="address">
      <span class="mono" title={hex}>
        {short(hex, head, tail)}
      </span>
      <CopyButton text={hex} what={what} />
    </span>
  );
}

export function Time({ at }: { at: Seconds }) {
  return (
    <time class="number" dateTime={new Date(at * 1000).toISOString()}>
      {moment(at)}
    </time>
  );
}

/** "3 min ago", by the chain's clock. */
export function Ago({ at }: { at: Seconds }) {
  const now = useNow();
  return (
    <time class="number nowrap" dateTime={new Date(at * 1000).toISOString()} title={moment(at)}>
      {now - at < 1 ? "now" : `${duration(now - at)} ago`}
    </time>
  );
}

interface CountdownProps {
  until: Seconds;
  /** what to say when the moment is past: its block may still have to come */
  over?: string;
  /** what to say before the time that is left */
  before?: string;
}

/** Until a moment of the chain's clock. Not announced: a screen reader reads it when it is asked to. */
export function Countdown({ until, over = "any moment", before = "" }: CountdownProps) {
  const now = useNow();
  return (
    <span class="number nowrap" role="timer" aria-live="off" title={moment(until)}>
      {until > now ? before + duration(until - now) : over}
    </span>
  );
}
