// The last change that can be taken back, for ten seconds: by sending the old value again, unless somebody else has changed it since.
import { signal } from "@preact/signals";
import { writeErrorText } from "../app/errors.ts";
import { words } from "../words/en.ts";

export type UndoOffer = {
  /** What was done. */
  readonly text: string;
  /** Rejects with a Refusal where another's change would be lost. Undefined: it cannot be taken back. */
  readonly undo: (() => Promise<void>) | undefined;
};

export const undoMs = 10_000;
/** Undefined: nothing was changed lately. */
export const offer = signal<UndoOffer | undefined>(undefined);

/** Something was done. */
export function done(text: string, undo?: () => Promise<void>): void {
  offer.value = { text, undo };
}

/** Takes the change back, and says how that went. */
export async function takeBack({ undo }: UndoOffer): Promise<void> {
  offer.value = undefined;
  try {
    await undo?.();
    done(words.undo.undone);
  } catch (error) {
    done(words.undo.failed(writeErrorText(error)));
  }
}
