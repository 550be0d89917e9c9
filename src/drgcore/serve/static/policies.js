// The page of policies: a name, a file or a text is checked and explained.
import { fragment } from "./calls.js";

const form = document.getElementById("policy");
const [name, file, text] = ["name", "file", "text"].map((id) => document.getElementById(id));

file.addEventListener("change", async () => {
  if (file.files[0]) {
    text.value = await file.files[0].text();
    name.value = "";
  }
});
name.addEventListener("change", () => {
  if (name.value) text.value = file.value = "";
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const asked = text.value.trim() ? { text: text.value } : { name: name.value };
  fragment("/policies/check", asked, document.getElementById("answer"), form.dataset.failed);
});
