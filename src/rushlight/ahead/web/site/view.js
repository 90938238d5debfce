// Parts of pages: elements, bars, shares.

/** An element with attributes and children; `on…` are listeners. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** A section with a heading. */
export function card(title, ...children) {
  return element("section", { class: "card" }, element("h2", {}, title), ...children);
}

/** Numbers that are above 0 and sum to 1. */
export function softmax(scores, temperature = 1) {
  const most = Math.max(...scores);
  const powers = Array.from(scores, (score) => Math.exp((score - most) / temperature));
  const total = powers.reduce((sum, each) => sum + each, 0);
  return powers.map((each) => each / total);
}

/** A share as people write it: 93.1 %. */
export function percent(share) {
  return `${(100 * share).toFixed(share > 0.9995 ? 0 : 1)} %`;
}

/** Where the largest number is. */
export function best(numbers) {
  return numbers.reduce((place, number, k) => (number > numbers[place] ? k : place), 0);
}

/** A row for each name, with a bar as long as its share. */
export class Bars {
  constructor(names, label) {
    this.rows = names.map((name) => {
      const fill = element("span", { class: "fill" });
      fill.style.display = "block";
      const value = element("span", { class: "value" }, "–");
      const title = element("span", { class: "name" }, name);
      const row = element("li", {}, title,
        element("span", { class: "track", "aria-hidden": "true" }, fill), value);
      return { row, fill, value, title };
    });
    this.list = element("ol", { class: "bars", "aria-label": label }, ...this.rows.map((each) => each.row));
  }

  show(shares, names) {
    const winner = best(shares);
    this.rows.forEach(({ row, fill, value, title }, k) => {
      fill.style.setProperty("--share", shares[k]);
      value.textContent = percent(shares[k]);
      row.classList.toggle("best", k === winner);
      if (names) title.textContent = names[k];
    });
  }

  clear() {
    for (const { row, fill, value } of this.rows) {
      fill.style.setProperty("--share", 0);
      value.textContent = "–";
      row.classList.remove("best");
    }
  }
}
