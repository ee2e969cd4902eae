import type { FeedState } from "../api/feed";
import type { About } from "../api/types";
import { grouped } from "../parts/format";
import { Ago } from "../parts/values";
import { Link } from "../route";
import { WalletButton } from "../slots";

const PLACES: [string, string][] = [
  ["/", "Network"],
  ["/orders", "Orders"],
  ["/disputes", "Disputes"],
  ["/tasks", "Federated"],
  ["/rewards", "Rewards"],
  ["/parameters", "Parameters"],
];

const CONNECTIONS: Record<FeedState["connection"], string> = {
  live: "live",
  connecting: "connecting",
  lost: "no connection",
};

interface HeaderProps {
  path: string;
  about: About | null;
  state: FeedState;
}

export function Header({ path, about, state }: HeaderProps) {
  return (
    <header class="top">
      <div class="top-row">
        <Link href="/" class="brand" label="Assay explorer, to the network">
          <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <rect width="32" height="32" rx="7" />
            <path class="stroke" d="M8 24 16 7l8 17" />
            <path class="bar" d="M11.5 18.5h9" />
          </svg>
          <span>Assay</span>
        </Link>
        <nav aria-label="Views">
          <ul>
            {PLACES.map(([href, name]) => (
              <li key={href}>
                <Link href={href} current={href === "/" ? path === "/" : path.startsWith(href)}>
                  {name}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div class="top-end">
          <p class={`beat ${state.connection}`}>
            <span class="dot" aria-hidden="true" />
            <span>{CONNECTIONS[state.connection]}</span>
            {about ? <span class="chain">{about.network}</span> : null}
            {state.number > 0 ? (
              <span class="beat-block">
                <span>
                  block <span class="number">{grouped(state.number)}</span>
                </span>
                <span class="beat-age">
                  <Ago at={state.timestamp} />
                </span>
              </span>
            ) : null}
          </p>
          <WalletButton />
        </div>
      </div>
    </header>
  );
}
