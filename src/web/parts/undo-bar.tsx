// What was just done, and the way back. It goes after ten seconds, but not while somebody is at it.
import { useEffect, useState } from "preact/hooks";
import { offer, takeBack, undoMs } from "../data/undo.ts";
import { words } from "../words/en.ts";

export function UndoBar() {
  const current = offer.value;
  const [isHeld, setIsHeld] = useState(false);
  useEffect(() => {
    if (current === undefined || isHeld) return;
    const timer = setTimeout(() => {
      offer.value = undefined;
    }, undoMs);
    return () => clearTimeout(timer);
  }, [current, isHeld]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only waits while somebody points at it.
    <div
      class="undo-bar"
      onMouseEnter={() => setIsHeld(true)}
      onMouseLeave={() => setIsHeld(false)}
      onFocusIn={() => setIsHeld(true)}
      onFocusOut={() => setIsHeld(false)}
    >
      <p role="status">{current?.text}</p>
      {current === undefined ? null : (
        <>
          {current.undo === undefined ? null : (
            <button type="button" class="primary" onClick={() => void takeBack(current)}>
              {words.undo.name}
            </button>
          )}
          <button
            type="button"
            onClick={() => {
              offer.value = undefined;
            }}
          >
            {words.undo.close}
          </button>
        </>
      )}
    </div>
  );
}
