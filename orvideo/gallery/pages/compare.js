"use strict";

const MOST_COMPARED = 4;
/** Seconds by which videos may be apart before one is sent after the others, and before its pace is changed. */
const JUMP = 0.12;
const DRIFT = 0.012;
/** Until a video has been seen playing: the frames of a second that most of them have. */
const USUAL_FRAME = 1 / 24;

/** Plays several videos as one: the longest leads, the others follow. */
class Transport {
  constructor(videos) {
    this.videos = videos;
    this.speed = 1;
    this.frame = USUAL_FRAME;
    this.isPlaying = false;
    this.onchange = () => undefined;
  }

  get leader() {
    return this.videos.reduce((one, other) => ((other.duration || 0) > (one.duration || 0) ? other : one));
  }

  get duration() {
    return this.leader.duration || 0;
  }

  get time() {
    return this.leader.currentTime;
  }

  async ready() {
    await Promise.all(this.videos.map((video) => until(video, "loadeddata", () => video.readyState >= 2 || video.error)));
    this.onchange();
  }

  async play() {
    if (this.time >= this.duration - 0.01) await this.seek(0);
    else await this.seek(this.time);
    this.isPlaying = true;
    this.pace(1);
    this.learn(this.leader);
    // All are at one frame and have it: whoever begins late catches up.
    await Promise.all(this.videos.map((video) => (isOver(video) ? null : video.play().catch(() => undefined))));
    this.follow();
    this.onchange();
  }

  pause() {
    this.isPlaying = false;
    for (const video of this.videos) video.pause();
    this.onchange();
    return this.seek(this.time);
  }

  async seek(time) {
    const to = Math.min(Math.max(time, 0), this.duration);
    await Promise.all(
      this.videos.map((video) => {
        const own = Math.min(to, video.duration || 0);
        if (Math.abs(video.currentTime - own) < 0.001) return null;
        video.currentTime = own;
        return until(video, "seeked", () => !video.seeking);
      }),
    );
    this.onchange();
  }

  async step(frames) {
    if (this.isPlaying) await this.pause();
    // To the middle of a frame, which is that frame in every browser.
    const at = Math.floor(this.time / this.frame + 0.01) + frames + 0.5;
    await this.seek(at * this.frame);
  }

  pace(speed) {
    this.speed = speed * Number(find("#transport-speed").value);
    for (const video of this.videos) video.playbackRate = this.speed;
  }

  /** Hold the videos together while they play. */
  follow() {
    if (!this.isPlaying) return;
    const leader = this.leader;
    if (leader.ended) {
      this.pause();
      return;
    }
    for (const video of this.videos) if (video !== leader) this.adjust(video, leader.currentTime);
    this.onchange();
    requestAnimationFrame(() => this.follow());
  }

  adjust(video, time) {
    if (time >= video.duration || video.seeking) return;
    const ahead = video.currentTime - time;
    if (Math.abs(ahead) > JUMP) video.currentTime = time;
    else video.playbackRate = this.speed * (Math.abs(ahead) > DRIFT ? Math.min(Math.max(1 - ahead * 3, 0.75), 1.25) : 1);
    if (video.paused && !isOver(video)) video.play().catch(() => undefined);
  }

  /** Learn from a playing video how long a frame is. */
  learn(video) {
    if (!video.requestVideoFrameCallback) return;
    let before = null;
    const look = (_, { mediaTime, presentedFrames }) => {
      if (before && presentedFrames === before.presentedFrames + 1 && mediaTime > before.mediaTime) {
        const frame = mediaTime - before.mediaTime;
        this.frame = this.isLearned ? Math.min(this.frame, frame) : frame;
        this.isLearned = true;
      }
      before = { mediaTime, presentedFrames };
      if (this.isPlaying) video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  }
}

function isOver(video) {
  return video.currentTime >= (video.duration || 0) - 0.001;
}

/** Wait for an event, unless what it would tell is so already. */
function until(element, event, isSo) {
  if (isSo()) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      element.removeEventListener(event, done);
      element.removeEventListener("error", done);
      resolve();
    };
    element.addEventListener(event, done);
    element.addEventListener("error", done);
  });
}

/** What is picked to be compared, and the dialog that compares it. */
class Comparison {
  constructor(dialog) {
    this.dialog = dialog;
    this.picked = [];
    this.transport = null;
    find("#compare").addEventListener("click", () => this.open());
    find("#unpick").addEventListener("click", () => this.clear());
    find("#transport-play").addEventListener("click", () => this.toggle());
    find("#transport-back").addEventListener("click", () => this.transport.step(-1));
    find("#transport-on").addEventListener("click", () => this.transport.step(1));
    find("#transport-scrub").addEventListener("input", (event) => this.scrub(Number(event.target.value)));
    find("#transport-speed").addEventListener("change", () => this.transport.pace(1));
    find("#panes").addEventListener("click", (event) => this.press(event.target.closest("[data-do]")));
    dialog.addEventListener("close", () => this.closed());
  }

  /** Pick a card, or put it back. */
  pick(view) {
    if (!view.url) return say("There is no video on this card to compare.");
    if (view.isPicked) this.picked = this.picked.filter((one) => one !== view);
    else if (this.picked.length < MOST_COMPARED) this.picked.push(view);
    else return say(`${MOST_COMPARED} videos are compared at most: put one back first.`);
    this.mark(view, !view.isPicked);
    return this.tell();
  }

  mark(view, isPicked) {
    view.isPicked = isPicked;
    view.card.dataset.picked = isPicked ? "yes" : "";
    view.press("compare", isPicked);
    view.name();
  }

  clear() {
    for (const view of this.picked) this.mark(view, false);
    this.picked = [];
    this.tell();
  }

  tell() {
    const number = this.picked.length;
    find("#tray").hidden = !number;
    find("#compare").disabled = number < 2;
    find("#picked").textContent = number === 1 ? "1 picked: pick another to compare" : `${number} picked`;
  }

  async open() {
    if (this.picked.length < 2) return say("Pick two to four videos first.");
    CardView.heard?.rest();
    const panes = this.picked.map((view) => pane(view));
    find("#panes").replaceChildren(...panes);
    find("#panes").dataset.number = panes.length;
    this.transport = new Transport(panes.map((one) => find("video", one)));
    this.transport.onchange = () => this.showTime();
    this.dialog.showModal();
    find("#transport-play").focus();
    await this.transport.ready();
    return this.transport.pace(1);
  }

  toggle() {
    return this.transport.isPlaying ? this.transport.pause() : this.transport.play();
  }

  async scrub(time) {
    this.wanted = time;
    if (this.isScrubbing) return;
    this.isScrubbing = true;
    if (this.transport.isPlaying) await this.transport.pause();
    // A hand is faster than a video: only the last place it asked for counts.
    while (this.wanted !== null) {
      const to = this.wanted;
      this.wanted = null;
      await this.transport.seek(to);
    }
    this.isScrubbing = false;
  }

  press(button) {
    if (!button) return;
    const one = button.closest(".pane");
    if (button.dataset.do === "sound") this.hear(one);
    else toggleMark(list.jobs.get(one.dataset.handle), button.dataset.do);
  }

  /** Hear one of the videos, or none. */
  hear(one) {
    const hear = find("video", one).muted;
    for (const each of find("#panes").children) {
      const isHeard = hear && each === one;
      find("video", each).muted = !isHeard;
      find("[data-do=sound]", each).setAttribute("aria-pressed", String(isHeard));
    }
  }

  showMarks() {
    for (const one of find("#panes").children) press(one, marks.of(list.jobs.get(one.dataset.handle)).mark);
  }

  showTime() {
    const { transport } = this;
    if (!transport) return;
    const scrub = find("#transport-scrub");
    scrub.max = transport.duration;
    if (!this.isScrubbing) scrub.value = transport.time;
    const text = `${timeText(transport.time)} / ${timeText(transport.duration)}`;
    find("#transport-time").textContent = text;
    scrub.setAttribute("aria-valuetext", text);
    find("#transport-play").textContent = transport.isPlaying ? "Pause" : "Play";
  }

  closed() {
    this.transport?.pause();
    this.transport = null;
    find("#panes").replaceChildren();
    list.active?.card.focus({ preventScroll: true });
  }
}

function pane(view) {
  const one = find("#pane").content.firstElementChild.cloneNode(true);
  one.dataset.handle = view.job.handle;
  find("video", one).src = view.url;
  find("video", one).setAttribute("aria-label", view.title.slice(0, 120));
  find(".prompt bdi", one).textContent = view.title;
  find(".facts", one).replaceChildren(...facts(view.job).map((fact) => made("span", fact)));
  press(one, marks.of(view.job).mark);
  return one;
}
