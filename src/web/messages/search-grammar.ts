// What somebody types to find messages, as a condition. There is no code in it, and nothing that runs without an end:
//
//   any    = all {"or" all}            all = one {one}        one = "not" one | "(" any ")" | term
//   term   = word | "phrase"           in the text of the payload, whatever its case
//          | name op value             op: = != > < >= <= ~ (contains)
//   name   = header.KEY | id | path    path: fields and items, as total or lines[0].price

import type { Path } from "./values.ts";

export type Operator = "=" | ">" | "<" | ">=" | "<=" | "~";

export type Condition =
  | { readonly kind: "any" | "all"; readonly of: readonly Condition[] }
  | { readonly kind: "not"; readonly of: Condition }
  /** In lower case. */
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "header"; readonly key: string; readonly operator: Operator; readonly value: string }
  /** `path` ["id"]: the message's own id as well. */
  | { readonly kind: "field"; readonly path: Path; readonly operator: Operator; readonly value: string };

export type SearchProblem =
  | "unclosedQuote"
  | "unclosedBracket"
  | "strayBracket"
  | "missingValue"
  | "missingTerm"
  | "badName"
  | "tooDeep";

export class SearchSyntaxError extends Error {
  override readonly name = "SearchSyntaxError";
  readonly problem: SearchProblem;
  /** Where in the text. */
  readonly position: number;

  constructor(problem: SearchProblem, position: number) {
    super(problem);
    this.problem = problem;
    this.position = position;
  }
}

type Token = {
  readonly kind: "word" | "phrase" | "operator" | "open" | "close";
  readonly text: string;
  readonly at: number;
};

const operators: ReadonlySet<string> = new Set<Operator>(["=", ">", "<", ">=", "<=", "~"]);
const tokenPattern = /\s+|(\()|(\))|(>=|<=|!=|[=<>~])|"((?:[^"\\]|\\.)*)"|((?:[^\s()"=<>~!]|!(?!=))+)|(.)/suy;
const pathPattern = /^[^.[\]]+(?:\.[^.[\]]+|\[\d{1,9}\])*$/u;
const headerPrefix = "header.";
const depthMax = 50;

/** Undefined for an empty text. Throws SearchSyntaxError. */
export function parseSearch(text: string): Condition | undefined {
  const tokens = tokensOf(text);
  if (tokens.length === 0) return undefined;
  let position = 0;
  const peek = () => tokens[position];
  const isWord = (token: Token | undefined, word: string) =>
    token?.kind === "word" && token.text.toLowerCase() === word && tokens[position + 1]?.kind !== "operator";

  const readAny = (depth: number): Condition => {
    const of = [readAll(depth)];
    while (isWord(peek(), "or")) {
      position++;
      of.push(readAll(depth));
    }
    return of.length === 1 ? of[0]! : { kind: "any", of };
  };
  const readAll = (depth: number): Condition => {
    const of: Condition[] = [];
    for (let token = peek(); token !== undefined && token.kind !== "close" && !isWord(token, "or"); token = peek()) {
      if (isWord(token, "and") && of.length > 0) position++;
      else of.push(readOne(depth));
    }
    if (of.length === 0) throw new SearchSyntaxError("missingTerm", peek()?.at ?? text.length);
    return of.length === 1 ? of[0]! : { kind: "all", of };
  };
  const readOne = (depth: number): Condition => {
    const token = peek();
    if (token === undefined) throw new SearchSyntaxError("missingTerm", text.length);
    if (depth > depthMax) throw new SearchSyntaxError("tooDeep", token.at);
    if (isWord(token, "not")) {
      position++;
      return { kind: "not", of: readOne(depth + 1) };
    }
    position++;
    if (token.kind === "open") {
      const inner = readAny(depth + 1);
      if (peek()?.kind !== "close") throw new SearchSyntaxError("unclosedBracket", token.at);
      position++;
      return inner;
    }
    if (token.kind === "close") throw new SearchSyntaxError("strayBracket", token.at);
    if (token.kind === "operator") throw new SearchSyntaxError("badName", token.at);
    const operator = peek();
    if (operator?.kind !== "operator") return { kind: "text", text: token.text.toLowerCase() };
    position++;
    const value = peek();
    if (value?.kind !== "word" && value?.kind !== "phrase") throw new SearchSyntaxError("missingValue", operator.at);
    position++;
    return comparison(token, operator.text, value.text);
  };

  const condition = readAny(0);
  const rest = peek();
  if (rest !== undefined) throw new SearchSyntaxError("strayBracket", rest.at);
  return condition;
}

function comparison(name: Token, operatorText: string, value: string): Condition {
  const isNegated = operatorText === "!=";
  const operator = (isNegated ? "=" : operatorText) as Operator;
  if (!operators.has(operator)) throw new SearchSyntaxError("badName", name.at);
  const condition: Condition = name.text.startsWith(headerPrefix)
    ? { kind: "header", key: name.text.slice(headerPrefix.length), operator, value }
    : { kind: "field", path: pathOf(name), operator, value };
  return isNegated ? { kind: "not", of: condition } : condition;
}

function pathOf({ kind, text, at }: Token): Path {
  // In quotes it is one name, whatever is in it.
  if (kind === "phrase") return [text];
  if (!pathPattern.test(text)) throw new SearchSyntaxError("badName", at);
  return (text.match(/[^.[\]]+|\[\d+\]/gu) ?? []).map((part) =>
    part.startsWith("[") ? Number(part.slice(1, -1)) : part,
  );
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const at = tokenPattern.lastIndex;
    const match = tokenPattern.exec(text);
    if (match === null) throw new SearchSyntaxError("badName", at);
    const [, open, close, operator, phrase, word, stray] = match;
    if (stray !== undefined) throw new SearchSyntaxError(stray === '"' ? "unclosedQuote" : "badName", at);
    if (open !== undefined) tokens.push({ kind: "open", text: open, at });
    else if (close !== undefined) tokens.push({ kind: "close", text: close, at });
    else if (operator !== undefined) tokens.push({ kind: "operator", text: operator, at });
    else if (phrase !== undefined) tokens.push({ kind: "phrase", text: phrase.replace(/\\(.)/gsu, "$1"), at });
    else if (word !== undefined) tokens.push({ kind: "word", text: word, at });
  }
  return tokens;
}
