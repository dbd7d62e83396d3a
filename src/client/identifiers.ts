import { type Identifier, nameId, numericId } from "../protocol/identifier.ts";

/** A number is an id, a text is a name (digits too), an Identifier is taken as it is. */
export type IdentifierInput = Identifier | number | string;

/** Identifier of an input. */
export function identifierOf(input: IdentifierInput): Identifier {
  if (typeof input === "number") return numericId(input);
  return typeof input === "string" ? nameId(input) : input;
}

/** A topic in its stream, as most requests begin. */
export function topicTarget(stream: IdentifierInput, topic: IdentifierInput) {
  return { stream: identifierOf(stream), topic: identifierOf(topic) };
}
