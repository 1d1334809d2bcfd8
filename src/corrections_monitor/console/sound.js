// A tone for new alerts: two for critical, one for major; made here, so there is no file to fetch.
const KEPT = "console.sound";
let context = null;

export const sound = {
  get wanted() { return localStorage.getItem(KEPT) !== "off"; },
  /** Browsers keep a page silent until somebody has clicked in it. */
  get blocked() { return this.wanted && context?.state !== "running"; },
  async toggle() {
    const turnOn = !this.wanted || this.blocked;
    localStorage.setItem(KEPT, turnOn ? "on" : "off");
    if (turnOn) { await wake(); play("major"); }
  },
};

export async function wake() {
  if (!sound.wanted) return;
  context ||= new AudioContext();
  await context.resume().catch(() => {});
}

export function play(severity) {
  if (!sound.wanted || sound.blocked) return;
  const tones = severity === "critical" ? [880, 660, 880, 660] : [660];
  tones.forEach((hertz, i) => tone(hertz, context.currentTime + i * 0.22));
}

function tone(hertz, at) {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.frequency.value = hertz;
  gain.gain.setValueAtTime(0.0001, at);
  gain.gain.exponentialRampToValueAtTime(0.25, at + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.2);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + 0.21);
}
