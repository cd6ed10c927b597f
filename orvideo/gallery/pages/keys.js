"use strict";

/** What a key does on the card that has the focus. */
const ON_CARD = {
  " ": (view) => view.toggle(),
  Enter: (view) => viewer.open(view),
  k: (view) => toggleMark(view.job, "keep"),
  x: (view) => toggleMark(view.job, "reject"),
  c: (view) => comparison.pick(view),
  n: (view) => viewer.open(view, true),
  l: (view) => copyLike(view.job),
};

/** What a key does among the cards. */
const AMONG_CARDS = {
  ArrowRight: () => list.move(1),
  ArrowLeft: () => list.move(-1),
  ArrowDown: () => list.move(list.columns),
  ArrowUp: () => list.move(-list.columns),
  Home: () => list.goTo(0),
  End: () => list.goTo(-1),
};

/** What a key does anywhere on the page. */
const ANYWHERE = {
  "/": () => find("#search").focus(),
  "?": () => find("#help").showModal(),
  C: () => comparison.open(),
  Escape: leave,
};

const IN_VIEWER = {
  k: () => toggleMark(viewer.view.job, "keep"),
  x: () => toggleMark(viewer.view.job, "reject"),
  n: () => viewer.note.focus(),
  l: () => copyLike(viewer.view.job),
  ArrowRight: () => viewer.move(1),
  ArrowLeft: () => viewer.move(-1),
};

const IN_COMPARISON = {
  " ": () => comparison.toggle(),
  ArrowRight: () => comparison.transport.step(1),
  ArrowLeft: () => comparison.transport.step(-1),
};

/** Leave what one is in: a search for the cards, the cards for none picked. */
function leave() {
  if (document.activeElement === find("#search")) {
    find("#search").value = "";
    list.draw();
    list.active?.card.focus();
  } else {
    comparison.clear();
    CardView.heard?.rest();
  }
}

const IN_DIALOG = { viewer: IN_VIEWER, comparison: IN_COMPARISON };

/** Say whether the element that has the focus does something by itself at a key. */
function hasOwnUse(event) {
  if (event.target.matches("video")) return [" ", "ArrowLeft", "ArrowRight"].includes(event.key);
  return event.target.matches("button") && [" ", "Enter"].includes(event.key);
}

function actionOf(event) {
  const dialog = find("dialog[open]");
  if (event.target.matches("input, textarea, select")) return !dialog && event.key === "Escape" ? leave : null;
  if (hasOwnUse(event)) return null;
  if (dialog) return IN_DIALOG[dialog.id]?.[event.key];
  const view = list.viewAt(event.target);
  const onCard = view && ON_CARD[event.key];
  if (onCard) return () => onCard(view);
  const isAmongCards = view || event.target === document.body;
  return (isAmongCards && AMONG_CARDS[event.key]) || ANYWHERE[event.key];
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const action = actionOf(event);
  if (!action) return;
  event.preventDefault();
  action();
});
