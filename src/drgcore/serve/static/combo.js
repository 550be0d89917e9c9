// A field that finds codes while one types: a combobox with a list, by keyboard and by pointer.
import { json } from "./calls.js";

const WAIT = 120;

export function combo(input, kind, context, take) {
  const list = document.getElementById(input.getAttribute("aria-controls"));
  let found = [], active = -1, asked = 0, timer = 0;

  function close() {
    list.hidden = true;
    list.replaceChildren();
    found = [];
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(place) {
    active = place;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", i === active));
    const item = list.children[active];
    if (item) {
      input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    }
  }

  async function search() {
    const text = input.value.trim(), mine = ++asked;
    if (!text) return close();
    const query = new URLSearchParams({ q: text, kind, limit: 12, ...context() });
    let hits;
    try {
      hits = await json(`/codes?${query}`);
    } catch {
      return close();
    }
    if (mine !== asked) return; // Something else was typed meanwhile.
    close();
    found = hits;
    hits.forEach((hit, i) => {
      const item = document.createElement("li");
      item.id = `${list.id}-${i}`;
      item.setAttribute("role", "option");
      item.append(Object.assign(document.createElement("code"), { textContent: hit.code }), ` ${hit.name} `);
      for (const badge of badges(hit, input.form.dataset)) item.append(badge);
      item.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        choose(hit.code);
      });
      list.append(item);
    });
    list.hidden = !hits.length;
    input.setAttribute("aria-expanded", String(hits.length > 0));
    if (hits.length) mark(0);
  }

  function choose(...codes) {
    asked++;
    input.value = "";
    close();
    take(codes);
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, WAIT);
  });
  input.addEventListener("keydown", async (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!found.length) await search();
      if (found.length) mark((active + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length);
    } else if (event.key === "Escape") {
      close();
    } else if (event.key === "Enter" && input.value.trim()) {
      event.preventDefault();
      clearTimeout(timer);
      const pieces = input.value.split(/[;,，；、|\s]+/).filter(Boolean);
      // Several codes at once are taken as they stand; one text by what it finds.
      if (pieces.length > 1 && pieces.every((piece) => /\d/.test(piece))) return choose(...pieces);
      if (!found.length || list.hidden) await search();
      choose(found.length ? found[Math.max(active, 0)].code : input.value.trim());
    }
  });
  input.addEventListener("blur", close);
}

// What a scheme makes of a code, as small marks.
export function badges(known, words) {
  const marks = [];
  const mark = (text, kind) =>
    marks.push(Object.assign(document.createElement("span"), { className: `badge ${kind}`, textContent: text }));
  if (known.complication) {
    mark(known.complication, known.complication.toLowerCase() + (known.excluded ? " out" : ""));
    if (known.excluded) mark(words.excluded, "note");
  }
  if (known.gray || known.lists.some((name) => name.startsWith("gray"))) mark(words.gray, "note");
  if (known.lists.includes("no_principal_diagnosis")) mark(words.noPrincipal, "note");
  if (known.lists.includes("no_part_procedures")) mark(words.noPart, "note");
  if (!known.name) mark(words.unknown, "bad");
  return marks;
}
