/**
 * Tells of an element that comes near the part of the page that is on the screen, or leaves it: what is not seen need
 * not be drawn. Returns what ends it.
 */
export function watchVisibility(element: Element, onChange: (visible: boolean) => void): () => void {
  callbacks.set(element, onChange);
  observer.observe(element);
  return () => {
    observer.unobserve(element);
    callbacks.delete(element);
  };
}

const callbacks = new WeakMap<Element, (visible: boolean) => void>();

// One for all: there may be more than a thousand charts.
const observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      callbacks.get(target)?.(isIntersecting);
    }
  },
  { rootMargin: "200px 0px" },
);
