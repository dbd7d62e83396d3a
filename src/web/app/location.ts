// The address bar: which page is shown, and how it changes. Pages and opened messages are steps in the history, adjustments of a
// view are not.
import { signal } from "@preact/signals";
import { type Page, readAddress, writeAddress } from "./address.ts";

function here(): Page {
  return readAddress(location.pathname, location.search);
}

/** The page of the address. */
export const page = signal<Page>(here());

addEventListener("popstate", () => {
  page.value = here();
});

/** Goes to a page: a step that one can go back from. */
export function open(next: Page): void {
  openAddress(writeAddress(next));
}

/** An address of the console, as a link has it. */
export function openAddress(address: string): void {
  if (address === `${location.pathname}${location.search}`) return;
  history.pushState(null, "", address);
  page.value = here();
  scrollTo(0, 0);
}

/** The same page, seen otherwise. */
export function adjust(next: Page): void {
  history.replaceState(null, "", writeAddress(next));
  page.value = here();
}

export function back(): void {
  history.back();
}

/** Links to pages of the console are followed without loading it anew; all other clicks are the browser's. */
export function followLinks(): void {
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const target = event.target instanceof Element ? event.target.closest("a") : null;
    if (target === null || target.target !== "" || target.hasAttribute("download")) return;
    if (target.origin !== location.origin || !/^\/ui(?:\/|$)/.test(target.pathname) || target.hash !== "") return;
    event.preventDefault();
    openAddress(`${target.pathname}${target.search}`);
  });
}
