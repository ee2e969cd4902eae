import { useQuery } from "../api/hooks";
import type { Disputes } from "../api/types";
import { DisputeTable } from "../parts/dispute-table";
import { Answer, Empty, Heading, Panel } from "../parts/layout";
import { Filter, Pager } from "../parts/pager";
import { usePlace } from "../route";

const PAGE = 40;
const STATES: [string, string][] = [
  ["all", "All"],
  ["open", "Under way"],
  ["closed", "Closed"],
];

export function DisputesView() {
  const { query } = usePlace();
  const asked = new URLSearchParams({ limit: String(PAGE) });
  for (const name of ["state", "oid", "before"]) {
    const value = query.get(name);
    if (value) asked.set(name, value);
  }
  const disputes = useQuery<Disputes>(`/api/disputes?${asked}`, { touched: happening => happening.dispute !== null });
  return (
    <>
      <Heading title="Disputes" />
      <p class="lead">
        A validation is false or it is not: two players narrow their disagreement, move by move, until the contract can
        compute the one step that decides it.
      </p>
      <div class="toolbar">
        <Filter path="/disputes" query={query} name="state" label="Which disputes" options={STATES} />
      </div>
      <Panel title="Newest first">
        <Answer query={disputes}>
          {({ disputes: rows, next }) => (
            <>
              {rows.length > 0 ? (
                <DisputeTable disputes={rows} caption="Disputes, the newest first" />
              ) : (
                <Empty>No such disputes.</Empty>
              )}
              <Pager path="/disputes" query={query} next={next} what="disputes" />
            </>
          )}
        </Answer>
      </Panel>
    </>
  );
}
