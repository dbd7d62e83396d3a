// `whippet completion`: what a shell reads to complete the command.

import { type Command, localCommand } from "../command.ts";
import { oneOf, required } from "../parameters.ts";
import { UsageError } from "../usage-error.ts";

const shells = ["bash", "zsh", "fish", "powershell"] as const;
const choices = [...shells, "elvish"] as const;

const completion = localCommand({
  words: ["completion"],
  summary: "Write what a shell reads to complete words, options and names",
  details: [
    "bash:        source <(whippet completion bash), with the package bash-completion",
    "zsh:         whippet completion zsh > ~/.zfunc/_whippet, with fpath+=~/.zfunc before compinit",
    "fish:        whippet completion fish > ~/.config/fish/completions/whippet.fish",
    "PowerShell:  whippet completion powershell | Out-String | Invoke-Expression",
    "",
    "The shell asks whippet, which has to be in its PATH.",
    "Names of streams, topics, groups and users are asked of the server of the context in use.",
  ].join("\n"),
  examples: ["completion bash", "completion fish"],
  arguments: { shell: required(oneOf(choices), `One of ${shells.join(", ")}`, { choices: shells }) },
  async run({ shell }, output) {
    if (shell === "elvish")
      throw new UsageError(`there is no completion for elvish: it is one of ${shells.join(", ")}`);
    const { completionScript } = await import("../completion.ts");
    await output.bytes(completionScript(shell));
  },
});

export const commands: readonly Command[] = [completion];
