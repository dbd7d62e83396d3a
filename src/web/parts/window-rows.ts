// Long lists of rows of one height: only those that can be seen are in the document, and some around them.
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

export type RowWindow = { readonly start: number; readonly end: number };

/** Rows above and below what is seen, so that a turn of the wheel shows no gap. */
const aroundRows = 10;
/** Until the list has been measured. */
const firstRows = 60;

/** Which rows to show. `scroller`: the element that scrolls. */
export function useRowWindow(scroller: RefObject<HTMLElement | null>, rowsCount: number, rowPixels: number): RowWindow {
  const [seen, setSeen] = useState<RowWindow>({ start: 0, end: firstRows });
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const measure = () => {
      const first = Math.floor(element.scrollTop / rowPixels);
      const count = Math.ceil(element.clientHeight / rowPixels);
      const start = Math.max(0, first - aroundRows);
      const end = first + count + aroundRows;
      setSeen((before) => (before.start === start && before.end === end ? before : { start, end }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, [scroller, rowPixels]);
  const end = Math.min(seen.end, rowsCount);
  return { start: Math.min(seen.start, end), end };
}
