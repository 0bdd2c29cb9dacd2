// What a browser keeps for a page.

/** `localStorage` or `sessionStorage`; where the browser gives none, one that lasts as long as the page. */
export function storage(name) {
  try {
    const found = window[name];
    found.getItem("");
    return found;
  } catch {
    const values = new Map();
    return {
      getItem: (key) => values.get(key) ?? null,
      setItem: (key, value) => values.set(key, value),
      removeItem: (key) => values.delete(key),
    };
  }
}
