/** Learning curves, as providers report them. */

import { useState } from "preact/hooks";
import { useQuery } from "../../api/hooks";
import type { Curve, Curves, Points } from "../../api/types";
import { LineChart, type Series, SeriesTable } from "../../parts/chart";
import { grouped, short, words } from "../../parts/format";
import { Answer, Empty, Panel } from "../../parts/layout";
import { Scroll } from "../../parts/table";

type Measure = "score" | "integer" | "loss";

const MEASURES: [Measure, string][] = [
  ["score", "Score, as floats"],
  ["integer", "Score, as integers"],
  ["loss", "Training loss"],
];

export function CurvesPanel({ oid, models }: { oid: number; models: number }) {
  const query = useQuery<Curves>(models > 0 ? `/api/orders/${oid}/curves` : null, {
    touched: happening => happening.oid === oid && happening.name === "Revealed",
    waits: ({ curves }) => curves.some(curve => curve.state === "pending" && curve.problem === null),
  });
  if (models === 0) return null;
  return (
    <Panel title="Learning curves" aside={<span class="badge off">Self-reported</span>}>
      <Answer query={query}>{curves => <Shown curves={curves} />}</Answer>
    </Panel>
  );
}

function pointsOf(curve: Curve, measure: Measure): Points {
  const run = curve.runs[curve.chosen ?? 0] ?? curve.runs[0];
  return run ? run[measure] : [];
}

function Shown({ curves }: { curves: Curves }) {
  const [measure, setMeasure] = useState<Measure>("score");
  const told = curves.curves.filter(curve => curve.state === "here");
  const series: Series[] = told
    .map(curve => ({ name: `Model ${curve.model} (${short(curve.provider)})`, points: pointsOf(curve, measure) }))
    .filter(line => line.points.length > 0);
  const silent = curves.curves.filter(curve => curve.state !== "here");
  const yName = measure === "loss" ? "loss" : words(curves.score_function);
  const name = MEASURES.find(([key]) => key === measure)?.[1] ?? "";
  return (
    <>
      <p class="quiet">
        What each provider says it saw while it trained, on samples it held out itself. Nobody can check it; the scores
        above are checked.
      </p>
      {told.length > 0 ? (
        <>
          <fieldset class="filter">
            <legend class="unseen">What to show</legend>
            {MEASURES.map(([key, text]) => (
              <button
                key={key}
                type="button"
                class="chip"
                aria-pressed={key === measure}
                onClick={() => setMeasure(key)}
              >
                {text}
              </button>
            ))}
          </fieldset>
          {series.length > 0 ? (
            <>
              <LineChart title={`${name} by epoch`} series={series} xName="epoch" yName={yName} />
              <details>
                <summary>The numbers</summary>
                <Scroll label={`${name} by epoch`}>
                  <SeriesTable series={series} caption={`${name} by epoch`} xName="Epoch" />
                </Scroll>
              </details>
            </>
          ) : (
            <Empty>None of them reports this.</Empty>
          )}
          <ul class="runs">
            {told.map(curve => {
              const run = curve.runs[curve.chosen ?? 0];
              if (!run) return null;
              return (
                <li key={curve.model}>
                  Model {curve.model}: {run.optimiser}, learning rate {run.learning_rate},{" "}
                  {grouped(curve.holdout_samples ?? 0)} held out, chosen of {curve.runs.length}{" "}
                  {curve.runs.length === 1 ? "run" : "runs"}
                </li>
              );
            })}
          </ul>
        </>
      ) : null}
      {silent.length > 0 ? (
        <p class="quiet">
          {silent.map(curve => `Model ${curve.model}: ${SILENT[curve.state] ?? curve.problem ?? "nothing"}`).join("; ")}
          .
        </p>
      ) : null}
    </>
  );
}

const SILENT: Record<string, string> = {
  none: "its provider reports no curves",
  pending: "its files are not here yet",
};
