/** Which view an address shows. The front page comes with the page; the others when they are first asked for. */

import type { ComponentType } from "preact";
import { lazy } from "../lazy";
import { NetworkView } from "./network";
import { NotFound } from "./not-found";

type View = ComponentType<Record<string, string>>;

interface Route {
  pattern: RegExp;
  View: View;
}

/** Views read their parameters as text, named by the pattern's groups. */
function view<P extends object>(component: ComponentType<P>): View {
  return component as unknown as View;
}

const wallet = (path: string) =>
  view(
    lazy(async () => {
      const { walletRoutes } = await import("../wallet");
      return walletRoutes.find(route => route.path === path)?.View ?? NotFound;
    }),
  );

const ROUTES: Route[] = [
  { pattern: /^\/$/, View: view(NetworkView) },
  { pattern: /^\/orders$/, View: view(lazy(async () => (await import("./orders")).OrdersView)) },
  { pattern: /^\/orders\/(?<oid>\d{1,15})$/, View: view(lazy(async () => (await import("./order")).OrderView)) },
  { pattern: /^\/events$/, View: view(lazy(async () => (await import("./events")).EventsView)) },
  { pattern: /^\/disputes$/, View: view(lazy(async () => (await import("./disputes")).DisputesView)) },
  { pattern: /^\/disputes\/(?<id>\d{1,15})$/, View: view(lazy(async () => (await import("./dispute")).DisputeView)) },
  {
    pattern: /^\/accounts\/(?<address>0x[0-9a-fA-F]{40})$/,
    View: view(lazy(async () => (await import("./account")).AccountView)),
  },
  { pattern: /^\/tasks$/, View: view(lazy(async () => (await import("./tasks")).TasksView)) },
  { pattern: /^\/tasks\/(?<id>\d{1,15})$/, View: view(lazy(async () => (await import("./task")).TaskView)) },
  { pattern: /^\/rewards$/, View: view(lazy(async () => (await import("./rewards")).RewardsView)) },
  { pattern: /^\/parameters$/, View: view(lazy(async () => (await import("./parameters")).ParametersView)) },
  { pattern: /^\/put$/, View: wallet("/put") },
  { pattern: /^\/stake$/, View: wallet("/stake") },
  { pattern: /^\/inbox$/, View: wallet("/inbox") },
];

export function viewAt(path: string): { View: View; props: Record<string, string> } {
  for (const { pattern, View } of ROUTES) {
    const found = pattern.exec(path);
    if (found) return { View, props: { ...found.groups } };
  }
  return { View: view(NotFound), props: {} };
}
