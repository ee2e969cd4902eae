import type { ComponentType } from "preact";

/** Views of the flows, by path. */
export const flows: Record<string, ComponentType> = {};
