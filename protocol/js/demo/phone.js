// A web phone: signs in, shows its seat, its lease and its place in the queue, and says why when it is sent away.

import { SeatClient, claimDeviceId } from "/client/index.js";
import { inWords } from "./words.js";

const PRODUCT = "CALL_CENTER";
const WAIT_S = 600;
const CUT_S = 10;
const LINES_KEPT = 30;

const $ = (id) => document.getElementById(id);
const deviceId = claimDeviceId("demo-phone");

/** @type {SeatClient | null} */
let client = null;
let leaseS = 1;
let onCall = false;

$("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  void signIn($("user").value, $("wait").checked);
});
$("leave").addEventListener("click", () => client?.bye());
$("call").addEventListener("click", () => call(!onCall));
$("cut").addEventListener("click", () => ask("cut", { seconds: CUT_S }));
$("force").addEventListener("click", forceOut);
setInterval(showLease, 250);

async function signIn(user, waits) {
  if (client !== null) return;
  client = new SeatClient({
    urls: `${location.origin}/line/${user}`,
    token: async () => (await ask("token")).token,
    device: { kind: "web_phone", id: await deviceId, name: "Demo phone" },
    need: [PRODUCT],
    waitS: waits ? WAIT_S : 0,
    onEvent: heard,
  });
  say("");
  show("signing in", "");
  $("enter").disabled = $("user").disabled = true;
  $("desk").hidden = false;
  client.connect().catch(() => {}); // `closed` has said why
}

function heard(event) {
  note(event);
  const words = inWords(event);
  if (words !== null) say(words);
  switch (event.type) {
    case "welcome":
      leaseS = event.lease_s;
      $("queue").textContent = "not waiting";
      show("signed in", "good");
      if (event.resumed) say("");
      break;
    case "queued":
      $("queue").textContent = `place ${event.position}`;
      show("waiting", "");
      break;
    case "lapsed":
      call(false);
      show("no connection: seat not usable", "bad");
      break;
    case "usable":
      show("signed in", "good");
      break;
    case "logout":
      call(false);
      break;
    case "closed":
      if (event.retryInS === null) over();
      else show(client.usable ? "reconnecting, seat still usable" : "reconnecting", "bad");
  }
  showHeld();
}

function over() {
  call(false);
  client = null;
  $("enter").disabled = $("user").disabled = false;
  $("queue").textContent = "not waiting";
  show("signed out", "");
}

function call(on) {
  if (on && !client?.usable) return; // asked before each use of a seat
  onCall = on;
  client?.busy(on);
  $("call").setAttribute("aria-pressed", String(on));
  $("call").textContent = on ? "Hang up" : "Call";
}

async function forceOut() {
  const { receipts } = await ask("logout", {});
  for (const { outcome, milliseconds } of receipts) {
    line(`receipt: ${outcome}${milliseconds === null ? "" : ` after ${milliseconds} ms`}`);
  }
}

function showHeld() {
  const seat = client?.seats[0];
  $("seat").textContent = seat ? `${seat.product} of license ${seat.license}` : "none";
  $("session").textContent = client?.session ?? "none";
  showLease();
}

function showLease() {
  const leftS = client?.leaseLeftS ?? 0;
  $("lease").value = Math.min(1, leftS / leaseS);
  $("lease-left").textContent = leftS > 0 ? `${Math.ceil(leftS)} s` : "none";
  $("call").disabled = leftS === 0;
}

function show(words, mood) {
  $("state").textContent = words;
  $("state").dataset.mood = mood;
}

function say(words) {
  $("words").textContent = words;
}

function note({ type, ...fields }) {
  const { secret, ticket, seats, sections, holders, ...shown } = fields; // not for a log: secrets, and what is shown above
  line(`${type} ${JSON.stringify(shown)}`);
}

function line(text) {
  const item = document.createElement("li");
  item.textContent = `${new Date().toLocaleTimeString()} ${text}`;
  $("log").prepend(item);
  while ($("log").children.length > LINES_KEPT) $("log").lastChild.remove();
}

/** Asks the demo's server, as this user. */
async function ask(what, body = {}) {
  const answer = await fetch(`/${what}/${$("user").value}`, { method: "POST", body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${what}: ${answer.status}`);
  return answer.json();
}
