// A form that asks for an amount of tokens.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { parseTokens } from "../wallet/units";
import { Field } from "./field";

interface AmountFormProps {
  label: string;
  hint?: string | undefined;
  /** What the button says. */
  action: string;
  primary?: boolean;
  busy: boolean;
  /** Given wei; whether it was done, so that the field can be emptied. */
  onAmount: (wei: bigint) => Promise<boolean>;
  children?: ComponentChildren;
}

export function AmountForm({ label, hint, action, primary = false, busy, onAmount, children }: AmountFormProps) {
  const [text, setText] = useState("");
  const [error, setError] = useState<string | null>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    const read = readAmount(text);
    setError(read.error);
    if (read.wei !== null && (await onAmount(read.wei))) setText("");
  };
  return (
    <form class="form" onSubmit={submit}>
      {children}
      <Field label={label} hint={hint} error={error}>
        {ties => (
          <input
            {...ties}
            inputMode="decimal"
            autoComplete="off"
            value={text}
            onInput={event => setText(event.currentTarget.value)}
          />
        )}
      </Field>
      <button type="submit" class={primary ? "button primary" : "button"} disabled={busy}>
        {action}
      </button>
    </form>
  );
}

function readAmount(text: string): { wei: bigint; error: null } | { wei: null; error: string } {
  try {
    return { wei: parseTokens(text), error: null };
  } catch (error) {
    return { wei: null, error: error instanceof Error ? error.message : String(error) };
  }
}
