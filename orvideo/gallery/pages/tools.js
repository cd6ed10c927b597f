"use strict";

/** Return the first element that a selector finds. */
function find(selector, within = document) {
  return within.querySelector(selector);
}

/** Return a new element with a text in it; text is never markup. */
function made(tag, text = "", className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = className;
  return element;
}

/** Show a text in an element, or hide it where there is none. */
function tell(element, text) {
  element.textContent = text || "";
  element.hidden = !text;
}

let silence = 0;

/** Tell a person something in passing; a screen reader says it. */
function say(text) {
  const line = find("dialog[open] .toast") || find("#status-line");
  line.textContent = text;
  line.classList.add("shown");
  clearTimeout(silence);
  silence = setTimeout(() => line.classList.remove("shown"), 5000);
}

/** Copy a text, also where the browser has no clipboard for this page. */
async function copy(text, what) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    done = copyBySelection(text);
  }
  say(done ? `Copied: ${what || text}` : `The browser does not let this page copy. ${text}`);
}

function copyBySelection(text) {
  const area = made("textarea", text, "unseen");
  const before = document.activeElement;
  (find("dialog[open]") || document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  before?.focus();
  return done;
}

/** Return a number of things in words: 1 video, 3 videos. */
function count(number, one) {
  return `${number.toLocaleString("en")} ${one}${number === 1 ? "" : "s"}`;
}

/** Return seconds as 0:07.25. */
function timeText(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - minutes * 60).toFixed(2).padStart(5, "0")}`;
}
