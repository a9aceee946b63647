// Lists albums and plays songs by the OpenSubsonic API at /rest/. Name and password go in a form's body, never in an
// address (extension formPost), and are kept for as long as the page is open. Names are put in as text, never as HTML.

const PAGE = 500; // albums asked for at once, the API's own maximum
const byId = (id) => document.getElementById(id);
const login = byId("login"), said = byId("said"), albums = byId("albums"), songs = byId("songs"), audio = byId("audio");
let person = null;
let asked = 0; // the newest song asked for: an older one that arrives late is not played

async function ask(method, parameters = {}) {
  const body = new URLSearchParams({ ...person, v: "1.12.0", c: "pluto", f: "json", ...parameters });
  const answer = await fetch(`/rest/${method}.view`, { method: "POST", body });
  if (!(answer.headers.get("content-type") || "").startsWith("application/json")) {
    if (!answer.ok) throw new Error(`${method}: ${answer.status}`);
    return answer;
  }
  const told = (await answer.json())["subsonic-response"];
  if (told.status !== "ok") throw new Error(told.error.message);
  return told;
}

function item(text, act) {
  const line = document.createElement("li"), button = document.createElement("button");
  button.className = "item";
  button.textContent = text;
  button.addEventListener("click", () => tell(() => act(button)));
  line.append(button);
  return line;
}

function mark(list, button) {
  for (const each of list.querySelectorAll("button")) each.setAttribute("aria-current", String(each === button));
}

async function list() {
  const found = [];
  for (let offset = 0; ; offset += PAGE) {
    const told = await ask("getAlbumList2", { type: "alphabeticalByName", size: PAGE, offset });
    const page = told.albumList2.album || [];
    found.push(...page);
    if (page.length < PAGE) break;
  }
  albums.replaceChildren(...found.map((album) => item(`${album.artist} – ${album.name}`, (button) => open(album.id, button))));
  said.textContent = found.length ? "" : "There is no music yet.";
}

async function open(id, button) {
  const told = await ask("getAlbum", { id });
  mark(albums, button);
  songs.replaceChildren(...(told.album.song || []).map((song) => item(song.title, (one) => play(song, one))));
}

async function play(song, button) {
  const number = ++asked;
  const bytes = await (await ask("stream", { id: song.id, format: "raw" })).blob();
  if (number !== asked) return;
  mark(songs, button);
  URL.revokeObjectURL(audio.src);
  audio.src = URL.createObjectURL(bytes);
  byId("playing").textContent = `${song.artist} – ${song.title}`;
  document.querySelector("footer").hidden = false;
  await audio.play();
}

async function tell(work) {
  said.textContent = "";
  try {
    await work();
  } catch (error) {
    said.textContent = error.message;
  }
}

login.addEventListener("submit", (event) => {
  event.preventDefault();
  const bytes = new TextEncoder().encode(login.elements.password.value);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  person = { u: login.elements.name.value, p: `enc:${hex}` };
  tell(async () => {
    await ask("ping");
    login.hidden = true;
    await list();
  });
});

audio.addEventListener("ended", () => {
  const next = songs.querySelector('[aria-current="true"]')?.parentElement.nextElementSibling;
  next?.querySelector("button").click();
});
