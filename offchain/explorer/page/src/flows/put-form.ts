// The form of an order: what people type, checked, as the desk wants it. Pure.
import { parseDuration, parseTokens } from "../wallet/units";

export interface PutForm {
  readonly title: string;
  readonly data: "file" | "builtin";
  readonly builtin: string;
  readonly label: string;
  readonly describe: "model" | "spec";
  readonly model: string;
  readonly score: string;
  readonly reward: string;
  readonly train: string;
  readonly reveal: string;
  readonly validate: string;
  readonly challenge: string;
  readonly validators: string;
  readonly minimum: string;
}

export type FieldName = keyof PutForm | "trainFile" | "testFile" | "specFile";
export type Faults = Partial<Record<FieldName, string>>;

export interface Files {
  readonly train: File | null;
  readonly test: File | null;
  readonly spec: File | null;
  readonly trainLabels: File | null;
  readonly testLabels: File | null;
}

export const SCORES: readonly (readonly [string, string])[] = [
  ["", "By the task: accuracy or mean absolute error"],
  ["accuracy", "Accuracy"],
  ["top3", "Top-3 accuracy"],
  ["top5", "Top-5 accuracy"],
  ["cross-entropy", "Cross-entropy"],
  ["mae", "Mean absolute error"],
  ["mse", "Mean squared error"],
];

export const EMPTY: PutForm = {
  title: "",
  data: "file",
  builtin: "digits",
  label: "",
  describe: "model",
  model: "mlp:64",
  score: "",
  reward: "100",
  train: "10m",
  reveal: "2m",
  validate: "4m",
  challenge: "2m",
  validators: "2",
  minimum: "",
};

/** Names of the desk's fields, as far as they are fields of the form too. */
const SAME: Readonly<Record<string, FieldName>> = {
  title: "title",
  train: "trainFile",
  test: "testFile",
  spec: "specFile",
  label: "label",
  model: "model",
  score: "score",
  reward: "reward",
  train_seconds: "train",
  reveal_seconds: "reveal",
  validate_seconds: "validate",
  challenge_seconds: "challenge",
  min_validators: "validators",
  minimum_score: "minimum",
};

/** Which field of the form the desk means; null for none. */
export function fieldOf(name: string | null): FieldName | null {
  return name !== null && Object.hasOwn(SAME, name) ? (SAME[name] ?? null) : null;
}

export interface Readied {
  readonly request: Record<string, unknown>;
  readonly reward: bigint;
}

/** The desk's request, or what is wrong, field by field. */
export function readForm(form: PutForm, files: Files, account: string): Readied | Faults {
  const faults: Faults = {};
  const attempt = <T>(field: FieldName, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      faults[field] = error instanceof Error ? error.message : String(error);
      return undefined;
    }
  };
  const reward = attempt("reward", () => parseTokens(form.reward));
  const times = {
    train_seconds: attempt("train", () => parseDuration(form.train)),
    reveal_seconds: attempt("reveal", () => parseDuration(form.reveal)),
    validate_seconds: attempt("validate", () => parseDuration(form.validate)),
    challenge_seconds: attempt("challenge", () => parseDuration(form.challenge)),
  };
  const least = attempt("validators", () => wholeNumber(form.validators));
  const minimum = attempt("minimum", () => optionalNumber(form.minimum));
  if (form.data === "file" && files.train === null) faults.trainFile = "Choose the file with your training data.";
  if (form.describe === "spec" && files.spec === null) faults.specFile = "Choose the file that describes the model.";
  if (form.describe === "model" && form.model.trim() === "")
    faults.model = "Write a model, such as mlp:64 or cnn:8-16.";
  if (reward === undefined || Object.keys(faults).length > 0) return faults;
  const request = {
    account,
    reward: reward.toString(),
    title: text(form.title),
    train: form.data === "builtin" ? form.builtin : null,
    model: form.describe === "model" ? form.model.trim() : null,
    label: form.data === "file" ? text(form.label) : null,
    score: text(form.score),
    min_validators: least,
    minimum_score: minimum,
    ...times,
  };
  return { request: Object.fromEntries(Object.entries(request).filter(([, value]) => value !== null)), reward };
}

export function isReadied(read: Readied | Faults): read is Readied {
  return "request" in read;
}

/** The multipart body. */
export function bodyOf(request: Record<string, unknown>, form: PutForm, files: Files): FormData {
  const body = new FormData();
  body.set("request", JSON.stringify(request));
  const add = (name: string, file: File | null) => file && body.set(name, file, file.name);
  if (form.data === "file") {
    add("train", files.train);
    add("train_labels", files.trainLabels);
  }
  add("test", files.test);
  add("test_labels", files.testLabels);
  if (form.describe === "spec") add("spec", files.spec);
  return body;
}

function text(value: string): string | null {
  return value.trim() === "" ? null : value.trim();
}

function wholeNumber(value: string): number {
  if (!/^\d{1,3}$/.test(value.trim()) || Number(value) < 1) throw new Error("Write a whole number, at least 1.");
  return Number(value);
}

function optionalNumber(value: string): number | null {
  if (value.trim() === "") return null;
  const number = Number(value);
  if (!Number.isFinite(number)) throw new Error("Write a number, such as 0.9.");
  return number;
}
