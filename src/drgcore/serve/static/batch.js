// Batches: send a file and see it go, choose columns, follow the work, remove.
const told = document.getElementById("told");

function tell(answer) {
  const box = document.createElement("p");
  box.className = "notice error";
  box.textContent = [answer.where, answer.error ?? answer.detail, answer.hint].filter(Boolean).join(" · ");
  told.replaceChildren(box);
}

const sending = document.getElementById("send");
if (sending) {
  const file = document.getElementById("file");
  sending.addEventListener("dragover", (event) => { event.preventDefault(); sending.classList.add("over"); });
  sending.addEventListener("dragleave", () => sending.classList.remove("over"));
  sending.addEventListener("drop", (event) => {
    event.preventDefault();
    sending.classList.remove("over");
    file.files = event.dataTransfer.files;
    if (file.files.length) sending.requestSubmit();
  });
  sending.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = new FormData(sending);
    body.set("start", "false");
    const bar = document.getElementById("sending");
    const request = new XMLHttpRequest();
    request.open("POST", "/batch");
    request.responseType = "json";
    request.setRequestHeader("accept", "application/json");
    request.upload.addEventListener("progress", (e) => { bar.hidden = false; bar.max = e.total; bar.value = e.loaded; });
    request.addEventListener("load", () => {
      if (request.status === 202) location.assign(`/batches/${request.response.id}`);
      else { bar.hidden = true; tell(request.response ?? { error: request.status }); }
    });
    request.addEventListener("error", () => { bar.hidden = true; tell({ error: "✗" }); });
    request.send(body);
  });
}

const starting = document.getElementById("start");
if (starting) {
  const text = document.getElementById("mapping");
  for (const choice of starting.querySelectorAll("select[data-field]")) {
    choice.addEventListener("change", () => {
      const line = `${choice.dataset.field} = ${JSON.stringify(choice.value)}`;
      const old = new RegExp(`^${choice.dataset.field} = .*$`, "m");
      text.value = old.test(text.value) ? text.value.replace(old, () => line) : `${text.value.trimEnd()}\n${line}\n`;
    });
  }
  starting.addEventListener("submit", async (event) => {
    event.preventDefault();
    const asked = {
      scheme: document.getElementById("scheme").value,
      mapping_text: text.value,
      sheet: starting.dataset.sheet || null,
      clinical_codes: document.getElementById("clinical").checked,
      check: document.getElementById("check").checked,
      outputs: [...starting.querySelectorAll("[name=output]:checked")].map((box) => box.value),
    };
    const answer = await fetch(`/batch/${starting.dataset.id}/start`, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(asked),
    });
    if (answer.ok) location.reload();
    else tell(await answer.json());
  });
}

const working = document.getElementById("working");
if (working) {
  const look = async () => {
    const job = await (await fetch(`/batch/${working.dataset.id}`)).json();
    if (job.state !== "queued" && job.state !== "running") { location.reload(); return; }
    document.getElementById("rows").textContent = job.rows.toLocaleString("en");
    const bar = document.getElementById("progress");
    if (job.total) { bar.max = job.total; bar.value = job.rows; }
    setTimeout(look, 700);
  };
  setTimeout(look, 400);
}

// As long as a page of batches is open, the session goes on and what it uploaded stays.
setInterval(() => fetch("/health").catch(() => undefined), 600_000);

for (const button of document.querySelectorAll("[data-remove]")) {
  button.addEventListener("click", async () => {
    await fetch(`/batch/${button.dataset.remove}`, { method: "DELETE" });
    location.assign("/batches");
  });
}
