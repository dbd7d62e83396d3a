import { expect, test } from "bun:test";
import { WithoutLogin } from "../../src/server/without-login.ts";
import { makeSession } from "./setup.ts";

function start() {
  const clients = new WithoutLogin();
  const closed: string[] = [];
  const add = (source: string, name: string, sinceMs = 0) => {
    const session = makeSession();
    clients.add(source, session, {
      sinceMs,
      close: () => {
        closed.push(name);
        clients.delete(source, session);
      },
    });
    return session;
  };
  return { clients, add, closed: () => closed.splice(0) };
}

test("the oldest goes first, of the asked source or of the one with the most", () => {
  const { clients, add, closed } = start();
  expect(clients.closeOldest()).toBe(false);
  for (const name of ["a1", "a2"]) add("a", name);
  for (const name of ["b1", "b2", "b3"]) add("b", name);
  expect(clients.closeOldest("a")).toBe(true);
  for (let count = 0; count < 2; count++) expect(clients.closeOldest()).toBe(true);
  expect(closed()).toEqual(["a1", "b1", "b2"]);
  expect(clients.closeOldest("c")).toBe(false);
});

test("who has logged in is not closed", () => {
  const { clients, add, closed } = start();
  const first = add("a", "a1");
  add("a", "a2");
  clients.delete("a", first);
  expect(clients.closeOldest("a")).toBe(true);
  expect(clients.closeOldest("a")).toBe(false);
  expect(closed()).toEqual(["a2"]);
});

test("all that have waited too long are closed", () => {
  const { clients, add, closed } = start();
  add("a", "a1", 10);
  add("a", "a2", 30);
  add("b", "b1", 20);
  expect(clients.closeOlder(20)).toBe(1);
  expect(closed()).toEqual(["a1"]);
  expect(clients.closeOlder(31)).toBe(2);
  expect(closed()).toEqual(["a2", "b1"]);
});
