// Lines of one height, of which only those that can be seen are in the document: payloads may have very many.
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { useRowWindow } from "./window-rows.ts";

/** As in style/payload.css. */
const linePixels = 20;

export function Lines({
  label,
  count,
  line,
}: {
  readonly label: string;
  readonly count: number;
  readonly line: (index: number) => ComponentChildren;
}) {
  const scroller = useRef<HTMLElement>(null);
  const { start, end } = useRowWindow(scroller, count, linePixels);
  const indexes = Array.from({ length: end - start }, (_, position) => start + position);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys.
    <section class="lines" ref={scroller} aria-label={label} tabIndex={0}>
      <div style={{ height: `${start * linePixels}px` }} />
      {indexes.map((index) => (
        <div key={index} class="line">
          {line(index)}
        </div>
      ))}
      <div style={{ height: `${(count - end) * linePixels}px` }} />
    </section>
  );
}
