// What this browser keeps: how the console looks and listens to keys. Never a token, a name or a message.
import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";
export const themes: readonly Theme[] = ["system", "light", "dark"];

const key = "whippet.preferences";

type Kept = { readonly theme?: unknown; readonly keys?: unknown };

/** A browser may forbid it, and somebody may have written anything there. */
function read(): Kept {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? "{}");
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

const kept = read();
export const theme = signal<Theme>(themes.find((name) => name === kept.theme) ?? "system");
/** Whether single letters do something. */
export const hasLetterKeys = signal(kept.keys !== false);

/** Applies them, and keeps what is not as it is anyway. */
export function followPreferences(): void {
  effect(() => {
    const { dataset } = document.documentElement;
    if (theme.value === "system") delete dataset.theme;
    else dataset.theme = theme.value;
  });
  effect(() => {
    const changed = {
      ...(theme.value === "system" ? {} : { theme: theme.value }),
      ...(hasLetterKeys.value ? {} : { keys: false }),
    };
    try {
      if (Object.keys(changed).length === 0) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify(changed));
    } catch {
      // The browser keeps nothing for this page: then it is as it was at the next visit.
    }
  });
}

/** As at the first visit. */
export function forget(): void {
  theme.value = "system";
  hasLetterKeys.value = true;
}
