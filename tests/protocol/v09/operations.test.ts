// Operations and codes of 0.9: the table of the page (spec P9 5).

import { describe, expect, test } from "bun:test";
import { CommandCode, type CommandName } from "../../../src/protocol/codes.ts";
import {
  isFramedOperation,
  NewCommandCode,
  operationFor,
  type Request09,
  requestOf,
} from "../../../src/protocol/v09/operations.ts";

/** Code of the command, its operation, the operation of the reply, whether that is framed. */
const table: readonly (readonly [code: number, operation: number, reply: number, framed: boolean])[] = [
  [1, 2, 2, false],
  [10, 2, 2, false],
  [11, 2, 2, false],
  [12, 2, 2, false],
  [13, 2, 2, false],
  [20, 2, 2, false],
  [21, 2, 2, false],
  [22, 2, 2, false],
  [31, 2, 2, false],
  [32, 2, 2, false],
  [33, 141, 141, true],
  [34, 143, 143, true],
  [35, 142, 142, true],
  [36, 145, 145, true],
  [37, 144, 144, true],
  [39, 3, 3, false],
  [41, 2, 2, false],
  [42, 146, 146, true],
  [43, 147, 147, true],
  [100, 2, 2, false],
  [101, 160, 160, false],
  [102, 2, 2, false],
  [120, 2, 2, false],
  [121, 161, 161, true],
  [122, 162, 162, true],
  [200, 2, 2, false],
  [201, 2, 2, false],
  [202, 128, 128, true],
  [203, 130, 130, true],
  [204, 129, 129, true],
  [205, 131, 131, true],
  [300, 2, 2, false],
  [301, 2, 2, false],
  [302, 132, 132, true],
  [303, 134, 134, true],
  [304, 133, 133, true],
  [305, 135, 135, true],
  [402, 136, 136, true],
  [403, 137, 137, true],
  [503, 138, 68, true],
  [600, 2, 2, false],
  [601, 2, 2, false],
  [602, 139, 139, true],
  [603, 140, 140, true],
  [604, 148, 148, true],
  [605, 149, 149, true],
  [606, 2, 2, false],
];

const codes: Readonly<Record<string, number>> = { ...CommandCode, ...NewCommandCode };
const nameOf = (code: number) => Object.keys(codes).find((name) => codes[name] === code) as CommandName;

test("the table has every command of 0.8 but its two logins, and the two new ones", () => {
  const inTable = new Set(table.map(([code]) => code));
  const expected = Object.values(codes).filter((code) => code !== 38 && code !== 44);
  expect(inTable).toEqual(new Set(expected));
});

describe.each(table)("code %d", (code, operation, replyOperation, isFramed) => {
  const name = nameOf(code);
  const needsSession = operation > 3;
  const expected: Request09 = { kind: "command", name, replyOperation, isFramed, needsSession };

  test(`operation ${operation} is ${name}`, () => {
    expect(operationFor(name)).toBe(operation);
    expect(requestOf(operation, operation === 2 ? code : 0)).toEqual(expected);
    expect(isFramedOperation(replyOperation)).toBe(isFramed);
  });

  test("the code sent as operation 2", () => {
    expect(requestOf(2, code)).toEqual(operation === 2 ? expected : { kind: "refuse", error: "FeatureUnavailable" });
  });
});

test("register, and both logins of 0.8", () => {
  expect(requestOf(1, 0)).toEqual({ kind: "register" });
  for (const code of [38, 44]) expect(requestOf(2, code)).toEqual({ kind: "evict", reason: "malformedLogin" });
});

test.each([40, 45])("code %d is not to be had", (code) => {
  expect(requestOf(2, code)).toEqual({ kind: "refuse", error: "FeatureUnavailable" });
});

test.each([0, 2, 14, 15, 103, 104, 105, 123, 9999, 2 ** 32 - 1])("code %d is unknown", (code) => {
  expect(requestOf(2, code)).toEqual({ kind: "refuse", error: "InvalidCommand" });
});

test("every operation that is not of the table is unknown or one between servers, whatever its code", () => {
  const known = new Set([1, ...table.map(([, operation]) => operation)]);
  for (let operation = 0; operation < 256; operation++) {
    if (known.has(operation)) continue;
    const isServers = operation >= 64 && operation <= 68;
    expect(requestOf(operation, 1)).toEqual(
      isServers ? { kind: "evict", reason: "operation" } : { kind: "refuse", error: "InvalidCommand" },
    );
  }
});

test("framed are 1, 64 to 68, 128 to 137, 139 to 149, 161 and 162", () => {
  const framed = Array.from({ length: 256 }, (_, operation) => operation).filter(isFramedOperation);
  const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);
  expect(framed).toEqual([1, ...range(64, 68), ...range(128, 137), ...range(139, 149), 161, 162]);
});

test("the same request is the same object", () => {
  expect(requestOf(128, 0)).toBe(requestOf(128, 7));
  expect(requestOf(2, 100)).toBe(requestOf(2, 100));
});
