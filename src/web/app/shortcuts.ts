// Keys for the whole page. Those without Ctrl or Alt can be switched off (WCAG 2.1.4), and never act where somebody writes.
import { reload } from "../data/loaded.ts";
import { back, open, page } from "./location.ts";
import { hasLetterKeys } from "./preferences.ts";

export function followKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    if (document.querySelector("dialog[open]") !== null) return;
    if (target instanceof HTMLElement && target.matches("input, textarea, select")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (event.key === "Escape" && page.value.kind === "message") back();
    else if (!hasLetterKeys.value || !act(event.key)) return;
    event.preventDefault();
  });
}

/** Whether the key does something. */
function act(key: string): boolean {
  switch (key) {
    case "/":
      return focus("[data-filter]");
    case "j":
    case "k":
      return focus("[role=grid] tbody tr[tabindex='0']");
    case "r":
      reload();
      return true;
    case "?":
      open({ kind: "help" });
      return true;
    default:
      return false;
  }
}

function focus(selector: string): boolean {
  const found = document.querySelector<HTMLElement>(selector);
  found?.focus();
  return found !== null;
}
