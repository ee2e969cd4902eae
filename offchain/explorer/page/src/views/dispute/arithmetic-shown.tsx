/** The multiply-accumulate that decided a dispute, term by term. */

import type { Move } from "../../api/types";
import { grouped } from "../../parts/format";
import { Scroll } from "../../parts/table";
import { type Arithmetic, arithmeticOf, type Term } from "./arithmetic";
import type { Computed } from "./levels";

const SHOWN = 24;

export function ArithmeticShown({ moves, computed }: { moves: Move[]; computed: Computed }) {
  const step = moves.find(move => move.kind === "Computed")?.detail.step;
  const found = arithmeticOf(step, computed);
  if (!found) return null;
  return (
    <div class="arithmetic">
      <h3>The multiply-accumulate</h3>
      <p class="quiet">
        One element of a {found.operation}: {grouped(found.terms.length)} terms, from the operands that the challenger
        showed in its transaction, computed once more in this browser.
      </p>
      <Terms terms={found.terms} />
      <Finish found={found} same={found.result.toString() === computed.computed} />
    </div>
  );
}

/** Zeros are left out, and what is too much to read; all of them are summed. */
function Terms({ terms }: { terms: Term[] }) {
  const shown = terms.filter(term => term.weight !== 0 && term.input !== 0).slice(0, SHOWN);
  const rest = terms.length - shown.length;
  return (
    <Scroll label="Terms of the multiply-accumulate">
      <table class="grid terms">
        <caption>
          {rest > 0
            ? `The first ${shown.length} terms that are not zero; ${grouped(rest)} more are zero or not shown, and summed all the same`
            : "All terms"}
        </caption>
        <tbody>
          <Row name="Term" values={shown.map(term => term.index)} head />
          <Row name="Weight" values={shown.map(term => term.weight)} />
          <Row name="× input" values={shown.map(term => term.input)} />
          <Row name="= product" values={shown.map(term => term.weight * term.input)} />
        </tbody>
      </table>
    </Scroll>
  );
}

function Row({ name, values, head }: { name: string; values: number[]; head?: boolean }) {
  return (
    <tr class={head ? "quiet" : undefined}>
      <th scope="row">{name}</th>
      {values.map((value, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: terms have their places
        <td key={index} class="right number">
          {value}
        </td>
      ))}
    </tr>
  );
}

function Finish({ found, same }: { found: Arithmetic; same: boolean }) {
  const { finish, sum, result } = found;
  return (
    <>
      <ol class="sums">
        <li>
          sum of all products: <strong class="number">{grouped(sum)}</strong>
        </li>
        {finish ? (
          <>
            <li>
              + bias {grouped(finish.bias)} = <strong class="number">{grouped(sum + finish.bias)}</strong>
            </li>
            <li>
              × {grouped(finish.multiplier)} / 2<sup>{finish.shift.toString()}</sup>, rounded, within{" "}
              {grouped(finish.low)} … {grouped(finish.high)}: <strong class="number">{grouped(result)}</strong>
            </li>
          </>
        ) : null}
      </ol>
      <p class={same ? "good-text" : "bad-text"}>
        {same
          ? "✓ This browser has computed the same as the contract."
          : "✗ This browser has computed something else than the contract."}
      </p>
    </>
  );
}
