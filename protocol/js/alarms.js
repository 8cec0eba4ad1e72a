// Moments on the client's clock at which something is to be done. A machine that slept has timers that are late: `check`
// does what is due.

/** @typedef {import("./timers.js").SetTimer} SetTimer */

class Alarm {
  /** @param {number} atS @param {() => void} run */
  constructor(atS, run) {
    this.atS = atS;
    this.run = run;
    this.cancelTimer = () => {};
  }
}

export class Alarms {
  #clock;
  #setTimer;
  /** @type {Set<Alarm>} */
  #set = new Set();

  /** @param {() => number} clock @param {SetTimer} setTimer */
  constructor(clock, setTimer) {
    this.#clock = clock;
    this.#setTimer = setTimer;
  }

  /** Do something in so many seconds. Answers how to cancel it. @param {number} delayS @param {() => void} run */
  after(delayS, run) {
    return this.at(this.#clock() + delayS, run);
  }

  /** Do something at a moment. Answers how to cancel it. @param {number} atS @param {() => void} run */
  at(atS, run) {
    const alarm = new Alarm(atS, run);
    this.#set.add(alarm);
    this.#arm(alarm);
    return () => this.#cancel(alarm);
  }

  /** Do now what is due: the machine, or the page, has been asleep. */
  check() {
    for (const alarm of [...this.#set]) if (this.#set.has(alarm)) this.#ring(alarm);
  }

  /** @param {Alarm} alarm */
  #arm(alarm) {
    alarm.cancelTimer();
    alarm.cancelTimer = this.#setTimer(alarm.atS - this.#clock(), () => this.#ring(alarm));
  }

  /** @param {Alarm} alarm */
  #ring(alarm) {
    if (this.#clock() < alarm.atS) return this.#arm(alarm); // timers and clock are not the same
    this.#cancel(alarm);
    alarm.run();
  }

  /** @param {Alarm} alarm */
  #cancel(alarm) {
    this.#set.delete(alarm);
    alarm.cancelTimer();
  }
}
