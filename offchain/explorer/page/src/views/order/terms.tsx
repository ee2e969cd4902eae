/** What the client asked for, and the parameters that held then. */

import type { OrderPage } from "../../api/types";
import { bytes, capital, duration, grouped, words } from "../../parts/format";
import { Facts, Panel } from "../../parts/layout";
import { Amount, Hash } from "../../parts/values";
import { parameterValue } from "../parameter-value";

/** Far below any score: the contracts' word for no minimum. */
const NO_MINIMUM = -(2n ** 62n);
const PPM = 1_000_000;

function leastScore({ terms, score_function }: OrderPage): string {
  if (BigInt(terms.minimum_score_ppm) <= NO_MINIMUM) return "none";
  const mean = Number(terms.minimum_score_ppm) / PPM;
  return score_function.endsWith("accuracy") ? `${Number((100 * mean).toFixed(4))} %` : String(mean);
}

/** The first is what people ask for; the rest is behind a fold. */
const FIRST = new Set(["minimum_score_ppm", "minimum_validators", "max_claims", "max_validators"]);

export function TermsPanel({ order }: { order: OrderPage }) {
  const { manifest, terms } = order;
  const rest = Object.entries(terms).filter(([name]) => !FIRST.has(name) && name !== "test_commitment");
  return (
    <Panel title="Terms">
      <Facts
        rows
        facts={[
          ["Score", capital(words(order.score_function))],
          ["Task", manifest.task],
          ["Classes", manifest.classes ? grouped(manifest.classes.length) : null],
          ["Least mean score", leastScore(order)],
          ["Validators needed", terms.minimum_validators],
          ["Most claims", terms.max_claims],
          ["Most validators", terms.max_validators],
          [
            "Windows",
            (["train", "reveal", "validate", "challenge"] as const)
              .map(name => `${name} ${duration(terms[`${name}_seconds`])}`)
              .join(", "),
          ],
          ["Largest model", bytes(Number(terms.max_model_bytes))],
          ["Bond of a claim", <Amount wei={String(terms.claim_bond)} />],
          ["Least stake on a score", <Amount wei={String(terms.minimum_v_stake)} />],
        ]}
      />
      {manifest.spec ? (
        <details>
          <summary>The network to train</summary>
          <pre class="spec">{JSON.stringify(manifest.spec, null, 2).slice(0, 20_000)}</pre>
        </details>
      ) : null}
      <details>
        <summary>All terms</summary>
        <Facts
          rows
          facts={[
            ...rest.map(([name, value]): [string, preact.ComponentChildren] => [
              capital(words(name)),
              parameterValue(name, value),
            ]),
            ["Manifest", <Hash hex={manifest.cid} what="CID" />],
            ["Test commitment", <Hash hex={String(terms.test_commitment)} what="commitment" />],
          ]}
        />
      </details>
    </Panel>
  );
}
