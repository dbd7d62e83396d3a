// The head of a page: where one is, its name, what it comes to.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { hello } from "../data/session.ts";
import { words } from "../words/en.ts";
import { PlainText } from "./plain-text.tsx";

/** Without an address: a page that the user may not see. */
export type Step = { readonly name: string; readonly address: string | undefined };

export function PageHead({
  title,
  summary,
  steps = [],
  children,
}: {
  readonly title: string;
  readonly summary?: string | undefined;
  /** Pages above this one. */
  readonly steps?: readonly Step[];
  readonly children?: ComponentChildren;
}) {
  const label = hello.value?.label ?? "";
  useEffect(() => {
    document.title = [title, label, words.product].filter((part) => part !== "").join(" · ");
  }, [title, label]);
  return (
    <header class="page-head">
      {steps.length === 0 ? null : (
        <nav class="steps" aria-label={title}>
          {steps.map(({ name, address }) => (
            <span key={name}>
              {address === undefined ? (
                <PlainText text={name} />
              ) : (
                <a href={address}>
                  <PlainText text={name} />
                </a>
              )}
              <span aria-hidden="true"> / </span>
            </span>
          ))}
        </nav>
      )}
      <h1>
        <PlainText text={title} />
      </h1>
      {summary === undefined ? null : <p class="summary">{summary}</p>}
      {children}
    </header>
  );
}
