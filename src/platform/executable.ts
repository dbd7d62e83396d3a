// Whether this is the single-file executable, which has every part of the program inside, or the source, whose files are opened.
export const isExecutable = Bun.embeddedFiles.length > 0;
