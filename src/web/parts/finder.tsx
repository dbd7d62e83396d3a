// The finder: a field that says what it finds while one types (WAI-ARIA combobox with a list). The focus stays in the field.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { closeFinder, isCreatingStream, takeTyped } from "../app/dialogs.ts";
import { openAddress } from "../app/location.ts";
import { broker } from "../data/broker.ts";
import { type Item, matching, shownMax, together } from "../data/finder.ts";
import { loadGroups, loadNames } from "../data/finder-names.ts";
import { mayChange } from "../data/rights.ts";
import { finder as text } from "../words/finder.ts";
import { PlainText } from "./plain-text.tsx";

/** The broker is asked for groups when nobody has typed for so long. */
const quietMs = 200;

/** Pages are those that the navigation has: what the user may not see is not among them. */
function fixedItems(): readonly Item[] {
  const links = [...document.querySelectorAll<HTMLAnchorElement>("nav.pages a")];
  const item = (kind: Item["kind"], title: string, address: string): Item => ({ kind, title, address });
  return [
    ...links.map((link) => item("page", link.textContent ?? "", `${link.pathname}${link.search}`)),
    item("page", text.ownAccount, "/ui/account"),
    ...(mayChange("createStream") ? [{ ...item("action", text.newStream, "/ui/streams"), run: createStream }] : []),
    ...(mayChange("createUser") ? [item("action", text.newUser, "/ui/users/new")] : []),
  ];
}

function createStream(): void {
  isCreatingStream.value = true;
}

export function Finder() {
  const dialog = useRef<HTMLDialogElement>(null);
  const listId = useId();
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const { items, isLooking, hasFailed } = useItems(query);
  const shown = matching(items, query);
  const current = Math.min(active, shown.length - 1);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    setQuery(takeTyped());
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  useEffect(() => {
    document.getElementById(`${listId}-${current}`)?.scrollIntoView({ block: "nearest" });
  }, [current, listId]);

  const go = (item: Item | undefined) => {
    if (item === undefined) return;
    closeFinder();
    openAddress(item.address);
    item.run?.();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") setActive(shown.length === 0 ? 0 : (current + 1) % shown.length);
    else if (event.key === "ArrowUp") setActive(shown.length === 0 ? 0 : (current + shown.length - 1) % shown.length);
    else if (event.key === "Enter") go(shown[current]);
    else return;
    event.preventDefault();
  };

  return (
    <dialog
      ref={dialog}
      class="finder"
      aria-label={text.label}
      onCancel={(event) => {
        event.preventDefault();
        closeFinder();
      }}
    >
      <input
        role="combobox"
        aria-label={text.label}
        aria-expanded={shown.length > 0}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={shown.length === 0 ? undefined : `${listId}-${current}`}
        placeholder={text.label}
        value={query}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        onKeyDown={onKeyDown}
        onInput={({ currentTarget }) => {
          setQuery(currentTarget.value);
          setActive(0);
        }}
      />
      <div role="listbox" id={listId} aria-label={text.list} tabIndex={-1}>
        {shown.map((item, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are those of the field, which keeps the focus.
          <div
            key={`${item.kind} ${item.address}`}
            role="option"
            id={`${listId}-${index}`}
            aria-selected={index === current}
            tabIndex={-1}
            onMouseMove={() => setActive(index)}
            onClick={() => go(item)}
          >
            <span class="found">
              <PlainText text={item.title} />
            </span>{" "}
            <span class="muted">{text.kinds[item.kind]}</span>
          </div>
        ))}
      </div>
      <p role="status" class="muted">
        {statusText(query, shown.length, isLooking, hasFailed)}
      </p>
      <p class="muted">{text.keys}</p>
    </dialog>
  );
}

function statusText(query: string, count: number, isLooking: boolean, hasFailed: boolean): string {
  const parts = [
    query.trim() === "" ? "" : count === 0 && !isLooking ? text.none(query) : text.hits(count, count === shownMax),
    isLooking ? text.looking : "",
    hasFailed ? text.failed : "",
  ];
  return parts.filter((part) => part !== "").join(" ");
}

/** What there is, as it becomes known; groups for what is typed. */
function useItems(query: string) {
  const from = broker.value;
  const [items, setItems] = useState(fixedItems);
  const [isLooking, setIsLooking] = useState(true);
  const [hasFailed, setHasFailed] = useState(false);
  useEffect(() => {
    if (from === undefined) return;
    let isWanted = true;
    const add = (added: readonly Item[]) => {
      if (isWanted) setItems((before) => together(before, added));
    };
    loadNames(from, add, () => isWanted)
      .catch(() => isWanted && setHasFailed(true))
      .finally(() => isWanted && setIsLooking(false));
    return () => {
      isWanted = false;
    };
  }, [from]);
  useEffect(() => {
    let isWanted = true;
    const timer = setTimeout(() => {
      loadGroups(query).then(
        (found) => isWanted && setItems((before) => together(before, found)),
        () => isWanted && setHasFailed(true),
      );
    }, quietMs);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [query]);
  return { items, isLooking, hasFailed };
}
