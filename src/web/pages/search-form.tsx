// The line in which a search is written. What is searched for is in the address.
import { useEffect, useState } from "preact/hooks";
import { type MessagesPage, type ScanLimit, scanLimits } from "../app/address.ts";
import { adjust } from "../app/location.ts";
import { parseSearch, SearchSyntaxError } from "../messages/search-grammar.ts";
import { Field } from "../parts/field.tsx";
import { searchWords as text } from "../words/search.ts";

export function SearchForm({ page }: { readonly page: MessagesPage }) {
  const [typed, setTyped] = useState(page.q);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    setTyped(page.q);
    setProblem("");
  }, [page.q]);
  const search = (q: string) => adjust({ ...page, q, isLive: false });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const found = problemOf(typed);
    setProblem(found);
    if (found === "") search(typed.trim());
  };
  return (
    <form class="controls" onSubmit={submit}>
      <div class="field search">
        <label for="search-text">{text.label}</label>
        <input
          id="search-text"
          type="search"
          data-filter
          value={typed}
          placeholder={text.placeholder}
          autocomplete="off"
          spellcheck={false}
          aria-invalid={problem !== ""}
          aria-describedby="search-problem"
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        />
      </div>
      <Field label={text.limit}>
        {(id) => (
          <select
            id={id}
            value={page.scan}
            onChange={({ currentTarget }) => adjust({ ...page, scan: currentTarget.value as ScanLimit })}
          >
            {scanLimits.map((limit) => (
              <option key={limit} value={limit}>
                {text.limits[limit]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <button type="submit">{text.submit}</button>
      {page.q === "" ? null : (
        <button type="button" onClick={() => search("")}>
          {text.clear}
        </button>
      )}
      <details class="muted search-help">
        <summary>{text.helpTitle}</summary>
        <p>{text.help}</p>
      </details>
      <p id="search-problem" class="problem" role="alert">
        {problem}
      </p>
    </form>
  );
}

/** Empty: it can be searched for. */
export function problemOf(q: string): string {
  try {
    parseSearch(q);
    return "";
  } catch (error) {
    if (!(error instanceof SearchSyntaxError)) throw error;
    return text.problemAt(text.problems[error.problem], error.position);
  }
}
