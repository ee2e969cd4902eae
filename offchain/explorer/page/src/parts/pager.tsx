/** Lists in pages: older ones by `before`, back to the newest. Filters live in the address, so that it can be shared. */

import { Link } from "../route";

interface PagerProps {
  path: string;
  query: URLSearchParams;
  next: number | null;
  what: string;
}

function href(path: string, query: URLSearchParams, changes: Record<string, string | null>): string {
  const changed = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) changed.delete(name);
    else changed.set(name, value);
  }
  const text = changed.toString();
  return text ? `${path}?${text}` : path;
}

export function Pager({ path, query, next, what }: PagerProps) {
  const older = next !== null;
  const newest = query.has("before");
  if (!older && !newest) return null;
  return (
    <nav class="pager" aria-label={`Pages of ${what}`}>
      {newest ? <Link href={href(path, query, { before: null })}>Newest</Link> : <span />}
      {older ? <Link href={href(path, query, { before: String(next) })}>Older</Link> : <span />}
    </nav>
  );
}

interface FilterProps {
  path: string;
  query: URLSearchParams;
  name: string;
  label: string;
  options: [string, string][];
}

/** One of a few, as links; the first is what holds when the address says nothing. */
export function Filter({ path, query, name, label, options }: FilterProps) {
  const chosen = query.get(name) ?? options[0]?.[0];
  return (
    <nav class="filter" aria-label={label}>
      {options.map(([value, text], index) => (
        <Link
          key={value}
          href={href(path, query, { [name]: index === 0 ? null : value, before: null })}
          current={value === chosen}
        >
          {text}
        </Link>
      ))}
    </nav>
  );
}
