// Texts of what changes something. Beside en.ts, since they are fetched with the pages that use them.

export const manage = {
  typeName: (name: string) => `Type ${name} to go on`,
} as const;
