import type { About } from "../api/types";
import { grouped } from "../parts/format";

export function Footer({ about }: { about: About | null }) {
  return (
    <footer class="bottom">
      {about ? (
        <p>
          Assay {about.version} on {about.network} (chain {about.chain_id}), {grouped(about.indexed.events)} events
          indexed
          {about.final_block >= 0 ? `, final up to block ${grouped(about.final_block)}` : ""}.
        </p>
      ) : null}
      <p>
        Everything here comes from the contracts' events, or from content that was verified against them.{" "}
        <a href="/openapi.json">API</a>
      </p>
    </footer>
  );
}
