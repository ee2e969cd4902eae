// A labelled field whose hint and error a screen reader reads with it.
import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  error?: string | null | undefined;
  /** Renders the input with what ties it to label, hint and error. */
  children: (ties: Ties) => JSX.Element;
}

export interface Ties {
  readonly id: string;
  readonly class: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": boolean;
}

export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const described = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div class="form-field">
      <label for={id}>{label}</label>
      {children({ id, class: "field", "aria-describedby": described || undefined, "aria-invalid": Boolean(error) })}
      {hint ? (
        <p class="quiet hint" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
      {error ? (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      ) : null}
    </div>
  );
}
