import { useQuery } from "../api/hooks";
import type { Orders } from "../api/types";
import { short } from "../parts/format";
import { Answer, Empty, Heading, Panel } from "../parts/layout";
import { OrderTable } from "../parts/order-table";
import { Filter, Pager } from "../parts/pager";
import { Link, navigate, usePlace } from "../route";

const PAGE = 40;
const STATES: [string, string][] = [
  ["all", "All"],
  ["open", "Open"],
  ["ended", "Ended"],
];

export function OrdersView() {
  const { query } = usePlace();
  const account = query.get("account");
  const asked = new URLSearchParams({ limit: String(PAGE) });
  for (const name of ["state", "account", "before"]) {
    const value = query.get(name);
    if (value) asked.set(name, value);
  }
  const orders = useQuery<Orders>(`/api/orders?${asked}`, { touched: happening => happening.oid !== null });
  return (
    <>
      <Heading title="Orders" />
      <div class="toolbar">
        <Filter path="/orders" query={query} name="state" label="Which orders" options={STATES} />
        <GoTo />
        <Link href="/put" class="button primary">
          Put an order
        </Link>
      </div>
      {account ? (
        <p>
          Only those in which{" "}
          <span class="mono" title={account}>
            {short(account)}
          </span>{" "}
          has a part. <Link href="/orders">Show all</Link>
        </p>
      ) : null}
      <Panel title="Newest first">
        <Answer query={orders}>
          {({ orders: rows, next }) => (
            <>
              {rows.length > 0 ? (
                <OrderTable orders={rows} caption="Orders, the newest first" />
              ) : (
                <Empty>No such orders.</Empty>
              )}
              <Pager path="/orders" query={query} next={next} what="orders" />
            </>
          )}
        </Answer>
      </Panel>
    </>
  );
}

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const NUMBER = /^#?\d{1,15}$/;

/** An order's number, or an account's address: straight to its page. */
function GoTo() {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget;
    if (!(form instanceof HTMLFormElement)) return;
    const field = form.elements.namedItem("goto");
    if (!(field instanceof HTMLInputElement)) return;
    const text = field.value.trim();
    const known = ADDRESS.test(text) || NUMBER.test(text);
    field.setCustomValidity(known ? "" : "An order's number, or an address: 0x and 40 hexadecimal digits.");
    if (!known) {
      field.reportValidity();
      return;
    }
    navigate(ADDRESS.test(text) ? `/accounts/${text}` : `/orders/${text.replace("#", "")}`);
  };
  return (
    <form class="goto" onSubmit={submit}>
      <label>
        <span class="unseen">Order number or account address</span>
        <input
          name="goto"
          class="field"
          placeholder="Order number or address"
          autocomplete="off"
          onInput={event => event.currentTarget.setCustomValidity("")}
        />
      </label>
      <button type="submit" class="button">
        Go
      </button>
    </form>
  );
}
