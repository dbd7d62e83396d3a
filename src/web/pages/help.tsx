// Keys, and what the console is for. Always last in the navigation.
import { hasLetterKeys } from "../app/preferences.ts";
import { PageHead } from "../parts/page-head.tsx";
import { words } from "../words/en.ts";

const text = words.helpPage;

export function HelpPage() {
  return (
    <>
      <PageHead title={text.title} />
      <p>{text.intro}</p>
      <h2>{text.keys}</h2>
      <label class="tick">
        <input
          type="checkbox"
          checked={hasLetterKeys.value}
          onChange={({ currentTarget }) => {
            hasLetterKeys.value = currentTarget.checked;
          }}
        />
        <span>{text.keysOn}</span>
      </label>
      <dl class="keys">
        {text.list.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
