// What a judge has before them, and what was decided: kept until it has arrived, and sent once.
import { batchPath, call, get } from "../shared/api.js";

const HOLD = 8000;
const ASK_AGAIN = 5000;
const LONGEST_WAIT = 15000;
const MOST_KEPT = 5;
const PROLONG = 240000;

/** The judging of one batch by one person. `onChange` is called when there is something new to show. */
export class Judging {
  constructor(id, onChange) {
    this.id = id;
    this.onChange = onChange;
    this.current = null;
    this.queue = []; // pairs that are there before they are wanted
    this.held = null; // the last verdict, which may still be undone
    this.outbox = readOutbox(id); // verdicts on their way
    this.counts = { n_judged: 0, n_waiting: 0, quota: null, judging_deadline: null };
    this.nGiven = 0;
    this.isAsking = false;
    this.isPaused = false;
    this.ended = null;
    this.error = null;
    this.shownSeconds = 0;
    this.shownSince = null;
    this.timers = new Set();
    this.onHide = () => { if (document.visibilityState === "hidden") { this.tick(); this.flush(true); } else this.tick(); };
    document.addEventListener("visibilitychange", this.onHide);
    this.prolonging = setInterval(() => this.current && !this.isPaused && this.ask(), PROLONG);
    this.drain();
    this.ask();
  }

  stop() {
    this.flush(true);
    document.removeEventListener("visibilitychange", this.onHide);
    clearInterval(this.prolonging);
    for (const timer of this.timers) clearTimeout(timer);
    this.isStopped = true;
  }

  later(action, milliseconds) {
    const timer = setTimeout(() => { this.timers.delete(timer); action(); }, milliseconds);
    this.timers.add(timer);
    return timer;
  }

  get kept() {
    const ids = [this.current, ...this.queue].filter(Boolean).map((each) => each.comparison_id);
    return [...ids, ...(this.held ? [this.held.pair.comparison_id] : []), ...this.outbox.map((each) => each.comparison_id)].slice(0, MOST_KEPT);
  }

  get nLeft() {
    const given = this.outbox.length + (this.held ? 1 : 0);
    const left = Math.max(0, this.counts.n_waiting - given);
    return this.counts.quota === null ? left : Math.min(left, Math.max(0, this.counts.quota - this.counts.n_judged - given));
  }

  /** Ask for a pair beyond those at hand, so that the next one is there when it is wanted. */
  async ask() {
    if (this.isAsking || this.isStopped || this.ended) return;
    this.isAsking = true;
    try {
      const offer = await get(`${batchPath(this.id)}/next-comparison${this.kept.length ? `?kept=${this.kept.join(",")}` : ""}`, { once: true });
      const isNew = this.take(offer);
      if (isNew && !this.queue.length) this.later(() => this.queue.length || this.ask(), 0);
      if (!this.current) {
        // Nothing waits: what may still be undone could be what others wait for.
        this.flush();
        this.later(() => this.ask(), ASK_AGAIN);
      }
    } catch (error) {
      this.takeRefusal(error);
    }
    this.isAsking = false;
    this.onChange();
  }

  /** Take what is offered; whether it is a pair that was not there yet. */
  take(offer) {
    this.error = null;
    this.counts = offer;
    const isNew = offer.comparison !== null && !this.kept.includes(offer.comparison.comparison_id);
    if (isNew) this.place(offer.comparison);
    return isNew;
  }

  takeRefusal(error) {
    if (error.status === 409 || error.status === 404) {
      // The batch has ended, or the quota is used up. What is before the judge is asked no more.
      this.ended = error;
      this.current = null;
      this.queue = [];
      this.flush();
      return;
    }
    this.error = error;
    if (error.isPassing) this.later(() => this.ask(), ASK_AGAIN);
  }

  place(pair) {
    if (this.current) this.queue.push(pair);
    else this.show(pair);
  }

  show(pair) {
    this.current = pair;
    this.shownSeconds = 0;
    this.shownSince = pair && !this.isPaused && document.visibilityState === "visible" ? performance.now() : null;
  }

  /** Count the time that the pair was before the judge: not while paused, not in another tab. */
  tick() {
    if (this.shownSince !== null) this.shownSeconds += (performance.now() - this.shownSince) / 1000;
    this.shownSince = this.current && !this.isPaused && document.visibilityState === "visible" ? performance.now() : null;
  }

  pause(isPaused) {
    this.isPaused = isPaused;
    this.tick();
    if (isPaused) this.flush();
    else this.ask();
    this.onChange();
  }

  decide(winner, degree, reason) {
    if (!this.current || this.isPaused) return;
    this.tick();
    this.flush();
    const verdict = { comparison_id: this.current.comparison_id, winner, decision_seconds: Math.min(86400, Math.round(this.shownSeconds * 10) / 10) };
    if (degree) verdict.degree = degree;
    if (reason) verdict.justification = reason.slice(0, 500);
    this.held = { pair: this.current, verdict, timer: this.later(() => this.flush(), HOLD) };
    this.keep();
    this.nGiven += 1;
    this.show(this.queue.shift() ?? null);
    this.onChange();
    // The answer to a verdict that is on its way brings the next pair.
    if (!this.queue.length && !this.isDraining) this.ask();
  }

  undo() {
    if (!this.held) return;
    clearTimeout(this.held.timer);
    this.timers.delete(this.held.timer);
    if (this.current) this.queue.unshift(this.current);
    const { pair, verdict } = this.held;
    this.held = null;
    this.keep();
    this.nGiven -= 1;
    this.show(pair);
    this.shownSeconds = verdict.decision_seconds;
    this.onChange();
  }

  /** Send the last verdict: it can no longer be undone. */
  flush(isLeaving = false) {
    if (this.held) {
      clearTimeout(this.held.timer);
      this.timers.delete(this.held.timer);
      this.outbox.push(this.held.verdict);
      this.held = null;
      this.keep();
    }
    this.drain(isLeaving);
  }

  /** Keep what has not arrived, what may still be undone too: a page can close without a word. */
  keep() {
    keepOutbox(this.id, [...this.outbox, ...(this.held ? [this.held.verdict] : [])]);
  }

  /** Send what is kept, one after another; what may pass is tried again until it has arrived. */
  async drain(isLeaving = false) {
    if (this.isDraining && !isLeaving) return;
    this.isDraining = true;
    const hasWork = this.outbox.length > 0;
    while (this.outbox.length) {
      const [verdict] = this.outbox;
      let offer = null;
      try {
        const query = isLeaving ? "" : `?offer=true&kept=${this.kept.join(",")}`;
        const accepted = await call("POST", `${batchPath(this.id)}/verdicts${query}`, { body: verdict, once: true, keepalive: isLeaving });
        offer = accepted?.offer;
        this.isOffline = false;
        this.nFailed = 0;
      } catch (error) {
        if (error.isPassing || error.status === 401) {
          this.isOffline = true;
          this.isDraining = false;
          this.nFailed = (this.nFailed ?? 0) + 1;
          this.later(() => this.drain(), Math.min(LONGEST_WAIT, 500 * 2 ** this.nFailed));
          if (!this.queue.length) this.ask();
          this.onChange();
          return;
        }
        // Settled or taken back meanwhile: asked again it would be refused again.
        this.lost = error;
      }
      this.outbox = this.outbox.filter((each) => each !== verdict);
      this.keep();
      if (offer && !this.isStopped && !this.ended) this.take(offer);
      this.onChange();
    }
    this.isDraining = false;
    // What was just sent may have been the last that was waited for.
    if (hasWork && !this.queue.length && !this.isStopped) this.ask();
  }
}

// Choices without texts: what a page that is closed too early still has to send.
const key = (id) => `cj-verdicts-${id}`;

function readOutbox(id) {
  try {
    return JSON.parse(sessionStorage.getItem(key(id)) ?? "[]");
  } catch {
    return [];
  }
}

function keepOutbox(id, verdicts) {
  try {
    if (verdicts.length) sessionStorage.setItem(key(id), JSON.stringify(verdicts));
    else sessionStorage.removeItem(key(id));
  } catch {
    // they are kept in memory
  }
}
