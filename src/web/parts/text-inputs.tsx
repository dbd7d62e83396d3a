// Inputs for a name and for a number, each with its words before it.
import type { InputHTMLAttributes } from "preact";

type InputProps = {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
};

/** A name as the broker takes it: no browser completes, capitalizes or corrects it. */
export function NameInput(props: InputProps) {
  return <Input {...props} attributes={{ autocapitalize: "none", spellcheck: false }} />;
}

/** A number as it was written, which may be none. */
export function NumberInput(props: InputProps) {
  return <Input {...props} attributes={{ inputMode: "numeric" }} />;
}

function Input({
  label,
  value,
  onChange,
  attributes,
}: InputProps & { readonly attributes: InputHTMLAttributes<HTMLInputElement> }) {
  return (
    <label>
      <span>{label}</span>
      <input
        {...attributes}
        value={value}
        autocomplete="off"
        required
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    </label>
  );
}
