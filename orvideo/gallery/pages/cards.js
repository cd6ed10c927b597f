"use strict";

/** How much of a prompt stands on a card; the rest is behind More. */
const PROMPT_ON_CARD = 280;
const stillness = matchMedia("(prefers-reduced-motion: reduce)");

/** The videos of a job that this page can show. */
function playable(job) {
  return job.outputs.filter((output) => output.url);
}

/** What a job is to a person who looks for videos: one of saved, running, failed, or its own status. */
function kindOf(job) {
  if (playable(job).length) return "saved";
  return job.is_running ? "running" : job.status;
}

function facts(job) {
  const length = job.duration === null ? null : `${job.duration} s`;
  const seed = job.seed === null ? null : `seed ${job.seed}`;
  return [job.model, length, job.size, seed, job.cost].filter(Boolean);
}

function statusText(job) {
  const words = job.status.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Say why a card has no picture. */
function reason(job) {
  if (job.is_running) return [statusText(job), "On its way"];
  if (job.status === "completed" && !job.next) return ["Completed without a video", job.error || ""];
  if (job.status === "completed") return ["Not on this disk", job.error || ""];
  if (job.status === "outcome_unknown") return [statusText(job), job.error || "It was sent, and may be charged."];
  return [statusText(job), job.error || "The service gave no reason."];
}

/** A card: the elements of one job. */
class CardView {
  /** The one that is heard. */
  static heard = null;

  constructor(job) {
    this.item = find("#card").content.firstElementChild.cloneNode(true);
    this.card = find(".card", this.item);
    this.card.dataset.handle = job.handle;
    this.video = find("video", this.item);
    this.take = 0;
    this.isNear = false;
    this.show(job);
    const frame = find(".frame", this.item);
    frame.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && this.hover(true));
    frame.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.hover(false));
    this.video.addEventListener("loadedmetadata", () => this.measure());
    this.video.addEventListener("error", () => this.lose());
    for (const event of ["play", "pause", "volumechange"]) this.video.addEventListener(event, () => this.name());
  }

  show(job) {
    this.job = job;
    this.isLost = null;
    this.title = job.prompt || job.name;
    const short = this.title.length > PROMPT_ON_CARD ? `${this.title.slice(0, PROMPT_ON_CARD)}…` : this.title;
    find("h2 bdi", this.item).textContent = short.replace(/\s+/g, " ");
    find(".facts", this.item).replaceChildren(...facts(job).map((fact) => made("span", fact)));
    this.card.dataset.kind = kindOf(job);
    find("[data-do=like]", this.item).hidden = !job.like;
    find("[data-do=compare]", this.item).hidden = !playable(job).length;
    this.showFrame();
    this.showTakes();
    this.showMark();
    this.name();
  }

  showFrame() {
    const has = playable(this.job).length > 0 && !this.isLost;
    find(".picture", this.item).hidden = !has;
    const told = find(".told", this.item);
    told.hidden = has;
    const [what, why] = has ? ["", ""] : this.isLost || reason(this.job);
    find("strong", told).textContent = what;
    find("bdi", told).textContent = why;
    tell(find(".line", told), has ? "" : this.job.next);
    if (this.isNear) this.load();
  }

  showTakes() {
    const takes = playable(this.job);
    const group = find(".takes", this.item);
    group.hidden = takes.length < 2;
    if (group.hidden) return;
    group.replaceChildren(
      ...takes.map((_, index) => {
        const button = made("button", String(index + 1));
        button.type = "button";
        button.dataset.do = "take";
        button.dataset.take = index;
        button.tabIndex = this.isActive ? 0 : -1;
        button.setAttribute("aria-label", `Video ${index + 1} of ${takes.length}`);
        button.setAttribute("aria-pressed", String(index === this.take));
        return button;
      }),
    );
  }

  showMark() {
    const { mark, note } = marks.of(this.job);
    this.card.dataset.mark = mark || "";
    tell(find(".mark", this.item), mark === "keep" ? "Keep" : mark === "reject" ? "Rejected" : "");
    const line = find(".note", this.item);
    line.hidden = !note;
    find("bdi", line).textContent = note || "";
    this.press("keep", mark === "keep");
    this.press("reject", mark === "reject");
  }

  press(what, isPressed) {
    for (const button of this.item.querySelectorAll(`[data-do=${what}]`)) {
      button.setAttribute("aria-pressed", String(isPressed));
    }
  }

  /** Let the keyboard reach what is on this card, or only the card that has the focus has so many stops. */
  activate(isActive) {
    this.isActive = isActive;
    this.card.tabIndex = isActive ? 0 : -1;
    for (const button of this.item.querySelectorAll("button")) button.tabIndex = isActive ? 0 : -1;
  }

  name() {
    const isHeard = !this.video.paused && !this.video.muted;
    find(".picture", this.item).setAttribute("aria-label", `${isHeard ? "Pause" : "Play"}: ${this.title.slice(0, 120)}`);
    const mark = marks.of(this.job).mark;
    const words = [this.title.slice(0, 200), kindOf(this.job).replaceAll("_", " "), mark, this.isPicked && "to compare"];
    this.card.setAttribute("aria-label", words.filter(Boolean).join(", "));
    this.card.dataset.heard = isHeard ? "yes" : "";
  }

  /** The file has gone, or cannot be shown. */
  lose() {
    if (!this.video.dataset.url) return;
    this.isLost = ["This file cannot be played", playable(this.job)[this.take].path || this.url];
    this.showFrame();
  }

  measure() {
    if (this.job.duration === null && Number.isFinite(this.video.duration)) {
      tell(find(".length", this.item), `${Math.round(this.video.duration)} s`);
    }
  }

  get url() {
    return playable(this.job)[this.take]?.url || null;
  }

  /** Come near enough to be seen: have the video; or be far, and give it back, unless it is heard. */
  near(isNear) {
    this.isNear = isNear;
    if (isNear) this.load();
    else if (CardView.heard !== this) this.unload();
  }

  load() {
    const url = this.isLost ? null : this.url;
    // The first frame, where a browser shows none by itself.
    if (url && this.video.dataset.url !== url) {
      this.video.dataset.url = url;
      this.video.src = `${url}#t=0.001`;
    }
  }

  unload() {
    if (!this.video.dataset.url) return;
    this.pause();
    delete this.video.dataset.url;
    this.video.removeAttribute("src");
    this.video.load();
  }

  choose(take) {
    this.take = take;
    this.isLost = null;
    this.showFrame();
    this.showTakes();
    this.load();
  }

  hover(isIn) {
    if (!this.video.muted || !this.url || stillness.matches) return;
    if (isIn) this.play(false);
    else this.rest();
  }

  /** Play from where it is; only one card is heard at a time. */
  async play(isHeard) {
    if (!this.url) return;
    this.load();
    if (isHeard) {
      if (CardView.heard !== this) CardView.heard?.rest();
      CardView.heard = this;
    }
    this.video.muted = !isHeard;
    try {
      await this.video.play();
    } catch (error) {
      if (error.name !== "AbortError") say(`This video cannot be played: ${error.message}`);
    }
  }

  pause() {
    this.video.pause();
    if (CardView.heard === this) CardView.heard = null;
  }

  /** Stop, silent and at the first frame again. */
  rest() {
    this.pause();
    this.video.muted = true;
    if (this.video.readyState) this.video.currentTime = 0;
  }

  toggle() {
    if (this.video.paused || this.video.muted) this.play(true);
    else this.pause();
  }
}
