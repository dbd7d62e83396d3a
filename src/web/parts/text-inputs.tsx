// Inputs for a name and for a number, each with its words before it.

/** A name as the broker takes it: no browser completes, capitalizes or corrects it. */
export function NameInput({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  return (
    <label>
      <span>{label}</span>
      <input
        value={value}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        required
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    </label>
  );
}

/** A number as it was written, which may be none. */
export function NumberInput({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  return (
    <label>
      <span>{label}</span>
      <input
        value={value}
        inputMode="numeric"
        autocomplete="off"
        required
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    </label>
  );
}
