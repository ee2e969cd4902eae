import { useQuery } from "../api/hooks";
import type { Parameters } from "../api/types";
import { capital, words } from "../parts/format";
import { Answer, Heading, Panel } from "../parts/layout";
import { type Column, Table } from "../parts/table";
import { Address, Time } from "../parts/values";
import { parameterValue } from "./parameter-value";

type Row = [string, string | number];

const MEANINGS: Record<string, string> = {
  provider_minimum: "Least bond of a provider",
  validator_minimum: "Least bond of a validator",
  verifier_minimum: "Least bond of a verifier",
  aggregator_minimum: "Least stake of a committee candidate",
  claim_bond: "Locked by a claim, lost if the model is not revealed or cannot be had",
  minimum_v_stake: "Least stake behind a score",
  challenge_stake: "Locked by a challenge, lost if the score stands",
  request_bond: "Locked by a request for data, goes to who answers",
  exit_delay: "How long stake stays slashable after an exit is asked for",
  validator_share_ppm: "Of a reward, to those who validated the winner",
  aggregator_tax_ppm: "Of a reward, to the aggregators",
  reporter_share_ppm: "Of a slash, to who reported it",
  dispute_share_ppm: "Of a loser's stake, to who won the dispute",
  move_seconds: "For each move of a dispute",
  stall_delay: "After it anybody may pay a sealed order directly",
  fraud_seconds: "How long a root of rewards can be refuted",
  update_seconds: "Between two roots",
  epoch_seconds: "Of a committee",
  max_members: "Of a committee",
  max_claims: "Of an order",
  max_validators: "Of an order",
  minimum_window: "Shortest window of an order",
  maximum_window: "Longest window of an order",
  minimum_reward: "Least reward of an order",
  max_model_bytes: "Largest model of an order",
  max_tensor_bytes: "Largest tensor of a model",
};

const COLUMNS: Column<Row>[] = [
  {
    title: "Parameter",
    head: true,
    cell: ([name]) => capital(words(name.replace("_ppm", "").replace(/_seconds$/, " time"))),
  },
  { title: "Value", numeric: true, cell: ([name, value]) => parameterValue(name, value) },
  { title: "What it is", cell: ([name]) => MEANINGS[name] ?? "" },
];

export function ParametersView() {
  const query = useQuery<Parameters>("/api/parameters", { touched: ({ contract }) => contract === "Parameters" });
  return (
    <>
      <Heading title="Parameters" />
      <p class="lead">
        What governance may change, within bounds that it may not. An order keeps what held when it was put: no vote
        changes it.
      </p>
      <Answer query={query}>
        {({ parameters, since, owner }) => (
          <>
            <p>
              In force since <Time at={since} />.{" "}
              {owner ? (
                <>
                  Owned by <Address address={owner} copy />.
                </>
              ) : null}
            </p>
            <Panel title="In force">
              <Table
                caption="Parameters in force"
                columns={COLUMNS}
                rows={Object.entries(parameters)}
                rowKey={([name]) => name}
              />
            </Panel>
          </>
        )}
      </Answer>
    </>
  );
}
