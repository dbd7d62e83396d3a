// What a message must have to be one that is searched for, as far as the broker can see it: words and headers. It is less than the
// condition says, never more, so that nothing is left out.
import type { ScanTerm } from "../../client/console-client.ts";
import { isDecimal } from "./decimals.ts";
import type { Condition } from "./search-grammar.ts";

/** The broker compares ASCII; characters that become ASCII in lower case are no part of it. */
const asciiPattern = /^[\x20-\x7e]+$/;
/** Letters that another character becomes in lower case: the Kelvin sign is a k. */
const foldedPattern = /[ki]/;

/** Empty: the broker can leave nothing out. */
export function scanTermsOf(condition: Condition): readonly ScanTerm[] {
  switch (condition.kind) {
    case "all":
      return condition.of.flatMap(scanTermsOf);
    case "text":
      return wordsOf(condition.text);
    case "header":
      // Numbers are compared as such, so that 1 is 1.0.
      return condition.operator === "=" && !isDecimal(condition.value)
        ? [{ header: condition.key, value: condition.value }]
        : [];
    default:
      return [];
  }
}

/** The longest part of it in which nothing can be something else. */
function wordsOf(text: string): readonly ScanTerm[] {
  if (!asciiPattern.test(text)) return [];
  const [longest = ""] = text.split(foldedPattern).sort((left, right) => right.length - left.length);
  return longest === "" ? [] : [{ text: longest }];
}
