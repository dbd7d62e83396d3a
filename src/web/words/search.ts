// Texts of the search in messages.
import { counted } from "./numbers.ts";

export const searchWords = {
  label: "Search",
  placeholder: 'word "a phrase" total > 100 header.trace = 4f3a',
  limit: "Look at most at",
  limits: {
    "10k": "10,000 messages, 16 MB, 5 s",
    "100k": "100,000 messages, 64 MB, 10 s",
    "1m": "1,000,000 messages, 256 MB, 60 s",
  },
  submit: "Search",
  clear: "End the search",
  help: 'Words and "phrases" are looked for in the text, whatever its case. total > 100, lines[0].item = tea, name ~ part look at fields, header.trace = 4f3a at headers, id = … at ids. not, or and brackets combine.',
  helpTitle: "What can be written",
  grid: "Messages found",
  running: "Searching",
  state: (scanned: string, all: string, bytes: string, found: string, seconds: string) =>
    `${scanned} of ${all} messages looked at · ${bytes} read · ${found} found · ${seconds} s`,
  ends: {
    all: "There is nothing more in this direction.",
    messages: "Stopped: as many messages as were to be looked at.",
    bytes: "Stopped: as many bytes as were to be read.",
    time: "Stopped: the time is over.",
    found: "Stopped: 500 found, as many as are shown at once.",
    stopped: "Stopped by you.",
  },
  none: (messages: bigint | number) => `Nothing found in the ${counted(messages, "message")} looked at.`,
  goOn: "Go on",
  widen: "Go on, further",
  stop: "Stop",
  problems: {
    unclosedQuote: "A quotation mark is not closed.",
    unclosedBracket: "A bracket is not closed.",
    strayBracket: "A bracket is closed that is not open.",
    missingValue: "A value is missing behind =, !=, <, > or ~.",
    missingTerm: "Something to look for is missing.",
    badName: "This is no name of a field. Put it into quotation marks if it is.",
    tooDeep: "There are too many brackets in each other.",
  },
  problemAt: (problem: string, position: number) => `${problem} (at character ${position + 1})`,
} as const;
