/** Tables that stay readable on a narrow screen: rows become cards, or the table scrolls inside its panel. */

import type { ComponentChildren } from "preact";

export interface Column<Row> {
  title: string;
  cell: (row: Row) => ComponentChildren;
  numeric?: boolean;
  /** the cell that names the row */
  head?: boolean;
}

interface TableProps<Row> {
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  rowKey: (row: Row) => string | number;
  rowClass?: (row: Row) => string | undefined;
  captionShown?: boolean;
}

/** Roles are said in full, for a table whose rows are shown as cards is no table to a browser any more. */
export function Table<Row>({ caption, columns, rows, rowKey, rowClass, captionShown }: TableProps<Row>) {
  return (
    // biome-ignore-start lint/a11y/noRedundantRoles: see above
    <table class="cards" role="table">
      <caption class={captionShown ? undefined : "unseen"}>{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(column => (
            <th key={column.title} scope="col" role="columnheader" class={column.numeric ? "right" : undefined}>
              {column.title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map(row => (
          <tr key={rowKey(row)} role="row" class={rowClass?.(row)}>
            {columns.map(column => (
              <Cell key={column.title} column={column} row={row} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
    // biome-ignore-end lint/a11y/noRedundantRoles: see above
  );
}

function Cell<Row>({ column, row }: { column: Column<Row>; row: Row }) {
  const name = column.numeric ? "right" : undefined;
  const inside = <div class="cell">{column.cell(row)}</div>;
  return column.head ? (
    <th scope="row" class={name} data-label={column.title}>
      {inside}
    </th>
  ) : (
    <td class={name} data-label={column.title}>
      {inside}
    </td>
  );
}

/** For tables that are wide by nature: scrolls, also by keyboard. */
export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
