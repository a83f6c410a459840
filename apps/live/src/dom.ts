/** The element with this id, which index.html must have with this type. */
export function byId<T extends Element>(id: string, type: { new (): T }): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) {
    throw new Error(`index.html has no ${type.name} with the id ${id}`);
  }
  return found;
}

/** Makes an element. Text becomes text nodes, never markup. `true` sets an attribute without value, `false` none. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | boolean>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false) {
      continue;
    }
    made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** Leaves a text node alone that says the same already. */
export function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) {
    target.textContent = text;
  }
}

/** Runs `paint` once before the next frame, however often it is asked for; a hidden page paints when it is shown. */
export function oncePerFrame(paint: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) {
      return;
    }
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      paint();
    });
  };
}
