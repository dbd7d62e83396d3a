// Sessions as documents show them: lines that begin with `$ ` are typed, what follows is what one sees.

import { stripVTControlCharacters } from "node:util";
import type { RunOptions, Whippet } from "./whippet.ts";

export interface Step {
  /** The line that is typed. */
  readonly line: string;
  /** What is seen, stdout and stderr as they come. */
  readonly seen: string;
}

/** The sessions of a document: its blocks of the kind `console`. */
export function sessionsIn(markdown: string): Step[][] {
  return [...markdown.matchAll(/^```console\n([\s\S]*?)^```/gm)].map(([, block = ""]) => stepsIn(block));
}

function stepsIn(block: string): Step[] {
  const steps: { line: string; seen: string }[] = [];
  for (const line of block.split("\n").slice(0, -1)) {
    if (line.startsWith("$ ")) steps.push({ line: line.slice(2), seen: "" });
    else steps.at(-1)!.seen += `${line}\n`;
  }
  return steps;
}

/** What is typed in answer to a question, or comes from another program. */
export interface Input {
  readonly stdin: string;
  /** Whether somebody sits at a terminal. */
  readonly isTerminal: boolean;
}

/** Runs the commands of a line: with `&&` and `;` between them, and `| jq .NAME` behind. Resolves with what is seen. */
export async function runLine(whippet: Whippet, line: string, input: Input | undefined): Promise<string> {
  let seen = "";
  for (const part of line.split(/ && |; /)) {
    const [, command = "", field] = /^(?:.*\| )?whippet (.*?)(?: {2,}#.*)?(?: \| jq \.(\w+))?$/.exec(part) ?? [];
    let transcript = "";
    const options: RunOptions = {
      columns: 200,
      onWrite: (text) => {
        transcript += text;
      },
      ...input,
    };
    const { stdout } = await whippet.line(command, options);
    seen += field === undefined ? transcript : `${JSON.stringify(JSON.parse(stdout)[field])}\n`;
  }
  return seen;
}

/** What differs from run to run, and from machine to machine, as a word. */
export function masked(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?/g, "TIME")
    .replace(/\b\d\d:\d\d:\d\d\.\d{3}\b/g, "TIME")
    .replace(/, \d+ B( to|\.$)/gm, ", SIZE$1")
    .replace(/\S*\/orders\.ndjson\.zst/g, "orders.ndjson.zst")
    .replace(/until (\d{4}-\d\d-\d\d )?\d\d:\d\d/g, "until TIME")
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "ID")
    .replace(/timestamp":\d+/g, 'timestamp":0')
    .replace(/\d+\.\d\d ms/g, "MS")
    .replace(/(broker|127\.0\.0\.1):\d+/g, "ADDRESS")
    .replace(/iggy(\+tls)?:\/\//g, "iggy://")
    .replace(/client \d+/g, "client N")
    .replace(/^\d+\|(\d+)\|ADDRESS/gm, "N|$1|ADDRESS")
    .replace(/\|(\d+\|){4}leader/g, "|PORTS|leader")
    .replace(/^single-node\|[^|]*/gm, "single-node|IP")
    .replace(/^[A-Za-z0-9+/]{60,}=*$/gm, "TOKEN")
    .replace(/\/tmp\/\S*iggy_snapshot_\d+_\d+\.zip \(.*\)/g, "FILE")
    .replace(/\S*credentials\.toml/g, "credentials.toml")
    .replace(/[ ]{2,}/g, "  ")
    .trimEnd();
}
