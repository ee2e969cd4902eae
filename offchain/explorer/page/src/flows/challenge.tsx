// Scores an order's models anew on this machine, and challenges what is false.
import { useState } from "preact/hooks";
import { short } from "../parts/format";
import { Scroll } from "../parts/table";
import { navigate } from "../route";
import { Problem } from "../wallet/dialog";
import { useDeed, useGone } from "../wallet/hooks";
import { tokens } from "../wallet/units";
import { desk, type Examination, type ExaminedScore } from "./desk";
import { signItem } from "./inbox";
import type { Acting } from "./needs-wallet";

export function Challenge({ deployment, account, oid }: Acting & { oid: number }) {
  const [examination, setExamination] = useState<Examination | null>(null);
  const [takePlace, setTakePlace] = useState(false);
  const [opened, setOpened] = useState<string | null>(null);
  const deed = useDeed();
  const gone = useGone();
  const examine = async () => {
    setOpened(null);
    let found = await desk.examine(oid, account);
    setExamination(found);
    while ((found.state === "queued" || found.state === "running") && !gone()) {
      found = await desk.examination(found.id);
      setExamination(found);
    }
    if (found.error) deed.fail(found.error);
  };
  const challenge = async (score: ExaminedScore) => {
    const { item, dispute } = await desk.challenge(account, oid, score.validator, score.model, takePlace);
    if (dispute !== null) navigate(`/disputes/${dispute}`);
    else if (item !== null && (await signItem(deployment, account, item))) {
      setOpened(`You challenge the score of model ${score.model}. Your moves will wait for you in the inbox.`);
    }
  };
  const busy = examination !== null && ["queued", "running"].includes(examination.state);
  return (
    <section class="challenge">
      <h3>Are the scores true?</h3>
      <p class="quiet hint">
        This machine scores every revealed model anew, exactly. A false score can be challenged with a verifier's stake;
        the contract then computes who is right.
      </p>
      <button class="button" type="button" disabled={deed.busy} onClick={() => void deed.run(examine)}>
        Examine the scores
      </button>
      <p role="status">{statusOf(examination)}</p>
      {examination && !busy && examination.scores.length > 0 ? (
        <>
          <label class="check">
            <input type="checkbox" checked={takePlace} onChange={event => setTakePlace(event.currentTarget.checked)} />
            Put the true score in the place of the false one (a challenge locks {tokens(BigInt(examination.stake))})
          </label>
          <Scores
            scores={examination.scores}
            busy={deed.busy}
            onChallenge={score => void deed.run(() => challenge(score))}
          />
        </>
      ) : null}
      <p role="status">{opened}</p>
      <Problem text={deed.problem} />
    </section>
  );
}

function statusOf(examination: Examination | null): string | null {
  if (examination === null) return null;
  const { state, step, done, total, scores } = examination;
  if (state === "queued" || state === "running") return `${step || "Working…"} (${done} of ${total} models)`;
  const wrong = scores.filter(score => score.is_false === true).length;
  return `${scores.length} scores examined: ${wrong === 0 ? "none is false" : `${wrong} false`}.`;
}

interface ScoresProps {
  scores: readonly ExaminedScore[];
  busy: boolean;
  onChallenge: (score: ExaminedScore) => void;
}

function Scores({ scores, busy, onChallenge }: ScoresProps) {
  return (
    <Scroll label="Examined scores">
      <table>
        <caption class="unseen">Each validator's score beside the true one</caption>
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">Validator</th>
            <th scope="col">Said</th>
            <th scope="col">True</th>
            <th scope="col">Verdict</th>
          </tr>
        </thead>
        <tbody>
          {scores.map(score => (
            <tr key={`${score.model} ${score.validator}`} data-false={score.is_false === true}>
              <td>{score.model}</td>
              <td title={score.holder}>{short(score.holder)}</td>
              <td>{score.said_text ?? score.said ?? "abstains"}</td>
              <td>{score.true_text ?? score.true ?? "unknown"}</td>
              <td>
                <Verdict score={score} busy={busy} onChallenge={() => onChallenge(score)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Verdict({ score, busy, onChallenge }: { score: ExaminedScore; busy: boolean; onChallenge: () => void }) {
  if (score.is_false === null) return <>not known</>;
  if (!score.is_false) return <>true</>;
  if (!score.challengeable) return <>false; it cannot be challenged now</>;
  return (
    <>
      false{" "}
      <button class="button" type="button" disabled={busy} onClick={onChallenge}>
        Challenge model {score.model} of {short(score.validator)}
      </button>
    </>
  );
}
