// Payloads that are no request, made from an ordinary one (spec BP 2.9), and the error that each is answered with.
import type { CommandName } from "../../src/protocol/codes.ts";
import type { Entry } from "./table.ts";

export interface Malformed {
  readonly what: string;
  readonly payload: Uint8Array;
  readonly error: number;
}

function changed(payload: Uint8Array, position: number, ...values: readonly number[]): Uint8Array {
  const copy = payload.slice();
  copy.set(values, position);
  return copy;
}

function identifierFaults(payload: Uint8Array, position: number): Malformed[] {
  return [
    { what: "identifier of kind 0", payload: changed(payload, position, 0, 4), error: 3 },
    { what: "identifier of kind 3", payload: changed(payload, position, 3, 4), error: 3 },
    { what: "number of 3 bytes", payload: changed(payload, position, 1, 3), error: 4 },
    { what: "number of 5 bytes", payload: changed(payload, position, 1, 5), error: 4 },
    { what: "empty name", payload: changed(payload, position, 2, 0), error: 4 },
    { what: "name that is no UTF-8", payload: changed(payload, position, 2, 4, 0xff), error: 3 },
  ];
}

/** Every prefix is too short, whatever the command; the faults of the first field depend on its kind. */
export function malformedPayloads(begins: Entry<CommandName>["begins"], payload: Uint8Array): Malformed[] {
  const prefixes = Array.from({ length: payload.length }, (_, size) => ({
    what: `only ${size} of ${payload.length} bytes`,
    payload: payload.slice(0, size),
    error: 3,
  }));
  switch (begins) {
    case "none":
    case "send":
      return [];
    case "number":
      return prefixes;
    case "name":
      return [
        ...prefixes,
        { what: "empty name", payload: changed(payload, 0, 0), error: 4 },
        { what: "name that is no UTF-8", payload: changed(payload, 1, 0xff), error: 3 },
      ];
    case "identifier":
      return [...prefixes, ...identifierFaults(payload, 0)];
    case "consumer":
      return [
        ...prefixes,
        { what: "consumer of kind 0", payload: changed(payload, 0, 0), error: 3 },
        { what: "consumer of kind 3", payload: changed(payload, 0, 3), error: 3 },
        ...identifierFaults(payload, 1),
      ];
  }
}
