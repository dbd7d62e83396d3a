// Dialogs that are opened from several places: the finder, by Ctrl+K or ⌘K wherever one is and by its button, and what it starts.
import { signal } from "@preact/signals";
import { session } from "../data/session.ts";

export const isFinderOpen = signal(false);
/** Of the page of all streams. */
export const isCreatingStream = signal(false);

export function openFinder(): void {
  if (session.peek().kind === "signedIn") isFinderOpen.value = true;
}

/** Not over another dialog, which somebody fills in. */
export function followFinderKey(): void {
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (document.querySelector("dialog[open]") === null) openFinder();
  });
}
