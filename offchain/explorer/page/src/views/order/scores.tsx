/** What every validator says of every model, and whether they agree. */

import type { Model, OrderPage, Sheet } from "../../api/types";
import { short } from "../../parts/format";
import { Empty, Panel } from "../../parts/layout";
import { Scroll } from "../../parts/table";
import { Address, Amount } from "../../parts/values";

export function ScoresPanel({ order }: { order: OrderPage }) {
  const { sheets, models } = order;
  return (
    <Panel title="Scores">
      {sheets.length === 0 || models.length === 0 ? (
        <Empty>{models.length === 0 ? "No model is revealed." : "No validator has committed to scores."}</Empty>
      ) : (
        <>
          <p class="quiet">{agreement(order)}</p>
          <Scroll label="Scores by model and validator">
            <table class="grid">
              <caption class="unseen">Scores: models in rows, validators in columns</caption>
              <thead>
                <tr>
                  <th scope="col">Model</th>
                  <th scope="col">Agreed</th>
                  {sheets.map(sheet => (
                    <th key={sheet.validator} scope="col">
                      <Address address={sheet.validator} />
                      <span class="quiet">
                        stakes <Amount wei={sheet.v_stake} bare />
                      </span>
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {models.map(model => (
                  <tr key={model.index} class={order.winner === model.provider ? "winner" : undefined}>
                    <th scope="row">
                      {model.index} <span class="quiet mono">{short(model.provider)}</span>
                    </th>
                    <td>{model.score ? <strong class="number">{model.score.text}</strong> : "no"}</td>
                    {sheets.map(sheet => (
                      <ScoreCell key={sheet.validator} sheet={sheet} model={model} />
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
          <ul class="legend">
            <li>
              <span class="sign good-text">✓</span> as agreed
            </li>
            <li>
              <span class="sign bad-text">✗</span> removed: proven false, or slashed
            </li>
            <li>
              <span class="sign">?</span> differs from another, or nothing to compare with
            </li>
          </ul>
        </>
      )}
    </Panel>
  );
}

/** In one sentence, for those who cannot see the table at a glance. */
export function agreement({ models, sheets }: OrderPage): string {
  const shown = sheets.filter(sheet => sheet.revealed_at !== null).length;
  const agreed = models.filter(model => model.score !== null).length;
  return `${shown} of ${sheets.length} validators have shown their scores; they agree on ${agreed} of ${models.length} models.`;
}

interface Verdict {
  sign: string;
  tone: string;
  words: string;
}

function verdictOn(model: Model, score: string | null, live: boolean): Verdict {
  if (!live) return { sign: "✗", tone: "bad-text", words: "removed" };
  if (score === null) return { sign: "–", tone: "quiet", words: "abstained" };
  if (model.score && model.score.sum === score) return { sign: "✓", tone: "good-text", words: "as agreed" };
  return { sign: "?", tone: "", words: "not agreed" };
}

function ScoreCell({ sheet, model }: { sheet: Sheet; model: Model }) {
  if (sheet.slashed && sheet.revealed_at === null) {
    return <td class="bad-text">slashed: never shown</td>;
  }
  const score = sheet.scores.find(item => item.model === model.index);
  if (!score) return <td class="quiet">{sheet.revealed_at === null ? "committed" : "–"}</td>;
  const abstained = score.score === null;
  const { sign, tone, words } = abstained ? verdictOn(model, null, true) : verdictOn(model, score.score, score.live);
  const taken = score.holder !== sheet.validator;
  return (
    <td class={!score.live && !abstained ? "removed" : undefined}>
      <span class={`sign ${tone}`} aria-hidden="true">
        {sign}
      </span>{" "}
      <span class="number">{score.text}</span>
      <span class="unseen"> ({words})</span>
      {taken ? (
        <span class="quiet">
          {" "}
          by <Address address={score.holder} />, who took the place
        </span>
      ) : null}
    </td>
  );
}
