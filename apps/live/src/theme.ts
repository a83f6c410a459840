/** The value of a colour property of the stylesheet, as `#rrggbb`, in the theme that is on. */
export function themeColor(property: string): string {
  let color = colors.get(property);
  if (color === undefined) {
    color = getComputedStyle(document.documentElement).getPropertyValue(property).trim();
    colors.set(property, color);
  }
  return color;
}

/** Calls `listener` after the system went from light to dark or back. */
export function onThemeChange(listener: () => void): void {
  darkMode.addEventListener("change", () => {
    colors.clear();
    listener();
  });
}

// Reading a computed style is slow, and every chart asks on every frame.
const colors = new Map<string, string>();
const darkMode = matchMedia("(prefers-color-scheme: dark)");
