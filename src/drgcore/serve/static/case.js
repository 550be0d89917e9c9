// The page of one case.
import { fragment, json, language } from "./calls.js";
import { badges, combo } from "./combo.js";

const form = document.getElementById("case");
const words = form.dataset;
const told = document.getElementById("told");
const at = (id) => document.getElementById(id);
const FIELDS = ["principal_diagnosis", "other_diagnoses", "principal_procedure", "other_procedures"];
const NUMBERS = ["age_years", "age_days", "newborn_weight_g"];
const codes = Object.fromEntries(FIELDS.map((field) => [field, []]));
const grouped = () => !at("explain-left").hidden;

// --- The case -----------------------------------------------------------------------------------

function theCase() {
  const made = {
    principal_diagnosis: codes.principal_diagnosis[0] ?? null,
    other_diagnoses: codes.other_diagnoses,
    principal_procedure: codes.principal_procedure[0] ?? null,
    other_procedures: codes.other_procedures,
    sex: Number(at("sex").value),
  };
  for (const name of NUMBERS) {
    const text = at(name).value.trim();
    if (text) made[name] = /^\d{1,6}$/.test(text) ? Number(text) : text;
  }
  return made;
}

const asked = (scheme) => ({ scheme, case: theCase(), clinical_codes: at("clinical").checked });

function toFragment() {
  const query = new URLSearchParams();
  for (const [key, field] of [["d", "principal_diagnosis"], ["o", "other_diagnoses"], ["p", "principal_procedure"], ["q", "other_procedures"]]) {
    if (codes[field].length) query.set(key, codes[field].join(","));
  }
  query.set("s", at("sex").value);
  for (const [key, name] of [["a", "age_years"], ["n", "age_days"], ["w", "newborn_weight_g"], ["l", "left"], ["r", "right"]]) {
    if (at(name).value) query.set(key, at(name).value);
  }
  if (at("clinical").checked) query.set("c", "1");
  return `#${query}`;
}

function fromFragment() {
  const query = new URLSearchParams(location.hash.slice(1));
  if (![...query].length) return false;
  const list = (key) => (query.get(key) ?? "").split(",").filter(Boolean).slice(0, 200);
  codes.principal_diagnosis = list("d").slice(0, 1);
  codes.other_diagnoses = list("o");
  codes.principal_procedure = list("p").slice(0, 1);
  codes.other_procedures = list("q");
  for (const [key, name] of [["s", "sex"], ["a", "age_years"], ["n", "age_days"], ["w", "newborn_weight_g"], ["l", "left"], ["r", "right"]]) {
    if (query.has(key)) at(name).value = query.get(key);
  }
  at("clinical").checked = query.has("c");
  return codes.principal_diagnosis.length > 0;
}

// --- Chips --------------------------------------------------------------------------------------

function button(text, label, act) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "chip-button", textContent: text });
  made.setAttribute("aria-label", label);
  made.title = label;
  made.addEventListener("click", act);
  return made;
}

async function show() {
  const all = [...new Set(FIELDS.flatMap((field) => codes[field]))];
  const known = new Map();
  if (all.length) {
    const query = new URLSearchParams({ scheme: at("right").value, principal: codes.principal_diagnosis[0] ?? "" });
    for (const code of all) query.append("code", code);
    try {
      for (const one of await json(`/codes?${query}`)) known.set(one.code, one);
    } catch {
      told.textContent = words.failed;
    }
  }
  for (const box of document.querySelectorAll(".codes")) {
    const field = box.dataset.field, many = "many" in box.dataset;
    const chips = codes[field].map((code, place) => {
      const chip = document.createElement("li");
      const one = known.get(code);
      chip.append(Object.assign(document.createElement("code"), { textContent: code }), ` ${one?.name ?? ""} `);
      if (one) {
        const shown = field === "other_diagnoses" ? one : { ...one, complication: null };
        const lists = field === "principal_diagnosis" ? shown.lists : shown.lists.filter((name) => name !== "no_principal_diagnosis");
        chip.append(...badges({ ...shown, lists }, words));
      }
      if (many) {
        const principal = field.replace("other_diagnoses", "principal_diagnosis").replace("other_procedures", "principal_procedure");
        chip.append(button("↑", `${words.first}: ${code}`, () => change(() => makeFirst(principal, field, place))));
      }
      chip.append(button("×", `${words.remove}: ${code}`, () => change(() => codes[field].splice(place, 1), field)));
      return chip;
    });
    box.querySelector(".chips").replaceChildren(...chips);
  }
}

function makeFirst(principal, others, place) {
  const [code] = codes[others].splice(place, 1);
  codes[others].splice(place, 0, ...codes[principal]);
  codes[principal] = [code];
}

// What is changed is shown, and grouped anew where it was grouped.
async function change(act, focus) {
  act();
  await show();
  if (focus) at(focus).focus();
  if (grouped()) await group();
}

for (const box of document.querySelectorAll(".codes")) {
  const field = box.dataset.field, many = "many" in box.dataset;
  const context = () => ({ scheme: at("right").value, principal: codes.principal_diagnosis[0] ?? "" });
  combo(at(field), box.dataset.kind, context, (taken) =>
    change(() => {
      codes[field] = many ? [...new Set([...codes[field], ...taken])] : taken.slice(0, 1);
    }),
  );
}

// --- Answers ------------------------------------------------------------------------------------

async function group() {
  history.replaceState(null, "", location.pathname + location.search + toFragment());
  at("hint").hidden = true;
  told.textContent = "";
  const lang = language(), right = at("right").value, left = at("left").value;
  await Promise.all([
    fragment("/explain", { ...asked(left), lang }, at("explain-left"), words.failed),
    fragment("/explain", { ...asked(right), lang }, at("explain-right"), words.failed),
    fragment("/what-if", asked(right), at("what-if"), words.failed),
    fragment("/check", { scheme: right, clinical_codes: at("clinical").checked, cases: [theCase()], lang }, at("check"), words.failed),
  ]);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  group();
});

form.addEventListener("reset", () => {
  for (const field of FIELDS) codes[field] = [];
  for (const id of ["explain-left", "explain-right", "what-if", "check"]) at(id).hidden = true;
  at("hint").hidden = false;
  at("estimate").replaceChildren();
  history.replaceState(null, "", location.pathname + location.search);
  show();
});

// One click takes a variant over.
at("what-if").addEventListener("click", (event) => {
  const button = event.target.closest("[data-take]");
  if (!button) return;
  const { take, code } = button.dataset;
  const others = take.endsWith("diagnosis") ? "other_diagnoses" : "other_procedures";
  change(() => {
    if (take.startsWith("principal")) makeFirst(take, others, codes[others].indexOf(code));
    else if (take === "without_principal_procedure") codes.principal_procedure = [];
    else codes[others].splice(codes[others].indexOf(code), 1);
  });
});

at("payment").addEventListener("submit", (event) => {
  event.preventDefault();
  const { policy, value, ...rest } = Object.fromEntries(new FormData(event.target));
  const extra = Object.fromEntries(Object.entries(rest).filter(([, text]) => text.trim()));
  for (const name of ["total_cost", "patient_paid", "length_of_stay"]) {
    if (name in extra && !Number.isNaN(Number(extra[name]))) extra[name] = Number(extra[name]);
  }
  const question = asked(at("right").value);
  question.case = { ...question.case, ...extra };
  fragment("/estimate", { ...question, policy, value: value.trim() ? Number(value) : null }, at("estimate"), words.failed);
});

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without TLS a browser lets a page copy only in the old way.
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  told.textContent = words.copied;
}

at("copy").addEventListener("click", () =>
  copy([...document.querySelectorAll(".as-text")].map((part) => part.textContent).join("\n\n")),
);
at("link").addEventListener("click", () => copy(location.origin + location.pathname + toFragment()));
for (const id of ["left", "right", "clinical"]) at(id).addEventListener("change", () => change(() => {}));

const given = fromFragment();
await show();
if (given) await group();
