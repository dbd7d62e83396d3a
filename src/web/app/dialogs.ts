// Dialogs that are opened from several places: the finder, by Ctrl+K or ⌘K wherever one is and by its button, and what it starts.
import { signal } from "@preact/signals";
import { session } from "../data/session.ts";

export const isFinderOpen = signal(false);
/** Of the page of all streams. */
export const isCreatingStream = signal(false);

export function openFinder(): void {
  if (session.peek().kind !== "signedIn" || isFinderOpen.peek()) return;
  typed = "";
  openedAt = performance.now();
  addEventListener("keydown", keepTyped, true);
  isFinderOpen.value = true;
}

export function closeFinder(): void {
  takeTyped();
  isFinderOpen.value = false;
}

/** What was typed since the finder was opened: from now on its field takes the keys. */
export function takeTyped(): string {
  removeEventListener("keydown", keepTyped, true);
  return typed;
}

let typed = "";
let openedAt = 0;
/** Code that has not come by then is said to be missing, and keys are the page's again. */
const typedMs = 5_000;

/** While the finder's code is fetched, letters are meant for it, and are no keys of the page. */
function keepTyped(event: KeyboardEvent): void {
  if (session.peek().kind !== "signedIn" || event.timeStamp - openedAt > typedMs) {
    takeTyped();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") closeFinder();
  else if (event.key === "Backspace") typed = typed.slice(0, -1);
  else if (event.key.length === 1) typed += event.key;
  else return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** Not over another dialog, which somebody fills in. */
export function followFinderKey(): void {
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (document.querySelector("dialog[open]") === null) openFinder();
  });
}
