/** Text that others chose, short enough for one place on the page. The whole stays where programs look for it. */
export function shownText(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length).trimEnd()}…`;
}
