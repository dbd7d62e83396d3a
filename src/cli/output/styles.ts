// Bold and red, where there is somebody to see them. Never the only carrier of a meaning.

import { styleText } from "node:util";

export interface Styles {
  bold(text: string): string;
  red(text: string): string;
  dim(text: string): string;
}

export type ColorChoice = "auto" | "always" | "never";

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether to write colours to a stream: NO_COLOR and TERM=dumb forbid it, FORCE_COLOR asks for it, a pipe has none. */
export function isColored(choice: ColorChoice, isTerminal: boolean, environment: Environment): boolean {
  if (choice !== "auto") return choice === "always";
  if (environment.NO_COLOR !== undefined && environment.NO_COLOR !== "") return false;
  const forced = environment.FORCE_COLOR;
  if (forced !== undefined && forced !== "") return forced !== "0" && forced !== "false";
  return isTerminal && environment.TERM !== "dumb";
}

function styled(style: "bold" | "red" | "dim"): (text: string) => string {
  return (text) => styleText(style, text, { validateStream: false });
}

const coloured: Styles = { bold: styled("bold"), red: styled("red"), dim: styled("dim") };
const asIs = (text: string) => text;
const plain: Styles = { bold: asIs, red: asIs, dim: asIs };

export function stylesOf(isInColour: boolean): Styles {
  return isInColour ? coloured : plain;
}
