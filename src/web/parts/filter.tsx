// The field that narrows a list. What is in it is in the address.
import { words } from "../words/en.ts";

export function Filter({ value, onChange }: { readonly value: string; readonly onChange: (value: string) => void }) {
  return (
    <label class="filter">
      <span>{words.filter}</span>
      <input
        type="search"
        data-filter
        value={value}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </label>
  );
}
