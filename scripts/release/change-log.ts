// The part of CHANGELOG.md that belongs to a release.

const headingOfVersion = /^## \[?(\d+\.\d+\.\d+[^\s\]]*|Unreleased)\]?.*$/gm;

/**
 * The text below the heading of this version, or below "Unreleased" where the version has no heading yet; without the heading.
 * Throws where there is neither.
 */
export function changesOf(changeLog: string, version: string): string {
  const headings = [...changeLog.matchAll(headingOfVersion)];
  const found = headings.find(([, name]) => name === version) ?? headings.find(([, name]) => name === "Unreleased");
  if (found === undefined) throw new Error(`CHANGELOG.md has no section for ${version}`);
  const next = headings[headings.indexOf(found) + 1];
  return `${changeLog.slice(found.index + found[0].length, next?.index).trim()}\n`;
}
