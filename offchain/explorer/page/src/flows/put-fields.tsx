// The fields of an order.
import { Field, type Ties } from "./field";
import { type Faults, type FieldName, type Files, type PutForm, SCORES } from "./put-form";

interface PutFieldsProps {
  form: PutForm;
  files: Files;
  faults: Faults;
  onForm: (form: PutForm) => void;
  onFiles: (files: Files) => void;
}

const BUILTIN: readonly (readonly [string, string])[] = [
  ["digits", "Handwritten digits (scikit-learn)"],
  ["iris", "Iris flowers (scikit-learn)"],
  ["wine", "Wine (scikit-learn)"],
  ["breast_cancer", "Breast cancer (scikit-learn)"],
  ["diabetes", "Diabetes, a regression (scikit-learn)"],
];
const DATA_TYPES = ".csv,.parquet,.npz,.gz,.bin";

export function PutFields(props: PutFieldsProps) {
  return (
    <>
      <DataFields {...props} />
      <ModelFields {...props} />
      <TermFields {...props} />
    </>
  );
}

function DataFields(props: PutFieldsProps) {
  const { form, onForm } = props;
  return (
    <fieldset>
      <legend>Data</legend>
      <Choice
        name="data"
        value={form.data}
        options={[
          ["file", "A file of mine"],
          ["builtin", "A small set to try it with"],
        ]}
        onChange={data => onForm({ ...form, data: data === "builtin" ? "builtin" : "file" })}
      />
      {form.data === "builtin" ? (
        <Field label="Set">
          {ties => (
            <Select
              ties={ties}
              value={form.builtin}
              options={BUILTIN}
              onChange={builtin => onForm({ ...form, builtin })}
            />
          )}
        </Field>
      ) : (
        <>
          <FileField
            {...props}
            name="train"
            field="trainFile"
            label="Training data"
            hint="CSV, Parquet, NPZ, MNIST idx images or a CIFAR-10 batch."
          />
          <TextField
            {...props}
            name="label"
            label="Label column"
            hint="Of a table: the column that the model is to predict."
          />
          <FileField {...props} name="trainLabels" label="Labels file" hint="For idx images only." />
        </>
      )}
      <FileField
        {...props}
        name="test"
        field="testFile"
        label="Test data (optional)"
        hint="Kept secret until models are revealed. Without it, a fifth of the training data is split off."
      />
    </fieldset>
  );
}

function ModelFields(props: PutFieldsProps) {
  const { form, onForm } = props;
  return (
    <fieldset>
      <legend>Model</legend>
      <Choice
        name="describe"
        value={form.describe}
        options={[
          ["model", "In a word"],
          ["spec", "By a file"],
        ]}
        onChange={describe => onForm({ ...form, describe: describe === "spec" ? "spec" : "model" })}
      />
      {form.describe === "model" ? (
        <TextField {...props} name="model" label="Model" hint="mlp:64-32, cnn:8-16, resnet:16-32, lstm:64, gru:64." />
      ) : (
        <FileField
          {...props}
          name="spec"
          field="specFile"
          label="Spec file"
          hint="JSON that describes the layers."
          accept=".json"
        />
      )}
      <Field label="Scored by" error={props.faults.score}>
        {ties => (
          <Select ties={ties} value={form.score} options={SCORES} onChange={score => onForm({ ...form, score })} />
        )}
      </Field>
      <TextField
        {...props}
        name="minimum"
        label="Least score that can win (optional)"
        hint="A share of hits from 0 to 1, or the largest mean error."
      />
    </fieldset>
  );
}

function TermFields(props: PutFieldsProps) {
  return (
    <fieldset>
      <legend>Terms</legend>
      <TextField {...props} name="title" label="Title (optional)" hint="Everybody can read it." />
      <TextField {...props} name="reward" label="Reward in tokens" hint="Held in escrow until the order is sealed." />
      <TextField {...props} name="train" label="Time to train" hint="90s, 10m, 2h or 3d, like all times here." />
      <TextField {...props} name="reveal" label="Then to reveal models and test data" />
      <TextField {...props} name="validate" label="Then to score" />
      <TextField {...props} name="challenge" label="Then to challenge scores" />
      <TextField {...props} name="validators" label="Agreeing validators a model needs" />
    </fieldset>
  );
}

type TextName = Exclude<keyof PutForm, "data" | "describe">;

function TextField({
  form,
  faults,
  onForm,
  name,
  label,
  hint,
}: PutFieldsProps & { name: TextName; label: string; hint?: string }) {
  return (
    <Field label={label} hint={hint} error={faults[name]}>
      {ties => (
        <input
          {...ties}
          autoComplete="off"
          value={form[name]}
          onInput={event => onForm({ ...form, [name]: event.currentTarget.value })}
        />
      )}
    </Field>
  );
}

interface FileFieldProps extends PutFieldsProps {
  name: keyof Files;
  field?: FieldName;
  label: string;
  hint: string;
  accept?: string;
}

function FileField({ files, faults, onFiles, name, field, label, hint, accept = DATA_TYPES }: FileFieldProps) {
  const chosen = files[name];
  return (
    <Field
      label={label}
      hint={chosen ? `${hint} Chosen: ${chosen.name}` : hint}
      error={field ? faults[field] : undefined}
    >
      {ties => (
        <input
          {...ties}
          type="file"
          accept={name === "train" || name === "test" ? undefined : accept}
          onChange={event => onFiles({ ...files, [name]: event.currentTarget.files?.[0] ?? null })}
        />
      )}
    </Field>
  );
}

interface ChoiceProps {
  name: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}

function Choice({ name, value, options, onChange }: ChoiceProps) {
  return (
    <div class="choice">
      {options.map(([option, label]) => (
        <label key={option}>
          <input type="radio" name={name} value={option} checked={value === option} onChange={() => onChange(option)} />
          {label}
        </label>
      ))}
    </div>
  );
}

function Select({ ties, value, options, onChange }: Omit<ChoiceProps, "name"> & { ties: Ties }) {
  return (
    <select {...ties} value={value} onChange={event => onChange(event.currentTarget.value)}>
      {options.map(([option, label]) => (
        <option key={option} value={option}>
          {label}
        </option>
      ))}
    </select>
  );
}
